package survival

import (
	"math"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// LogRank is the method "logrank": the G-rho family of tests of equal survival,
// plain and stratified.
func LogRank() analyze.Method {
	return analyze.Loop[counting]{Name: "logrank", Needs: needs, Frames: logrankFrames, Counts: true,
		Start: startLogRank, Ask: askLogRank, Fold: foldLogRank, Next: nextLogRank}.Method()
}

func logrankFrames(a study.Analysis, f analyze.Facts) ([]*formula.Frame, error) {
	frames, err := bindGroups(a, f)
	if err != nil {
		return nil, err
	}
	switch {
	case frames[0].Roles().Start >= 0:
		return nil, ws.Errorf(ws.Invalid, "logrank: formula", ws.T("the test takes right-censored times only", "该检验仅适用于右删失时间")).
			WithHint(ws.T("use the method cox for Surv(start, stop, event)", "Surv(start, stop, event) 请使用 cox 方法"))
	case len(groupFactors(frames[0], true)) == 0:
		return nil, oneGroup()
	}
	return frames, nil
}

func oneGroup() error {
	return ws.Errorf(ws.Invalid, "logrank", ws.T("there is only one group to compare", "只有一个组，无法比较")).
		WithHint(ws.T("name a factor on the right side of which two levels have rows", "请在公式右侧写出至少两个水平有数据的因子"))
}

// maxGroups bounds the groups of a test: their covariance is opened.
const maxGroups = 256

// maxRho bounds the exponent of the weights.
const maxRho = 10

func startLogRank(p *analyze.Problem) (counting, *study.Result, error) {
	s, err := newSetup(p, true)
	switch {
	case err != nil:
		return counting{}, nil, err
	case s.groups.n > maxGroups:
		return counting{}, nil, ws.Errorf(ws.Invalid, "logrank", ws.T("more than %d groups", "分组超过 %d 个", maxGroups))
	case !(p.Analysis.Rho >= 0 && p.Analysis.Rho <= maxRho):
		return counting{}, nil, ws.Errorf(ws.Invalid, "rho", ws.T("rho lies between 0 and %d", "rho 须在 0 与 %d 之间", maxRho))
	}
	return counting{}, nil, p.Policy().Parameters("logrank", s.groups.n-1, s.totals.Complete)
}

func askLogRank(p *analyze.Problem, st counting) (analyze.Ask, error) {
	s, err := newSetup(p, true)
	if err != nil {
		return analyze.Ask{}, err
	}
	if !s.local() {
		return askCounts(p, st)
	}
	g, n := s.groups.n, s.totals.Complete
	frac := stat.FracFor(1, s.totals.Rows)
	return analyze.Ask{Query: p.Query(s.frame), Chain: true, Shape: stat.Shape{
		{Name: "persons", Len: g}, {Name: "persons.sites", Len: g, Presence: true},
		{Name: "events", Len: g}, {Name: "events.sites", Len: g, Presence: true},
		{Name: "observed", Len: g, Frac: frac, Basis: stat.Repeat(n, g)},
		{Name: "expected", Len: g, Frac: frac, Basis: stat.Repeat(n, g)},
		{Name: "variance", Len: g * (g + 1) / 2, Frac: frac, Basis: stat.Repeat(n, g*(g+1)/2)}}}, nil
}

func foldLogRank(p *analyze.Problem, st counting) (analyze.Fold, error) {
	s, err := newSetup(p, true)
	if err != nil {
		return nil, err
	}
	if !s.local() {
		return foldCounts(p, st)
	}
	return &localCounts{s: s, strata: make([]map[float64][]int64, s.strata.n)}, nil
}

// localCounts counts, at one site, who leaves by stratum, time and group, and
// tests each stratum alone.
//
// Cost: memory of 2·groups counts a distinct time and stratum.
type localCounts struct {
	s      *setup
	strata []map[float64][]int64 // leaving by group, then events by group
}

func (f *localCounts) Add(b frame.Batch) error {
	sub, err := f.s.read(b)
	if err != nil {
		return err
	}
	g := f.s.groups.n
	for r, stop := range sub.stop {
		stratum := f.s.strata.code(sub.values, r)
		times := f.strata[stratum]
		if times == nil {
			times = make(map[float64][]int64)
			f.strata[stratum] = times
		}
		n := times[stop]
		if n == nil {
			n = make([]int64, 2*g)
			times[stop] = n
		}
		group := f.s.groups.code(sub.values, r)
		n[group]++
		n[g+group] += int64(sub.event[r])
	}
	return nil
}

func (f *localCounts) Vector() (stat.Vector, error) {
	g := f.s.groups.n
	t := newTest(g, f.s.problem.Analysis.Rho)
	persons, events := make([]float64, g), make([]float64, g)
	for _, times := range f.strata {
		risk, died := make([][]float64, g), make([][]int64, g)
		order := sorted(times)
		for i := range g {
			risk[i], died[i] = make([]float64, len(order)), make([]int64, len(order))
			n := 0.0
			for k := len(order) - 1; k >= 0; k-- {
				at := times[order[k]]
				n += float64(at[i])
				risk[i][k], died[i][k] = n, at[g+i]
				events[i] += float64(at[g+i])
			}
			persons[i] += n
		}
		t.stratum(risk, died)
	}
	return slices.Concat(stat.Vector(persons), persons, events, events, t.observed, t.expected, t.variance), nil
}

func sorted[V any](m map[float64]V) []float64 {
	out := make([]float64, 0, len(m))
	for t := range m {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// A test adds up, over strata, observed and expected events by group and the
// covariance of their difference (upper triangle), for weights S(t−)^ρ from the
// stratum's own Kaplan–Meier curve.
//
// D. P. Harrington and T. R. Fleming, "A class of rank test procedures for
// censored survival data", Biometrika 69, 1982, doi:10.1093/biomet/69.3.553.
type test struct {
	groups                       int
	rho                          float64
	coarse                       bool
	observed, expected, variance []float64
}

func newTest(groups int, rho float64) *test {
	return &test{groups: groups, rho: rho, observed: make([]float64, groups), expected: make([]float64, groups),
		variance: make([]float64, groups*(groups+1)/2)}
}

// stratum adds one stratum: by group and time, ascending, how many are at risk
// and how many of them have an event.
//
// Events of a coarse step are not tied: they come one after the other, in each
// group evenly over the step, so that the j-th of d sees d·ⱼ/d of a group's
// events gone. That is Efron's rule for Cox's score.
func (t *test) stratum(risk [][]float64, events [][]int64) {
	survival := 1.0
	at, d := make([]float64, t.groups), make([]float64, t.groups)
	for i := range events[0] {
		dead := 0.0
		for g := range d {
			d[g] = float64(events[g][i])
			dead += d[g]
		}
		if dead == 0 {
			continue
		}
		parts := 1.0
		if t.coarse {
			parts = math.Min(dead, mostParts)
		}
		weights := 0.0
		for j := 0.0; j < parts; j++ {
			n, gone := 0.0, 0.0
			if t.coarse {
				gone = (j+0.5)/parts - 0.5/dead // j/d where each event is a part
			}
			for g := range at {
				at[g] = risk[g][i] - float64(gone*d[g])
				n += at[g]
			}
			weight := 1.0
			if t.rho != 0 {
				weight = solve.Exp(float64(t.rho * solve.Log(survival)))
			}
			t.step(weight, at, n, dead/parts)
			weights += weight
			survival = float64(survival * ((n - dead/parts) / n))
		}
		for g := range d {
			t.observed[g] += float64(weights / parts * d[g])
		}
	}
}

// mostParts bounds the parts of a step, for the sake of time: past it, an event
// is a small part of the step's.
const mostParts = 64

// step adds one time of n at risk and dead events: expected d·nₖ/n, covariance
// d·(n−d)/(n−1)·nₖ/n·(δ − nₗ/n), of untied events d·nₖ/n·(δ − nₗ/n).
func (t *test) step(weight float64, risk []float64, n, dead float64) {
	spread := float64(weight*weight) * dead
	if !t.coarse {
		spread = 0
		if n > 1 {
			spread = float64(weight*weight) * (float64(dead*(n-dead)) / (n - 1))
		}
	}
	i := 0
	for k, nk := range risk {
		share := nk / n
		t.expected[k] += float64(float64(weight*dead) * share)
		for l := k; l < t.groups; l++ {
			v := -float64(share * (risk[l] / n))
			if l == k {
				v += share
			}
			t.variance[i] += float64(spread * v)
			i++
		}
	}
}

// outcome is all that a result needs.
type outcome struct {
	*test
	persons, sites, events []int64
	allEvents              []int64 // those after the follow-up that is used too
}

func nextLogRank(p *analyze.Problem, st counting, sum stat.Sum) (counting, *study.Result, error) {
	s, err := newSetup(p, true)
	if err != nil {
		return st, nil, err
	}
	r := &study.Result{Tidy: []study.Row{}, Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	o := outcome{test: newTest(s.groups.n, p.Analysis.Rho)}
	var eventSites int64
	if s.local() {
		o.persons, o.sites, o.events = sum.Counts("persons"), sum.Counts("persons.sites"), sum.Counts("events")
		o.observed, o.expected, o.variance = sum.Reals("observed"), sum.Reals("expected"), sum.Reals("variance")
		o.allEvents = o.events
		eventSites = slices.Max(sum.Counts("events.sites"))
	} else if eventSites, err = s.network(&o, sum, r); err != nil {
		return st, nil, err
	}
	events := total(o.events)
	if err := s.judgeOutcomes("logrank", events, eventSites); err != nil {
		return st, nil, err
	}
	if events == 0 {
		return st, nil, noEvents("logrank")
	}
	if err := s.judgeGroups("logrank", nil, o.persons, o.sites, o.events, o.allEvents); err != nil {
		return st, nil, err
	}
	statistic, df, err := o.statistic()
	if err != nil {
		return st, nil, err
	}
	r.Glance = study.Row{{Name: "statistic", Value: statistic}, {Name: "df", Value: int64(df)},
		{Name: "p_value", Value: solve.ChiSquareSF(statistic, float64(df))}, {Name: "nobs", Value: s.totals.Complete},
		{Name: "nevent", Value: events}, {Name: "missing", Value: s.totals.Rows - s.totals.Complete}}
	s.groupRows(o, r)
	return st, r, nil
}

// network tests every stratum from the counts over all sites.
func (s *setup) network(o *outcome, sum stat.Sum, r *study.Result) (eventSites int64, err error) {
	a, err := s.axis(s.problem.Scalars)
	if err != nil {
		return 0, err
	}
	c, g := s.readCounts(a, sum), s.groups.n
	if !a.exact {
		r.Notes = append(r.Notes, coarseNote(len(a.ends)), testNote())
	}
	o.coarse = !a.exact
	o.persons, o.sites, o.events, o.allEvents = make([]int64, g), make([]int64, g), make([]int64, g), make([]int64, g)
	for cell, n := range c.sites {
		o.persons[cell%g] += c.persons(cell)
		o.allEvents[cell%g] += total(c.over(c.events, []int{cell}))
		o.sites[cell%g] = max(o.sites[cell%g], n)
	}
	b := c.blocks(s)
	r.Suppressed = append(r.Suppressed, b.remarks(s)...)
	for block := range b.n {
		strata := b.strata(block)
		at := c.steps(s, s.cellsOf(strata)...)
		if !a.exact { // no number of a step is told, so censorings need not be joined
			at.censored = c.each()
		}
		if at.cut {
			r.Suppressed = append(r.Suppressed, tail(b.label(s, block)))
		}
		var risk [][]float64
		var dead [][]int64
		for k := range g {
			var cells []int
			for _, stratum := range strata {
				cells = append(cells, stratum*g+k)
			}
			cv := c.curve(at, cells...)
			risk, dead = append(risk, cv.Exposed), append(dead, cv.D)
			o.events[k] += total(cv.D)
		}
		o.test.stratum(risk, dead)
	}
	return c.anyEvent, nil
}

// statistic returns (O−E)ᵀ·V⁻¹·(O−E) over the groups with expected events but
// one, and its degrees of freedom.
func (o outcome) statistic() (chi float64, df int, err error) {
	var kept []int
	for k, e := range o.expected {
		if e > 0 {
			kept = append(kept, k)
		}
	}
	if len(kept) < 2 {
		return 0, 0, oneGroup()
	}
	kept = kept[1:]
	n := len(kept)
	v, d := make([]float64, n*n), make([]float64, n)
	for i, k := range kept {
		d[i] = o.observed[k] - o.expected[k]
		for j, l := range kept {
			v[i*n+j] = o.variance[triangle(o.groups, min(k, l), max(k, l))]
		}
	}
	c, err := solve.Factor(v, n)
	if err != nil {
		return 0, 0, ws.Errorf(ws.Invalid, "logrank", ws.T("no event tells the groups apart, so they cannot be compared", "没有事件可用来区分各组，无法比较"))
	}
	return solve.Dot(d, c.Solve(d)), n, nil
}

// triangle is the place of (i, j), i ≤ j, in the upper triangle of an n×n
// matrix, row after row.
func triangle(n, i, j int) int { return i*n - i*(i-1)/2 + j - i }

// groupRows adds a summary row a group.
func (s *setup) groupRows(o outcome, r *study.Result) {
	for k, n := range o.persons {
		if n > 0 {
			r.Summary = append(r.Summary, study.Row{{Name: "group", Value: s.groups.label(s.frame, k)}, {Name: "n", Value: n},
				{Name: "observed", Value: o.observed[k]}, {Name: "expected", Value: o.expected[k]}})
		}
	}
}
