package file

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
)

func openDir(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// copyDir gives a folder with what lies in dir, as a kill would leave it.
func copyDir(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Store {
		dir := t.TempDir()
		return ledgertest.Store{Ledger: openDir(t, dir), Reopen: func(t *testing.T) ledger.Ledger { return openDir(t, copyDir(t, dir)) }}
	})
}

// One process, or one Open, has the folder.
func TestOpen_Locked(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	if _, err := Open(dir); ws.KindOf(err) != ws.Denied {
		t.Errorf("a second writer: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	openDir(t, dir)
	if _, err := l.Submit(t.Context(), ledger.Tx{}); ws.KindOf(err) != ws.Stopped {
		t.Errorf("after Close: %v", err)
	}
	for _, err := range l.Watch(t.Context(), 0) {
		if ws.KindOf(err) != ws.Stopped {
			t.Errorf("watch after Close: %v", err)
		}
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := l.Submit(gone, ledger.Tx{}); ws.KindOf(err) != ws.Stopped {
		t.Errorf("a context that is done: %v", err)
	}
}

// found makes a folder with a whole network on it and returns its log.
func found(t *testing.T) (dir string, log []byte) {
	t.Helper()
	dir = t.TempDir()
	l := openDir(t, dir)
	ledgertest.On(t, l).Found()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, LogName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, log
}

func reopen(t *testing.T, dir string, log []byte) (ledger.Height, error) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, LogName), log, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir)
	if err != nil {
		return 0, err
	}
	return l.State().Height(), l.Close()
}

// Any one byte of the log changed, and it does not open; nor is it read where it
// was handed over.
//
// [LEDGER-FILE.3]
func TestOpen_OneByte(t *testing.T) {
	dir, log := found(t)
	for i := range log {
		if testing.Short() && i%37 != 0 {
			continue
		}
		bad := bytes.Clone(log)
		bad[i] ^= 1 << (i % 8)
		if i%41 == 0 || i < 150 || i > len(log)-1200 && i%3 == 0 { // replaying is slow
			if h, err := reopen(t, dir, bad); ws.KindOf(err) != ws.Diverged {
				t.Fatalf("byte %d of %d: height %d, %v", i, len(log), h, err)
			}
		}
		if i%43 == 0 {
			if _, err := Read(bytes.NewReader(bad), int64(len(bad)), nil); ws.KindOf(err) != ws.Diverged {
				t.Fatalf("read, byte %d: %v", i, err)
			}
		}
	}
	if h, err := reopen(t, dir, log); err != nil || h == 0 {
		t.Errorf("the log itself: %d, %v", h, err)
	}
}

// A log that is shorter than what was acknowledged is no torn end; without the
// note that says so, it is cut at its last whole record.
//
// [LEDGER-FILE.5]
func TestOpen_Shorter(t *testing.T) {
	dir, log := found(t)
	for _, n := range []int{0, 5, len(header), len(log) / 2, len(log) - 1} {
		if _, err := reopen(t, dir, log[:n]); ws.KindOf(err) != ws.Diverged {
			t.Errorf("%d of %d bytes: %v", n, len(log), err)
		}
	}
	if err := os.Remove(filepath.Join(dir, noteName)); err != nil {
		t.Fatal(err)
	}
	whole, err := reopen(t, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, noteName)); err != nil {
		t.Fatal(err)
	}
	if h, err := reopen(t, dir, log[:len(log)-1]); err != nil || h != whole-1 {
		t.Errorf("one byte less: %d, %v; whole %d", h, err, whole)
	}
}

