package survival_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/survival"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/study"
)

func made(t testing.TB) *table.Table {
	return csvtest.Read(t, filepath.Join("testdata", "made.csv"), analyze.SiteColumn)
}

// rowsOf returns the table of an answer, and the filter of its rows.
func rowsOf(t testing.TB, name string) (rows *table.Table, where string) {
	switch name {
	case "lung":
		return csvtest.Read(t, csvtest.Shared(t, "data/survival-r/lung.csv"), analyze.SiteColumn), ""
	case "colon":
		return csvtest.Read(t, csvtest.Shared(t, "data/survival-r/colon.csv"), analyze.SiteColumn), "etype = 2"
	}
	return made(t), ""
}

// numbers may have null, for a value that R has as NA.
type numbers []float64

func (n *numbers) UnmarshalJSON(b []byte) error {
	var all []*float64
	if len(b) > 0 && b[0] != '[' {
		b = slices.Concat([]byte{'['}, b, []byte{']'})
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for _, v := range all {
		if v == nil {
			*n = append(*n, math.NaN())
		} else {
			*n = append(*n, *v)
		}
	}
	return nil
}

// texts may be one.
type texts []string

func (s *texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '[' {
		b = slices.Concat([]byte{'['}, b, []byte{']'})
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// An answer is R's: see testdata/r.R.
type answer struct {
	Method, Table, Formula, Ties string
	ConfType                     string  `json:"conf_type"`
	ConfLevel                    float64 `json:"conf_level"`
	Rho                          float64

	Term, Strata, Groups    texts
	Estimate                numbers
	StdError                numbers `json:"std_error"`
	PValue                  numbers `json:"p_value"`
	ConfLow                 numbers `json:"conf_low"`
	ConfHigh                numbers `json:"conf_high"`
	Glance                  map[string]float64
	Time                    numbers
	NRisk                   numbers `json:"n_risk"`
	NEvent                  numbers `json:"n_event"`
	NCensor                 numbers `json:"n_censor"`
	Records, Events, Median numbers
	MedianLow               numbers `json:"median_low"`
	MedianHigh              numbers `json:"median_high"`
	N, Observed, Expected   numbers
	Statistic, DF           float64
}

func (a answer) analysis() study.Analysis {
	return study.Analysis{Method: a.Method, Formula: a.Formula, Ties: a.Ties, ConfType: a.ConfType, ConfLevel: a.ConfLevel, Rho: a.Rho}
}

func (a answer) name() string {
	return strings.NewReplacer(" ", "", "\"", "", "/", "_").Replace(a.Method + "-" + a.Table + "-" + a.Formula + a.Ties)
}

func answers(t testing.TB) []answer {
	t.Helper()
	var out []answer
	csvtest.JSON(t, "testdata/r.json", &out)
	return out
}

func method(name string) analyze.Method {
	switch name {
	case "cox":
		return survival.Cox()
	case "km":
		return survival.KM()
	}
	return survival.LogRank()
}

// near fails unless got is want to a relative tolerance, or to that part of a
// standard error.
func near(t testing.TB, what string, got, want, se, tolerance float64) {
	t.Helper()
	if math.IsNaN(want) && math.IsNaN(got) {
		return
	}
	if !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), se)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// Every answer on the pooled table is R's, to 1e-8 of it.
func TestR(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.name(), func(t *testing.T) {
			rows, where := rowsOf(t, a.Table)
			got := analyzetest.Case{Rows: rows, Where: where, Analysis: a.analysis()}.Pooled(t, method(a.Method))
			switch a.Method {
			case "cox":
				a.checkCox(t, got)
			case "km":
				a.checkKM(t, got)
			default:
				a.checkLogRank(t, got)
			}
		})
	}
}

const tolerance = 1e-8

func (a answer) checkCox(t *testing.T, got study.Result) {
	if len(got.Tidy) != len(a.Term) {
		t.Fatalf("%d terms, want %d", len(got.Tidy), len(a.Term))
	}
	for i, row := range got.Tidy {
		if row.Text("term") != a.Term[i] {
			t.Errorf("term %q, want %q", row.Text("term"), a.Term[i])
		}
		se := a.StdError[i]
		near(t, a.Term[i], row.Float("estimate"), a.Estimate[i], se, tolerance)
		near(t, a.Term[i]+" std_error", row.Float("std_error"), se, 0, tolerance)
		near(t, a.Term[i]+" conf_low", row.Float("conf_low"), a.ConfLow[i], se, tolerance)
		near(t, a.Term[i]+" conf_high", row.Float("conf_high"), a.ConfHigh[i], se, tolerance)
		near(t, a.Term[i]+" p_value", row.Float("p_value"), a.PValue[i], 0, 1e-6)
	}
	for name, want := range a.Glance {
		limit := tolerance
		if strings.HasPrefix(name, "p_value") {
			limit = 1e-6
		}
		near(t, name, got.Glance.Float(name), want, 0, limit)
	}
}

func (a answer) checkKM(t *testing.T, got study.Result) {
	if len(got.Tidy) != len(a.Time) || len(got.Summary) != len(a.Groups) {
		t.Fatalf("%d times and %d groups, want %d and %d", len(got.Tidy), len(got.Summary), len(a.Time), len(a.Groups))
	}
	at := map[string]int{} // R orders the levels of a factor, we may not
	for i, s := range a.Strata {
		if _, ok := at[s]; !ok {
			at[s] = i
		}
	}
	for _, row := range got.Tidy {
		i := at[row.Text("strata")]
		at[row.Text("strata")]++
		if a.Strata[i] != row.Text("strata") {
			t.Fatalf("strata %q, want %q", row.Text("strata"), a.Strata[i])
		}
		for name, want := range map[string]numbers{"time": a.Time, "n_risk": a.NRisk, "n_event": a.NEvent, "n_censor": a.NCensor,
			"estimate": a.Estimate, "std_error": a.StdError, "conf_low": a.ConfLow, "conf_high": a.ConfHigh} {
			near(t, name, row.Float(name), want[i], 1e-6, tolerance)
		}
	}
	for _, row := range got.Summary {
		i := slices.Index(a.Groups, row.Text("strata"))
		if i < 0 {
			t.Fatalf("no group %q in R, but %q", row.Text("strata"), a.Groups)
		}
		for name, want := range map[string]numbers{"records": a.Records, "events": a.Events, "median": a.Median,
			"conf_low": a.MedianLow, "conf_high": a.MedianHigh} {
			near(t, row.Text("strata")+" "+name, row.Float(name), want[i], 0, tolerance)
		}
	}
}

func (a answer) checkLogRank(t *testing.T, got study.Result) {
	near(t, "statistic", got.Glance.Float("statistic"), a.Statistic, 0, tolerance)
	near(t, "df", got.Glance.Float("df"), a.DF, 0, 0)
	near(t, "p_value", got.Glance.Float("p_value"), a.PValue[0], 0, 1e-7)
	if len(got.Summary) != len(a.Groups) {
		t.Fatalf("%d groups, want %d", len(got.Summary), len(a.Groups))
	}
	for _, row := range got.Summary {
		i := slices.Index(a.Groups, row.Text("group"))
		if i < 0 {
			t.Fatalf("no group %q in R, but %q", row.Text("group"), a.Groups)
		}
		for name, want := range map[string]numbers{"n": a.N, "observed": a.Observed, "expected": a.Expected} {
			near(t, row.Text("group")+" "+name, row.Float(name), want[i], 0, tolerance)
		}
	}
}
