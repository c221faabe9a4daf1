package describe

import (
	"fmt"
	"math"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
	"wellspring/study"
)

// Describe is the method "describe".
func Describe() analyze.Method {
	return analyze.Loop[describeState]{
		Name: "describe", Frames: describeFrames, Guards: guards, Cuts: cuts, Start: startDescribe, Ask: askDescribe, Fold: foldDescribe, Next: nextDescribe,
	}.Method()
}

// describeState is empty: all that a round needs stands in the totals.
type describeState struct{}

// maxBins bounds a histogram.
const maxBins = 1000

func describeFrames(a study.Analysis, facts analyze.Facts) ([]*formula.Frame, error) {
	if a.Bins < 0 || a.Bins > maxBins {
		return nil, ws.Errorf(ws.Invalid, "bins", ws.T("bins is between 0 and %d", "bins 须在 0 与 %d 之间", maxBins))
	}
	return frames(a, facts)
}

// frames binds each variable, with the factor of "by", as a row set of its own:
// a missing value of one variable leaves the rows of another.
func frames(a study.Analysis, facts analyze.Facts) ([]*formula.Frame, error) {
	var out []*formula.Frame
	for _, v := range a.Variables {
		text := "~ " + quote(v)
		if a.By != "" {
			c, ok := facts.Columns.Lookup(a.By)
			by := quote(a.By)
			if ok && c.Type.Numeric() {
				by = "factor(" + by + ")"
			}
			text += " + " + by
		}
		m, err := formula.Parse(text)
		if err != nil {
			return nil, ws.At(v, err)
		}
		f, err := formula.Bind(m, facts.Columns, "")
		if err != nil {
			return nil, ws.At(v, err)
		}
		if a.By != "" && len(f.Numeric()) == 0 && len(f.Factors()) > 1 {
			return nil, ws.Errorf(ws.Invalid, v, ws.T("%s is a factor, and by splits numeric variables only", "%s 为因子，而 by 仅适用于数值变量", v)).
				WithHint(ws.T("use the method crosstab", "请使用 crosstab 方法"))
		}
		out = append(out, f)
	}
	return out, nil
}

// guards judges a numeric variable within the groups that are shown.
func guards(f *formula.Frame, _ [][]int) []analyze.Guard {
	if !numeric(f) {
		return nil
	}
	g := analyze.Guard{Numeric: []int{0}}
	for i := range f.Factors() {
		g.Factors = append(g.Factors, i)
	}
	return []analyze.Guard{g}
}

func quote(name string) string { return "`" + name + "`" }

// by is the factor that splits the rows of frame i; none where nothing does.
func by(p *analyze.Problem, i int) []int {
	if p.Analysis.By == "" {
		return nil
	}
	return []int{len(p.Frames[i].Factors()) - 1}
}

// hiddenGroups says which groups of variable i rest on too few, or must look so.
func hiddenGroups(p *analyze.Problem, i int) []bool {
	_, n, sites := groups(p, i)
	return p.HiddenCells(i, by(p, i), n, sites)
}

// groups returns how the rows of frame i split: the levels of "by" with their
// counts and sites, or one group without a name.
func groups(p *analyze.Problem, i int) (names []string, n, sites []int64) {
	f, t := p.Frames[i], p.Totals[i]
	if p.Analysis.By == "" {
		return []string{""}, []int64{t.Complete}, []int64{t.Sites}
	}
	last := len(f.Factors()) - 1
	return f.Factors()[last].Levels, t.Levels[last], t.LevelSites[last]
}

func numeric(f *formula.Frame) bool { return len(f.Numeric()) > 0 }

func startDescribe(p *analyze.Problem) (describeState, *study.Result, error) {
	for _, f := range p.Frames {
		if numeric(f) {
			return describeState{}, nil, nil
		}
	}
	r := newReport(p)
	for i := range p.Frames {
		r.factor(i)
	}
	return describeState{}, r.result(), r.empty()
}