// A record in the middle whose length was damaged does not pass for a torn end.
//
// [LEDGER-FILE.4]
func TestOpen_DamagedLength(t *testing.T) {
	dir, log := found(t)
	if err := os.Remove(filepath.Join(dir, noteName)); err != nil {
		t.Fatal(err)
	}
	for _, cut := range [][2]int{{0, 0}, {len(log) - 3000, len(log) - 2500}} {
		bad := append(bytes.Clone(log[:cut[0]]), log[cut[1]:]...)
		at := bytes.LastIndex(bad[:len(bad)-3000], []byte(mark))
		bad[at+atLength+1] = 0xFF
		if _, err := reopen(t, dir, bad); ws.KindOf(err) != ws.Diverged {
			t.Errorf("a damaged length: %v", err)
		}
	}
}

// Two records exchanged, one repeated, one left out.
//
// [LEDGER-FILE.3]
func TestRead_Order(t *testing.T) {
	_, log := found(t)
	var at []int
	for i := 0; ; {
		j := bytes.Index(log[i:], []byte(mark))
		if j < 0 {
			break
		}
		at = append(at, i+j)
		i += j + 1
	}
	part := func(i int) []byte { return log[at[i]:at[i+1]] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, bad := range map[string][]byte{
		"exchanged": join(log[:at[3]], part(4), part(3), log[at[5]:]),
		"repeated":  join(log[:at[4]], part(3), log[at[4]:]),
		"left out":  join(log[:at[3]], log[at[4]:]),
		"empty":     nil,
		"headless":  log[at[0]:],
		"trailing":  join(log, []byte{0}),
	} {
		s, err := Read(bytes.NewReader(bad), int64(len(bad)), nil)
		if name == "empty" {
			if err != nil || s.Height() != 0 {
				t.Errorf("empty: %v", err)
			}
			continue
		}
		if ws.KindOf(err) != ws.Diverged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Follow reads what is whole while another process writes; Export gives a log
// that reads as it should.
//
// [LEDGER-FILE.1]
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	n := ledgertest.On(t, l)
	n.Found()
	f, err := os.OpenFile(filepath.Join(dir, LogName), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(mark + "half"); err != nil {
		t.Fatal(err)
	}
	s, err := Follow(dir, nil)
	if err != nil || s.Root() != l.State().Root() {
		t.Fatalf("%d, %v", s.Height(), err)
	}
	var out bytes.Buffer
	if _, err := Export(dir, &out); err != nil {
		t.Fatal(err)
	}
	s, err = Read(bytes.NewReader(out.Bytes()), int64(out.Len()), nil)
	if err != nil || s.Root() != l.State().Root() || s.Height() != l.State().Height() {
		t.Errorf("the export: height %d, %v", s.Height(), err)
	}
	for _, err := range []error{func() error { _, err := Follow(t.TempDir(), nil); return err }(), func() error { _, err := Export(t.TempDir(), &out); return err }()} {
		if ws.KindOf(err) != ws.Invalid {
			t.Errorf("no ledger: %v", err)
		}
	}
}

// Proofs of heights whose states were let go are made by replaying.
func TestProve_Old(t *testing.T) {
	l := openDir(t, t.TempDir())
	n := ledgertest.On(t, l)
	n.Must("operator", n.Genesis())
	old := l.State()
	for i := range 2 * keepStates {
		act := ledger.Suspend
		if i == 0 {
			n.Must("operator", n.Institution("a"))
			continue
		}
		if i%2 == 0 {
			act = ledger.Reinstate
		}
		n.Must("operator", &ledger.SetInstitution{Act: act, Institution: "a"})
	}
	p, err := l.Prove(ledger.InstitutionKey("a"), old.Height())
	if err != nil {
		t.Fatal(err)
	}
	if _, present, err := p.Verify(old.Root(), ledger.InstitutionKey("a")); err != nil || present {
		t.Errorf("%v, %v", present, err)
	}
	if p, err := l.Prove("x", 0); err != nil {
		t.Error(err)
	} else if _, _, err := p.Verify(ledger.State{}.Root(), "x"); err != nil {
		t.Error(err)
	}
	if len(l.recent) >= 2*keepStates {
		t.Errorf("%d states are kept", len(l.recent))
	}
}

// Records that hang together by their hashes, and yet do not follow: whoever can
// write the file can compute hashes.
//
// [LEDGER-FILE.2]
func TestRead_Forged(t *testing.T) {
	n := ledgertest.InMemory(t)
	g := n.Sign("operator", n.Genesis())
	s, _, err := ledger.Apply(ledger.State{}, g)
	if err != nil {
		t.Fatal(err)
	}
	good := record{height: 1, prev: origin, root: s.Root(), tx: g.Bytes()}
	for name, c := range map[string]struct {
		forge func(*record)
		word  string
	}{
		"as it should be":  {func(*record) {}, ""},
		"another root":     {func(r *record) { r.root[0] ^= 1 }, "not the one that the log states"},
		"another height":   {func(r *record) { r.height = 2 }, "damaged or missing"},
		"another before":   {func(r *record) { r.prev[0] ^= 1 }, "damaged or missing"},
		"no transaction":   {func(r *record) { r.tx = []byte("{}") }, "does not follow"},
		"forged signature": {func(r *record) { r.tx = ledgertest.Forged(t, g).Bytes() }, "does not follow"},
	} {
		r := good
		c.forge(&r)
		b, _ := r.bytes()
		b = append([]byte(header), b...)
		_, err := Read(bytes.NewReader(b), int64(len(b)), nil)
		if c.word == "" && err != nil || c.word != "" && (ws.KindOf(err) != ws.Diverged || !strings.Contains(err.Error(), c.word)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Another history of the same length is told from the acknowledged one; and a
// tail that is longer than any record is no torn one.
//
// [LEDGER-FILE.4], [LEDGER-FILE.5]
func TestOpen_AnotherHistory(t *testing.T) {
	histories := [][]byte{}
	var dir string
	for _, last := range []string{"x", "y"} {
		dir = t.TempDir()
		l := openDir(t, dir)
		n := ledgertest.On(t, l)
		n.Must("operator", n.Genesis())
		n.Must("operator", n.Institution(last))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(filepath.Join(dir, LogName))
		if err != nil {
			t.Fatal(err)
		}
		histories = append(histories, log)
	}
	if _, err := reopen(t, dir, histories[0]); ws.KindOf(err) != ws.Diverged {
		t.Errorf("another history: %v", err)
	}
	if _, err := reopen(t, dir, append(histories[1], make([]byte, maxRecord+1)...)); ws.KindOf(err) != ws.Diverged {
		t.Errorf("a long tail: %v", err)
	}
	if _, err := reopen(t, dir, append(histories[1], make([]byte, maxRecord)...)); err != nil {
		t.Errorf("a tail that may be torn: %v", err)
	}
}

// FuzzRead must not panic or take more than a log holds.
func FuzzRead(f *testing.F) {
	n := ledgertest.InMemory(f)
	g := n.Sign("operator", n.Genesis())
	s, _, err := ledger.Apply(ledger.State{}, g)
	if err != nil {
		f.Fatal(err)
	}
	b, _ := record{height: 1, prev: origin, root: s.Root(), tx: g.Bytes()}.bytes()
	f.Add(append([]byte(header), b...))
	f.Add([]byte(header + mark))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read(bytes.NewReader(b), int64(len(b)), nil)
		if err == nil && s.Height() > 1 {
			t.Errorf("height %d by chance", s.Height())
		}
	})
}

func BenchmarkSubmit(b *testing.B) {
	l, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	n := ledgertest.On(b, l)
	n.Must("operator", n.Genesis())
	n.Must("operator", n.Institution("a"))
	act := ledger.Suspend
	for b.Loop() {
		n.Must("operator", &ledger.SetInstitution{Act: act, Institution: "a"})
		if act == ledger.Suspend {
			act = ledger.Reinstate
		} else {
			act = ledger.Suspend
		}
	}
}

func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	l, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	n := ledgertest.On(b, l)
	n.Found()
	blocks := l.State().Height()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, LogName))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Read(bytes.NewReader(log), int64(len(log)), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(blocks), "µs/block")
}
