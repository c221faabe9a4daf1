package glm

import (
	"errors"
	"math"
	"strings"

	ws "wellspring"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// sum is what a round opened.
type sum struct {
	h, u       []float64 // H full p×p
	deviance   float64
	likelihood float64
	out        []int64
	heavy      int64 // sites that have a row of too large a leverage
	null       []float64
}

func (s *setup) read(raw stat.Sum) sum {
	p := s.design.P()
	o := sum{h: make([]float64, p*p), u: raw.Reals("score"), deviance: raw.Reals("fit")[0],
		out: []int64{0, 0}, null: raw.Reals("null")}
	g, k := raw.Reals("gram"), 0
	for i := range p {
		for j := i; j < p; j++ {
			o.h[i*p+j], o.h[j*p+i] = g[k], g[k]
			k++
		}
	}
	if l := raw.Reals("likelihood"); l != nil {
		o.likelihood = l[0]
	}
	if c := raw.Counts("out of range"); c != nil {
		o.out = c
	}
	if c := raw.Counts("leverage"); c != nil {
		o.heavy = c[0]
	}
	return o
}

// factor factors H; a column that depends on others is named.
func (s *setup) factor(st state, h []float64) (*solve.Cholesky, error) {
	c, err := solve.Factor(h, s.design.P())
	if err == nil {
		return c, nil
	}
	column, ok := singular(err)
	switch {
	case !ok:
		return nil, ws.At("model", err)
	case st.Rounds > 1:
		return nil, separated([]string{s.design.Names()[column]})
	}
	return nil, ws.Errorf(ws.Invalid, "term "+s.design.Names()[column],
		ws.T("the term is a linear combination of terms before it, or constant", "该项是其前各项的线性组合，或为常数")).
		WithHint(ws.T("remove it from the formula", "请将其从公式中移除"))
}

func singular(err error) (column int, ok bool) {
	var e *solve.Singular
	if errors.As(err, &e) {
		return e.Column, true
	}
	return 0, false
}

// separated says that the estimates of some terms have no finite value.
func separated(terms []string) error {
	return ws.Errorf(ws.Invalid, "model",
		ws.T("perfect separation: there is no finite estimate of %s, because the outcomes can be told apart without error",
			"完全分离：%s 不存在有限的估计值，因为结局可被毫无差错地分开", strings.Join(terms, ", "))).
		WithHint(ws.T("remove the term, or merge levels so that each has both outcomes", "请移除该项，或合并水平使每个水平都有两种结局"))
}

const (
	maxSteps  = 50
	maxRounds = 2 * maxSteps // with the halvings
	// nearStep is the step, in standard errors, after which nothing moves any
	// more.
	nearStep = 1e-10
	// farStep is the largest step that rounding may account for.
	farStep = 1e-6
	// settledGain is the epsilon of R's glm.control, for the relative change of
	// the deviance.
	settledGain = 1e-14
)

// next takes a Newton step, halves the last one, or ends the fit.
func (s *setup) next(st state, raw stat.Sum) (state, *study.Result, error) {
	o := s.read(raw)
	st.Rounds++
	first, base := st.Rounds == 1, st.Null.Eta
	if first {
		s.readOnce(&st, raw)
	}
	s.stepNull(&st, o, first)
	if st.Beta == nil {
		return s.first(st, o, base)
	}
	if o.out[0] > 0 || st.Prev != nil && o.deviance > st.Deviance+float64(1e-8*(math.Abs(st.Deviance)+0.1)) {
		return s.halve(st)
	}
	c, err := s.factor(st, o.h)
	if err != nil {
		return st, nil, err
	}
	delta, roots := c.Solve(o.u), s.roots(st, o.h)
	gain := solve.Dot(o.u, delta)
	if st.Turn != nil {
		delta = turnBack(st.Turn, delta, len(delta))
	}
	step, turned := s.inErrors(st, o, delta, lengths(roots)), st.Turn != nil
	if s.converged(st, o, delta, step) {
		told := st.Root != nil || !s.levered()
		if !told || !st.Null.Done && st.Rounds < maxRounds {
			s.keep(&st, o.h, step, turned)
			return st, nil, nil // and wait for leverages, or for the null model
		}
		if err := s.problem.Policy().Leverage("model", o.heavy); err != nil {
			return st, nil, err
		}
		return st, s.result(st, o, plus(st.Beta, delta), roots), nil
	}
	if st, err = s.flat(st, gain, delta); err != nil {
		return st, nil, err
	}
	if st.Steps >= maxSteps {
		return st, nil, unsettled()
	}
	st = s.advance(st, o.deviance, delta)
	if first {
		st.Turn = turning(o.h, s.design.P(), float64(s.totals.Complete))
	}
	s.keep(&st, o.h, step, turned)
	return st, nil, nil
}

func unsettled() error {
	return ws.Errorf(ws.Invalid, "model", ws.T("the fit did not converge in %d iterations", "拟合在 %d 次迭代内未收敛", maxSteps)).
		WithHint(ws.T("check for terms that nearly determine the response, and for extreme values", "请检查是否有几乎决定因变量的项，以及极端值"))
}

// roots returns vectors v of which Σ v·vᵀ is H⁻¹, over the centred and scaled
// columns. Standard errors are taken from their lengths, never from a
// covariance, in which large entries of nearly collinear columns cancel.
func (s *setup) roots(st state, h []float64) [][]float64 {
	p := s.design.P()
	m, _ := solve.InverseRoot(h, p)
	var out [][]float64
	for i := range p {
		row := m[i*p : (i+1)*p]
		if st.Turn != nil {
			row = turnBack(st.Turn, row, p)
		}
		out = append(out, row)
	}
	return out
}

// readOnce takes in what only the first round opens, and moves the null model
// to the mean of the response, which without an offset is its answer.
func (s *setup) readOnce(st *state, raw stat.Sum) {
	m := raw.Reals("moments")
	st.Weight, st.Constant = m[0], m[2]
	if used := raw.Counts("used"); used != nil {
		st.Used = used[0]
	}
	if s.design.Intercept() && len(s.roles.Offset) == 0 && st.Weight > 0 {
		st.Null.Eta = s.link.eta(s.mean() + m[1]/st.Weight)
	}
}

// stepNull takes a Newton step of the null model, or ends its fit.
func (s *setup) stepNull(st *state, o sum, first bool) {
	if st.Null.Done || first && s.design.Intercept() && len(s.roles.Offset) == 0 {
		return
	}
	st.Null.Invalid = o.out[1] > 0
	h, u := o.null[0], o.null[1]
	st.Null.Deviance = o.null[2]
	if !s.design.Intercept() || st.Null.Invalid || !(h > 0) || math.Abs(u) <= 1e-9*math.Sqrt(h) {
		st.Null.Done = true
		return
	}
	st.Null.Eta += u / h
}

// first goes from R's first guess to its first estimate. The null model at
// base is what a bad step is halved towards.
func (s *setup) first(st state, o sum, base float64) (state, *study.Result, error) {
	c, err := s.factor(st, o.h)
	if err != nil {
		return st, nil, err
	}
	st.Beta = c.Solve(o.u)
	st.Turn = turning(o.h, s.design.P(), float64(s.totals.Complete))
	s.keep(&st, o.h, math.Inf(1), false)
	if o.out[1] == 0 {
		st.Prev = make([]float64, s.design.P())
		if s.design.Intercept() {
			st.Prev[0] = base
		}
		st.Deviance = o.null[2]
	}
	st.Step, st.Steps = largest(st.Beta), 1
	return st, nil, nil
}

// halve goes back half of the last step, and after ten times all of it.
func (s *setup) halve(st state) (state, *study.Result, error) {
	if st.Rounds >= maxRounds {
		return st, nil, unsettled()
	}
	if st.Prev == nil {
		return st, nil, ws.Errorf(ws.Invalid, "model", ws.T("no estimate keeps the means within the range of the family", "没有任何估计值能使均值保持在该分布族的范围内")).
			WithHint(ws.T("choose the family's own link", "请使用该分布族的默认连接函数"))
	}
	st.Halvings++
	st.Root = nil
	if st.Halvings > 10 {
		st.Beta, st.Prev, st.Halvings = st.Prev, nil, 0
		return st, nil, nil
	}
	for i, b := range st.Beta {
		st.Beta[i] = (b + st.Prev[i]) / 2
	}
	return st, nil, nil
}

// inErrors is the largest entry of a step in standard errors.
func (s *setup) inErrors(st state, o sum, delta, variance []float64) float64 {
	phi := 1.0
	if p := int64(len(delta)); s.family == family(gaussian{}) && st.Used > p {
		phi = o.deviance / float64(st.Used-p)
	}
	ratio := 0.0
	for i, d := range delta {
		se := math.Sqrt(float64(phi * variance[i]))
		ratio = math.Max(ratio, math.Abs(d)/(se+float64(1e-6*math.Abs(st.Beta[i]))+math.SmallestNonzeroFloat64))
	}
	return ratio
}

// converged reports whether the step, in standard errors, is nothing, or
// the deviance has settled and steps go on without shrinking, by rounding. (The
// deviance alone would leave errors of the root of its epsilon, and with other
// links than the canonical ones Fisher's scoring only halves them, or so, by
// every step.)
func (s *setup) converged(st state, o sum, delta []float64, ratio float64) bool {
	if s.link == link(identity{gaussian{}}) {
		// The first step was exact, and this one mends its rounding; of columns
		// that were turned meanwhile there was no step yet.
		return ratio <= farStep && (st.Turn == nil || st.Steps > 1)
	}
	settled := math.Abs(o.deviance-st.Deviance) <= settledGain*(math.Abs(o.deviance)+0.1)
	return ratio <= nearStep || settled && ratio <= farStep && (largest(delta) >= 0.9*st.Step || st.Steps >= maxSteps)
}

// flat counts steps that neither shrank nor gained anything: with a finite
// estimate λ² = UᵀH⁻¹U, the gain that Newton's step foresees, stays above the
// order of one event until steps shrink; where estimates diverge, it goes to
// zero while steps of the same length go on.
func (s *setup) flat(st state, gain float64, delta []float64) (state, error) {
	if s.family == family(gaussian{}) {
		return st, nil
	}
	step := largest(delta)
	perRow := st.Weight / math.Max(float64(st.Used), 1)
	if gain > 1e-3*perRow || step < 1e-2 || step < st.Step/2 {
		st.Flat = 0
		return st, nil
	}
	st.Flat++
	if st.Flat < 3 {
		return st, nil
	}
	var terms []string
	for i, name := range s.design.Names() {
		if math.Abs(delta[i]) >= step/10 && !(i == 0 && s.design.Intercept()) {
			terms = append(terms, name)
		}
	}
	if terms == nil {
		terms = s.design.Names()[:1]
	}
	return st, separated(terms)
}

// advance goes on from Beta by delta.
func (s *setup) advance(st state, deviance float64, delta []float64) state {
	st.Prev, st.Beta = st.Beta, plus(st.Beta, delta)
	st.Deviance, st.Step, st.Halvings = deviance, largest(delta), 0
	st.Steps++
	return st
}

func plus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = v + b[i]
	}
	return out
}

func largest(a []float64) float64 {
	m := 0.0
	for _, v := range a {
		m = math.Max(m, math.Abs(v))
	}
	return m
}
