package survival_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"wellspring/analyze/analyzetest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/study"
)

// ends are n steps over the range of days.
func ends(t testing.TB, rows *table.Table, n int) []float64 {
	c, ok := rows.Dictionary().Lookup("days")
	if !ok {
		t.Fatal("no column days")
	}
	var out []float64
	for i := 1; i < n; i++ {
		part := float64(i) / float64(n)
		out = append(out, c.Min+(c.Max-c.Min)*(part*part))
	}
	return append(out, c.Max)
}

// twice returns every row two times on times grouped by ends: whoever is
// censored within a step stays once to its end and leaves once before it, and
// so is at risk for half of it.
func twice(t testing.TB, rows *table.Table, ends []float64) *table.Table {
	t.Helper()
	d := rows.Dictionary()
	died := whole(t, rows, "died").Real
	columns := make([]frame.Values, len(d))
	for i, c := range d {
		v := whole(t, rows, c.Name)
		columns[i] = frame.Values{Real: slices.Concat(v.Real, v.Real), Code: slices.Concat(v.Code, v.Code)}
		if c.Name != "days" {
			continue
		}
		d[i].Type, d[i].Min = frame.Real, math.Min(c.Min, 0)
		for r, day := range v.Real {
			k, _ := slices.BinarySearch(ends, day)
			before := 0.0
			if k > 0 {
				before = ends[k-1]
			}
			columns[i].Real[r], columns[i].Real[r+len(v.Real)] = ends[k], ends[k]
			if died[r] == 0 {
				columns[i].Real[r] = before
			}
		}
	}
	out, err := table.New(d, columns)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// On a grid, without a limit, whoever is censored is at risk for half of the
// step: by Breslow's rule the answer is the exact one of the table that has all
// rows twice, one half of those censored without the step.
func TestGrid_Cox(t *testing.T) {
	rows := made(t)
	for _, formula := range []string{"Surv(days, died) ~ age + arm", "Surv(days, died) ~ age + arm + strata(hospital)"} {
		for _, steps := range []int{3, 7, 100} {
			a := study.Analysis{Method: "cox", Ties: "breslow", Formula: formula, Grid: steps}
			got := analyzetest.Case{Rows: rows, Analysis: a, Policy: grouped()}.Pooled(t, method("cox"))
			want := analyzetest.Case{Rows: twice(t, rows, ends(t, rows, steps)), Analysis: a}.Pooled(t, method("cox"))
			for i, row := range want.Tidy {
				se := row.Float("std_error")
				near(t, fmt.Sprint(formula, steps, " ", row.Text("term")), got.Tidy[i].Float("estimate"), row.Float("estimate"), se, 1e-9)
				near(t, fmt.Sprint(formula, steps, " ", row.Text("term"), " std_error"), got.Tidy[i].Float("std_error"), se*math.Sqrt2, 0, 1e-9)
			}
			if len(got.Notes) != 2 || !strings.Contains(got.Notes[0].En, "exact times are not granted") || !strings.Contains(got.Notes[1].En, "Breslow") {
				t.Errorf("%s: no note that times are grouped: %v", formula, got.Notes)
			}
		}
	}
}

// The log-rank test on a grid is the score test of Cox's model by Efron's rule.
func TestGrid_LogRank(t *testing.T) {
	rows := made(t)
	for _, strata := range []string{"", " + strata(hospital)"} {
		for _, steps := range []int{3, 7, 100} {
			test, model := analysis("logrank", "Surv(days, died) ~ arm"+strata), analysis("cox", "Surv(days, died) ~ arm"+strata)
			test.Grid, model.Grid = steps, steps
			got := analyzetest.Case{Rows: rows, Analysis: test, Policy: grouped()}.Pooled(t, method("logrank"))
			want := analyzetest.Case{Rows: rows, Analysis: model, Policy: grouped()}.Pooled(t, method("cox"))
			limit := 1e-9
			if steps == 3 {
				limit = 1e-3 // more events in a step than the test tells apart
			}
			near(t, fmt.Sprint(strata, steps), got.Glance.Float("statistic"), want.Glance.Float("statistic_sc"), 0, limit)
		}
	}
}

// A curve on a grid, without a limit, is the life table: n − c/2 at risk in a
// step, Greenwood's variance.
func TestGrid_KM(t *testing.T) {
	rows := made(t)
	days, died := whole(t, rows, "days").Real, whole(t, rows, "died").Real
	for _, steps := range []int{1, 3, 7, 100} {
		a := analysis("km", "Surv(days, died) ~ 1")
		a.Grid = steps
		got := analyzetest.Case{Rows: rows, Analysis: a, Policy: grouped()}.Pooled(t, method("km"))
		at := ends(t, rows, steps)
		d, c := make([]float64, steps), make([]float64, steps)
		for r, day := range days {
			k, _ := slices.BinarySearch(at, day)
			d[k] += died[r]
			c[k] += 1 - died[r]
		}
		n, s, v, row := float64(len(days)), 1.0, 0.0, 0
		for k, end := range at {
			exposed := n - c[k]/2
			n -= c[k] + d[k]
			if d[k] == 0 {
				continue
			}
			s *= 1 - d[k]/exposed
			v += d[k] / (exposed * (exposed - d[k]))
			g := got.Tidy[row]
			row++
			near(t, "time", g.Float("time"), end, 0, 1e-12)
			near(t, "n_risk", g.Float("n_risk"), exposed, 0, 1e-12)
			near(t, "estimate", g.Float("estimate"), s, 0, 1e-12)
			near(t, "std_error", g.Float("std_error"), math.Sqrt(v), 0, 1e-12)
		}
	}
}

// Under a limit the events of a step, and what follows of censorings from all
// rows of a curve, number none or at least the limit.
func TestGrid_Limit(t *testing.T) {
	rows := made(t)
	a := analysis("km", "Surv(days, died) ~ arm")
	for _, k := range []int64{2, 5, 10, 19} {
		got := analyzetest.Case{Rows: rows, Analysis: a, Policy: strict(k)}.Pooled(t, method("km"))
		for _, arm := range got.Summary {
			shown := only(got.Tidy, arm.Text("strata"))
			if len(shown) < 2 {
				t.Errorf("k = %d: a curve shows nothing", k)
			}
			events, censored := int64(0), 0.0
			for _, row := range shown {
				n := row.Get("n_event").(int64)
				if n > 0 && n < k {
					t.Errorf("k = %d: events are below the limit", k)
				}
				events += n
				censored += row.Float("n_censor")
			}
			all := arm.Get("records").(int64)
			if events != arm.Get("events").(int64) || math.Abs(float64(all-events)-censored) > 1e-9 {
				t.Errorf("k = %d: %d events and %v censorings in steps, %v in all", k, events, censored, arm)
			}
		}
	}
}

// Two tables that differ in when, within the steps that are joined, persons are
// censored give the same curve to the bit: it tells no more than the numbers of
// those steps.
func TestGrid_Censorings(t *testing.T) {
	const k = 10
	rows := made(t)
	a := analysis("km", "Surv(days, died) ~ 1")
	c := analyzetest.Case{Rows: rows, Analysis: a, Policy: strict(k)}
	want := c.Pooled(t, method("km"))
	days, died := whole(t, rows, "days"), whole(t, rows, "died").Real
	at := ends(t, rows, 100)
	var order []int
	for r, d := range died {
		if d == 0 {
			order = append(order, r)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, days.Real[a]-days.Real[b])) })
	// the first ten censored end a step with the tenth: move the first of them
	// to the raw step of the fifth
	moved := frame.Values{Real: slices.Clone(days.Real)}
	moved.Real[order[1]] = days.Real[order[4]]
	i, _ := slices.BinarySearch(at, days.Real[order[1]])
	j, _ := slices.BinarySearch(at, days.Real[order[4]])
	if i == j {
		t.Fatal("both are in one step of the grid: the test looks for the wrong thing")
	}
	column, _ := rows.Dictionary().Lookup("days")
	column.Name = "moved"
	var err error
	if c.Rows, err = rows.With(column, moved); err != nil {
		t.Fatal(err)
	}
	c.Analysis.Formula = "Surv(moved, died) ~ 1"
	analyzetest.Same(t, "moved", c.Pooled(t, method("km")), want, 0)
}
