package solve

import "math"

// A point of the unit interval with its complement y = 1−x and both logarithms, so
// that neither end loses digits.
type point struct{ x, y, lnx, lny dd }

// atOdds returns the point with y/x = q, given also ln q.
func atOdds(q, lnq dd) point {
	const far = 160 // e^−160 is less than 1e-69, nothing beside 1
	switch {
	case lnq.hi > far:
		return point{x: dd{hi: Exp(-lnq.hi)}, y: one, lnx: lnq.neg()}
	case lnq.hi < -far:
		return point{x: one, y: dd{hi: Exp(lnq.hi)}, lny: lnq}
	}
	s := one.add(q)
	lns := logDD(s)
	return point{x: one.div(s), y: q.div(s), lnx: lns.neg(), lny: lnq.sub(lns)}
}

// betaTails returns I_x(a, b) and 1 − I_x(a, b) = I_y(b, a), and as slope the
// derivative of the lower with respect to ln(x/y), from the continued fraction
// (DLMF 8.17.22)
//
//	I_x(a, b) = x^a·y^b/(a·B(a, b)) · 1/(1+ d₁/(1+ d₂/(1+ ···)))
//	d₂ₘ   = m·(b−m)·x/((a+2m−1)·(a+2m))
//	d₂ₘ₊₁ = −(a+m)·(a+b+m)·x/((a+2m)·(a+2m+1))
//
// on the side of (a+1)/(a+b+2) where it converges fast. Cost: O(√max(a, b)).
func betaTails(a, b float64, p point) tails {
	power := dd{hi: a}.mul(p.lnx).add(dd{hi: b}.mul(p.lny)).sub(lbetaDD(a, b))
	if p.x.hi < (a+1)/(a+b+2) {
		t := tail{power, one.div(betaFraction(a, b, p.x).mul(dd{hi: a}))}
		return tails{lower: t, upper: t.complement(), slope: tail{power, one}}
	}
	t := tail{power, one.div(betaFraction(b, a, p.y).mul(dd{hi: b}))}
	return tails{lower: t.complement(), upper: t, slope: tail{power, one}}
}

func betaFraction(a, b float64, x dd) dd {
	f := newFraction(one)
	even, ab := dd{hi: a}, twoSum(a, b) // even is a+2m
	for m := 0.0; ; m++ {
		odd := even.add(one)
		d := twoSum(a, m).mul(ab.add(dd{hi: m})).mul(x).div(even.mul(odd))
		f.next(d.neg(), one)
		if f.done {
			return f.value
		}
		even = odd.add(one)
		f.next(twoSum(b, -(m+1)).mul(x).mul(dd{hi: m + 1}).div(odd.mul(even)), one)
		if f.done {
			return f.value
		}
	}
}

// BetaI returns the regularised incomplete beta function I_x(a, b), for
// 1e-12 ≤ a, b ≤ 1e12 and 0 ≤ x ≤ 1; NaN elsewhere. The upper tail is I_{1−x}(b, a).
func BetaI(x, a, b float64) float64 {
	switch {
	case !(isShape(a) && isShape(b) && x >= 0 && x <= 1):
		return math.NaN()
	case x == 0 || x == 1:
		return x
	}
	y := twoSum(1, -x)
	return betaTails(a, b, point{dd{hi: x}, y, logDD(dd{hi: x}), logDD(y)}).lower.value()
}

// ratioTails returns the tails of the F distribution with d1 and d2 degrees of
// freedom at f = u·v, all above 0 and finite: with q = f·d1/d2 and x = 1/(1+q),
// the upper tail is I_x(d2/2, d1/2). Slope is with respect to ln f.
func ratioTails(u, v, d1, d2 float64) tails {
	lnq := logDD(dd{hi: u}).add(logDD(dd{hi: v})).add(logDD(dd{hi: d1})).sub(logDD(dd{hi: d2}))
	q := dd{hi: 1}
	if math.Abs(lnq.hi) < 200 {
		m, k := expDD(lnq)
		q = m.scale(k)
	}
	t := betaTails(d2/2, d1/2, atOdds(q, lnq))
	return tails{lower: t.upper, upper: t.lower, slope: t.slope}
}
