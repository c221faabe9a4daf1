package glm_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/study"
)

// A fit is R's glm or lm as the reference files hold it, run to R's default
// precision.
type fit struct {
	N        int64
	Coef, SE map[string]float64
	Deviance float64
	Null     float64 `json:"null_deviance"`
	Residual float64 `json:"df_residual"`
	AIC      float64
	LogLik   float64
	// of lm
	Sigma, R2 float64
	AdjR2     float64 `json:"adj_r2"`
	F         []float64
	RSS       float64
}

const (
	modelA = "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak"
	modelB = "target ~ age + sex + factor(cp) + trestbps + chol + fbs + factor(restecg) + thalach + exang + oldpeak"
)

// R's names of terms that were factors before the formula.
var reduced = strings.NewReplacer("factor(cp)", "cp", "factor(GENDER)", "GENDER")

func heart(t *testing.T) *table.Table {
	return csvtest.Read(t, csvtest.Shared(t, "data/uci-heart/heart_4sites.csv"), analyze.SiteColumn)
}

// Deviances of the fits run to epsilon 1e-14.
func TestGLM_Heart(t *testing.T) {
	var ref map[string]json.RawMessage
	csvtest.SharedJSON(t, "reference/uci_heart.json", &ref)
	rows := heart(t)
	for _, c := range []struct {
		name, formula, reference string
		deviance                 float64
	}{
		{"A", modelA, "logistic_A_pooled", 722.005554},
		{"B", modelB, "logistic_B_pooled", 621.784323},
	} {
		var want fit
		if err := json.Unmarshal(ref[c.reference], &want); err != nil {
			t.Fatal(err)
		}
		got := analyzetest.Answer(t, glm.Method(), rows, study.Analysis{Method: "glm", Formula: c.formula, Family: "binomial"})
		checkFit(t, c.name, got, want, 1e-6)
		if d := got.Glance.Float("deviance"); math.Abs(d-c.deviance) > 5e-7 {
			t.Errorf("%s: deviance %.9f, want %v", c.name, d, c.deviance)
		}
	}
	var want fit
	if err := json.Unmarshal(ref["linear_thalach"], &want); err != nil {
		t.Fatal(err)
	}
	got := analyzetest.Case{Rows: rows, Where: "trestbps >= 0", // R had the complete rows of model A
		Analysis: study.Analysis{Method: "glm", Formula: "thalach ~ age + sex + exang + oldpeak"}}.Pooled(t, glm.Method())
	near(t, "sigma", got.Glance.Float("sigma"), want.Sigma, 0, 1e-8)
	near(t, "r_squared", got.Glance.Float("r_squared"), want.R2, 0, 1e-8)
	near(t, "adj_r_squared", got.Glance.Float("adj_r_squared"), want.AdjR2, 0, 1e-8)
	near(t, "statistic", got.Glance.Float("statistic"), want.F[0], 0, 1e-8)
	near(t, "deviance", got.Glance.Float("deviance"), want.RSS, 0, 1e-8)
}

func checkFit(t *testing.T, name string, got study.Result, want fit, tolerance float64) {
	t.Helper()
	if n := got.Glance.Get("nobs"); n != want.N {
		t.Errorf("%s: nobs %v, want %d", name, n, want.N)
	}
	if len(got.Tidy) != len(want.Coef) {
		t.Fatalf("%s: %d terms, want %d", name, len(got.Tidy), len(want.Coef))
	}
	for _, row := range got.Tidy {
		term := row.Text("term")
		key := term
		if _, ok := want.Coef[key]; !ok {
			key = reduced.Replace(term)
		}
		if _, ok := want.Coef[key]; !ok {
			t.Fatalf("%s: term %s is not among R's", name, term)
		}
		near(t, name+": "+term, row.Float("estimate"), want.Coef[key], want.SE[key], tolerance)
		near(t, name+": "+term+" std_error", row.Float("std_error"), want.SE[key], 0, 10*tolerance)
	}
	for field, v := range map[string]float64{"deviance": want.Deviance, "null_deviance": want.Null,
		"df_residual": want.Residual, "AIC": want.AIC, "logLik": want.LogLik} {
		near(t, name+": "+field, got.Glance.Float(field), v, 0, tolerance)
	}
}

// cnsim stacks the three studies of the DataSHIELD test data, whose files have
// the same first line.
func cnsim(t *testing.T) *table.Table {
	var all []byte
	for _, n := range []string{"1", "2", "3"} {
		b, err := os.ReadFile(csvtest.Shared(t, "data/datashield-dslite/CNSIM/CNSIM"+n+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		if all != nil {
			_, b, _ = bytes.Cut(b, []byte("\n"))
		}
		all = append(all, b...)
	}
	path := filepath.Join(t.TempDir(), "cnsim.csv")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return csvtest.Read(t, path, analyze.SiteColumn)
}

func TestGLM_CNSIM(t *testing.T) {
	var ref struct {
		Gaussian fit `json:"gaussian_hdl"`
		Binomial fit `json:"binomial_diab"`
	}
	csvtest.SharedJSON(t, "reference/datashield_cnsim.json", &ref)
	rows := cnsim(t)
	run := func(family, formula string) study.Result {
		return analyzetest.Answer(t, glm.Method(), rows, study.Analysis{Method: "glm", Formula: formula, Family: family})
	}
	checkFit(t, "HDL", run("gaussian", "LAB_HDL ~ LAB_TSC + factor(GENDER) + PM_BMI_CONTINUOUS"), ref.Gaussian, 1e-8)
	checkFit(t, "diabetes", run("binomial", "DIS_DIAB ~ factor(GENDER) + PM_BMI_CONTINUOUS + LAB_TSC + LAB_HDL"), ref.Binomial, 1e-6)
	for _, c := range []struct {
		family, formula string
		deviance        float64
		df              int64
	}{
		{"gaussian", "LAB_TSC ~ LAB_TRIG", 8936.319743, 7798},
		{"binomial", "DIS_DIAB ~ GENDER*PM_BMI_CONTINUOUS + LAB_HDL", 1036.031361, 7480},
	} {
		got := run(c.family, c.formula)
		if d := got.Glance.Float("deviance"); math.Abs(d-c.deviance) > 5e-7 {
			t.Errorf("%s: deviance %.9f, want %v", c.formula, d, c.deviance)
		}
		if df := got.Glance.Get("df_residual"); df != c.df {
			t.Errorf("%s: df_residual %v, want %d", c.formula, df, c.df)
		}
	}
}

// The real tables in any partition, to the class of exactness.
func TestGLM_Partitions(t *testing.T) {
	rows := heart(t)
	for seed := uint64(1); seed <= 6; seed++ {
		for _, a := range []study.Analysis{
			{Method: "glm", Formula: modelA, Family: "binomial"},
			{Method: "glm", Formula: "thalach ~ age * sex + factor(cp)"},
			{Method: "glm", Formula: "num ~ age + factor(sex):oldpeak", Family: "poisson"},
		} {
			c := analyzetest.Case{Analysis: a, Rows: rows}
			analyzetest.Same(t, a.Formula, c.Federated(t, glm.Method(), 2+int(seed)%6, seed), c.Pooled(t, glm.Method()), 1e-9)
		}
	}
}
