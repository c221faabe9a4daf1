package policy

import "wellspring/stat/solve"

// A Bound is what anybody can infer of a hidden cell from what is shown.
type Bound struct {
	// Cell is its row, its column and, in a three-way table, its layer, each
	// among the levels that are shown; the number of these stands for a total.
	Cell [3]int
	solve.Range
}

// Audit bounds every hidden cell of a table's levels that are shown: the range of
// its counts over all tables of counts ≥ 0 that agree with what is shown, each
// end of which one of them has (see [Suppress]). It is a function of what is
// shown alone, so it tells nobody more.
func (t Table) Audit(counts [][]int64) []Bound {
	part, out := t.shown(counts)
	s := &suppressor{counts: part, out: out}
	var bounds []Bound
	for i, row := range part {
		for j, n := range row {
			if out[i][j] {
				low, high := n-min(n, s.flow(i, j, false, n)), n+s.flow(i, j, true, unlimited)
				bounds = append(bounds, Bound{[3]int{i, j}, solve.Range{Low: low, High: high, Least: low, Most: high, Met: true}})
			}
		}
	}
	return bounds
}

// auditWork bounds the products of an audit: enough for a table of a thousand
// cells, and some tenths of a second.
const auditWork = 1 << 28

// Audit bounds every hidden cell and total of a three-way table by what is
// shown: see [solve.Ranges]. Hidden counts are not looked at, so it tells nobody
// more. Where Least lies above Low, or Most below High, the truth is between.
func (b Box) Audit() []Bound {
	var bounds []Bound
	number := make([]int, len(b.Counts))
	for at, h := range b.Hidden {
		if h {
			number[at] = len(bounds)
			bounds = append(bounds, Bound{Cell: b.Axes.Cell(at)})
		}
	}
	for i, r := range solve.Ranges(len(bounds), b.equations(number), auditWork) {
		bounds[i].Range = r
	}
	return bounds
}

// equations say that what is hidden along a line, less its total if that is
// hidden too, is the total shown less the cells shown.
func (b Box) equations(number []int) (out []solve.Equation) {
	for d := range b.Axes {
		for at := range b.Counts {
			c := b.Axes.Cell(at)
			if c[d] != b.Axes[d] {
				continue // a line is named by its total
			}
			var e solve.Equation
			for c[d] = 0; c[d] < b.Axes[d]; c[d]++ {
				if in := b.Axes.At(c); b.Hidden[in] {
					e.Plus = append(e.Plus, number[in])
				} else {
					e.Sum -= b.Counts[in]
				}
			}
			if b.Hidden[at] {
				e.Minus = append(e.Minus, number[at])
			} else {
				e.Sum += b.Counts[at]
			}
			if len(e.Plus)+len(e.Minus) > 0 {
				out = append(out, e)
			}
		}
	}
	return out
}
