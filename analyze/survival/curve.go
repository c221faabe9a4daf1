package survival

import (
	"math"
	"sort"
)

// A curve is the time steps of one stratum or group: D have their event in
// (Lo, Hi]; Hi is the time that is told. N is how many persons at most are at
// risk in it, Exposed their effective number, Censored how many are censored
// since the step before; on an exact axis both are the counts themselves.
type curve struct {
	Lo, Hi            []float64
	N, D              []int64
	Exposed, Censored []float64
	coarse            bool
}

// curve reads the counts of some cells together on the given steps.
func (c *counts) curve(at steps, cells ...int) curve {
	if c.exact {
		return c.exactCurve(at, cells)
	}
	return c.coarseCurve(at, cells)
}

func (c *counts) exactCurve(at steps, cells []int) curve {
	var out curve
	leave, events, enter := c.suffixes(cells)
	for _, s := range at.at {
		n, d := leave[s.from]-enter[s.to-1], events[s.from]-events[s.to]
		out.add(math.Nextafter(c.ends[s.from], math.Inf(-1)), c.ends[s.to-1], n, d, float64(n), float64(leave[s.from]-leave[s.to]-d))
	}
	return out
}

// coarseCurve estimates the numbers at risk as a life table does, censorings
// being spread over their step: of c censorings a step (a, b] of events has
//
//	c·φ  at risk,  φ = 1 − mean of F over (a, b],
//
// with the share F(t) of them that has come by t (see parts); where both steps
// are the same, that is the actuary's n − c/2 for n at risk at a. Whoever enters
// in a step is at risk in all of it. The last row, without an event, is where
// the last censorings end.
//
// S. J. Cutler and F. Ederer, "Maximum utilization of the life table method in
// analyzing survival", J. Chron. Dis. 8, 1958, doi:10.1016/0021-9681(58)90126-7.
func (c *counts) coarseCurve(at steps, cells []int) curve {
	out := curve{coarse: true}
	leave, events, enter := c.suffixes(cells)
	parts := c.parts(at, cells)
	lost, later := make([]int64, len(parts)), make([]int64, len(parts)+1)
	for k := len(parts) - 1; k >= 0; k-- {
		g := at.censored[k]
		lost[k] = leave[g.from] - leave[g.to] - (events[g.from] - events[g.to])
		later[k] = later[k+1] + lost[k]
	}
	row := func(s stretch, lo float64) {
		hi, d := c.ends[s.to-1], events[s.from]-events[s.to]
		n := events[s.from] - enter[s.to-1]
		exposed, censored := 0.0, 0.0
		last := out.end(c.lo)
		k := sort.Search(len(parts), func(k int) bool { _, b := parts[k].ends(); return b > last })
		for ; k < len(parts) && parts[k].At[0] < hi; k++ {
			if phi := parts[k].within(lo, hi); phi > 0 {
				n += lost[k]
				exposed -= float64(float64(lost[k]) * (1 - phi))
			}
			censored += float64(float64(lost[k]) * (parts[k].before(hi) - parts[k].before(last)))
		}
		n += later[k]
		exposed += float64(n)
		// who enters late and is censored soon may be counted twice off
		out.add(lo, hi, n, d, math.Max(exposed, float64(d)), censored)
	}
	for _, s := range at.at {
		row(s, c.from(s))
	}
	if n := len(at.censored); n > 0 && c.ends[at.censored[n-1].to-1] > out.end(c.lo) {
		last := at.censored[n-1]
		if k := len(at.at); k > 0 {
			last.from = max(last.from, at.at[k-1].to)
		}
		row(last, math.Max(c.from(last), out.end(c.lo)))
	}
	return out
}

func (c *curve) add(lo, hi float64, n, d int64, exposed, censored float64) {
	c.Lo, c.Hi, c.N, c.D = append(c.Lo, lo), append(c.Hi, hi), append(c.N, n), append(c.D, d)
	c.Exposed, c.Censored = append(c.Exposed, exposed), append(c.Censored, censored)
}

// end returns the last time so far.
func (c *curve) end(otherwise float64) float64 {
	if len(c.Hi) == 0 {
		return otherwise
	}
	return c.Hi[len(c.Hi)-1]
}

