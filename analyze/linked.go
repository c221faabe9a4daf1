package analyze

import (
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/study"
)

// linked refuses a study of which one analysis hides part of a factor, or of
// its rows, that another counts: what is shown of both could give it back. Two
// tables that tell nothing of each other are not refused; see [Program.independent].
// Over several studies that is the work of a guard that remembers.
func (p *Program) linked(s progress, results []study.Result) error {
	k := p.facts.Policy.MinCell
	if k <= 1 {
		return nil
	}
	for i, r := range results {
		if err := p.weightless(i, s, r); err != nil {
			return err
		}
		if !hides(r) {
			continue
		}
		for j, o := range results {
			if i == j {
				continue
			}
			n, m := r.Glance.Float("nobs"), o.Glance.Float("nobs")
			apart := m - n
			if column, ok := p.shared(i, j); ok && !p.independent(i, j, results) {
				return linkedError(p.parts[i], p.parts[j], column)
			}
			if apart < float64(k) && (apart > 0 || apart == 0 && p.scope.veils && leavesOut(r)) {
				return linkedError(p.parts[i], p.parts[j], "rows")
			}
		}
	}
	return nil
}

// neighbours refuses a study of which two analyses read a column over rows that
// differ by fewer persons than the limit: the difference of two sums would be
// theirs. It is judged by counts, before any value is opened.
func (p *Program) neighbours(s progress) error {
	k := p.facts.Policy.MinCell
	for i := range p.parts {
		for j := range i {
			for a, f := range p.parts[i].frames {
				for b, g := range p.parts[j].frames {
					apart := s.Parts[i].Totals[a].Complete - s.Parts[j].Totals[b].Complete
					if apart = max(apart, -apart); apart == 0 || apart >= k {
						continue
					}
					if c := common(f, g); c != "" {
						return p.neighbourError(i, j, c)
					}
				}
			}
		}
	}
	return nil
}

func (p *Program) neighbourError(i, j int, column string) error {
	return ws.Errorf(ws.Withheld, "study", ws.T("%s and %s read %s over rows that differ by a few persons, who are those with a missing value: the difference of the two would be theirs",
		"%s 与 %s 所用的 %s 的行仅相差少数有缺失值的人：两者之差即其数据", p.parts[j].analysis.Label(), p.parts[i].analysis.Label(), column)).
		WithHint(ws.T("let both read the same rows, as by where: crp >= 0, which leaves out missing values, or leave one of the two out", "请使两者基于相同的行，例如 where: crp >= 0（可排除缺失值），或去掉其中一个"))
}

// common names a column that two frames read.
func common(f, g *formula.Frame) string {
	for _, c := range f.Columns() {
		if slices.Contains(g.Columns(), c) {
			return c
		}
	}
	return ""
}

// weightless refuses a result that leaves out a few persons by a weight of zero, or nobody where somebody could have it.
func (p *Program) weightless(i int, s progress, r study.Result) error {
	if p.parts[i].analysis.Weights == "" {
		return nil
	}
	pol, none := p.facts.Policy, &frame.Compare{Column: p.parts[i].analysis.Weights, Op: frame.Eq}
	if zeros := s.Parts[i].Totals[0].Complete - int64(r.Glance.Float("nobs")); pol.Few(zeros, pol.MinInstitutions, zeros == 0 && p.scope.void(none)) {
		return ws.Errorf(ws.Withheld, p.parts[i].analysis.Label(), ws.T("too few persons have a weight of zero", "权重为零的人数过少")).
			WithHint(ws.T("add a constant to the weights, or leave these rows out by where", "请给权重加一个常数，或用 where 排除这些行"))
	}
	return nil
}

// leavesOut reports whether a result is of fewer rows than are complete, or, where nobody must look like too few,
// may be: it is a table of which levels are left out, with whoever has them.
func leavesOut(r study.Result) bool { return r.Method == "crosstab" && r.Glance.Get(missing) == nil }

