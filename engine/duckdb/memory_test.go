package duckdb

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"wellspring/frame"
)

// Ten million rows pass through a process that grows by DuckDB's limit and a
// few batches, however large the table is.
func TestMemory(t *testing.T) {
	const rows, columns, limitMiB, slackMiB = 10_000_000, 2, 96, 64
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "rows.duckdb"), Options{MemoryMiB: limitMiB})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	idle := resident(t)
	resetPeak(t)
	if err := s.Load(ctx, "noise", wide(columns), noise(columns, rows)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Freeze(ctx, "noise"); err != nil {
		t.Fatal(err)
	}
	src, err := s.Open(ctx, "noise", 1)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for b, err := range src.Scan(ctx, frame.Query{Columns: []string{"x0", "x1"}}) {
		if err != nil {
			t.Fatal(err)
		}
		n += b.Rows
	}
	if n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
	if grown := (status(t, "VmHWM:") - idle) >> 20; grown > limitMiB+slackMiB {
		t.Errorf("the process grew by %d MiB, more than %d", grown, limitMiB+slackMiB)
	}
}

// resetPeak makes the kernel forget the process's peak of memory.
func resetPeak(t *testing.T) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("the kernel keeps no peak that can be reset")
	}
}
