package study_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/study"
)

const head = "apiVersion: wellspring/v1\nkind: Study\nmetadata: {name: s}\ndata: {dataset: bmt}\n"

func examples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../docs/examples/*.yaml")
	if err != nil || len(paths) < len(study.Methods) {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = b
	}
	return out
}

func parse(t testing.TB, text string) *study.Study {
	t.Helper()
	s, err := study.Parse([]byte(text), "study.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return s
}

func digest(t testing.TB, s *study.Study) string {
	t.Helper()
	d, err := s.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every method has an example, which is its own JSON twin.
func TestParse_Examples(t *testing.T) {
	seen := map[string]bool{}
	for name, b := range examples(t) {
		s := parse(t, string(b))
		for _, a := range s.All() {
			seen[a.Method] = true
		}
		var loose any
		if err := yaml.Unmarshal(b, &loose); err != nil {
			t.Fatal(err)
		}
		for _, indent := range []string{"", "\t"} {
			twin, err := json.MarshalIndent(loose, "", indent)
			if err != nil {
				t.Fatal(err)
			}
			if digest(t, parse(t, string(twin))) != digest(t, s) {
				t.Errorf("%s: the JSON twin has another digest", name)
			}
		}
	}
	for _, m := range study.Methods {
		if !seen[m.Name] {
			t.Errorf("no example of %s", m.Name)
		}
	}
}

// The bytes that parties sign must not change under their feet.
func TestDigest_Golden(t *testing.T) {
	s := parse(t, head+"analysis: {method: cox, formula: 'Surv(t2, d3) ~ z1', ties: breslow}")
	b, err := s.Canonical()
	const want = `{"analysis":{"conf_level":0.95,"formula":"Surv(t2, d3) ~ z1","grid":100,"method":"cox","ties":"breslow"},` +
		`"apiVersion":"wellspring/v1","data":{"dataset":"bmt"},"kind":"Study","metadata":{"name":"s"},"purpose":{}}`
	if string(b) != want || err != nil {
		t.Errorf("canonical form\n%s, %v\nwant\n%s", b, err, want)
	}
	if got := digest(t, s); got != "sha256:587d88cefd29585a62b5b0f54a45aae085ab82f854109e509f54f7afa495fb1c" {
		t.Errorf("digest %s", got)
	}
}

func TestDigest_SameQuestion(t *testing.T) {
	want := digest(t, parse(t, head+"analysis: {method: glm, formula: y ~ x, family: binomial}"))
	for _, text := range []string{
		"# a comment\n" + head + "analysis:\n  family: binomial # another\n  formula: \"y ~ x\"\n  method: 'glm'\n",
		head + "analysis: {method: glm, formula: y ~ x, family: binomial, link: logit, conf_level: 0.950}",
		head + "analysis: {method: glm, formula: y ~ x, family: binomial, conf_level: 9.5e-1}\n---\n",
		"\xef\xbb\xbf" + strings.ReplaceAll(head, "\n", "\r\n") + "analysis: {method: glm, formula: y ~ x, family: binomial}",
	} {
		s, err := study.Parse([]byte(text), "study.yaml")
		if strings.HasSuffix(text, "---\n") {
			if err == nil {
				t.Error("a second document was read")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := digest(t, s); got != want {
			t.Errorf("%q: another digest", text)
		}
	}
	for _, text := range []string{"analysis: {method: glm, formula: y ~ x, family: binomial, link: probit}", "analysis: {method: glm, formula: y ~ x}",
		"analysis: {method: glm, formula: y ~ x, family: binomial, conf_level: 0.9}", "analyses: [{id: a, method: glm, formula: y ~ x, family: binomial}]"} {
		if digest(t, parse(t, head+text)) == want {
			t.Errorf("%s: the digest of another question", text)
		}
	}
}

// Each mistake is refused at its place, in both languages.
func TestParse_Refused(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		message      string // a part of the message
		hint         string
	}{
		{head + "analysis: {method: cox, formulla: y ~ x}", 5, 25, "unknown key", `"formula"`},
		{head + "analysis: {method: coxx, formula: y ~ x}", 5, 20, "not one of", `"cox"`},
		{head + "analysis: {method: cox, formula: y ~ x, family: binomial}", 5, 41, "takes no", ""},
		{head + "analysis: {formula: y ~ x}", 5, 11, "method is required", ""},
		{head + "analysis: {method: cox}", 5, 11, `needs "formula"`, ""},
		{head + "analysis: {method: cox, formula: y ~ x, ties: breslov}", 5, 47, "not one of", `"breslow"`},
		{head + "analysis: {method: cox, formula: y ~ x, conf_level: 95}", 5, 53, "between 0 and 1", ""},
		{head + "analysis: {method: cox, formula: y ~ x, conf_level: 0}", 5, 53, "between 0 and 1", ""},
		{head + "analysis: {method: cox, formula: y ~ x, grid: 0}", 5, 47, "from 1 to 10000", ""},
		{head + "analysis: {method: cox, formula: y ~ x, grid: 2.5}", 5, 47, "whole number", ""},
		{head + "analysis: {method: cox, formula: y ~ x, grid: 1e300}", 5, 47, "from 1 to 10000", ""},
		{head + "analysis: {method: cox, formula: y ~ x, grid: 010}", 5, 47, "number is wanted", ""},
		{head + "analysis: {method: cox, formula: y ~ x, grid: '10'}", 5, 47, "number is wanted", ""},
		{head + "analysis: {method: cox, formula: ''}", 5, 34, "must not be empty", ""},
		{head + "analysis: {method: cox, formula: }", 5, 34, "text is wanted", "quotes"},
		{head + "analysis: {method: cox, formula: [y ~ x]}", 5, 34, "text is wanted", ""},
		{head + "analysis: {method: glm, formula: y ~ x, link: logit}", 5, 47, "not one of", "family gaussian"},
		{head + "analysis: {method: quantile, variables: [z1], probs: [0.5, 1.5]}", 5, 60, "from 0 to 1", ""},
		{head + "analysis: {method: quantile, variables: [z1], probs: [.nan]}", 5, 55, "number is wanted", ""},
		{head + "analysis: {method: describe, variables: [z1, z1]}", 5, 46, "twice", ""},
		{head + "analysis: {method: describe, variables: z1}", 5, 41, "a list is wanted", "[a, b]"},
		{head + "analysis: {method: describe, variables: []}", 5, 41, "1 to 1000", ""},
		{head + "analysis: {method: ttest, formula: y ~ g, variables: [y]}", 5, 11, "either", ""},
		{head + "analysis: {method: ttest, variables: [y, z]}", 5, 38, "one variable", ""},
		{head + "analysis: {method: ttest, variables: [y], var_equal: yes}", 5, 54, "true or false", ""},
		{head + "analysis: {method: ttest, variables: [y], mu: .inf}", 5, 47, "number is wanted", ""},
		{head + "analysis: {method: chisq, rows: a, columns: a}", 5, 45, "must differ", ""},
		{head + "analysis: {method: crosstab, rows: a, columns: b, layers: b}", 5, 59, "must differ", ""},
		{head + "analysis: {method: chisq, rows: a, columns: b, layers: c}", 5, 48, "takes no", ""},
		{head + "analysis: {method: km, formula: y ~ x}\nanalyses: [{id: a, method: km, formula: y ~ x}]", 6, 11, "exclude", ""},
		{head + "analyses: [{id: a, method: km, formula: y ~ x}, {method: km, formula: y ~ x}]", 5, 49, "needs an id", ""},
		{head + "analyses: [{id: a, method: km, formula: y ~ x}, {id: a, method: km, formula: y ~ x}]", 5, 54, "given twice", ""},
		{head + "analyses: []", 5, 11, "1 to 100", ""},
		{head, 1, 1, "asks nothing", ""},
		{"", 0, 0, "empty", ""},
		{"[1]", 1, 1, "keys with values", ""},
		{"apiVersion: [", 1, 0, "not valid YAML", "indentation"},
		{strings.Replace(head, "v1", "v2", 1) + "analysis: {method: km, formula: y ~ x}", 1, 13, "wellspring/v1 only", ""},
		{strings.Replace(head, "Study", "Studie", 1) + "analysis: {method: km, formula: y ~ x}", 2, 7, "kind of a study", ""},
		{strings.Replace(head, "name: s", "name: a b", 1) + "analysis: {method: km, formula: y ~ x}", 3, 18, "1 to 64", ""},
		{strings.Replace(head, "name: s", "name: s, title: {fr: x}", 1), 3, 29, "unknown key", ""},
		{strings.Replace(head, "name: s", "name: 2024", 1), 3, 18, "text is wanted", "quotes"},
		{strings.Replace(head, "bmt", "a/b", 1) + "analysis: {method: km, formula: y ~ x}", 4, 17, "1 to 64", ""},
		{head + "purpose: {duo: [DUO:0000037, DUO:9999999]}\nanalysis: {method: km, formula: y ~ x}", 5, 30, "DUO has no term DUO:9999999", "general research use"},
		{head + "purpose: {duo: [DUO:0000037, DUO:37]}\nanalysis: {method: km, formula: y ~ x}", 5, 30, "DUO term", ""},
		{head + "kind: Study", 5, 1, "given twice", ""},
		{head + "analysis: &a {method: km, formula: y ~ x}", 5, 11, "anchors", ""},
		{head + "analysis: !!map {method: km, formula: y ~ x}", 5, 11, "tags", ""},
		{"a: &a [x]\nb: *a", 1, 1, "unknown key", ""},
		{`{"apiVersion": "wellspring/v1", "kind": "Study",` + "\n" + `  "metadata": {"名": "s"}}`, 2, 16, "unknown key", ""},
		{`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, 1, 0, "nested", ""},
		{"a: \xff", 0, 0, "UTF-8", ""},
	} {
		_, err := study.Parse([]byte(c.text), "s.yaml")
		if err == nil {
			t.Errorf("%s: accepted", c.text)
			continue
		}
		at := ws.PositionOf(err)
		if ws.KindOf(err) != ws.Invalid || at.File != "s.yaml" || at.Line != c.line || at.Column != c.column {
			t.Errorf("%s\nkind %v at %v, want %d:%d (%v)", c.text, ws.KindOf(err), at, c.line, c.column, err)
		}
		if !strings.Contains(err.Error(), c.message) || !strings.Contains(ws.HintOf(err).In(ws.English), c.hint) {
			t.Errorf("%s\n%v (%v), want %q (%q)", c.text, err, ws.HintOf(err), c.message, c.hint)
		}
		if e := err.(*ws.Error); e.In(ws.Chinese) == e.In(ws.English) {
			t.Errorf("%v: not in Chinese", err)
		}
	}
}

// A mistake within a formula is found where the file shows it.
func TestParse_FormulaPlace(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
	}{
		{head + "analysis: {method: cox, formula: y ~ x + ) }", 5, 42},
		{head + "analysis: {method: cox, formula: 'y ~ x + )'}", 5, 43},
		{head + "analysis:\n  method: cox\n  formula: \"Surv(时间, 事件) ~ x + )\"", 7, 32},
		{head + "analysis: {method: cox, formula: \"y ~ \\x78 + )\"}", 5, 34}, // an escape: the whole text
		{head + "analysis:\n  method: cox\n  formula: >\n    y ~ x + )\n", 7, 12},
	} {
		_, err := study.Parse([]byte(c.text), "s.yaml")
		if at := ws.PositionOf(err); err == nil || at.Line != c.line || at.Column != c.column || at.File != "s.yaml" {
			t.Errorf("%s\n%v at %v, want %d:%d", c.text, err, at, c.line, c.column)
		}
	}
}

func TestParse_TooLarge(t *testing.T) {
	text := head + "analysis: {method: km, formula: y ~ x}\n#"
	text += strings.Repeat("x", study.MaxFile-len(text))
	parse(t, text)
	if _, err := study.Parse([]byte(text+"x"), ""); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a file of MaxFile+1 bytes: %v", err)
	}
}

// Check holds a study that a program built to the rules of Parse.
func TestCheck(t *testing.T) {
	good := func() *study.Study { return parse(t, head+"analysis: {method: km, formula: y ~ x}") }
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*study.Study){
		"no version":      func(s *study.Study) { s.APIVersion = "" },
		"no name":         func(s *study.Study) { s.Metadata.Name = "" },
		"no dataset":      func(s *study.Study) { s.Data.Dataset = "" },
		"no question":     func(s *study.Study) { s.Analysis = nil },
		"method":          func(s *study.Study) { s.Analysis.Method = "mean" },
		"foreign field":   func(s *study.Study) { s.Analysis.Bins = 3 },
		"list":            func(s *study.Study) { s.Analysis.Method, s.Analysis.Variables = "describe", []string{} },
		"not UTF-8":       func(s *study.Study) { s.Analysis.Formula = "y ~ \xff" },
		"duplicate terms": func(s *study.Study) { s.Purpose.DUO = []ws.Purpose{"DUO:0000037", "DUO:0000037"} },
		"title":           func(s *study.Study) { s.Metadata.Title = map[ws.Lang]string{ws.Chinese: "\x00"} },
		"id":              func(s *study.Study) { s.Analysis.ID = "../x" },
		"where":           func(s *study.Study) { s.Data.Where = strings.Repeat("x", 10001) },
	} {
		s := good()
		spoil(s)
		if err := s.Check(); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Digest(); err == nil {
			t.Errorf("%s: has a digest", name)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	s := parse(t, head+"analysis: {method: glm, formula: y ~ x, family: poisson}")
	d := s.WithDefaults()
	if d.Analysis.Link != "log" || d.Analysis.ConfLevel != 0.95 || s.Analysis.Link != "" {
		t.Errorf("defaults %+v of %+v", d.Analysis, s.Analysis)
	}
	if again := d.WithDefaults(); !reflect.DeepEqual(again, d) {
		t.Errorf("defaults of defaults: %+v", again)
	}
	q := parse(t, head+"analysis: {method: quantile, variables: [x]}").WithDefaults()
	q.Analysis.Probs[0] = 9
	if m, _ := study.MethodNamed("quantile"); m.Default.Probs[0] == 9 {
		t.Error("defaults are shared with the table of methods")
	}
	c := parse(t, head+"analysis: {method: chisq, rows: a, columns: b, correct: false}").WithDefaults()
	if *c.Analysis.Correct {
		t.Error("an explicit false was overwritten")
	}
}

// A study that Check accepts can be written as JSON and read back.
func TestParse_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[\p{L}\p{N}][\p{L}\p{N}._-]{0,9}`)
		text := rapid.StringN(1, 20, 100)
		s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: name.Draw(t, "name")},
			Data: study.Data{Dataset: ws.Dataset(name.Draw(t, "dataset")), Where: text.Draw(t, "where")}}
		s.Analysis = &study.Analysis{Method: "quantile", Variables: rapid.SliceOfNDistinct(text, 1, 4, rapid.ID[string]).Draw(t, "variables"),
			Probs: rapid.SliceOfNDistinct(rapid.Float64Range(0, 1), 1, 5, rapid.ID[float64]).Draw(t, "probs")}
		if s.Check() != nil {
			t.Skip()
		}
		b, err := s.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		back, err := study.Parse(b, "canonical")
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := back.Canonical(); string(again) != string(b) {
			t.Fatalf("%s\n%s", b, again)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, b := range examples(f) {
		f.Add(b)
	}
	f.Add([]byte(head + "analysis: &a {method: *a}"))
	f.Add([]byte(`{"apiVersion":"wellspring\/v1","kind":"Study","metadata":{"name":"\ud83d\ude00"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := study.Parse(b, "f")
		if err != nil {
			if ws.KindOf(err) != ws.Invalid {
				t.Fatalf("kind %v: %v", ws.KindOf(err), err)
			}
			return
		}
		c, err := s.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		back, err := study.Parse(c, "c")
		if err != nil {
			t.Fatalf("%v\n%s", err, c)
		}
		if again, _ := back.Canonical(); string(again) != string(c) {
			t.Fatalf("%s\n%s", c, again)
		}
	})
}
