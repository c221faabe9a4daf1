package analyze

import (
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
)

// The third sum of round 0 judges the moments that the second one opened, cell
// by cell of every guard, with n persons, mean m and sum of squares S about it:
//
//   - far: at how many sites a person has (x−m)² above a set share of S, and
//     lies more than three standard deviations √(S/n) from m: below some ninety
//     persons the largest share of a plain sample is above a tenth; or has |x|
//     above a set share of |Σx|, which is Σ|x|, where x cannot change its sign:
//     of ten persons none lies three standard deviations off;
//   - above: how many persons lie above m, of how many institutions, and of how
//     many institutions persons do not;
//   - high: Σ(x−m) over those above, in standard deviations.
//
// With n₁ above and n₀ below, B = high²·n/(n₁·n₀) is the part of S that lies
// between the two halves, in units of S/n. If all is, x has two values, and
// whoever knows them reads n₁ off the mean.

const (
	// tie is a share by which rounding may move a comparison: far below what
	// matters, far above what the order of sites changes.
	tie = 1e-9
	// between is the share of S between two halves from which x counts as
	// having two values.
	between = 0.99
	// plainShare is the share of S within the halves of two values, by rounding.
	plainShare = 1e-6
	// constantShare is the share of Σx² below which S is rounding.
	constantShare = 1e-12
)

// spread gives mean and sum of squares about it of n values; false if they are
// constant, or none.
func spread(n int64, sum, sumsq float64) (mean, s float64, ok bool) {
	if n == 0 {
		return 0, 0, false
	}
	mean = sum / float64(n)
	s = sumsq - float64(mean*sum)
	return mean, s, s > constantShare*sumsq
}

func (g guarded) judgeShape(t Totals) stat.Shape {
	var s stat.Shape
	root := math.Sqrt(float64(t.Complete)) // no |x−m| exceeds √S = √n standard deviations
	for i, one := range g.guards {
		if len(one.Numeric) == 0 {
			continue
		}
		n, _ := g.persons(one.Factors, t)
		at := func(name string) string { return fmt.Sprintf("guard%d.%s", i, name) }
		s = append(s, stat.Block{Name: at("far"), Len: len(n), Flag: true, Basis: n},
			stat.Block{Name: at("above"), Len: len(n), Basis: n},
			stat.Block{Name: at("above.sites"), Len: len(n), Presence: true, Basis: n},
			stat.Block{Name: at("below.sites"), Len: len(n), Presence: true, Basis: n},
			stat.Block{Name: at("high"), Len: len(n), Frac: stat.FracFor(root, t.Rows), Basis: n})
	}
	return s
}

type judgeFold struct {
	guarded
	cells [][]judged // by guard
}

// judged is one cell under judgement.
type judged struct {
	mean, unit               float64 // unit: the standard deviation; 0 if the cell is constant
	limit, most              float64 // of (x−m)² and of |x|
	far, above, below, highs float64
}

func (g guarded) judgeFold(t Totals, p policy.Policy) *judgeFold {
	j := &judgeFold{guarded: g, cells: make([][]judged, len(g.guards))}
	for i, one := range g.guards {
		if len(one.Numeric) == 0 {
			continue
		}
		n, _ := g.persons(one.Factors, t)
		j.cells[i] = make([]judged, len(n))
		for c := range n {
			j.cells[i][c] = judge(n[c], t.Guards[i].Sum[c], t.Guards[i].SumSq[c], p, g.oneSign(one))
		}
	}
	return j
}

// judge prepares a cell of n persons, whose moments are opened.
func judge(n int64, sum, sumsq float64, p policy.Policy, oneSign bool) judged {
	c := judged{limit: math.Inf(1), most: math.Inf(1)}
	if mean, s, ok := spread(n, sum, sumsq); ok {
		c.mean, c.unit = mean, math.Sqrt(s/float64(n))
		if p.MaxInfluence < 1 {
			c.limit = s * max(p.MaxInfluence*(1+tie), 9/float64(n)*(1-tie))
		}
	}
	if oneSign && p.MaxShare < 1 {
		c.most = p.MaxShare * math.Abs(sum) * (1 + tie)
	}
	return c
}

func (j *judgeFold) Add(b frame.Batch) error {
	v, err := j.frame.Eval(b)
	if err != nil {
		return err
	}
	for i, cells := range j.cells {
		if cells == nil {
			continue
		}
		one := j.guards[i]
		for r := range v.Rows {
			cells[j.cell(one.Factors, v, r)].add(one.value(v, r))
		}
	}
	return nil
}

func (c *judged) add(x float64) {
	d := x - c.mean
	if d*d > c.limit || math.Abs(x) > c.most {
		c.far++
	}
	if c.unit == 0 {
		return
	}
	if d > tie*c.unit {
		c.above++
		c.highs += d / c.unit
	} else {
		c.below++
	}
}

func (j *judgeFold) Vector() (stat.Vector, error) {
	var out stat.Vector
	for _, cells := range j.cells {
		for _, get := range []func(judged) float64{
			func(c judged) float64 { return c.far }, func(c judged) float64 { return c.above },
			func(c judged) float64 { return c.above }, func(c judged) float64 { return c.below },
			func(c judged) float64 { return c.highs }} {
			for _, c := range cells {
				out = append(out, get(c))
			}
		}
	}
	return out, nil
}

