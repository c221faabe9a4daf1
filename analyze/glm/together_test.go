package glm_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/policy"
	neighbours "wellspring/policy/near"
	"wellspring/study"
)

// together plays one study of several models at three sites.
func together(t *testing.T, pol policy.Policy, formulas ...string) error {
	t.Helper()
	rows := made(t, "y,x,z,dose,half", 180, func(i int) string {
		x := 40 + 3*(i%6)
		if i == 77 {
			x = 58
		}
		return fmt.Sprintf("%.3f,%d,%.2f,%d,%d", 1+noise(i, 1), x, 5+noise(i, 2), 1+i%7, i/6%2)
	})
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "together"}, Data: study.Data{Dataset: "rows"}}
	for i, f := range formulas {
		s.Analyses = append(s.Analyses, study.Analysis{ID: fmt.Sprint("a", i), Method: "glm", Formula: f, Family: "gaussian"})
	}
	parts := map[ws.SiteID]frame.Source{}
	for i := range 3 {
		var deal []int
		for r := i; r < rows.Rows(); r += 3 {
			deal = append(deal, r)
		}
		parts[ws.SiteID(fmt.Sprintf("s%d", i))] = rows.Select(deal)
	}
	_, err := analyzetest.Play(t, analyze.Catalog{glm.Method()}, s, parts, pol)
	return err
}

// The limit of leverages holds for all that models over the same rows weigh a column by, as an independent hat matrix has
// it.
func TestGLM_Together(t *testing.T) {
	var x []float64
	for i := range 180 {
		v := float64(40 + 3*(i%6))
		if i == 77 {
			v = 58
		}
		x = append(x, v)
	}
	for _, c := range []struct {
		formulas []string
		powers   int // of x that are told against y
	}{
		{[]string{"y ~ x", "y ~ I(x^2)"}, 2},
		{[]string{"y ~ poly(x, 2)", "y ~ I(x^3)"}, 3},
		{[]string{"I(y * x) ~ 1", "I(y * x^3) ~ 1", "y ~ I(x^2)"}, 3},
		{[]string{"y ~ x", "I(y * ((x - 50)/10)^2) ~ 1"}, 2},
	} {
		most := slices.Max(hat(x, c.powers))
		for _, factor := range []float64{0.999, 1.001} {
			pol := policy.Default()
			pol.MaxLeverage, pol.MaxScalars, pol.MaxInfluence = most*factor, 10, 1
			err := together(t, pol, c.formulas...)
			if neighbours.Replied(err) != (factor < 1) || err != nil && factor > 1 {
				t.Errorf("%v with a limit of %v of the largest leverage: %v", c.formulas, factor, err)
			}
		}
	}
}

// Within the levels of a factor a number weighs as one of its own.
func TestGLM_TogetherWithin(t *testing.T) {
	a := mat.NewDense(180, 5, nil)
	for i := range 180 {
		v := float64(40+3*(i%6)-50) / 10
		if i == 77 {
			v = .8
		}
		a.Set(i, 0, 1)
		x := 50 + 10*v // powers as they are: 1 is within no level
		a.Set(i, 1+i/6%2, x)
		a.Set(i, 3+i/6%2, x*x)
	}
	most := slices.Max(leverages(a))
	for _, factor := range []float64{0.999, 1.001} {
		pol := policy.Default()
		pol.MaxLeverage, pol.MaxScalars, pol.MaxInfluence = most*factor, 10, 1
		err := together(t, pol, "y ~ factor(half):x", "y ~ factor(half):I(x^2)")
		if neighbours.Replied(err) != (factor < 1) || err != nil && factor > 1 {
			t.Errorf("with a limit of %v of the largest leverage: %v", factor, err)
		}
	}
}

// hat gives the leverages of rows in the space of the powers of x.
func hat(x []float64, powers int) []float64 {
	a := mat.NewDense(len(x), powers+1, nil)
	for i, v := range x {
		for k := range powers + 1 {
			a.Set(i, k, math.Pow((v-50)/10, float64(k)))
		}
	}
	return leverages(a)
}

// leverages are the squared lengths of the rows of Q in a QR decomposition.
func leverages(a *mat.Dense) []float64 {
	var qr mat.QR
	qr.Factorize(a)
	var q mat.Dense
	qr.QTo(&q)
	rows, columns := a.Dims()
	out := make([]float64, rows)
	for i := range out {
		for k := range columns {
			out[i] += q.At(i, k) * q.At(i, k)
		}
	}
	return out
}

// What is not told of one column together is not judged together, and the same term again costs nothing.
func TestGLM_TogetherFree(t *testing.T) {
	pol := policy.Default()
	pol.MaxScalars = 10
	for _, formulas := range [][]string{
		{"y ~ x", "y ~ x", "y ~ x + z", "y ~ I(x/10)", "z ~ x"},
		{"y ~ z", "y ~ poly(z, 2)", "y ~ ns(z, knots = c(5.3, 5.6), Boundary.knots = c(5.05, 5.95))"},
		{"y ~ I(z/dose^2)", "y ~ z + dose", "y ~ z:dose"},
		{"y ~ x", "dose ~ z"},
	} {
		if err := together(t, pol, formulas...); err != nil {
			t.Errorf("%v: %v", formulas, err)
		}
	}
	err := together(t, pol, "y ~ x", "y ~ I(x + exp(-x))") // within rounding the same
	if !neighbours.Replied(err) || !strings.Contains(err.Error(), "of y") {
		t.Errorf("nearly the same term: %v", err)
	}
}
