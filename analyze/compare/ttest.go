package compare

import (
	"math"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// TTest is the method "ttest": of two groups by a formula "y ~ g", Welch's or
// with the pooled variance, or of one variable against mu.
func TTest() analyze.Method {
	return analyze.Loop[tableState]{Name: "ttest", Frames: groups, Start: beginTTest, Ask: askTTest, Fold: foldTTest,
		Next: func(p *analyze.Problem, st tableState, sum stat.Sum) (tableState, *study.Result, error) {
			r, err := compareMeans(p, sum)
			return st, r, err
		}}.Method()
}

// groups binds "y ~ g", or "~ y" for one sample.
func groups(a study.Analysis, facts analyze.Facts) ([]*formula.Frame, error) {
	text := a.Formula
	if text == "" {
		if len(a.Variables) != 1 {
			return nil, ws.Errorf(ws.Invalid, "groups", ws.T("a one-sample test is of one variable", "单样本检验只能有一个变量"))
		}
		text = "`" + a.Variables[0] + "` ~ 1"
	}
	m, err := formula.Parse(text)
	if err != nil {
		return nil, err
	}
	f, err := formula.Bind(m, facts.Columns, "")
	if err != nil {
		return nil, err
	}
	want := 1
	if a.Formula == "" {
		want = 0
	}
	r := f.Roles()
	if r.Response < 0 || len(f.Numeric()) != 1 || len(f.Factors()) != want || len(m.Terms()) != want {
		return nil, ws.Errorf(ws.Invalid, "formula", ws.T("a t test wants a numeric response and one factor: y ~ g", "t 检验需要一个数值因变量和一个因子：y ~ g")).
			WithHint(ws.T("write factor(g) if g is numeric", "若 g 为数值，请写 factor(g)"))
	}
	return []*formula.Frame{f}, nil
}

// sizes returns the levels that hold rows, their counts, and which of them each
// level of the factor is (−1: none). One sample is one group without a name.
func sizes(p *analyze.Problem) (names []string, n []int64, group []int) {
	f, t := p.Frames[0], p.Totals[0]
	if len(f.Factors()) == 0 {
		return []string{""}, []int64{t.Complete}, nil
	}
	for i, k := range t.Levels[0] {
		group = append(group, -1)
		if k > 0 {
			group[i] = len(n)
			names, n = append(names, f.Factors()[0].Levels[i]), append(n, k)
		}
	}
	return names, n, group
}

func beginTTest(p *analyze.Problem) (tableState, *study.Result, error) {
	st := tableState{}
	if err := p.JudgeModel(0); err != nil {
		return st, nil, err
	}
	names, n, _ := sizes(p)
	if len(p.Frames[0].Factors()) > 0 && len(names) != 2 {
		return st, nil, ws.Errorf(ws.Invalid, "factor "+p.Frames[0].Factors()[0].Name,
			ws.T("the grouping factor must have exactly two levels with rows", "分组因子须恰有两个水平含有数据行"))
	}
	for _, k := range n {
		if k < 2 {
			return st, nil, ws.Errorf(ws.Invalid, "groups", ws.T("a group has fewer than two rows", "某组的行数不足两行"))
		}
	}
	if _, sd := centre(p); sd == 0 {
		return st, nil, constant(p)
	}
	return st, nil, nil
}

func constant(p *analyze.Problem) error {
	return ws.Errorf(ws.Invalid, "response "+p.Frames[0].Numeric()[0].Name, ws.T("the data are essentially constant", "数据基本为常数"))
}

// centre gives mean and standard deviation (divisor n) over all groups, from
// round 0; the latter is 0 where nothing but rounding varies.
func centre(p *analyze.Problem) (mean, sd float64) {
	t := p.Totals[0]
	n := float64(t.Complete)
	mean = t.Sum[0] / n
	v := t.SumSq[0]/n - float64(mean*mean)
	if v <= 1e-14*t.SumSq[0]/n {
		return mean, 0
	}
	return mean, math.Sqrt(v)
}

func askTTest(p *analyze.Problem, _ tableState) (analyze.Ask, error) {
	_, n, _ := sizes(p)
	bound := math.Sqrt(float64(p.Totals[0].Complete)) * 1.001 // z² is at most Σz² = n
	rows := p.Totals[0].Rows
	return analyze.Ask{Query: p.Query(p.Frames[0]), Shape: stat.Shape{
		{Name: "sum", Len: len(n), Frac: stat.FracFor(bound, rows), Basis: n},
		{Name: "sumsq", Len: len(n), Frac: stat.FracFor(bound*bound, rows), Basis: n}}}, nil
}

// A momentFold adds z and z² by group.
type momentFold struct {
	frame    *formula.Frame
	group    []int
	mean, sd float64
	sums     [][2]float64
}

func foldTTest(p *analyze.Problem, _ tableState) (analyze.Fold, error) {
	_, n, group := sizes(p)
	mean, sd := centre(p)
	return &momentFold{p.Frames[0], group, mean, sd, make([][2]float64, len(n))}, nil
}

func (m *momentFold) Add(b frame.Batch) error {
	v, err := m.frame.Eval(b)
	if err != nil {
		return err
	}
	for r, y := range v.Numeric[0][:v.Rows] {
		g := 0
		if m.group != nil {
			g = m.group[v.Factor[0][r]]
		}
		z := (y - m.mean) / m.sd
		m.sums[g][0] += z
		m.sums[g][1] += z * z
	}
	return nil
}

func (m *momentFold) Vector() (stat.Vector, error) {
	var sum, sumsq stat.Vector
	for _, s := range m.sums {
		sum, sumsq = append(sum, s[0]), append(sumsq, s[1])
	}
	return append(sum, sumsq...), nil
}

// A sample is one group's size, mean and variance (divisor n−1).
type sample struct{ n, mean, variance float64 }

func samples(p *analyze.Problem, sum stat.Sum) []sample {
	_, sizes, _ := sizes(p)
	mean, sd := centre(p)
	z, zz := sum.Reals("sum"), sum.Reals("sumsq")
	var out []sample
	for g, k := range sizes {
		n := float64(k)
		v := math.Max(zz[g]-float64(z[g]*z[g])/n, 0) / (n - 1)
		out = append(out, sample{n, mean + float64(sd*z[g])/n, float64(float64(sd*sd) * v)})
	}
	return out
}

// compareMeans ends the test: t = (difference − mu)/se, as in R's t.test.
func compareMeans(p *analyze.Problem, sum stat.Sum) (*study.Result, error) {
	s := samples(p, sum)
	row := study.Row{{Name: "estimate", Value: s[0].mean}}
	difference, se, df := s[0].mean, math.Sqrt(s[0].variance/s[0].n), s[0].n-1
	method, most := "One Sample t-test", math.Abs(s[0].mean)
	if len(s) == 2 {
		difference = s[0].mean - s[1].mean
		row = study.Row{{Name: "estimate", Value: difference}, {Name: "estimate1", Value: s[0].mean}, {Name: "estimate2", Value: s[1].mean}}
		most = math.Max(most, math.Abs(s[1].mean))
		method, se, df = "Welch Two Sample t-test", 0, 0
		if p.Analysis.VarEqual != nil && *p.Analysis.VarEqual {
			method = "Two Sample t-test"
			se, df = pooled(s[0], s[1])
		} else {
			se, df = welch(s[0], s[1])
		}
	}
	if !(se >= 10*0x1p-52*most) || se == 0 {
		return nil, constant(p)
	}
	t := (difference - p.Analysis.Mu) / se
	half := float64(solve.TQuantile(1-float64((1-p.Analysis.ConfLevel)/2), df) * se)
	row = append(row, study.Row{{Name: "std_error", Value: se}, {Name: "statistic", Value: t}, {Name: "p_value", Value: 2 * solve.TSF(math.Abs(t), df)},
		{Name: "parameter", Value: df}, {Name: "conf_low", Value: difference - half}, {Name: "conf_high", Value: difference + half},
		{Name: "method", Value: method}}...)
	r := &study.Result{Tidy: []study.Row{row}, Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	r.Glance = study.Row{{Name: "nobs", Value: p.Totals[0].Complete}, {Name: "missing", Value: p.Totals[0].Rows - p.Totals[0].Complete}}
	names, sizes, _ := sizes(p)
	for g, name := range names {
		if name != "" {
			r.Summary = append(r.Summary, study.Row{{Name: "group", Value: name}, {Name: "n", Value: sizes[g]},
				{Name: "mean", Value: s[g].mean}, {Name: "sd", Value: math.Sqrt(s[g].variance)}})
		}
	}
	return r, nil
}

// welch gives the standard error of the difference without assuming equal
// variances, and the degrees of freedom of Welch and Satterthwaite:
//
//	se² = v₁/n₁ + v₂/n₂,  df = se⁴ / ((v₁/n₁)²/(n₁−1) + (v₂/n₂)²/(n₂−1))
func welch(a, b sample) (se, df float64) {
	va, vb := a.variance/a.n, b.variance/b.n
	v := va + vb
	return math.Sqrt(v), float64(v*v) / (float64(va*va)/(a.n-1) + float64(vb*vb)/(b.n-1))
}

// pooled gives them under equal variances.
func pooled(a, b sample) (se, df float64) {
	df = a.n + b.n - 2
	v := (float64((a.n-1)*a.variance) + float64((b.n-1)*b.variance)) / df
	return math.Sqrt(float64(v * (1/a.n + 1/b.n))), df
}
