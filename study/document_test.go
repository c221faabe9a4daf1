package study_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/study"
)

var zeroDigest = "sha256:" + strings.Repeat("0", 64)

func documents() map[string]*study.Document {
	row := study.Row{{Name: "term", Value: "factor(组)2"}, {Name: "estimate", Value: -1.0905839685}, {Name: "std_error", Value: math.NaN()},
		{Name: "conf_low", Value: math.Inf(-1)}, {Name: "conf_high", Value: math.Inf(1)}}
	one := study.Result{Method: "cox", Tidy: []study.Row{row}, Glance: study.Row{{Name: "nobs", Value: int64(137)}, {Name: "converged", Value: true}},
		Suppressed: []study.Suppressed{{What: "level x", Code: study.Few, Why: ws.T("below the limit", "低于下限")}}, Notes: []ws.Text{ws.T("100%% of %s", "%s 的 100%%", "it")}}
	several := one
	several.ID = "model"
	curves := study.Result{ID: "curves", Method: "km", Summary: []study.Row{{{Name: "strata", Value: "组=1"}, {Name: "median", Value: 418.0}}}}
	return map[string]*study.Document{
		"one":     {Study: "s", StudyDigest: zeroDigest, Sites: []ws.SiteID{"ohio", "alfred"}, Rounds: 7, Result: &one},
		"several": {Study: "s", StudyDigest: zeroDigest, Rounds: 7, Results: []study.Result{several, curves}},
	}
}

// badDocuments are refused by ParseDocument and by the schema.
var badDocuments = []string{
	`[]`, `{}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1}`,
	`{"study":"a b","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"sha256:0","sites":[],"rounds":1,"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":["a","a"],"rounds":1,"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":-1,"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"mean","tidy":[],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"km","tidy":[{"a":[1]}],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"km","tidy":[{"":1}],"glance":{},"suppressed":[],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"km","tidy":[],"glance":{},"suppressed":[{"what":"","code":"few","why":{"en":"a","zh":"b"}}],"notes":[]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[],"more":1}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"results":[{"method":"km","tidy":[],"glance":{},"suppressed":[],"notes":[]}]}`,
	`{"study":"s","study_digest":"` + zeroDigest + `","sites":[],"rounds":1,"results":[]}`,
}

