package survival_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// Another unit of time changes nothing but the times, on a grid, under limits
// and with exact times.
func TestUnits(t *testing.T) {
	rows := made(t)
	for name, p := range map[string]*policy.Policy{"grid": grouped(), "limit": strict(10), "exact": nil, "exact limit": exactly(10)} {
		for _, pair := range [][2]string{
			{"Surv(days, died) ~ arm", "Surv(days/365.25, died == 1) ~ arm"},
			{"Surv(days, died) ~ I(age >= 60)", "Surv(I((days + 0) * 7), died) ~ I(age >= 60)"},
		} {
			plain := analyzetest.Case{Rows: rows, Analysis: analysis("km", pair[0]), Policy: p}.Pooled(t, method("km"))
			scaled := analyzetest.Case{Rows: rows, Analysis: analysis("km", pair[1]), Policy: p}.Pooled(t, method("km"))
			by := scaled.Tidy[len(scaled.Tidy)-1].Float("time") / plain.Tidy[len(plain.Tidy)-1].Float("time")
			if by == 1 || len(plain.Tidy) != len(scaled.Tidy) {
				t.Fatalf("%s, %s: %d steps and %d", name, pair[1], len(scaled.Tidy), len(plain.Tidy))
			}
			for _, list := range [][]study.Row{scaled.Tidy, scaled.Summary} {
				for i := range list {
					for _, f := range []string{"time", "median"} {
						if list[i].Get(f) != nil {
							list[i].Set(f, list[i].Float(f)/by)
						}
					}
					if list[i].Get("median") != nil {
						list[i].Set("conf_low", list[i].Float("conf_low")/by)
						list[i].Set("conf_high", list[i].Float("conf_high")/by)
					}
				}
			}
			scaled.Notes = plain.Notes
			analyzetest.Same(t, name+": "+pair[1], scaled, plain, 1e-9)
		}
	}
}

