package hub_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"wellspring/mesh"
	"wellspring/mesh/folder"
	"wellspring/mesh/wire"
)

// A hospital behind a one-way gate answers through two folders: its inner part
// has no socket, its outer part no key, and files are carried between them at an
// exchange now and then.
func TestNetwork_TwoParts(t *testing.T) {
	const every = 50 * time.Millisecond
	root := t.TempDir()
	dir := func(name string) string {
		d := filepath.Join(root, name)
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		return d
	}
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	t.Cleanup(func() { stop(); parts.Wait() })
	o := folder.Options{Every: every}
	carriers := func(pass mesh.Pass) (mesh.Carrier, error) {
		if pass.Site != "site1" {
			return nil, nil
		}
		outer, err := wire.Open(pass, wire.Options{})
		if err != nil {
			return nil, err
		}
		parts.Go(func() {
			defer outer.Close()
			if err := folder.Relay(ctx, pass.Site, outer, dir("outer-in"), dir("outer-out"), o); err != nil {
				t.Error(err)
			}
		})
		parts.Go(func() { exchange(ctx, t, every, dir("inner-out"), dir("outer-in"), dir("outer-out"), dir("inner-in")) })
		return folder.Open(pass.Site, dir("inner-in"), dir("inner-out"), o)
	}
	w := network(t, 4, over(carriers))
	q := ask(t, w, logistic("folders"))
	begin := time.Now()
	out := q.run(t, w)
	t.Logf("%d rounds at an exchange every %v: %v", out.Document.Rounds, every, time.Since(begin))
	direct := network(t, 4) // the same patients
	if got, want := bytesOf(t, out.Document), bytesOf(t, ask(t, direct, logistic("folders")).run(t, direct).Document); got != want {
		t.Errorf("through folders the answer is\n%s\nand over wires\n%s", got, want)
	}
}

// exchange carries files from one folder to the other, both ways.
func exchange(ctx context.Context, t *testing.T, every time.Duration, ways ...string) {
	for {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return
		}
		for i := 0; i < len(ways); i += 2 {
			files, _ := filepath.Glob(filepath.Join(ways[i], "*.frame"))
			for _, f := range files {
				if err := os.Rename(f, filepath.Join(ways[i+1], filepath.Base(f))); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
