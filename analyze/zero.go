package analyze

import (
	"fmt"
	"math"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
)

// Round 0 has two sums: the counts of every row set, and then, on rows that the
// policy has judged, the moments of its numeric variables.

// countShape lists what is counted of the rows of f.
func countShape(f *formula.Frame) stat.Shape {
	s := stat.Shape{{Name: "rows", Len: 1}, {Name: "complete", Len: 1}, {Name: "sites", Len: 1, Presence: true}}
	for i, g := range f.Factors() {
		s = append(s, stat.Block{Name: fmt.Sprintf("level%d", i), Len: len(g.Levels)},
			stat.Block{Name: fmt.Sprintf("level%d.sites", i), Len: len(g.Levels), Presence: true})
	}
	return s
}

type countFold struct {
	frame    *formula.Frame
	rows     int
	complete int
	levels   [][]float64
}

func newCountFold(f *formula.Frame) *countFold {
	c := &countFold{frame: f, levels: make([][]float64, len(f.Factors()))}
	for i, g := range f.Factors() {
		c.levels[i] = make([]float64, len(g.Levels))
	}
	return c
}

func (c *countFold) Add(b frame.Batch) error {
	v, err := c.frame.Eval(b)
	if err != nil {
		return err
	}
	c.count(b.Rows, v)
	return nil
}

func (c *countFold) count(rows int, v formula.Values) {
	c.rows += rows
	c.complete += v.Rows
	for i, codes := range v.Factor {
		for _, code := range codes[:v.Rows] {
			c.levels[i][code]++
		}
	}
}

func (c *countFold) Vector() (stat.Vector, error) {
	n := float64(c.complete)
	out := stat.Vector{float64(c.rows), n, n}
	for _, l := range c.levels {
		out = append(append(out, l...), l...)
	}
	return out, nil
}

// readCounts is the inverse of countFold on the sum.
func readCounts(f *formula.Frame, s stat.Sum) Totals {
	t := Totals{Rows: s.Counts("rows")[0], Sites: s.Counts("sites")[0]}
	t.Complete = s.Counts("complete")[0]
	for i := range f.Factors() {
		t.Levels = append(t.Levels, s.Counts(fmt.Sprintf("level%d", i)))
		t.LevelSites = append(t.LevelSites, s.Counts(fmt.Sprintf("level%d.sites", i)))
	}
	return t
}

// momentShape lists the sums and sums of squares of the numeric variables of f.
func momentShape(f *formula.Frame, t Totals) stat.Shape {
	var s stat.Shape
	for i, v := range f.Numeric() {
		bound := magnitude(v)
		basis := []int64{t.Complete}
		s = append(s, stat.Block{Name: fmt.Sprintf("sum%d", i), Len: 1, Frac: stat.FracFor(bound, t.Rows), Basis: basis},
			stat.Block{Name: fmt.Sprintf("sumsq%d", i), Len: 1, Frac: stat.FracFor(bound*bound, t.Rows), Basis: basis})
	}
	return s
}

// magnitude bounds |v|. Where interval arithmetic finds no bound 2^40 is taken,
// and a larger value is refused when it is encoded.
func magnitude(v formula.Numeric) float64 {
	m := math.Max(math.Abs(v.Lo), math.Abs(v.Hi))
	if math.IsInf(m, 0) || math.IsNaN(m) || m > 1<<40 {
		return 1 << 40
	}
	return math.Max(m, 1e-30)
}

type momentFold struct {
	frame *formula.Frame
	sums  stat.Vector // sum and sum of squares, by variable
}

func newMomentFold(f *formula.Frame) *momentFold {
	return &momentFold{frame: f, sums: make(stat.Vector, 2*len(f.Numeric()))}
}

func (m *momentFold) Add(b frame.Batch) error {
	v, err := m.frame.Eval(b)
	if err != nil {
		return err
	}
	for i, x := range v.Numeric {
		var s, ss float64
		for _, xi := range x[:v.Rows] {
			s += xi
			ss += xi * xi
		}
		m.sums[2*i] += s
		m.sums[2*i+1] += ss
	}
	return nil
}

func (m *momentFold) Vector() (stat.Vector, error) { return m.sums, nil }

// readMoments completes t from the sum of momentFold.
func readMoments(f *formula.Frame, t Totals, s stat.Sum) Totals {
	for i := range f.Numeric() {
		t.Sum = append(t.Sum, s.Reals(fmt.Sprintf("sum%d", i))[0])
		t.SumSq = append(t.SumSq, s.Reals(fmt.Sprintf("sumsq%d", i))[0])
	}
	return t
}

// influence refuses rows of which one carries more than share of the opened
// sum of squares of a numeric variable, about its mean over all sites.
type influence struct {
	problem *Problem
	joint   *Joint
	share   float64
}

// check gets batches of the joint query, which loops of several frames ask for.
func (c influence) check(b frame.Batch) error {
	for i, f := range c.problem.Frames {
		v, err := c.joint.Eval(i, b)
		if err != nil {
			return err
		}
		if err := c.frame(f, c.problem.Totals[i], v); err != nil {
			return err
		}
	}
	return nil
}

func (c influence) frame(f *formula.Frame, t Totals, v formula.Values) error {
	n := float64(t.Complete)
	for i, x := range v.Numeric {
		mean := t.Sum[i] / n
		limit := c.share * (t.SumSq[i] - mean*t.Sum[i])
		if limit <= 0 {
			continue // a constant column says nothing of one person
		}
		for _, xi := range x[:v.Rows] {
			if d := xi - mean; d*d > limit {
				return ws.Errorf(ws.Withheld, "influence of "+f.Numeric()[i].Name,
					ws.T("one person would carry too large a share of a sum", "单个人在某个和中所占的份额过大")).
					WithHint(ws.T("take logarithms, or filter extreme values", "请取对数，或筛除极端值"))
			}
		}
	}
	return nil
}
