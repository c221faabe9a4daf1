package study_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/study"
)

const bmt = `# the bone-marrow-transplant patients
- {name: group, type: integer, min: 1, max: 3, levels: [1, 2, 3]}
- {name: t2, type: real, unit: d, min: 0, max: 3000}
- {name: d3, type: integer, min: 0, max: 1, levels: [0, 1]}
- {name: z1, type: integer, unit: a, min: 0, max: 80, title: {en: age, zh: 年龄}}
- {name: z9, type: factor, levels: [Ohio State, 阿尔弗雷德医院, "no"], other: true}
- {name: id, type: identifier}
`

func dictionary(t testing.TB, text string) frame.Dictionary {
	t.Helper()
	d, err := study.ParseDictionary([]byte(text), "d.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return d
}

func TestParseDictionary(t *testing.T) {
	d := dictionary(t, bmt)
	want := frame.Column{Name: "z9", Type: frame.Factor, Levels: []string{"Ohio State", "阿尔弗雷德医院", "no"}, Other: true}
	if got, _ := d.Lookup("z9"); len(d) != 6 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", d)
	}
	b, err := study.MarshalDictionary(d)
	if err != nil {
		t.Fatal(err)
	}
	if back := dictionary(t, string(b)); !reflect.DeepEqual(back, d) {
		t.Errorf("%+v\n%s", back, b)
	}
	if !strings.HasPrefix(string(b), "# The dictionary") || !strings.Contains(string(b), "字典") {
		t.Errorf("no comment in both languages:\n%s", b)
	}
}

func TestParseDictionary_Refused(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		message      string
	}{
		{"[]", 1, 1, "1 to"},
		{"name: x", 1, 1, "list is wanted"},
		{"- {name: x, type: reel, min: 0, max: 1}", 1, 19, "not one of"},
		{"- {name: x, typ: real}", 1, 13, "unknown key"},
		{"- {type: real, min: 0, max: 1}", 1, 3, "must not be empty"},
		{"- {name: x, type: real, min: 0}", 1, 3, "needs min and max"},
		{"- {name: x, type: real, min: 1, max: 0}", 1, 38, "not above"},
		{"- {name: x, type: real, min: 0, max: .inf}", 1, 38, "number is wanted"},
		{"- {name: x, type: integer, min: 0.5, max: 1}", 1, 43, "whole"},
		{"- {name: x, type: integer, min: 0, max: 9, levels: [1, a]}", 1, 52, "ascending"},
		{"- {name: x, type: integer, min: 0, max: 9, levels: [2, 1]}", 1, 52, "ascending"},
		{"- {name: x, type: integer, min: 0, max: 9, levels: [2, 0x9]}", 1, 52, "ascending"},
		{"- {name: x, type: integer, min: 0, max: 9, levels: [10]}", 1, 52, "range"},
		{"- {name: x, type: factor, min: 0, max: 9}", 1, 32, "range"},
		{"- {name: x, type: factor, levels: [a, a]}", 1, 39, "twice"},
		{"- {name: x, type: factor, levels: [a, ~]}", 1, 39, "text is wanted"},
		{"- {name: x, type: factor, levels: [\"a\\nb\"]}", 1, 36, "one line"},
		{"- {name: x, type: factor, levels: [other], other: true}", 1, 36, "by itself"},
		{"- {name: x, type: integer, min: 0, max: 9, other: true}", 1, 51, "factor"},
		{"- {name: x, type: identifier, levels: [a]}", 1, 19, "identifier"},
		{"- {name: x, type: factor}\n- {name: x, type: factor}", 2, 3, "listed twice"},
		{"- {name: x, type: factor, unit: \"" + strings.Repeat("m", 51) + "\"}", 1, 33, "more than 50"},
	} {
		_, err := study.ParseDictionary([]byte(c.text), "d.yaml")
		if at := ws.PositionOf(err); ws.KindOf(err) != ws.Invalid || at.Line != c.line || at.Column != c.column || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s\n%v at %v, want %d:%d %q", c.text, err, at, c.line, c.column, c.message)
		}
	}
}

