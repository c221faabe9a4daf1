package solve

import "math"

// invert returns the x > 0 at which a tail has the logarithm target. The
// function at gives the logarithm of the tail and its derivative with respect
// to ln x.
//
// The logarithms of all our tails are concave in ln x, so Newton's iteration
// comes from one side after its first step and cannot leave it. A step is at
// most twice the last one, lest the first go far.
func invert(target dd, x float64, at func(x float64) (ln dd, slope float64)) float64 {
	limit := 1.0
	for range 200 {
		ln, slope := at(x)
		step := target.sub(ln).hi / slope
		if !(math.Abs(step) > 1e-16) {
			break
		}
		step = math.Max(-limit, math.Min(step, limit))
		limit = 2 * math.Abs(step)
		x = float64(x * Exp(step))
		if limit < 1e-15 || x == 0 || math.IsInf(x, 1) {
			break
		}
	}
	return x
}

// side picks the tail to solve for: its logarithm and slope.
func (t tails) side(upper bool) (ln dd, slope float64) {
	if upper {
		ln = t.upper.log()
	} else {
		ln = t.lower.log()
	}
	slope = tail{t.slope.ln.sub(ln), t.slope.m}.value()
	if upper {
		return ln, -slope
	}
	return ln, slope
}

// symmetric returns the quantile of a distribution that is symmetric about 0
// and of which abs gives the tails of |X|, with the slope taken to ln x². In the
// middle it solves for what lies between 0 and x, outside for the tail.
func symmetric(p float64, abs func(x float64) tails) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0 || p == 1:
		return math.Inf(int(2*p) - 1)
	case p == 0.5:
		return 0
	case p < 0.5:
		return -magnitude(p, 0.5-p, abs)
	}
	return magnitude(1-p, p-0.5, abs)
}

func magnitude(beyond, within float64, abs func(x float64) tails) float64 {
	upper := beyond < 0.25
	target := logDD(dd{hi: 2 * within})
	if upper {
		target = logDD(dd{hi: beyond}).add(ln2)
	}
	return invert(target, 1, func(x float64) (dd, float64) {
		ln, slope := abs(x).side(upper)
		return ln, 2 * slope
	})
}

// NormalQuantile returns x with Φ(x) = p.
func NormalQuantile(p float64) float64 { return symmetric(p, normalTails) }

// TQuantile returns the t below which Student's distribution with df degrees
// of freedom has the part p; df as in [TSF], and p within [0, 1] or NaN.
func TQuantile(p, df float64) float64 {
	if math.IsInf(df, 1) {
		return NormalQuantile(p)
	}
	if !degrees(df) {
		return math.NaN()
	}
	return symmetric(p, func(t float64) tails { return ratioTails(t, t, 1, df) })
}

// ChiSquareQuantile returns the x below which the χ² distribution with df
// degrees of freedom has the part p; df as in [ChiSquareSF].
func ChiSquareQuantile(p, df float64) float64 {
	switch {
	case !(p >= 0 && p <= 1) || !degrees(df):
		return math.NaN()
	case p == 0:
		return 0
	case p == 1:
		return math.Inf(1)
	}
	target, upper := dd{hi: p}, p > 0.5
	if upper {
		target = dd{hi: 1 - p}
	}
	return 2 * invert(logDD(target), df/2, func(x float64) (dd, float64) {
		return gammaTails(df/2, dd{hi: x}).side(upper)
	})
}
