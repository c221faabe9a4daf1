package solve

import "math"

// NormalCDF returns the standard normal distribution function Φ(x).
func NormalCDF(x float64) float64 { return NormalSF(-x) }

// NormalSF returns the upper tail 1 − Φ(x).
func NormalSF(x float64) float64 {
	switch {
	case x != x:
		return x
	case math.Abs(x) < 1e-17: // ½ to the last bit, and x² might underflow
		return 0.5
	case x < 0:
		return 1 - NormalSF(-x)
	case x > 39: // under half of the smallest float64
		return 0
	}
	return normalTails(x).upper.half().value()
}

// normalTails returns the tails of |X| at x in (0, 39]: x²/2 is gamma with
// shape ½. Slope is with respect to ln x².
func normalTails(x float64) tails { return gammaTails(0.5, twoProd(x, x).scale(-1)) }

// ChiSquareSF returns the upper tail of the χ² distribution with df degrees of
// freedom; NaN unless 2e-12 ≤ df ≤ 2e12.
func ChiSquareSF(x, df float64) float64 { return GammaQ(df/2, math.Max(x, 0)/2) }

// FSF returns the upper tail of the F distribution with d1 and d2 degrees of
// freedom; NaN unless both lie in 2e-12 to 2e12, or d2 is +Inf.
func FSF(f, d1, d2 float64) float64 {
	switch {
	case f != f || !degrees(d1) || !degrees(d2) && !math.IsInf(d2, 1):
		return math.NaN()
	case f <= 0:
		return 1
	case math.IsInf(f, 1):
		return 0
	case math.IsInf(d2, 1):
		return ChiSquareSF(float64(d1*f), d1)
	}
	return ratioTails(f, 1, d1, d2).upper.value()
}

// TSF returns the upper tail of Student's t distribution with df degrees of
// freedom; NaN unless 2e-12 ≤ df ≤ 2e12 or df is +Inf.
func TSF(t, df float64) float64 {
	switch {
	case t != t || !degrees(df) && !math.IsInf(df, 1):
		return math.NaN()
	case math.IsInf(df, 1):
		return NormalSF(t)
	case t == 0:
		return 0.5
	case t < 0:
		return 1 - TSF(-t, df)
	case math.IsInf(t, 1):
		return 0
	}
	return ratioTails(t, t, 1, df).upper.half().value()
}

// degrees reports whether df is within the domain, 2e-12 to 2e12.
func degrees(df float64) bool { return isShape(df / 2) }