// Under a limit exact curves, and the model, end where few are at risk, and
// say so.
func TestExact_Limit(t *testing.T) {
	rows := made(t)
	full := analyzetest.Answer(t, method("km"), rows, analysis("km", "Surv(days, died) ~ 1"))
	got := analyzetest.Case{Rows: rows, Analysis: analysis("km", "Surv(days, died) ~ 1"), Policy: exactly(12)}.Pooled(t, method("km"))
	if len(got.Tidy) >= len(full.Tidy) || len(got.Suppressed) != 1 {
		t.Fatalf("%d of %d rows are shown, %d remarks", len(got.Tidy), len(full.Tidy), len(got.Suppressed))
	}
	analyzetest.Same(t, "shown", study.Result{Tidy: got.Tidy}, study.Result{Tidy: full.Tidy[:len(got.Tidy)]}, 0)
	end := got.Tidy[len(got.Tidy)-1]
	if rest := end.Get("n_risk").(int64) - end.Get("n_event").(int64) - end.Get("n_censor").(int64); rest < 12 {
		t.Error("fewer than the limit are at risk after the last row, and follow from it")
	}
	if n := full.Tidy[len(got.Tidy)+1].Get("n_risk").(int64); n >= 12 {
		t.Error("a row that may be shown is not")
	}
	shown := int64(0)
	for _, row := range got.Tidy {
		shown += row.Get("n_event").(int64)
	}
	if got.Glance.Get("nevent") != shown || got.Summary[0].Get("events") != shown {
		t.Error("events that are not shown follow from the total")
	}

	// The same as censoring everybody at the last time shown.
	last := got.Tidy[len(got.Tidy)-1].Float("time")
	d := rows.Dictionary()
	columns := make([]frame.Values, len(d))
	for i, c := range d {
		columns[i] = whole(t, rows, c.Name)
	}
	days := slices.IndexFunc(d, func(c frame.Column) bool { return c.Name == "days" })
	died := slices.IndexFunc(d, func(c frame.Column) bool { return c.Name == "died" })
	for r, v := range columns[days].Real {
		if v > last {
			columns[died].Real[r] = 0
		}
	}
	censored, err := table.New(d, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, formula := range []string{"Surv(days, died) ~ age", "Surv(days, died) ~ arm"} {
		a := analysis("cox", formula)
		if strings.HasSuffix(formula, "arm") {
			a.Method = "logrank"
		}
		want := analyzetest.Answer(t, method(a.Method), censored, a)
		// the rows with age are fewer, but the limit cuts at the same time
		cut := analyzetest.Case{Rows: rows, Analysis: a, Policy: exactly(12)}.Pooled(t, method(a.Method))
		if a.Method == "cox" && cut.Glance.Float("nevent") != want.Glance.Float("nevent") {
			continue // missing ages moved the cut
		}
		analyzetest.Same(t, formula, cut, fewMissing(want), 1e-9)
	}
}

// fewMissing leaves out a number of missing rows that a limit of 10 hides.
func fewMissing(r study.Result) study.Result {
	if n := r.Glance.Float("missing"); n > 0 && n < 10 {
		r.Glance.Set("missing", math.NaN())
	}
	return r
}

// Under the product's default policy, with rows at four hospitals: what is
// granted to nobody is not needed for strata within sites, and curves show
// steps of at least ten.
func TestDefaultPolicy(t *testing.T) {
	rows := made(t)
	pol := policy.Default()
	var at []int
	for _, code := range whole(t, rows, "hospital").Code {
		at = append(at, int(code))
	}
	names := []ws.SiteID{"A", "B", "C", "D"}
	got := analyzetest.Case{Rows: rows, Policy: &pol, Analysis: analysis("cox", "Surv(days, died) ~ age + strata(site)")}.
		Placed(t, method("cox"), names, at)
	want := analyzetest.Answer(t, method("cox"), rows, analysis("cox", "Surv(days, died) ~ age + strata(hospital)"))
	analyzetest.Same(t, "strata(site)", got, fewMissing(want), 1e-9)
	exact := pol
	exact.Leaves, exact.MaxScalars = []policy.Leaf{policy.ExactTimes}, 1000
	for _, ties := range []string{"efron", "breslow"} {
		a := study.Analysis{Method: "cox", Ties: ties, Formula: "Surv(months, died) ~ age + sex"}
		got := analyzetest.Case{Rows: rows, Policy: &exact, Analysis: a}.Placed(t, method("cox"), names, at)
		want := analyzetest.Answer(t, method("cox"), rows, a)
		if len(got.Suppressed) != 2 || got.Suppressed[1].What != "missing" || !(got.Glance.Float("nevent") > 100 && got.Glance.Float("nevent") < want.Glance.Float("nevent")) {
			t.Errorf("%s: late times were not left out: %v, %v", ties, got.Glance, got.Suppressed)
		}
		for i, row := range got.Tidy { // nearly the same, from nearly the same rows
			near(t, ties, row.Float("estimate"), want.Tidy[i].Float("estimate"), 10*want.Tidy[i].Float("std_error"), 0.05)
		}
	}
	curves := analyzetest.Case{Rows: rows, Policy: &pol, Analysis: analysis("km", "Surv(days, died) ~ 1")}.Placed(t, method("km"), names, at)
	if len(curves.Tidy) < 3 {
		t.Errorf("only %d steps are shown", len(curves.Tidy))
	}
	for _, row := range curves.Tidy {
		if n := row.Get("n_event").(int64); n > 0 && n < 10 {
			t.Error("a number of events is below the limit")
		}
	}
}

// Strata within sites give what the same strata over the network give.
func TestLocal(t *testing.T) {
	rows := made(t)
	var at []int
	for _, code := range whole(t, rows, "hospital").Code {
		at = append(at, int(code))
	}
	for _, a := range []study.Analysis{
		analysis("cox", "Surv(months, died) ~ age * arm + strata(HOSPITAL)"),
		{Method: "cox", Ties: "breslow", Formula: "Surv(months, died) ~ age + offset(logexposure) + strata(HOSPITAL)"},
		analysis("cox", "Surv(entry, months, died) ~ age + marker + strata(HOSPITAL, sex)"),
		analysis("logrank", "Surv(months, died) ~ arm + strata(HOSPITAL)"),
		{Method: "logrank", Rho: 1.5, Formula: "Surv(months, died) ~ arm + strata(HOSPITAL, sex)"},
	} {
		formula := a.Formula
		a.Formula = strings.ReplaceAll(formula, "HOSPITAL", "hospital")
		want := analyzetest.Answer(t, method(a.Method), rows, a)
		a.Formula = strings.ReplaceAll(formula, "HOSPITAL", "site")
		pooled, federated := placed(t, analyzetest.Case{Rows: rows, Analysis: a, Policy: grouped()}, []ws.SiteID{"A", "B", "C", "D"}, at)
		analyzetest.Same(t, formula+" pooled", pooled, want, 1e-9)
		analyzetest.Same(t, formula+" federated", federated, want, 1e-9)
	}
}

// What cannot be answered is refused, and the cause is named.
func TestRefused(t *testing.T) {
	rows := made(t)
	tight := policy.Public()
	tight.MaxParameters = 0.01
	big := exactly(150)
	for _, c := range []struct {
		name, method, formula, where string
		grid                         int
		policy                       *policy.Policy
		kind                         ws.Kind
		says                         string
	}{
		{name: "no Surv", method: "cox", formula: "died ~ age", kind: ws.Invalid, says: "Surv"},
		{name: "time of two columns", method: "km", formula: "Surv(days + months, died) ~ 1", kind: ws.Invalid, says: "column"},
		{name: "no events", method: "cox", formula: "Surv(days, died) ~ age", where: "died = 0", kind: ws.Invalid, says: "no events"},
		{name: "no events within sites", method: "cox", formula: "Surv(days, died) ~ age + strata(site)", where: "died = 0", kind: ws.Invalid, says: "no events"},
		{name: "no events to test", method: "logrank", formula: "Surv(days, died) ~ arm", where: "died = 0", kind: ws.Invalid, says: "no events"},
		{name: "collinear", method: "cox", formula: "Surv(days, died) ~ age + sex + I(3 - 2 * age)", kind: ws.Invalid, says: "I(3 - 2 * age)"},
		{name: "constant", method: "cox", formula: "Surv(days, died) ~ age + sex", where: "sex = 1", kind: ws.Invalid, says: "sex"},
		{name: "infinite", method: "cox", formula: "Surv(days, died) ~ age + sex", where: "sex = 1 or died = 0", kind: ws.Invalid, says: "before sex does"},
		{name: "infinite level", method: "cox", formula: "Surv(days, died) ~ age + relevel(arm, ref = 'low')", where: "arm != 'high' or died = 0", kind: ws.Invalid, says: `ref = "low")high does`},
		{name: "infinite within sites", method: "cox", formula: "Surv(days, died) ~ sex + strata(site)", where: "sex = 1 or died = 0", kind: ws.Invalid, says: "before sex does"},
		{name: "infinite under Breslow on a grid", method: "cox", formula: "Surv(days, died) ~ age + sex", where: "sex = 1 or died = 0", policy: grouped(), kind: ws.Invalid, says: "before sex does"},
		{name: "offset", method: "cox", formula: "Surv(days, died) ~ age + offset(days)", kind: ws.Invalid, says: "offset"},
		{name: "parameters", method: "cox", formula: "Surv(days, died) ~ age + sex + arm", policy: &tight, kind: ws.Withheld, says: "parameters"},
		{name: "rare level", method: "cox", formula: "Surv(days, died) ~ hospital", policy: exactly(30), kind: ws.Withheld, says: "D"},
		{name: "rare events of a level", method: "cox", formula: "Surv(days, died) ~ age + hospital", policy: strict(4), kind: ws.Withheld, says: `level "D"`},
		{name: "rare events of a level within sites", method: "cox", formula: "Surv(days, died) ~ age + hospital + strata(site)", policy: strict(4), kind: ws.Withheld, says: `level "D"`},
		{name: "few events", method: "cox", formula: "Surv(days, died) ~ age", where: "died = 0 or days < 70", policy: exactly(30), kind: ws.Withheld, says: "died"},
		{name: "few events to show", method: "km", formula: "Surv(days, died) ~ 1", where: "died = 0 or days < 70", policy: exactly(30), kind: ws.Withheld, says: "event"},
		{name: "few events by comparison", method: "cox", formula: "Surv(days, days > 1600) ~ age", policy: strict(10), kind: ws.Withheld, says: "apart: days > 1600"},
		{name: "few without by comparison", method: "km", formula: "Surv(days, I(days > 37.5)) ~ 1", policy: exactly(10), kind: ws.Withheld, says: "apart: I(days > 37.5)"},
		{name: "few in a group by comparison", method: "logrank", formula: "Surv(days, died) ~ I(age > 85)", policy: exactly(10), kind: ws.Withheld, says: "apart: I(age > 85)"},
		{name: "few in a stratum by comparison", method: "cox", formula: "Surv(days, died) ~ sex + strata(I(age > 85))", policy: strict(10), kind: ws.Withheld, says: "apart: I(age > 85)"},
		{name: "event within arithmetic", method: "cox", formula: "Surv(days, 1 - (days > 400)) ~ age", policy: strict(10), kind: ws.Withheld, says: "within arithmetic"},
		{name: "time that falls", method: "km", formula: "Surv(5000 - days, died) ~ 1", kind: ws.Invalid, says: "unit"},
		{name: "time by a function", method: "km", formula: "Surv(sqrt(days), died) ~ 1", kind: ws.Invalid, says: "unit"},
		{name: "all at risk too few", method: "cox", formula: "Surv(days, died) ~ age", where: "died = 1", policy: big, kind: ws.Withheld, says: "event"},
		{name: "strata of curves", method: "km", formula: "Surv(days, died) ~ strata(site)", kind: ws.Invalid, says: "strata()"},
		{name: "interaction of groups", method: "km", formula: "Surv(days, died) ~ arm:hospital", kind: ws.Invalid, says: "groups"},
		{name: "number as group", method: "logrank", formula: "Surv(days, died) ~ log(age)", kind: ws.Invalid, says: "groups"},
		{name: "entry in a test", method: "logrank", formula: "Surv(entry, months, died) ~ arm", kind: ws.Invalid, says: "right-censored"},
		{name: "no group", method: "logrank", formula: "Surv(days, died) ~ 1", kind: ws.Invalid, says: "one group"},
		{name: "one group", method: "logrank", formula: "Surv(days, died) ~ arm", where: "arm = 'low'", kind: ws.Invalid, says: "one group"},
		{name: "no spread", method: "logrank", formula: "Surv(months, died) ~ arm", where: "months = 2 and died = 1", kind: ws.Invalid, says: "no event tells"},
		{name: "grid", method: "km", formula: "Surv(days, died) ~ 1", grid: 1 << 20, policy: grouped(), kind: ws.Invalid, says: "grid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := analysis(c.method, c.formula)
			a.Grid = c.grid
			err := analyzetest.Refusal(t, method(c.method), analyzetest.Case{Name: c.name, Rows: rows, Where: c.where, Analysis: a, Policy: c.policy})
			if ws.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v, want %v with %q", ws.KindOf(err), err, c.kind, c.says)
			}
		})
	}
}

