package survival

import (
	ws "wellspring"
	"wellspring/stat"
)

// The score test of a factor is a log-rank test, so the levels of a model are
// judged as groups are: by persons, events and censorings.

// judged lists the factors of a model whose events are counted by level: all
// but strata, where there is a limit.
func (s *setup) judged() []int {
	pol := s.problem.Policy()
	if !s.model || pol.MinCell <= 1 && pol.MinInstitutions <= 1 {
		return nil
	}
	strata := make(map[int]bool)
	for _, i := range s.roles.Strata {
		strata[i] = true
	}
	var out []int
	for i := range s.frame.Factors() {
		if !strata[i] {
			out = append(out, i)
		}
	}
	return out
}

// levelEvents counts the events of each level of the factors that are judged.
type levelEvents struct {
	factors []int
	counts  [][]float64
}

func newLevelEvents(s *setup) levelEvents {
	l := levelEvents{factors: s.judged()}
	for _, i := range l.factors {
		l.counts = append(l.counts, make([]float64, len(s.frame.Factors()[i].Levels)))
	}
	return l
}

func (l levelEvents) add(sub subjects, r int) {
	for k, i := range l.factors {
		l.counts[k][sub.values.Factor[i][r]] += sub.event[r]
	}
}

// shape is one block after the other; none has a basis, as in round 0.
func (l levelEvents) shape() stat.Shape {
	n := 0
	for _, c := range l.counts {
		n += len(c)
	}
	if n == 0 {
		return nil
	}
	return stat.Shape{{Name: "level.events", Len: n}}
}

func (l levelEvents) vector() stat.Vector {
	var out stat.Vector
	for _, c := range l.counts {
		out = append(out, c...)
	}
	return out
}

// judge refuses a level of which too few persons have an event, or have none.
func (l levelEvents) judge(s *setup, sum stat.Sum) error {
	if l.shape() == nil {
		return nil
	}
	events := sum.Counts("level.events")
	for k, i := range l.factors {
		g := s.frame.Factors()[i]
		for at, name := range g.Levels {
			n, d, sites := s.totals.Levels[i][at], events[at], s.totals.LevelSites[i][at]
			void := s.problem.Void(0, []int{i}, at, n)
			if s.fewHave(true, d, sites, void) || s.fewHave(false, n-d, sites, void) {
				return ws.Errorf(ws.Withheld, "factor "+g.Name, ws.T("too few persons of level %q have an event, or have none", "水平 %q 中发生或未发生事件的人数过少", name)).
					WithHint(ws.T("merge levels, or filter the rows that have it", "请合并水平，或筛除取该水平的行"))
			}
		}
		events = events[len(l.counts[k]):]
	}
	return nil
}
