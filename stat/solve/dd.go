package solve

import "math"

// A dd is the unevaluated sum hi+lo with |lo| ≤ ulp(hi)/2: about 31 digits.
// The distribution functions are computed in it, so that no care is needed
// where a difference cancels or an exponent is large.
//
// Sums and products without error are those of Dekker [1]; no step needs a
// fused multiply-add.
//
// [1]: T. J. Dekker, "A floating-point technique for extending the available
// precision", Numer. Math. 18, 1971, doi:10.1007/BF01397083.
type dd struct{ hi, lo float64 }

var (
	one    = dd{hi: 1}
	ln2    = dd{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}
	halfLn = dd{0x1.d67f1c864beb5p-1, -0x1.65b5a1b7ff5dfp-55} // ½·ln 2π
)

// twoSum returns a+b without error.
func twoSum(a, b float64) dd {
	s := a + b
	bb := s - a
	return dd{s, (a - (s - bb)) + (b - bb)}
}

// fold renormalises hi+lo, where |lo| ≤ |hi|.
func fold(hi, lo float64) dd {
	s := hi + lo
	return dd{s, lo - (s - hi)}
}

// split parts a into halves of 26 bits; |a| must stay under 2^996.
func split(a float64) (hi, lo float64) {
	t := float64((0x1p27 + 1) * a)
	hi = t - (t - a)
	return hi, a - hi
}

// twoProd returns a·b without error.
func twoProd(a, b float64) dd {
	p := float64(a * b)
	ah, al := split(a)
	bh, bl := split(b)
	return dd{p, ((float64(ah*bh) - p) + float64(ah*bl) + float64(al*bh)) + float64(al*bl)}
}

func (a dd) neg() dd { return dd{-a.hi, -a.lo} }

func (a dd) add(b dd) dd {
	s, t := twoSum(a.hi, b.hi), twoSum(a.lo, b.lo)
	s = fold(s.hi, s.lo+t.hi)
	return fold(s.hi, s.lo+t.lo)
}

func (a dd) sub(b dd) dd { return a.add(b.neg()) }

func (a dd) mul(b dd) dd {
	p := twoProd(a.hi, b.hi)
	return fold(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a dd) div(b dd) dd {
	q1 := a.hi / b.hi
	r := a.sub(b.mul(dd{hi: q1}))
	q2 := r.hi / b.hi
	r = r.sub(b.mul(dd{hi: q2}))
	return fold(q1, q2).add(dd{hi: r.hi / b.hi})
}

// scale returns a·2^k.
func (a dd) scale(k int) dd { return dd{math.Ldexp(a.hi, k), math.Ldexp(a.lo, k)} }

// expDD returns m and k with e^x = m·2^k, m near 1, to 1e-29 relative.
//
// With r = (x − k·ln 2)/2^8, e^r − 1 is a Taylor series of ten terms
// (r < 0.0014, so the next is under 1e-36), squared eight times in the form
// (1+e)² − 1 = 2e + e².
func expDD(x dd) (m dd, k int) {
	const far = 1e5 // beyond it e^x is 0 or Inf whatever it is multiplied with
	switch {
	case x.hi != x.hi: // int(NaN) differs between processors
		return x, 0
	case x.hi > far:
		x = dd{hi: far}
	case x.hi < -far:
		x = dd{hi: -far}
	}
	n := math.Floor(x.hi/ln2.hi + 0.5)
	r := x.sub(twoProd(n, ln2.hi)).sub(dd{hi: float64(n * ln2.lo)}).scale(-8)
	e := one
	for i := 10.0; i > 1; i-- {
		e = one.add(e.mul(r).div(dd{hi: i}))
	}
	e = e.mul(r)
	for range 8 {
		e = e.scale(1).add(e.mul(e))
	}
	return one.add(e), int(n)
}

// logDD returns ln x, x > 0, to 1e-31 absolute or 1e-31 relative, whichever is more,
// by one Newton step on e^y = x from y = Log(x).
func logDD(x dd) dd {
	y := Log(x.hi)
	m, k := expDD(dd{hi: -y})
	d := x.scale(k).mul(m).sub(one) // |d| < 1e-13, so ln(1+d) = d − d²/2
	return dd{hi: y}.add(d.sub(d.mul(d).scale(-1)))
}
