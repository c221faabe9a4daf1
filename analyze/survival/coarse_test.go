package survival_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// A cohort is a real table with the site of each row.
type cohort struct {
	rows  *table.Table
	names []ws.SiteID
	at    []int
}

// cohorts are lung, dealt to four sites, and the bone-marrow-transplant
// patients at their four hospitals.
func cohorts(t testing.TB) map[string]cohort {
	lung, _ := rowsOf(t, "lung")
	dealt := cohort{rows: lung, names: []ws.SiteID{"h1", "h2", "h3", "h4"}}
	for i := range whole(t, lung, "time").Real {
		dealt.at = append(dealt.at, i%4)
	}
	bmt := cohort{names: dealt.names, rows: csvtest.Read(t, filepath.Join("..", "..", "cmd", "wellspring", "testdata", "bmt", "bmt.csv"), analyze.SiteColumn)}
	for _, z := range whole(t, bmt.rows, "z9").Real {
		bmt.at = append(bmt.at, int(z)-1)
	}
	return map[string]cohort{"lung": dealt, "bmt": bmt}
}

// answers returns the answer under the default policy, and the exact one.
func (c cohort) answers(t testing.TB, a study.Analysis) (coarse, exact study.Result) {
	t.Helper()
	pol := policy.Default()
	coarse = analyzetest.Case{Rows: c.rows, Policy: &pol, Analysis: a}.Placed(t, method(a.Method), c.names, c.at)
	return coarse, analyzetest.Answer(t, method(a.Method), c.rows, a)
}

// survivalAt is the probability of a curve at time u: of a step function or,
// between the ends of coarse steps, of straight lines from 1 at the origin.
func survivalAt(rows []study.Row, u, origin float64, lines bool) float64 {
	s, from := 1.0, origin
	for _, row := range rows {
		to, next := row.Float("time"), row.Float("estimate")
		if u < to {
			if lines {
				return s + (next-s)*(u-from)/(to-from)
			}
			return s
		}
		s, from = next, to
	}
	return s
}

// Under the default policy a curve lies near the exact one: at the times told,
// and on straight lines between them. Groups of forty have a few steps only.
func TestCoarse_KM(t *testing.T) {
	for _, c := range []struct {
		table, formula      string
		ends, lines, median float64 // bounds: of errors of the curve, and of the median, relative
	}{
		{"lung", "Surv(time, status) ~ 1", 0.01, 0.1, 0.03},
		{"lung", "Surv(time, status) ~ factor(sex)", 0.05, 0.25, 0.07},
		{"bmt", "Surv(t2, d3) ~ 1", 0.05, 0.1, 0.5},
		{"bmt", "Surv(t2, d3) ~ factor(group)", 0.15, 0.5, 4},
	} {
		coarse, exact := cohorts(t)[c.table].answers(t, analysis("km", c.formula))
		for i, group := range exact.Summary {
			name := group.Text("strata")
			g, e := only(coarse.Tidy, name), only(exact.Tidy, name)
			ends, lines := 0.0, 0.0
			for _, row := range g {
				ends = math.Max(ends, math.Abs(row.Float("estimate")-survivalAt(e, row.Float("time"), 0, false)))
			}
			for _, row := range e {
				if u := row.Float("time"); u <= g[len(g)-1].Float("time") {
					lines = math.Max(lines, math.Abs(survivalAt(g, u, 0, true)-row.Float("estimate")))
				}
			}
			got, want := coarse.Summary[i].Float("median"), group.Float("median")
			t.Logf("%s: %s %s: %d steps, max |S − S_exact| %.4f at their ends and %.4f on lines between, median %.0f for %.0f", c.table, c.formula, name, len(g), ends, lines, got, want)
			if !(ends <= c.ends && lines <= c.lines && math.Abs(got-want) <= c.median*want) {
				t.Errorf("%s: %s %s: farther from the exact curve than bounds say", c.table, c.formula, name)
			}
		}
	}
}

// Under the default policy the statistic is within a tenth of the exact one.
func TestCoarse_LogRank(t *testing.T) {
	for _, c := range []struct{ table, formula string }{
		{"lung", "Surv(time, status) ~ factor(sex)"},
		{"bmt", "Surv(t2, d3) ~ factor(group)"},
	} {
		coarse, exact := cohorts(t)[c.table].answers(t, analysis("logrank", c.formula))
		got, want := coarse.Glance.Float("statistic"), exact.Glance.Float("statistic")
		t.Logf("%s: statistic %.3f, exact %.3f", c.formula, got, want)
		if math.Abs(got-want) > want/10 {
			t.Errorf("%s: the statistic is farther from the exact one than a tenth", c.formula)
		}
		for i, row := range coarse.Summary {
			if row.Get("n") != exact.Summary[i].Get("n") || row.Float("observed") != exact.Summary[i].Float("observed") {
				t.Errorf("%s: %v, want %v", c.formula, row, exact.Summary[i])
			}
		}
	}
}

// only returns the rows of one curve.
func only(rows []study.Row, name string) []study.Row {
	var out []study.Row
	for _, row := range rows {
		if row.Text("strata") == name {
			out = append(out, row)
		}
	}
	return out
}

