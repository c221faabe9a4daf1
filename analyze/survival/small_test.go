package survival_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// play runs analyses of one study on one site that allows it.
func play(t *testing.T, rows *table.Table, pol policy.Policy, all ...study.Analysis) ([]study.Result, error) {
	t.Helper()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	var catalog analyze.Catalog
	for i := range all {
		all[i].ID = fmt.Sprintf("a%d", i)
		if _, err := catalog.Lookup(all[i].Method); err != nil {
			catalog = append(catalog, anyMethod(all[i].Method))
		}
	}
	s := (&study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "t"}, Data: study.Data{Dataset: "t"}, Analyses: all}).WithDefaults()
	return analyzetest.Play(t, catalog, s, map[ws.SiteID]frame.Source{"one": rows}, pol)
}

func anyMethod(name string) analyze.Method {
	switch name {
	case "crosstab":
		return compare.Crosstab()
	case "describe":
		return describe.Describe()
	}
	return method(name)
}

// smallest returns, over the groups of some factors, the smallest number above
// 0 of persons, of events or of censorings in one.
func smallest(t *testing.T, rows *table.Table, factors ...string) int64 {
	t.Helper()
	count := make(map[string]int64)
	died := whole(t, rows, "died").Real
	for r := range died {
		group := ""
		for _, f := range factors {
			v := whole(t, rows, f)
			if v.Code != nil {
				group += fmt.Sprint(v.Code[r], ",")
			} else {
				group += fmt.Sprint(v.Real[r], ",")
			}
		}
		count[group]++
		count[fmt.Sprint(group, died[r])]++
	}
	least := int64(len(died))
	for _, n := range count {
		least = min(least, n)
	}
	return least
}

// No group is left out of an answer, so that nothing released of the others,
// of all, or by another analysis of the study has a group's counts as its
// difference: either all groups stand in all the tables, or there is no answer,
// whatever else the study asks.
func TestGroups_Subtraction(t *testing.T) {
	rows := made(t)
	event := frame.Values{}
	for _, d := range whole(t, rows, "died").Real {
		event.Code = append(event.Code, int32(d))
	}
	rows, err := rows.With(frame.Column{Name: "event", Type: frame.Factor, Levels: []string{"no", "yes"}}, event)
	if err != nil {
		t.Fatal(err)
	}
	answered, refused := 0, 0
	for _, k := range []int64{2, 3, 4, 6, 10, 15, 16, 20} {
		for _, factors := range [][]string{{"hospital"}, {"arm"}, {"hospital", "sex"}, {"arm", "sex"}} {
			formula := "Surv(days, died) ~ " + strings.ReplaceAll(strings.Join(factors, " + "), "sex", "factor(sex)")
			all := analysis("km", "Surv(days, died) ~ 1")
			beside := []study.Analysis{all, {Method: "describe", Variables: []string{"died"}}, {Method: "crosstab", Rows: factors[0], Columns: "event"}}
			for _, pol := range []*policy.Policy{strict(k), exactly(k)} {
				for _, m := range []string{"km", "logrank"} {
					what := fmt.Sprintf("k = %d, %s %s, exact %v", k, m, formula, len(pol.Leaves) > 0)
					got, err := play(t, rows, *pol, append(slices.Clone(beside), analysis(m, formula))...)
					small := smallest(t, rows, factors...) < k
					if err != nil {
						refused++
						if ws.KindOf(err) != ws.Withheld || !small && len(pol.Leaves) == 0 {
							t.Errorf("%s: %v", what, err)
						}
						continue
					}
					answered++
					if small {
						t.Errorf("%s: a group below the limit is answered", what)
					}
					for _, other := range got[:2] {
						subtract(t, what, other, got[3])
					}
					if len(factors) == 1 && len(got[2].Suppressed) > 0 {
						t.Errorf("%s: the table hides what follows from the groups", what)
					}
				}
			}
		}
	}
	if answered < 10 || refused < 10 {
		t.Errorf("%d answers and %d refusals: the test looks for the wrong thing", answered, refused)
	}
}

