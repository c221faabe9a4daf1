package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/study"
	"wellspring/study/render"
)

var update = flag.Bool("update", false, "rewrite the golden tables and figures")

var languages = []ws.Lang{ws.English, ws.Chinese}

func document(t testing.TB) *study.Document {
	t.Helper()
	b, err := os.ReadFile("testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := study.ParseDocument(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func result(t testing.TB, id string) *study.Result {
	t.Helper()
	for _, r := range document(t).All() {
		if r.ID == id {
			return &r
		}
	}
	t.Fatalf("no result %s", id)
	return nil
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; go test -update, then look at it", name)
	}
}

func TestTable(t *testing.T) {
	for _, l := range languages {
		var b bytes.Buffer
		if err := render.Table(&b, document(t), l); err != nil {
			t.Fatal(err)
		}
		golden(t, "table."+string(l)+".txt", b.Bytes())
	}
}

// What R prints of the same numbers.
func TestTable_LikeR(t *testing.T) {
	d := &study.Document{Study: "s", StudyDigest: "sha256:0", Result: &study.Result{Method: "cox", Tidy: []study.Row{
		{{Name: "term", Value: "factor(group)2"}, {Name: "estimate", Value: -1.0905839685}, {Name: "p_value", Value: 0.00208272}},
		{{Name: "term", Value: "z1:z2"}, {Name: "estimate", Value: 0.0031512557}, {Name: "p_value", Value: 1e-20}}}}}
	var b bytes.Buffer
	if err := render.Table(&b, d, ws.English); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"factor(group)2  -1.090584", "z1:z2            0.003151", " 0.00208\n", "  <2e-16\n", " 0.3360 ", " 1.0032 "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// No name can move the cursor or hide what follows it.
func TestTable_HostileNames(t *testing.T) {
	d := &study.Document{Study: "s\x1b[2J", StudyDigest: "sha256:0", Sites: []ws.SiteID{"a\x1b"}, Result: &study.Result{Method: "x\x1b",
		Tidy:       []study.Row{{{Name: "term\x1b", Value: "a\x1b[31m\nb\u202ec"}}},
		Suppressed: []study.Suppressed{{What: "\x1b", Code: study.Few, Why: ws.T("x", "y")}}}}
	var b bytes.Buffer
	if err := render.Table(&b, d, ws.English); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("%q", b.String())
	}
}

func TestCSV(t *testing.T) {
	for _, id := range []string{"cox", "km", "logrank"} {
		var b bytes.Buffer
		if err := render.CSV(&b, result(t, id)); err != nil {
			t.Fatal(err)
		}
		golden(t, id+".csv", b.Bytes())
	}
	if err := render.CSV(io.Discard, &study.Result{Method: "km"}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("no rows: %v", err)
	}
}

// A CSV reads back as the same numbers and names.
func TestCSV_Exact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, name := rapid.Float64().Draw(t, "x"), rapid.String().Draw(t, "name")
		var b bytes.Buffer
		if err := render.CSV(&b, &study.Result{Tidy: []study.Row{{{Name: "estimate", Value: x}, {Name: "term", Value: name}}}}); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("%v, %v", records, err)
		}
		if got := records[1][0]; got != strings.ReplaceAll(name, "\r\n", "\n") || records[0][1] != "estimate" {
			t.Fatalf("%q became %q", name, got)
		}
		if got, err := strconv.ParseFloat(records[1][1], 64); math.IsInf(x, 0) != (records[1][1] == "") || err == nil && got != x {
			t.Fatalf("%v became %s", x, records[1][1])
		}
	})
}

// analyses are what the simulated study asked.
var analyses = map[string]study.Analysis{
	"km": {Formula: "Surv(days, died) ~ arm"}, "glm": {Formula: "relapse ~ arm + age + male", Family: "binomial"},
	"cox": {}, "describe": {}, "quantile": {},
}

var titles = map[ws.Lang]string{ws.English: "Simulated trial: <survival> & relapse", ws.Chinese: "模拟试验：<生存> 与复发"}

func TestSVG(t *testing.T) {
	drawn := 0
	for _, r := range document(t).All() {
		a, want := analyses[r.ID]
		if render.Drawable(&r) != want {
			t.Errorf("%s: drawable %v", r.ID, !want)
		}
		if !want {
			if err := render.SVG(io.Discard, &r, render.Options{}); ws.KindOf(err) != ws.Invalid {
				t.Errorf("%s: %v", r.ID, err)
			}
			continue
		}
		for _, l := range languages {
			var b bytes.Buffer
			if err := render.SVG(&b, &r, render.Options{Lang: l, Title: titles[l], Analysis: a}); err != nil {
				t.Fatal(err)
			}
			golden(t, r.ID+"."+string(l)+".svg", b.Bytes())
			sound(t, b.Bytes())
			drawn++
		}
	}
	if drawn != 2*len(analyses) {
		t.Errorf("%d figures drawn", drawn)
	}
}

// sound checks that a figure is well-formed, closed in itself and has words.
func sound(t interface{ Errorf(string, ...any) }, b []byte) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var words []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("not XML: %v", err)
			return
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "title", "desc":
			words = append(words, e.Name.Local)
		case "svg", "g", "rect", "line", "path", "circle", "text":
		default:
			t.Errorf("element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") || strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" {
				t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if len(words) < 2 || words[0] != "title" || words[1] != "desc" || !bytes.Contains(b, []byte(`role="img"`)) {
		t.Errorf("no title and description: %v", words)
	}
}

