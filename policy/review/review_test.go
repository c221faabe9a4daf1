package review

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/study"
)

const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func row(fields ...any) (r study.Row) {
	for i := 0; i < len(fields); i += 2 {
		r.Set(fields[i].(string), fields[i+1])
	}
	return r
}

func document(results ...study.Result) *study.Document {
	return &study.Document{Study: "s", StudyDigest: digest, Sites: []ws.SiteID{"a", "north", "west"}, Rounds: 3, Results: results}
}

// said lists marks without their words.
func said(marks []Mark) []string {
	out := []string{}
	for _, m := range marks {
		out = append(out, fmt.Sprint(m.Analysis, " ", m.Table, " ", m.Row, " ", m.Field, " ", m.Code))
	}
	return out
}

// Each check sets its mark at its place, and the same numbers a step further none.
func TestCheck(t *testing.T) {
	glm := func(glance study.Row, tidy ...study.Row) study.Result {
		glance.Set("nobs", int64(500))
		return study.Result{ID: "m", Method: "glm", Tidy: tidy, Glance: glance}
	}
	table := func(tidy ...study.Row) study.Result {
		return study.Result{ID: "m", Method: "crosstab", Tidy: tidy, Glance: row("nobs", int64(500))}
	}
	ordinary := func() study.Row {
		return row("link", "logit", "df_residual", int64(490), "deviance", 300., "null_deviance", 400.)
	}
	for name, c := range map[string]struct {
		in   study.Result
		want []string
	}{
		"19 in a cell": {table(row("row", "x", "column", "y", "n", int64(19)), row("row", "x", "column", "z", "n", int64(20))), []string{"1 tidy 1 n near_limit"}},
		"19 in a group": {study.Result{Method: "km", Summary: []study.Row{row("strata", "sex=f", "records", int64(19)), row("strata", "sex=m", "records", int64(20))}},
			[]string{"1 summary 1 records small_group"}},
		"an empty cell": {table(row("row", "x", "column", "y", "n", int64(0))), []string{"1 tidy 1 n zero"}},
		"a hidden cell": {study.Result{Method: "crosstab", Tidy: []study.Row{row("row", "x", "n", math.NaN())}, Suppressed: []study.Suppressed{{What: "x", Code: study.Few, Why: ws.T("few", "少")}},
			Audit: []study.Row{row("row", "x", "low", int64(0), "high", int64(9)), row("row", "y", "low", int64(0), "high", int64(10))}},
			[]string{"1  0  hidden", "1 audit 1 high bounds"}},
		"nothing to mark":          {glm(ordinary(), row("term", "age", "estimate", 0.5, "std_error", 0.1)), []string{}},
		"9 degrees":                {glm(row("link", "identity", "df_residual", int64(9))), []string{"1 glance 1 df_residual few_df"}},
		"10 degrees":               {glm(row("link", "identity", "df_residual", int64(10))), []string{}},
		"9 events more than terms": {study.Result{Method: "cox", Glance: row("nobs", int64(400), "nevent", int64(29), "df", int64(20))}, []string{"1 glance 1 df few_df"}},
		"10 events more":           {study.Result{Method: "cox", Glance: row("nobs", int64(400), "nevent", int64(30), "df", int64(20))}, []string{}},
		"a test of few":            {study.Result{Method: "ttest", Tidy: []study.Row{row("estimate", 1., "parameter", 9.5)}, Glance: row("nobs", int64(40))}, []string{"1 tidy 1 parameter few_df"}},
		"R squared":                {glm(row("link", "identity", "df_residual", int64(90), "r_squared", 0.995)), []string{"1 glance 1 r_squared perfect_fit"}},
		"no deviance":              {glm(row("link", "logit", "df_residual", int64(90), "deviance", 1e-9, "null_deviance", 400.)), []string{"1 glance 1 deviance perfect_fit"}},
		"separation":               {glm(ordinary(), row("term", "x", "estimate", -18., "std_error", 3000.)), []string{"1 tidy 1 estimate separation", "1 tidy 1 std_error separation"}},
		"a large mean difference":  {glm(row("link", "identity", "df_residual", int64(90)), row("term", "x", "estimate", 120., "std_error", 20.)), []string{}},
		"few at risk": {study.Result{Method: "km", Tidy: []study.Row{row("time", 1., "n_risk", 20.), row("time", 2., "n_risk", 19.5)}},
			[]string{"1 tidy 2 n_risk few_at_risk"}},
		"an extreme quantile": {study.Result{Method: "quantile", Tidy: []study.Row{row("prob", 0.95, "n", int64(399), "quantile", 7.), row("prob", 0.95, "n", int64(400), "quantile", 7.), row("prob", 0.01, "n", int64(400), "quantile", 7.)}},
			[]string{"1 tidy 1 quantile extreme_quantile", "1 tidy 3 quantile extreme_quantile"}},
		"a site by name": {study.Result{Method: "glm", Tidy: []study.Row{row("term", "factor(site)north", "estimate", 1.), row("term", "north_side", "estimate", 1.)}, Glance: row("link", "identity")},
			[]string{"1 tidy 1 term by_site"}},
		"left out already": {study.Result{Method: "glm", Suppressed: []study.Suppressed{{What: "all", Code: study.Reviewed, Why: ws.T("out", "隐去")}}}, []string{}},
	} {
		marks := Check(document(c.in), 10)
		if got := said(marks); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for _, m := range marks {
			if m.Why.En == "" || m.Why.Zh == "" || m.ID != c.in.ID {
				t.Errorf("%s: %+v", name, m)
			}
		}
	}
}

