package formula

import "math"

// Partial names a variable that some row within the dictionary's ranges
// could make missing or infinite, such as log(x) where x may be 0: whether it
// does tells of that row.
func (f *Frame) Partial() (name string, ok bool) {
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