// hides reports whether a result leaves out or hides levels or cells.
func hides(r study.Result) bool {
	return slices.ContainsFunc(r.Suppressed, func(s study.Suppressed) bool {
		return s.Code != study.Missing && s.Code != study.FollowUp && s.Code != study.Joined
	})
}

// shared names a factor column that two analyses read.
func (p *Program) shared(i, j int) (string, bool) {
	columns := func(frames []*formula.Frame) (out []string) {
		for _, f := range frames {
			for _, g := range f.Factors() {
				out = append(out, g.Column)
			}
		}
		return out
	}
	other := columns(p.parts[j].frames)
	for _, c := range columns(p.parts[i].frames) {
		if slices.Contains(other, c) {
			return c, true
		}
	}
	return "", false
}

// independent reports whether two cross-tabulations together tell of the hidden
// cells of either no more than it tells alone: both are of all rows, with all
// levels, so that the totals by the one factor that they share are shown in both
// and the same; and no analyses of the study go round in a circle. Then to any
// two tables with these totals there are persons who have both (A. Dobra and
// S. Fienberg, "Bounds for Cell Entries in Contingency Tables Given Marginal
// Totals and Decomposable Graphs", PNAS 97, 2000,
// doi:10.1073/pnas.97.22.11885), so that every table that agrees with what is
// shown of one goes with every one of the other.
func (p *Program) independent(i, j int, results []study.Result) bool {
	for _, k := range []int{i, j} {
		if p.parts[k].analysis.Method != "crosstab" || results[k].Glance.Float(missing) != 0 {
			return false // NaN where levels are left out, or few rows are missing
		}
	}
	both := 0
	for _, c := range p.parts[i].frames[0].Columns() {
		if slices.Contains(p.parts[j].frames[0].Columns(), c) {
			both++
		}
	}
	return both == 1 && p.acyclic()
}

// acyclic reports whether the sets of columns that the analyses read can be taken
// off one after the other, each hanging by columns of one other alone (the
// reduction of Graham, Yu and Özsoyoğlu: C. Beeri et al., "On the Desirability of
// Acyclic Database Schemes", JACM 30, 1983, doi:10.1145/2402.322389).
func (p *Program) acyclic() bool {
	var sets [][]string
	for _, part := range p.parts {
		for _, f := range part.frames {
			sets = append(sets, slices.Clone(f.Columns()))
		}
	}
	for before := -1; before != size(sets); {
		before = size(sets)
		for i := range sets {
			sets[i] = slices.DeleteFunc(sets[i], func(c string) bool {
				return !slices.ContainsFunc(slices.Concat(sets[:i], sets[i+1:]), func(s []string) bool { return slices.Contains(s, c) })
			})
		}
		for i := 0; i < len(sets); i++ {
			within := func(s []string) bool {
				return !slices.ContainsFunc(sets[i], func(c string) bool { return !slices.Contains(s, c) })
			}
			if slices.ContainsFunc(slices.Concat(sets[:i], sets[i+1:]), within) {
				sets = slices.Delete(sets, i, i+1)
				i--
			}
		}
	}
	return size(sets) == 0
}

func size(sets [][]string) int { return len(slices.Concat(sets...)) }

func linkedError(a, b part, what string) error {
	return ws.Errorf(ws.Withheld, "study", ws.T("%s hides part of %s, which %s could give back", "%s 隐去了 %s 的一部分，而 %s 可能使其被推算出来", a.analysis.Label(), what, b.analysis.Label())).
		WithHint(ws.T("merge the small levels in the data, or leave one of the two analyses out; of two tables that share one factor let neither lack a value, by complete_over; of two that share two ask for one with layers, which has the totals too", "请在数据中合并较小的水平，或去掉其中一个分析；若两个列联表共用一个因子，请用 complete_over 使二者均无缺失；若共用两个因子，请改用一个带 layers 的三维表，其中已含合计"))
}