// A study is looked at as a whole, too; and what many rows share is not said of each.
func TestCheck_Whole(t *testing.T) {
	var many []study.Result
	for i := range 11 {
		many = append(many, study.Result{ID: fmt.Sprint("a", i), Method: "describe", Glance: row("nobs", int64(500))})
	}
	d := document(many...)
	if got := said(Check(d, 10)); !slices.Equal(got, []string{"0  0  many"}) {
		t.Errorf("eleven analyses: %v", got)
	}
	d.Results = d.Results[:10]
	d.Sites = d.Sites[:2]
	if got := said(Check(d, 10)); !slices.Equal(got, []string{"0  0  few_sites"}) {
		t.Errorf("two sites: %v", got)
	}
	var rows []study.Row
	for range 500 {
		rows = append(rows, row("time", 1., "n_risk", 12.))
	}
	marks := Check(document(study.Result{Method: "km", Tidy: rows}), 10)
	if len(marks) != mostMarks+1 || marks[mostMarks].Row != 0 || !strings.Contains(marks[mostMarks].Why.En, "more rows") {
		t.Errorf("500 rows: %d marks, the last %+v", len(marks), marks[len(marks)-1])
	}
	if again := Check(document(study.Result{Method: "km", Tidy: rows}), 10); !reflect.DeepEqual(again, marks) {
		t.Error("the same document has other marks")
	}
}

// Whoever carries half of a sum is never passed over.
func TestCheck_Dominance(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	marked := func(x []float64) bool {
		var sum, squares float64
		for _, v := range x {
			sum += v
		}
		n := float64(len(x))
		for _, v := range x {
			squares += (v - sum/n) * (v - sum/n)
		}
		in := study.Result{Method: "describe", Tidy: []study.Row{row("variable", "cost", "n", int64(len(x)), "mean", sum/n, "sd", math.Sqrt(squares/(n-1)))}}
		return slices.ContainsFunc(Check(document(in), 1), func(m Mark) bool { return m.Code == Dominance })
	}
	even := 0
	for range 2000 {
		x := make([]float64, 10+r.IntN(200))
		var rest float64
		for i := range x {
			x[i] = r.ExpFloat64()
			rest += x[i]
		}
		if !marked(x) {
			even++
		}
		x = append(x, rest*(1.0001+r.Float64()))
		if !marked(x) {
			t.Fatalf("one of %d carries half of the sum, and nothing is marked", len(x))
		}
	}
	if even < 1000 {
		t.Errorf("of 2000 even samples %d have no mark: the check says nothing", even)
	}
}

// What is left out leaves no number behind, and the rest is as it was.
func TestWithout(t *testing.T) {
	results := []study.Result{
		{ID: "one", Method: "describe", Tidy: []study.Row{row("variable", "age", "mean", 1234.5)}, Glance: row("nobs", int64(4321)), Notes: []ws.Text{ws.T("about 77", "约 77")}},
		{ID: "two", Method: "describe", Tidy: []study.Row{row("variable", "age", "mean", 5.)}, Summary: []study.Row{row("count", int64(9))}, Glance: row("nobs", int64(9))},
	}
	d := document(results...)
	before, _ := study.MarshalCanonical(d)
	out, err := Without(d, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := study.MarshalCanonical(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"1234.5", "4321", "77"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%s is still there: %s", secret, b)
		}
	}
	if !reflect.DeepEqual(out.Results[1], d.Results[1]) || out.Results[0].Suppressed[0].Code != study.Reviewed {
		t.Errorf("what is left: %s", b)
	}
	if again, err := study.ParseDocument(b); err != nil || len(again.Results) != 2 {
		t.Errorf("it cannot be read again: %v", err)
	}
	if after, _ := study.MarshalCanonical(d); string(after) != string(before) {
		t.Error("the document itself was changed")
	}
	if same, err := Without(d, nil); err != nil || !reflect.DeepEqual(same, d) {
		t.Errorf("without nothing: %v", err)
	}
	for name, parts := range map[string][]int{"all": {1, 2}, "number 0": {0}, "number 3": {3}} {
		if _, err := Without(d, parts); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	alone := document()
	alone.Result = &results[0]
	if _, err := Without(alone, []int{1}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("the only analysis: %v", err)
	}
}
