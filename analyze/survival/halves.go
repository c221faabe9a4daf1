package survival

import (
	"math"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// On a coarse axis each point is evaluated in two rounds, so that the second
// moments need not be opened step by step. With S₀ and S₁ of every step opened
// first, the factors that the information puts on S₂ are public,
//
//	I = Σ_steps (a·S₂ − b·T₂) − Σ_events m·mᵀ
//	a = Σ_k 1/(S₀ − k/d·T₀),  b = Σ_k (k/d)/(S₀ − k/d·T₀),  k = 0 … d−1
//
// (T over tied events, m the mean that an event sees; by Breslow's rule a =
// d/S₀, b = 0), and sites open the first sum alone: p(p+1)/2 scalars for all
// steps together.

// A halfway is what the first of the two rounds found.
type halfway struct {
	LogLik float64   `json:"loglik"`
	Score  []float64 `json:"score"`
	Info   []float64 `json:"info"` // −Σ m·mᵀ, upper triangle
	// Risk and Tied are a and b of each step, of all blocks one after the other.
	Risk []float64 `json:"risk"`
	Tied []float64 `json:"tied"`
}

// secondShape is the second round. No more persons stand behind a product than
// behind either column.
func (c *coxSetup) secondShape(st coxState) stat.Shape {
	p, x := c.design.P(), c.column()
	// a·S₂ is at most x²·d·(1 + ln d), should all at risk have the event
	most := x * x * (1 + solve.Log(float64(1+st.Events)))
	return stat.Shape{{Name: "second", Len: p * (p + 1) / 2, Frac: stat.FracFor(most, c.totals.Rows), Basis: c.pairs()}}
}

// A secondFold adds up Σ (a·S₂ − b·T₂) row by row.
//
// Cost: p²/2 products a row.
type secondFold struct {
	stepper
	st    coxState
	first []int
	upTo  []float64 // a summed from a block's first step to each
	sums  []float64
}

func newSecondFold(c *coxSetup, st coxState) *secondFold {
	f := &secondFold{stepper: newStepper(c, st.Fit.Beta), st: st, sums: make([]float64, width(c.design.P()))}
	at := 0
	for _, s := range st.Strata {
		f.first = append(f.first, at)
		sum := 0.0
		for range s.D {
			sum += st.Half.Risk[at]
			f.upTo = append(f.upTo, sum)
			at++
		}
	}
	return f
}

func (f *secondFold) Add(b frame.Batch) error {
	sub, err := f.c.read(b)
	if err != nil {
		return err
	}
	return f.each(sub.values, func(r int, eta float64, x []float64) error {
		if !(eta <= maxEta) {
			return nil // the round before had none
		}
		block := f.st.block(f.c.strata.code(sub.values, r))
		steps, first := &f.st.Strata[block], f.first[block]
		sum := 0.0
		steps.each(sub.from(r), sub.stop[r], sub.event[r] == 1, func(step int, share float64) {
			sum += share * f.upTo[first+step]
		})
		if at := steps.of(sub.stop[r]); at >= 0 && sub.event[r] == 1 {
			sum -= f.st.Half.Tied[first+at]
		}
		if sum != 0 {
			accumulate(f.sums, sum*math.Exp(eta), x)
		}
		return nil
	})
}

func (f *secondFold) Vector() (stat.Vector, error) {
	return stat.Vector(f.sums[1+len(f.beta):]), nil
}

// nextHalf takes in either round of an evaluation on a coarse axis.
func (c *coxSetup) nextHalf(st coxState, sum stat.Sum) (coxState, *study.Result, error) {
	st.Spent += sum.Shape.Len()
	names := c.design.Names()
	if st.Half == nil {
		var e evaluation
		var l *partial
		st, e, l = c.readRisk(st, sum, false)
		e.last = !c.affords(st)
		if st.Fit.rejects(e) {
			_, err := st.Fit.next(e, names)
			return st, nil, err
		}
		st.Half = &halfway{LogLik: l.loglik, Score: l.score, Info: l.info, Risk: l.risk, Tied: l.tied}
		return st, nil, nil
	}
	h := st.Half
	st.Half = nil
	upper := sum.Reals("second")
	for i, v := range h.Info {
		upper[i] += v
	}
	e := evaluation{loglik: h.LogLik, score: h.Score, info: full(upper, c.design.P()), events: st.Events, last: !c.affords(st)}
	done, err := st.Fit.next(e, names)
	if err != nil || !done {
		return st, nil, err
	}
	r, err := c.result(st, e)
	return st, r, err
}

// gridShare is the part of the scalars that the counting round may open.
const gridShare = 0.2

// fewEvaluations are planned for: Newton's third point is all but the maximum.
// goodEvaluations are planned for where enough steps are left.
const (
	fewEvaluations  = 3
	goodEvaluations = 4
	goodSteps       = 6
)

// perStep is what a step with events opens in an evaluation.
func (c *coxSetup) perStep() int {
	if c.efron {
		return 2 * (1 + c.design.P())
	}
	return 1 + c.design.P()
}

// evaluationScalars is what one evaluation opens for a number of steps.
func (c *coxSetup) evaluationScalars(steps int) int {
	p := c.design.P()
	return steps*c.perStep() + 1 + p*(p+1)/2
}

// affords reports whether what is left pays for one more evaluation.
func (c *coxSetup) affords(st coxState) bool {
	pending := 0
	if st.Half != nil {
		pending = c.secondShape(st).Len()
	}
	return float64(st.Spent+pending+c.evaluationScalars(st.eventSteps())) <= c.problem.Scalars
}

// mostSteps is how many steps with events the scalars pay for, after spent
// ones.
func (c *coxSetup) mostSteps(spent int) int {
	most := func(evaluations int) int {
		each := (c.problem.Scalars - float64(spent+c.design.P()+1)) / float64(evaluations)
		return int(math.Min((each-float64(c.evaluationScalars(0)))/float64(c.perStep()), maxGrid))
	}
	if n := most(goodEvaluations); n >= goodSteps {
		return n
	}
	return most(fewEvaluations)
}

// fewest is the least number of steps that tells early from late.
const fewest = 2

// afford joins steps, of all blocks, until the scalars pay for them: those
// neighbours first that have the fewest events.
func (c *coxSetup) afford(blocks []steps, n *counts, cells [][]int, spent int) error {
	most := c.mostSteps(spent)
	events := make([][]int64, len(blocks))
	count, held := 0, 0
	for b := range blocks {
		all := n.over(n.events, cells[b])
		var kept []stretch
		for _, s := range blocks[b].at {
			if d := total(all[s.from:s.to]); d > 0 {
				kept, events[b] = append(kept, s), append(events[b], d)
			}
		}
		blocks[b].at = kept
		count += len(kept)
		held += min(len(kept), 1)
	}
	if most < count && most < max(fewest, held) {
		return c.tooDear()
	}
	for ; count > most; count-- {
		join(blocks, events)
	}
	return nil
}

// join joins the two neighbouring steps of fewest events.
func join(blocks []steps, events [][]int64) {
	block, at := -1, 0
	for b, n := range events {
		for i := range n[:max(0, len(n)-1)] {
			if block < 0 || n[i]+n[i+1] < events[block][at]+events[block][at+1] {
				block, at = b, i
			}
		}
	}
	s, n := blocks[block].at, events[block]
	s[at].to, n[at] = s[at+1].to, n[at]+n[at+1]
	blocks[block].at = append(s[:at+1], s[at+2:]...)
	events[block] = append(n[:at+1], n[at+2:]...)
}

// exactFits refuses a model on exact times where the scalars do not pay for the
// counts and the sums of that many event steps at three points.
func (c *coxSetup) exactFits(steps int) error {
	times, ok := c.problem.Facts.ExactTimes(c.time)
	if c.local() || !ok || !c.problem.Policy().Grants(policy.ExactTimes) {
		return nil
	}
	need := c.countShape(axis{ends: times, exact: true}).Len() + c.gramShape().Len() + fewEvaluations*steps*width(c.design.P())
	if float64(need) > c.problem.Scalars {
		return c.tooDear()
	}
	return nil
}

// eventSteps counts the steps with events over all blocks.
func (st coxState) eventSteps() int {
	n := 0
	for _, s := range st.Strata {
		n += len(s.D)
	}
	return n
}

func (c *coxSetup) tooDear() error {
	return ws.Errorf(ws.Withheld, "cox", ws.T("the budget of opened numbers does not pay for a fit with this many terms on these rows", "公开数值的预算不足以在这些行上拟合如此多的项")).
		WithHint(ws.T("name fewer terms, ask for the model alone in a study, and round exact times; with strata(site) each site works out its own risk sets, which costs far less",
			"请减少项数，在一项研究中只问该模型，并将精确时间取整；使用 strata(site) 时由各站点自行计算风险集，开销小得多"))
}