// Large but finite effects are no infinite ones; only where hazards differ by
// more than can be added up is there no answer.
func TestCox_LargeEffect(t *testing.T) {
	rows := made(t)
	days := whole(t, rows, "days").Real
	for _, c := range []struct {
		noise  float64
		answer bool
	}{{40, true}, {20, true}, {2, false}} {
		mark := frame.Values{}
		for i, v := range days { // nearly the order of the times
			mark.Real = append(mark.Real, math.Round(40*math.Log(v)+c.noise*math.Sin(float64(i))))
		}
		wide, err := rows.With(frame.Column{Name: "mark", Type: frame.Real, Min: -100, Max: 400}, mark)
		if err != nil {
			t.Fatal(err)
		}
		one := analyzetest.Case{Name: "mark", Rows: wide, Analysis: analysis("cox", "Surv(days, died) ~ mark")}
		if !c.answer {
			if err := analyzetest.Refusal(t, method("cox"), one); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "the effect of mark") {
				t.Errorf("noise %v: %v", c.noise, err)
			}
			continue
		}
		if z := one.Pooled(t, method("cox")).Tidy[0].Float("statistic"); !(z < -8) {
			t.Errorf("noise %v: z = %v of a mark that nearly orders the times", c.noise, z)
		}
	}
}

