package duckdb

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/frame"
)

// The test binary is also the process that gets killed: with the name of a
// store's file in this variable, it loads version 1, says so, and loads on
// until it dies.
const victim = "WELLSPRING_TEST_VICTIM"

func TestMain(m *testing.M) {
	path := os.Getenv(victim)
	if path == "" {
		os.Exit(m.Run())
	}
	if err := die(path); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func die(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{})
	if err != nil {
		return err
	}
	if err := s.Load(ctx, "noise", wide(3), noise(3, 300_000)); err != nil {
		return err
	}
	if _, err := s.Freeze(ctx, "noise"); err != nil {
		return err
	}
	if err := s.Load(ctx, "noise", wide(2), noise(2, 1000)); err != nil { // a draft
		return err
	}
	fmt.Println("frozen")
	return s.Load(ctx, "noise", wide(8), func(yield func(frame.Batch, error) bool) {
		said := false
		for { // until killed
			for b := range noise(8, 1_000_000) {
				if !yield(b, nil) {
					return
				}
			}
			if !said {
				fmt.Println("loading")
				said = true
			}
			time.Sleep(time.Millisecond) // spare the disk
		}
	})
}

// A process killed at any moment of a load leaves its versions and its draft.
func TestKill(t *testing.T) {
	ctx := context.Background()
	for _, moment := range []string{"frozen", "loading"} {
		t.Run(moment, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rows.duckdb")
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), victim+"="+path)
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() && lines.Text() != moment {
				if strings.HasPrefix(lines.Text(), "error") {
					t.Error(lines.Text())
				}
			}
			if _, err := Open(ctx, path, Options{}); ws.KindOf(err) != ws.Unreachable {
				t.Errorf("opening another process's store: %v, want unreachable", err)
			}
			child.Process.Kill()
			child.Wait()

			s := open(t, path)
			defer s.Close()
			expectNoise(t, s, 1, 3, 300_000)
			if v, err := s.Freeze(ctx, "noise"); v != 2 || err != nil {
				t.Fatalf("the draft became version %v, %v", v, err)
			}
			expectNoise(t, s, 2, 2, 1000)
			if err := s.Load(ctx, "noise", wide(1), noise(1, 10)); err != nil {
				t.Error(err)
			}
		})
	}
}

// expectNoise compares a version of "noise" with what noise yields.
func expectNoise(t *testing.T, s *Store, v, columns, rows int) {
	t.Helper()
	src := openVersion(t, s, "noise", v)
	var q frame.Query
	for _, c := range src.Dictionary() {
		q.Columns = append(q.Columns, c.Name)
	}
	if len(q.Columns) != columns {
		t.Fatalf("%d columns, want %d", len(q.Columns), columns)
	}
	var want []frame.Batch
	for b := range noise(columns, rows) {
		want = append(want, b)
	}
	k := 0
	for b, err := range src.Scan(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		if k >= len(want) || fmt.Sprint(b) != fmt.Sprint(want[k]) {
			t.Fatalf("batch %d differs", k)
		}
		k++
	}
	if k != len(want) {
		t.Errorf("%d batches, want %d", k, len(want))
	}
}
