package csv

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/draft"
	"wellspring/study"

	"pgregory.net/rapid"
)

var ward = frame.Dictionary{
	{Name: "诊断", Type: frame.Factor, Levels: []string{"肺癌", "Lev 5FU", "purple "}},
	{Name: "age", Type: frame.Integer, Min: 0, Max: 120},
	{Name: "mrn", Type: frame.Identifier},
	{Name: "ward", Type: frame.Factor, Levels: []string{"1", "2.5"}, Other: true},
	{Name: "chol", Type: frame.Real, Min: 0, Max: 700},
}

func load(text string, d frame.Dictionary, opt Options) ([]frame.Batch, error) {
	r, err := NewReader(strings.NewReader(text), "ward.csv", opt)
	if err != nil {
		return nil, err
	}
	var out []frame.Batch
	for b, err := range r.Load(d) {
		if err != nil {
			return out, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestLoad(t *testing.T) {
	got, err := load("mrn;age;chol;unused;ward;诊断\n"+
		"310108199001011234;63;233,5;x;1;肺癌\n"+
		"NA;41.0; NA ;y;1,0;Lev 5FU\n"+
		"7;;-1;z;2.5;purple \n"+
		"8; 7 ;0;z;3;\n"+
		"9;8;\"1,5\";z;;\"肺癌\"\n", ward, Options{Missing: []string{"-1"}})
	if err != nil || len(got) != 1 || got[0].Rows != 5 {
		t.Fatalf("got %+v, %v", got, err)
	}
	c := got[0].Columns
	nan := math.NaN()
	if !slices.Equal(c[0].Code, []int32{0, 1, 2, -1, 0}) || !sameNumbers(c[1].Real, []float64{63, 41, nan, 7, 8}) ||
		c[2].Real != nil || c[2].Code != nil || !slices.Equal(c[3].Code, []int32{0, 0, 1, 2, -1}) ||
		!sameNumbers(c[4].Real, []float64{233.5, nan, nan, 0, 1.5}) {
		t.Errorf("got %+v", c)
	}
}

func sameNumbers(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

func TestLoad_Refused(t *testing.T) {
	const head = "诊断;age;mrn;ward;chol\n肺癌;1;1;1;1,5\n"
	for _, c := range []struct{ name, text, says string }{
		{"undeclared level", head + "胃癌;1;1;1;1\n", `"诊断" has a level that its dictionary does not declare; it declares `},
		{"level without its space", head + "purple;1;1;1;1\n", `"诊断" has a level that its dictionary does not declare; it declares `},
		{"text in a number", head + "肺癌;S3CRET;1;1;1\n", `"age" is numeric`},
		{"above the range", head + "肺癌;121;1;1;1\n", `"age": the number is outside`},
		{"below the range", head + "肺癌;1;1;1;-0,5\n", `"chol": the number is outside`},
		{"a fraction", head + "肺癌;62,5;1;1;1\n", `"age" holds integers`},
		{"infinite", head + "肺癌;1;1;1;Inf\n", `"chol" is numeric`},
		{"another mark", head + "肺癌;1;1;1;62.5\n", `"chol" mixes`},
		{"lacks a column", "诊断;age;mrn;ward\n", `lacks the column "chol"`},
		{"lacks an identifier", "诊断;age;ward;chol\n", `lacks the column "mrn"`},
	} {
		_, err := load(c.text, ward, Options{})
		at := ws.PositionOf(err)
		line := 3
		if !strings.HasPrefix(c.text, head) {
			line = 0
		}
		if ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), c.says) || at.File != "ward.csv" || at.Line != line {
			t.Errorf("%s: %v at %+v", c.name, err, at)
			continue
		}
		for _, value := range []string{"胃癌", "S3CRET", "121", "62.5", "62,5", "0.5"} {
			if strings.Contains(err.Error(), value) {
				t.Errorf("%s: the error prints a value: %v", c.name, err)
			}
		}
	}
	if _, err := load("a\n1\n", frame.Dictionary{{Name: "a", Type: "date"}}, Options{}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("an unknown type: %v", err)
	}
}

func TestLoad_Runs(t *testing.T) {
	const n = frame.RunRows + 3
	var b strings.Builder
	b.WriteString("x\n")
	for i := range n {
		fmt.Fprintf(&b, "%d\n", i)
	}
	got, err := load(b.String(), frame.Dictionary{{Name: "x", Type: frame.Integer, Max: n}}, Options{})
	if err != nil || len(got) != 2 || got[0].Rows != frame.RunRows || got[1].Rows != 3 || got[1].Columns[0].Real[2] != n-1 {
		t.Errorf("%d batches, %v", len(got), err)
	}
	got, err = load("x\n", frame.Dictionary{{Name: "x", Type: frame.Integer}}, Options{})
	if err != nil || len(got) != 0 {
		t.Errorf("an empty file gives %+v, %v", got, err)
	}
}

// What Infer drafts of some files is a sound dictionary and takes all of them in.
func TestInferThenLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.SampledFrom([]string{"", "NA", "0", "1", "2", "1.0", "01", "-3.25", "1e3", "x", "肺癌", "other", "\"a, b\"", " 7 ", "123456789012345"}),
			rapid.StringMatching(`[0-9]{1,4}(\.[0-9]{1,3})?`))
		opt := Options{Public: rapid.Bool().Draw(t, "public"), MinCell: rapid.IntRange(1, 4).Draw(t, "k")}
		var texts []string
		for range rapid.IntRange(1, 3).Draw(t, "files") {
			pool := rapid.SliceOfN(value, 1, 4).Draw(t, "pool")
			text := "v,w\n"
			for range rapid.IntRange(0, 60).Draw(t, "rows") {
				text += rapid.SampledFrom(pool).Draw(t, "v") + "," + rapid.SampledFrom(pool).Draw(t, "w") + "\n"
			}
			texts = append(texts, text)
		}
		s := draft.New(draft.Options{MinCell: opt.MinCell, Public: opt.Public})
		for _, text := range texts {
			r, err := NewReader(strings.NewReader(text), "f", opt)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.survey(context.Background(), s); err != nil {
				t.Fatal(err)
			}
		}
		d := s.Dictionary()
		if err := study.CheckDictionary(d); err != nil {
			t.Fatalf("%+v: %v", d, err)
		}
		for _, text := range texts {
			if _, err := load(text, d, opt); err != nil {
				t.Fatalf("%+v refuses %q: %v", d, text, err)
			}
		}
	})
}

