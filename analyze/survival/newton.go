package survival

import (
	"errors"
	"math"
	"strings"

	ws "wellspring"
	"wellspring/stat/solve"
)

// A newton climbs the log partial likelihood from 0, one public step a round.
type newton struct {
	// At is the best point so far, Step the Newton step from it, Beta the
	// point that the round evaluates: At plus a part of Step.
	Beta []float64 `json:"beta"`
	At   []float64 `json:"at,omitempty"`
	Step []float64 `json:"step,omitempty"`
	// LogLik and Decrement λ² = Uᵀ·I⁻¹·U were found at At.
	LogLik    float64 `json:"loglik"`
	Decrement float64 `json:"decrement"`
	// Null and Score are the log likelihood and λ², the score statistic, at 0.
	Null  float64 `json:"null"`
	Score float64 `json:"score"`

	Iterations int `json:"iterations"`
	Halvings   int `json:"halvings"`
	Rounds     int `json:"rounds"`
	Flat       int `json:"flat"` // steps in a row that gained ever less without getting shorter
	Far        int `json:"far"`  // points that were out of range
}

// An evaluation is what a round found at Beta.
type evaluation struct {
	loglik float64
	score  []float64
	info   []float64 // p×p
	events int64
	// far says that the linear predictor was out of range somewhere.
	far bool
	// last says that the budget of scalars does not pay for another one.
	last bool
}

const (
	maxIterations = 60
	maxHalvings   = 40
	maxRounds     = 120
	// maxFar is how often a point may be out of range before the fit is given
	// up: a first step can go too far, a maximum that lies there cannot be had.
	maxFar = 8

	// precise is the λ² at which the fit ends: a step of 1e-10 standard errors,
	// after which what is left is its square. Rounding may not let λ² sink so
	// far: then it ends where λ² is small and has stopped shrinking.
	precise = 1e-20
	small   = 1e-12

	// nearly is the λ² from which on a last step may be taken unseen.
	nearly = 1e-2

	// flatGain is the λ² under which steps that do not get shorter mean that
	// the likelihood has no maximum: with a finite one, moving a column by its
	// deviation gains or loses the order of one event.
	flatGain = 1e-4

	// maxMove is the largest step, as the deviation of the change of the linear
	// predictor within the risk sets, λ/√events.
	maxMove = 2
)

// next takes in an evaluation. done says that At is the answer and e belongs
// to it.
func (n *newton) next(e evaluation, names []string) (done bool, err error) {
	n.Rounds++
	if e.far {
		n.Far++
	}
	if n.At != nil && n.rejects(e) {
		if e.last {
			return false, spent()
		}
		return false, n.halve(names)
	}
	if e.far {
		return false, unbounded()
	}
	c, err := solve.Factor(e.info, len(names))
	if err != nil {
		return false, n.singular(err, names)
	}
	last, lastStep := n.Decrement, n.Step
	step := c.Solve(e.score)
	n.Decrement = math.Max(solve.Dot(e.score, step), 0)
	if n.At == nil {
		n.Null, n.Score = e.loglik, n.Decrement
	} else {
		n.Iterations++
	}
	n.At, n.Step, n.LogLik = n.Beta, step, e.loglik
	if n.Decrement <= precise || n.Decrement <= small && lastStep != nil && n.Decrement > 0.01*last {
		return true, nil
	}
	if e.last {
		if n.Decrement > nearly {
			return false, spent()
		}
		n.finish()
		return true, nil
	}
	if err := n.flat(last, lastStep, names); err != nil {
		return false, err
	}
	if n.Iterations >= maxIterations {
		return false, notConverged()
	}
	n.Halvings = 0
	if move := math.Sqrt(n.Decrement / float64(e.events)); move > maxMove {
		for i := range n.Step {
			n.Step[i] = float64(n.Step[i] * (maxMove / move))
		}
	}
	n.move(1)
	return false, nil
}

// rejects reports whether an evaluation was too far, so that the next one is
// nearer.
func (n *newton) rejects(e evaluation) bool {
	return e.far || n.At != nil && e.loglik < n.LogLik-float64(1e-12*(1+math.Abs(n.LogLik)))
}

