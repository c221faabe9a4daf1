package solve

import "math"

// ln 2 in two parts; the first has 32 trailing zero bits, so that k·ln2Hi is
// exact for every exponent k.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
)

// expTail returns P with e^r = 1 + r + r²·P: the Taylor series up to r^14/14!,
// whose rest is under 2e-19 for |r| ≤ ½·ln 2.
func expTail(r float64) float64 {
	p := 1.0 / 87178291200
	for _, c := range [...]float64{1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
		1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2} {
		p = float64(p*r) + c
	}
	return p
}

// Exp returns e^x, within 1 ulp of the rounded answer.
//
//	e^x = 2^k·e^r,  r = x − k·ln 2,  |r| ≤ ½·ln 2
//
// r is kept in two parts, so that reducing costs no accuracy.
func Exp(x float64) float64 {
	switch {
	case x != x || x > 709.8:
		return x + math.Inf(1)
	case x < -745.2:
		return 0
	}
	k := math.Floor(x/ln2.hi + 0.5)
	hi, lo := x-float64(k*ln2Hi), float64(k*ln2Lo)
	r := hi - lo
	c := (hi - r) - lo
	q := float64(float64(r*r)*expTail(r)) + (c + float64(c*r))
	return math.Ldexp(1+(r+q), int(k))
}

// Expm1 returns e^x − 1, within 1 ulp of the rounded answer also for small x.
func Expm1(x float64) float64 {
	switch {
	case math.Abs(x) <= 0.34:
		return x + float64(float64(x*x)*expTail(x))
	case x < 40 && x > -40:
		m, k := expDD(dd{hi: x})
		return m.scale(k).sub(one).hi
	}
	return Exp(x) - 1
}

// log1pParts returns parts of ln(1+f) = f − (h − t) for √½−1 ≤ f ≤ √2−1. With
// s = f/(2+f),
//
//	ln(1+f) = 2·artanh(s) = f − f²/2 + s·(f²/2 + R),  R = Σ 2/(2i+1)·s^(2i), i ≥ 1
//
// The rest after ten terms is under 1e-18 relative.
func log1pParts(f float64) (h, t float64) {
	s := f / (2 + f)
	z := float64(s * s)
	r := 2.0 / 21
	for _, c := range [...]float64{2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3} {
		r = float64(r*z) + c
	}
	h = float64(0.5 * f * f)
	return h, float64(s * (h + float64(r*z)))
}

// Log returns ln x, within 1 ulp of the rounded answer; NaN for x < 0, −Inf for 0.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = m+m, e-1
	}
	f, k := m-1, float64(e)
	h, t := log1pParts(f)
	return float64(k*ln2Hi) - ((h - (t + float64(k*ln2Lo))) - f)
}

// Log1p returns ln(1+x), within 1 ulp of the rounded answer also for small x; NaN for
// x < −1, −Inf for −1.
func Log1p(x float64) float64 {
	if x > -0.29 && x < 0.41 {
		h, t := log1pParts(x)
		return x - (h - t)
	}
	u := twoSum(1, x)
	if !(u.hi > 0) || u.hi > math.MaxFloat64 {
		return Log(u.hi)
	}
	return Log(u.hi) + u.lo/u.hi
}
