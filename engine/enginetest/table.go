package enginetest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"wellspring/engine"
	"wellspring/frame"
)

// people is a dictionary with all that makes a store stumble: names that
// differ in case, that SQL would take for itself, in Chinese; an identifier in
// the middle; levels with spaces, quotes and "other".
var people = frame.Dictionary{
	{Name: "age", Type: frame.Integer, Max: 120, Levels: []string{"18", "65"}},
	{Name: "Age", Type: frame.Real, Min: -1e300, Max: 1e300},
	{Name: "mrn", Type: frame.Identifier},
	{Name: `a"b`, Type: frame.Real, Min: -10, Max: 10},
	{Name: "x'; drop table t1; --", Type: frame.Real, Min: -10, Max: 10},
	{Name: "性别", Type: frame.Factor, Levels: []string{"男", "女"}},
	{Name: "select", Type: frame.Factor, Levels: []string{"Lev 5FU", "it's", `"q"`, "", " "}, Other: true},
	{Name: "_row", Type: frame.Real, Min: -10, Max: 10},
	{Name: "a `b` .c", Type: frame.Integer, Min: -5, Max: 5},
}

// readable lists the columns of d that can be scanned.
func readable(d frame.Dictionary) []string {
	var names []string
	for _, c := range d {
		if c.Type != frame.Identifier {
			names = append(names, c.Name)
		}
	}
	return names
}

// A table is the oracle: rows in memory.
type table struct {
	d   frame.Dictionary
	all frame.Batch // every column of d
}

// newTable draws rows within d, one in nine missing.
func newTable(d frame.Dictionary, rows int, seed uint64) table {
	rng := rand.New(rand.NewPCG(seed, 7))
	t := table{d, frame.Batch{Rows: rows, Columns: make([]frame.Values, len(d))}}
	for j, c := range d {
		switch {
		case c.Type == frame.Factor:
			t.all.Columns[j].Code = drawCodes(rng, engine.Codes(c), rows)
		case c.Type.Numeric():
			t.all.Columns[j].Real = drawReals(rng, c, rows)
		}
	}
	return t
}

func drawCodes(rng *rand.Rand, levels, rows int) []int32 {
	codes := make([]int32, rows)
	for i := range codes {
		codes[i] = int32(rng.IntN(levels+1)) - 1
	}
	return codes
}

func drawReals(rng *rand.Rand, c frame.Column, rows int) []float64 {
	x := make([]float64, rows)
	for i := range x {
		switch k := rng.IntN(9); {
		case k == 0:
			x[i] = math.NaN()
		case k == 1:
			x[i] = c.Max
		case k == 2:
			x[i] = c.Min
		case c.Type == frame.Integer || k == 3:
			x[i] = math.Trunc(math.Max(c.Min, -1000)) + float64(rng.IntN(11))
		default:
			x[i] = math.Max(c.Min, math.Min(c.Max, rng.NormFloat64()*3))
		}
	}
	return x
}

// batches yields the table in batches of the given lengths, over and over.
func (t table) batches(lengths ...int) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		for from, k := 0, 0; from < t.all.Rows; k++ {
			to := min(from+lengths[k%len(lengths)], t.all.Rows)
			if !yield(slice(t.all, from, to), nil) {
				return
			}
			from = to
		}
	}
}

func slice(b frame.Batch, from, to int) frame.Batch {
	out := frame.Batch{Rows: to - from, Columns: make([]frame.Values, len(b.Columns))}
	for j, v := range b.Columns {
		if v.Real != nil {
			out.Columns[j].Real = v.Real[from:to]
		}
		if v.Code != nil {
			out.Columns[j].Code = v.Code[from:to]
		}
	}
	return out
}

// answer is what a store should give for q.
func (t table) answer(tb testing.TB, q frame.Query) frame.Batch {
	f, err := frame.ParseFilter(q.Where, t.d)
	if err != nil {
		tb.Fatalf("the suite's own filter %q: %v", q.Where, err)
	}
	names := make([]string, len(t.d))
	for i, c := range t.d {
		names[i] = c.Name
	}
	passes := f.Matcher(names)
	out := frame.Batch{Columns: make([]frame.Values, len(q.Columns))}
	for i := range t.all.Rows {
		if !passes(t.all, i) {
			continue
		}
		out.Rows++
		if q.Places {
			out.Places = append(out.Places, uint32(i))
		}
		for k, name := range q.Columns {
			v := t.all.Columns[slices.Index(names, name)]
			if v.Real != nil {
				out.Columns[k].Real = append(out.Columns[k].Real, v.Real[i])
			} else {
				out.Columns[k].Code = append(out.Columns[k].Code, v.Code[i])
			}
		}
	}
	return out
}

// read scans q to the end and joins the batches, whose lengths it checks.
func read(src frame.Source, q frame.Query) (frame.Batch, error) {
	all := frame.Batch{Columns: make([]frame.Values, len(q.Columns))}
	for b, err := range src.Scan(context.Background(), q) {
		if err != nil {
			return all, err
		}
		if all.Rows%frame.RunRows != 0 || b.Rows < 1 || b.Rows > frame.RunRows || len(b.Columns) != len(q.Columns) {
			return all, fmt.Errorf("a batch of %d rows, %d columns after %d rows", b.Rows, len(b.Columns), all.Rows)
		}
		all.Rows += b.Rows
		all.Places = append(all.Places, b.Places...)
		for k, v := range b.Columns {
			if len(v.Real)+len(v.Code) != b.Rows {
				return all, fmt.Errorf("column %q has not the batch's length", q.Columns[k])
			}
			all.Columns[k].Real = append(all.Columns[k].Real, v.Real...)
			all.Columns[k].Code = append(all.Columns[k].Code, v.Code...)
		}
	}
	return all, nil
}

// same reports where two answers differ, "" if nowhere. Numbers must agree in
// every bit, but for the payload of NaN.
func same(got, want frame.Batch) string {
	if got.Rows != want.Rows {
		return fmt.Sprintf("%d rows, want %d", got.Rows, want.Rows)
	}
	if !slices.Equal(got.Places, want.Places) {
		return "the rows stand in other places"
	}
	for k, w := range want.Columns {
		g := got.Columns[k]
		if !slices.Equal(g.Code, w.Code) || len(g.Real) != len(w.Real) {
			return fmt.Sprintf("column %d has other codes, or another type", k)
		}
		for i, x := range w.Real {
			if y := g.Real[i]; math.Float64bits(x) != math.Float64bits(y) && !(x != x && y != y) {
				return fmt.Sprintf("column %d, row %d: %v, want %v", k, i, y, x)
			}
		}
	}
	return ""
}
