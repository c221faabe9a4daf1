package duckdb

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"wellspring/engine"
	"wellspring/frame"
)

// wide is a dictionary of n real columns.
func wide(n int) frame.Dictionary {
	d := make(frame.Dictionary, n)
	for i := range d {
		d[i] = frame.Column{Name: fmt.Sprintf("x%d", i), Type: frame.Real, Min: -100, Max: 100}
	}
	return d
}

// noise yields rows of normal deviates, every thousandth missing; batches are
// made once and repeated.
func noise(columns, rows int) iter.Seq2[frame.Batch, error] {
	rng := rand.New(rand.NewPCG(1, 2))
	b := frame.Batch{Rows: min(rows, frame.RunRows), Columns: make([]frame.Values, columns)}
	for j := range b.Columns {
		x := make([]float64, b.Rows)
		for i := range x {
			x[i] = rng.NormFloat64()
			if i%1000 == j {
				x[i] = math.NaN()
			}
		}
		b.Columns[j].Real = x
	}
	return func(yield func(frame.Batch, error) bool) {
		for left := rows; left > 0; left -= frame.RunRows {
			n := min(left, frame.RunRows)
			part := frame.Batch{Rows: n, Columns: make([]frame.Values, columns)}
			for j := range part.Columns {
				part.Columns[j].Real = b.Columns[j].Real[:n]
			}
			if !yield(part, nil) {
				return
			}
		}
	}
}

func benchSource(b *testing.B, columns, rows int) frame.Source {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(b.TempDir(), "b.duckdb"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.Load(ctx, "noise", wide(columns), noise(columns, rows)); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Freeze(ctx, "noise"); err != nil {
		b.Fatal(err)
	}
	src, err := s.Open(ctx, "noise", engine.Version(1))
	if err != nil {
		b.Fatal(err)
	}
	return src
}

// One op is a scan of 1,000,000 rows × 21 columns.
func BenchmarkScan(b *testing.B) {
	const columns, rows = 21, 1_000_000
	src := benchSource(b, columns, rows)
	q := frame.Query{}
	for _, c := range src.Dictionary() {
		q.Columns = append(q.Columns, c.Name)
	}
	for _, where := range []string{"", "x0 > 0"} {
		b.Run(fmt.Sprintf("filtered=%v", where != ""), func(b *testing.B) {
			b.SetBytes(columns * rows * 8)
			q.Where = where
			for b.Loop() {
				for _, err := range src.Scan(context.Background(), q) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// One op is a load of 1,000,000 rows.
func BenchmarkLoad(b *testing.B) {
	for _, columns := range []int{4, 21} {
		b.Run(fmt.Sprintf("columns=%d", columns), func(b *testing.B) {
			ctx := context.Background()
			s, err := Open(ctx, filepath.Join(b.TempDir(), "b.duckdb"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.SetBytes(int64(columns) * 8 * 1_000_000)
			for b.Loop() {
				if err := s.Load(ctx, "noise", wide(columns), noise(columns, 1_000_000)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One op opens a store of 21 columns × 1,000 rows and scans it once; kB/store
// is what 160 such stores, all open, add to the process.
func BenchmarkStores(b *testing.B) {
	ctx := context.Background()
	open := map[string]func(b *testing.B, dir string) func(string) *Store{
		"host": func(b *testing.B, dir string) func(string) *Store {
			h, err := OpenHost(dir, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { h.Close() })
			return func(file string) *Store {
				s, err := h.Store(ctx, file)
				if err != nil {
					b.Fatal(err)
				}
				return s
			}
		},
		"alone": func(b *testing.B, dir string) func(string) *Store {
			return func(file string) *Store {
				s, err := Open(ctx, filepath.Join(dir, file), Options{MemoryMiB: 32, Threads: 1})
				if err != nil {
					b.Fatal(err)
				}
				return s
			}
		},
	}
	for _, how := range []string{"host", "alone"} {
		b.Run(how, func(b *testing.B) {
			one := open[how](b, b.TempDir())
			before := resident(b)
			n := 0
			for b.Loop() {
				n++
				s := one(fmt.Sprintf("s%d", n))
				defer s.Close()
				if err := s.Load(ctx, "noise", wide(21), noise(21, 1000)); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Freeze(ctx, "noise"); err != nil {
					b.Fatal(err)
				}
				src, err := s.Open(ctx, "noise", 1)
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range src.Scan(ctx, frame.Query{Columns: []string{"x0", "x20"}}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(resident(b)-before)/1024/float64(n), "kB/store")
		})
	}
}

// resident is the memory of this process in bytes, once Go has given back what
// it does not use.
func resident(tb testing.TB) int64 {
	debug.FreeOSMemory()
	return status(tb, "VmRSS:")
}

// status reads a line of the kernel's account of this process, in bytes.
func status(tb testing.TB, line string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc on this system")
	}
	_, rest, _ := strings.Cut(string(text), line)
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		tb.Fatal(err)
	}
	return kB * 1024
}
