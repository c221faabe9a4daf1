package glm

import (
	"math"

	"wellspring/stat/solve"
	"wellspring/study"
)

// result gives the answer at beta, whose covariance in units of the dispersion
// is Σ v·vᵀ over roots; o was opened one last, vanishing step before.
func (s *setup) result(st state, o sum, beta []float64, roots [][]float64) *study.Result {
	s.withoutUnits(&st, &o, beta, roots)
	b, _ := s.design.Unscale(beta, nil)
	p := len(b)
	for i, v := range roots {
		roots[i], _ = s.design.Unscale(v, nil)
	}
	variance := lengths(roots)
	df := float64(st.Used - int64(p))
	phi, normal := 1.0, true
	if s.family == family(gaussian{}) {
		phi, normal = o.deviance/df, false
		if df <= 0 {
			phi = math.NaN()
		}
	}
	r := &study.Result{Glance: s.glance(st, o, phi)}
	level := s.problem.Analysis.ConfLevel
	quantile := solve.NormalQuantile(1 - float64((1-level)/2))
	if !normal {
		quantile = solve.TQuantile(1-float64((1-level)/2), df)
	}
	for i, name := range s.design.Names() {
		se := math.Sqrt(float64(phi * variance[i]))
		z := b[i] / se
		pvalue := 2 * solve.NormalSF(math.Abs(z))
		if !normal {
			pvalue = 2 * solve.TSF(math.Abs(z), df)
		}
		half := float64(quantile * se)
		r.Tidy = append(r.Tidy, study.Row{{Name: "term", Value: name}, {Name: "estimate", Value: b[i]},
			{Name: "std_error", Value: se}, {Name: "statistic", Value: z}, {Name: "p_value", Value: pvalue},
			{Name: "conf_low", Value: b[i] - half}, {Name: "conf_high", Value: b[i] + half}})
	}
	return r
}

// withoutUnits takes everything back to the units of the data. In a linear model
// D is in units of w·y², and roots are those of the inverse of H, in units of w.
func (s *setup) withoutUnits(st *state, o *sum, beta []float64, roots [][]float64) {
	y, w := s.units.y, s.units.w
	for i := range beta {
		beta[i] *= y
	}
	for _, v := range roots {
		for i := range v {
			v[i] /= math.Sqrt(w)
		}
	}
	o.deviance *= w * y * y
	st.Null.Deviance *= w * y * y
	if s.family == family(gaussian{}) {
		st.Constant += float64(float64(st.Used) * solve.Log(w)) // Σ ln w
	} else {
		st.Constant *= w
	}
}

// glance describes the fit as a whole, as R's logLik, AIC and BIC count it:
// the dispersion of gaussian is a parameter.
func (s *setup) glance(st state, o sum, phi float64) study.Row {
	p, n := s.design.P(), float64(st.Used)
	parameters := float64(p)
	likelihood := st.Constant - float64(o.deviance/2)
	switch {
	case s.family == family(gaussian{}):
		parameters++
		likelihood = (st.Constant - float64(n*(solve.Log(2*math.Pi*o.deviance/n)+1))) / 2
	case s.counted():
		likelihood = st.Constant + o.likelihood
	}
	null := st.Null.Deviance
	if !st.Null.Done || st.Null.Invalid {
		null = math.NaN()
	}
	a := s.problem.Analysis.WithDefaults()
	g := study.Row{{Name: "nobs", Value: st.Used}, {Name: "missing", Value: s.totals.Rows - s.totals.Complete},
		{Name: "df", Value: int64(p)}, {Name: "df_residual", Value: st.Used - int64(p)},
		{Name: "logLik", Value: likelihood}, {Name: "deviance", Value: o.deviance}, {Name: "null_deviance", Value: null},
		{Name: "AIC", Value: 2*parameters - 2*likelihood},
		{Name: "BIC", Value: float64(parameters*solve.Log(n)) - 2*likelihood},
		{Name: "iterations", Value: int64(st.Steps)}, {Name: "converged", Value: true}, {Name: "dispersion", Value: phi},
		{Name: "family", Value: a.Family}, {Name: "link", Value: a.Link}}
	if s.family == family(gaussian{}) && s.link == link(identity{gaussian{}}) {
		g = append(g, s.linear(st, o, phi, null)...)
	}
	return g
}

// linear gives what R's summary.lm adds for a linear model: with an intercept
// explained variance is about the mean, else about zero.
func (s *setup) linear(st state, o sum, phi, null float64) study.Row {
	p, n := float64(s.design.P()), float64(st.Used)
	about := 0.0
	if s.design.Intercept() {
		about = 1
	}
	r2 := 1 - o.deviance/null
	f, pvalue := math.NaN(), math.NaN()
	if p > about {
		f = (null - o.deviance) / (p - about) / phi
		pvalue = solve.FSF(f, p-about, n-p)
	}
	return study.Row{{Name: "r_squared", Value: r2}, {Name: "adj_r_squared", Value: 1 - float64((1-r2)*((n-about)/(n-p)))},
		{Name: "sigma", Value: math.Sqrt(phi)}, {Name: "statistic", Value: f}, {Name: "p_value", Value: pvalue}}
}
