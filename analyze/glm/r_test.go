package glm_test

import (
	"math"
	"path/filepath"
	"testing"

	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/study"
)

// An answer is R's: see testdata/r.R.
type answer struct {
	Name, Table, Formula, Family, Link, Weights string

	Term      []string
	Estimate  []float64
	StdError  []float64 `json:"std_error"`
	Statistic []float64
	PValue    []float64          `json:"p_value"`
	ConfLow   []float64          `json:"conf_low"`
	ConfHigh  []float64          `json:"conf_high"`
	Leverage  float64            // the largest
	Glance    map[string]float64 `json:"glance"`
}

func (a answer) analysis() study.Analysis {
	return study.Analysis{Method: "glm", Formula: a.Formula, Family: a.Family, Link: a.Link, Weights: a.Weights}
}

func answers(t testing.TB) []answer {
	t.Helper()
	var out []answer
	csvtest.JSON(t, "testdata/r.json", &out)
	return out
}

func rowsOf(t testing.TB, a answer) *table.Table {
	return csvtest.Read(t, filepath.Join("testdata", a.Table+".csv"), analyze.SiteColumn)
}

// near fails unless got is want to a relative tolerance, or to that part of a
// standard error.
func near(t testing.TB, what string, got, want, se, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), se)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func check(t testing.TB, got study.Result, want answer, tolerance float64) {
	t.Helper()
	if len(got.Tidy) != len(want.Term) {
		t.Fatalf("%d terms, want %v", len(got.Tidy), want.Term)
	}
	for i, term := range want.Term {
		row, se := got.Tidy[i], want.StdError[i]
		if row.Text("term") != term {
			t.Errorf("term %d is %q, want %q", i, row.Text("term"), term)
		}
		near(t, term, row.Float("estimate"), want.Estimate[i], se, tolerance)
		near(t, term+" std_error", row.Float("std_error"), se, 0, tolerance)
		near(t, term+" statistic", row.Float("statistic"), want.Statistic[i], 1, tolerance)
		near(t, term+" p_value", row.Float("p_value"), want.PValue[i], 1e-8, tolerance*100)
		near(t, term+" conf_low", row.Float("conf_low"), want.ConfLow[i], se, tolerance)
		near(t, term+" conf_high", row.Float("conf_high"), want.ConfHigh[i], se, tolerance)
	}
	asked := want.analysis().WithDefaults()
	if family, link := got.Glance.Text("family"), got.Glance.Text("link"); family != asked.Family || link != asked.Link || link == "" {
		t.Errorf("family %q and link %q, want %q and %q", family, link, asked.Family, asked.Link)
	}
	for name, v := range want.Glance {
		near(t, name, got.Glance.Float(name), v, 1e-8, tolerance)
	}
}

// The pooled answers are R's, to eight digits.
func TestGLM_R(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.Name, func(t *testing.T) {
			check(t, analyzetest.Answer(t, glm.Method(), rowsOf(t, a), a.analysis()), a, 1e-8)
		})
	}
}

// Any partition gives the pooled answers.
func TestGLM_Conformance(t *testing.T) {
	var cases []analyzetest.Case
	for _, a := range answers(t) {
		cases = append(cases, analyzetest.Case{Name: a.Name, Analysis: a.analysis(), Rows: rowsOf(t, a)})
	}
	far := study.Analysis{Method: "glm", Formula: "I(mpg + 10000) ~ I(wt + 10000) * am"} // nearly collinear, and only by where zero is
	cases = append(cases, analyzetest.Case{Name: "far-from-zero", Analysis: far, Rows: csvtest.Read(t, filepath.Join("testdata", "mtcars.csv"), analyze.SiteColumn)})
	analyzetest.Run(t, glm.Method(), cases...)
}
