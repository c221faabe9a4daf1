package glm

import (
	"math"
)

// rows is a stretch of complete rows under evaluation: what is known of each,
// what becomes of each, and the sums over them.
type rows struct {
	y, eta []float64
	w      []float64 // prior weights; nil for ones

	weight, score []float64 // W and s of the package doc

	deviance   float64
	likelihood float64 // of a binomial model with prior weights, without constant
	invalid    bool    // some μ is out of range
}

// A model is a family with a link.
type model struct {
	family family
	link   link
}

// accepts reports whether y may be a response. The log link of gaussian starts
// from ln y, as in R.
func (m model) accepts(y float64, weighted bool) bool {
	if _, ok := m.link.(logarithm); ok && m.family == family(gaussian{}) && y <= 0 {
		return false
	}
	return m.family.accepts(y, weighted)
}

// evaluate computes weight, score and sums from eta.
func (m model) evaluate(r *rows) {
	if m.link == link(logit{}) {
		m.logistic(r)
		return
	}
	m.general(r)
}

// logistic is general for the logit link, where dμ/dη = V(μ) = μ(1−μ), so that
// W = w·V and s = w·(y−μ), and
//
//	−ln f = ln(1+e^−|η|) + max(η, 0) − y·η
//
// holds for every η. Without prior weights the logarithm is taken of the
// product over some rows at a time: each factor lies in (1, 2].
func (m model) logistic(r *rows) {
	if r.w != nil {
		m.logisticWeighted(r)
		return
	}
	const together = 64
	y, weight, score := r.y[:len(r.eta)], r.weight[:len(r.eta)], r.score[:len(r.eta)]
	sum, product := 0.0, 1.0
	for i, eta := range r.eta {
		t := math.Exp(-math.Abs(eta))
		c := 1 + t
		mu := 1 / c
		weight[i] = mu * (t * mu)
		if eta > 0 {
			sum += eta
		} else {
			mu *= t
		}
		score[i] = y[i] - mu
		sum -= y[i] * eta
		product *= c
		if i%together == together-1 {
			sum += math.Log(product)
			product = 1
		}
	}
	r.deviance = 2 * (sum + math.Log(product))
}

func (m model) logisticWeighted(r *rows) {
	r.deviance, r.likelihood = 0, 0
	for i, eta := range r.eta {
		y, w := r.y[i], r.w[i]
		mu, _, slope := logit{}.mean(eta)
		nll := math.Log1p(math.Exp(-math.Abs(eta))) + max(eta, 0)
		r.weight[i], r.score[i] = w*slope, w*(y-mu)
		r.deviance += 2 * w * (nll - y*eta - entropy(y))
		trials, k := trials(y, w)
		r.likelihood += k*eta - trials*nll
	}
}

// entropy is −y·ln y − (1−y)·ln(1−y).
func entropy(y float64) float64 {
	if y == 0 || y == 1 {
		return 0
	}
	return -y*math.Log(y) - (1-y)*math.Log1p(-y)
}

// general evaluates any family with any link. A row of weight 0 counts for
// nothing.
func (m model) general(r *rows) {
	_, counts := m.family.(binomial)
	counts = counts && r.w != nil
	r.deviance, r.likelihood, r.invalid = 0, 0, false
	for i, eta := range r.eta {
		w := 1.0
		if r.w != nil {
			w = r.w[i]
		}
		y := r.y[i]
		mu, comp, slope := m.link.mean(eta)
		r.weight[i], r.score[i] = 0, 0
		if !m.family.inside(mu, comp) {
			r.invalid = true
			continue
		}
		if w == 0 {
			continue
		}
		g := slope / m.family.variance(mu, comp)
		r.weight[i], r.score[i] = w*slope*g, w*(y-mu)*g
		r.deviance += w * m.family.deviance(y, mu, comp)
		if counts {
			r.likelihood += likelihood(y, w, mu, comp)
		}
	}
}

// guess is μ in a row of the first round: R's where W is the same whatever y is, and elsewhere the mean
// response of all rows. R's own y + 1/10 of poisson, say, would have the first H tell
// Σ y·x·xᵀ, of which neither the estimate nor any other round tells.
func (m model) guess(y, mean float64, weighted bool) float64 {
	switch m.link.(type) {
	case logit, probit:
		if !weighted {
			return (y + 0.5) / 2
		}
	case identity:
		if m.family == family(gaussian{}) {
			return y
		}
	}
	return mean
}

// start puts each row's eta at its first guess and adds to the score W·(η−o),
// so that the first step, from β = 0, lands where an iteration from that guess does.
func (m model) start(r *rows, offset []float64, mean float64) {
	var lastY, last float64
	for i, y := range r.y {
		if i == 0 || y != lastY {
			lastY, last = y, m.link.eta(m.guess(y, mean, r.w != nil))
		}
		r.eta[i] = last
	}
	m.evaluate(r)
	for i, eta := range r.eta {
		r.score[i] += r.weight[i] * (eta - offset[i])
	}
}
