package survival

import (
	"math"
	"sort"

	ws "wellspring"
	"wellspring/policy"
)

// An axis is the time steps on which the network counts: step i is the times
// above ends[i−1] and up to ends[i].
type axis struct {
	ends  []float64
	exact bool    // ends are all distinct times, which the sites have published
	lo    float64 // of a coarse axis, below its first step
}

// maxGrid bounds the steps that a study may ask for, maxCounts the entries of
// the counting round.
const (
	maxGrid   = 10000
	maxCounts = 1 << 22
)

// axis gives the distinct times where every dataset grants them, else steps
// over the dictionary's range of the time that end at its (i/n)² parts: events
// are more, and more at risk, in early times. At most the given number of
// scalars is spent on them, if that leaves an answer.
func (s *setup) axis(scalars float64) (axis, error) {
	a := axis{}
	if times, ok := s.problem.Facts.ExactTimes(s.time); ok && s.problem.Policy().Grants(policy.ExactTimes) {
		a = axis{ends: s.frame.Times(times), exact: true}
	} else {
		v := s.frame.Numeric()[s.roles.Time]
		if math.IsInf(v.Hi-v.Lo, 0) || math.IsNaN(v.Hi-v.Lo) {
			return a, ws.Errorf(ws.Invalid, "time "+s.time, ws.T("the dictionary does not bound the time", "数据字典未给出时间的范围")).
				WithHint(ws.T("give the column a min and a max", "请为该列设置 min 和 max"))
		}
		n, err := s.gridSteps(scalars)
		if err != nil {
			return a, err
		}
		a.lo = math.Nextafter(v.Lo, math.Inf(-1)) // the first step holds it too
		for i := 1; i < n; i++ {
			part := float64(i) / float64(n)
			a.ends = append(a.ends, v.Lo+float64((v.Hi-v.Lo)*float64(part*part)))
		}
		a.ends = append(a.ends, v.Hi)
	}
	if len(a.ends)*s.cells() > maxCounts {
		return a, ws.Errorf(ws.Invalid, "time "+s.time, ws.T("the groups or strata times the time steps are more than %d", "分组或分层数与时间步数之积超过 %d", maxCounts)).
			WithHint(ws.T("round the times, or use fewer strata", "请将时间取整，或减少分层"))
	}
	return a, nil
}

// fewSteps is the number of steps below which an answer says little, so that
// the budget of scalars had better refuse it.
const fewSteps = 8

// gridSteps returns the number of coarse steps: what the study asks for, but
// no more than the scalars pay for.
func (s *setup) gridSteps(scalars float64) (int, error) {
	n := s.problem.Analysis.Grid
	if n == 0 {
		n = 100
	}
	if n < 1 || n > maxGrid {
		return 0, ws.Errorf(ws.Invalid, "grid", ws.T("grid is between 1 and %d", "grid 须在 1 与 %d 之间", maxGrid))
	}
	paid := sort.Search(n, func(i int) bool { return float64(s.countScalars(i+1)) > scalars })
	return max(paid, min(n, fewSteps)), nil
}

// countScalars is what the counting round opens for n coarse steps.
func (s *setup) countScalars(n int) int {
	return s.countShape(axis{ends: make([]float64, n)}).Len()
}

// at returns the step that holds a time.
func (a axis) at(t float64) (int, error) {
	i := sort.SearchFloat64s(a.ends, t)
	if i == len(a.ends) || a.exact && a.ends[i] != t {
		return 0, ws.Errorf(ws.Diverged, "time", ws.T("a row's time is not among the times that the site has published", "有行的时间不在本站点已公布的时间之中"))
	}
	return i, nil
}

// below returns how many of the ascending ends are at most t.
func below(ends []float64, t float64) int {
	return sort.Search(len(ends), func(i int) bool { return ends[i] > t })
}

// A stretch is the steps from to to−1 of an axis, taken together.
type stretch struct{ from, to int }

// merge joins neighbouring steps until none of the counted kinds of persons
// (events and those who enter, or censorings) has between 1 and k−1 persons in
// one, or too few institutions, where sites gives these: a step that may not be
// shown is joined with those after it and, at the end, with those before it.
// What was joined stays joined, so differences between neighbours rest on k
// persons too. Steps that nobody leaves are left out; those after the last in which somebody does, where nobody
// must look like too few, are joined with it, as they are if a few leave in them. nil means that even
// all steps together may not be shown.
func merge(pol policy.Policy, kinds [][]int64, sites func(kind int, s stretch) int64) []stretch {
	hidden := func(s stretch) bool {
		for k, n := range kinds {
			sum, most := total(n[s.from:s.to]), pol.MinInstitutions
			if sum > 0 && sum >= pol.MinCell && sites != nil {
				most = sites(k, s)
			}
			if pol.Hidden(sum, most) {
				return true
			}
		}
		return false
	}
	var out []stretch
	open := stretch{}
	for open.to < len(kinds[0]) {
		open.to++
		if !hidden(open) {
			out = append(out, open)
			open.from = open.to
		}
	}
	for open.from < open.to && hidden(open) {
		if len(out) == 0 {
			return nil
		}
		open.from = out[len(out)-1].from
		out = out[:len(out)-1]
	}
	if open.from < open.to {
		out = append(out, open)
	}
	out = occupied(out, kinds)
	if last := len(out) - 1; last >= 0 && pol.Veils() {
		out[last].to = len(kinds[0])
	}
	return out
}

func occupied(all []stretch, kinds [][]int64) []stretch {
	out := []stretch{}
	for _, s := range all {
		var n int64
		for _, kind := range kinds {
			n += total(kind[s.from:s.to])
		}
		if n > 0 {
			out = append(out, s)
		}
	}
	return out
}