// The curve, as drawn, passes through R's numbers, and the table under it
// counts those whose time is not before the tick.
func TestSVG_Curve(t *testing.T) {
	row := func(time, risk, event, estimate float64) study.Row {
		return study.Row{{Name: "time", Value: time}, {Name: "n_risk", Value: risk}, {Name: "n_event", Value: event}, {Name: "n_censor", Value: 1 - event},
			{Name: "estimate", Value: estimate}, {Name: "conf_low", Value: math.NaN()}, {Name: "conf_high", Value: math.NaN()}}
	}
	r := &study.Result{Method: "km", Tidy: []study.Row{row(2, 4, 1, 0.75), row(5, 3, 0, 0.75), row(7, 2, 1, 0.375), row(10, 1, 1, 0)}}
	var b bytes.Buffer
	if err := render.SVG(&b, r, render.Options{Lang: ws.English}); err != nil {
		t.Fatal(err)
	}
	// x = 82.16 + 669.84·t/10.2, y = 438 − 340·S, from the header and the legend.
	for _, want := range []string{`d="M82.16 98H213.5V183H410.51H541.85V310.5H738.87V438"`, `>Number at risk<`, `>4</text>`, `>0%</text>`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "fill-opacity") {
		t.Error("a band without limits")
	}
}

// An interval without information ends in arrows and leaves room for others.
func TestSVG_Arrows(t *testing.T) {
	row := func(term string, estimate, half float64) study.Row {
		return study.Row{{Name: "term", Value: term}, {Name: "estimate", Value: estimate}, {Name: "conf_low", Value: estimate - half}, {Name: "conf_high", Value: estimate + half}}
	}
	for _, c := range []struct {
		half float64
		want int
	}{{40, 2}, {0.9, 0}} {
		var b bytes.Buffer
		r := &study.Result{Method: "cox", Tidy: []study.Row{row("a", 0.5, 0.6), row("b", 1, c.half), row("c", -0.8, 0.3)}}
		if err := render.SVG(&b, r, render.Options{Lang: ws.English}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "<path"); got != c.want {
			t.Errorf("half width %v: %d arrows, want %d", c.half, got, c.want)
		}
	}
}

// Whatever a document holds, a figure is sound.
func TestSVG_AnyResult(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 0, 1, -1, 1e300, 1e-300, math.MaxFloat64}))
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"km", "cox", "glm", "describe", "quantile"}).Draw(t, "method")
		fields := map[string][]string{"km": {"time", "n_risk", "n_censor", "estimate", "conf_low", "conf_high"}, "cox": {"estimate", "conf_low", "conf_high", "p_value"},
			"glm": {"estimate", "conf_low", "conf_high", "p_value"}, "describe": {"bin_low", "bin_high", "count"}, "quantile": {"prob", "quantile"}}[method]
		var rows []study.Row
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			row := study.Row{{Name: "term", Value: rapid.String().Draw(t, "term")}, {Name: "strata", Value: rapid.SampledFrom([]string{"", "a", "<b>"}).Draw(t, "strata")}}
			for _, f := range fields {
				row.Set(f, number.Draw(t, f))
			}
			rows = append(rows, row)
		}
		r := &study.Result{Method: method, Tidy: rows, Summary: rows, Glance: study.Row{{Name: "nobs", Value: number.Draw(t, "nobs")}}}
		var b bytes.Buffer
		err := render.SVG(&b, r, render.Options{Lang: rapid.SampledFrom(languages).Draw(t, "lang"), Title: rapid.String().Draw(t, "title"),
			Analysis: study.Analysis{Family: rapid.SampledFrom([]string{"binomial", "gaussian"}).Draw(t, "family"), Formula: "Surv(" + rapid.String().Draw(t, "formula")}})
		if err == nil {
			sound(t, b.Bytes())
		} else if render.Drawable(r) {
			t.Fatal(err)
		}
		d := &study.Document{Study: "s", StudyDigest: "sha256:0", Result: r}
		if err := render.Table(&b, d, ws.Chinese); err != nil {
			t.Fatal(err)
		}
	})
}

// A page has a table for each layer, one of the totals over them, and the audit.
func TestHTML_Layers(t *testing.T) {
	for _, l := range languages {
		var b bytes.Buffer
		if err := render.HTML(&b, result(t, "layers"), l); err != nil {
			t.Fatal(err)
		}
		want := map[ws.Lang][]string{
			ws.English: {": layer 0</caption>", ": layer 1</caption>", ": all layers</caption>", "what can be inferred of them from what is shown</caption>"},
			ws.Chinese: {"：层 0</caption>", "：层 1</caption>", "：各层合计</caption>", "可推断出的范围</caption>"},
		}[l]
		for _, w := range want {
			if strings.Count(b.String(), w) != 1 {
				t.Errorf("%s: %q stands %d times", l, w, strings.Count(b.String(), w))
			}
		}
		d := xml.NewDecoder(strings.NewReader("<div>" + b.String() + "</div>"))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}
