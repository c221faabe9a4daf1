package survival

import (
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
)

// counts are what the counting round opens: by cell (stratum and group) and
// step, how many leave, how many of them with an event, and how many enter.
type counts struct {
	axis
	n                    int // steps
	leave, events, enter []int64
	// Institutions: by cell and time with somebody at risk (exact axis), by
	// part and node with an event, with a censoring (coarse axis); nil where no
	// limit asks.
	riskSites, eventSites, censoredSites []int64
	nodes                                []stretch
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
	switch {
	case s.problem.Policy().MinInstitutions <= 1:
	case a.exact:
		shape = append(shape, stat.Block{Name: "risk.sites", Len: n, Presence: true})
	default:
		n := len(s.nodes(len(a.ends))) * s.parts()
		shape = append(shape, stat.Block{Name: "events.sites", Len: n, Presence: true},
			stat.Block{Name: "censored.sites", Len: n, Presence: true})
	}
	shape = append(shape, stat.Block{Name: "sites", Len: s.cells(), Presence: true},
		stat.Block{Name: "anyEvent.sites", Len: 1, Presence: true})
	return append(shape, newLevelEvents(s).shape()...)
}

// nodes lists the stretches of n coarse steps of which institutions are
// counted: a binary tree over the steps, since those of two stretches do not
// add up. It leaves out the levels in whose nodes fewer than k are expected.
func (s *setup) nodes(n int) []stretch {
	size := 1
	for size < n && float64(size)*float64(s.totals.Complete) < float64(s.problem.Policy().MinCell)*float64(n*s.parts()) {
		size *= 2
	}
	var out []stretch
	for ; ; size *= 2 {
		for from := 0; from < n; from += size {
			out = append(out, stretch{from, min(from+size, n)})
		}
		if size >= n {
			return out
		}
	}
}

// parts is how many parts of the rows have steps of their own: groups whose
// curves are estimated, or strata.
func (s *setup) parts() int {
	if s.compared {
		return s.strata.n
	}
	return s.cells()
}

// partOf returns the part of a cell.
func (s *setup) partOf(cell int) int {
	if s.compared {
		return cell / s.groups.n
	}
	return cell
}

type countFold struct {
	s                    *setup
	axis                 axis
	leave, events, enter []float64 // [cell][step]
	levels               levelEvents
}

func newCountFold(s *setup, a axis) *countFold {
	n := len(a.ends) * s.cells()
	f := &countFold{s: s, axis: a, leave: make([]float64, n), events: make([]float64, n), levels: newLevelEvents(s)}
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
		f.levels.add(sub, r)
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
	steps, happened := len(f.axis.ends), 0.0
	switch {
	case f.s.problem.Policy().MinInstitutions <= 1:
	case f.axis.exact:
		out = append(out, make(stat.Vector, len(f.leave))...)
		f.atRisk(out[len(out)-len(f.leave):])
	default:
		out = append(out, f.present(func(i int) float64 { return f.events[i] })...)
		out = append(out, f.present(func(i int) float64 { return f.leave[i] - f.events[i] })...)
	}
	for cell := range f.s.cells() {
		n := 0.0
		for i := cell * steps; i < (cell+1)*steps; i++ {
			n += f.leave[i]
			happened += f.events[i]
		}
		out = append(out, n)
	}
	return append(append(out, happened), f.levels.vector()...), nil
}

