package file

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
)

// A platter is a disk that can lose its power. What was written since the last
// sync may then be there, or not, or in part, in any mixture.
type platter struct {
	logBlob, noteBlob *faulty
	chance            *rand.Rand
	budget            int // operations until the power goes; negative: never
	dark              bool
	fail              error // what the next write or sync returns instead
	failOn            string
}

func newPlatter(chance *rand.Rand) *platter {
	p := &platter{chance: chance, budget: -1}
	p.logBlob, p.noteBlob = &faulty{p: p, name: "log"}, &faulty{p: p, name: "note"}
	return p
}

func (p *platter) log() blob    { return p.logBlob }
func (p *platter) note() blob   { return p.noteBlob }
func (p *platter) close() error { return nil }

var errDark = errors.New("no power")

// tick is called before each operation that changes something.
func (p *platter) tick(op string) error {
	if p.budget == 0 {
		p.dark = true
	}
	if p.dark {
		return errDark
	}
	if p.budget > 0 {
		p.budget--
	}
	if p.fail != nil && p.failOn == op {
		err := p.fail
		p.fail = nil
		return err
	}
	return nil
}

// restore is the power coming back: what was synced is there, and of the rest
// what chance leaves.
func (p *platter) restore() {
	p.logBlob.lose()
	p.noteBlob.lose()
	p.dark, p.budget = false, -1
}

type change struct {
	at   int64
	b    []byte
	trim bool // a cut to at instead
}

type faulty struct {
	p        *platter
	name     string
	now      []byte // as programs see it
	synced   []byte
	unsynced []change
}

func (f *faulty) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.now[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *faulty) WriteAt(b []byte, at int64) (int, error) {
	err := f.p.tick(f.name + " write")
	n := len(b)
	if err != nil {
		n = f.p.chance.IntN(len(b) + 1) // it stopped somewhere
	}
	f.do(change{at: at, b: slices.Clone(b[:n])})
	return n, err
}

func (f *faulty) Truncate(size int64) error {
	if err := f.p.tick(f.name + " cut"); err != nil {
		return err
	}
	f.do(change{at: size, trim: true})
	return nil
}

func (f *faulty) do(c change) {
	f.now = c.apply(f.now)
	f.unsynced = append(f.unsynced, c)
}

func (f *faulty) Sync() error {
	if err := f.p.tick(f.name + " sync"); err != nil {
		return err
	}
	f.synced, f.unsynced = slices.Clone(f.now), nil
	return nil
}

func (f *faulty) Size() (int64, error) { return int64(len(f.now)), nil }

func (c change) apply(b []byte) []byte {
	if c.trim {
		return append(slices.Clone(b[:min(int64(len(b)), c.at)]), make([]byte, max(0, c.at-int64(len(b))))...)
	}
	out := append(slices.Clone(b), make([]byte, max(0, c.at+int64(len(c.b))-int64(len(b))))...)
	copy(out[c.at:], c.b)
	return out
}

// lose keeps each change that was not synced whole, in part (a beginning, or
// pages of zeros among it), or not at all.
func (f *faulty) lose() {
	b := slices.Clone(f.synced)
	for _, c := range f.unsynced {
		switch f.p.chance.IntN(4) {
		case 0:
			continue
		case 1:
			if !c.trim && len(c.b) > 0 {
				c.b = c.b[:f.p.chance.IntN(len(c.b))]
			}
		case 2:
			if !c.trim && len(c.b) > 1 {
				c.b = slices.Clone(c.b)
				from := f.p.chance.IntN(len(c.b))
				clear(c.b[from : from+f.p.chance.IntN(len(c.b)-from)])
			}
		}
		b = c.apply(b)
	}
	f.now, f.synced, f.unsynced = b, slices.Clone(b), nil
}

