package attack

import (
	"fmt"
	"math"

	"wellspring/study"
)

// is is 1 for the target and 0 for others, in a formula.
func (q Quasi) is() string {
	return fmt.Sprintf("(age == %d) * (bmi == %v)", q.Age, q.BMI)
}

// duplicatedRow has the target twice in a regression through the origin on 1 + t:
// β·Σ(1+t)² = Σy + y_t, and Σy and n are known.
func duplicatedRow(s *siege) (Finding, error) {
	doc, err := s.must("", describe("", "hdl"))
	if err != nil {
		return Finding{}, err
	}
	all, _ := sum(doc.All()[0], "hdl", "")
	row, _ := cell(doc.All()[0], "variable", "hdl")
	doc, err = s.must("", gaussian(fmt.Sprintf("hdl ~ 0 + I(1 + %s)", s.k.Target.is())))
	if err != nil {
		return Finding{}, err
	}
	b := doc.All()[0].Tidy[0].Float("estimate")
	return value(b*(row.Float("n")+3) - all)
}

// indicator: the mean of y·t, n times.
func indicator(s *siege) (Finding, error) {
	doc, err := s.must("", gaussian(fmt.Sprintf("I(hdl * %s) ~ 1", s.k.Target.is())))
	if err != nil {
		return Finding{}, err
	}
	r := doc.All()[0]
	return value(r.Tidy[0].Float("estimate") * r.Glance.Float("nobs"))
}

// saturated has a coefficient for the target alone.
func saturated(s *siege) (Finding, error) {
	doc, err := s.must("", gaussian(fmt.Sprintf("hdl ~ 0 + sex:ward:factor(I(%s))", s.k.Target.is())))
	if doc == nil && err == errGaveUp { // the same in other words
		doc, err = s.must("", gaussian(fmt.Sprintf("hdl ~ 1 + I(%s)", s.k.Target.is())))
	}
	if err != nil {
		return Finding{}, err
	}
	x := 0.0
	for _, row := range doc.All()[0].Tidy {
		x += row.Float("estimate")
	}
	return value(x)
}

// covariance weighs the target as good as alone: Σvy/Σv² with v = 1/(1 + 10¹²·d²), d
// the distance in age and body mass index.
func covariance(s *siege) (Finding, error) {
	v := fmt.Sprintf("1/(1 + 1000000000000*((age - %d)^2 + (bmi - %v)^2))", s.k.Target.Age, s.k.Target.BMI)
	doc, err := s.must("", gaussian(fmt.Sprintf("hdl ~ 0 + I(%s)", v)))
	if err != nil {
		return Finding{}, err
	}
	return value(doc.All()[0].Tidy[0].Float("estimate"))
}

// startValues moves the target alone by an offset c, as start values of a step would, and
// reads the deviance: D(c) = D(0) − 2c(y − ȳ) + c²(1 − 1/n).
func startValues(s *siege) (Finding, error) {
	const c = 8
	plain, err := s.must("", gaussian("hdl ~ 1"))
	if err != nil {
		return Finding{}, err
	}
	moved, err := s.must("", gaussian(fmt.Sprintf("hdl ~ 1 + offset(%d * %s)", c, s.k.Target.is())))
	if err != nil {
		return Finding{}, err
	}
	a, b := plain.All()[0], moved.All()[0]
	n, mean := a.Glance.Float("nobs"), a.Tidy[0].Float("estimate")
	return value(mean - (b.Glance.Float("deviance")-a.Glance.Float("deviance")-c*c*(1-1/n))/(2*c))
}

// nearEmpty leaves of the target's ward the target alone, and takes what other wards have off
// the whole.
func nearEmpty(s *siege) (Finding, error) {
	where := fmt.Sprintf("ward != '%s' or %s", s.k.Target.Ward, s.k.Target.where())
	doc, err := s.must(where, describe("ward", "hdl"), describe("", "hdl"))
	if err != nil {
		return Finding{}, err
	}
	if x, ok := sum(doc.All()[0], "hdl", s.k.Target.Ward); ok {
		return value(x)
	}
	left, ok := sum(doc.All()[1], "hdl", "")
	if !ok {
		return Finding{}, errGaveUp
	}
	for _, row := range doc.All()[0].Tidy {
		left -= row.Float("n") * row.Float("mean")
	}
	return value(left)
}

