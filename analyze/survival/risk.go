package survival

import (
	"math"
	"slices"

	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
	"wellspring/stat/solve"
)

// maxEta is the largest linear predictor, about the mean, of which the
// exponential is added up. A row beyond it makes the round's point one that is
// too far.
const maxEta = 30

// likelyEta bounds the predictors for which fraction bits are chosen, were all
// rows there: a few rows may lie beyond it, as long as their sum does not.
const likelyEta = 16

// chunk is how many rows of the design are filled at a time.
const chunk = 256

// eta bounds the magnitude of the linear predictor at b.
func (c *coxSetup) eta(b []float64) float64 {
	sum := c.reach
	for i, bound := range c.design.Bound() {
		sum += float64(math.Abs(b[i]) * bound)
	}
	return sum
}

// column bounds the magnitude of all columns.
func (c *coxSetup) column() float64 {
	m := 1.0
	for _, b := range c.design.Bound() {
		m = math.Max(m, b)
	}
	return math.Min(m, 1<<30)
}

// linearShape is opened once: Σ x over events, and Σ offset.
func (c *coxSetup) linearShape(basis int64) stat.Block {
	n := c.design.P() + 1
	bound := math.Max(c.column(), math.Min(c.reach, 1<<30))
	return stat.Block{Name: "linear", Len: n, Frac: stat.FracFor(bound, c.totals.Rows), Basis: stat.Repeat(basis, n)}
}

// riskShape lists the sums over the risk set of every event step and, where
// events are tied, over these or the others; on a coarse axis without S₂.
func (c *coxSetup) riskShape(st coxState) stat.Shape {
	var risk, ties []int64
	for _, s := range st.Strata {
		risk = append(risk, s.N...)
		for i, t := range s.Tie {
			switch t {
			case tied:
				ties = append(ties, s.D[i])
			case others:
				ties = append(ties, s.N[i]-s.D[i])
			}
		}
	}
	shape := slices.Concat(c.sums("risk", risk, st)[:st.moments()], c.sums("ties", ties, st)[:st.moments()])
	shape = append(append(shape, stat.Block{Name: "far", Len: 1, Flag: true}), st.leverageShape()...)
	if st.Linear == nil {
		shape = append(shape, c.linearShape(st.Events))
	}
	return shape
}

// sums gives three blocks, S₀, S₁ and S₂, of as many steps as n has entries;
// step by step, each on n persons at most.
func (c *coxSetup) sums(name string, n []int64, st coxState) stat.Shape {
	p := c.design.P()
	support := c.design.Support()
	w, x := solve.Exp(math.Min(c.eta(st.Fit.Beta), likelyEta)), c.column()
	first, second := make([]int64, 0, len(n)*p), make([]int64, 0, len(n)*p*(p+1)/2)
	for _, persons := range n {
		for i := range p {
			first = append(first, min(persons, support[i]))
			for j := i; j < p; j++ {
				second = append(second, min(persons, support[i], support[j]))
			}
		}
	}
	frac := func(bound float64) uint8 { return stat.FracFor(bound, c.totals.Rows) }
	basis := append([]int64{}, n...)
	return stat.Shape{{Name: name + "0", Len: len(basis), Frac: frac(w), Basis: basis},
		{Name: name + "1", Len: len(first), Frac: frac(w * x), Basis: first},
		{Name: name + "2", Len: len(second), Frac: frac(w * x * x), Basis: second}}
}

// A stepper walks through the rows of batches with their design row and linear
// predictor.
type stepper struct {
	c    *coxSetup
	beta []float64
	x    []float64
}

func newStepper(c *coxSetup, beta []float64) stepper {
	return stepper{c: c, beta: beta, x: make([]float64, chunk*c.design.P())}
}

