package compare_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/compare"
	"wellspring/collect/csv/csvtest"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

func methods() map[string]analyze.Method {
	return map[string]analyze.Method{"ttest": compare.TTest(), "chisq": compare.ChiSquared(), "crosstab": compare.Crosstab()}
}

// An answer is R's: see testdata/r.R.
type answer struct {
	Name, Table        string
	Analysis           study.Analysis
	Tidy               map[string]any
	Observed, Expected []float64
	Cells              []map[string]any
}

func answers(t testing.TB) []answer {
	t.Helper()
	var out []answer
	csvtest.JSON(t, "testdata/r.json", &out)
	return out
}

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// The pooled answers are R's.
func TestCompare_R(t *testing.T) {
	for _, a := range answers(t) {
		t.Run(a.Name, func(t *testing.T) {
			got := analyzetest.Answer(t, methods()[a.Analysis.Method], csvtest.Read(t, filepath.Join("testdata", a.Table+".csv")), a.Analysis)
			for field, want := range a.Tidy {
				if text, ok := want.(string); ok {
					if s := got.Tidy[0].Text(field); s != text {
						t.Errorf("%s is %q, want %q", field, s, text)
					}
					continue
				}
				near(t, field, got.Tidy[0].Float(field), want.(float64), 1e-8)
			}
			for i, want := range a.Observed {
				near(t, "observed", got.Summary[i].Float("observed"), want, 0)
				near(t, "expected", got.Summary[i].Float("expected"), a.Expected[i], 1e-14)
			}
			for i, cell := range a.Cells {
				for field, want := range cell {
					if text, ok := want.(string); ok && got.Tidy[i].Text(field) != text {
						t.Errorf("cell %d: %s is %q, want %q", i, field, got.Tidy[i].Text(field), text)
					} else if !ok {
						near(t, field, got.Tidy[i].Float(field), want.(float64), 1e-14)
					}
				}
			}
		})
	}
}

// Any partition gives the pooled answers.
func TestCompare_Conformance(t *testing.T) {
	cases := map[string][]analyzetest.Case{}
	for _, a := range answers(t) {
		m := a.Analysis.Method
		cases[m] = append(cases[m], analyzetest.Case{Name: a.Name, Analysis: a.Analysis, Rows: csvtest.Read(t, filepath.Join("testdata", a.Table+".csv"))})
	}
	cases["crosstab"] = append(cases["crosstab"], analyzetest.Case{Name: "admissions", Rows: csvtest.Read(t, "testdata/admissions.csv"),
		Analysis: study.Analysis{Method: "crosstab", Rows: "Dept", Columns: "Gender"}},
		analyzetest.Case{Name: "hidden", Rows: layered(t, mixed), Analysis: layers, Policy: pooledLimits()})
	for name, m := range methods() {
		analyzetest.Run(t, m, cases[name]...)
	}
}

