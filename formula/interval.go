package formula

import "math"

// An interval bounds a variable, inclusive; its ends may be infinite. Values
// outside a function's domain are missing, so an interval is first cut to the
// domain; an empty interval has lo > hi.
type interval struct{ lo, hi float64 }

var nothing = interval{math.Inf(1), math.Inf(-1)}

func (v interval) empty() bool { return !(v.lo <= v.hi) }

func (v interval) finite() bool { return !math.IsInf(v.lo, 0) && !math.IsInf(v.hi, 0) }

func (v interval) within(lo, hi float64) bool { return lo <= v.lo && v.hi <= hi }

func (v interval) cut(lo, hi float64) interval {
	return interval{math.Max(v.lo, lo), math.Min(v.hi, hi)}
}

// magnitude is the largest absolute value in v.
func (v interval) magnitude() float64 { return math.Max(math.Abs(v.lo), math.Abs(v.hi)) }

// hull spans the given numbers; 0·∞ and ∞−∞ say nothing, so they span all.
func hull(xs ...float64) interval {
	v := nothing
	for _, x := range xs {
		if math.IsNaN(x) {
			return interval{math.Inf(-1), math.Inf(1)}
		}
		v.lo, v.hi = math.Min(v.lo, x), math.Max(v.hi, x)
	}
	return v
}

// rounded widens ends that come from functions whose last bits differ from
// machine to machine: each is rounded to 40 bits and then moved outward by one
// of them, so that every site finds the same.
func rounded(v interval) interval {
	return interval{step(v.lo, -1), step(v.hi, 1)}
}

func step(x, direction float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	m, e := math.Frexp(x)
	return math.Ldexp(math.RoundToEven(math.Ldexp(m, 40))+direction, e-40)
}

func (v interval) combine(op string, w interval) interval {
	if v.empty() || w.empty() {
		return nothing
	}
	switch op {
	case "+":
		return hull(v.lo+w.lo, v.hi+w.hi)
	case "-":
		return hull(v.lo-w.hi, v.hi-w.lo)
	case "*":
		return v.times(w)
	case "/":
		if w.lo <= 0 && 0 <= w.hi {
			return interval{math.Inf(-1), math.Inf(1)}
		}
		return hull(v.lo/w.lo, v.lo/w.hi, v.hi/w.lo, v.hi/w.hi)
	}
	return v.power(w)
}

func (v interval) times(w interval) interval {
	return hull(v.lo*w.lo, v.lo*w.hi, v.hi*w.lo, v.hi*w.hi)
}

// power bounds v^w: by its corners for positive v, by parity for a whole
// constant w, and not at all otherwise. Small whole powers are products, which
// every machine rounds alike.
func (v interval) power(w interval) interval {
	corners := []float64{raise(v.lo, w.lo), raise(v.lo, w.hi), raise(v.hi, w.lo), raise(v.hi, w.hi)}
	fixed := w.lo == w.hi
	whole := fixed && w.lo == math.Trunc(w.lo)
	switch {
	case v.lo > 0 || v.lo == 0 && w.lo >= 0:
	case whole && w.lo >= 0:
		if v.hi >= 0 {
			corners = append(corners, math.Pow(0, w.lo))
		}
	case fixed && w.lo > 0 && v.hi >= 0 && !math.IsInf(v.lo, 0): // a negative base is missing
		corners = []float64{0, math.Pow(v.hi, w.lo)}
	default:
		return interval{math.Inf(-1), math.Inf(1)}
	}
	if whole && 0 <= w.lo && w.lo <= 4 {
		return hull(corners...)
	}
	return rounded(hull(corners...))
}

// A function is one that formulas apply to numbers. Below lo it is missing;
// above, all but abs grow.
type function struct {
	apply func(float64) float64
	lo    float64
}

var numeric = map[string]function{
	"log":   {math.Log, 0},
	"log2":  {math.Log2, 0},
	"log10": {math.Log10, 0},
	"sqrt":  {math.Sqrt, 0},
	"exp":   {math.Exp, math.Inf(-1)},
	"abs":   {math.Abs, math.Inf(-1)},
}

func (v interval) through(name string) interval {
	f := numeric[name]
	if v = v.cut(f.lo, math.Inf(1)); v.empty() {
		return nothing
	}
	if name == "abs" {
		lo := 0.0
		if v.lo > 0 || v.hi < 0 {
			lo = math.Min(math.Abs(v.lo), math.Abs(v.hi))
		}
		return interval{lo, v.magnitude()}
	}
	return rounded(interval{f.apply(v.lo), f.apply(v.hi)})
}
