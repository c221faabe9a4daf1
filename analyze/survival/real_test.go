package survival_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/study"
)

// whole returns a whole table's one column.
func whole(t testing.TB, rows *table.Table, column string) frame.Values {
	t.Helper()
	var out frame.Values
	for b, err := range rows.Scan(t.Context(), frame.Query{Columns: []string{column}}) {
		if err != nil {
			t.Fatal(err)
		}
		out.Real, out.Code = append(out.Real, b.Columns[0].Real...), append(out.Code, b.Columns[0].Code...)
	}
	return out
}

// placed gives rows the site at[i], as the pooled table names it and as a
// partition has it.
func placed(t testing.TB, c analyzetest.Case, names []ws.SiteID, at []int) (pooled, federated study.Result) {
	t.Helper()
	m := method(c.Analysis.Method)
	federated = c.Placed(t, m, names, at)
	column := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor}
	for _, n := range names {
		column.Levels = append(column.Levels, string(n))
	}
	codes := make([]int32, len(at))
	for i, k := range at {
		codes[i] = int32(k)
	}
	var err error
	if c.Rows, err = c.Rows.With(column, frame.Values{Code: codes}); err != nil {
		t.Fatal(err)
	}
	return c.Pooled(t, m), federated
}

// The bone-marrow-transplant patients of four hospitals (Copelan et al. 1991):
// R's answers, from rows at their hospitals.
func TestBMT(t *testing.T) {
	rows := csvtest.Read(t, filepath.Join("..", "..", "cmd", "wellspring", "testdata", "bmt", "bmt.csv"), analyze.SiteColumn)
	names, at := []ws.SiteID{"h1", "h2", "h3", "h4"}, []int{}
	for _, z := range whole(t, rows, "z9").Real {
		at = append(at, int(z)-1)
	}
	model := study.Analysis{Method: "cox", Ties: "breslow", Formula: "Surv(t2, d3) ~ factor(group) + z8 + z1*z2"}
	for _, c := range []struct {
		strata  string
		loglik  float64
		want    []float64
		private bool
	}{
		{"", -356.990890073, []float64{-1.0905839685, -0.4043865104, 0.8368668239, -0.0813781410, -0.0843259137, 0.0031512557}, false},
		{" + strata(factor(z9))", math.NaN(), []float64{-0.8342100882, -0.2358091949, 0.8841291805, -0.0840436643, -0.0872016363, 0.0032695855}, false},
		{" + strata(site)", math.NaN(), []float64{-0.8342100882, -0.2358091949, 0.8841291805, -0.0840436643, -0.0872016363, 0.0032695855}, true},
	} {
		a := model
		a.Formula += c.strata
		one := analyzetest.Case{Rows: rows, Analysis: a}
		if c.private { // neither exact times nor a site's own results are granted
			one.Policy = grouped()
			one.Policy.SiteResults = "refuse"
		}
		pooled, federated := placed(t, one, names, at)
		analyzetest.Same(t, a.Formula, federated, pooled, 1e-9)
		if len(pooled.Tidy) != len(c.want) {
			t.Fatalf("%s: %d terms", a.Formula, len(pooled.Tidy))
		}
		for i, row := range pooled.Tidy {
			near(t, a.Formula+": "+row.Text("term"), row.Float("estimate"), c.want[i], row.Float("std_error"), 1e-8)
		}
		if !math.IsNaN(c.loglik) && math.Abs(pooled.Glance.Float("logLik")-c.loglik) > 5.1e-10 {
			t.Errorf("logLik = %.10f, want %.9f", pooled.Glance.Float("logLik"), c.loglik)
		}
	}
	curves, _ := placed(t, analyzetest.Case{Rows: rows, Analysis: analysis("km", "Surv(t2, d3) ~ factor(group)")}, names, at)
	for i, want := range []float64{418, 2204, 183} {
		row := curves.Summary[i]
		if row.Text("strata") != fmt.Sprintf("factor(group)=%d", i+1) || row.Float("median") != want {
			t.Errorf("%s: median %v, want %v", row.Text("strata"), row.Float("median"), want)
		}
	}
	tested, _ := placed(t, analyzetest.Case{Rows: rows, Analysis: analysis("logrank", "Surv(t2, d3) ~ factor(group)")}, names, at)
	if chi := tested.Glance.Float("statistic"); math.Abs(chi-13.8) > 0.05 || tested.Glance.Get("df") != int64(2) {
		t.Errorf("log-rank %v on %v degrees of freedom, want 13.8 on 2", chi, tested.Glance.Get("df"))
	}
}

