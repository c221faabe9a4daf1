package glm

import (
	"math"
)

// A family is a response distribution: variance function, unit deviance and
// the part of the log-likelihood that does not depend on μ.
type family interface {
	// variance is V(μ); comp is 1−μ without cancellation, for binomial.
	variance(mu, comp float64) float64
	// deviance is the unit deviance d(y, μ).
	deviance(y, mu, comp float64) float64
	// constant is a row's part of the log-likelihood that does not depend on μ.
	constant(y, w float64) float64
	// accepts reports whether y may be a response; weighted says that there are
	// prior weights.
	accepts(y float64, weighted bool) bool
	// inside reports whether μ is a mean of the family.
	inside(mu, comp float64) bool
}

// gaussian has V = 1, d = (y−μ)²; its constant is ln w, for σ² is estimated.
type gaussian struct{}

func (gaussian) variance(mu, comp float64) float64 { return 1 }
func (gaussian) deviance(y, mu, comp float64) float64 {
	r := y - mu
	return r * r
}
func (gaussian) constant(y, w float64) float64         { return math.Log(w) }
func (gaussian) accepts(y float64, weighted bool) bool { return true }
func (gaussian) inside(mu, comp float64) bool          { return true }

// binomial has V = μ(1−μ), d = 2[y·ln(y/μ) + (1−y)·ln((1−y)/(1−μ))].
type binomial struct{}

func (binomial) variance(mu, comp float64) float64 { return mu * comp }
func (binomial) deviance(y, mu, comp float64) float64 {
	switch y {
	case 0:
		return -2 * math.Log(comp)
	case 1:
		return -2 * math.Log(mu)
	}
	return 2 * (y*math.Log(y/mu) + (1-y)*math.Log((1-y)/comp))
}

// constant is ln C(m, k) of the rounded counts m = w, k = w·y, as in R.
func (binomial) constant(y, w float64) float64 {
	m, k := trials(y, w)
	return logGamma(m+1) - logGamma(k+1) - logGamma(m-k+1)
}

// accepts asks for 0 or 1; a share of successes needs the number of trials.
func (binomial) accepts(y float64, weighted bool) bool {
	return y == 0 || y == 1 || weighted && y > 0 && y < 1
}

func (binomial) inside(mu, comp float64) bool { return mu > 0 && comp > 0 }

// trials gives trials and successes of a row, rounded as R's dbinom has them.
func trials(y, w float64) (m, k float64) { return math.RoundToEven(w), math.RoundToEven(w * y) }

// likelihood is a row's binomial log-likelihood without its constant.
func likelihood(y, w, mu, comp float64) float64 {
	m, k := trials(y, w)
	sum := 0.0
	if k > 0 {
		sum += k * math.Log(mu)
	}
	if m > k {
		sum += (m - k) * math.Log(comp)
	}
	return sum
}

// poisson has V = μ, d = 2[y·ln(y/μ) − (y−μ)].
type poisson struct{}

func (poisson) variance(mu, comp float64) float64 { return mu }
func (poisson) deviance(y, mu, comp float64) float64 {
	if y == 0 {
		return 2 * mu
	}
	return 2 * (y*math.Log(y/mu) - (y - mu))
}

// constant is w·ln f(y; μ=y), so that the log-likelihood is the sum of the
// constants minus half the deviance.
func (poisson) constant(y, w float64) float64 {
	if y == 0 {
		return 0
	}
	return w * (y*math.Log(y) - y - logGamma(y+1))
}
func (poisson) accepts(y float64, weighted bool) bool { return y >= 0 }
func (poisson) inside(mu, comp float64) bool          { return mu > 0 }

func logGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}
