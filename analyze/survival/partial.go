package survival

import (
	"wellspring/stat/solve"
)

// Sums over rows stand as w, then w·x by column, then the upper triangle of
// w·x·xᵀ, row after row: width(p) numbers.
func width(p int) int { return 1 + p + p*(p+1)/2 }

// accumulateFirst adds one row's sums, but for the products, to dst.
func accumulateFirst(dst []float64, w float64, x []float64) {
	dst[0] += w
	for i, xi := range x {
		dst[1+i] += w * xi
	}
}

// accumulate adds one row's sums to dst.
func accumulate(dst []float64, w float64, x []float64) {
	p := len(x)
	dst[0] += w
	first, second := dst[1:1+p], dst[1+p:]
	for i, xi := range x {
		wx := w * xi
		first[i] += wx
		rest := x[i:]
		row := second[:len(rest)]
		for j, xj := range rest {
			row[j] += wx * xj
		}
		second = second[len(rest):]
	}
}

// add adds sums to sums.
func add(dst, src []float64) {
	for i, v := range src {
		dst[i] += v
	}
}

// A partial is Cox's log partial likelihood with its gradient and negative
// second derivative (upper triangle), less the part that is linear in the
// coefficients.
type partial struct {
	loglik float64
	score  []float64
	info   []float64
	mean   []float64 // scratch
	// risk and tied are, by step, the factors a and b that the information puts
	// on second moments which the sums given have not.
	risk, tied []float64
}

func newPartial(p int) *partial {
	return &partial{score: make([]float64, p), info: make([]float64, p*(p+1)/2), mean: make([]float64, p)}
}

// breslow adds a time with d events, whose risk set has the given sums:
//
//	ℓ −= d·ln S₀,  U −= d·S₁/S₀,  I += d·(S₂/S₀ − S₁S₁ᵀ/S₀²)
//
// It reports whether S₀ is above 0.
//
// N. Breslow, in the discussion of D. R. Cox, "Regression models and
// life-tables", JRSS B 34, 1972.
func (l *partial) breslow(d int64, risk []float64) bool {
	return l.set(float64(d), risk, nil, 0)
}

// efron adds a time with d events by Efron's rule: the k-th of them sees the
// risk set less the share k/d of the tied ones, k = 0 … d−1.
//
// B. Efron, "The efficiency of Cox's likelihood function for censored data",
// JASA 72, 1977, doi:10.1080/01621459.1977.10480613.
func (l *partial) efron(d int64, risk, tied []float64) bool {
	for k := range d {
		if !l.set(1, risk, tied, float64(k)/float64(d)) {
			return false
		}
	}
	return true
}

// step begins a step.
func (l *partial) step() { l.risk, l.tied = append(l.risk, 0), append(l.tied, 0) }

// set adds times events that see the sums risk − share·tied.
func (l *partial) set(times float64, risk, tied []float64, share float64) bool {
	at := func(i int) float64 {
		if share == 0 {
			return risk[i]
		}
		return risk[i] - float64(share*tied[i])
	}
	s0 := at(0)
	if !(s0 > 0) {
		return false
	}
	l.loglik -= float64(times * solve.Log(s0))
	p := len(l.mean)
	for i := range p {
		l.mean[i] = at(1+i) / s0
		l.score[i] -= float64(times * l.mean[i])
	}
	whole, k := len(risk) > 1+p, 0
	for i, m := range l.mean {
		for _, n := range l.mean[i:] {
			second := 0.0
			if whole {
				second = at(1+p+k) / s0
			}
			l.info[k] += float64(times * (second - float64(m*n)))
			k++
		}
	}
	if !whole {
		last := len(l.risk) - 1
		l.risk[last] += times / s0
		l.tied[last] += float64(times*share) / s0
	}
	return true
}
