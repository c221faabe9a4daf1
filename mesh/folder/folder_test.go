package folder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/meshtest"
)

// A gate moves files from each OUT to the INs that they are for, as a 网闸 or a
// person with a disk would.
type gate struct {
	t    testing.TB
	root string
	// carry brings one file; the tests' gates differ in it.
	carry func(from, to string) error
}

func newGate(t testing.TB, every time.Duration, carry func(from, to string) error) *gate {
	g := &gate{t: t, root: t.TempDir(), carry: carry}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			time.Sleep(every)
			g.exchange()
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return g
}

func (g *gate) dir(site ws.SiteID, which string) string {
	d := filepath.Join(g.root, which+"-"+mesh.Token(site))
	if err := os.MkdirAll(d, 0o755); err != nil {
		g.t.Fatal(err)
	}
	return d
}

func (g *gate) exchange() {
	outs, _ := filepath.Glob(filepath.Join(g.root, "out-*", "*.frame"))
	for _, f := range outs {
		to, _, _ := strings.Cut(filepath.Base(f), "~")
		dir := filepath.Join(g.root, "in-"+to)
		if _, err := os.Stat(dir); err == nil {
			_ = g.carry(f, filepath.Join(dir, filepath.Base(f)))
		}
	}
}

func (g *gate) open(t *testing.T, site ws.SiteID) mesh.Carrier {
	c, err := Open(site, g.dir(site, "in"), g.dir(site, "out"), Options{Every: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The mesh's promises through two folders, with a gate that moves files.
func TestSuite(t *testing.T) {
	meshtest.Run(t, func(t *testing.T) meshtest.Network {
		g := newGate(t, 20*time.Millisecond, os.Rename)
		return meshtest.Network{Open: g.open, Keeps: true}
	})
}

// A gate that copies whole, in halves, twice, under wrong names, or forgets.
func TestGate_Careless(t *testing.T) {
	n := 0
	g := newGate(t, 10*time.Millisecond, func(from, to string) error {
		n++
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		switch n % 5 {
		case 0:
			return os.Remove(from)
		case 1:
			return os.WriteFile(to, b[:len(b)/2], 0o644) // and the whole next time
		case 2:
			_ = os.WriteFile(strings.Replace(to, ".frame", ".tmp", 1), b, 0o644)
			_ = os.WriteFile(strings.Replace(to, "~0", "~1", 1), b, 0o644)
			fallthrough
		case 3:
			return os.WriteFile(to, b, 0o644) // stays in OUT, comes again
		}
		return os.Rename(from, to)
	})
	keys := meshtest.NewKeys(t, meshtest.Hub, meshtest.SiteB)
	hub := keys.Link(t, keys.Config(meshtest.Hub, g.open(t, meshtest.Hub)))
	b := keys.Link(t, keys.Config(meshtest.SiteB, g.open(t, meshtest.SiteB)))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	go func() {
		for i := range 20 {
			_ = b.Send(ctx, mesh.Letter{To: meshtest.Hub, Run: "r", Round: i, Label: "ask", Body: []byte(fmt.Sprint(i))})
		}
	}()
	for i := range 20 {
		if d := meshtest.Receive(t, ctx, hub); d.Round != i || string(d.Body) != fmt.Sprint(i) || d.Ack() != nil {
			t.Fatalf("round %d came in place of %d", d.Round, i)
		}
	}
}

// OUT is bounded where nobody carries, and frees what is old.
func TestPut_Full(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	c, err := Open("a", in, out, Options{Every: time.Hour, Limit: 1000, Stay: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	put := func() error { return c.Put(t.Context(), "b", make([]byte, 400), false) }
	if put() != nil || put() != nil {
		t.Fatal("two frames do not fit")
	}
	if err := put(); ws.KindOf(err) != ws.Unreachable {
		t.Errorf("a third frame: %v", err)
	}
	other := filepath.Join(out, "README")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := put(); err != nil {
		t.Errorf("old files stay: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("a file that is not ours went")
	}
}
