package survival

import (
	"slices"

	ws "wellspring"
	"wellspring/study"
)

// A blocks says in which block each stratum is counted: alone, or, where it is
// too small to be shown, in one with others. Nobody is left out, so that no
// difference of totals tells of a small stratum.
type blocks struct {
	of     []int // block of each stratum
	n      int
	joined []int // the strata that share a block, ascending
}

// blocks joins the strata of whom nothing may be shown into one; if that is
// still too small, with the smallest stratum that can lift it over the limits,
// or else with all.
func (c *counts) blocks(s *setup) blocks {
	var small []int
	for stratum := range s.strata.n {
		if c.tooSmall(s, []int{stratum}) {
			small = append(small, stratum)
		}
	}
	if len(small) > 0 && c.tooSmall(s, small) {
		small = c.lift(s, small)
	}
	slices.Sort(small)
	b := blocks{of: make([]int, s.strata.n), joined: small}
	other := -1
	for stratum := range b.of {
		_, in := slices.BinarySearch(small, stratum)
		switch {
		case !in:
			b.of[stratum] = b.n
			b.n++
		case other < 0:
			other = b.n
			b.n++
			fallthrough
		default:
			b.of[stratum] = other
		}
	}
	return b
}

// lift adds to small strata the one of fewest persons with which they may be
// shown, or all.
func (c *counts) lift(s *setup, small []int) []int {
	best, fewest := -1, int64(0)
	var all []int
	for stratum := range s.strata.n {
		cells := s.cellsOf([]int{stratum})
		leave, events := total(c.over(c.leave, cells)), total(c.over(c.events, cells))
		if leave == 0 {
			continue
		}
		all = append(all, stratum)
		if slices.Contains(small, stratum) || events == 0 || events == leave {
			continue // with some of both kinds it has enough of both
		}
		if best < 0 || leave < fewest {
			best, fewest = stratum, leave
		}
	}
	if best >= 0 && !c.tooSmall(s, append(slices.Clone(small), best)) {
		return append(small, best)
	}
	return all
}

// tooSmall reports whether strata have somebody, or must look so, and nothing of
// them together may be shown.
func (c *counts) tooSmall(s *setup, strata []int) bool {
	cells := s.cellsOf(strata)
	if total(c.over(c.leave, cells)) == 0 {
		return slices.ContainsFunc(strata, func(stratum int) bool { return s.problem.Few(0, s.strata.factors, stratum, 0, 0) })
	}
	return c.steps(s, cells...).hidden
}

// cellsOf lists the cells of some strata.
func (s *setup) cellsOf(strata []int) []int {
	var out []int
	for _, stratum := range strata {
		for g := range s.groups.n {
			out = append(out, stratum*s.groups.n+g)
		}
	}
	return out
}

// strata lists those of one block.
func (b blocks) strata(block int) []int {
	var out []int
	for stratum, at := range b.of {
		if at == block {
			out = append(out, stratum)
		}
	}
	return out
}

// code returns the block of each stratum, nil where each is its own.
func (b blocks) code() []int {
	if len(b.joined) == 0 {
		return nil
	}
	return b.of
}

// label names a block by its stratum, or by the first of those joined.
func (b blocks) label(s *setup, block int) string {
	return s.strata.label(s.frame, b.strata(block)[0])
}

// remarks says which strata were joined.
func (b blocks) remarks(s *setup) []study.Suppressed {
	return joinedStrata(s, b.joined)
}

func joinedStrata(s *setup, strata []int) []study.Suppressed {
	var out []study.Suppressed
	for _, stratum := range strata {
		out = append(out, study.Suppressed{What: s.strata.label(s.frame, stratum), Code: study.Joined,
			Why: ws.T("a stratum with too few persons, events or institutions, or one that such strata need: all strata with this remark count as one stratum",
				"该层人数、事件数或机构数过少，或为此类层所需：凡有此注的层合并为一层计算")})
	}
	return out
}

// judgeGroups refuses groups of whom too few are there, have an event, or have
// none, in all or as far as follow-up is used, or of which nothing may be shown
// for another reason. A group is never left out of an
// answer: its counts would follow from totals, or from another table in the
// same study.
func (s *setup) judgeGroups(op string, hidden []bool, persons, sites []int64, events ...[]int64) error {
	for k, n := range persons {
		void := s.problem.Void(0, s.groups.factors, k, n)
		for _, d := range events {
			if hidden != nil && hidden[k] || s.problem.Policy().Few(n, sites[k], void) || s.fewHave(true, d[k], sites[k], void) || s.fewHave(false, n-d[k], sites[k], void) {
				return s.smallGroup(op, k)
			}
		}
	}
	return nil
}

func (s *setup) smallGroup(op string, group int) error {
	if len(s.groups.factors) == 0 {
		return withheldEvents(op)
	}
	return ws.Errorf(ws.Withheld, op, ws.T("group %q has too few persons or institutions, or too few of them have an event, or have none", "组 %q 的人数或机构数过少，或其中发生、未发生事件者过少", s.groups.label(s.frame, group))).
		WithHint(ws.T("merge levels, or filter the rows of that group", "请合并水平，或筛除该组的行"))
}