// A part is a step (A, B] of a coarse axis in which some are censored: F at the
// times At, A first and B last, is the share that has left by then, and lies on
// straight lines between.
type part struct {
	At []float64 `json:"at"`
	F  []float64 `json:"f"`
}

// parts spreads the censorings of each step over it at a constant rate a person
// at risk: F rises as the integral of the number at risk, which falls with the
// events that are counted in the meantime.
func (c *counts) parts(at steps, cells []int) []part {
	leave, events, enter := c.suffixes(cells)
	var out []part
	for _, g := range at.censored {
		p := part{At: c.knots(g, at.at), F: []float64{0}}
		censored := leave[g.from] - events[g.from] + leave[g.to] - events[g.to]
		for i, hi := range p.At[1:] {
			mid := (p.At[i] + hi) / 2
			n := float64(float64(censored)/2) + c.remaining(mid, at.at, events) - float64(enter[min(sort.SearchFloat64s(c.ends, mid), c.n-1)])
			p.F = append(p.F, p.F[i]+float64((hi-p.At[i])*math.Max(n, 1)))
		}
		for i := range p.F {
			p.F[i] /= p.F[len(p.F)-1]
		}
		out = append(out, p)
	}
	return out
}

// knots are the ends of a step and those of others within it.
func (c *counts) knots(g stretch, others []stretch) []float64 {
	out, b := []float64{c.from(g)}, c.ends[g.to-1]
	first := sort.Search(len(others), func(i int) bool { return c.ends[others[i].to-1] > out[0] })
	for _, s := range others[first:] {
		if c.from(s) >= b {
			break
		}
		for _, t := range []float64{c.from(s), c.ends[s.to-1]} {
			if t > out[len(out)-1] && t < b {
				out = append(out, t)
			}
		}
	}
	return append(out, b)
}

// from returns where a stretch of a coarse axis begins.
func (c *counts) from(s stretch) float64 {
	if s.from == 0 {
		return c.lo
	}
	return c.ends[s.from-1]
}

// remaining returns the events after t, those of a step evenly over it.
func (c *counts) remaining(t float64, at []stretch, events []int64) float64 {
	i := sort.Search(len(at), func(i int) bool { return c.ends[at[i].to-1] >= t })
	if i == len(at) {
		return 0
	}
	s := at[i]
	lo, hi := c.from(s), c.ends[s.to-1]
	gone := math.Max(0, (t-lo)/(hi-lo))
	return float64(events[s.from]) - float64(float64(events[s.from]-events[s.to])*gone)
}

func (p part) ends() (a, b float64) { return p.At[0], p.At[len(p.At)-1] }

// before returns F(t).
func (p part) before(t float64) float64 {
	i := sort.SearchFloat64s(p.At, t)
	switch i {
	case 0:
		return 0
	case len(p.At):
		return 1
	}
	return p.F[i-1] + float64((p.F[i]-p.F[i-1])*((t-p.At[i-1])/(p.At[i]-p.At[i-1])))
}

// within returns φ, the mean share that is still there over (lo, hi].
func (p part) within(lo, hi float64) float64 {
	a, b := p.ends()
	switch {
	case hi <= a:
		return 1
	case lo >= b:
		return 0
	}
	return 1 - (p.area(hi)-p.area(lo))/(hi-lo)
}

// area returns the integral of F up to t.
func (p part) area(t float64) float64 {
	sum := 0.0
	for i, hi := range p.At[1:] {
		lo := p.At[i]
		if t <= lo {
			return sum
		}
		end := math.Min(t, hi)
		sum += float64((end - lo) * ((p.F[i] + p.before(end)) / 2))
	}
	return sum + math.Max(0, t-p.At[len(p.At)-1])
}

// suffixes returns, for each step, who leaves in it or later, with an event,
// and who enters at its end or later.
func (c *counts) suffixes(cells []int) (leave, events, enter []int64) {
	enter = make([]int64, c.n+1)
	if c.enter != nil {
		enter = suffix(c.over(c.enter, cells))
	}
	return suffix(c.over(c.leave, cells)), suffix(c.over(c.events, cells)), enter
}
