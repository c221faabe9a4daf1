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

// stored reads R's answers, by case and path in the result; testdata/numbers
// has the script that wrote them.
func stored(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "numbers", "numbers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]map[string]float64
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// R's answers on real patients, fitted to convergence, federated with masks and
// pooled.
func TestNumbers(t *testing.T) {
	const tol = 1e-8
	want := stored(t)
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
	km := func(formula string) map[string]any {
		return map[string]any{"method": "km", "formula": formula}
	}
	logrank := func(formula string) map[string]any {
		return map[string]any{"method": "logrank", "formula": formula}
	}
	ttest := func(equal bool) map[string]any {
		return map[string]any{"method": "ttest", "formula": "thalach ~ factor(target)", "var_equal": equal}
	}
	chisq := func(rows string, correct bool) map[string]any {
		return map[string]any{"method": "chisq", "rows": rows, "columns": "target", "correct": correct}
	}
	cases := []struct {
		name     string
		rows     []string
		analysis map[string]any
	}{
		{"heart", heart, glm("binomial", "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak")},
		{"heart complete", heart, glm("binomial", "target ~ age + sex + factor(cp) + trestbps + thalach + exang + oldpeak + chol + fbs + factor(restecg)")},
		{"heart linear", complete, glm("gaussian", "thalach ~ age + sex + exang + oldpeak")},
		{"heart quantiles", heart, map[string]any{"method": "quantile", "variables": []string{"age", "trestbps", "thalach", "oldpeak"}, "probs": []float64{.05, .25, .5, .75, .9, .99}}},
		{"heart moments", heart, map[string]any{"method": "describe", "variables": []string{"age", "trestbps", "thalach"}}},
		{"heart welch", complete, ttest(false)},
		{"heart t", complete, ttest(true)},
		{"heart chisq", complete, chisq("sex", false)},
		{"heart chisq yates", complete, chisq("sex", true)},
		{"heart chisq pain", complete, chisq("cp", false)},
		{"lung efron", inst, cox("Surv(time, status == 2) ~ age + sex + ph.ecog + strata(inst)", "efron")},
		{"lung breslow", inst, cox("Surv(time, status == 2) ~ age + sex + ph.ecog", "breslow")},
		{"lung by sex", lung, cox("Surv(time, status == 2) ~ age + ph.ecog", "efron")},
		{"lung log-rank", lung, logrank("Surv(time, status == 2) ~ factor(sex)")},
		{"lung medians", lung, km("Surv(time, status == 2) ~ factor(sex)")},
		{"lung median", lung, km("Surv(time, status == 2) ~ 1")},
		{"log-rank by institution", inst, logrank("Surv(time, status == 2) ~ factor(sex) + strata(inst)")},
		{"colon", colon, cox("Surv(time, status == 1) ~ rx", "efron")},
		{"colon log-rank", colon, logrank("Surv(time, status == 1) ~ rx")},
		{"cnsim linear", cnsim, glm("gaussian", "LAB_TSC ~ LAB_TRIG")},
		{"cnsim logistic", cnsim, glm("binomial", "DIS_DIAB ~ factor(GENDER)*PM_BMI_CONTINUOUS + LAB_HDL")},
		{"lung2", lung2, cox("Surv(time, status) ~ age + sex", "efron")},
		{"lung2 by site", lung2, cox("Surv(time, status) ~ age + sex + strata(site)", "efron")},
		{"lung years", lung, cox("Surv(time/365.25, status) ~ age + I(ph.ecog >= 2) + sex", "efron")},
		{"lung months", lung, km("Surv(I(time/30), status == 2) ~ sex")},
	}
	if len(cases) != len(want) {
		t.Errorf("%d cases, and R has answers for %d", len(cases), len(want))
	}
	for _, c := range cases {
		if len(want[c.name]) == 0 {
			t.Fatalf("R has no answer for %s", c.name)
		}
		for _, how := range []string{"--public", "--pooled"} {
			t.Run(c.name+how, func(t *testing.T) {
				r := answer(t, c.analysis, append([]string{"--public", how}, c.rows...)...)
				for path, x := range want[c.name] {
					within(t, path, at(r, strings.Split(path, ".")), x, tol)
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
