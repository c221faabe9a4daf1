package survival

import (
	"math"

	"wellspring/frame"
	"wellspring/stat"
)

// counts are what the counting round opens: by cell (stratum and group) and
// step, how many leave, how many of them with an event, and how many enter.
type counts struct {
	axis
	n                    int // steps
	leave, events, enter []int64
	// Institutions by cell and step: with somebody at risk (exact axis), with
	// an event, with a censoring (coarse axis); nil where no limit asks.
	riskSites, eventSites, censoredSites []int64
	sites                                []int64 // by cell
	anyEvent                             int64   // institutions with an event
}

// countShape lists the counts of one round; none has a basis, as round 0.
func (s *setup) countShape(a axis) stat.Shape {
	n := len(a.ends) * s.cells()
	shape := stat.Shape{{Name: "leave", Len: n}, {Name: "events", Len: n}}
	if s.roles.Start >= 0 {
		shape = append(shape, stat.Block{Name: "enter", Len: n})
	}
	for _, name := range s.presence(a) {
		shape = append(shape, stat.Block{Name: name, Len: n, Presence: true})
	}
	return append(shape, stat.Block{Name: "sites", Len: s.cells(), Presence: true},
		stat.Block{Name: "anyEvent.sites", Len: 1, Presence: true})
}

func (s *setup) presence(a axis) []string {
	switch {
	case s.problem.Policy().MinSites <= 1:
		return nil
	case a.exact:
		return []string{"risk.sites"}
	}
	return []string{"events.sites", "censored.sites"}
}

type countFold struct {
	s                    *setup
	axis                 axis
	leave, events, enter []float64 // [cell][step]
}

func newCountFold(s *setup, a axis) *countFold {
	n := len(a.ends) * s.cells()
	f := &countFold{s: s, axis: a, leave: make([]float64, n), events: make([]float64, n)}
	if s.roles.Start >= 0 {
		f.enter = make([]float64, n)
	}
	return f
}

func (f *countFold) Add(b frame.Batch) error {
	sub, err := f.s.read(b)
	if err != nil {
		return err
	}
	for r, stop := range sub.stop {
		cell := f.s.strata.code(sub.values, r)*f.s.groups.n + f.s.groups.code(sub.values, r)
		at, err := f.axis.at(stop)
		if err != nil {
			return err
		}
		base := cell * len(f.axis.ends)
		f.leave[base+at]++
		f.events[base+at] += sub.event[r]
		if f.enter != nil {
			if e := below(f.axis.ends, sub.start[r]); e > 0 {
				f.enter[base+e-1]++
			}
		}
	}
	return nil
}

func (f *countFold) Vector() (stat.Vector, error) {
	out := append(append(stat.Vector{}, f.leave...), f.events...)
	out = append(out, f.enter...)
	for _, name := range f.s.presence(f.axis) {
		for i, n := range f.leave {
			switch name {
			case "events.sites":
				n = f.events[i]
			case "censored.sites":
				n -= f.events[i]
			case "risk.sites":
				n = 0 // below
			}
			out = append(out, n)
		}
		if name == "risk.sites" {
			f.atRisk(out[len(out)-len(f.leave):])
		}
	}
	steps, happened := len(f.axis.ends), 0.0
	for cell := range f.s.cells() {
		n := 0.0
		for i := cell * steps; i < (cell+1)*steps; i++ {
			n += f.leave[i]
			happened += f.events[i]
		}
		out = append(out, n)
	}
	return append(out, happened), nil
}

// atRisk sets out to the rows at risk at each step of each cell.
func (f *countFold) atRisk(out []float64) {
	steps := len(f.axis.ends)
	for cell := range f.s.cells() {
		n := 0.0
		for i := (cell+1)*steps - 1; i >= cell*steps; i-- {
			n += f.leave[i]
			if f.enter != nil {
				n -= f.enter[i]
			}
			out[i] = n
		}
	}
}

func readCounts(a axis, sum stat.Sum) *counts {
	return &counts{axis: a, n: len(a.ends), leave: sum.Counts("leave"), events: sum.Counts("events"), enter: sum.Counts("enter"),
		riskSites: sum.Counts("risk.sites"), eventSites: sum.Counts("events.sites"), censoredSites: sum.Counts("censored.sites"),
		sites: sum.Counts("sites"), anyEvent: sum.Counts("anyEvent.sites")[0]}
}

// persons returns the rows of a cell.
func (c *counts) persons(cell int) int64 {
	return total(c.leave[cell*c.n : (cell+1)*c.n])
}

func total(n []int64) int64 {
	var sum int64
	for _, v := range n {
		sum += v
	}
	return sum
}