func TestSplit(t *testing.T) {
	path := files(t, "x,site\n1,va\n2,北京协和\n3, cleveland\n4,va\n")[0]
	sites, err := Split(t.Context(), path, "site", Options{})
	if err != nil || !slices.Equal(sites, []ws.SiteID{"cleveland", "va", "北京协和"}) {
		t.Fatalf("got %q, %v", sites, err)
	}
	d := frame.Dictionary{{Name: "x", Type: frame.Integer, Max: 9}}
	rows := map[ws.SiteID]int{}
	for _, s := range sites {
		tab, err := ReadTable(path, d, Options{Only: Only{"site", string(s)}})
		if err != nil {
			t.Fatal(err)
		}
		rows[s] = tab.Rows()
	}
	if rows["va"] != 2 || rows["cleveland"] != 1 || rows["北京协和"] != 1 {
		t.Errorf("got %v", rows)
	}
	for _, c := range []struct {
		text, says string
		line       int
	}{
		{"x,site\n1,va\n2,\n", "names no site", 3},
		{"x,site\n1,S3CRET hospital\n", "cannot name a site", 2},
		{"x,y\n1,2\n", `lacks the column "site"`, 0},
	} {
		_, err := Split(t.Context(), files(t, c.text)[0], "site", Options{})
		if ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), c.says) || ws.PositionOf(err).Line != c.line || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%s: %v", c.says, err)
		}
	}
}

func TestSplit_Heart(t *testing.T) {
	path := shared(t, "uci-heart/heart_4sites.csv")
	d := frame.Dictionary{{Name: "target", Type: frame.Integer, Max: 1}}
	for site, want := range map[ws.SiteID]int{"cleveland": 303, "hungarian": 294, "switzerland": 123, "va": 200} {
		tab, err := ReadTable(path, d, Options{Only: Only{"site", string(site)}})
		if err != nil || tab.Rows() != want {
			t.Errorf("%s: %v, want %d rows", site, err, want)
		}
	}
}

// numericText is a file of 20 columns as a registry exports them.
func numericText(rows int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for j := range 20 {
		fmt.Fprintf(&b, "%sx%d", []string{"", ","}[min(j, 1)], j)
	}
	for range rows {
		for j := range 20 {
			b.WriteByte("\n,"[min(j, 1)])
			switch {
			case j < 4:
				fmt.Fprintf(&b, "%d", r.IntN(4))
			case j < 8:
				fmt.Fprintf(&b, "%d", r.IntN(1000))
			default:
				fmt.Fprintf(&b, "%.4f", r.NormFloat64()*100)
			}
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func benchDictionary() frame.Dictionary {
	var d frame.Dictionary
	for j := range 20 {
		d = append(d, frame.Column{Name: fmt.Sprintf("x%d", j), Type: frame.Real, Min: -1e6, Max: 1e6})
	}
	return d
}

func BenchmarkRead(b *testing.B) {
	text := numericText(50000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(text), "", Options{})
		for err == nil {
			_, err = r.Read()
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	text, d := numericText(50000), benchDictionary()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(text), "", Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range r.Load(d) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkInfer(b *testing.B) {
	path := files(b, string(numericText(50000)))
	b.SetBytes(int64(len(numericText(50000))))
	for b.Loop() {
		if _, err := Infer(path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
