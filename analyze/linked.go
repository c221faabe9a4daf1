package analyze

import (
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/study"
)

// linked refuses a study of which one analysis hides part of a factor, or of
// its rows, that another counts: what is shown of both could give it back.
// Each table is protected on its own; over several studies that is the work of
// a guard that remembers.
func (p *Program) linked(results []study.Result) error {
	k := p.facts.Policy.MinCell
	if k <= 1 {
		return nil
	}
	for i, r := range results {
		if !hides(r) {
			continue
		}
		for j, o := range results {
			if i == j {
				continue
			}
			n, m := r.Glance.Float("nobs"), o.Glance.Float("nobs")
			apart := m - n
			if column, ok := p.shared(i, j); ok {
				return linkedError(p.parts[i], p.parts[j], column)
			}
			if apart > 0 && apart < float64(k) {
				return linkedError(p.parts[i], p.parts[j], "rows")
			}
		}
	}
	return nil
}

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

func linkedError(a, b part, what string) error {
	return ws.Errorf(ws.Withheld, "study", ws.T("%s hides part of %s, which %s could give back", "%s 隐去了 %s 的一部分，而 %s 可能使其被推算出来", label(a.analysis), what, label(b.analysis))).
		WithHint(ws.T("merge the small levels in the data, or leave one of the two analyses out", "请在数据中合并较小的水平，或去掉其中一个分析"))
}