// Power is lost before every single operation of a chain's first blocks, several
// times each, and again while the ledger is mended. What was acknowledged is
// there afterwards, nothing that was refused is, and the ledger goes on.
//
// [LEDGER-FILE.6]
func TestPowerLoss(t *testing.T) {
	const seeds = 8
	lost := 0
	for at := 0; ; at++ {
		finished := false
		for seed := range uint64(seeds) {
			p := newPlatter(rand.New(rand.NewPCG(seed, uint64(at))))
			p.budget = at
			acknowledged := playUntilDark(t, p)
			if !p.dark {
				finished = true
				break
			}
			lost++
			p.restore()
			mendInTheDark(t, p)
			checkKept(t, p, acknowledged)
		}
		if finished {
			break
		}
	}
	if lost < 100 {
		t.Fatalf("the power was lost %d times only: nothing was tested", lost)
	}
}

// playUntilDark submits until the power goes, and returns what was acknowledged.
func playUntilDark(t *testing.T, p *platter) (acknowledged []ledger.Tx) {
	t.Helper()
	l, err := open(p)
	if err != nil {
		return nil
	}
	n := ledgertest.On(t, l)
	for i := range 6 {
		var tx ledger.Tx
		if i == 0 {
			tx = n.Sign("operator", n.Genesis())
		} else {
			tx = n.Sign("operator", n.Institution(string(rune('a'+i))))
		}
		if _, err := l.Submit(t.Context(), tx); err != nil {
			if k := ws.KindOf(err); k != ws.Other && k != ws.Unreachable {
				t.Fatal(err)
			}
			return acknowledged
		}
		acknowledged = append(acknowledged, tx)
	}
	return acknowledged
}

// mendInTheDark opens the ledger and loses the power again while it is mended.
func mendInTheDark(t *testing.T, p *platter) {
	t.Helper()
	p.budget = p.chance.IntN(4)
	if _, err := open(p); err != nil && !errors.Is(err, errDark) {
		t.Fatalf("mending: %v", err)
	}
	p.restore()
}

func checkKept(t *testing.T, p *platter, acknowledged []ledger.Tx) {
	t.Helper()
	l, err := open(p)
	if err != nil {
		t.Fatalf("%d acknowledged: %v", len(acknowledged), err)
	}
	if h := int(l.State().Height()); h < len(acknowledged) || h > len(acknowledged)+1 {
		t.Fatalf("height %d after %d were acknowledged", h, len(acknowledged))
	}
	for i, tx := range acknowledged {
		r, err := l.Submit(t.Context(), tx)
		if err != nil || r.Height != ledger.Height(i+1) {
			t.Fatalf("transaction %d: %v, %v", i, r, err)
		}
	}
	n := ledgertest.On(t, l)
	if l.State().Height() == 0 {
		n.Must("operator", n.Genesis())
	}
	n.Must("operator", n.Institution("afterwards"))
}

var errFull = errors.New("no space left")

// A write that fails is cut off and the ledger goes on; a sync that fails ends
// it until it is opened again.
func TestDiskErrors(t *testing.T) {
	p := newPlatter(rand.New(rand.NewPCG(1, 1)))
	l, err := open(p)
	if err != nil {
		t.Fatal(err)
	}
	n := ledgertest.On(t, l)
	n.Must("operator", n.Genesis())
	p.fail, p.failOn = errFull, "log write"
	if err := n.Do("operator", n.Institution("full")); !errors.Is(err, errFull) || l.State().Height() != 1 {
		t.Fatalf("disk full: %v", err)
	}
	n.Must("operator", n.Institution("room"))
	p.fail, p.failOn = errFull, "log sync"
	tx := n.Sign("operator", n.Institution("unsure"))
	for range 2 {
		if _, err := l.Submit(t.Context(), tx); ws.KindOf(err) != ws.Unreachable {
			t.Fatalf("a failed sync: %v", err)
		}
	}
	if l, err = open(p); err != nil {
		t.Fatal(err)
	}
	if r, err := l.Submit(t.Context(), tx); err != nil || r.Height != 3 {
		t.Errorf("again: %v, %v", r, err)
	}
}
