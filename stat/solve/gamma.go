package solve

import "math"

// Shape parameters must lie between these. Cost grows with the square root: at
// 1e12 one value takes about a second.
const minShape, maxShape = 1e-12, 1e12

func isShape(a float64) bool { return a >= minShape && a <= maxShape }

// stirling holds B₂ₖ/(2k(2k−1)), k = 1, 2, ..., as fractions.
var stirling = [...]struct{ num, den float64 }{
	{1, 12}, {-1, 360}, {1, 1260}, {-1, 1680}, {1, 1188}, {-691, 360360}, {1, 156}, {-3617, 122400},
	{43867, 244188}, {-174611, 125400}, {77683, 5796}, {-236364091, 1506960}, {657931, 300},
}

// lgammaDD returns ln Γ(x), x > 0. It moves x up to 30 or more by
// Γ(x+1) = x·Γ(x), and there takes Stirling's series
//
//	ln Γ(x) = (x−½)·ln x − x + ½·ln 2π + Σ B₂ₖ/(2k(2k−1)·x^(2k−1))
//
// whose rest after 13 terms is under 1e-35.
func lgammaDD(x dd) dd {
	p := one
	for x.hi < 30 {
		p = p.mul(x)
		x = x.add(one)
	}
	inv := one.div(x)
	w := inv.mul(inv)
	var s dd
	for i := len(stirling) - 1; i >= 0; i-- {
		s = s.mul(w).add(dd{hi: stirling[i].num}.div(dd{hi: stirling[i].den}))
	}
	s = s.mul(inv).add(halfLn).sub(x)
	return s.add(x.sub(dd{hi: 0.5}).mul(logDD(x))).sub(logDD(p))
}

// LogGamma returns ln Γ(x) for x > 0, to 1e-15 relative (1e-13 within 1e-15 of
// its zeros 1 and 2); +Inf for 0, NaN below.
func LogGamma(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0 || x > math.MaxFloat64:
		return math.Inf(1)
	case x > 1e17: // here (x−½)·ln x − x differs from this by less than an ulp
		return float64(x * (Log(x) - 1))
	}
	return lgammaDD(dd{hi: x}).hi
}

// LogBeta returns ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a+b) for a, b > 0, at
// most 1e17.
func LogBeta(a, b float64) float64 {
	if !(a > 0 && b > 0 && a <= 1e17 && b <= 1e17) {
		return math.NaN()
	}
	return lbetaDD(a, b).hi
}

func lbetaDD(a, b float64) dd {
	return lgammaDD(dd{hi: a}).add(lgammaDD(dd{hi: b})).sub(lgammaDD(twoSum(a, b)))
}

// A tail is the number m·e^ln, which may lie far outside float64.
type tail struct{ ln, m dd }

func (t tail) value() float64 {
	m, k := expDD(t.ln)
	v := m.mul(t.m)
	return math.Ldexp(v.hi, k)
}

// half returns t/2; halving a value would round twice near the smallest float64.
func (t tail) half() tail { return tail{t.ln, t.m.scale(-1)} }

func (t tail) log() dd { return t.ln.add(logDD(t.m)) }

// complement returns 1−t.
func (t tail) complement() tail {
	m, k := expDD(t.ln)
	return tail{m: one.sub(m.mul(t.m).scale(k))}
}

// tails are the two tails of a distribution at x, and the derivative of the
// lower one with respect to ln x.
type tails struct{ lower, upper, slope tail }

// gammaTails returns P(a, x) and Q(a, x), a > 0, x > 0: by the series
//
//	P(a, x) = x^a·e^−x/Γ(a+1) · Σ xⁿ/((a+1)···(a+n))
//
// up to x = max(a+1, 12), where double length bears the subtraction 1−P; and
// above by Legendre's continued fraction
//
//	Q(a, x) = x^a·e^−x/Γ(a) · 1/(x+1−a− 1·(1−a)/(x+3−a− 2·(2−a)/(x+5−a− ···)))
//
// (DLMF 8.7.1 and 8.9.2). Cost: O(√a) terms.
func gammaTails(a float64, x dd) tails {
	power := dd{hi: a}.mul(logDD(x)).sub(x)
	if x.hi < math.Max(a+1, 12) {
		t := tail{power.sub(lgammaDD(twoSum(a, 1))), gammaSeries(a, x)}
		return tails{lower: t, upper: t.complement(), slope: tail{t.ln, dd{hi: a}}}
	}
	t := tail{power.sub(lgammaDD(dd{hi: a})), gammaFraction(a, x)}
	return tails{lower: t.complement(), upper: t, slope: tail{t.ln, one}}
}

// enough ends a series or fraction: far below float64, so that what
// cancels afterwards does not show.
const enough = 1e-25

func gammaSeries(a float64, x dd) dd {
	sum, term := one, one
	for n := 1.0; term.hi > float64(sum.hi*enough); n++ {
		term = term.mul(x).div(twoSum(a, n))
		sum = sum.add(term)
	}
	return sum
}

func gammaFraction(a float64, x dd) dd {
	b := x.add(twoSum(1, -a))
	f := newFraction(b)
	for n := 1.0; !f.done; n++ {
		b = b.add(dd{hi: 2})
		f.next(twoSum(a, -n).mul(dd{hi: n}), b)
	}
	return one.div(f.value)
}

// A fraction is a continued fraction b₀ + a₁/(b₁ + a₂/(b₂ + ···)) summed from
// the front by Lentz's method (Numerical Recipes §5.2).
type fraction struct {
	value, c, d dd
	done        bool
}

func newFraction(b0 dd) *fraction { return &fraction{value: b0, c: b0} }

func (f *fraction) next(a, b dd) {
	f.d = one.div(b.add(a.mul(f.d)))
	f.c = b.add(a.div(f.c))
	delta := f.c.mul(f.d)
	f.value = f.value.mul(delta)
	f.done = !(math.Abs(delta.sub(one).hi) > enough)
}

// gammaAt returns the tails at any x ≥ 0; ok is false outside the domain.
func gammaAt(a, x float64) (t tails, ok bool) {
	none, all := tail{}, tail{m: one}
	switch {
	case !(isShape(a) && x >= 0):
		return t, false
	case x == 0:
		return tails{none, all, none}, true
	case x > 1e15: // e^−x has then outrun x^a
		return tails{all, none, none}, true
	}
	return gammaTails(a, dd{hi: x}), true
}

// GammaP returns the regularised lower incomplete gamma function P(a, x), for
// 1e-12 ≤ a ≤ 1e12 and x ≥ 0; NaN elsewhere.
func GammaP(a, x float64) float64 {
	t, ok := gammaAt(a, x)
	if !ok {
		return math.NaN()
	}
	return t.lower.value()
}

// GammaQ returns Q(a, x) = 1 − P(a, x), without cancellation.
func GammaQ(a, x float64) float64 {
	t, ok := gammaAt(a, x)
	if !ok {
		return math.NaN()
	}
	return t.upper.value()
}
