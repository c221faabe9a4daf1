package attack

import (
	"fmt"
	"math"
	"strings"

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

// manyModels solves for the target by means of one number times the powers of another. The rows are
// of seven ages, the target alone of one of them. With Y the sum of y at an age a, the means of
// y·aʲ give Σ aʲ·Y for j from 0 to 6, in none of which a person carries much, and these give each Y.
func manyModels(s *siege) (Finding, error) {
	own := s.k.Target.Age
	var ages []string
	var at []float64 // (age − own)/10
	for d := -15; d <= 3; d += 3 {
		if d != 0 {
			ages = append(ages, fmt.Sprint(own+d))
		}
		at = append(at, float64(d)/10+0.6)
	}
	where := fmt.Sprintf("age in (%s) or %s", strings.Join(ages, ", "), s.k.Target.where())
	var left [][]float64
	var right []float64
	for j := range at {
		formula := "hdl ~ 1"
		if j > 0 {
			formula = fmt.Sprintf("I(hdl * ((age - %d)/10)^%d) ~ 1", own-6, j)
		}
		doc, err := s.must(where, gaussian(formula))
		if err != nil {
			return Finding{}, err
		}
		r := doc.All()[0]
		right = append(right, r.Tidy[0].Float("estimate")*r.Glance.Float("nobs"))
		var row []float64
		for _, x := range at {
			row = append(row, math.Pow(x, float64(j)))
		}
		left = append(left, row)
	}
	sums, err := linear(left, right)
	if err != nil {
		return Finding{}, err
	}
	return value(sums[5])
}
