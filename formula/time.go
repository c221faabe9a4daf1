package formula

import (
	"math"
	"slices"

	"wellspring/frame"
)

// TimeColumn returns the column that the time of Surv(time, event) reads, or
// the stop of Surv(start, stop, event): the time is that column, or in another
// unit, a·column + b with a above 0, such as time/365.25 or I((day + 1)/30),
// written with numbers and + - * /. ok is false where the response is no Surv,
// or its time is anything else.
func (m *Model) TimeColumn() (column string, ok bool) {
	if m.left == nil {
		return "", false
	}
	n := m.left.bare()
	if n.kind != call || n.text != "Surv" {
		return "", false
	}
	args, err := n.match(1, "time", "time2", "event")
	if err != nil {
		return "", false
	}
	stop := args[0]
	if args[1] != nil && args[2] != nil {
		stop = args[1]
	}
	l, ok := stop.line()
	if !ok || l.column == "" || !(l.slope > 0) || math.IsInf(l.slope, 0) {
		return "", false
	}
	return l.column, true
}

// An affine is slope·column, up to a number that is added; without a column it is
// the number value.
type affine struct {
	column       string
	slope, value float64
}

// line reads n as an affine. Functions are left out, since their last bits differ
// from machine to machine, and the steps of time must be the same everywhere.
func (n *node) line() (affine, bool) {
	switch n = n.bare(); {
	case n.kind == number:
		return affine{value: n.num}, true
	case n.kind == name:
		return affine{column: n.text, slope: 1}, true
	case n.kind == call && n.text == "I":
		args, err := n.match(1, "x")
		if err != nil {
			return affine{}, false
		}
		return args[0].line()
	case n.kind != operator || n.comparison():
		return affine{}, false
	}
	a, ok := n.args[0].line()
	if !ok {
		return a, false
	}
	if len(n.args) == 1 {
		if n.text == "-" {
			a.slope, a.value = -a.slope, -a.value
		}
		return a, true
	}
	b, ok := n.args[1].line()
	if !ok || a.column != "" && b.column != "" {
		return a, false
	}
	return a.with(n.text, b)
}

// with joins a and b, of which one is a number.
func (a affine) with(op string, b affine) (affine, bool) {
	out := affine{column: a.column + b.column}
	switch op {
	case "+":
		out.slope, out.value = a.slope+b.slope, a.value+b.value
	case "-":
		out.slope, out.value = a.slope-b.slope, a.value-b.value
	case "*":
		out.slope, out.value = float64(a.slope*b.value)+float64(b.slope*a.value), a.value*b.value
		if out.column != "" {
			out.value = 0
		}
	case "/":
		if b.column != "" {
			return a, false
		}
		out.slope, out.value = a.slope/b.value, a.value/b.value
	default:
		return a, false
	}
	return out, true
}

// Times gives the times that ascending values of the time's column stand for,
// ascending and without repeats: the same bits as Eval has of rows with them.
// The model's TimeColumn must be ok.
func (f *Frame) Times(column []float64) []float64 {
	s := f.sources[slices.IndexFunc(f.sources, func(s source) bool { return s.first == f.roles.Time })]
	b := frame.Batch{Rows: len(column), Columns: make([]frame.Values, len(f.columns))}
	for i := range b.Columns {
		b.Columns[i].Real = column // an affine reads one column, whichever it is
	}
	out, owned := s.eval(b)
	out = writable(out, owned)
	slices.Sort(out) // rounding keeps the order; this is for a source that would not
	return slices.Compact(out)
}
