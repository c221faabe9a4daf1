package survival

import (
	"math"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/stat"
)

// localShape lists what a site opens of strata that lie within it: the log
// partial likelihood, its gradient and second derivative, over all strata.
func (c *coxSetup) localShape(st coxState) stat.Shape {
	p, n, x := c.design.P(), c.totals.Complete, c.column()
	frac := func(bound float64) uint8 { return stat.FracFor(bound, c.totals.Rows) }
	shape := stat.Shape{
		{Name: "loglik", Len: 1, Frac: frac(2*maxEta + 128), Basis: stat.Repeat(n, 1)},
		{Name: "score", Len: p, Frac: frac(2 * x), Basis: append([]int64{}, c.design.Support()...)},
		{Name: "info", Len: p * (p + 1) / 2, Frac: frac(2 * x * x), Basis: c.pairs()},
		{Name: "far", Len: 1, Flag: true}}
	shape = append(shape, st.leverageShape()...)
	if st.Events == 0 {
		shape = append(shape, c.gramShape()...)
		shape = append(shape, stat.Block{Name: "events", Len: 1}, stat.Block{Name: "events.sites", Len: 1, Presence: true})
		shape = append(shape, newLevelEvents(c.setup).shape()...)
	}
	return shape
}

// pairs gives the basis of an upper triangle: no more persons stand behind a
// product than behind either column.
func (c *coxSetup) pairs() []int64 {
	support := c.design.Support()
	var out []int64
	for i := range support {
		for _, n := range support[i:] {
			out = append(out, min(n, support[i]))
		}
	}
	return out
}

// maxLocal bounds a site's memory, in numbers of 8 bytes: 1 GiB.
const maxLocal = 1 << 27

// A localFold works out, at one site, strata that lie within it. It keeps, for
// every stratum and distinct time, the sums over those who leave then less
// those who enter then, so that a risk set is the sum from a time to the end.
//
// Cost: p²/2 products a row; memory of up to two sums of width(p) a distinct
// time, whatever the number of rows.
type localFold struct {
	stepper
	st     coxState
	strata []map[float64]*moment
	held   int // numbers in memory
	linear []float64
	shift  float64 // Σ offset over events
	events float64
	levels levelEvents
	far    float64
	gram   *gramFold // in the first round
	lever  *leverFold
}

// A moment is one distinct time of a stratum. Its sums are nil where nobody is.
type moment struct {
	leave []float64 // less those who enter
	tied  []float64 // over events, for Efron's rule
	d     int64
}

func newLocalFold(c *coxSetup, st coxState) *localFold {
	f := &localFold{lever: c.newLever(st), stepper: newStepper(c, st.Fit.Beta), st: st, strata: make([]map[float64]*moment, c.strata.n),
		linear: make([]float64, c.design.P()), levels: newLevelEvents(c.setup)}
	if st.Events == 0 {
		f.gram = c.newGram()
	}
	return f
}

func (f *localFold) Add(b frame.Batch) error {
	sub, err := f.c.read(b)
	if err != nil {
		return err
	}
	return f.each(sub.values, func(r int, eta float64, x []float64) error {
		f.levels.add(sub, r)
		f.gram.add(x)
		f.lever.add(x)
		event := sub.event[r] == 1
		if event {
			f.events++
			add(f.linear, x)
			f.shift += f.offset(sub.values, r)
		}
		if !(eta <= maxEta) {
			f.far++
			return nil
		}
		stratum, w := f.c.strata.code(sub.values, r), math.Exp(eta)
		m := f.moment(stratum, sub.stop[r])
		accumulate(m.leave, w, x)
		if event {
			m.d++
			if f.c.efron {
				f.hold(&m.tied)
				accumulate(m.tied, w, x)
			}
		}
		if sub.start != nil {
			accumulate(f.moment(stratum, sub.start[r]).leave, -w, x)
		}
		if f.held > maxLocal {
			return ws.Errorf(ws.Invalid, "time "+f.c.time, ws.T("too many distinct times for the memory of one fold", "不同时间点过多，超出单次计算的内存上限")).
				WithHint(ws.T("round the times, to days for instance", "请将时间取整，例如取到天"))
		}
		return nil
	})
}

func (f *localFold) moment(stratum int, t float64) *moment {
	times := f.strata[stratum]
	if times == nil {
		times = make(map[float64]*moment)
		f.strata[stratum] = times
	}
	m := times[t]
	if m == nil {
		m = &moment{}
		f.hold(&m.leave)
		times[t] = m
	}
	return m
}

// hold makes sums where there are none.
func (f *localFold) hold(sums *[]float64) {
	if *sums == nil {
		*sums = make([]float64, width(len(f.beta)))
		f.held += len(*sums)
	}
}

func (f *localFold) Vector() (stat.Vector, error) {
	p := len(f.beta)
	l := newPartial(p)
	copy(l.score, f.linear)
	for i, b := range f.beta {
		l.loglik += b * f.linear[i]
	}
	l.loglik += f.shift
	for _, times := range f.strata {
		if !f.stratum(l, times) {
			f.far++
		}
	}
	out := stat.Vector{l.loglik}
	out = append(append(append(append(out, l.score...), l.info...), f.far), f.lever.vector()...)
	if f.st.Events == 0 {
		out = append(out, f.gram.vector()...)
		out = append(append(out, f.events, f.events), f.levels.vector()...)
	}
	if f.far > 0 { // the point is refused, and its sums may not be finite
		clear(out[:1+p+len(l.info)])
	}
	return out, nil
}

// stratum adds one stratum's part of the likelihood, from its last time down.
func (f *localFold) stratum(l *partial, times map[float64]*moment) bool {
	risk := make([]float64, width(len(f.beta)))
	order := sorted(times)
	for i := len(order) - 1; i >= 0; i-- {
		m := times[order[i]]
		add(risk, m.leave)
		ok := true
		switch {
		case m.d == 0:
		case f.c.efron && m.d > 1:
			ok = l.efron(m.d, risk, m.tied)
		default:
			ok = l.breslow(m.d, risk)
		}
		if !ok {
			return false
		}
	}
	return true
}

// readLocal adds nothing to what the sites have worked out.
func (c *coxSetup) readLocal(st coxState, sum stat.Sum) (coxState, evaluation, error) {
	if st.Events == 0 {
		st.Events = sum.Counts("events")[0]
		c.readGram(&st, sum)
		if err := c.judgeEvents(st.Events, st.Events, sum.Counts("events.sites")[0]); err != nil {
			return st, evaluation{}, err
		}
		if err := newLevelEvents(c.setup).judge(c.setup, sum); err != nil {
			return st, evaluation{}, err
		}
	}
	return st, evaluation{loglik: sum.Reals("loglik")[0], score: sum.Reals("score"), info: full(sum.Reals("info"), c.design.P()),
		events: st.Events, far: sum.Counts("far")[0] > 0}, nil
}
