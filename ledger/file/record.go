package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"

	ws "wellspring"
	"wellspring/ledger"
)

// header begins a log.
const header = "wellspring/log 1\n"

// mark begins a record. Its first byte begins no character of UTF-8, so no
// canonical transaction holds it where a scan would take it for a record.
const mark = "\x89WSLED\r\n"

// A record is mark ‖ height (8) ‖ length of tx (4) ‖ prev (32) ‖ root (32) ‖
// hash (32) ‖ tx; numbers big end first [LEDGER-FILE.2].
const (
	atHeight = len(mark)
	atLength = atHeight + 8
	atPrev   = atLength + 4
	atRoot   = atPrev + 32
	atHash   = atRoot + 32
	headLen  = atHash + 32

	maxRecord = int64(headLen) + ledger.MaxTx
)

// A record is one block of one transaction.
type record struct {
	height ledger.Height
	prev   ledger.Hash // hash of the record before, or of the header
	root   ledger.Hash // of the state after tx
	tx     []byte
}

// origin is what the first record hangs on.
var origin = ledger.Hash(sha256.Sum256([]byte(header)))

// bytes gives the record as it lies in the log, and its hash.
func (r record) bytes() ([]byte, ledger.Hash) {
	b := append(make([]byte, 0, headLen+len(r.tx)), mark...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.height))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.tx)))
	b = append(b, r.prev[:]...)
	b = append(b, r.root[:]...)
	h := hashRecord(b, r.tx)
	b = append(b, h[:]...)
	return append(b, r.tx...), h
}

// hashRecord covers all of a record but the hash itself [LEDGER-FILE.3].
func hashRecord(head, tx []byte) ledger.Hash {
	h := sha256.New()
	h.Write(head)
	h.Write(tx)
	return ledger.Hash(h.Sum(nil))
}

func (r record) size() int64 { return int64(headLen + len(r.tx)) }

// parse reads a whole record from the start of b; false where there is none, or
// its hash does not fit.
func parse(b []byte) (r record, hash ledger.Hash, ok bool) {
	if len(b) < headLen || string(b[:len(mark)]) != mark {
		return r, hash, false
	}
	n := int64(binary.BigEndian.Uint32(b[atLength:]))
	if n > ledger.MaxTx || int64(len(b)) < int64(headLen)+n {
		return r, hash, false
	}
	r = record{height: ledger.Height(binary.BigEndian.Uint64(b[atHeight:])), prev: ledger.Hash(b[atPrev:atRoot]),
		root: ledger.Hash(b[atRoot:atHash]), tx: b[headLen : int64(headLen)+n]}
	hash = hashRecord(b[:atHash], r.tx)
	return r, hash, hash == ledger.Hash(b[atHash:headLen])
}

// anyWhole reports whether a whole record begins anywhere in b.
func anyWhole(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(mark))
		if i < 0 {
			return false
		}
		if _, _, ok := parse(b[i:]); ok {
			return true
		}
		b = b[i+1:]
	}
}

// A reader replays a log from its beginning.
type reader struct {
	in    io.ReaderAt
	size  int64
	ours  bool        // the log of a folder, which may be torn; not a file that was handed over
	end   int64       // of the last good record
	hash  ledger.Hash // of the last good record
	state ledger.State
}

// begin checks the header. A file that ends within it holds nothing.
func (r *reader) begin() (empty bool, err error) {
	b := make([]byte, min(r.size, int64(len(header))))
	if _, err := r.in.ReadAt(b, 0); err != nil && err != io.EOF {
		return false, trouble(err)
	}
	if string(b) == header {
		r.end, r.hash = int64(len(header)), origin
		return false, nil
	}
	if r.size == 0 || r.ours && r.size <= int64(len(header)) {
		return true, nil // torn when the file was made: a record comes only after the header was synced
	}
	return false, ws.Errorf(ws.Diverged, "ledger file", ws.T("this is no log of a ledger, or its beginning is damaged", "这不是账本日志，或其开头已损坏"))
}

// next reads, checks and applies one record. more is false at the end of what is
// whole; r.end < r.size then says that something follows.
func (r *reader) next() (b ledger.Block, more bool, err error) {
	if r.end >= r.size {
		return b, false, nil
	}
	rec, hash, ok, err := r.read()
	if err != nil || !ok {
		return b, false, err
	}
	height := r.state.Height() + 1
	if rec.height != height || rec.prev != r.hash {
		return b, false, damaged(height)
	}
	tx, err := ledger.DecodeTx(rec.tx)
	if err != nil {
		return b, false, broken(height, err)
	}
	state, _, err := ledger.Apply(r.state, tx)
	if err != nil {
		return b, false, broken(height, err)
	}
	if state.Root() != rec.root {
		return b, false, ws.Errorf(ws.Diverged, "ledger file", ws.T("the state after block %d is not the one that the log states", "区块 %d 之后的状态与日志所述不符", height)).
			WithHint(ws.T("the log was altered, or written by a release with other rules", "日志被更改，或由规则不同的版本写成"))
	}
	r.state, r.hash, r.end = state.AtHeight(height), hash, r.end+rec.size()
	return ledger.Block{Height: height, Txs: []ledger.Tx{tx}, Root: rec.root}, true, nil
}

// read takes the bytes of the next record, no more than it says it has.
func (r *reader) read() (rec record, hash ledger.Hash, ok bool, err error) {
	b := make([]byte, min(int64(headLen), r.size-r.end))
	if _, err := r.in.ReadAt(b, r.end); err != nil && err != io.EOF {
		return rec, hash, false, trouble(err)
	}
	if len(b) < headLen {
		return rec, hash, false, nil
	}
	n := int64(binary.BigEndian.Uint32(b[atLength:]))
	if n > ledger.MaxTx || r.size-r.end < int64(headLen)+n {
		return rec, hash, false, nil
	}
	b = append(b, make([]byte, n)...)
	if _, err := r.in.ReadAt(b[headLen:], r.end+int64(headLen)); err != nil && err != io.EOF {
		return rec, hash, false, trouble(err)
	}
	rec, hash, ok = parse(b)
	return rec, hash, ok, nil
}

// torn reports whether what follows the last good record may be a record that
// power was lost over: no longer than one, and with no whole one inside
// [LEDGER-FILE.4].
func (r *reader) torn() (bool, error) {
	rest := r.size - r.end
	if rest > maxRecord {
		return false, nil
	}
	b := make([]byte, rest)
	if _, err := r.in.ReadAt(b, r.end); err != nil && err != io.EOF {
		return false, trouble(err)
	}
	return !anyWhole(b), nil
}

func damaged(h ledger.Height) error {
	return ws.Errorf(ws.Diverged, "ledger file", ws.T("block %d is damaged or missing", "区块 %d 已损坏或缺失", h)).
		WithHint(ws.T("restore the ledger from its backup", "请从备份恢复账本"))
}

func broken(h ledger.Height, err error) error {
	return ws.Errorf(ws.Diverged, "ledger file", ws.T("block %d does not follow from those before", "区块 %d 与之前的区块不衔接", h)).Wrap(err)
}

func trouble(err error) error {
	return ws.Errorf(ws.Other, "ledger file", ws.T("the ledger's disk refused", "账本所在磁盘拒绝操作")).Wrap(err)
}
