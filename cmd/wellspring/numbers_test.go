package main

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wellspring/study"
)

// shared finds the folder of the real data: WELLSPRING_SHARED, which must hold
// them, else ../shared beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("WELLSPRING_SHARED"); dir != "" {
		return dir
	}
	dir := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		t.Skip("the real data are not here; set WELLSPRING_SHARED to their folder")
	}
	return dir
}

// filtered copies the rows of a file, without quotes in it, of which keep says
// yes, and returns the copy's path.
func filtered(t *testing.T, path string, keep func(field func(name string) string) bool) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	header := strings.Split(strings.ReplaceAll(lines[0], `"`, ""), ",")
	out := lines[:1:1]
	for _, line := range lines[1:] {
		fields := strings.Split(strings.ReplaceAll(line, `"`, ""), ",")
		field := func(name string) string {
			for i, h := range header {
				if h == name {
					return fields[i]
				}
			}
			t.Fatalf("%s lacks %s", path, name)
			return ""
		}
		if keep(field) {
			out = append(out, line)
		}
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(copied, []byte(strings.Join(out, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// answer plays one analysis through the whole program and returns its result.
func answer(t *testing.T, analysis map[string]any, args ...string) map[string]any {
	t.Helper()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "study.yaml"), filepath.Join(dir, "result.json")
	b, err := json.Marshal(map[string]any{"apiVersion": study.APIVersion, "kind": study.Kind,
		"metadata": map[string]any{"name": "t", "title": map[string]string{"en": "t", "zh": "t"}},
		"data":     map[string]any{"dataset": "rows"}, "analysis": analysis})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if code := run(t.Context(), append([]string{"simulate", "--study", file, "--out", out}, args...), io.Discard, &said); code != 0 {
		t.Fatalf("exit code %d: %s", code, said.String())
	}
	if b, err = os.ReadFile(out); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func within(t *testing.T, what string, got any, want, tol float64) {
	t.Helper()
	if x, ok := got.(float64); !ok || !(math.Abs(x-want) <= tol*math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// R's answers on real patients, federated with masks and pooled; tol is that
// of the stored digits.
func TestNumbers(t *testing.T) {
	data := filepath.Join(shared(t), "data")
	heart := []string{"--split", "site=" + filepath.Join(data, "uci-heart", "heart_4sites.csv")}
	complete := []string{"--split", "site=" + filtered(t, filepath.Join(data, "uci-heart", "heart_4sites.csv"), func(f func(string) string) bool {
		for _, name := range []string{"trestbps", "thalach", "exang", "oldpeak"} {
			if v := f(name); v == "" || v == "NA" {
				return false
			}
		}
		return true
	})}
	inst := []string{"--split", "inst=" + filtered(t, filepath.Join(data, "survival-r", "lung.csv"),
		func(f func(string) string) bool { return f("inst") != "" && f("inst") != "NA" })}
	lung := []string{"--split", "sex=" + filepath.Join(data, "survival-r", "lung.csv")}
	colon := []string{"--split", "extent=" + filtered(t, filepath.Join(data, "survival-r", "colon.csv"),
		func(f func(string) string) bool { return f("etype") == "2" })}
	lung2 := []string{"--split", "site=" + filepath.Join(data, "pda-multisite", "lung2.csv")}
	var cnsim []string
	for _, k := range []string{"1", "2", "3"} {
		cnsim = append(cnsim, "--site", "s"+k+"="+filepath.Join(data, "datashield-dslite", "CNSIM", "CNSIM"+k+".csv"))
	}
	cox := func(formula, ties string) map[string]any {
		return map[string]any{"method": "cox", "formula": formula, "ties": ties}
	}
	glm := func(family, formula string) map[string]any {
		return map[string]any{"method": "glm", "family": family, "formula": formula}
	}
	logrank := func(formula string) map[string]any {
		return map[string]any{"method": "logrank", "formula": formula}
	}
	for _, c := range []struct {
		name     string
		rows     []string
		analysis map[string]any
		want     map[string]float64 // by path in the result
		tol      float64
	}{
		{"heart", heart, glm("binomial", "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak"),
			map[string]float64{"glance.nobs": 854, "glance.deviance": 722.005553529033, "tidy.1.estimate": 0.029321832890778, "tidy.9.std_error": 0.102392741508242}, 1e-8},
		{"heart complete", heart, glm("binomial", "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak + chol + fbs + factor(restecg)"),
			map[string]float64{"glance.nobs": 740, "glance.deviance": 621.78432259263}, 1e-8},
		{"heart linear", complete, glm("gaussian", "thalach ~ age + sex + exang + oldpeak"),
			map[string]float64{"tidy.0.estimate": 194.481483137632, "tidy.4.std_error": 0.786288829484085}, 1e-6},
		{"lung efron", inst, cox("Surv(time, status == 2) ~ age + sex + ph.ecog + strata(inst)", "efron"),
			map[string]float64{"glance.nobs": 226, "glance.nevent": 163, "tidy.0.estimate": 0.00956134169655791, "tidy.1.estimate": -0.547356676848954, "glance.logLik": -311.249569473596}, 1e-6},
		{"lung breslow", inst, cox("Surv(time, status == 2) ~ age + sex + ph.ecog", "breslow"),
			map[string]float64{"glance.nobs": 226, "tidy.0.estimate": 0.0112049244162723, "tidy.1.std_error": 0.168074257696772, "glance.logLik": -724.380860757253}, 1e-6},
		{"lung by sex", lung, cox("Surv(time, status == 2) ~ age + ph.ecog", "efron"), map[string]float64{"glance.nobs": 227, "glance.nevent": 164}, 0},
		{"lung log-rank", lung, logrank("Surv(time, status == 2) ~ factor(sex)"),
			map[string]float64{"glance.statistic": 10.3267419548856}, 1e-8},
		{"lung medians", lung, map[string]any{"method": "km", "formula": "Surv(time, status == 2) ~ factor(sex)"},
			map[string]float64{"summary.0.median": 270, "summary.1.median": 426}, 0},
		{"log-rank by institution", inst, logrank("Surv(time, status == 2) ~ factor(sex) + strata(inst)"),
			map[string]float64{"glance.statistic": 8.52446736332317}, 1e-8},
		{"colon", colon, cox("Surv(time, status == 1) ~ rx", "efron"),
			map[string]float64{"glance.nobs": 929, "glance.nevent": 452, "glance.logLik": -2924.1177726512}, 1e-8},
		{"colon log-rank", colon, logrank("Surv(time, status == 1) ~ rx"), map[string]float64{"glance.statistic": 11.6830927106392}, 1e-8},
		{"cnsim linear", cnsim, glm("gaussian", "LAB_TSC ~ LAB_TRIG"), map[string]float64{"glance.deviance": 8936.319743, "glance.df_residual": 7798}, 1e-8},
		{"cnsim logistic", cnsim, glm("binomial", "DIS_DIAB ~ factor(GENDER)*PM_BMI_CONTINUOUS + LAB_HDL"), map[string]float64{"glance.deviance": 1036.031361, "glance.df_residual": 7480}, 1e-8},
		{"lung2", lung2, cox("Surv(time, status) ~ age + sex", "efron"), map[string]float64{"tidy.0.estimate": 0.01704533, "tidy.1.estimate": -0.51321852}, 1e-6},
		{"lung2 by site", lung2, cox("Surv(time, status) ~ age + sex + strata(site)", "efron"), map[string]float64{"tidy.0.estimate": 0.0169897540326, "tidy.1.estimate": -0.5568810685381}, 1e-6},
	} {
		for _, how := range []string{"--public", "--pooled"} {
			t.Run(c.name+how, func(t *testing.T) {
				r := answer(t, c.analysis, append([]string{"--public", how}, c.rows...)...)
				for path, want := range c.want {
					within(t, path, at(r, strings.Split(path, ".")), want, c.tol)
				}
			})
		}
	}
}

// A sensible study answers under the default policy too.
func TestNumbers_DefaultPolicy(t *testing.T) {
	r := answer(t, map[string]any{"method": "glm", "family": "binomial", "formula": "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak"},
		"--split", "site="+filepath.Join(shared(t), "data", "uci-heart", "heart_4sites.csv"))
	within(t, "deviance", at(r, []string{"glance", "deviance"}), 722.005553529033, 1e-8)
}
