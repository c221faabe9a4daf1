package analyze

import (
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/policy"
	"wellspring/stat"
)

// Whoever writes a comparison into a formula, such as age > 65, chooses whom it
// tells from the others. Under a cell limit the rows are therefore counted by
// all comparisons of a formula together, and by its outcome if that is one of
// two, a cell for each combination, before anything rests on them; a cell with
// too few, or with nobody though somebody could be there, ends the study. Without the outcome, a model of one comparison would
// give its four cells away.

// maxTruths bounds the comparisons of a formula under a cell limit, so that the
// cells stay few.
const maxTruths = 4

// truths judges the comparisons of a formula before any row is read.
func truths(f *formula.Frame, p policy.Policy) error {
	if p.MinCell <= 1 {
		return nil
	}
	if name, nested := f.Nested(); nested {
		return ws.Errorf(ws.Withheld, name, ws.T("a comparison within arithmetic tells whom it likes from the others, and they are not counted", "算术运算中的比较式可任意区分个人，而其人数未经计数")).
			WithHint(ws.T("under a cell limit make it a term of its own, such as I(age > 65)", "有单元限制时请将其单独成项，例如 I(age > 65)"))
	}
	if name, kinked := f.Kinked(); kinked {
		return ws.Errorf(ws.Withheld, name, ws.T("a function that bends at a chosen place can set single persons apart, and they are not counted", "在所选位置转折的函数可区分出个人，而其人数未经计数")).
			WithHint(ws.T("under a cell limit use a comparison as a term of its own, such as I(age > 65), or a polynomial", "有单元限制时请将比较式单独成项，例如 I(age > 65)，或使用多项式"))
	}
	if len(f.Truths()) > maxTruths {
		return ws.Errorf(ws.Withheld, "formula", ws.T("more than %d comparisons would part the persons too finely", "比较式超过 %d 个，会将人群划分得过细", maxTruths)).
			WithHint(ws.T("use fewer comparisons", "请减少比较式"))
	}
	return nil
}

// indicators are what the cells are made of: the comparisons of f, which has its
// columns of two values, and, where there are any, an event, or a response between
// 0 and 1 or of two levels.
func indicators(f *formula.Frame, twos []int, p policy.Policy) []formula.Truth {
	out := slices.Clone(f.Truths())
	if len(out) == 0 || p.MinCell <= 1 {
		return nil
	}
	roles := f.Roles()
	outcome := formula.Truth{Numeric: max(roles.Event, roles.Response), Factor: roles.ResponseFactor, One: 1}
	switch {
	case outcome.Factor >= 0 && len(f.Factors()[outcome.Factor].Levels) == 2:
		outcome.Name, outcome.Numeric = f.Factors()[outcome.Factor].Name, -1
	case outcome.Numeric >= 0 && f.Numeric()[outcome.Numeric].Lo >= 0 && f.Numeric()[outcome.Numeric].Hi <= 1:
		outcome.Name, outcome.Factor = f.Numeric()[outcome.Numeric].Name, -1
		if at := twos[outcome.Numeric]; at >= 0 && !compared(out, outcome.Numeric) {
			outcome.Numeric, outcome.Column, outcome.One = at, f.Numeric()[at].Column, f.Numeric()[at].Hi
		}
	default:
		return out
	}
	same := func(t formula.Truth) bool { return t.Numeric == outcome.Numeric && t.Factor == outcome.Factor }
	if !slices.ContainsFunc(out, same) {
		out = append(out, outcome)
	}
	return out
}

// compared reports whether a variable is one of the truths.
func compared(truths []formula.Truth, numeric int) bool {
	return slices.ContainsFunc(truths, func(t formula.Truth) bool { return t.Numeric == numeric })
}

// truthBlocks lists the cells of a frame's comparisons, none without a limit.
func (g guarded) truthBlocks() stat.Shape {
	if len(g.truths) == 0 {
		return nil
	}
	n := 1 << len(g.truths)
	return stat.Shape{{Name: "truths", Len: n}, {Name: "truths.sites", Len: n, Presence: true}}
}

// truthOf is the cell of row r: bit i is 1 where truth i holds.
func truthOf(truths []formula.Truth, v formula.Values, r int) int {
	cell := 0
	for i, t := range truths {
		if t.Holds(v, r) {
			cell |= 1 << i
		}
	}
	return cell
}

// judgeTruths judges the cells that truthBlocks lists. It names what was
// compared, never a count.
func (g guarded) judgeTruths(op string, p policy.Policy, s stat.Sum) error {
	if len(g.truths) == 0 {
		return nil
	}
	sites := s.Counts("truths.sites")
	for c, n := range s.Counts("truths") {
		if !p.Few(n, sites[c], g.void(partition{truths: g.truths}, c, n)) {
			continue
		}
		var names []string
		for _, t := range g.truths {
			names = append(names, t.Name)
		}
		return ws.Errorf(ws.Withheld, op, ws.T("a comparison sets too few persons or institutions apart: %s", "比较式所区分出的人数或机构数过少：%s", strings.Join(names, ", "))).
			WithHint(ws.T("choose bounds that leave more persons on both sides", "请选择使两侧人数更多的界值"))
	}
	return nil
}
