package formula

import (
	"math"
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

// A Truth is a variable that a comparison makes of each row, such as
// status == 2 in Surv(time, status == 2): whoever writes the formula chooses
// whom it tells from the others, so its two groups are to be counted.
type Truth struct {
	Name string // as R prints it
	// Numeric is its place among the numeric variables, 1 where it holds;
	// Factor that among the factors, with the levels FALSE and TRUE. One of
	// the two is −1.
	Numeric, Factor int
	// One is the number where it holds, if it is one: 1 of a comparison, the larger of a
	// column's two values.
	One float64
	// Column is the column of two values that it is; "" of a comparison.
	Column string
}

// Holds reports whether t holds of row r.
func (t Truth) Holds(v Values, r int) bool {
	if t.Factor >= 0 {
		return v.Factor[t.Factor][r] == 1
	}
	return v.Numeric[t.Numeric][r] == t.One
}

// Truths returns the comparisons that are variables of f.
func (f *Frame) Truths() []Truth { return f.truths }

// Nested names a comparison that is not a variable but part of one, such as
// I((age > 65) * bmi), whose two groups no count of round 0 tells.
func (f *Frame) Nested() (name string, ok bool) { return f.nested, f.nested != "" }

// Kinked names a function that bends at a place which whoever writes the formula
// chooses, such as abs(x - 5) or sqrt((x - 5)^2). Two of them and x tell the rows
// between two places from all others, as a comparison does, and no count of round
// 0 tells how many these are.
func (f *Frame) Kinked() (name string, ok bool) { return f.kinked, f.kinked != "" }

// kink remembers n, whose value is e, if it bends within e's operand.
func (b *binder) kink(n *node, e *expr) {
	switch {
	case e.op == "abs" && e.a.bound.lo < 0 && e.a.bound.hi > 0,
		e.op == "sqrt" && !e.a.straight(),
		e.op == "^" && !e.b.constant(),
		e.op == "^" && e.b.value != math.Trunc(e.b.value) && !e.a.straight():
		b.kinked = n.String()
	}
}

// straight reports whether e is a sum of columns, each times a number, and a number.
func (e *expr) straight() bool {
	switch e.op {
	case "", "column":
		return true
	case "neg":
		return e.a.straight()
	case "+", "-":
		return e.a.straight() && e.b.straight()
	case "*":
		return e.a.constant() && e.b.straight() || e.a.straight() && e.b.constant()
	case "/":
		return e.a.straight() && e.b.constant()
	}
	return false
}

// comparison reports whether n is true or false of a row.
func (n *node) comparison() bool {
	return n.kind == operator && len(n.args) == 2 && (precedence[n.text] == lowest || n.text == "%in%")
}

// truth adds a numeric variable to the truths if its node n is a comparison.
func (b *binder) truth(n *node, numeric int) {
	n = n.bare()
	name := n.String()
	if n.kind == call && n.text == "I" {
		n = n.args[0].bare()
	}
	same := func(t Truth) bool { return t.Numeric == numeric }
	if n.comparison() && !slices.ContainsFunc(b.truths, same) {
		b.truths = append(b.truths, Truth{Name: name, Numeric: numeric, Factor: -1, One: 1})
	}
}

// logical binds I() of a comparison, which R takes for a factor with the levels
// FALSE and TRUE; ok is false for I() of anything else.
func (b *binder) logical(n *node) (s *spec, ok bool, err error) {
	args, err := n.match(1, "x")
	if err != nil || !args[0].bare().comparison() {
		return nil, false, err
	}
	e, err := b.condition(args[0])
	if err == nil {
		err = check(n, e)
	}
	if err != nil {
		return nil, false, err
	}
	ref := &reference{Column: frame.Column{Name: n.String()}, at: -1}
	return &spec{ref: ref, expr: e, levels: []string{"FALSE", "TRUE"}, code: []int32{0, 1}}, true, nil
}

// condition compiles an event or response: a comparison, which gives 0 and 1,
// or a number.
func (b *binder) condition(n *node) (*expr, error) {
	n = n.bare()
	if !n.comparison() {
		return b.expr(n)
	}
	if n.text == "%in%" {
		return b.member(n)
	}
	left, right := n.args[0].bare(), n.args[1].bare()
	if left.kind == str {
		left, right = right, left
	}
	out := &expr{op: n.text, bound: interval{0, 1}}
	var err error
	if right.kind == str && (n.text == "==" || n.text == "!=") {
		out.a, out.b, err = b.level(left, right)
		return out, err
	}
	if out.a, err = b.expr(n.args[0].node); err != nil {
		return nil, err
	}
	if out.b, err = b.expr(n.args[1].node); err != nil {
		return nil, err
	}
	return fold(out), nil
}

// member compiles x %in% c(1, 3) and stage %in% c("a", "b"). As in R it is
// false, not missing, where x is missing.
func (b *binder) member(n *node) (*expr, error) {
	list := []argument{n.args[1]}
	if set := n.args[1].bare(); set.kind == call && set.text == "c" {
		list = set.args
	}
	out := &expr{op: "in", bound: interval{0, 1}}
	if list[0].bare().kind != str {
		var err error
		if out.set, err = b.numbers(n.args[1].node); err != nil {
			return nil, err
		}
		if out.a, err = b.expr(n.args[0].node); err != nil {
			return nil, err
		}
		return fold(out), nil
	}
	for _, a := range list {
		column, level, err := b.level(n.args[0].bare(), a.node)
		if err != nil {
			return nil, err
		}
		out.a, out.set = column, append(out.set, level.value)
	}
	return out, nil
}

// level compiles a factor column and one of its levels to their codes.
func (b *binder) level(column, level *node) (*expr, *expr, error) {
	spec, ok, err := b.factor(column)
	if err != nil {
		return nil, nil, err
	}
	if !ok || spec.expr != nil {
		return nil, nil, invalid(column.col, ws.T("only a factor has levels in quotes", "只有分类变量的水平才加引号"),
			ws.T("compare a number with a number, such as status == 2", "数值请与数字比较，如 status == 2"))
	}
	i, err := spec.find(level)
	if err != nil {
		return nil, nil, err
	}
	b.compared = append(b.compared, spec.ref.Name)
	return &expr{op: "level", ref: spec.ref}, constant(float64(spec.code[i])), nil
}
