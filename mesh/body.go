package mesh

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"sync"

	ws "wellspring"
)

// spillOver is the longest body that is put together in memory where there is
// a folder to spill to.
const spillOver = 4 << 20

// An assembly puts the pieces of one body together, in memory or in a file.
type assembly struct {
	mu    sync.Mutex
	list  []byte // SHA-256 of each piece, signed
	size  uint64
	got   []bool
	count int
	have  int // pieces without a gap from the first
	mem   []byte
	file  *os.File
}

func newAssembly(h *head, spill string) (*assembly, error) {
	a := &assembly{list: bytes.Clone(h.list), size: h.size, got: make([]bool, pieces(h.size))}
	if len(a.got) == 1 {
		a.mem, a.got[0], a.count, a.have = h.body, true, 1, 1
		return a, nil
	}
	if spill == "" || h.size <= spillOver {
		a.mem = make([]byte, h.size)
		return a, nil
	}
	f, err := os.CreateTemp(spill, "letter-")
	if err != nil {
		return nil, err
	}
	a.file = f
	return a, nil
}

// add takes one piece; fresh is false for one that is already there, ok false
// for one that the signed list does not name.
func (a *assembly) add(d datum) (fresh, ok bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d.index >= len(a.got) || sha256.Sum256(d.piece) != [32]byte(a.list[32*d.index:]) {
		return false, false, nil
	}
	if a.got[d.index] {
		return false, true, nil
	}
	at := int64(d.index) * piece
	if want := min(piece, int64(a.size)-at); int64(len(d.piece)) != want {
		return false, false, nil
	}
	switch {
	case a.file != nil:
		_, err = a.file.WriteAt(d.piece, at)
	case a.mem != nil:
		copy(a.mem[at:], d.piece)
	default:
		err = os.ErrClosed
	}
	if err != nil {
		return false, true, err
	}
	a.got[d.index] = true
	a.count++
	for a.have < len(a.got) && a.got[a.have] {
		a.have++
	}
	return true, true, nil
}

func (a *assembly) whole() bool { return a.count == len(a.got) }

// progress tells what is there and, where asked, what is missing, of which at most so
// many pieces are named.
func (a *assembly) progress(ask bool, most int) (have uint32, lacks []uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := a.have; ask && i < len(a.got) && len(lacks) < most; i++ {
		if !a.got[i] {
			lacks = append(lacks, uint32(i))
		}
	}
	return uint32(a.have), lacks
}

// drop frees memory and file.
func (a *assembly) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mem = nil
	if a.file != nil {
		_ = errors.Join(a.file.Close(), os.Remove(a.file.Name()))
		a.file = nil
	}
}

func (a *assembly) reader() (io.Reader, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.file != nil:
		return io.NewSectionReader(a.file, 0, int64(a.size)), nil
	case a.mem != nil || a.size == 0:
		return bytes.NewReader(a.mem), nil
	}
	return nil, ws.Errorf(ws.Invalid, "letter", ws.T("the body is gone: the letter was acknowledged", "正文已释放：该信件已确认"))
}

// A Delivery is a letter that came, next in its lane. Its Body is nil where it
// lies in a file: see [Delivery.Reader] and [Delivery.Bytes].
type Delivery struct {
	Letter
	Size int64 // of the body, in bytes

	asm  *assembly
	link *Link
	in   *inLane
	seq  uint64
}

// Reader reads the body until Ack.
func (d *Delivery) Reader() (io.Reader, error) { return d.asm.reader() }

// Bytes returns the whole body; the caller owns it.
func (d *Delivery) Bytes() ([]byte, error) {
	if d.Body != nil {
		return d.Body, nil
	}
	r, err := d.asm.reader()
	if err != nil {
		return nil, err
	}
	b := make([]byte, d.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, storeTrouble(err)
	}
	return b, nil
}

// Ack says that the letter need not come again: what it led to is in the
// receiver's own journal. The body's file goes. A second Ack does nothing.
func (d *Delivery) Ack() error { return d.link.ack(d) }