// center and scale make a numeric variable of order 1 by the moments of round 0.
func center(p *analyze.Problem, i int) (mean, sd float64) {
	t := p.Totals[i]
	n := float64(t.Complete)
	mean = t.Sum[0] / n
	sd = math.Sqrt(math.Max(t.SumSq[0]/n-float64(mean*mean), 0))
	if !(sd > 1e-9*math.Abs(mean)) || sd == 0 {
		sd = math.Max(math.Abs(mean), 1)
	}
	return mean, sd
}

// cuts are the bins of a histogram, in each group: equal parts of the dictionary's range, closed above, as R's hist does.
func cuts(a study.Analysis, f *formula.Frame) []analyze.Cut {
	if a.Bins == 0 || !numeric(f) {
		return nil
	}
	c, v := analyze.Cut{}, f.Numeric()[0]
	for i := range f.Factors() {
		c.Factors = append(c.Factors, i)
	}
	for i := 1; i < a.Bins; i++ {
		c.Ends = append(c.Ends, v.Lo+float64((v.Hi-v.Lo)/float64(a.Bins)*float64(i)))
	}
	c.Ends = append(c.Ends, v.Hi)
	return []analyze.Cut{c}
}

func askDescribe(p *analyze.Problem, _ describeState) (analyze.Ask, error) {
	var shape stat.Shape
	for i, f := range p.Frames {
		if !numeric(f) {
			continue
		}
		_, n, _ := groups(p, i)
		mean, sd := center(p, i)
		v := f.Numeric()[0]
		bound := math.Max(v.Hi-mean, mean-v.Lo) / sd
		shape = append(shape,
			stat.Block{Name: fmt.Sprintf("sum%d", i), Len: len(n), Frac: stat.FracFor(bound, p.Totals[i].Rows), Basis: n},
			stat.Block{Name: fmt.Sprintf("sumsq%d", i), Len: len(n), Frac: stat.FracFor(bound*bound, p.Totals[i].Rows), Basis: n})
	}
	return analyze.Ask{Shape: shape, Query: p.Joint().Query()}, nil
}

type describeFold struct {
	p     *analyze.Problem
	joint *analyze.Joint
	sums  []groupSums
}

// groupSums holds one variable's sums by group.
type groupSums struct{ sum, sumsq []float64 }

func foldDescribe(p *analyze.Problem, _ describeState) (analyze.Fold, error) {
	d := &describeFold{p: p, joint: p.Joint(), sums: make([]groupSums, len(p.Frames))}
	for i, f := range p.Frames {
		if numeric(f) {
			names, _, _ := groups(p, i)
			d.sums[i] = groupSums{make([]float64, len(names)), make([]float64, len(names))}
		}
	}
	return d, nil
}

func (d *describeFold) Add(b frame.Batch) error {
	for i, f := range d.p.Frames {
		if !numeric(f) {
			continue
		}
		v, err := d.joint.Eval(i, b)
		if err != nil {
			return err
		}
		d.variable(i, v)
	}
	return nil
}

func (d *describeFold) variable(i int, v formula.Values) {
	mean, sd := center(d.p, i)
	s := d.sums[i]
	for r, x := range v.Numeric[0][:v.Rows] {
		g := 0
		if d.p.Analysis.By != "" {
			g = int(v.Factor[len(v.Factor)-1][r])
		}
		z := (x - mean) / sd
		s.sum[g] += z
		s.sumsq[g] += z * z
	}
}

func (d *describeFold) Vector() (stat.Vector, error) {
	var out stat.Vector
	for i, f := range d.p.Frames {
		if !numeric(f) {
			continue
		}
		out = append(append(out, d.sums[i].sum...), d.sums[i].sumsq...)
	}
	return out, nil
}

func nextDescribe(p *analyze.Problem, s describeState, sum stat.Sum) (describeState, *study.Result, error) {
	r := newReport(p)
	for i, f := range p.Frames {
		if numeric(f) {
			r.numeric(i, sum)
		} else {
			r.factor(i)
		}
	}
	return s, r.result(), r.empty()
}