// A point that is out of range is heard of from every site, also from one that
// does not speak for its institution.
func TestCox_Far(t *testing.T) {
	for _, formula := range []string{"Surv(days, died) ~ age + offset(days)", "Surv(days, died) ~ age + offset(days) + strata(site)"} {
		c := analyzetest.Case{Name: "far", Rows: made(t), Analysis: analysis("cox", formula)}
		if _, err := c.Silent(t, method("cox")); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "offset is out of range") {
			t.Errorf("%s: %v", formula, err)
		}
	}
}

// The same where other rows, at the site that speaks, are in range.
func TestCox_FarBeside(t *testing.T) {
	rows := made(t)
	lift := frame.Values{Real: make([]float64, rows.Rows())}
	var near, far []int
	for i := range lift.Real {
		if i%20 == 3 {
			lift.Real[i] = 100
			far = append(far, i)
		} else {
			near = append(near, i)
		}
	}
	lifted, err := rows.With(frame.Column{Name: "lift", Type: frame.Real, Min: 0, Max: 100}, lift)
	if err != nil {
		t.Fatal(err)
	}
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "far"}, Data: study.Data{Dataset: "rows"}}
	a := analysis("cox", "Surv(days, died) ~ age + offset(lift)")
	s.Analysis = &a
	_, err = analyzetest.PlayCast(t, analyze.Catalog{method("cox")}, s, map[ws.SiteID]frame.Source{"a": lifted.Select(near), "b": lifted.Select(far)},
		policy.Public(), analyzetest.Cast{Institutions: map[ws.SiteID]ws.Institution{"a": "one", "b": "one"}})
	if ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "offset is out of range") {
		t.Errorf("error %v", err)
	}
}
