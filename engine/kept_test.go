package engine

import (
	"context"
	"iter"
	"reflect"
	"testing"

	"wellspring/frame"
)

// counted counts the scans of a source.
type counted struct {
	frame.Source
	scans int
}

func (c *counted) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	c.scans++
	return c.Source.Scan(ctx, q)
}

// read gives the ages that a query yields, and spoils what it was given: it owns that.
func read(t *testing.T, src frame.Source, q frame.Query) (all []float64) {
	t.Helper()
	for b, err := range src.Scan(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b.Columns[0].Real...)
		for i := range b.Columns[0].Real {
			b.Columns[0].Real[i] = -1
		}
	}
	return all
}

func TestKept(t *testing.T) {
	ages := frame.Query{Columns: []string{"age"}}
	old := frame.Query{Columns: []string{"age"}, Where: "age > 30"}
	from := &counted{Source: people(t)}
	src := Kept(from, 100)
	for i, c := range []struct {
		q     frame.Query
		want  []float64
		scans int
	}{{ages, []float64{18, 65, 40}, 1}, {ages, []float64{18, 65, 40}, 1}, {ages, []float64{18, 65, 40}, 1}, {old, []float64{65, 40}, 2}, {old, []float64{65, 40}, 2}, {ages, []float64{18, 65, 40}, 3}} {
		if got := read(t, src, c.q); !reflect.DeepEqual(got, c.want) || from.scans != c.scans {
			t.Errorf("%d: %v after %d scans; want %v, %d", i, got, from.scans, c.want, c.scans)
		}
	}
	for range src.Scan(t.Context(), old) {
		break // not all of it has been read
	}
	if got := read(t, src, old); !reflect.DeepEqual(got, []float64{65, 40}) {
		t.Errorf("after half a scan: %v", got)
	}
	long := &counted{Source: people(t)}
	src = Kept(long, 20) // 24 bytes come
	read(t, src, ages)
	if got := read(t, src, ages); long.scans != 2 || !reflect.DeepEqual(got, []float64{18, 65, 40}) {
		t.Errorf("too long to be kept: %v after %d scans", got, long.scans)
	}
	if err := failure(src, frame.Query{Columns: []string{"mrn"}}); err == nil {
		t.Error("an identifier was read")
	}
}
