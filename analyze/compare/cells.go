package compare

import (
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// maxCells bounds a table.
const maxCells = 4096

// tableState is empty: the problem says all that a round needs.
type tableState struct{}

// factors binds the two factors of a table, or the three of one with layers.
func factors(a study.Analysis, facts analyze.Facts) ([]*formula.Frame, error) {
	text, wanted := "~ "+term(a.Rows, facts.Columns)+" + "+term(a.Columns, facts.Columns), 2
	if a.Layers != "" {
		text, wanted = text+" + "+term(a.Layers, facts.Columns), 3
	}
	m, err := formula.Parse(text)
	if err != nil {
		return nil, err
	}
	f, err := formula.Bind(m, facts.Columns, "")
	if err != nil {
		return nil, err
	}
	bad := func(msg ws.Text) error { return ws.Errorf(ws.Invalid, "table", msg) }
	switch {
	case len(f.Numeric()) > 0 || len(f.Factors()) > wanted:
		return nil, bad(ws.T("rows, columns and layers are one factor each", "rows、columns 与 layers 须各为一个因子"))
	case len(f.Factors()) < wanted:
		return nil, bad(ws.T("two of rows, columns and layers are the same factor", "rows、columns 与 layers 中有两个是同一个因子"))
	case cellsOf(f) > maxCells:
		return nil, bad(ws.T("the table would have more than %d cells", "列联表将超过 %d 个单元格", maxCells))
	}
	return []*formula.Frame{f}, nil
}

// term writes a column as a term: a numeric one by its declared levels; what is
// no column stays as it is, such as "factor(sex)".
func term(name string, d frame.Dictionary) string {
	c, ok := d.Lookup(name)
	switch {
	case !ok:
		return name
	case c.Type.Numeric():
		return "factor(`" + name + "`)"
	}
	return "`" + name + "`"
}

func begin(*analyze.Problem) (tableState, *study.Result, error) { return tableState{}, nil, nil }

// cellsOf is the number of cells, or one above maxCells.
func cellsOf(f *formula.Frame) int {
	n := 1
	for _, g := range f.Factors() {
		n = min(n, maxCells+1) * len(g.Levels)
	}
	return n
}

func ask(p *analyze.Problem, _ tableState) (analyze.Ask, error) {
	f := p.Frames[0]
	n := cellsOf(f)
	shape := stat.Shape{{Name: "cells", Len: n}, {Name: "sites", Len: n, Presence: true}}
	if a, ok := axes(f); ok {
		for d, name := range overs {
			shape = append(shape, stat.Block{Name: name, Len: n / a[d], Presence: true})
		}
	}
	return analyze.Ask{Query: p.Query(f), Shape: shape}, nil
}

// A cellFold counts the rows of each cell, the last factor's levels running
// fastest.
type cellFold struct {
	frame *formula.Frame
	cells []float64
}

func foldCells(p *analyze.Problem, _ tableState) (analyze.Fold, error) {
	f := p.Frames[0]
	return &cellFold{f, make([]float64, cellsOf(f))}, nil
}

func (c *cellFold) Add(b frame.Batch) error {
	v, err := c.frame.Eval(b)
	if err != nil {
		return err
	}
	for r := range v.Rows {
		at := 0
		for i, g := range c.frame.Factors() {
			at = at*len(g.Levels) + int(v.Factor[i][r])
		}
		c.cells[at]++
	}
	return nil
}

func (c *cellFold) Vector() (stat.Vector, error) {
	out := slices.Concat(c.cells, c.cells)
	if a, ok := axes(c.frame); ok {
		for d := range a {
			out = append(out, over(a, c.cells, d)...)
		}
	}
	return out, nil
}

// A table is an opened cross-tabulation with what policy lets be shown of it.
type table struct {
	rows, columns []string
	counts        [][]int64
	policy.Table
	// missed says of each factor's levels that are not in the table whether that is to be told: of all but those in
	// which, by the filter, nobody can be, or, where the policy shows that there is nobody, in which nobody is.
	missed [2][]bool
}

func open(p *analyze.Problem, sum stat.Sum) table {
	f, t := p.Frames[0], p.Totals[0]
	o := table{rows: f.Factors()[0].Levels, columns: f.Factors()[1].Levels}
	width := len(o.columns)
	cells, at := sum.Counts("cells"), sum.Counts("sites")
	var sites [][]int64
	for i := range o.rows {
		o.counts = append(o.counts, cells[i*width:(i+1)*width])
		sites = append(sites, at[i*width:(i+1)*width])
	}
	o.Table = p.Policy().Table(o.counts, sites, t.LevelSites[0], t.LevelSites[1])
	for d, shown := range [][]bool{o.Rows, o.Columns} {
		o.missed[d] = missed(p, d, func(l int) bool { return shown[l] })
	}
	return o
}

// margins are the totals of the levels that are shown, over those of the other
// factor that are.
func (o table) margins() (rows, columns []int64, total int64) {
	rows, columns = make([]int64, len(o.rows)), make([]int64, len(o.columns))
	for i, row := range o.counts {
		for j, n := range row {
			if o.Rows[i] && o.Columns[j] {
				rows[i] += n
				columns[j] += n
				total += n
			}
		}
	}
	return rows, columns, total
}

// missed says which levels of factor d are not shown and hold persons, or must look like those that do.
func missed(p *analyze.Problem, d int, shown func(level int) bool) []bool {
	t := p.Totals[0]
	out := make([]bool, len(t.Levels[d]))
	for l, n := range t.Levels[d] {
		out[l] = !shown(l) && (n > 0 || p.Few(0, []int{d}, l, n, t.LevelSites[d][l]))
	}
	return out
}
