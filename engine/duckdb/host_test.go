package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/engine/enginetest"
	"wellspring/frame"
)

// A host's stores keep the same promises, beside a neighbour.
func TestHost(t *testing.T) {
	ctx := context.Background()
	enginetest.Run(t, func(t *testing.T, dir string) engine.Store {
		h, err := OpenHost(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		neighbour, err := h.Store(ctx, "neighbour's; --")
		if err != nil {
			t.Fatal(err)
		}
		s, err := h.Store(ctx, "rows.duckdb")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		return pair{s, neighbour}
	})
}

// A pair closes both stores, and so their files.
type pair struct {
	*Store
	neighbour *Store
}

func (p pair) Close() error {
	p.neighbour.Close()
	return p.Store.Close()
}

// Many sites in one process, a file each, none of which sees another's rows.
func TestHost_Many(t *testing.T) {
	const sites = 40
	ctx := context.Background()
	dir := t.TempDir()
	h, err := OpenHost(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var sources []frame.Source
	for i := range sites {
		s, err := h.Store(ctx, fmt.Sprint("site", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Load(ctx, "noise", wide(2), noise(2, i)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Freeze(ctx, "noise"); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, openVersion(t, s, "noise", 1))
	}
	for i, src := range sources {
		rows := 0
		for b, err := range src.Scan(ctx, frame.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Rows
		}
		if rows != i {
			t.Errorf("site %d has %d rows", i, rows)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store(ctx, "late"); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a store of a closed host: %v", err)
	}
	for i := range sites {
		if _, err := os.Stat(filepath.Join(dir, fmt.Sprint("site", i))); err != nil {
			t.Error(err)
		}
	}
	s := open(t, filepath.Join(dir, "site7")) // a host's file is a store's file
	defer s.Close()
	expectNoise(t, s, 1, 2, 7)
}

func openVersion(t *testing.T, s *Store, name ws.Dataset, v int) frame.Source {
	t.Helper()
	src, err := s.Open(context.Background(), name, engine.Version(v))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// Two stores over one file would destroy it.
func TestOpen_Twice(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.duckdb")
	s := open(t, path)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(link, "rows.duckdb")} {
		if _, err := Open(ctx, p, Options{}); ws.KindOf(err) != ws.Invalid {
			t.Errorf("opened twice: %v, want invalid", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_Refused(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	file := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(file, []byte("not a store, but long enough to be read as the head of one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		o    Options
		want ws.Kind
	}{
		{file, Options{}, ws.Unreachable},
		{filepath.Join(file, "rows.duckdb"), Options{}, ws.Unreachable},
		{dir, Options{}, ws.Unreachable},
		{filepath.Join(dir, "a"), Options{MemoryMiB: 31}, ws.Invalid},
		{filepath.Join(dir, "a"), Options{Threads: -1}, ws.Invalid},
		{filepath.Join(dir, "a"), Options{Threads: 257}, ws.Invalid},
	} {
		if _, err := Open(ctx, c.path, c.o); ws.KindOf(err) != c.want {
			t.Errorf("%s, %+v: %v, want %v", filepath.Base(c.path), c.o, err, c.want)
		}
	}
	h, err := OpenHost(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a\x00"} {
		if _, err := h.Store(ctx, name); ws.KindOf(err) != ws.Invalid {
			t.Errorf("store %q: %v, want invalid", name, err)
		}
	}
}

// DuckDB reaches no file outside the folder, loads nothing, and stays so.
func TestConfined(t *testing.T) {
	ctx := context.Background()
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(t.TempDir(), "rows.duckdb"))
	defer s.Close()
	c, err := s.enter()
	if err != nil {
		t.Fatal(err)
	}
	defer s.leave(c)
	for _, sql := range []string{
		"SELECT * FROM read_csv(" + literal(outside) + ")",
		"SELECT * FROM " + literal(outside),
		"ATTACH " + literal(outside+".db") + " AS other",
		"COPY (SELECT 1) TO " + literal(outside+".out"),
		"SET enable_external_access = true",
		"SET memory_limit = '9GB'",
		"INSTALL httpfs",
		"LOAD httpfs",
	} {
		if err := c.exec(ctx, sql); err == nil {
			t.Errorf("DuckDB did: %s", sql)
		}
	}
	if err := c.exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
}
