package survival

import (
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/stat"
	"wellspring/stat/solve"
)

// Where the policy limits leverages, the first round of cox opens Σ x·xᵀ beside
// what it opens anyway, and the one after it at how many sites a row's leverage
// in the columns, xᵀ·(Σ x·xᵀ)⁻¹·x, passes the limit: the share of a person in
// what the columns, centred, tell at all. It is that of a linear model, whatever
// the risk sets, so it is the same on every axis and for strata within sites.

// slack is a share by which rounding may move a leverage.
const slack = 1e-6

// levered reports whether leverages are limited, and no other limit does it: the
// leverage in the levels of one factor is 1/n of a level, that in one column a
// person's share of its sum of squares.
func (c *coxSetup) levered() bool {
	pol, parts := c.problem.Policy(), c.frame.Parts()
	switch most := pol.MaxLeverage; {
	case most >= 1:
		return false
	case len(parts) == 1 && len(parts[0].Numeric) == 0 && len(parts[0].Factors) == 1:
		return 1 > most*float64(pol.MinCell)
	case c.design.P() == 1:
		return max(pol.MaxInfluence, 9/float64(c.totals.Complete)) > most
	}
	return true
}

// gramShape is opened in the first round, by no more persons than the columns have.
func (c *coxSetup) gramShape() stat.Shape {
	if !c.levered() {
		return nil
	}
	p, x := c.design.P(), c.column()
	return stat.Shape{{Name: "gram", Len: p * (p + 1) / 2, Frac: stat.FracFor(x*x, c.totals.Rows), Basis: c.pairs()}}
}

// leverageShape is opened in the round after.
func (st coxState) leverageShape() stat.Shape {
	if st.Gram == nil {
		return nil
	}
	return stat.Shape{{Name: "leverage", Len: 1, Flag: true}}
}

// A gramFold adds up Σ x·xᵀ.
type gramFold struct {
	stepper
	sums []float64
}

func (c *coxSetup) newGram() *gramFold {
	if !c.levered() {
		return nil
	}
	p := c.design.P()
	return &gramFold{newStepper(c, make([]float64, p)), make([]float64, width(p))}
}

func (f *gramFold) add(x []float64) {
	if f != nil {
		accumulate(f.sums, 1, x)
	}
}

func (f *gramFold) vector() stat.Vector {
	if f == nil {
		return nil
	}
	return stat.Vector(f.sums[1+len(f.beta):])
}

// A firstFold is the counting round of cox.
type firstFold struct {
	*countFold
	gram *gramFold
}

func (f firstFold) Add(b frame.Batch) error {
	if err := f.countFold.Add(b); err != nil || f.gram == nil {
		return err
	}
	sub, err := f.gram.c.read(b)
	if err != nil {
		return err
	}
	return f.gram.each(sub.values, func(_ int, _ float64, x []float64) error {
		f.gram.add(x)
		return nil
	})
}

func (f firstFold) Vector() (stat.Vector, error) {
	v, err := f.countFold.Vector()
	return append(v, f.gram.vector()...), err
}

// A leverFold counts rows of too large a leverage.
type leverFold struct {
	*analyze.Leverage
	n float64
}

var one = []float64{1}

// newLever is nil in a round that tells no leverage.
func (c *coxSetup) newLever(st coxState) *leverFold {
	if st.Gram == nil {
		return nil
	}
	p := c.design.P()
	root, _ := solve.InverseRoot(full(st.Gram, p), p)
	return &leverFold{Leverage: analyze.NewLeverage(root, p, c.problem.Policy().MaxLeverage*(1+slack))}
}

func (f *leverFold) add(x []float64) {
	if f != nil {
		f.n += f.Above(x, one)
	}
}

func (f *leverFold) vector() stat.Vector {
	if f == nil {
		return nil
	}
	return stat.Vector{f.n}
}

// readGram takes in what the first round opened. Columns that depend on others
// have no leverage; the model is refused for them soon.
func (c *coxSetup) readGram(st *coxState, sum stat.Sum) {
	g := sum.Reals("gram")
	if g == nil {
		return
	}
	if _, err := solve.Factor(full(g, c.design.P()), c.design.P()); err == nil {
		st.Gram = g
	}
}

// judgeLeverage judges what the round after it opened.
func (c *coxSetup) judgeLeverage(st *coxState, sum stat.Sum) error {
	if st.Gram == nil {
		return nil
	}
	st.Gram = nil
	return c.problem.Policy().Leverage("cox", sum.Counts("leverage")[0])
}
