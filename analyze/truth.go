package analyze

import (
	"strings"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
)

// Whoever writes a comparison into a formula, such as age > 65, chooses whom it
// tells from the others. Under a cell limit the rows are therefore counted by
// all comparisons of a formula together, a cell for each combination of true
// and false, before anything rests on them; a cell with too few ends the study.

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
	if len(f.Truths()) > maxTruths {
		return ws.Errorf(ws.Withheld, "formula", ws.T("more than %d comparisons would part the persons too finely", "比较式超过 %d 个，会将人群划分得过细", maxTruths)).
			WithHint(ws.T("use fewer comparisons", "请减少比较式"))
	}
	return nil
}

// truthBlocks lists the cells of a formula's comparisons, none without a limit.
func truthBlocks(f *formula.Frame, p policy.Policy) stat.Shape {
	if len(f.Truths()) == 0 || p.MinCell <= 1 {
		return nil
	}
	n := 1 << len(f.Truths())
	return stat.Shape{{Name: "truths", Len: n}, {Name: "truths.sites", Len: n, Presence: true}}
}

// A truthFold counts complete rows by the cells of truthBlocks, besides what
// the fold within it counts.
type truthFold struct {
	*countFold
	cells []float64 // cell c has those rows for which truth i holds where c's bit i is 1
}

func newTruthFold(f *formula.Frame) *truthFold {
	return &truthFold{newCountFold(f), make([]float64, 1<<len(f.Truths()))}
}

func (t *truthFold) Add(b frame.Batch) error {
	v, err := t.frame.Eval(b)
	if err != nil {
		return err
	}
	t.count(b.Rows, v)
	for r := range v.Rows {
		cell := 0
		for i, truth := range t.frame.Truths() {
			if truth.Factor >= 0 && v.Factor[truth.Factor][r] == trueLevel(t.frame, truth) || truth.Factor < 0 && v.Numeric[truth.Numeric][r] == 1 {
				cell |= 1 << i
			}
		}
		t.cells[cell]++
	}
	return nil
}

// trueLevel is the code of TRUE, which relevel() may have moved.
func trueLevel(f *formula.Frame, t formula.Truth) int32 {
	if f.Factors()[t.Factor].Levels[0] == "TRUE" {
		return 0
	}
	return 1
}

func (t *truthFold) Vector() (stat.Vector, error) {
	out, err := t.countFold.Vector()
	return append(append(out, t.cells...), t.cells...), err
}

// judgeTruths judges the cells that truthBlocks lists. It names the
// comparisons, never a count.
func judgeTruths(op string, f *formula.Frame, p policy.Policy, s stat.Sum) error {
	if len(truthBlocks(f, p)) == 0 {
		return nil
	}
	sites := s.Counts("truths.sites")
	for c, n := range s.Counts("truths") {
		if !p.Hidden(n, sites[c]) {
			continue
		}
		var names []string
		for _, t := range f.Truths() {
			names = append(names, t.Name)
		}
		return ws.Errorf(ws.Withheld, op, ws.T("the comparison %s sets too few persons or institutions apart", "比较式 %s 所区分出的人数或机构数过少", strings.Join(names, ", "))).
			WithHint(ws.T("choose bounds that leave more persons on both sides", "请选择使两侧人数更多的界值"))
	}
	return nil
}
