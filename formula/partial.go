package formula

import (
	"math"

	"wellspring/frame"
)

// Partial names a variable that some row within the dictionary's ranges
// could make missing or infinite, such as log(x) where x may be 0, or an event
// that it could make neither 0 nor 1: whether it does tells of that row.
func (f *Frame) Partial() (name string, ok bool) {
	if i := f.roles.Event; i >= 0 && !f.numeric[i].Whole {
		return f.numeric[i].Name, true
	}
	for _, s := range f.sources {
		if s.expr.partial() {
			return f.numeric[s.first].Name, true
		}
	}
	for i, c := range f.coders {
		if c.expr.partial() {
			return f.factors[i].Name, true
		}
	}
	return "", false
}

// whole reports whether e is a whole number in every row.
func (e *expr) whole() bool {
	switch e.op {
	case "":
		return e.value == math.Trunc(e.value)
	case "column":
		return e.ref.Type == frame.Integer
	case "level", "in", "==", "!=", "<", ">", "<=", ">=":
		return true
	case "+", "-", "*":
		return e.a.whole() && e.b.whole()
	case "neg":
		return e.a.whole()
	}
	return false
}

func (e *expr) partial() bool {
	if e == nil {
		return false
	}
	if e.a.partial() || e.b.partial() || !e.bound.finite() {
		return true
	}
	switch e.op {
	case "/":
		return e.b.bound.lo <= 0 && 0 <= e.b.bound.hi
	case "^":
		whole := e.b.constant() && e.b.bound.lo == math.Trunc(e.b.bound.lo)
		return e.a.bound.lo < 0 && !whole || e.b.bound.lo < 0 && e.a.bound.lo <= 0 && 0 <= e.a.bound.hi
	case "sqrt":
		return e.a.bound.lo < 0
	case "log", "log2", "log10":
		return e.a.bound.lo <= 0
	}
	return false
}