func TestMergeDictionaries(t *testing.T) {
	merge := func(texts ...string) (frame.Dictionary, error) {
		var sites []ws.SiteID
		var ds []frame.Dictionary
		for i, text := range texts {
			sites = append(sites, ws.SiteID("s"+string(rune('1'+i))))
			ds = append(ds, dictionary(t, text))
		}
		return study.MergeDictionaries(sites, ds)
	}
	got, err := merge("[{name: x, type: integer, min: 0, max: 5, levels: [1, 3]}, {name: g, type: factor, levels: [low, high]}]",
		"[{name: g, type: factor, levels: [high, extreme], other: true}, {name: x, type: real, min: -1.5, max: 4, levels: [1.0, 2]}]")
	want := frame.Dictionary{{Name: "x", Type: frame.Real, Min: -1.5, Max: 5, Levels: []string{"1", "2", "3"}},
		{Name: "g", Type: frame.Factor, Levels: []string{"low", "high", "extreme"}, Other: true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
	got, err = merge("[{name: g, type: factor, levels: [b, a]}]", "[{name: g, type: factor, levels: [a, b, C]}]")
	if err != nil || !slices.Equal(got[0].Levels, []string{"C", "a", "b"}) {
		t.Errorf("contradicting orders: %v %+v", err, got)
	}
	for _, c := range [][]string{
		{"[{name: x, type: factor}, {name: y, type: factor}]", "[{name: x, type: factor}]", "site s2: column y"},
		{"[{name: x, type: factor}]", "[{name: x, type: factor}, {name: y, type: factor}]", "site s1: column y"},
		{"[{name: x, type: factor}]", "[{name: x, type: real, min: 0, max: 1}]", "site s2: column x: the type is real, but factor at site s1"},
		{"[{name: x, type: real, min: 0, max: 1, unit: mg/dL}]", "[{name: x, type: real, min: 0, max: 1, unit: mmol/L}]", `the unit is "mmol/L", but "mg/dL"`},
		{"[{name: x, type: real, min: 0, max: 1, unit: mg/dL}]", "[{name: x, type: real, min: 0, max: 1}]", "the unit is"},
	} {
		if _, err := merge(c[0], c[1]); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// Levels do not depend on the order of sites, and each site's order is kept
// where all orders are cut from one.
func TestMergeDictionaries_Levels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "order")
		n := rapid.IntRange(1, 5).Draw(t, "sites")
		var ds []frame.Dictionary
		var sites []ws.SiteID
		for s := range n {
			var own []string
			for _, l := range whole {
				if rapid.Bool().Draw(t, l) {
					own = append(own, l)
				}
			}
			ds = append(ds, frame.Dictionary{{Name: "g", Type: frame.Factor, Levels: own}})
			sites = append(sites, ws.SiteID("s"+string(rune('0'+s))))
		}
		merged, err := study.MergeDictionaries(sites, ds)
		if err != nil {
			t.Fatal(err)
		}
		got := merged[0].Levels
		for _, d := range ds {
			at := -1
			for _, l := range d[0].Levels {
				i := slices.Index(got, l)
				if i <= at {
					t.Fatalf("%v breaks the order of %v", got, d[0].Levels)
				}
				at = i
			}
		}
		slices.Reverse(ds)
		if again, err := study.MergeDictionaries(sites, ds); err != nil || !slices.Equal(again[0].Levels, got) {
			t.Fatalf("%v, backwards %v", got, again)
		}
	})
}

// The draft is a study that runs: it is parsed, and asks for known columns.
func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		dictionary string
		methods    string
		holds      string
	}{
		"survival": {bmt, "describe km cox", "Surv(t2, d3) ~ z9"},
		"binary":   {"[{name: case, type: integer, min: 0, max: 1}, {name: 年 龄, type: real, min: 0, max: 99}]", "describe glm", "case ~ `年 龄`"},
		"linear":   {"[{name: x, type: real, min: 0, max: 1}, {name: 1y, type: real, min: 0, max: 9}]", "describe glm", "x ~ `1y`"},
		"factors":  {"[{name: a, type: factor, levels: [x, y]}, {name: true, type: factor, levels: [x, y]}]", "crosstab", `columns: "true"`},
		"one":      {"[{name: a, type: factor}]", "describe", `["a"]`},
		"quotes":   {"[{name: 'a\"`\\b', type: integer, min: 0, max: 1}, {name: x, type: real, min: 0, max: 1}]", "describe glm", "x"},
	} {
		d := dictionary(t, c.dictionary)
		b := study.New(d, "/数据/bmt file.csv")
		s := parse(t, string(b))
		var methods []string
		for _, a := range s.All() {
			methods = append(methods, a.Method)
		}
		if got := strings.Join(methods, " "); got != c.methods || !strings.Contains(string(b), c.holds) {
			t.Errorf("%s: %s\n%s", name, got, b)
		}
		if err := compile(t, study.Schema()).Validate(loose(t, string(b))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNew_AnyDictionary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.OneOf(rapid.SampledFrom([]string{"time", "status", "d1", "t2", "y", "site"}), rapid.StringN(1, 8, -1)), 1, 8, rapid.ID[string]).Draw(t, "names")
		var d frame.Dictionary
		for _, n := range names {
			c := frame.Column{Name: n, Type: rapid.SampledFrom([]frame.Type{frame.Real, frame.Integer, frame.Factor}).Draw(t, "type")}
			if c.Type.Numeric() {
				c.Max = float64(rapid.IntRange(0, 5).Draw(t, "max"))
			} else {
				c.Levels = []string{"a", "b"}
			}
			d = append(d, c)
		}
		if study.CheckDictionary(d) != nil {
			t.Skip()
		}
		b := study.New(d, rapid.String().Draw(t, "name"))
		if _, err := study.Parse(b, "draft"); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		m, err := study.MarshalDictionary(d)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := study.ParseDictionary(m, ""); err != nil || !reflect.DeepEqual(back, d) {
			t.Fatalf("%v\n%s", err, m)
		}
	})
}

func FuzzParseDictionary(f *testing.F) {
	f.Add([]byte(bmt))
	f.Add([]byte(`[{"name":"x","type":"factor","levels":[1,"1.0",true]}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := study.ParseDictionary(b, "f")
		if err != nil {
			if ws.KindOf(err) != ws.Invalid {
				t.Fatalf("kind %v: %v", ws.KindOf(err), err)
			}
			return
		}
		m, err := study.MarshalDictionary(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(m) > study.MaxFile {
			return
		}
		back, err := study.ParseDictionary(m, "m")
		if err != nil || len(back) != len(d) {
			t.Fatalf("%v\n%s", err, m)
		}
	})
}