func TestParseDocument_Refused(t *testing.T) {
	for _, text := range append([]string{"", "{", `{"study":"s"} 1`, strings.Replace(badDocuments[2], "}", `,"method":"km","glance":{"a":1,"a":2}}`, 1)}, badDocuments...) {
		if _, err := study.ParseDocument([]byte(text)); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMarshalCanonical(t *testing.T) {
	b, err := study.MarshalCanonical(documents()["one"])
	want := `{"glance":{"converged":true,"nobs":137},"method":"cox","notes":[{"en":"100% of it","zh":"it 的 100%"}],"rounds":7,"sites":["ohio","alfred"],"study":"s",` +
		`"study_digest":"` + zeroDigest + `","suppressed":[{"code":"few","what":"level x","why":{"en":"below the limit","zh":"低于下限"}}],` +
		`"tidy":[{"conf_high":null,"conf_low":null,"estimate":-1.0905839685,"std_error":null,"term":"factor(组)2"}]}`
	if err != nil || string(b) != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, b, want)
	}
	d, err := study.ParseDocument(b)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range d.Tidy[0] {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "term estimate std_error conf_low conf_high" {
		t.Errorf("reading order lost: %s", got)
	}
	for name, doc := range documents() {
		b, err := study.MarshalCanonical(doc)
		if err != nil {
			t.Fatal(err)
		}
		back, err := study.ParseDocument(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := study.MarshalCanonical(back); err != nil || string(again) != string(b) {
			t.Errorf("%s: %v\n%s\n%s", name, err, b, again)
		}
	}
}

// Rows keep their reading order, and the document says what its canonical form does.
func TestMarshalReadable(t *testing.T) {
	for name, doc := range documents() {
		b, err := study.MarshalReadable(doc)
		if err != nil {
			t.Fatal(err)
		}
		row := `"tidy":[{"term":"factor(组)2","estimate":-1.0905839685,"std_error":null,"conf_low":null,"conf_high":null}]`
		if !strings.Contains(string(b), row) || strings.Contains(string(b), "\n") {
			t.Errorf("%s: %s", name, b)
		}
		back, err := study.ParseDocument(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, _ := study.MarshalCanonical(back)
		if want, err := study.MarshalCanonical(doc); err != nil || string(got) != string(want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
	if _, err := study.MarshalReadable(&study.Document{}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("no document: %v", err)
	}
}

func TestMarshalCanonical_Refused(t *testing.T) {
	for name, spoil := range map[string]func(*study.Document){
		"large integer": func(d *study.Document) { d.Glance.Set("n", int64(1)<<53+1) },
		"nested":        func(d *study.Document) { d.Glance.Set("n", []int{1}) },
		"both":          func(d *study.Document) { d.Results = []study.Result{{ID: "a", Method: "km"}} },
		"same ids": func(d *study.Document) {
			d.Result, d.Results = nil, []study.Result{{ID: "a", Method: "km"}, {ID: "a", Method: "km"}}
		},
		"id":          func(d *study.Document) { d.ID = "a b" },
		"field twice": func(d *study.Document) { d.Tidy = []study.Row{{{Name: "a", Value: 1.0}, {Name: "a", Value: 1.0}}} },
		"site":        func(d *study.Document) { d.Sites = []ws.SiteID{"a b"} },
	} {
		d := documents()["one"]
		spoil(d)
		if _, err := study.MarshalCanonical(d); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRow(t *testing.T) {
	var r study.Row
	r.Set("a", 1.5)
	r.Set("b", "x")
	r.Set("a", int64(2))
	if r.Float("a") != 2 || r.Text("b") != "x" || r.Get("c") != nil || !math.IsNaN(r.Float("b")) || r.Text("a") != "" || len(r) != 2 {
		t.Errorf("%v", r)
	}
	for text, want := range map[string]study.Row{
		`{"b":1,"a":1.0,"c":null,"d":"x","e":true}`: {{Name: "b", Value: int64(1)}, {Name: "a", Value: 1.0}, {Name: "c", Value: nil}, {Name: "d", Value: "x"}, {Name: "e", Value: true}},
		`{"a":1e2,"b":99999999999999999999}`:        {{Name: "a", Value: 100.0}, {Name: "b", Value: 1e20}},
	} {
		var got study.Row
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if f, ok := got[i].Value.(float64); ok && math.IsNaN(f) {
				got[i].Value = nil
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v", text, got)
		}
	}
	for _, text := range []string{`null`, `[]`, `{"a":[]}`, `{"a":{}}`, `{"a":1,"a":1}`, `{"a":1e999}`, `{"a":1} 2`, `{"a"`, `{"a":`, `{"a":1`} {
		if err := new(study.Row).UnmarshalJSON([]byte(text)); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Numbers survive to the last bit.
func TestRow_Exact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64().Draw(t, "x")
		d := documents()["one"]
		d.Glance = study.Row{{Name: "x", Value: x}}
		b, err := study.MarshalCanonical(d)
		if err != nil {
			t.Fatal(err)
		}
		back, err := study.ParseDocument(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := back.Glance.Float("x"); got != x && !(math.IsInf(x, 0) && math.IsNaN(got)) {
			t.Fatalf("%v became %v", x, got)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	for _, d := range documents() {
		b, err := study.MarshalCanonical(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, text := range badDocuments {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := study.ParseDocument(b)
		if err != nil {
			return
		}
		c, err := study.MarshalCanonical(d)
		if err != nil {
			t.Skip() // an integer beyond 2^53
		}
		back, err := study.ParseDocument(c)
		if err != nil {
			t.Fatalf("%v\n%s", err, c)
		}
		if again, err := study.MarshalCanonical(back); err != nil || string(again) != string(c) {
			t.Fatalf("%v\n%s\n%s", err, c, again)
		}
	})
}

func FuzzRow(f *testing.F) {
	f.Add([]byte(`{"term":"x","estimate":1.5,"n":3,"p_value":null,"ok":true}`))
	f.Add([]byte(`{"a":{"b":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r study.Row
		if err := r.UnmarshalJSON(b); err != nil {
			if ws.KindOf(err) != ws.Invalid {
				t.Fatalf("kind %v: %v", ws.KindOf(err), err)
			}
			return
		}
		c, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back study.Row
		if err := back.UnmarshalJSON(c); err != nil {
			t.Fatalf("%v: %s", err, c)
		}
		if again, _ := json.Marshal(back); string(again) != string(c) {
			t.Fatalf("%s\n%s", c, again)
		}
	})
}