// each calls do for every row; x is used again after it.
func (s *stepper) each(v formula.Values, do func(r int, eta float64, x []float64) error) error {
	p := len(s.beta)
	for from := 0; from < v.Rows; from += chunk {
		to := min(from+chunk, v.Rows)
		s.c.design.Fill(v, from, to, s.x)
		for r := from; r < to; r++ {
			x := s.x[(r-from)*p : (r-from+1)*p]
			eta := s.offset(v, r)
			for i, b := range s.beta {
				eta += b * x[i]
			}
			if err := do(r, eta, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stepper) offset(v formula.Values, r int) float64 {
	if len(s.c.roles.Offset) == 0 {
		return 0
	}
	sum := -s.c.offset
	for _, i := range s.c.roles.Offset {
		sum += v.Numeric[i][r]
	}
	return sum
}

// A riskFold adds up, for the steps that the network has agreed on, who leaves
// after each; at the end risk sets are the sums from a step to the last.
//
// Cost: p²/2 products a row; memory of two sums of width(p) a step.
type riskFold struct {
	stepper
	st     coxState
	first  []int     // of each stratum, its first step among all
	risk   []float64 // [step][width]
	ties   []float64 // [tie][width]
	tieOf  []int     // of each step; −1 without
	linear []float64
	weight float64 // Σ w
	q      int     // numbers of a sum
	add    func(dst []float64, w float64, x []float64)
	far    float64
	lever  *leverFold
}

func newRiskFold(c *coxSetup, st coxState) *riskFold {
	f := &riskFold{stepper: newStepper(c, st.Fit.Beta), st: st, lever: c.newLever(st), linear: make([]float64, c.design.P()+1)}
	ties := 0
	for _, s := range st.Strata {
		f.first = append(f.first, len(f.tieOf))
		for _, t := range s.Tie {
			at := -1
			if t == tied || t == others {
				at = ties
				ties++
			}
			f.tieOf = append(f.tieOf, at)
		}
	}
	f.q, f.add = width(c.design.P()), accumulate
	if st.moments() < 3 {
		f.q, f.add = 1+c.design.P(), accumulateFirst
	}
	f.risk, f.ties = make([]float64, len(f.tieOf)*f.q), make([]float64, ties*f.q)
	return f
}

func (f *riskFold) Add(b frame.Batch) error {
	sub, err := f.c.read(b)
	if err != nil {
		return err
	}
	return f.each(sub.values, func(r int, eta float64, x []float64) error {
		f.lever.add(x)
		block := f.st.block(f.c.strata.code(sub.values, r))
		steps, first := &f.st.Strata[block], f.first[block]
		w, q := 0.0, f.q
		steps.each(sub.from(r), sub.stop[r], sub.event[r] == 1, func(step int, share float64) {
			switch {
			case !(eta <= maxEta):
				f.far++
				return
			case w == 0:
				w = math.Exp(eta)
				f.weight += w
			}
			f.add(f.risk[(first+step)*q:(first+step+1)*q], float64(w*share), x)
		})
		if at := steps.of(sub.stop[r]); at >= 0 && sub.event[r] == 1 {
			f.event(first+at, eta, f.offset(sub.values, r), x)
		}
		return nil
	})
}

func (f *riskFold) event(step int, eta, offset float64, x []float64) {
	add(f.linear, x)
	f.linear[len(x)] += offset
	if at := f.tieOf[step]; at >= 0 && eta <= maxEta {
		f.add(f.ties[at*f.q:(at+1)*f.q], math.Exp(eta), x)
	}
}

func (f *riskFold) Vector() (stat.Vector, error) {
	p, q := len(f.beta), f.q
	for s, steps := range f.st.Strata {
		for i := len(steps.D) - 1; i >= 0; i-- {
			at := f.first[s] + i
			risk := f.risk[at*q : (at+1)*q]
			if i+1 < len(steps.D) {
				add(risk, f.risk[(at+1)*q:(at+2)*q])
			}
			if steps.Tie[i] == others {
				t := f.ties[f.tieOf[at]*q : (f.tieOf[at]+1)*q]
				for k, v := range risk {
					t[k] = v - t[k]
				}
			}
		}
	}
	const slack = 8 // of the 16 that stat.FracFor leaves
	if f.weight > slack*float64(f.c.totals.Rows)*math.Exp(likelyEta) {
		f.far++
	}
	if f.far > 0 { // the point is refused, and its sums may not fit the ring
		clear(f.risk)
		clear(f.ties)
	}
	out := append(byOrder(f.risk, p, q), byOrder(f.ties, p, q)...)
	out = append(append(out, f.far), f.lever.vector()...)
	if f.st.Linear == nil {
		out = append(out, f.linear...)
	}
	return out, nil
}

// byOrder puts all S₀ first, then all S₁, then all S₂, of sums of q numbers.
func byOrder(sums []float64, p, q int) stat.Vector {
	out := make(stat.Vector, 0, len(sums))
	for _, part := range [][2]int{{0, 1}, {1, 1 + p}, {1 + p, q}} {
		for at := 0; at < len(sums); at += q {
			out = append(out, sums[at+part[0]:at+part[1]]...)
		}
	}
	return out
}

// readRisk computes the likelihood from the sums over all sites; whole says
// that they have second moments.
func (c *coxSetup) readRisk(st coxState, sum stat.Sum, whole bool) (coxState, evaluation, *partial) {
	p := c.design.P()
	if st.Linear == nil {
		st.Linear = sum.Reals("linear")
	}
	l := newPartial(p)
	copy(l.score, st.Linear[:p])
	l.loglik = solve.Dot(st.Fit.Beta, st.Linear[:p]) + st.Linear[p]
	far := sum.Counts("far")[0] > 0
	risk, ties := newReader(sum, "risk", p, whole), newReader(sum, "ties", p, whole)
	for _, s := range st.Strata {
		for i, d := range s.D {
			at := risk.next()
			l.step()
			ok := false
			switch s.Tie[i] {
			case untied:
				ok = l.breslow(d, at)
			case all:
				ok = l.efron(d, at, at)
			case tied:
				ok = l.efron(d, at, ties.next())
			case others:
				ok = l.efron(d, at, minus(at, ties.next()))
			}
			far = far || !ok
		}
	}
	return st, evaluation{loglik: l.loglik, score: l.score, info: full(l.info, p), events: st.Events, far: far}, l
}

func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = v - b[i]
	}
	return out
}

// full expands an upper triangle.
func full(upper []float64, p int) []float64 {
	out := make([]float64, p*p)
	k := 0
	for i := range p {
		for j := i; j < p; j++ {
			out[i*p+j], out[j*p+i] = upper[k], upper[k]
			k++
		}
	}
	return out
}

// A reader gives the sums of one step after the other.
type reader struct {
	blocks [3][]float64
	p      int
	buffer []float64
	whole  bool
}

func newReader(sum stat.Sum, name string, p int, whole bool) *reader {
	r := &reader{[3][]float64{sum.Reals(name + "0"), sum.Reals(name + "1")}, p, make([]float64, width(p)), whole}
	if whole {
		r.blocks[2] = sum.Reals(name + "2")
	}
	return r
}

func (r *reader) next() []float64 {
	out := r.buffer[:0]
	for k, n := range []int{1, r.p, r.p * (r.p + 1) / 2} {
		if k == 2 && !r.whole {
			break
		}
		out = append(out, r.blocks[k][:n]...)
		r.blocks[k] = r.blocks[k][n:]
	}
	return out
}
