package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	ws "wellspring"
	"wellspring/ledger"
)

// LogName is the name of the log in a ledger's folder.
const LogName = "ledger.log"

// Read replays a log that somebody hands over, with every check, and calls each
// for every block with the state after it, if each is not nil. A record that is
// not whole is an error: a handed-over file has no torn end.
func Read(in io.ReaderAt, size int64, each func(ledger.Block, ledger.State) error) (ledger.State, error) {
	r := &reader{in: in, size: size}
	err := r.replay(each)
	if err == nil && r.end != size {
		err = damaged(r.state.Height() + 1)
	}
	return r.state, err
}

// Follow is [Read] for the log of a folder that another process may be writing
// to: what is not whole at its end is left out. It takes no lock.
func Follow(dir string, each func(ledger.Block, ledger.State) error) (ledger.State, error) {
	f, err := os.Open(filepath.Join(dir, LogName))
	if err != nil {
		return ledger.State{}, noLedger(err)
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil {
		return ledger.State{}, trouble(err)
	}
	r := &reader{in: f, size: info.Size(), ours: true}
	if err := r.replay(each); err != nil {
		return r.state, err
	}
	torn, err := r.torn()
	if err == nil && !torn {
		err = damaged(r.state.Height() + 1)
	}
	return r.state, err
}

func (r *reader) replay(each func(ledger.Block, ledger.State) error) error {
	empty, err := r.begin()
	if err != nil || empty {
		return err
	}
	for {
		b, more, err := r.next()
		if err != nil || !more {
			return err
		}
		if each != nil {
			if err := each(b, r.state); err != nil {
				return err
			}
		}
	}
}

// Whole opens the log of a folder, checked record by record, and tells how much of it
// is whole: what comes later does not count. It takes no lock.
func Whole(dir string) (f *os.File, size int64, state ledger.State, err error) {
	if f, err = os.Open(filepath.Join(dir, LogName)); err != nil {
		return nil, 0, state, noLedger(err)
	}
	size = int64(len(header))
	state, err = Follow(dir, func(b ledger.Block, _ ledger.State) error {
		size += int64(headLen + len(b.Txs[0].Bytes()))
		return nil
	})
	if err == nil && state.Height() == 0 {
		err = noLedger(nil)
	}
	if err != nil {
		return nil, 0, state, errors.Join(err, f.Close())
	}
	return f, size, state, nil
}

// Export writes the whole log of a folder, checked record by record. It takes no
// lock.
func Export(dir string, out io.Writer) (ledger.State, error) {
	f, size, state, err := Whole(dir)
	if err != nil {
		return state, err
	}
	defer f.Close() // it was only read
	if _, err := io.Copy(out, io.NewSectionReader(f, 0, size)); err != nil {
		return state, trouble(err)
	}
	return state, nil
}

func noLedger(err error) error {
	return ws.Errorf(ws.Invalid, "ledger file", ws.T("there is no ledger in this folder", "该文件夹中没有账本")).Wrap(err)
}