// subtract takes the groups of a comparison off its totals, and off those of
// another analysis in the same study.
func subtract(t *testing.T, what string, other, r study.Result) {
	t.Helper()
	persons, events, expected := r.Glance.Float("nobs"), r.Glance.Float("nevent"), 0.0
	all := other.Glance.Float("nobs")
	if other.Method == "describe" {
		all = other.Tidy[0].Float("n")
	}
	if persons != all {
		t.Errorf("%s: it differs from %s by persons", what, other.Method)
	}
	for _, row := range r.Summary {
		if r.Method == "km" {
			persons -= row.Float("records")
			events -= row.Float("events")
			continue
		}
		persons -= row.Float("n")
		events -= row.Float("observed")
		expected += row.Float("observed") - row.Float("expected")
	}
	if persons != 0 || events != 0 || math.Abs(expected) > 1e-9 {
		t.Errorf("%s: %v persons, %v events and %v expected events are left over", what, persons, events, expected)
	}
}

// Strata that are too small count as one stratum, and nobody is left out: the
// answer is that of the table in which their levels are merged, with the
// totals of everybody.
func TestStrata_Joined(t *testing.T) {
	rows := made(t)
	codes := whole(t, rows, "hospital").Code
	merged := make([]int32, len(codes))
	for i, c := range codes {
		merged[i] = min(c, 2) // D, with too few censorings, joins C, the smallest with enough
	}
	wide, err := rows.With(frame.Column{Name: "unit", Type: frame.Factor, Levels: []string{"A", "B", "CD"}}, frame.Values{Code: merged})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, formula string }{
		{"cox", "Surv(days, died) ~ sex + strata(%s)"},
		{"logrank", "Surv(days, died) ~ sex + strata(%s)"},
	} {
		c.formula = strings.Replace(c.formula, "sex", "factor(sex)", 1)
		for _, pol := range []*policy.Policy{strict(10), exactly(19)} {
			got, err := play(t, wide, *pol, analysis("km", "Surv(days, died) ~ 1"), analysis(c.method, fmt.Sprintf(c.formula, "hospital")))
			if err != nil {
				t.Fatal(err)
			}
			want, err := play(t, wide, *pol, analysis("km", "Surv(days, died) ~ 1"), analysis(c.method, fmt.Sprintf(c.formula, "unit")))
			if err != nil {
				t.Fatal(err)
			}
			joined := 0
			for _, s := range got[1].Suppressed {
				if strings.Contains(s.Why.En, "count as one stratum") {
					joined++
				}
			}
			if joined != 2 {
				t.Errorf("%s: %v, want C and D joined", c.method, got[1].Suppressed)
			}
			got[1].Suppressed, want[1].Suppressed = nil, nil
			analyzetest.Same(t, c.method, got[1], want[1], 0)
			if got[1].Glance.Get("nobs") != got[0].Glance.Get("nobs") || len(pol.Leaves) == 0 && got[1].Glance.Get("nevent") != got[0].Glance.Get("nevent") {
				t.Errorf("%s: the analyses of one study differ by persons or events", c.method)
			}
		}
	}
}

// Whoever enters late is never among too few in a step: the numbers at risk of
// neighbouring steps would tell.
func TestEntry_Subtraction(t *testing.T) {
	rows := made(t)
	late := frame.Values{}
	for i, v := range whole(t, rows, "months").Real { // every ninth enters in the middle
		late.Real = append(late.Real, math.Floor(v/2)*float64((i%9+1)/9))
	}
	rows, err := rows.With(frame.Column{Name: "late", Type: frame.Real, Max: 1000}, late)
	if err != nil {
		t.Fatal(err)
	}
	var dead []int // without censorings the numbers at risk are no estimates
	for r, d := range whole(t, rows, "died").Real {
		if d == 1 {
			dead = append(dead, r)
		}
	}
	rows = rows.Select(dead)
	compared := 0
	for _, k := range []int64{2, 3, 5, 10, 15} {
		got, err := play(t, rows, *strict(k), analysis("km", "Surv(late, months, died) ~ factor(sex)"))
		if ws.KindOf(err) == ws.Withheld {
			continue // few enter late in all
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range got[0].Tidy[1:] {
			last := got[0].Tidy[i]
			if row.Text("strata") != last.Text("strata") {
				continue
			}
			compared++
			entered := row.Float("n_risk") - (last.Float("n_risk") - last.Float("n_event"))
			if entered > 0 && entered < float64(k) || entered < 0 {
				t.Errorf("k = %d, step %d: the number of those who enter follows, and is below the limit", k, i)
			}
		}
	}
	if compared < 10 {
		t.Errorf("only %d steps are compared", compared)
	}
}
