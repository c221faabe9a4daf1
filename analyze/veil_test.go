package analyze_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze/analyzetest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// A clinic is 480 persons, of whom the first few are as nobody else is: they have the bit and a dose, are of level c and
// of class yes, lack m and spare, weigh nothing, and stay late, as others do until the 50th day. g and h halve all crosswise, x and t vary, dead are half.
func clinic(t *testing.T, few int) *table.Table {
	t.Helper()
	d := frame.Dictionary{
		{Name: "x", Type: frame.Real, Min: 0, Max: 200, Required: true}, {Name: "t", Type: frame.Integer, Min: 1, Max: 100, Required: true},
		{Name: "bit", Type: frame.Integer, Max: 1, Levels: []string{"0", "1"}, Required: true}, {Name: "dose", Type: frame.Integer, Max: 50, Required: true},
		{Name: "dead", Type: frame.Integer, Max: 1, Required: true}, {Name: "late", Type: frame.Integer, Min: 1, Max: 400, Required: true}, {Name: "m", Type: frame.Real, Max: 100}, {Name: "w", Type: frame.Real, Max: 2, Required: true},
		{Name: "lev", Type: frame.Factor, Levels: []string{"a", "b", "c"}, Required: true}, {Name: "class", Type: frame.Factor, Levels: []string{"no", "yes"}, Required: true},
		{Name: "g", Type: frame.Factor, Levels: []string{"p", "q"}, Required: true}, {Name: "h", Type: frame.Factor, Levels: []string{"u", "v"}, Required: true},
		{Name: "spare", Type: frame.Factor, Levels: []string{"j", "k"}},
	}
	v := make([]frame.Values, len(d))
	for i := range 480 {
		one := 0.0
		if i < few {
			one = 1
		}
		j := i * 67 % 480 // so that no site has all of a kind
		m, lev, spare := float64(i*41%89), int32(j/8%2), int32(j/2%2)
		if i < few {
			m, lev, spare = math.NaN(), 2, -1
		}
		for c, x := range []float64{float64(i * 37 % 101), float64(1 + i*53%24), one, 20 * one, float64(j / 16 % 2), 50 + 350*one, m, (1 - one) * (1 + float64(i*29%11)/11)} {
			v[c].Real = append(v[c].Real, x)
		}
		for c, x := range []int32{lev, int32(one), int32(j / 4 % 2), int32(j / 32 % 2), spare} {
			v[8+c].Code = append(v[8+c].Code, x)
		}
	}
	out, err := table.New(d, v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// looks is all of an answer but its numbers of persons, and what is made of them.
func looks(results []study.Result, rounds int, err error) string {
	if err != nil {
		says := fmt.Sprint(ws.KindOf(err), " ", rounds, " ", err)
		for e := (*ws.Error)(nil); errors.As(err, &e); err = e.Err {
			says += fmt.Sprint(" ", e.Hint.En)
		}
		return says
	}
	var b strings.Builder
	for _, r := range results {
		for _, rows := range [][]study.Row{r.Tidy, r.Summary, {r.Glance}} {
			for _, row := range rows {
				for _, f := range row {
					x, real := f.Value.(float64)
					switch _, whole := f.Value.(int64); {
					case f.Name == "time":
						fmt.Fprintf(&b, "time %v ", x)
					case real && math.IsNaN(x):
						fmt.Fprintf(&b, "%s none ", f.Name)
					case real || whole:
						fmt.Fprintf(&b, "%s some ", f.Name)
					default:
						fmt.Fprintf(&b, "%s %v ", f.Name, f.Value)
					}
				}
			}
		}
		fmt.Fprintln(&b, r.Suppressed, r.Notes)
	}
	return fmt.Sprint(b.String(), rounds)
}

func glmOf(formula, family string) study.Analysis {
	return study.Analysis{Method: "glm", Formula: formula, Family: family}
}

// veiled are questions of which the answer would hang on whether there is nobody or somebody.
var veiled = []study.Analysis{
	glmOf("x ~ lev", "gaussian"), glmOf("x ~ factor(bit)", "gaussian"), glmOf("x ~ bit", "gaussian"), glmOf("x ~ g * lev", "gaussian"),
	glmOf("x ~ I(bit == 1)", "gaussian"), glmOf("x ~ I(dose > 10) + t", "gaussian"), glmOf("x ~ g:dose", "gaussian"), glmOf("x ~ t + I(x * bit)", "gaussian"),
	glmOf("bit ~ x", "gaussian"), glmOf("bit ~ x", "binomial"), glmOf("bit ~ g", "binomial"), glmOf("bit ~ x", "poisson"), glmOf("dose ~ g", "poisson"),
	glmOf("class ~ x", "binomial"), glmOf("class ~ g", "binomial"), glmOf("(bit == 1) ~ x", "binomial"), glmOf("I(2 * bit) ~ 1", "gaussian"), glmOf("dose ~ 1", "gaussian"),
	{Method: "glm", Formula: "x ~ t", Family: "gaussian", Weights: "w"}, glmOf("x ~ m", "gaussian"), {Method: "describe", Variables: []string{"m", "x"}},
	{Method: "crosstab", Rows: "g", Columns: "spare"}, {Method: "km", Formula: "Surv(t, dead) ~ spare"},
	{Method: "ttest", Formula: "x ~ factor(bit)"}, {Method: "ttest", Formula: "x ~ lev"}, {Method: "ttest", Formula: "bit ~ g"}, {Method: "ttest", Variables: []string{"bit"}},
	{Method: "describe", Variables: []string{"bit"}}, {Method: "describe", Variables: []string{"dose"}}, {Method: "describe", Variables: []string{"lev"}},
	{Method: "describe", Variables: []string{"x", "bit"}, Bins: 4}, {Method: "describe", Variables: []string{"bit", "x"}, By: "g"}, {Method: "describe", Variables: []string{"x"}, By: "lev", Bins: 4},
	{Method: "quantile", Variables: []string{"x"}, By: "lev", Probs: []float64{0.5}}, {Method: "quantile", Variables: []string{"x"}, By: "class", Probs: []float64{0.5}},
	{Method: "crosstab", Rows: "lev", Columns: "g"}, {Method: "crosstab", Rows: "g", Columns: "class"}, {Method: "crosstab", Rows: "lev", Columns: "g", Layers: "h"},
	{Method: "chisq", Rows: "lev", Columns: "g"}, {Method: "chisq", Rows: "class", Columns: "g"},
	{Method: "km", Formula: "Surv(t, bit) ~ 1"}, {Method: "km", Formula: "Surv(t, bit == 1) ~ 1"}, {Method: "km", Formula: "Surv(t, bit) ~ g"}, {Method: "km", Formula: "Surv(t, dead) ~ lev"},
	{Method: "km", Formula: "Surv(t, 1 - bit) ~ g"}, {Method: "km", Formula: "Surv(late, dead == 0) ~ 1"}, {Method: "km", Formula: "Surv(late, dead) ~ 1"},
	{Method: "logrank", Formula: "Surv(t, bit) ~ g"}, {Method: "logrank", Formula: "Surv(t, bit) ~ g + strata(site)"}, {Method: "logrank", Formula: "Surv(t, dead) ~ lev"},
	{Method: "logrank", Formula: "Surv(t, dead) ~ g + strata(lev)"}, {Method: "logrank", Formula: "Surv(t, dead) ~ lev + strata(site)"},
	{Method: "cox", Formula: "Surv(t, bit) ~ x"}, {Method: "cox", Formula: "Surv(t, bit == 1) ~ x"}, {Method: "cox", Formula: "Surv(t, bit) ~ g + strata(site)"}, {Method: "cox", Formula: "Surv(t, dead) ~ lev"},
	{Method: "cox", Formula: "Surv(t, dead) ~ x + strata(lev)"}, {Method: "cox", Formula: "Surv(t, dead) ~ bit"}, {Method: "cox", Formula: "Surv(t, dead) ~ lev + strata(site)"},
}

// Nobody and one, and few, are told in the same words and marks and after as many sums.
func TestVeil(t *testing.T) {
	cross := study.Analysis{Method: "crosstab", Rows: "lev", Columns: "g"}
	list := [][]study.Analysis{{cross, {Method: "describe", Variables: []string{"x"}}}, {cross, {Method: "crosstab", Rows: "h", Columns: "class"}}}
	for _, a := range veiled {
		list = append(list, []study.Analysis{a})
	}
	open := policy.Default()
	open.Leaves = []policy.Leaf{policy.ExactTimes, policy.OrderStatistics}
	for _, asked := range list {
		a := asked[len(asked)-1]
		t.Run(a.Method+" "+fmt.Sprint(a.Formula, a.Variables, a.By, a.Rows, a.Columns, a.Layers), func(t *testing.T) {
			alike(t, policy.Default(), asked)
			if !strings.Contains(a.Formula, "late") { // exact times end before few are left, and with the last if nobody is
				alike(t, open, asked)
			}
		})
	}
}

func alike(t *testing.T, p policy.Policy, asked []study.Analysis) {
	t.Helper()
	look := func(few int) string {
		return looks(analyzetest.PlayRounds(t, every, ask(asked...), analyzetest.Partition(clinic(t, few), 6, 1), p))
	}
	nobody := look(0)
	if strings.HasPrefix(nobody, ws.Invalid.String()) {
		t.Errorf("nobody is a mistake: %s", nobody)
	}
	for _, few := range []int{1, 9} {
		if few > 1 && strings.Contains(asked[0].Formula, "x * bit") {
			continue // of several values one may carry too much
		}
		if got := look(few); got != nobody {
			t.Errorf("leaves %v, nobody:\n%s\n%d:\n%s", p.Leaves, nobody, few, got)
		}
	}
}

// What is empty by the study's filter tells nothing, whatever the rows are: levels drop, and a mistake of the study is
// told as one. Where the policy shows that there is nobody, all that is empty is like that.
func TestVeil_Void(t *testing.T) {
	show := policy.Default()
	show.ZeroCells = policy.ShowZeros
	for _, c := range []struct {
		where string
		ask   study.Analysis
		kind  ws.Kind // Other where it is answered
	}{
		{"lev != 'c'", glmOf("x ~ lev", "gaussian"), ws.Other},
		{"lev in ('a', 'b') and x >= 0", glmOf("x ~ lev * g", "gaussian"), ws.Other},
		{"lev = 'a'", glmOf("x ~ lev", "gaussian"), ws.Invalid},
		{"bit = 0", glmOf("x ~ factor(bit)", "gaussian"), ws.Invalid},
		{"bit < 1", glmOf("x ~ I(bit == 1)", "gaussian"), ws.Invalid},
		{"bit = 0", glmOf("bit ~ x", "binomial"), ws.Invalid},
		{"class = 'no'", glmOf("class ~ x", "binomial"), ws.Invalid},
		{"bit = 0", study.Analysis{Method: "ttest", Formula: "x ~ factor(bit)"}, ws.Invalid},
		{"lev != 'c'", study.Analysis{Method: "ttest", Formula: "x ~ lev"}, ws.Other},
		{"bit = 0", study.Analysis{Method: "describe", Variables: []string{"bit"}}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "describe", Variables: []string{"x"}, By: "lev"}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "quantile", Variables: []string{"x"}, By: "lev", Probs: []float64{0.5}}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "crosstab", Rows: "lev", Columns: "g"}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "crosstab", Rows: "lev", Columns: "g", Layers: "h"}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "chisq", Rows: "lev", Columns: "g"}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "km", Formula: "Surv(t, dead) ~ lev"}, ws.Other},
		{"bit = 0", study.Analysis{Method: "km", Formula: "Surv(t, bit) ~ g"}, ws.Other},
		{"bit = 0", study.Analysis{Method: "logrank", Formula: "Surv(t, bit) ~ g"}, ws.Invalid},
		{"lev != 'c'", study.Analysis{Method: "logrank", Formula: "Surv(t, dead) ~ lev"}, ws.Other},
		{"lev != 'c'", study.Analysis{Method: "logrank", Formula: "Surv(t, dead) ~ g + strata(lev)"}, ws.Other},
		{"m >= 0", study.Analysis{Method: "describe", Variables: []string{"m"}}, ws.Other},
		{"m is not missing and t != 1", study.Analysis{Method: "glm", Formula: "x ~ m", Family: "gaussian"}, ws.Other},
		{"w > 0", study.Analysis{Method: "glm", Formula: "x ~ t", Family: "gaussian", Weights: "w"}, ws.Other},
		{"bit = 0", study.Analysis{Method: "cox", Formula: "Surv(t, bit) ~ x"}, ws.Invalid},
		{"lev != 'c'", study.Analysis{Method: "cox", Formula: "Surv(t, dead) ~ lev"}, ws.Other},
	} {
		for _, few := range []int{0, 9} { // whom the filter leaves out
			results, err := analyzetest.Play(t, every, where(c.where, c.ask), spread(clinic(t, few), 4, 0), policy.Default())
			if ws.KindOf(err) != c.kind {
				t.Errorf("%s %s where %s: %v, want kind %v", c.ask.Method, c.ask.Formula, c.where, err, c.kind)
				continue
			}
			if err == nil && len(results[0].Suppressed) > 0 {
				t.Errorf("%s %s where %s: suppressed %v", c.ask.Method, c.ask.Formula, c.where, results[0].Suppressed)
			}
		}
		rows := spread(clinic(t, 0), 4, 0)
		if _, err := analyzetest.Play(t, every, ask(c.ask), rows, policy.Default()); c.kind == ws.Invalid && ws.KindOf(err) != ws.Withheld && c.where != "lev = 'a'" {
			t.Errorf("%s %s: %v", c.ask.Method, c.ask.Formula, err)
		}
		if _, err := analyzetest.Play(t, every, ask(c.ask), rows, show); ws.KindOf(err) != c.kind && c.where != "lev = 'a'" {
			t.Errorf("%s %s, zeros shown: %v, want kind %v", c.ask.Method, c.ask.Formula, err, c.kind)
		}
	}
}
