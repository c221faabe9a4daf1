package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	ondisk "wellspring/disk"
)

// A disk is what the ledger writes to: the log and the note beside it. Tests put
// in one that forgets what was not synced.
type disk interface {
	log() blob
	note() blob
	close() error
}

// A blob is one file.
type blob interface {
	io.ReaderAt
	io.WriterAt
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
}

// A folder is a disk under a lock.
type folder struct {
	logFile, noteFile *os.File
}

// noteName is the file that names the last acknowledged record.
const noteName = "ledger.head"

func openFolder(dir string) (_ *folder, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, trouble(err)
	}
	d := &folder{}
	if d.logFile, err = os.OpenFile(filepath.Join(dir, LogName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, trouble(err)
	}
	if err := lock(d.logFile); err != nil {
		return nil, errors.Join(err, d.logFile.Close())
	}
	if d.noteFile, err = os.OpenFile(filepath.Join(dir, noteName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, trouble(errors.Join(err, d.logFile.Close()))
	}
	if err := ondisk.SyncDir(dir); err != nil { // the names must survive as well
		return nil, errors.Join(trouble(err), d.close())
	}
	return d, nil
}

func (d *folder) log() blob    { return osBlob{d.logFile} }
func (d *folder) note() blob   { return osBlob{d.noteFile} }
func (d *folder) close() error { return errors.Join(d.noteFile.Close(), d.logFile.Close()) }

type osBlob struct{ *os.File }

// Size is the file's length in bytes.
func (b osBlob) Size() (int64, error) {
	info, err := b.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
