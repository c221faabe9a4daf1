package glm_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// made writes n rows of a CSV and loads it.
func made(t *testing.T, header string, n int, row func(i int) string) *table.Table {
	t.Helper()
	lines := []string{header}
	for i := range n {
		lines = append(lines, row(i))
	}
	path := filepath.Join(t.TempDir(), "made.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return csvtest.Read(t, path, analyze.SiteColumn)
}

// noise is a number in [0, 1) that depends on i alone.
func noise(i, salt int) float64 {
	x := math.Sin(float64(i*37+salt*101)) * 43758.5453
	return x - math.Floor(x)
}

func refused(t *testing.T, rows *table.Table, a study.Analysis, kind ws.Kind, names ...string) {
	t.Helper()
	a.Method = "glm"
	err := analyzetest.Refusal(t, glm.Method(), analyzetest.Case{Name: a.Formula, Analysis: a, Rows: rows})
	if got := ws.KindOf(err); got != kind {
		t.Errorf("%s: %v error %v, want %v", a.Formula, got, err, kind)
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %q does not name %s", a.Formula, err, name)
		}
	}
}

func TestGLM_Separation(t *testing.T) {
	rows := made(t, "y,split,part,count,noise,other", 400, func(i int) string {
		x := noise(i, 1)
		y := 0
		if x > 0.5 {
			y = 1
		}
		part := "mixed"
		if y == 1 && i%3 == 0 {
			part = "only" // all successes: quasi-complete separation
		}
		count := i % 4
		if part == "only" {
			count = 0
		}
		quiet := y
		if i%5 == 0 {
			quiet = 1 - y
		}
		if part == "only" {
			quiet = 1
		}
		return fmt.Sprintf("%d,%.6f,%s,%d,%.6f,%d", y, x, part, count, noise(i, 2), quiet)
	})
	for _, link := range []string{"logit", "probit", "cloglog"} {
		refused(t, rows, study.Analysis{Formula: "y ~ split + noise", Family: "binomial", Link: link}, ws.Invalid, "split")
		refused(t, rows, study.Analysis{Formula: "other ~ part + noise", Family: "binomial", Link: link}, ws.Invalid, "partonly")
	}
	refused(t, rows, study.Analysis{Formula: "count ~ noise + part", Family: "poisson"}, ws.Invalid, "partonly")
}

// A rare level with one event in very many rows is no separation, though
// Newton takes many steps of equal length towards it.
func TestGLM_RareIsNotSeparated(t *testing.T) {
	const n = 40000
	rows := made(t, "y,g,x", n, func(i int) string {
		y, g := 0, "common"
		if i%40 == 0 {
			g = "rare"
		}
		if i == 80 || i == 41 || g == "common" && noise(i, 3) > 0.9 {
			y = 1
		}
		return fmt.Sprintf("%d,%s,%.4f", y, g, noise(i, 4))
	})
	for _, a := range []study.Analysis{
		{Method: "glm", Formula: "y ~ g + x", Family: "binomial"},
		{Method: "glm", Formula: "y ~ g + x", Family: "poisson"},
		{Method: "glm", Formula: "y ~ g + x", Family: "binomial", Link: "cloglog"},
	} {
		got := analyzetest.Answer(t, glm.Method(), rows, a)
		if b := got.Tidy[1].Float("estimate"); !(b < -4 && b > -6) {
			t.Errorf("%s: estimate of the rare level %v", a.Family, b)
		}
	}
}

func TestGLM_Refuses(t *testing.T) {
	rows := made(t, "y,zero,same,x,twice,w,minus,g,three,late", 120, func(i int) string {
		x := noise(i, 5)
		return fmt.Sprintf("%d,0,7.5,%.6f,%.6f,%d,%.6f,%s,%s,%s", i%2, x, 2*x-3, i%3, x-0.5, "ab"[i%2:i%2+1], "abc"[i%3:i%3+1], "u")
	})
	for _, c := range []struct {
		analysis study.Analysis
		names    []string
	}{
		{study.Analysis{Formula: "y ~ x + twice", Family: "binomial"}, []string{"twice"}},
		{study.Analysis{Formula: "x ~ g + y"}, []string{"y"}},
		{study.Analysis{Formula: "x ~ same"}, []string{"same"}},
		{study.Analysis{Formula: "zero ~ x", Family: "binomial"}, []string{"zero"}},
		{study.Analysis{Formula: "zero ~ x", Family: "poisson"}, []string{"zero"}},
		{study.Analysis{Formula: "same ~ x"}, []string{"same"}},
		{study.Analysis{Formula: "late ~ x", Family: "binomial"}, []string{"late"}},
		{study.Analysis{Formula: "three ~ x", Family: "binomial"}, []string{"three", "two levels"}},
		{study.Analysis{Formula: "g ~ x"}, []string{"binomial"}},
		{study.Analysis{Formula: "x ~ g", Family: "binomial"}, []string{"x"}},
		{study.Analysis{Formula: "minus ~ g", Family: "poisson"}, []string{"minus"}},
		{study.Analysis{Formula: "minus ~ g", Link: "log"}, []string{"minus"}},
		{study.Analysis{Formula: "x ~ g", Weights: "minus"}, []string{"minus"}},
		{study.Analysis{Formula: "x ~ g + strata(three)"}, []string{"strata"}},
		{study.Analysis{Formula: "Surv(x, y) ~ g"}, []string{"Surv"}},
		{study.Analysis{Formula: "~ g"}, []string{"response"}},
		{study.Analysis{Formula: "x ~ offset(twice) - 1"}, []string{"term"}},
		{study.Analysis{Formula: "x ~ g", Family: "gamma"}, []string{"gamma"}},
		{study.Analysis{Formula: "x ~ g", Link: "logit"}, []string{"logit"}},
	} {
		refused(t, rows, c.analysis, ws.Invalid, c.names...)
	}
}

// Under limits a small level, a rare outcome and too many parameters are
// withheld, and no error tells a count.
func TestGLM_Withholds(t *testing.T) {
	rows := made(t, "y,g,rare,x", 60, func(i int) string {
		g, rare := "ab"[i%2:i%2+1], 0
		if i < 4 {
			g, rare = "c", 1
		}
		return fmt.Sprintf("%d,%s,%d,%.6f", i%2, g, rare, noise(i, 6))
	})
	for formula, family := range map[string]string{
		"x ~ g": "gaussian", "rare ~ x": "binomial",
		"x ~ poly(y, 1) + I(y*x) + " + strings.Join(powers(2, 24), " + "): "gaussian",
	} {
		pol := policy.Default()
		err := analyzetest.Refusal(t, glm.Method(), analyzetest.Case{Name: formula, Rows: rows, Policy: &pol,
			Analysis: study.Analysis{Method: "glm", Formula: formula, Family: family}})
		if ws.KindOf(err) != ws.Withheld {
			t.Errorf("%s: %v", formula, err)
		}
	}
}

func powers(from, to int) []string {
	var out []string
	for k := from; k <= to; k++ {
		out = append(out, fmt.Sprintf("I(x^%d)", k))
	}
	return out
}