// finish takes the last step unseen: of λ standard errors, it leaves an error
// of the order λ²/√events of one. The likelihood is that of the parabola.
func (n *newton) finish() {
	n.move(1)
	n.At = n.Beta
	n.LogLik += float64(n.Decrement / 2)
}

// move sets the next point to At + part·Step.
func (n *newton) move(part float64) {
	n.Beta = make([]float64, len(n.At))
	for i, b := range n.At {
		n.Beta[i] = b + float64(part*n.Step[i])
	}
}

// halve goes back half of what was left of the last step.
func (n *newton) halve(names []string) error {
	n.Halvings++
	switch {
	case n.Far > maxFar:
		return outOfRange(n.Step, names)
	case n.Halvings > maxHalvings || n.Rounds > maxRounds:
		return notConverged()
	}
	n.move(math.Ldexp(1, -n.Halvings))
	return nil
}

// flat recognises a likelihood that only approaches its supremum: Newton's
// steps go on at the same length while λ² dwindles by a constant factor.
func (n *newton) flat(last float64, lastStep []float64, names []string) error {
	if lastStep == nil || n.Decrement > flatGain || largest(n.Step) < largest(lastStep)/2 || n.Decrement < 0.02*last {
		n.Flat = 0
		return nil
	}
	if n.Flat++; n.Flat < 2 {
		return nil
	}
	return infinite(n.Step, names)
}

func largest(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = math.Max(m, math.Abs(x))
	}
	return m
}

// singular names the column on which the information fails.
func (n *newton) singular(err error, names []string) error {
	var s *solve.Singular
	switch {
	case !errors.As(err, &s):
		return ws.At("cox", err)
	case n.At != nil:
		return infiniteTerms(names[s.Column])
	}
	return ws.Errorf(ws.Invalid, "cox: term "+names[s.Column],
		ws.T("the term is a linear combination of terms before it, or does not vary among those at risk", "该项是其前各项的线性组合，或在在险者中没有变化")).
		WithHint(ws.T("remove it from the formula", "请将其从公式中移除"))
}

// moved names the terms that a step moves most.
func moved(step []float64, names []string) string {
	most := largest(step)
	var terms []string
	for i, v := range step {
		if math.Abs(v) >= most/10 {
			terms = append(terms, names[i])
		}
	}
	return strings.Join(terms, ", ")
}

func infinite(step []float64, names []string) error { return infiniteTerms(moved(step, names)) }

func outOfRange(step []float64, names []string) error {
	return ws.Errorf(ws.Invalid, "cox",
		ws.T("hazards differ too much to be added up: the effect of %s is too strong, or has extreme values", "风险相差过大，无法求和：%s 的效应过强，或存在极端值", moved(step, names))).
		WithHint(ws.T("look for a term that nearly orders the times, or filter extreme values", "请检查是否有几乎决定时间先后的项，或筛除极端值"))
}

func notConverged() error {
	return ws.Errorf(ws.Invalid, "cox", ws.T("the fit did not converge in %d iterations", "拟合在 %d 次迭代内未收敛", maxIterations)).
		WithHint(ws.T("check for terms that nearly determine who has the event, and for extreme values", "请检查是否有几乎决定事件的项，以及极端值"))
}

func spent() error {
	return ws.Errorf(ws.Withheld, "cox", ws.T("the budget of opened numbers was spent before the fit had converged", "拟合收敛之前，公开数值的预算已用完")).
		WithHint(ws.T("name fewer terms, or use strata(site)", "请减少项数，或使用 strata(site)"))
}

func infiniteTerms(terms string) error {
	return ws.Errorf(ws.Invalid, "cox",
		ws.T("the likelihood converges before %s does: the coefficient is infinite, because a group has no event or events follow the term without error",
			"似然先于 %s 收敛：该系数为无穷大，因为某组没有事件，或事件与该项完全对应", terms)).
		WithHint(ws.T("remove the term, or merge levels so that each has events", "请移除该项，或合并水平使每个水平都有事件"))
}

func unbounded() error {
	return ws.Errorf(ws.Invalid, "cox", ws.T("the offset is out of range: its exponential cannot be added up", "偏移量超出范围，其指数无法求和")).
		WithHint(ws.T("an offset is on the scale of log hazard ratios; check its unit", "偏移量以对数风险比为单位，请检查其单位"))
}