// readVerdicts judges every guard of t. Where one cell alone is hidden, another
// is hidden with it, since totals would give it back.
func (g guarded) readVerdicts(t Totals, s stat.Sum, p policy.Policy) Totals {
	for i, one := range g.guards {
		n, sites := g.persons(one.Factors, t)
		j := judgement{policy: p, n: n, sites: sites, void: g.voids(one.Factors, n), verdict: make([]Verdict, len(n))}
		j.few()
		if len(one.Numeric) > 0 {
			at := func(name string) []int64 { return s.Counts(fmt.Sprintf("guard%d.%s", i, name)) }
			h := halves{at("above"), at("above.sites"), at("below.sites"), s.Reals(fmt.Sprintf("guard%d.high", i))}
			few, plain := j.outcomes(h, g.alike(one, n, t.Guards[i]))
			j.each(Outcome, func(c int) bool { return few[c] && plain[c] })
			j.dominated(at("far"))
			j.each(Outcome, func(c int) bool { return few[c] })
			j.link()
		}
		t.Guards[i] = GuardTotals{Verdict: j.verdict}
	}
	return t
}

type judgement struct {
	policy   policy.Policy
	n, sites []int64
	void     []bool // cells in which nobody can be
	verdict  []Verdict
}

func (j judgement) hide(cell int, v Verdict) {
	if j.verdict[cell] == Shown {
		j.verdict[cell] = v
	}
}

func (j judgement) few() {
	j.each(TooFew, func(c int) bool { return j.policy.Few(j.n[c], j.sites[c], j.void[c]) })
}

func (j judgement) each(v Verdict, hidden func(cell int) bool) {
	for c := range j.n {
		if hidden(c) {
			j.hide(c, v)
		}
	}
}

func (j judgement) dominated(far []int64) {
	j.each(Dominated, func(c int) bool { return far[c] > 0 })
}

// halves is what was opened of the cells of a guard about their means.
type halves struct {
	above, aboveSites, belowSites []int64
	high                          []float64
}

// outcomes finds cells whose mean counts the few who have one of two values, or says that nobody
// has another than all, and others with them where few are hidden in all. Plain are those that have two values and
// no more, or one: of these the few are told as such, not as the one person who may carry all, since nobody would not.
func (j judgement) outcomes(h halves, same []likeness) (few, plain []bool) {
	up, down := make([]int64, len(j.n)), make([]int64, len(j.n))
	upSites, downSites := slices.Clone(h.aboveSites), slices.Clone(h.belowSites)
	other := make([]bool, len(j.n)) // cells of more values
	plain = make([]bool, len(j.n))
	for c, n1 := range h.above {
		n0 := j.n[c] - n1
		b := h.high[c] * h.high[c] * float64(j.n[c])
		whole := float64(float64(n1)*float64(n0)) * float64(j.n[c])
		switch {
		case n1 > 0 && n0 > 0 && b >= between*whole:
			up[c], down[c], plain[c] = n1, n0, b >= (1-plainShare)*whole
		case same[c] == lowest:
			down[c], downSites[c], plain[c] = j.n[c], j.sites[c], true
		case same[c] == highest:
			up[c], upSites[c], plain[c] = j.n[c], j.sites[c], true
		default:
			other[c] = true
		}
	}
	few = j.policy.HiddenCells(up, upSites, other)
	for c, hidden := range j.policy.HiddenCells(down, downSites, other) {
		few[c] = few[c] || hidden
	}
	return few, plain
}

// A likeness says whether all of a cell have one value though they could have another, and nobody must look
// like too few: the cell is then like those in which a few have a higher value, or a lower one.
type likeness uint8

const (
	unlike  likeness = iota // they differ, or it tells nothing
	lowest                  // nobody has a higher value
	highest                 // nobody has a lower one
)

// alike finds the cells of a guard, of which t holds the moments, in which all have one value.
func (g guarded) alike(one Guard, n []int64, t GuardTotals) []likeness {
	out := make([]likeness, len(n))
	for c := range n {
		if !g.scope.veils || n[c] == 0 {
			continue
		}
		mean, _, varies := spread(n[c], t.Sum[c], t.SumSq[c])
		if varies || g.fixed(one, c, mean) {
			continue
		}
		out[c] = lowest
		if len(one.Numeric) == 1 && mean == g.frame.Numeric()[one.Numeric[0]].Hi {
			out[c] = highest
		}
	}
	return out
}

// fixed reports whether nobody in a cell of a guard can have another value than x, whatever the rows are.
func (g guarded) fixed(one Guard, cell int, x float64) bool {
	if len(one.Numeric) != 1 {
		return false
	}
	v := g.frame.Numeric()[one.Numeric[0]]
	if v.Column == "" {
		return v.Lo == v.Hi
	}
	nodes, _ := g.scope.cell(g, partition{factors: one.Factors}, cell)
	return g.scope.void(append(nodes, &frame.Compare{Column: v.Column, Op: frame.Ne, Value: x})...)
}

// link hides the smallest other cell where one cell alone is hidden.
func (j judgement) link() {
	hidden, next := 0, -1
	for c, v := range j.verdict {
		switch {
		case v != Shown:
			hidden++
		case j.n[c] > 0 && (next < 0 || j.n[c] < j.n[next]):
			next = c
		}
	}
	if hidden == 1 && next >= 0 {
		j.hide(next, Linked)
	}
}

// refuse gives a verdict as an error that names the number and the cell.
func (g guarded) refuse(one Guard, cell int, v Verdict) error {
	op, where := g.name(one), g.where(one.Factors, cell)
	switch {
	case op == "":
		op, where = where, ""
	case where != "":
		where = " (" + where + ")"
	}
	op += where
	hint := ws.T("merge levels, or leave the term or the interaction out", "请合并水平，或去掉该项或交互项")
	if v == Dominated {
		hint = ws.T("take logarithms, merge levels, or filter extreme values", "请取对数、合并水平，或筛除极端值")
	}
	return ws.Errorf(ws.Withheld, op, v.Why()).WithHint(hint)
}