// The three sites of the pda package's lung2: plain and stratified by site.
func TestLung2(t *testing.T) {
	path := csvtest.Shared(t, "data/pda-multisite/lung2.csv")
	rows := csvtest.Read(t, path, analyze.SiteColumn)
	names, at := sitesOf(t, path)
	for _, c := range []struct {
		formula, ties string
		age, sex      float64
	}{
		{"Surv(time, status) ~ age + sex", "efron", 0.01704533, -0.51321852},
		{"Surv(time, status) ~ age + sex + strata(site)", "efron", 0.01698975, -0.55688107},
		{"Surv(time, status) ~ age + sex", "breslow", 0.01701289, -0.51256479},
		{"Surv(time, status) ~ age + sex + strata(site)", "breslow", 0.01697735, -0.55604821},
	} {
		a := analysis("cox", c.formula)
		a.Ties = c.ties
		pooled, federated := placed(t, analyzetest.Case{Rows: rows, Analysis: a}, names, at)
		analyzetest.Same(t, c.formula, federated, pooled, 1e-9)
		for i, want := range []float64{c.age, c.sex} {
			if got := pooled.Tidy[i].Float("estimate"); math.Abs(got-want) > 5.1e-9 {
				t.Errorf("%s, %s: %s = %.10f, want %.8f", c.formula, c.ties, pooled.Tidy[i].Text("term"), got, want)
			}
		}
	}
}

// sitesOf reads which site each row of lung2 belongs to.
func sitesOf(t testing.TB, path string) (names []ws.SiteID, at []int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	renamed := filepath.Join(t.TempDir(), "lung2.csv")
	if err := os.WriteFile(renamed, append([]byte(`"place"`), b[len(`"site"`):]...), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := csvtest.Read(t, renamed, analyze.SiteColumn)
	c, _ := rows.Dictionary().Lookup("place")
	for _, l := range c.Levels {
		names = append(names, ws.SiteID(l))
	}
	for _, code := range whole(t, rows, "place").Code {
		at = append(at, int(code))
	}
	return names, at
}

// The real tables in any partition, to the class of exactness; R's stored
// answers of its default fit, to 1e-6.
func TestReal_Partitions(t *testing.T) {
	var ref map[string]json.RawMessage
	b, err := os.ReadFile(csvtest.Shared(t, "reference/lung.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	rows, _ := rowsOf(t, "lung")
	for name, a := range map[string]study.Analysis{
		"cox_efron_age_sex_phecog":   {Method: "cox", Formula: "Surv(time, status) ~ age + sex + ph.ecog"},
		"cox_efron_stratified_inst":  {Method: "cox", Formula: "Surv(time, status) ~ age + sex + ph.ecog + strata(inst)"},
		"cox_breslow_age_sex_phecog": {Method: "cox", Ties: "breslow", Formula: "Surv(time, status) ~ age + sex + ph.ecog"},
	} {
		c := analyzetest.Case{Rows: rows, Analysis: a}
		pooled := c.Pooled(t, method("cox"))
		for seed := uint64(1); seed <= 6; seed++ {
			analyzetest.Same(t, name, c.Federated(t, method("cox"), 2+int(seed)%6, seed), pooled, 1e-9)
		}
		var want struct {
			Coef, SE  map[string]float64
			N, Events int64
		}
		if err := json.Unmarshal(ref[name], &want); err != nil {
			t.Fatal(err)
		}
		if pooled.Glance.Get("nobs") != want.N || pooled.Glance.Get("nevent") != want.Events {
			t.Errorf("%s: %v rows and %v events, want %d and %d", name, pooled.Glance.Get("nobs"), pooled.Glance.Get("nevent"), want.N, want.Events)
		}
		for _, row := range pooled.Tidy {
			term := row.Text("term")
			near(t, name+" "+term, row.Float("estimate"), want.Coef[term], want.SE[term], 1e-6)
		}
	}
}