// present adds up a count over the nodes of each part.
func (f *countFold) present(count func(i int) float64) stat.Vector {
	steps := len(f.axis.ends)
	nodes := f.s.nodes(steps)
	out := make(stat.Vector, f.s.parts()*len(nodes))
	for cell := range f.s.cells() {
		own := out[f.s.partOf(cell)*len(nodes):]
		for k, node := range nodes {
			for i := node.from; i < node.to; i++ {
				own[k] += count(cell*steps + i)
			}
		}
	}
	return out
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

func (s *setup) readCounts(a axis, sum stat.Sum) *counts {
	return &counts{axis: a, n: len(a.ends), leave: sum.Counts("leave"), events: sum.Counts("events"), enter: sum.Counts("enter"),
		riskSites: sum.Counts("risk.sites"), eventSites: sum.Counts("events.sites"), censoredSites: sum.Counts("censored.sites"),
		nodes: s.nodes(len(a.ends)), sites: sum.Counts("sites"), anyEvent: sum.Counts("anyEvent.sites")[0]}
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

// steps are how an axis is parted for some cells that are looked at together.
type steps struct {
	at []stretch // with events; on an exact axis, at which anybody leaves
	// censored are the stretches, of a coarse axis, over which censorings are
	// spread evenly. They are others than those of events, since few
	// censorings would lengthen these.
	censored []stretch
	cut      bool // late times were left out
	hidden   bool // there is somebody of whom nothing may be shown
}

// steps parts the axis for some cells. On an exact axis each time at which
// somebody leaves stands alone, up to the last after which enough are still at
// risk, since the number of those left would follow from it. On a coarse axis
// steps are merged.
func (c *counts) steps(s *setup, cells ...int) steps {
	pol := s.problem.Policy()
	leave, events := c.over(c.leave, cells), c.over(c.events, cells)
	if c.exact {
		at, cut := c.atTimes(pol, leave, cells)
		return steps{at: at, cut: cut, hidden: len(at) == 0 && total(leave) > 0}
	}
	kinds, censored := [][]int64{events}, make([]int64, c.n)
	for i := range censored {
		censored[i] = leave[i] - events[i]
	}
	if c.enter != nil { // they follow from the numbers at risk
		kinds = append(kinds, shifted(c.over(c.enter, cells)))
	}
	out := steps{at: merge(pol, kinds, c.institutions(s, cells, c.eventSites)),
		censored: merge(pol, [][]int64{censored}, c.institutions(s, cells, c.censoredSites))}
	out.hidden = out.at == nil || out.censored == nil
	return out
}

func (c *counts) atTimes(pol policy.Policy, leave []int64, cells []int) (out []stretch, cut bool) {
	risk := c.atRisk(cells)
	sites := c.most(c.riskSites, c.n, cells)
	for i, n := range leave {
		if n == 0 {
			continue
		}
		institutions := pol.MinInstitutions
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

// institutions gives, for the first kind of persons, a lower bound of the
// institutions of a stretch: those of its best node. nil where none was counted.
func (c *counts) institutions(s *setup, cells []int, sites []int64) func(kind int, in stretch) int64 {
	if sites == nil {
		return nil
	}
	var parts []int
	for _, cell := range cells {
		parts = append(parts, s.partOf(cell))
	}
	n := c.most(sites, len(c.nodes), parts)
	return func(kind int, in stretch) int64 {
		most := int64(0)
		if kind > 0 {
			return s.problem.Policy().MinInstitutions
		}
		for k, node := range c.nodes {
			if in.from <= node.from && node.to <= in.to {
				most = max(most, n[k])
			}
		}
		return most
	}
}

// most gives a lower bound of the institutions over parts of n entries each;
// nil for nil.
func (c *counts) most(sites []int64, n int, parts []int) []int64 {
	if sites == nil {
		return nil
	}
	out := make([]int64, n)
	for _, part := range parts {
		for i, v := range sites[part*n : (part+1)*n] {
			out[i] = max(out[i], v)
		}
	}
	return out
}

// each returns every step of the axis alone.
func (c *counts) each() []stretch {
	var out []stretch
	for i := range c.n {
		out = append(out, stretch{i, i + 1})
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

// suffix returns the sums from each entry to the end, and 0 after it.
func suffix(n []int64) []int64 {
	out := make([]int64, len(n)+1)
	for i := len(n) - 1; i >= 0; i-- {
		out[i] = out[i+1] + n[i]
	}
	return out
}