// A curve is the time steps of one stratum or group: the rows at risk are those
// that leave after Lo and entered before Hi, and N of them; D have their event
// in (Lo, Hi], Out leave there, events included. Hi is the time that is told.
type curve struct {
	Lo  []float64 `json:"lo"`
	Hi  []float64 `json:"hi"`
	N   []int64   `json:"n"`
	D   []int64   `json:"d"`
	Out []int64   `json:"out"`
}

// stretches parts the axis for some cells that are looked at together. On an
// exact axis each time at which somebody leaves stands alone, up to the last
// after which enough are still at risk: cut says that some were left out, whose
// number would follow from a row later. On a coarse axis steps are merged. None
// means that nothing may be shown, or that nobody is there.
func (c *counts) stretches(s *setup, cells ...int) (out []stretch, cut bool) {
	pol := s.problem.Policy()
	leave, events := c.over(c.leave, cells), c.over(c.events, cells)
	if !c.exact {
		censored := make([]int64, c.n)
		for i := range censored {
			censored[i] = leave[i] - events[i]
		}
		var sites [][]int64
		if c.eventSites != nil {
			sites = [][]int64{c.most(c.eventSites, cells), c.most(c.censoredSites, cells)}
		}
		kinds := [][]int64{events, censored}
		if c.enter != nil { // they follow from the numbers at risk
			kinds = append(kinds, shifted(c.over(c.enter, cells)))
		}
		return merge(pol, kinds, sites), false
	}
	risk := c.atRisk(cells)
	sites := c.most(c.riskSites, cells)
	out = []stretch{}
	for i, n := range leave {
		if n == 0 {
			continue
		}
		institutions := pol.MinSites
		if sites != nil {
			institutions = sites[i]
		}
		if pol.Hidden(risk[i], institutions) {
			return out[:max(0, len(out)-1)], true
		}
		out = append(out, stretch{i, i + 1})
	}
	return out, false
}

// shifted moves counts one step later: whoever is counted as entering at the
// end of a step is at risk from the next one on.
func shifted(n []int64) []int64 {
	return append([]int64{0}, n[:len(n)-1]...)
}

// over adds up a count over cells.
func (c *counts) over(n []int64, cells []int) []int64 {
	out := make([]int64, c.n)
	for _, cell := range cells {
		for i, v := range n[cell*c.n : (cell+1)*c.n] {
			out[i] += v
		}
	}
	return out
}

// most gives a lower bound of the institutions over cells; nil for nil.
func (c *counts) most(n []int64, cells []int) []int64 {
	if n == nil {
		return nil
	}
	out := make([]int64, c.n)
	for _, cell := range cells {
		for i, v := range n[cell*c.n : (cell+1)*c.n] {
			out[i] = max(out[i], v)
		}
	}
	return out
}

// atRisk returns how many are at risk at each step of an exact axis.
func (c *counts) atRisk(cells []int) []int64 {
	out := c.over(c.leave, cells)
	if c.enter != nil {
		for i, v := range c.over(c.enter, cells) {
			out[i] -= v
		}
	}
	for i := c.n - 2; i >= 0; i-- {
		out[i] += out[i+1]
	}
	return out
}

// curve reads the counts of some cells together on the given stretches of the
// axis.
func (c *counts) curve(at []stretch, cells ...int) curve {
	var out curve
	leave, events := suffix(c.over(c.leave, cells)), suffix(c.over(c.events, cells))
	var enter []int64
	if c.enter != nil {
		enter = suffix(c.over(c.enter, cells))
	}
	for _, s := range at {
		n := leave[s.from]
		if enter != nil {
			n -= enter[s.to-1]
		}
		out.Lo = append(out.Lo, c.before(s.from))
		out.Hi = append(out.Hi, c.ends[s.to-1])
		out.N = append(out.N, n)
		out.D = append(out.D, events[s.from]-events[s.to])
		out.Out = append(out.Out, leave[s.from]-leave[s.to])
	}
	return out
}

// suffix returns the sums from each entry to the end, and 0 after it.
func suffix(n []int64) []int64 {
	out := make([]int64, len(n)+1)
	for i := len(n) - 1; i >= 0; i-- {
		out[i] = out[i+1] + n[i]
	}
	return out
}

// before returns what lies below all times of step i and above those of the
// step before.
func (c *counts) before(i int) float64 {
	switch {
	case c.exact:
		return math.Nextafter(c.ends[i], math.Inf(-1))
	case i == 0:
		return -math.MaxFloat64
	}
	return c.ends[i-1]
}
