package formula

import (
	"math"
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

// A reference is a column that a formula reads; its place is known once all
// columns are.
type reference struct {
	frame.Column
	at int
}

// An expr is a number computed from the columns of a row.
type expr struct {
	op    string // "" for a constant, "column", "level", "in", or an operator or function
	value float64
	ref   *reference
	a, b  *expr     // operands; b is nil for functions, "in" and the prefix minus
	set   []float64 // of "in"
	bound interval
}

func constant(v float64) *expr { return &expr{value: v, bound: interval{v, v}} }

func (e *expr) constant() bool { return e.op == "" }

// numeric is e as a variable that is printed so.
func (e *expr) numeric(printed string) Numeric {
	out := Numeric{Name: printed, Lo: e.bound.lo, Hi: e.bound.hi, Whole: e.whole()}
	if e.op == "column" {
		out.Column = e.ref.Name
	}
	return out
}

// expr compiles arithmetic and functions over numeric columns.
func (b *binder) expr(n *node) (*expr, error) {
	switch n.kind {
	case number:
		return constant(n.num), nil
	case name:
		return b.numericColumn(n)
	case call:
		return b.function(n)
	case operator:
		return b.arithmetic(n)
	}
	return nil, invalid(n.col, ws.T("text and TRUE or FALSE are no numbers", "字符串和 TRUE、FALSE 不是数值"),
		ws.T("write a column without quotes", "列名不加引号"))
}

func (b *binder) numericColumn(n *node) (*expr, error) {
	ref, err := b.column(n)
	if err != nil {
		return nil, err
	}
	if !ref.Type.Numeric() {
		return nil, invalid(n.col, ws.T("column %s is a factor, and a number is wanted here", "列 %s 是分类变量，此处需要数值", ref.Name),
			ws.T("use it as a term of its own", "请将其单独作为一项"))
	}
	if !(ref.Min <= ref.Max) || math.IsInf(ref.Min, 0) || math.IsInf(ref.Max, 0) {
		return nil, invalid(n.col, ws.T("column %s has no range in the dictionary", "数据字典中列 %s 没有取值范围", ref.Name),
			ws.T("give its min and max", "请填写 min 和 max"))
	}
	return &expr{op: "column", ref: ref, bound: interval{ref.Min, ref.Max}}, nil
}

func (b *binder) function(n *node) (*expr, error) {
	if _, ok := numeric[n.text]; !ok && n.text != "I" {
		return nil, invalid(n.col, ws.T("%s() gives no number that could be used here", "%s() 的结果不能在此用作数值", n.text),
			ws.T("use it as a term of its own", "请将其单独作为一项"))
	}
	formals := []string{"x"}
	if n.text == "log" {
		formals = append(formals, "base")
	}
	args, err := n.match(1, formals...)
	if err != nil {
		return nil, err
	}
	e, err := b.expr(args[0])
	if err != nil || n.text == "I" {
		return e, err
	}
	out := &expr{op: n.text, a: e, bound: e.bound.through(n.text)}
	b.kink(n, out)
	if n.text != "log" || args[1] == nil {
		return fold(out), nil
	}
	base, err := b.number(args[1])
	if err != nil {
		return nil, err
	}
	return divide(fold(out), constant(math.Log(base))), nil
}

func divide(a, b *expr) *expr {
	return fold(&expr{op: "/", a: a, b: b, bound: rounded(a.bound.combine("/", b.bound))})
}

func (b *binder) arithmetic(n *node) (*expr, error) {
	if n.comparison() {
		b.nested = n.String()
		return b.condition(n)
	}
	if n.text == ":" {
		return nil, invalid(n.col, ws.T("%s is no arithmetic", "%s 不是算术运算", n.text),
			ws.T("arithmetic is + - * / ^", "算术运算只有 + - * / ^"))
	}
	first, err := b.expr(n.args[0].node)
	if err != nil {
		return nil, err
	}
	if len(n.args) == 1 {
		if n.text != "-" {
			return first, nil
		}
		return fold(&expr{op: "neg", a: first, bound: interval{-first.bound.hi, -first.bound.lo}}), nil
	}
	second, err := b.expr(n.args[1].node)
	if err != nil {
		return nil, err
	}
	out := &expr{op: n.text, a: first, b: second, bound: first.bound.combine(n.text, second.bound)}
	b.kink(n, out)
	return fold(out), nil
}

// fold replaces an operation on constants by its result.
func fold(e *expr) *expr {
	if !e.a.constant() || e.b != nil && !e.b.constant() {
		return e
	}
	out, _ := e.eval(frame.Batch{Rows: 1})
	return constant(out[0])
}

// number compiles an argument that must be a constant.
func (b *binder) number(n *node) (float64, error) {
	e, err := b.expr(n)
	if err != nil {
		return 0, err
	}
	if !e.constant() || math.IsNaN(e.value) || math.IsInf(e.value, 0) {
		return 0, invalid(n.col, ws.T("a number is wanted here", "此处应为数字"), ws.T("write it out", "请直接写出数值"))
	}
	return e.value, nil
}

// eval computes e of every row. The result may be the batch's own column, and
// must then not be written to; owned says that it is not.
func (e *expr) eval(b frame.Batch) (x []float64, owned bool) {
	switch {
	case e.op == "":
		x = make([]float64, b.Rows)
		for i := range x {
			x[i] = e.value
		}
		return x, true
	case e.op == "column":
		return b.Columns[e.ref.at].Real, false
	case e.op == "level":
		return codes(b.Columns[e.ref.at].Code), true
	}
	if e.b != nil && e.b.constant() { // one pass, no column of constants
		x, owned = e.a.eval(b)
		x = writable(x, owned)
		binary(e.op, x, x, e.b.value)
		return x, true
	}
	x, owned = e.a.eval(b)
	x = writable(x, owned)
	if e.b != nil {
		y, _ := e.b.eval(b)
		pairwise(e.op, x, y)
		return x, true
	}
	if e.op == "in" {
		for i, v := range x {
			x[i] = 0
			if slices.Contains(e.set, v) {
				x[i] = 1
			}
		}
		return x, true
	}
	if e.op == "neg" {
		for i := range x {
			x[i] = -x[i]
		}
		return x, true
	}
	apply := numeric[e.op].apply
	for i := range x {
		x[i] = apply(x[i])
	}
	return x, true
}

func writable(x []float64, owned bool) []float64 {
	if owned {
		return x
	}
	return append(make([]float64, 0, len(x)), x...)
}

// codes returns a factor's codes as numbers, NaN where missing.
func codes(c []int32) []float64 {
	x := make([]float64, len(c))
	for i, v := range c {
		x[i] = float64(v)
		if v < 0 {
			x[i] = math.NaN()
		}
	}
	return x
}

func binary(op string, out, x []float64, y float64) {
	f := operations[op]
	for i, v := range x {
		out[i] = f(v, y)
	}
}

func pairwise(op string, x, y []float64) {
	f := operations[op]
	for i, v := range y {
		x[i] = f(x[i], v)
	}
}

var operations = map[string]func(x, y float64) float64{
	"+":  func(x, y float64) float64 { return x + y },
	"-":  func(x, y float64) float64 { return x - y },
	"*":  func(x, y float64) float64 { return x * y },
	"/":  func(x, y float64) float64 { return x / y },
	"^":  raise,
	"==": func(x, y float64) float64 { return truth(x == y, x, y) },
	"!=": func(x, y float64) float64 { return truth(x != y, x, y) },
	"<":  func(x, y float64) float64 { return truth(x < y, x, y) },
	">":  func(x, y float64) float64 { return truth(x > y, x, y) },
	"<=": func(x, y float64) float64 { return truth(x <= y, x, y) },
	">=": func(x, y float64) float64 { return truth(x >= y, x, y) },
}

// raise is x^y; whole powers as far as 4 are products, which rounds less.
func raise(x, y float64) float64 {
	switch y {
	case 1:
		return x
	case 2:
		return x * x
	case 3:
		return x * x * x
	case 4:
		return x * x * (x * x)
	}
	return math.Pow(x, y)
}

// truth is 1 or 0, or NaN if a side of the comparison is missing.
func truth(yes bool, x, y float64) float64 {
	switch {
	case x != x || y != y:
		return math.NaN()
	case yes:
		return 1
	}
	return 0
}
