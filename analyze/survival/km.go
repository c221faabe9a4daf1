package survival

import (
	"math"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// KM is the method "km": Kaplan–Meier curves of the groups on the right side.
func KM() analyze.Method {
	return analyze.Loop[counting]{Name: "km", Needs: needs, Frames: kmFrames, Counts: true,
		Start: func(p *analyze.Problem) (counting, *study.Result, error) {
			_, err := confidence(p.Analysis)
			return counting{}, nil, err
		},
		Ask: askCounts, Fold: foldCounts, Next: nextKM}.Method()
}

// counting is the state of a method that needs one round of counts: all that
// it depends on stands in the problem.
type counting struct{}

func countSetup(p *analyze.Problem) (*setup, axis, error) {
	s, err := newSetup(p, true)
	if err != nil {
		return nil, axis{}, err
	}
	a, err := s.axis(p.Scalars)
	return s, a, err
}

func askCounts(p *analyze.Problem, _ counting) (analyze.Ask, error) {
	s, a, err := countSetup(p)
	if err != nil {
		return analyze.Ask{}, err
	}
	return analyze.Ask{Shape: s.countShape(a), Query: p.Query(s.frame)}, nil
}

func foldCounts(p *analyze.Problem, _ counting) (analyze.Fold, error) {
	s, a, err := countSetup(p)
	if err != nil {
		return nil, err
	}
	return newCountFold(s, a), nil
}

func kmFrames(a study.Analysis, f analyze.Facts) ([]*formula.Frame, error) {
	frames, err := bindGroups(a, f)
	if err != nil {
		return nil, err
	}
	if len(frames[0].Roles().Strata) > 0 {
		return nil, ws.Errorf(ws.Invalid, "km: formula", ws.T("curves have groups, not strata()", "生存曲线按组绘制，不使用 strata()")).
			WithHint(ws.T("write the factor without strata()", "请直接写因子，不加 strata()"))
	}
	return frames, nil
}

func nextKM(p *analyze.Problem, st counting, sum stat.Sum) (counting, *study.Result, error) {
	s, a, err := countSetup(p)
	if err != nil {
		return st, nil, err
	}
	conf, err := confidence(p.Analysis)
	if err != nil {
		return st, nil, err
	}
	c := s.readCounts(a, sum)
	r := &study.Result{Tidy: []study.Row{}, Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	if !a.exact {
		r.Notes = append(r.Notes, coarseNote(len(a.ends)), curveNote())
	}
	n, d, all := make([]int64, s.cells()), make([]int64, s.cells()), make([]int64, s.cells())
	curves, hidden := make([]curve, s.cells()), make([]bool, s.cells())
	for cell := range n {
		at := c.steps(s, cell)
		n[cell], curves[cell] = c.persons(cell), c.curve(at, cell)
		d[cell], all[cell] = total(curves[cell].D), total(c.over(c.events, []int{cell}))
		hidden[cell] = n[cell] > 0 && at.hidden
		if at.cut {
			r.Suppressed = append(r.Suppressed, tail(s.groups.label(s.frame, cell)))
		}
	}
	if err := s.judgeGroups("km", hidden, n, c.sites, d, all); err != nil {
		return st, nil, err
	}
	if err := s.judgeOutcomes("km", total(d), c.anyEvent); err != nil {
		return st, nil, err
	}
	r.Glance = study.Row{{Name: "nobs", Value: s.totals.Complete}, {Name: "nevent", Value: total(d)},
		{Name: "missing", Value: s.totals.Rows - s.totals.Complete}}
	for cell, curve := range curves {
		if n[cell] == 0 {
			continue
		}
		name, k := s.groups.label(s.frame, cell), estimate(curve, conf)
		r.Tidy = append(r.Tidy, k.rows(name)...)
		r.Summary = append(r.Summary, k.summary(name, n[cell], d[cell]))
	}
	return st, r, nil
}

// A kaplanMeier is an estimated curve with its pointwise limits.
type kaplanMeier struct {
	curve
	surv, se, low, high []float64
}

// estimate gives the estimator of Kaplan and Meier, with Greenwood's variance
// of ln S:
//
//	S(t) = Π (1 − d/n),  se² = Σ d/(n·(n−d))   over times up to t;
//
// on a coarse axis, with the effective n of a step, this is the actuarial one.
//
// E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete
// observations", JASA 53, 1958, doi:10.1080/01621459.1958.10501452.
func estimate(c curve, conf limits) kaplanMeier {
	k := kaplanMeier{curve: c}
	s, v := 1.0, 0.0
	for i, at := range c.Exposed {
		d := float64(c.D[i])
		if d > 0 {
			s = float64(s * ((at - d) / at))
			v += d / float64(at*(at-d)) // +Inf when the last ones have their event
		}
		se := math.Sqrt(v)
		low, high := conf.of(s, se)
		if math.IsInf(se, 1) {
			se = math.NaN()
		}
		k.surv, k.se = append(k.surv, s), append(k.se, se)
		k.low, k.high = append(k.low, low), append(k.high, high)
	}
	return k
}

func (k kaplanMeier) rows(name string) []study.Row {
	var out []study.Row
	for i, t := range k.Hi {
		out = append(out, study.Row{{Name: "time", Value: t}, {Name: "n_risk", Value: k.number(k.Exposed[i])}, {Name: "n_event", Value: k.D[i]},
			{Name: "n_censor", Value: k.number(k.Censored[i])}, {Name: "estimate", Value: k.surv[i]}, {Name: "std_error", Value: k.se[i]},
			{Name: "conf_low", Value: k.low[i]}, {Name: "conf_high", Value: k.high[i]}, {Name: "strata", Value: name}})
	}
	return out
}

// number is a count on an exact axis, an estimate on a coarse one.
func (k kaplanMeier) number(v float64) any {
	if k.coarse {
		return v
	}
	return int64(v)
}

func (k kaplanMeier) summary(name string, records, events int64) study.Row {
	return study.Row{{Name: "strata", Value: name}, {Name: "records", Value: records}, {Name: "events", Value: events},
		{Name: "median", Value: k.half(k.surv)},
		{Name: "conf_low", Value: k.half(k.low)}, {Name: "conf_high", Value: k.half(k.high)}}
}

// half returns the time at which y is one half. Within a step of a coarse axis
// it is on the straight line between the step's ends.
func (k kaplanMeier) half(y []float64) float64 {
	if !k.coarse {
		return crossing(y, k.Hi)
	}
	before := 1.0
	for i, v := range y {
		if v <= 0.5 {
			return k.Lo[i] + float64((k.Hi[i]-k.Lo[i])*((before-0.5)/(before-v)))
		}
		if v > 0.5 { // not NaN
			before = v
		}
	}
	return math.NaN()
}

// crossing returns the first time at which a curve is at or below one half,
// or, where it is level at exactly one half, the middle of that level, as
// survfit does; NaN if it stays above.
func crossing(y, time []float64) float64 {
	const tolerance = 0x1p-26 // the root of the spacing at 1, as in R
	first := -1
	for i, v := range y {
		switch {
		case math.IsNaN(v) || v >= 0.5+tolerance:
		case first < 0:
			first = i
			if math.Abs(v-0.5) >= tolerance {
				return time[i]
			}
		case v < y[first]:
			return (time[first] + time[i]) / 2
		}
	}
	if first < 0 {
		return math.NaN()
	}
	return time[first]
}

// limits are how confidence limits of a survival probability are made.
type limits struct {
	kind string
	z    float64
}

func confidence(a study.Analysis) (limits, error) {
	level, kind := a.ConfLevel, a.ConfType
	if level == 0 {
		level = 0.95
	}
	if kind == "" {
		kind = "log"
	}
	if !(level > 0 && level < 1) {
		return limits{}, ws.Errorf(ws.Invalid, "conf_level", ws.T("conf_level lies between 0 and 1", "conf_level 须在 0 与 1 之间"))
	}
	switch kind {
	case "log", "log-log", "plain", "none":
		return limits{kind, solve.NormalQuantile(1 - float64((1-level)/2))}, nil
	}
	return limits{}, ws.Errorf(ws.Invalid, "conf_type", ws.T("conf_type is log, log-log, plain or none", "conf_type 须为 log、log-log、plain 或 none"))
}

// of returns the limits at a survival s whose logarithm has standard error se,
// as survfit does; NaN where there are none.
func (l limits) of(s, se float64) (low, high float64) {
	none := math.NaN()
	switch {
	case l.kind == "plain":
		half := float64(l.z * se * s)
		return atLeast(s-half, 0), atMost(s+half, 1)
	case l.kind == "none" || s == 0 || l.kind == "log-log" && s == 1:
		return none, none
	case l.kind == "log":
		ln, half := solve.Log(s), float64(l.z*se)
		return solve.Exp(ln - half), atMost(solve.Exp(ln+half), 1)
	}
	ln := solve.Log(s)
	half := float64(l.z*se) / ln // below 0
	return solve.Exp(-solve.Exp(solve.Log(-ln) - half)), solve.Exp(-solve.Exp(solve.Log(-ln) + half))
}

func atLeast(v, bound float64) float64 {
	if v < bound {
		return bound
	}
	return v
}

func atMost(v, bound float64) float64 {
	if v > bound {
		return bound
	}
	return v
}
