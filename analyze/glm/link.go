package glm

import (
	"math"

	"wellspring/stat/solve"
)

// A link maps the linear predictor to the mean.
type link interface {
	// mean gives μ, 1−μ without cancellation and dμ/dη.
	mean(eta float64) (mu, comp, slope float64)
	// eta is the link itself.
	eta(mu float64) float64
	// reach bounds |dμ/dη|²/V and |y−μ|·(dμ/dη)/V for a response of magnitude y
	// and predictors of magnitude eta, each per unit of weight.
	reach(y, eta float64) (weight, score float64)
}

// epsilon is R's .Machine$double.eps; R keeps binomial means within
// [epsilon, 1−epsilon], and so do probit and cloglog here.
const epsilon = 0x1p-52

// logit: μ = 1/(1+e^−η).
type logit struct{}

func (logit) mean(eta float64) (mu, comp, slope float64) {
	t := math.Exp(-math.Abs(eta))
	big, small := 1/(1+t), t/(1+t)
	if eta > 0 {
		return big, small, big * small
	}
	return small, big, big * small
}
func (logit) eta(mu float64) float64                  { return solve.Log(mu / (1 - mu)) }
func (logit) reach(y, eta float64) (float64, float64) { return 0.25, 1 }

// probit: μ = Φ(η).
type probit struct{}

const probitEdge = 8.125890664701906 // −Φ⁻¹(epsilon)

func (probit) mean(eta float64) (mu, comp, slope float64) {
	eta = min(max(eta, -probitEdge), probitEdge)
	return math.Erfc(-eta/math.Sqrt2) / 2, math.Erfc(eta/math.Sqrt2) / 2,
		math.Exp(-eta*eta/2) / math.Sqrt(2*math.Pi)
}
func (probit) eta(mu float64) float64 { return solve.NormalQuantile(mu) }

// reach: W ≤ 2/π at 0; the score is the hazard of the normal distribution,
// below |η| + 1.
func (probit) reach(y, eta float64) (float64, float64) { return 1, probitEdge + 1 }

// cloglog: μ = 1 − e^(−e^η).
type cloglog struct{}

const (
	cloglogLow  = -36.04365338911715 // ln(−ln(1−epsilon))
	cloglogHigh = 3.584732789019593  // ln(−ln epsilon)
)

func (cloglog) mean(eta float64) (mu, comp, slope float64) {
	e := math.Exp(min(max(eta, cloglogLow), cloglogHigh))
	comp = math.Exp(-e)
	return -math.Expm1(-e), comp, e * comp
}
func (cloglog) eta(mu float64) float64 { return solve.Log(-solve.Log1p(-mu)) }

// reach: the score is e^η·(1−μ)/μ ≤ 1 for a success, −e^η for a failure; W
// is at most 0.65.
func (cloglog) reach(y, eta float64) (float64, float64) { return 1, 37 }

// identity: μ = η.
type identity struct{ family family }

func (identity) mean(eta float64) (mu, comp, slope float64) { return eta, 1 - eta, 1 }
func (identity) eta(mu float64) float64                     { return mu }

// reach: for poisson W = 1/μ and s = y/μ − 1, which have no bound as μ → 0;
// 2^30 is allowed for.
func (l identity) reach(y, eta float64) (float64, float64) {
	if _, ok := l.family.(poisson); ok {
		return 1 << 30, (1 << 30) * (y + 1)
	}
	return 1, y + eta
}

// logarithm: μ = e^η, of which no more than cap is taken, far beyond any fit, so
// that a wild step stays finite and is then halved.
type logarithm struct {
	family family
	cap    float64
}

func (l logarithm) mean(eta float64) (mu, comp, slope float64) {
	mu = min(math.Exp(max(eta, -690)), l.cap)
	return mu, -math.Expm1(eta), mu
}
func (l logarithm) eta(mu float64) float64 { return solve.Log(mu) }

func (l logarithm) reach(y, eta float64) (float64, float64) {
	switch l.family.(type) {
	case gaussian:
		return l.cap * l.cap, l.cap * (y + l.cap)
	case binomial: // W = μ/(1−μ), as for the identity of poisson
		return 1 << 30, 1 << 30
	}
	return l.cap, y + l.cap
}