// orderStatistics sorts a ward with the target and without: the value that
// is not in both is the target's.
func orderStatistics(s *siege) (Finding, error) {
	ward := fmt.Sprintf("ward = '%s' and sex = '%s'", s.k.Target.Ward, s.k.Target.Sex)
	with, err := s.sorted(ward)
	if err != nil {
		return Finding{}, err
	}
	without, err := s.sorted(ward + " and " + not(s.k.Target.where()))
	if err != nil {
		return Finding{}, err
	}
	for i, x := range with {
		if i == len(without) || math.Abs(x-without[i]) > 1e-9 {
			return value(x)
		}
	}
	return Finding{}, errGaveUp
}

// sorted asks for the quantiles that are the values themselves, (i−1)/(n−1).
func (s *siege) sorted(where string) ([]float64, error) {
	n, err := s.count(where, "hdl")
	if err != nil {
		return nil, err
	}
	var probs []float64
	for i := range int(n) {
		probs = append(probs, float64(i)/(n-1))
	}
	doc, err := s.must(where, study.Analysis{Method: "quantile", Variables: []string{"hdl"}, Probs: probs})
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, row := range doc.All()[0].Tidy {
		out = append(out, row.Float("quantile"))
	}
	return out, nil
}

// manyModels solves for the target by models of one column's powers. The rows are of four
// ages, the target alone of one of them. With Y the sum of y at an age a, models of y
// on a, a² and a³ give Σ aʲ·Y for j from 0 to 3, each of them with little leverage:
// X'y = X'Xβ, where X'X follows from how many have each age, and that from n, mean and
// sd of age.
func manyModels(s *siege) (Finding, error) {
	own := float64(s.k.Target.Age)
	ages := []float64{own - 12, own - 6, own, own + 6}
	where := fmt.Sprintf("age in (%v, %v, %v) or %s", ages[0], ages[1], ages[3], s.k.Target.where())
	doc, err := s.must(where, describe("", "age", "hdl"))
	if err != nil {
		return Finding{}, err
	}
	row, ok := cell(doc.All()[0], "variable", "age")
	y, ok2 := sum(doc.All()[0], "hdl", "")
	if !ok || !ok2 {
		return Finding{}, errGaveUp
	}
	n, mean, sd := row.Float("n"), row.Float("mean"), row.Float("sd")
	x := func(i, j int) float64 { return math.Pow((ages[i]-own)/6, float64(j)) } // ages as −2, −1, 0, 1
	m1 := n * (mean - own) / 6
	m2 := (sd*sd*(n-1) + n*(mean-own)*(mean-own)) / 36
	count, err := linear([][]float64{{1, 1, 1}, {x(0, 1), x(1, 1), x(3, 1)}, {x(0, 2), x(1, 2), x(3, 2)}}, []float64{n - 1, m1, m2})
	if err != nil {
		return Finding{}, err
	}
	persons := []float64{math.Round(count[0]), math.Round(count[1]), 1, math.Round(count[2])}
	moment := func(j int) (m float64) {
		for i := range ages {
			m += persons[i] * x(i, j)
		}
		return m
	}
	right := []float64{y}
	for j := 1; j <= 3; j++ {
		doc, err := s.must(where, gaussian(fmt.Sprintf("hdl ~ I(((age - %v)/6)^%d)", own, j)))
		if err != nil {
			return Finding{}, err
		}
		tidy := doc.All()[0].Tidy
		right = append(right, tidy[0].Float("estimate")*moment(j)+tidy[1].Float("estimate")*moment(2*j))
	}
	var left [][]float64
	for j := range ages {
		left = append(left, []float64{x(0, j), x(1, j), x(2, j), x(3, j)})
	}
	sums, err := linear(left, right)
	if err != nil {
		return Finding{}, err
	}
	return value(sums[2])
}
