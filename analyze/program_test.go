package analyze_test

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
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

var catalog = analyze.Catalog{describe.Describe(), describe.Quantile(), compare.Crosstab(), glm.Method()}

// people makes n rows: x rises from 0 to 100, y follows it, g has two levels
// and rare a third of persons each but for few of them.
func people(t *testing.T, n, few int, extreme float64) *table.Table {
	t.Helper()
	x, y := make([]float64, n), make([]float64, n)
	g, rare := make([]int32, n), make([]int32, n)
	for i := range n {
		x[i] = float64(i*37%101) - 0.5*float64(i%3)
		y[i] = math.Sin(float64(i)) + 0.01*x[i]
		g[i] = int32(i % 2)
		if i < few {
			rare[i] = 1
		}
	}
	if extreme != 0 {
		x[n/2] = extreme
	}
	d := frame.Dictionary{
		{Name: "x", Type: frame.Real, Min: -1, Max: math.Max(101, extreme)}, {Name: "y", Type: frame.Real, Min: -2, Max: 4},
		{Name: "g", Type: frame.Factor, Levels: []string{"a", "b"}}, {Name: "rare", Type: frame.Factor, Levels: []string{"often", "seldom"}},
		{Name: "id", Type: frame.Identifier},
	}
	out, err := table.New(d, []frame.Values{{Real: x}, {Real: y}, {Code: g}, {Code: rare}, {}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ask(a ...study.Analysis) *study.Study {
	for i := range a {
		a[i].ID = fmt.Sprintf("a%d", i)
	}
	return &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "limits"},
		Data: study.Data{Dataset: "rows"}, Analyses: a}
}

func where(filter string, a ...study.Analysis) *study.Study {
	s := ask(a...)
	s.Data.Where = filter
	return s
}

// spread deals rows to the given number of sites; silent more have no row.
func spread(rows *table.Table, sites, silent int) map[ws.SiteID]frame.Source {
	out := map[ws.SiteID]frame.Source{}
	for s := range sites + silent {
		var part []int
		for i := s; i < rows.Rows() && s < sites; i += sites {
			part = append(part, i)
		}
		out[ws.SiteID(fmt.Sprintf("s%d", s))] = rows.Select(part)
	}
	return out
}

func TestLimits(t *testing.T) {
	mean := study.Analysis{Method: "describe", Variables: []string{"x"}}
	model := study.Analysis{Method: "glm", Formula: "y ~ x + rare"}
	var many []study.Analysis
	for range 40 {
		many = append(many, study.Analysis{Method: "describe", Variables: []string{"x", "y"}, By: "g"})
	}
	cases := []struct {
		name  string
		parts map[ws.SiteID]frame.Source
		study *study.Study
		want  ws.Kind
		says  string
	}{
		{"sixty persons at three sites", spread(people(t, 60, 0, 0), 3, 0), ask(mean), ws.Other, ""},
		{"nine persons", spread(people(t, 9, 0, 0), 3, 0), ask(mean), ws.Withheld, "too few persons"},
		{"two sites have rows, two are silent", spread(people(t, 90, 0, 0), 2, 2), ask(mean), ws.Withheld, "too few persons or institutions"},
		{"two sites", spread(people(t, 90, 0, 0), 2, 0), ask(mean), ws.Denied, "fewer than three institutions"},
		{"a small site among others", spread(people(t, 90, 0, 0), 3, 1), ask(mean), ws.Other, ""},
		{"a rare level", spread(people(t, 120, 9, 0), 4, 0), ask(model), ws.Withheld, "seldom"},
		{"a level that is not so rare", spread(people(t, 120, 40, 0), 4, 0), ask(model), ws.Other, ""},
		{"too many parameters", spread(people(t, 12, 0, 0), 4, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + I(x^2) + I(x^3) + I(x^4)"}), ws.Withheld, "too many parameters"},
		{"too many numbers", spread(people(t, 90, 0, 0), 3, 0), ask(many...), ws.Withheld, "too many numbers"},
		{"one person carries the sum", spread(people(t, 90, 0, 1e4), 3, 0), ask(mean), ws.Withheld, "one person"},
		{"a site as a level", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + site"}), ws.Denied, "site_results"},
		{"a site by comparison", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: `(site == "s1") ~ x`}), ws.Denied, "site_results"},
		{"one person carries a response", spread(people(t, 90, 0, 1e4), 3, 0), ask(study.Analysis{Method: "glm", Formula: "x ~ y"}), ws.Withheld, "one person"},
		{"an interaction of which few meet", spread(people(t, 120, 17, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ g * rare"}), ws.Withheld, "rare"},
		{"nobody is left", spread(people(t, 90, 0, 0), 3, 0), where("x > 200", mean), ws.Withheld, "too few persons"},
		{"one person is left", spread(people(t, 90, 0, 0), 3, 0), where("x = 37", mean), ws.Withheld, "too few persons"},
		{"an identifier", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "describe", Variables: []string{"id"}}), ws.Denied, "id"},
		{"a function that overflows", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ exp(10 * x)"}), ws.Withheld, "single rows"},
		{"a function too large for a sum", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ exp(0.375 * x)"}), ws.Withheld, "too large for a masked sum"},
		{"a row that its dictionary forbids", spread(people(t, 90, 0, 1e30), 3, 0), ask(mean), ws.Withheld, "too large for the ring"},
		{"a product too large for a sum", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(x^4) : I(x^3)"}), ws.Withheld, "too large for a masked sum"},
		{"a comparison", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + I(x >= 50)"}), ws.Other, ""},
		{"a comparison with few above", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + I(x >= 96)"}), ws.Withheld, "apart: I(x >= 96)"},
		{"a comparison with few below", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + I(x > 3)"}), ws.Withheld, "apart: I(x > 3)"},
		{"a comparison with few, turned round", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ relevel(I(x >= 96), 'TRUE')"}), ws.Withheld, "apart: "},
		{"nobody above", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ x + I(x > 100.9)"}), ws.Withheld, "apart: I(x > 100.9)"},
		{"a comparison as response", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "(x > 50) ~ y"}), ws.Other, ""},
		{"a comparison with few as response", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "(x >= 96) ~ y"}), ws.Withheld, "apart: x >= 96"},
		{"a rare level by comparison", spread(people(t, 120, 9, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(rare == 'seldom')"}), ws.Withheld, "apart: "},
		{"two comparisons with few between", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(x > 40) + I(x > 45)"}), ws.Withheld, "apart: I(x > 40), I(x > 45)"},
		{"two comparisons with enough between", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(x > 30) + I(x > 60)"}), ws.Other, ""},
		{"a comparison that two sites have", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(site %in% c('s0', 's1'))"}), ws.Denied, "site_results"},
		{"five comparisons", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(x > 10) + I(x > 30) + I(x > 50) + I(x > 70) + I(x > 90)"}), ws.Withheld, "more than 4"},
		{"few of a response", spread(people(t, 120, 15, 0), 3, 0), ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "rare ~ x"}), ws.Other, ""},
		{"few of a response by comparison", spread(people(t, 120, 15, 0), 3, 0), ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "rare ~ I(x >= 50)"}), ws.Withheld, "apart: I(x >= 50), rare"},
		{"enough of a response by comparison", spread(people(t, 120, 50, 0), 3, 0), ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "rare ~ I(x >= 50)"}), ws.Other, ""},
		{"a comparison within arithmetic", spread(people(t, 120, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I((x > 50) * y)"}), ws.Withheld, "within arithmetic"},
		{"a function that leaves out whom it likes", spread(people(t, 90, 0, 0), 3, 0), ask(study.Analysis{Method: "glm", Formula: "y ~ I(x + 0 * sqrt(x - 50))"}), ws.Withheld, "single rows"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "dictionary forbids") {
				for site, rows := range c.parts {
					c.parts[site] = narrow{rows}
				}
			}
			results, err := analyzetest.Play(t, catalog, c.study, c.parts, policy.Default())
			if c.want == ws.Other {
				if err != nil || results == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil || ws.KindOf(err) != c.want || results != nil {
				t.Fatalf("error %v of kind %v, want kind %v and no result", err, ws.KindOf(err), c.want)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
			if strings.Contains(err.Error(), "10000") {
				t.Errorf("%q tells a value", err)
			}
		})
	}
}

// narrow is a site whose dictionary promises that x ends at 101, whatever its rows hold.
type narrow struct{ frame.Source }

func (n narrow) Dictionary() frame.Dictionary {
	d := slices.Clone(n.Source.Dictionary())
	d[slices.IndexFunc(d, func(c frame.Column) bool { return c.Name == "x" })].Max = 101
	return d
}

// Several analyses in lock step give what each gives alone.
func TestLockStep(t *testing.T) {
	rows := people(t, 200, 60, 0)
	list := []study.Analysis{
		{Method: "describe", Variables: []string{"x", "y"}, By: "g"},
		{Method: "quantile", Variables: []string{"x"}, Probs: []float64{0.25, 0.5}},
		{Method: "glm", Formula: "y ~ x * g"},
		{Method: "crosstab", Rows: "g", Columns: "rare"},
	}
	together, err := analyzetest.Play(t, catalog, ask(append([]study.Analysis(nil), list...)...), spread(rows, 4, 1), policy.Public())
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range list {
		alone, err := analyzetest.Play(t, catalog, ask(a), spread(rows, 3, 0), policy.Public())
		if err != nil {
			t.Fatal(err)
		}
		analyzetest.Same(t, a.Method, together[i], alone[0], 1e-9)
	}
}

func TestMergeFacts(t *testing.T) {
	d := people(t, 3, 0, 0).Dictionary()
	facts := func(s ws.SiteID, p policy.Policy, times ...float64) analyze.SiteFacts {
		return analyze.SiteFacts{Site: s, Institution: "house " + ws.Institution(s), Columns: d, Policy: p, Times: []analyze.TimeFact{{Column: "x", Values: times}}}
	}
	f, err := analyze.MergeFacts([]analyze.SiteFacts{facts("b", policy.Public(), 1, 3), facts("a", policy.Default(), 2, 3)}, "centre")
	if err != nil {
		t.Fatal(err)
	}
	if f.Sites[0] != "a" || f.Policy.MinCell != 10 || f.Policy.Grants(policy.ExactTimes) {
		t.Errorf("merged: %+v", f)
	}
	if got, ok := f.ExactTimes("x"); !ok || fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("times = %v, %v", got, ok)
	}
	if c, ok := f.Columns.Lookup(analyze.SiteColumn); !ok || fmt.Sprint(c.Levels) != "[a b]" {
		t.Errorf("site column = %+v", c)
	}
	if _, err := analyze.MergeFacts([]analyze.SiteFacts{facts("a", policy.Default()), facts("a", policy.Default())}, "centre"); ws.KindOf(err) != ws.Diverged {
		t.Errorf("a site that speaks twice: %v", err)
	}
	bad := facts("c", policy.Default())
	bad.Columns = bad.Columns[1:]
	if _, err := analyze.MergeFacts([]analyze.SiteFacts{facts("a", policy.Default()), bad}, "centre"); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "x") || !strings.Contains(err.Error(), "c") {
		t.Errorf("a column that one site lacks: %v", err)
	}
}

// Of an institution's sites one speaks; the conductor's have nobody who does.
func TestFacts_Institutions(t *testing.T) {
	f := analyze.Facts{Conductor: "x", Sites: []ws.SiteID{"a", "b", "c", "d", "e"}, Institutions: []ws.Institution{"x", "y", "y", "z", "x"}}
	for site, want := range map[ws.SiteID]bool{"a": false, "b": true, "c": false, "d": true, "e": false, "elsewhere": false} {
		if f.Speaks(site) != want {
			t.Errorf("Speaks(%s) = %v", site, !want)
		}
	}
	for n, sites := range map[int][]ws.SiteID{0: {"a", "e", "elsewhere"}, 1: {"a", "c"}, 2: f.Sites} {
		if got := f.Contributors(sites); got != n {
			t.Errorf("Contributors(%v) = %d, want %d", sites, got, n)
		}
	}
}

// Limits count institutions: one with two sites once, and the conductor's not
// at all, though the persons of both count.
func TestLimits_Institutions(t *testing.T) {
	mean := ask(study.Analysis{Method: "describe", Variables: []string{"x"}})
	levels := ask(study.Analysis{Method: "glm", Formula: "y ~ x + rare"})
	two := map[ws.SiteID]ws.Institution{"s0": "one", "s1": "one"}
	cases := []struct {
		name  string
		parts map[ws.SiteID]frame.Source
		study *study.Study
		cast  analyzetest.Cast
		want  ws.Kind
		says  string
	}{
		{"four sites of three institutions", spread(people(t, 60, 0, 0), 4, 0), mean, analyzetest.Cast{Institutions: two}, ws.Other, ""},
		{"the second site of one would be the third", spread(people(t, 60, 0, 0), 3, 0), mean, analyzetest.Cast{Institutions: two}, ws.Denied, "fewer than three institutions"},
		{"a member conducts, beside three", spread(people(t, 60, 0, 0), 4, 0), mean, analyzetest.Cast{Conductor: "s2"}, ws.Other, ""},
		{"the conductor would be the third", spread(people(t, 60, 0, 0), 3, 0), mean, analyzetest.Cast{Conductor: "s2"}, ws.Denied, "fewer than three institutions"},
		{"the centre's own two sites do not count", spread(people(t, 60, 0, 0), 4, 0), mean, analyzetest.Cast{Institutions: two, Conductor: "one"}, ws.Denied, "fewer than three institutions"},
		// rows at s0, s1 and s2 alone
		{"three with rows", spread(people(t, 60, 0, 0), 3, 2), mean, analyzetest.Cast{}, ws.Other, ""},
		{"the second site of one would be the third with rows", spread(people(t, 60, 0, 0), 3, 2), mean, analyzetest.Cast{Institutions: two}, ws.Withheld, "too few persons or institutions"},
		{"the conductor would be the third with rows", spread(people(t, 60, 0, 0), 3, 2), mean, analyzetest.Cast{Conductor: "s2"}, ws.Withheld, "too few persons or institutions"},
		// a level at s0, s1 and s2 alone
		{"a level at three", rareAt(t, 3), levels, analyzetest.Cast{}, ws.Other, ""},
		{"a level at two sites of one and one of another", rareAt(t, 3), levels, analyzetest.Cast{Institutions: two}, ws.Withheld, "seldom"},
		// the person of whom all would hear is at s1
		{"one person at a site that does not speak", spread(people(t, 90, 0, 1e4), 4, 0), mean, analyzetest.Cast{Institutions: two}, ws.Withheld, "one person"},
		{"one person at the conductor's", spread(people(t, 90, 0, 1e4), 4, 0), mean, analyzetest.Cast{Conductor: "s1"}, ws.Withheld, "one person"},
		{"a level at the conductor and two others", rareAt(t, 3), levels, analyzetest.Cast{Conductor: "s0"}, ws.Withheld, "seldom"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			results, err := analyzetest.PlayCast(t, catalog, c.study, c.parts, policy.Default(), c.cast)
			if c.want == ws.Other {
				if err != nil || results == nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if err == nil || ws.KindOf(err) != c.want || results != nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v of kind %v, want kind %v that says %q", err, ws.KindOf(err), c.want, c.says)
			}
		})
	}
}

// Of k = 50 persons the conductor may have 15.
func TestLimits_ConductorsPersons(t *testing.T) {
	pol := policy.Default()
	cast := analyzetest.Cast{Conductor: "s3"}
	mean := ask(study.Analysis{Method: "describe", Variables: []string{"x"}})
	for n, want := range map[int64]ws.Kind{50: ws.Other, 61: ws.Withheld} {
		pol.MinCell = n
		_, err := analyzetest.PlayCast(t, catalog, mean, spread(people(t, 60, 0, 0), 4, 0), pol, cast)
		if (err != nil) != (want != ws.Other) || ws.KindOf(err) != want {
			t.Errorf("sixty persons under a limit of %d: %v", n, err)
		}
	}
}

// rareAt has six sites of 30 persons each, of whom the first few sites have ten
// each with the rare level.
func rareAt(t *testing.T, few int) map[ws.SiteID]frame.Source {
	t.Helper()
	out := map[ws.SiteID]frame.Source{}
	for s := range 6 {
		n := 0
		if s < few {
			n = 10
		}
		out[ws.SiteID(fmt.Sprintf("s%d", s))] = people(t, 30, n, 0)
	}
	return out
}

// A number of missing rows, and a mean that counts, are judged as counts.
func TestLimits_Hidden(t *testing.T) {
	n := 300
	m, b, g := make([]float64, n), make([]float64, n), make([]int32, n)
	for i := range n {
		m[i], g[i] = float64(i%50), int32(i%3)
		if i%3 != 1 && i/12%2 == 0 || i == 1 { // half of the first group and of the third, one of the second
			b[i] = 1
		}
	}
	m[7] = math.NaN()
	d := frame.Dictionary{{Name: "m", Type: frame.Real, Min: 0, Max: 50}, {Name: "b", Type: frame.Integer, Min: 0, Max: 1},
		{Name: "g", Type: frame.Factor, Levels: []string{"p", "q", "r"}}}
	rows, err := table.New(d, []frame.Values{{Real: m}, {Real: b}, {Code: g}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := analyzetest.Play(t, catalog, ask(study.Analysis{Method: "describe", Variables: []string{"m"}},
		study.Analysis{Method: "describe", Variables: []string{"b"}, By: "g"}), spread(rows, 4, 0), policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	if x := got[0].Tidy[0].Float("missing"); !math.IsNaN(x) || got[0].Glance.Float("nobs") != 299 {
		t.Errorf("missing = %v, nobs = %v: one missing row is told", x, got[0].Glance.Float("nobs"))
	}
	for _, r := range got[1].Tidy {
		if r.Text("by") == "q" {
			t.Errorf("the group with one person is shown: %v", r)
		}
	}
	if len(got[1].Tidy) != 1 || got[1].Tidy[0].Text("by") != "r" {
		t.Errorf("shown: %v; of p and q, one would give the other away", got[1].Tidy)
	}
}
