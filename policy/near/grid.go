package near

import (
	"math"
	"slices"

	"wellspring/frame"
)

// maxGrid bounds the rows by which filters are told apart.
const maxGrid = 1 << 14

// A grid has a row for every way in which a row of the dictionary can stand to
// some filters: a value for each stretch between the numbers that they name.
type grid struct {
	filters []frame.Filter
	columns []string
	rows    frame.Batch
}

// newGrid is false where that would take too many rows, or a filter holds two
// columns against each other.
func newGrid(d frame.Dictionary, filters []frame.Filter) (grid, bool) {
	g := grid{filters: filters}
	named := map[string]*naming{}
	for _, f := range filters {
		g.columns = append(g.columns, f.Columns()...)
		if !name(named, f.Root) {
			return g, false
		}
	}
	slices.Sort(g.columns)
	g.columns = slices.Compact(g.columns)
	values, rows := make([]frame.Values, len(g.columns)), 1
	for i, column := range g.columns {
		c, known := d.Lookup(column)
		if !known {
			return g, false
		}
		values[i] = named[column].values(c)
		if rows *= len(values[i].Real) + len(values[i].Code); rows > maxGrid {
			return g, false
		}
	}
	g.rows = frame.Batch{Rows: rows, Columns: make([]frame.Values, len(values))}
	for r := range rows {
		at := r
		for i, v := range values {
			out := &g.rows.Columns[i]
			if n := len(v.Real); v.Real != nil {
				out.Real, at = append(out.Real, v.Real[at%n]), at/n
			} else {
				n := len(v.Code)
				out.Code, at = append(out.Code, v.Code[at%n]), at/n
			}
		}
	}
	return g, true
}

// gridOf tries filters whole and, where that would take too many rows, without the conditions that they
// have in common: what is then so for all rows is so for theirs.
func gridOf(d frame.Dictionary, filters []frame.Filter) (grid, bool) {
	if g, ok := newGrid(d, filters); ok {
		return g, true
	}
	return newGrid(d, apart(filters))
}

// every reports whether ok holds of all rows, given in which of the filters each is.
func (g grid) every(ok func(in []bool) bool) bool {
	in := make([]bool, len(g.filters))
	var match []frame.Matcher
	for _, f := range g.filters {
		match = append(match, f.Matcher(g.columns))
	}
	for r := range g.rows.Rows {
		for i, m := range match {
			in[i] = m(g.rows, r)
		}
		if !ok(in) {
			return false
		}
	}
	return true
}

// A naming is what filters name of a column.
type naming struct {
	numbers []float64
	codes   []int32
}

// name gathers what a filter names; false if it holds two columns against each
// other.
func name(named map[string]*naming, n frame.Node) bool {
	of := func(column string) *naming {
		if named[column] == nil {
			named[column] = &naming{}
		}
		return named[column]
	}
	var nodes []frame.Node
	switch n := n.(type) {
	case nil:
	case *frame.And:
		nodes = n.Nodes
	case *frame.Or:
		nodes = n.Nodes
	case *frame.Compare:
		of(n.Column).numbers = append(of(n.Column).numbers, n.Value)
	case *frame.NumberIn:
		of(n.Column).numbers = append(of(n.Column).numbers, n.Values...)
	case *frame.LevelIn:
		of(n.Column).codes = append(of(n.Column).codes, n.Codes...)
	case *frame.Missing:
		of(n.Column)
	default:
		return false
	}
	return !slices.ContainsFunc(nodes, func(n frame.Node) bool { return !name(named, n) })
}

// siteColumn is in every row; see analyze.SiteColumn.
const siteColumn = "site"

// values lists what the column may hold, one of each kind that filters can tell.
func (n *naming) values(c frame.Column) (out frame.Values) {
	missing := !c.Required && c.Name != siteColumn
	if !c.Type.Numeric() {
		out.Code = n.levels(c)
		if missing {
			out.Code = append(out.Code, -1)
		}
		return out
	}
	points := append([]float64{c.Min, c.Max}, n.numbers...)
	slices.Sort(points)
	points = slices.Compact(points)
	for _, x := range points {
		if c.Type != frame.Integer || x == math.Trunc(x) {
			out.Real = append(out.Real, x)
		}
	}
	for i := range points[1:] {
		if x, ok := between(points[i], points[i+1], c.Type == frame.Integer); ok {
			out.Real = append(out.Real, x)
		}
	}
	out.Real = slices.DeleteFunc(out.Real, func(x float64) bool { return x < c.Min || x > c.Max })
	if missing {
		out.Real = append(out.Real, math.NaN())
	}
	return out
}

// between finds a number strictly between two, a whole one where only these occur.
func between(lo, hi float64, whole bool) (float64, bool) {
	x := lo + (hi-lo)/2
	if whole {
		x = math.Floor(lo) + 1
	}
	return x, x > lo && x < hi
}

// levels are the codes that are named, and one that is not.
func (n *naming) levels(c frame.Column) []int32 {
	codes := slices.Clone(n.codes)
	slices.Sort(codes)
	codes = slices.Compact(codes)
	count := len(c.Levels)
	if c.Other {
		count++
	}
	for k := range int32(count) {
		if !slices.Contains(codes, k) {
			return append(codes, k)
		}
	}
	return codes
}