func made(t *testing.T, header string, rows []string) *table.Table {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.csv")
	if err := os.WriteFile(path, []byte(header+"\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return csvtest.Read(t, path)
}

// cells makes rows with the given counts of a (down) by b (across).
func cells(t *testing.T, counts [][]int) *table.Table {
	var rows []string
	for i, row := range counts {
		for j, n := range row {
			for range n {
				rows = append(rows, fmt.Sprintf("a%d,b%d,%d", i, j, len(rows)%7))
			}
		}
	}
	return made(t, "a,b,y", rows)
}

// layered makes rows with the given counts of a by b by c.
func layered(t *testing.T, counts [][][]int) *table.Table {
	var rows []string
	for i, plane := range counts {
		for j, line := range plane {
			for l, n := range line {
				for range n {
					rows = append(rows, fmt.Sprintf("a%d,b%d,c%d", i, j, l))
				}
			}
		}
	}
	return made(t, "a,b,c", rows)
}

var (
	layers = study.Analysis{Method: "crosstab", Rows: "a", Columns: "b", Layers: "c"}
	// mixed has a small cell, a small total over a (b1, c2), and a small level of c.
	mixed = [][][]int{
		{{3, 40, 20, 0}, {50, 60, 2, 1}, {30, 20, 25, 0}},
		{{70, 80, 30, 1}, {90, 99, 3, 0}, {40, 35, 45, 0}},
		{{31, 22, 43, 0}, {54, 45, 4, 1}, {37, 28, 29, 1}},
	}
)

func limits() *policy.Policy {
	p := policy.Default()
	return &p
}

// pooledLimits are those of persons alone, for a table at one institution.
func pooledLimits() *policy.Policy {
	p := policy.Default()
	p.MinInstitutions, p.FewInstitutions = 1, true
	return &p
}

func TestCrosstab(t *testing.T) {
	rows := cells(t, [][]int{{30, 10}, {20, 40}})
	got := analyzetest.Answer(t, compare.Crosstab(), rows, study.Analysis{Method: "crosstab", Rows: "a", Columns: "b"})
	want := []study.Row{
		{{Name: "row", Value: "a0"}, {Name: "column", Value: "b0"}, {Name: "n", Value: int64(30)}, {Name: "row_percent", Value: 75.}, {Name: "column_percent", Value: 60.}},
		{{Name: "row", Value: "a0"}, {Name: "column", Value: "b1"}, {Name: "n", Value: int64(10)}, {Name: "row_percent", Value: 25.}, {Name: "column_percent", Value: 20.}},
		{{Name: "row", Value: "a1"}, {Name: "column", Value: "b0"}, {Name: "n", Value: int64(20)}, {Name: "row_percent", Value: 100. / 3}, {Name: "column_percent", Value: 40.}},
		{{Name: "row", Value: "a1"}, {Name: "column", Value: "b1"}, {Name: "n", Value: int64(40)}, {Name: "row_percent", Value: 200. / 3}, {Name: "column_percent", Value: 80.}},
	}
	for i, row := range want {
		for _, f := range row {
			if v, ok := f.Value.(float64); ok {
				near(t, f.Name, got.Tidy[i].Float(f.Name), v, 1e-14)
			} else if g := got.Tidy[i].Get(f.Name); g != f.Value {
				t.Errorf("cell %d: %s is %v, want %v", i, f.Name, g, f.Value)
			}
		}
	}
	if n := got.Glance.Get("nobs"); n != int64(100) || len(got.Summary) != 4 {
		t.Errorf("nobs %v, summary %v", n, got.Summary)
	}
}

// Under limits a small cell is hidden with the three others of a rectangle, a
// small level is left out with its persons, and neither shows in the JSON.
func TestCrosstab_Suppressed(t *testing.T) {
	run := func(counts [][]int) study.Result {
		return analyzetest.Case{Rows: cells(t, counts), Policy: limits(),
			Analysis: study.Analysis{Method: "crosstab", Rows: "a", Columns: "b"}}.Pooled(t, compare.Crosstab())
	}
	got := run([][]int{{3, 40, 50}, {60, 71, 80}, {90, 100, 110}})
	shown := 0
	for _, row := range got.Tidy {
		if _, ok := row.Get("n").(int64); ok {
			shown++
		}
	}
	if a := got.Audit[0]; len(got.Audit) != 4 || a.Text("row") != "a0" || a.Text("column") != "b0" || a.Get("low") != int64(0) || a.Get("high") != int64(43) {
		t.Errorf("audit %v", got.Audit)
	}
	if len(got.Tidy) != 9 || shown != 5 || len(got.Suppressed) != 4 {
		t.Errorf("%d cells shown, suppressed %v", shown, got.Suppressed)
	}
	got = run([][]int{{3, 4, 2}, {60, 71, 80}, {90, 100, 110}})
	if len(got.Tidy) != 6 || got.Glance.Get("nobs") != int64(511) || got.Glance.Get("missing") != nil || len(got.Suppressed) != 1 {
		t.Errorf("tidy %v, glance %v, suppressed %v", got.Tidy, got.Glance, got.Suppressed)
	}
}

// An empty cell within a row and a column that hold persons is hidden like a
// small one, and there is no test, as with a small one; both are given where the policy says so.
func TestZeroCells(t *testing.T) {
	rows := cells(t, [][]int{{0, 40, 50}, {60, 71, 80}, {90, 100, 110}})
	show := limits()
	show.ZeroCells = policy.ShowZeros
	run := func(p *policy.Policy) (r study.Result, counts map[string]any) {
		r = analyzetest.Case{Rows: rows, Policy: p, Analysis: study.Analysis{Method: "crosstab", Rows: "a", Columns: "b"}}.Pooled(t, compare.Crosstab())
		counts = map[string]any{}
		for _, row := range r.Tidy {
			counts[row.Text("row")+row.Text("column")] = row.Get("n")
		}
		return r, counts
	}
	hidden, counts := run(limits())
	whole, all := run(show)
	if len(hidden.Suppressed) != 4 || len(whole.Suppressed) != 0 || len(counts) != 9 || all["a0b0"] != int64(0) {
		t.Errorf("suppressed %v and %v, counts %v and %v", hidden.Suppressed, whole.Suppressed, counts, all)
	}
	blank := 0
	for cell, n := range counts {
		if x, ok := n.(float64); ok && math.IsNaN(x) {
			blank++
		} else if n != all[cell] {
			t.Errorf("%s is %v, want %v", cell, n, all[cell])
		}
	}
	if x, ok := counts["a0b0"].(float64); blank != 4 || !ok || !math.IsNaN(x) {
		t.Errorf("%d cells hidden of %v", blank, counts)
	}
	test := analyzetest.Case{Rows: rows, Policy: show, Analysis: study.Analysis{Method: "chisq", Rows: "a", Columns: "b"}}
	if got := test.Pooled(t, compare.ChiSquared()); got.Summary[0].Get("observed") != int64(0) {
		t.Errorf("observed %v", got.Summary)
	}
	test.Policy = limits()
	if err := analyzetest.Refusal(t, compare.ChiSquared(), test); ws.KindOf(err) != ws.Withheld {
		t.Errorf("a test of a table with an empty cell: %v", err)
	}
}

// What is shown of a table with layers has only totals of what is left, and of
// each hidden cell and total the audit says a range that holds the truth.
func TestCrosstab_Layers(t *testing.T) {
	got := analyzetest.Case{Rows: layered(t, mixed), Policy: pooledLimits(), Analysis: layers}.Pooled(t, compare.Crosstab())
	truth := func(row study.Row) (n int64) {
		for i, plane := range mixed {
			for j, line := range plane {
				for l, count := range line[:3] {
					at := map[string]string{"row": fmt.Sprint("a", i), "column": fmt.Sprint("b", j), "layer": fmt.Sprint("c", l)}
					in := true
					for field, level := range at {
						in = in && (row.Get(field) == nil || row.Text(field) == level)
					}
					if in {
						n += int64(count)
					}
				}
			}
		}
		return n
	}
	hidden := 0
	for _, row := range append(got.Tidy, got.Summary[:27]...) {
		n, shown := row.Get("n").(int64)
		switch {
		case !shown:
			hidden++
		case n != truth(row) || n > 0 && n < 10:
			t.Errorf("%v is shown, and %d", row, truth(row))
		}
	}
	if len(got.Tidy) != 27 || len(got.Summary) != 27+9 || hidden != len(got.Audit) || hidden != len(got.Suppressed)-1 || hidden < 5+1 {
		t.Errorf("%d cells, %d totals, %d hidden, %d audited, suppressed %v", len(got.Tidy), len(got.Summary), hidden, len(got.Audit), got.Suppressed)
	}
	for _, b := range got.Audit {
		n, low, high := truth(b), b.Get("low").(int64), b.Get("high").(int64)
		if n < low || n > high || n > 0 && n < 10 && high-low < 10 || b.Float("met_low") < float64(low) || b.Float("met_high") > float64(high) {
			t.Errorf("%d lies in %v", n, b)
		}
	}
	if got.Glance.Get("nobs") != truth(nil) || got.Glance.Get("missing") != nil || got.Suppressed[0].What != "c = c3" {
		t.Errorf("glance %v, suppressed %v", got.Glance, got.Suppressed)
	}
}

func TestCompare_Refuses(t *testing.T) {
	small := cells(t, [][]int{{3, 40}, {60, 70}})
	fine := cells(t, [][]int{{30, 40}, {60, 70}})
	flat := made(t, "y,g,three", []string{"5,a,x", "5,b,y", "5,a,z", "5,b,x", "5,a,y", "5,b,z"})
	for _, c := range []struct {
		name   string
		rows   *table.Table
		a      study.Analysis
		policy *policy.Policy
		kind   ws.Kind
	}{
		{"χ² with a small cell", small, study.Analysis{Method: "chisq", Rows: "a", Columns: "b"}, limits(), ws.Withheld},
		{"t test of a small group", cells(t, [][]int{{3, 3}, {40, 40}}), study.Analysis{Method: "ttest", Formula: "y ~ a"}, limits(), ws.Withheld},
		{"every level too small", cells(t, [][]int{{6, 0}, {0, 6}}), study.Analysis{Method: "crosstab", Rows: "a", Columns: "b"}, limits(), ws.Withheld},
		{"one factor twice", fine, study.Analysis{Method: "chisq", Rows: "a", Columns: "a"}, nil, ws.Invalid},
		{"layers of another factor", fine, study.Analysis{Method: "crosstab", Rows: "a", Columns: "b", Layers: "a"}, nil, ws.Invalid},
		{"every layer too small", layered(t, [][][]int{{{4, 4}, {4, 4}}, {{4, 4}, {4, 4}}}), layers, limits(), ws.Withheld},
		{"no such column", fine, study.Analysis{Method: "crosstab", Rows: "a", Columns: "z"}, nil, ws.Invalid},
		{"a number", fine, study.Analysis{Method: "crosstab", Rows: "a", Columns: "log(y)"}, nil, ws.Invalid},
		{"one level", cells(t, [][]int{{6, 9}}), study.Analysis{Method: "chisq", Rows: "a", Columns: "b"}, nil, ws.Invalid},
		{"constant", flat, study.Analysis{Method: "ttest", Formula: "y ~ g"}, nil, ws.Invalid},
		{"three groups", flat, study.Analysis{Method: "ttest", Formula: "y ~ three"}, nil, ws.Invalid},
		{"numeric group", fine, study.Analysis{Method: "ttest", Formula: "y ~ y"}, nil, ws.Invalid},
		{"two factors", fine, study.Analysis{Method: "ttest", Formula: "y ~ a + b"}, nil, ws.Invalid},
		{"two variables", fine, study.Analysis{Method: "ttest", Variables: []string{"y", "y"}}, nil, ws.Invalid},
		{"a factor response", fine, study.Analysis{Method: "ttest", Formula: "a ~ b"}, nil, ws.Invalid},
	} {
		err := analyzetest.Refusal(t, methods()[c.a.Method], analyzetest.Case{Name: c.name, Analysis: c.a, Rows: c.rows, Policy: c.policy})
		if ws.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCompare_Heart(t *testing.T) {
	var ref struct {
		TTest struct {
			Equal struct {
				T, DF float64
				Mean  []float64
			} `json:"equal_var"`
			Welch struct{ T, DF float64 }
		} `json:"ttest_thalach"`
		ChiSq struct {
			Table [][]float64
			X2    float64
		} `json:"chisq_sex_target"`
	}
	b, err := os.ReadFile(csvtest.Shared(t, "reference/uci_heart.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	rows := csvtest.Read(t, csvtest.Shared(t, "data/uci-heart/heart_4sites.csv"))
	// R had the rows complete in these.
	const where = "trestbps >= 0 and thalach >= 0 and exang >= 0 and oldpeak > -9"
	run := func(m analyze.Method, a study.Analysis) study.Row {
		return analyzetest.Case{Rows: rows, Where: where, Analysis: a}.Pooled(t, m).Tidy[0]
	}
	yes := true
	equal := run(compare.TTest(), study.Analysis{Method: "ttest", Formula: "thalach ~ factor(target)", VarEqual: &yes})
	near(t, "t", equal.Float("statistic"), ref.TTest.Equal.T, 1e-8)
	near(t, "df", equal.Float("parameter"), ref.TTest.Equal.DF, 0)
	near(t, "mean", equal.Float("estimate2"), ref.TTest.Equal.Mean[1], 1e-8)
	welch := run(compare.TTest(), study.Analysis{Method: "ttest", Formula: "thalach ~ factor(target)"})
	near(t, "Welch's t", welch.Float("statistic"), ref.TTest.Welch.T, 1e-8)
	near(t, "Welch's df", welch.Float("parameter"), ref.TTest.Welch.DF, 1e-8)
	no := false // as R was asked
	x2 := run(compare.ChiSquared(), study.Analysis{Method: "chisq", Rows: "sex", Columns: "target", Correct: &no})
	near(t, "χ²", x2.Float("statistic"), ref.ChiSq.X2, 1e-8)
}
