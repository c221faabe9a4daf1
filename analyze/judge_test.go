package analyze_test

import (
	"fmt"
	"math"
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

var judged = analyze.Catalog{describe.Describe(), compare.TTest(), compare.Crosstab(), glm.Method()}

// A ward is 240 persons: x and z vary smoothly, g and h halve them crosswise,
// ill has half of them, and few names how many of the second half of g have
// what a test gives to few.
type ward struct {
	x, z, w, ill, seldom []float64
	g, h, sick           []int32
}

func newWard(few int) *ward {
	n := 240
	w := &ward{x: make([]float64, n), z: make([]float64, n), w: make([]float64, n), ill: make([]float64, n),
		seldom: make([]float64, n), g: make([]int32, n), h: make([]int32, n), sick: make([]int32, n)}
	for i := range n {
		w.x[i], w.z[i], w.w[i] = float64(i*37%101), float64(i*53%97), 1+float64(i%3)
		w.g[i], w.h[i] = int32(i%2), int32(i/2%2)
		w.ill[i], w.sick[i] = float64(i/4%2), int32(i/4%2)
		if i%2 == 0 {
			w.seldom[i] = float64(i / 2 % 2) // half of g = a
		} else if i/2 < few {
			w.seldom[i] = 1 // few of g = b
		}
	}
	return w
}

func (w *ward) table(t *testing.T) *table.Table {
	t.Helper()
	d := frame.Dictionary{
		{Name: "x", Type: frame.Real, Min: 0, Max: 1e6}, {Name: "z", Type: frame.Real, Min: 0, Max: 1e6},
		{Name: "w", Type: frame.Real, Min: 0, Max: 1e6},
		{Name: "ill", Type: frame.Integer, Min: 0, Max: 1}, {Name: "seldom", Type: frame.Integer, Min: 0, Max: 1},
		{Name: "g", Type: frame.Factor, Levels: []string{"a", "b"}}, {Name: "h", Type: frame.Factor, Levels: []string{"p", "q"}},
		{Name: "sick", Type: frame.Factor, Levels: []string{"no", "yes"}},
		{Name: "change", Type: frame.Real, Min: -5, Max: 1e6},
	}
	change := make([]float64, len(w.x))
	for i := range change {
		change[i] = float64(i % 7)
	}
	out, err := table.New(d, []frame.Values{{Real: w.x}, {Real: w.z}, {Real: w.w}, {Real: w.ill}, {Real: w.seldom},
		{Code: w.g}, {Code: w.h}, {Code: w.sick}, {Real: change}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What an answer would tell of few persons is judged before it is computed,
// alike for every partition and for the pooled table.
func TestJudge(t *testing.T) {
	model := func(formula, family string) study.Analysis {
		return study.Analysis{Method: "glm", Formula: formula, Family: family}
	}
	weighted := model("z ~ x", "gaussian")
	weighted.Weights = "w"
	cases := []struct {
		name   string
		change func(*ward)
		few    int
		ask    study.Analysis
		says   string // "" for an answer
	}{
		{"crossed factors", nil, 0, model("z ~ g * h", "gaussian"), ""},
		{"crossed factors of which few meet", func(w *ward) { pour(w, 9) }, 0, model("z ~ g * h", "gaussian"), "below the cell limit"},
		{"crossed factors of which enough meet", func(w *ward) { pour(w, 12) }, 0, model("ill ~ g * h", "binomial"), "below the cell limit|two values"},
		{"crossed factors of which enough meet, and vary", func(w *ward) { pour(w, 45) }, 0, model("ill ~ g * h", "binomial"), ""},
		{"crossed factors of which none meet", func(w *ward) { pour(w, 0) }, 0, model("z ~ g * h", "gaussian"), "below the cell limit"},
		{"a slope within a level", nil, 0, model("z ~ x * g", "gaussian"), ""},
		{"a slope that one person of a level carries", func(w *ward) { w.x[1] = 400 }, 0, model("z ~ x * g", "gaussian"), "one person"},
		{"a product that one person carries", func(w *ward) { w.x[5], w.z[5] = 170, 170 }, 0, model("ill ~ x:z", "gaussian"), "one person"},
		{"the sum that it does not carry", func(w *ward) { w.x[5], w.z[5] = 170, 170 }, 0, model("ill ~ x + z", "gaussian"), ""},
		{"weights that one person carries", func(w *ward) { w.w[5] = 60 }, 0, weighted, "one person"},
		{"a group's share of ones", nil, 30, study.Analysis{Method: "ttest", Formula: "seldom ~ g"}, ""},
		{"a group's few ones", nil, 9, study.Analysis{Method: "ttest", Formula: "seldom ~ g"}, "two values"},
		{"the same, by a linear model", nil, 9, model("seldom ~ g", "gaussian"), "two values"},
		{"the same, by a Poisson model", nil, 9, model("seldom ~ g", "poisson"), "two values"},
		{"the same, by a logistic model", nil, 9, model("seldom ~ g", "binomial"), "two values"},
		{"the same, doubled and moved", nil, 9, study.Analysis{Method: "ttest", Formula: "I(2 * seldom + 5) ~ g"}, "two values"},
		{"the same, under noise that is known", nil, 9, study.Analysis{Method: "ttest", Formula: "I(seldom + x) ~ g"}, "two values"},
		{"the same, as a factor", func(w *ward) { w.fewSick(9) }, 0, model("sick ~ g", "binomial"), "below the cell limit"},
		{"a group's few ones beside a number", nil, 9, model("seldom ~ g + x", "binomial"), ""},
		{"a window that few are in", nil, 0, study.Analysis{Method: "ttest", Formula: "I(z + 1 / (1 + 1000000 * (x - 37)^2)) ~ g"}, "one person|two values"},
		{"a response that may be negative", nil, 0, model("change ~ x", "poisson"), "no place for"},
		{"a log of what may be 0", nil, 0, study.Analysis{Method: "glm", Formula: "ill ~ x", Family: "gaussian", Link: "log"}, "no place for"},
		{"a share without trials", nil, 0, model("I(ill / 2) ~ x", "binomial"), "no place for"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWard(c.few)
			if c.change != nil {
				c.change(w)
			}
			rows := w.table(t)
			for _, parts := range []map[ws.SiteID]frame.Source{spread(rows, 3, 0), spread(rows, 5, 2), spread(rows, 7, 0)} {
				_, err := analyzetest.Play(t, judged, ask(c.ask), parts, policy.Default())
				if c.says == "" {
					if err != nil {
						t.Errorf("%d sites: refused: %v", len(parts), err)
					}
					continue
				}
				if err == nil || !says(err, c.says) {
					t.Errorf("%d sites: %v, want %q", len(parts), err, c.says)
				}
				if err != nil && strings.Contains(err.Error(), "site s") {
					t.Errorf("%v names a site", err)
				}
			}
		})
	}
}

func says(err error, any string) bool {
	for s := range strings.SplitSeq(any, "|") {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

// pour leaves n persons in g = b, h = q.
func pour(w *ward, n int) {
	for i := range w.g {
		if w.g[i] == 1 && w.h[i] == 1 {
			if n--; n < 0 {
				w.h[i] = 0
			}
		}
	}
}

func (w *ward) fewSick(n int) {
	for i := range w.sick {
		if w.g[i] == 1 {
			w.sick[i] = 0
			if n--; n >= 0 {
				w.sick[i] = 1
			}
		}
	}
}

// A group whose mean tells of few is hidden, and another with it where the
// total would give it back; the rest is shown.
func TestJudge_Describe(t *testing.T) {
	w := newWard(9)
	got, err := analyzetest.Play(t, judged, ask(study.Analysis{Method: "describe", Variables: []string{"seldom", "x"}, By: "g"}),
		spread(w.table(t), 3, 0), policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, r := range got[0].Tidy {
		shown[r.Text("variable")+" "+r.Text("by")] = true
	}
	if len(shown) != 2 || !shown["x a"] || !shown["x b"] {
		t.Errorf("shown: %v", shown)
	}
	if s := got[0].Suppressed; len(s) != 2 || s[0].Code != study.Linked && s[0].Code != study.Outcome {
		t.Errorf("suppressed: %v", s)
	}
}

// Two tables of one study that hide different parts of one factor are refused
// together, and answered alone.
func TestLinked(t *testing.T) {
	w := newWard(0)
	pour(w, 4)
	list := []study.Analysis{{Method: "describe", Variables: []string{"g"}}, {Method: "crosstab", Rows: "g", Columns: "h"}}
	if _, err := analyzetest.Play(t, judged, ask(list...), spread(w.table(t), 3, 0), policy.Default()); ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "give back") {
		t.Errorf("together: %v", err)
	}
	for _, a := range list {
		if _, err := analyzetest.Play(t, judged, ask(a), spread(w.table(t), 3, 0), policy.Default()); err != nil {
			t.Errorf("alone: %v", err)
		}
	}
}

// Two tables over the same rows that share one factor are answered together,
// each as it is alone; if they share two, or a third closes a circle, they are
// refused, as they are where rows may be missing in one.
func TestLinked_Tables(t *testing.T) {
	w := newWard(0)
	pour(w, 4)
	table := func(rows, columns, layers string) study.Analysis {
		return study.Analysis{Method: "crosstab", Rows: rows, Columns: columns, Layers: layers}
	}
	gh, gs, hs := table("g", "h", ""), table("g", "sick", ""), table("h", "sick", "")
	over := []string{"g", "h", "sick"}
	play := func(list ...study.Analysis) ([]study.Result, error) {
		s := ask(list...)
		s.Data.CompleteOver = over
		return analyzetest.Play(t, judged, s, spread(w.table(t), 3, 0), policy.Default())
	}
	both, err := play(gh, gs)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range []study.Analysis{gh, gs} {
		alone, err := play(a)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(both[i].Tidy, both[i].Audit) != fmt.Sprint(alone[0].Tidy, alone[0].Audit) {
			t.Errorf("together %v, alone %v", both[i], alone[0])
		}
	}
	if len(both[0].Audit) == 0 {
		t.Error("nothing was hidden, so nothing is tried")
	}
	for name, list := range map[string][]study.Analysis{
		"a table and its face":  {gh, table("g", "h", "sick")},
		"a table on its side":   {gh, table("h", "g", "")},
		"a circle":              {gh, gs, hs},
		"a circle with a model": {gh, gs, {Method: "glm", Formula: "z ~ h * sick"}},
	} {
		if _, err := play(list...); ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "give back") {
			t.Errorf("%s: %v", name, err)
		}
	}
	over = nil
	for _, sick := range []int32{w.sick[7], -1} {
		w.sick[7] = sick
		if _, err := play(gh, gs); ws.KindOf(err) != ws.Withheld {
			t.Errorf("a row may be missing in one, and is (%v): %v", sick < 0, err)
		}
	}
}

// Two answers whose difference is a few persons', or their number, are not both
// given; each alone is, and both where enough persons lie between.
func TestNeighbours(t *testing.T) {
	age := study.Analysis{Method: "describe", Variables: []string{"z"}}
	model := study.Analysis{Method: "glm", Formula: "z ~ x", Family: "gaussian"}
	offset := study.Analysis{Method: "glm", Formula: "z ~ 1 + offset(0 * x)", Family: "gaussian"}
	weighted := study.Analysis{Method: "glm", Formula: "z ~ 1", Family: "gaussian", Weights: "w"}
	bins := func(n int) study.Analysis { a := age; a.Bins = n; return a }
	missing := func(n int) func(*ward) {
		return func(w *ward) {
			for i := range n {
				w.x[5+7*i] = math.NaN()
			}
		}
	}
	zeros := func(n int) func(*ward) {
		return func(w *ward) {
			for i := range n {
				w.w[5+7*i] = 0
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*ward)
		says   string // "" for an answer
		asked  []study.Analysis
	}{
		{"all complete", missing(0), "", []study.Analysis{age, model}},
		{"one is missing", missing(1), "rows that differ", []study.Analysis{age, model}},
		{"one is missing, alone", missing(1), "", []study.Analysis{model}},
		{"one is missing, on nothing shared", missing(1), "", []study.Analysis{{Method: "describe", Variables: []string{"w"}}, model}},
		{"nine are missing", missing(9), "rows that differ", []study.Analysis{offset, age}},
		{"ten are missing", missing(10), "", []study.Analysis{age, offset}},
		{"no weight is zero, as far as it is known", zeros(0), "weight of zero", []study.Analysis{weighted}},
		{"a weight is zero", zeros(1), "weight of zero", []study.Analysis{weighted}},
		{"ten weights are zero", zeros(10), "", []study.Analysis{weighted}},
		{"one histogram", missing(0), "", []study.Analysis{bins(6)}},
		{"one histogram twice", missing(0), "", []study.Analysis{bins(6), bins(6)}},
	} {
		w := newWard(0)
		c.change(w)
		_, err := analyzetest.Play(t, judged, ask(c.asked...), spread(w.table(t), 4, 0), policy.Default())
		if c.says == "" && err != nil {
			t.Errorf("%s: refused: %v", c.name, err)
		}
		if c.says != "" && (ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.name, err)
		}
		free := policy.Default()
		free.MinCell, free.MaxInfluence, free.MaxShare = 1, 1, 1
		if _, err := analyzetest.Play(t, judged, ask(c.asked...), spread(w.table(t), 4, 0), free); err != nil {
			t.Errorf("%s: refused where no limit holds: %v", c.name, err)
		}
	}
	if _, err := analyzetest.Play(t, judged, where("w > 0", weighted), spread(newWard(0).table(t), 4, 0), policy.Default()); err != nil {
		t.Errorf("no weight can be zero: %v", err)
	}
}

// Three hinges tell the one person between them from all others.
func TestHinges(t *testing.T) {
	rows := spread(newWard(0).table(t), 4, 0)
	for formula, want := range map[string]string{
		"z ~ x + I(abs(x - 36)) + I(abs(x - 37)) + I(abs(x - 38))": "bends",
		"z ~ x + sqrt((x - 37)^2)":                                 "bends",
		"z ~ x + I(((x - 37)^2)^0.5)":                              "bends",
		"z ~ x + I((w + 1)^(z / 1e6))":                             "bends",
		"z ~ offset(abs(x - 37)) + g":                              "bends",
		"z ~ sqrt(x)":                                              "",
		"z ~ I((x + 1)^0.5) + abs(w)":                              "",
		"z ~ x + I(x^2)":                                           "",
	} {
		_, err := analyzetest.Play(t, judged, ask(study.Analysis{Method: "glm", Formula: formula, Family: "gaussian"}), rows, policy.Default())
		if (want == "") != (err == nil) || want != "" && (ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", formula, err)
		}
	}
}

// What a limit of k persons means for a variable of two values, and that of a
// tenth for one of many, at the edge.
func TestJudge_Edge(t *testing.T) {
	for _, c := range []struct {
		ones int
		want bool
	}{{0, false}, {1, false}, {9, false}, {10, true}, {231, false}, {230, true}, {240, false}} {
		w := newWard(0)
		for i := range w.seldom {
			w.seldom[i] = 0
			if i < c.ones {
				w.seldom[i] = 1
			}
		}
		_, err := analyzetest.Play(t, judged, ask(study.Analysis{Method: "describe", Variables: []string{"seldom"}}), spread(w.table(t), 4, 0), policy.Default())
		if (err == nil) != c.want {
			t.Errorf("%d ones of 240: %v", c.ones, err)
		}
	}
	// Of n−1 alike and one at distance d, the one carries (n−1)/n of the sum of
	// squares; of m such among many zeros each carries about 1/m.
	for _, m := range []int{9, 11} {
		w := newWard(0)
		for i := range w.x {
			w.x[i] = math.Mod(float64(i), 2) / 10
			if i < m {
				w.x[i] = 1000 + float64(i)
			}
		}
		_, err := analyzetest.Play(t, judged, ask(study.Analysis{Method: "describe", Variables: []string{"x"}}), spread(w.table(t), 4, 0), policy.Default())
		if (err == nil) != (m > 10) {
			t.Errorf("%s far out: %v", fmt.Sprint(m), err)
		}
	}
}

// One person of ten who has most of a sum lies within three standard
// deviations, and is told by the share of the sum itself, where the dictionary
// says that nothing cancels in it.
func TestJudge_Share(t *testing.T) {
	limits := policy.Default()
	limits.MaxScalars = 1e300 // of ten rows there is little to open
	for _, c := range []struct {
		name     string
		most     float64
		min, max float64
		says     string // "" for an answer
	}{
		{"most of a sum", 60, 0, 1e4, "one person"},
		{"a little more than half", 37, 0, 1e4, "one person"},
		{"half", 36, 0, 1e4, ""},
		{"most of a sum that has no positive part", -60, -1e4, 0, "one person"},
		{"half of a sum that has no positive part", -36, -1e4, 0, ""},
		{"most of a variable that may change its sign", 60, -1, 1e4, ""},
	} {
		n := 10
		x := make([]float64, n)
		for i := range n {
			x[i] = math.Copysign(float64(i), c.most) // 0 to 8, and the one
		}
		x[n-1] = c.most
		rows, err := table.New(frame.Dictionary{{Name: "x", Type: frame.Real, Min: c.min, Max: c.max}}, []frame.Values{{Real: x}})
		if err != nil {
			t.Fatal(err)
		}
		mean := study.Analysis{Method: "describe", Variables: []string{"x"}}
		model := study.Analysis{Method: "glm", Formula: "x ~ 1", Family: "gaussian"}
		for _, a := range []study.Analysis{mean, model} {
			for _, parts := range []map[ws.SiteID]frame.Source{spread(rows, 3, 0), spread(rows, 4, 1)} {
				_, err := analyzetest.Play(t, judged, ask(a), parts, limits)
				if c.says == "" && err != nil || c.says != "" && (ws.KindOf(err) != ws.Withheld || !says(err, c.says)) {
					t.Errorf("%s, %s: %v", c.name, a.Method, err)
				}
			}
			lax := limits
			lax.MaxShare = 1
			if _, err := analyzetest.Play(t, judged, ask(a), spread(rows, 3, 0), lax); err != nil {
				t.Errorf("%s, %s: refused where no share is limited: %v", c.name, a.Method, err)
			}
		}
	}
}

// Under limits the sites together give what the pooled table does, which counts
// where its rows are from.
func TestPooledLimits(t *testing.T) {
	w := newWard(30)
	for i := range w.h { // the second level of h at two of four sites only
		if i%4 > 1 {
			w.h[i] = 0
		}
	}
	rows := w.table(t)
	parts := spread(rows, 4, 0)
	list := []study.Analysis{
		{Method: "describe", Variables: []string{"h"}}, {Method: "describe", Variables: []string{"x"}, By: "h"},
		{Method: "crosstab", Rows: "g", Columns: "h"}, {Method: "glm", Formula: "z ~ x + g"}, {Method: "glm", Formula: "z ~ h"},
	}
	column := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor, Levels: []string{"s0", "s1", "s2", "s3"}}
	codes := make([]int32, rows.Rows())
	for i := range codes {
		codes[i] = int32(i % 4)
	}
	pooled, err := rows.With(column, frame.Values{Code: codes})
	if err != nil {
		t.Fatal(err)
	}
	alone := policy.Default()
	alone.FewInstitutions = true
	hidden := 0
	for _, a := range list {
		got, err1 := analyzetest.Play(t, judged, ask(a), parts, policy.Default())
		want, err2 := analyzetest.Play(t, judged, ask(a), map[ws.SiteID]frame.Source{"pooled": pooled}, alone)
		if fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Errorf("%s: together %v, pooled %v", a.Method, err1, err2)
		}
		if err1 != nil {
			hidden++
			continue
		}
		hidden += len(got[0].Suppressed)
		analyzetest.Same(t, a.Method, got[0], want[0], 1e-9)
	}
	if hidden < 3 {
		t.Errorf("the limit on institutions hid %d things: the test tests little", hidden)
	}
}
