package survival

import (
	"math"
	"sort"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// Cox is the method "cox": the proportional hazards model.
func Cox() analyze.Method {
	return analyze.Loop[coxState]{Name: "cox", Needs: needs, Frames: bindModel,
		Start: startCox, Ask: askCox, Fold: foldCox, Next: nextCox}.Method()
}

// coxState is what is public between two rounds.
type coxState struct {
	// Counted says that the counting round is over; there is none for strata
	// that lie within sites.
	Counted bool `json:"counted"`
	// Strata are the steps with events, by block of strata; Block is that of
	// each stratum, where any are joined.
	Strata []eventSteps `json:"strata,omitempty"`
	Block  []int        `json:"block,omitempty"`
	Events int64        `json:"events"`
	Ends   int          `json:"ends,omitempty"`   // of a coarse axis
	Joined []int        `json:"joined,omitempty"` // strata that share a block
	Cut    []int        `json:"cut,omitempty"`    // the first stratum of blocks whose follow-up is cut off
	// Linear is, once opened, the sum over events of x, and of the offset.
	Linear []float64 `json:"linear,omitempty"`
	// Half is, on a coarse axis, what the first round of an evaluation found;
	// Spent is how many scalars the rounds have opened.
	Half  *halfway `json:"half,omitempty"`
	Spent int      `json:"spent,omitempty"`
	// Gram is, before leverages are told, the upper triangle of Σ x·xᵀ.
	Gram []float64 `json:"gram,omitempty"`
	Fit  newton    `json:"fit"`
}

// moments is how many of S₀, S₁ and S₂ are opened by step.
func (st coxState) moments() int {
	if st.Ends > 0 {
		return 2
	}
	return 3
}

// block returns the block of a stratum.
func (st coxState) block(stratum int) int {
	if st.Block == nil {
		return stratum
	}
	return st.Block[stratum]
}

// A tie says how the sums over the tied events of a step are opened.
type tie int8

const (
	untied tie = iota // one event, or Breslow's rule: not needed
	all               // everybody at risk has the event: the risk set's own
	tied              // as they are, over the events
	others            // as the risk set's without them
)

// eventSteps are the steps of a curve that have events.
type eventSteps struct {
	Lo  []float64 `json:"lo"`
	Hi  []float64 `json:"hi"`
	N   []int64   `json:"n"`
	D   []int64   `json:"d"`
	Tie []tie     `json:"tie"`
	// Censored are the steps of a coarse axis over which censorings are spread.
	Censored []part `json:"censored,omitempty"`
}

// each calls do with the steps at which a row's part of the risk sets changes:
// in the risk set of a step it stands with the sum of what it was given for
// that step and all later ones. A row enters in the step of its start, or
// before all, and leaves after the step of its event, or bit by bit over the
// steps in which it may be censored.
func (e *eventSteps) each(start, stop float64, event bool, do func(step int, share float64)) {
	before := below(e.Hi, start) - 1            // the last step before it entered
	last := sort.SearchFloat64s(e.Lo, stop) - 1 // the last one at which it is at risk
	c := 0
	if event || len(e.Censored) == 0 {
		c = len(e.Censored)
	} else {
		c = sort.Search(len(e.Censored), func(i int) bool { _, b := e.Censored[i].ends(); return b >= stop })
	}
	share := 0.0
	if c == len(e.Censored) {
		if last <= before {
			return
		}
		share = 1
		do(last, 1)
	} else {
		_, b := e.Censored[c].ends()
		last = sort.SearchFloat64s(e.Lo, b) - 1
		for j := last; j > before && share < 1; j-- {
			phi := e.Censored[c].within(e.Lo[j], e.Hi[j])
			if phi > share {
				do(j, phi-share)
				share = phi
			}
		}
	}
	if before >= 0 && share > 0 {
		do(before, -share)
	}
}

// of returns the step that holds a time, or −1.
func (e *eventSteps) of(t float64) int {
	i := sort.SearchFloat64s(e.Hi, t)
	if i == len(e.Hi) || e.Lo[i] >= t {
		return -1
	}
	return i
}

// A coxSetup is a setup with the design of the model.
type coxSetup struct {
	*setup
	design *formula.Design
	efron  bool
	offset float64 // mean of the offsets, which is taken off
	reach  float64 // bound of the offsets' magnitude after that
}

func newCoxSetup(p *analyze.Problem) (*coxSetup, error) {
	s, err := newSetup(p, false)
	if err != nil {
		return nil, err
	}
	c := &coxSetup{setup: s}
	switch p.Analysis.Ties {
	case "", "efron":
		c.efron = true
	case "breslow":
	default:
		return nil, ws.Errorf(ws.Invalid, "ties", ws.T("ties is efron or breslow", "ties 须为 efron 或 breslow"))
	}
	for _, i := range s.roles.Offset {
		mean, v := s.totals.Sum[i]/float64(s.totals.Complete), s.frame.Numeric()[i]
		c.offset += mean
		c.reach += math.Max(v.Hi-mean, mean-v.Lo)
	}
	c.design, err = s.frame.DesignNoIntercept(s.totals.Moments)
	return c, err
}

func startCox(p *analyze.Problem) (coxState, *study.Result, error) {
	if err := p.JudgeModel(0); err != nil { // before any mistake that depends on a level's being nobody's
		return coxState{}, nil, err
	}
	c, err := newCoxSetup(p)
	if err != nil {
		return coxState{}, nil, err
	}
	if _, err := confidence(p.Analysis); err != nil {
		return coxState{}, nil, err
	}
	if err := p.Policy().Parameters("cox", c.design.P(), c.totals.Complete); err != nil {
		return coxState{}, nil, err
	}
	if err := c.exactFits(1); err != nil {
		return coxState{}, nil, err
	}
	st := coxState{Counted: c.local()}
	st.Fit.Beta = make([]float64, c.design.P())
	return st, nil, nil
}

// longVector is the length from which on a vector is encoded once, not once a
// batch.
const longVector = 1 << 20

func askCox(p *analyze.Problem, st coxState) (analyze.Ask, error) {
	c, err := newCoxSetup(p)
	if err != nil {
		return analyze.Ask{}, err
	}
	ask := analyze.Ask{Query: p.Query(c.frame)}
	switch {
	case !st.Counted:
		a, err := c.axis(float64(c.problem.Scalars * gridShare))
		if err != nil {
			return ask, err
		}
		ask.Shape = append(c.countShape(a), c.gramShape()...)
	case c.local():
		ask.Shape, ask.Chain = c.localShape(st), true
	case st.Half != nil:
		ask.Shape = c.secondShape(st)
	default:
		ask.Shape = c.riskShape(st)
		ask.Chain = ask.Shape.Len() > longVector
	}
	return ask, nil
}

func foldCox(p *analyze.Problem, st coxState) (analyze.Fold, error) {
	c, err := newCoxSetup(p)
	if err != nil {
		return nil, err
	}
	switch {
	case !st.Counted:
		a, err := c.axis(float64(c.problem.Scalars * gridShare))
		if err != nil {
			return nil, err
		}
		return firstFold{newCountFold(c.setup, a), c.newGram()}, nil
	case c.local():
		return newLocalFold(c, st), nil
	case st.Half != nil:
		return newSecondFold(c, st), nil
	}
	return newRiskFold(c, st), nil
}

func nextCox(p *analyze.Problem, st coxState, sum stat.Sum) (coxState, *study.Result, error) {
	c, err := newCoxSetup(p)
	if err != nil {
		return st, nil, err
	}
	if !st.Counted {
		st, err = c.counted(st, sum)
		return st, nil, err
	}
	if err := c.judgeLeverage(&st, sum); err != nil {
		return st, nil, err
	}
	var e evaluation
	switch {
	case c.local():
		st, e, err = c.readLocal(st, sum)
	case st.Ends > 0:
		return c.nextHalf(st, sum)
	default:
		st, e, _ = c.readRisk(st, sum, true)
	}
	if err != nil {
		return st, nil, err
	}
	done, err := st.Fit.next(e, c.design.Names())
	if err != nil || !done || st.Gram != nil { // a fit that ends at once waits for leverages
		return st, nil, err
	}
	r, err := c.result(st, e)
	return st, r, err
}

// counted chooses the event steps of each stratum from the counting round.
func (c *coxSetup) counted(st coxState, sum stat.Sum) (coxState, error) {
	a, err := c.axis(float64(c.problem.Scalars * gridShare))
	if err != nil {
		return st, err
	}
	n := c.readCounts(a, sum)
	c.readGram(&st, sum)
	if err := newLevelEvents(c.setup).judge(c.setup, sum); err != nil {
		return st, err
	}
	st.Counted = true
	if !a.exact {
		st.Ends = len(a.ends)
	}
	b := n.blocks(c.setup)
	st.Block, st.Joined = b.code(), b.joined
	parts, cells := make([]steps, b.n), make([][]int, b.n)
	for block := range parts {
		cells[block] = c.cellsOf(b.strata(block))
		parts[block] = n.steps(c.setup, cells[block]...)
	}
	if !a.exact {
		st.Spent = sum.Shape.Len()
		if err := c.afford(parts, n, cells, st.Spent+st.leverageShape().Len()); err != nil {
			return st, err
		}
	}
	for block, at := range parts {
		steps, tooFew := c.eventSteps(n.curve(at, cells[block]...), a.exact)
		steps.Censored = n.parts(at, cells[block])
		if at.cut || tooFew {
			st.Cut = append(st.Cut, b.strata(block)[0])
		}
		st.Strata = append(st.Strata, steps)
		st.Events += total(steps.D)
	}
	if err := c.exactFits(st.eventSteps()); err != nil {
		return st, err
	}
	return st, c.judgeEvents(total(n.events), st.Events, n.anyEvent)
}

// judgeEvents refuses a model without events, or with too few.
func (c *coxSetup) judgeEvents(observed, used, sites int64) error {
	switch {
	case observed == 0 && !c.fewHave(true, 0, 0, false):
		return noEvents("cox")
	case used == 0:
		return withheldEvents("cox")
	}
	return c.judgeOutcomes("cox", used, sites)
}

// eventSteps keeps the steps with events. On an exact axis the sums over a few
// tied events are opened as those of the others at risk; where these are few
// too, follow-up is cut off.
func (c *coxSetup) eventSteps(all curve, exact bool) (out eventSteps, cut bool) {
	for i, d := range all.D {
		if d == 0 {
			continue
		}
		t, ok := c.tie(all.N[i], d, exact)
		if !ok {
			return out, true
		}
		out.Lo, out.Hi = append(out.Lo, all.Lo[i]), append(out.Hi, all.Hi[i])
		out.N, out.D, out.Tie = append(out.N, all.N[i]), append(out.D, d), append(out.Tie, t)
	}
	return out, false
}

func (c *coxSetup) tie(n, d int64, exact bool) (t tie, ok bool) {
	k := c.problem.Policy().MinCell
	switch {
	case !c.efron || d == 1:
		return untied, true
	case n == d:
		return all, true
	case d >= k:
		return tied, true
	case exact && n-d >= k:
		return others, true
	}
	return untied, false
}

// result gives the answer at the fit's end, to which e belongs.
func (c *coxSetup) result(st coxState, e evaluation) (*study.Result, error) {
	p := c.design.P()
	chol, err := solve.Factor(e.info, p)
	if err != nil {
		return nil, ws.At("cox", err)
	}
	b, v := c.design.Unscale(st.Fit.At, chol.Inverse())
	conf, err := confidence(c.problem.Analysis)
	if err != nil {
		return nil, err
	}
	r := &study.Result{Tidy: []study.Row{}, Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	for i, name := range c.design.Names() {
		se := math.Sqrt(v[i*p+i])
		z, half := b[i]/se, float64(conf.z*se)
		r.Tidy = append(r.Tidy, study.Row{{Name: "term", Value: name}, {Name: "estimate", Value: b[i]},
			{Name: "std_error", Value: se}, {Name: "statistic", Value: z}, {Name: "p_value", Value: 2 * solve.NormalSF(math.Abs(z))},
			{Name: "conf_low", Value: b[i] - half}, {Name: "conf_high", Value: b[i] + half}})
	}
	c.glance(st, e, r)
	c.remarks(st, r)
	return r, nil
}

// glance describes the fit as a whole: the likelihood ratio, score and Wald
// tests of all coefficients, in the names of broom.
func (c *coxSetup) glance(st coxState, e evaluation, r *study.Result) {
	p := len(st.Fit.At)
	g := &r.Glance
	g.Set("nobs", c.totals.Complete)
	g.Set("nevent", st.Events)
	g.Set("missing", c.totals.Rows-c.totals.Complete)
	g.Set("df", int64(p))
	for _, t := range []struct {
		name  string
		value float64
	}{{"log", 2 * (st.Fit.LogLik - st.Fit.Null)}, {"sc", st.Fit.Score},
		{"wald", solve.Dot(st.Fit.At, solve.MatVec(e.info, st.Fit.At))}} {
		g.Set("statistic_"+t.name, t.value)
		g.Set("p_value_"+t.name, solve.ChiSquareSF(t.value, float64(p)))
	}
	g.Set("logLik", st.Fit.LogLik)
	g.Set("loglik_null", st.Fit.Null)
	g.Set("AIC", 2*float64(p)-2*st.Fit.LogLik)
	g.Set("BIC", float64(float64(p)*solve.Log(float64(st.Events)))-2*st.Fit.LogLik)
	g.Set("iterations", int64(st.Fit.Iterations))
	g.Set("converged", true)
	ties := "breslow"
	if c.efron {
		ties = "efron"
	}
	g.Set("ties", ties)
}

func (c *coxSetup) remarks(st coxState, r *study.Result) {
	if st.Ends > 0 {
		r.Notes = append(r.Notes, coarseNote(st.Ends), modelNote(st.eventSteps(), c.efron))
	}
	if c.local() {
		r.Notes = append(r.Notes, ws.T("strata lie within sites: each site worked out its own, with its own exact times, and only sums over all strata were opened",
			"分层均在站点之内：各站点以本站点的精确时间自行计算，仅公开对全部层的求和"))
	}
	r.Suppressed = append(r.Suppressed, joinedStrata(c.setup, st.Joined)...)
	for _, stratum := range st.Cut {
		r.Suppressed = append(r.Suppressed, tail(c.strata.label(c.frame, stratum)))
	}
}
