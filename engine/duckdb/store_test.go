package duckdb

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/engine/enginetest"
	"wellspring/frame"
)

func TestStore(t *testing.T) {
	enginetest.Run(t, func(t *testing.T, dir string) engine.Store {
		return open(t, filepath.Join(dir, "rows.duckdb"))
	})
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What another program did to a file is noticed before it is believed.
func TestScan_Tampered(t *testing.T) {
	ctx := context.Background()
	for _, sql := range []string{
		"DELETE FROM %s.t1 WHERE _row = 5",
		"DELETE FROM %s.t1 WHERE _row = 99",
		"INSERT INTO %[1]s.t1 SELECT * FROM %[1]s.t1 WHERE _row = 7",
		"INSERT INTO %[1]s.t1 SELECT 100, x.* FROM (SELECT c0, c1 FROM %[1]s.t1 LIMIT 1) x",
		"UPDATE %s.t1 SET _row = 3 WHERE _row = 4",
	} {
		s := open(t, filepath.Join(t.TempDir(), "rows.duckdb"))
		if err := s.Load(ctx, "noise", wide(2), noise(2, 100)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Freeze(ctx, "noise"); err != nil {
			t.Fatal(err)
		}
		src := openVersion(t, s, "noise", 1)
		err := s.alter(ctx, func(c *session) error { return c.exec(ctx, fmt.Sprintf(sql, s.db)) })
		if err != nil {
			t.Fatal(err)
		}
		var failed error
		for _, err := range src.Scan(ctx, frame.Query{Columns: []string{"x0"}}) {
			failed = err
		}
		if ws.KindOf(failed) != ws.Diverged {
			t.Errorf("%s: %v, want diverged", sql, failed)
		}
		s.Close()
	}
}

// A file of a layout to come is left alone.
func TestOpen_Newer(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "rows.duckdb")
	s := open(t, path)
	if err := s.Load(ctx, "noise", wide(2), noise(2, 100)); err != nil {
		t.Fatal(err)
	}
	err := s.alter(ctx, func(c *session) error { return c.exec(ctx, "UPDATE "+s.db+".dataset SET layout = layout + 1") })
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for range 2 { // the refusal frees the file
		if _, err := Open(ctx, path, Options{}); ws.KindOf(err) != ws.Invalid {
			t.Errorf("a newer file: %v, want invalid", err)
		}
	}
}

// No message of DuckDB's reaches a person, since it may quote a row.
func TestFault(t *testing.T) {
	for msg, want := range map[string]ws.Kind{
		"Conversion Error: Could not convert string 'Li Wei 4321' to INT32":            ws.Other,
		"Invalid Input Error: Attempting to execute\nError: Out of Memory Error: 4321": ws.Unreachable,
		"INTERRUPT Error: Interrupted! 4321":                                           ws.Stopped,
		"Li Wei 4321 Error: x":                                                         ws.Other,
		"":                                                                             ws.Other,
	} {
		err := fault("duckdb", msg)
		if ws.KindOf(err) != want || strings.Contains(err.Error(), "4321") {
			t.Errorf("%q gives %v, %v", msg, ws.KindOf(err), err)
		}
	}
}