// Under the default policy, on a few hundred rows, a model is within its budget
// of opened scalars and near the exact one; it says on how many steps it rests.
func TestCoarse_Cox(t *testing.T) {
	for _, c := range []struct {
		table, formula, ties string
		estimate, se         float64 // bounds of errors, in standard errors and relative
	}{
		{"lung", "Surv(time, status) ~ age + sex + ph.ecog", "efron", 0.6, 0.05},
		{"lung", "Surv(time, status) ~ age + sex + ph.ecog", "breslow", 1, 0.05},
		{"lung", "Surv(time, status) ~ age + sex + ph.ecog + ph.karno + wt.loss", "efron", 0.6, 0.05},
		{"lung", "Surv(time, status) ~ sex", "efron", 0.6, 0.05},
		{"bmt", "Surv(t2, d3) ~ factor(group) + z8 + z1 + z2", "efron", 0.6, 0.05},
		{"bmt", "Surv(t2, d3) ~ factor(group) + z8 + z1 + z2", "breslow", 1, 0.05},
		{"bmt", "Surv(t2, d3) ~ factor(group)", "efron", 0.6, 0.05},
		{"bmt", "Surv(t2, d3) ~ z1 + z2", "efron", 0.6, 0.05},
	} {
		a := analysis("cox", c.formula)
		a.Ties = c.ties
		coarse, exact := cohorts(t)[c.table].answers(t, a)
		worst, spread := 0.0, 0.0
		for i, row := range coarse.Tidy {
			se := exact.Tidy[i].Float("std_error")
			worst = math.Max(worst, math.Abs(row.Float("estimate")-exact.Tidy[i].Float("estimate"))/se)
			spread = math.Max(spread, math.Abs(row.Float("std_error")/se-1))
		}
		t.Logf("%s: %s, %s: coefficients within %.3f standard errors, these within %.3f, %d iterations; %.30s", c.table, c.formula, c.ties, worst, spread, coarse.Glance.Get("iterations"), coarse.Notes[1].En)
		if !(worst <= c.estimate && spread <= c.se) {
			t.Errorf("%s: %s, %s: farther from the exact model than bounds say", c.table, c.formula, c.ties)
		}
		if coarse.Glance.Get("nobs") != exact.Glance.Get("nobs") || coarse.Glance.Get("nevent") != exact.Glance.Get("nevent") {
			t.Errorf("%s: %v, want %v", c.formula, coarse.Glance, exact.Glance)
		}
		if len(coarse.Notes) < 2 || !strings.Contains(coarse.Notes[1].En, "steps with events") {
			t.Errorf("%s: %v does not say how coarse it is", c.formula, coarse.Notes)
		}
	}
}

// Several analyses of one study have equal shares of the budget.
func TestCoarse_Several(t *testing.T) {
	c := cohorts(t)["lung"]
	pol := policy.Default()
	pol.MinInstitutions = 1
	got, err := play(t, c.rows, pol, analysis("cox", "Surv(time, status) ~ age + sex"), analysis("km", "Surv(time, status) ~ factor(sex)"), analysis("logrank", "Surv(time, status) ~ factor(sex)"))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{2, 5, 0} {
		if len(got[i].Tidy) < n {
			t.Errorf("%s: %d rows", got[i].Method, len(got[i].Tidy))
		}
	}
}

// A model that the budget cannot admit is refused with what would do: fewer
// terms, or strata within sites, which then are answered.
func TestCoarse_TooDear(t *testing.T) {
	c := cohorts(t)["bmt"]
	pol := policy.Default()
	pol.MinInstitutions, pol.MaxInfluence = 1, 1
	const terms = "z1 + z2 + z3 + z4 + z8 + ns(z1, knots = c(25, 35), Boundary.knots = c(7, 52)) + ns(z2, knots = c(25, 35), Boundary.knots = c(2, 56)) + factor(group)"
	one := analyzetest.Case{Name: "dear", Rows: c.rows, Policy: &pol, Analysis: analysis("cox", "Surv(t2, d3) ~ "+terms)}
	err := analyzetest.Refusal(t, method("cox"), one)
	hint := ws.HintOf(err).En
	if ws.KindOf(err) != ws.Withheld || !strings.Contains(hint, "strata(site)") || !strings.Contains(hint, "fewer terms") {
		t.Fatalf("%v: no word of what would do", err)
	}
	pol.Leaves = []policy.Leaf{policy.ExactTimes}
	one.Analysis.Formula = "Surv(t2, d3) ~ z1 + z2"
	if err := analyzetest.Refusal(t, method("cox"), one); !strings.Contains(ws.HintOf(err).En, "strata(site)") {
		t.Errorf("exact times: %v: no word of what would do", err)
	}
	pol.Leaves = nil
	one.Analysis.Formula = "Surv(t2, d3) ~ z1 + z2 + factor(group) + strata(site)"
	if got := one.Placed(t, method("cox"), c.names, c.at); len(got.Tidy) != 4 {
		t.Errorf("strata(site): %v", got.Tidy)
	}
}

// Where limits leave more steps than the budget pays for, neighbours are joined.
func TestCoarse_Afford(t *testing.T) {
	c := cohorts(t)["lung"]
	pol := policy.Default()
	pol.MinInstitutions, pol.MinCell = 1, 2
	for _, strata := range []string{"", " + strata(sex)"} {
		a := analysis("cox", "Surv(time, status) ~ age + ph.ecog + wt.loss"+strata)
		got, err := play(t, c.rows, pol, a)
		if err != nil {
			t.Fatal(err)
		}
		exact := analyzetest.Answer(t, method("cox"), c.rows, a)
		for i, row := range got[0].Tidy {
			near(t, row.Text("term"), row.Float("estimate"), exact.Tidy[i].Float("estimate"), 0, 0.6*exact.Tidy[i].Float("std_error")/math.Abs(exact.Tidy[i].Float("estimate")))
		}
	}
}
