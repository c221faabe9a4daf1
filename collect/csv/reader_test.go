package csv

import (
	"bytes"
	"compress/gzip"
	stdcsv "encoding/csv"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	ws "wellspring"
)

// shared finds real data beside the project.
func shared(t testing.TB, path string) string {
	t.Helper()
	root, given := os.LookupEnv("WELLSPRING_SHARED")
	if !given {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path = filepath.Join(root, "data", path)
	if _, err := os.Stat(path); err != nil {
		if given {
			t.Fatal(err)
		}
		t.Skip("real data are not here; set WELLSPRING_SHARED to their folder")
	}
	return path
}

// records reads all of a text, header first.
func records(text string, opt Options) ([][]string, error) {
	r, err := NewReader(strings.NewReader(text), "ward.csv", opt)
	if err != nil {
		return nil, err
	}
	all := [][]string{r.Header()}
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var record []string
		for _, f := range fields {
			record = append(record, string(f))
		}
		all = append(all, record)
	}
}

func encode(t *testing.T, e interface{ String(string) (string, error) }, s string) string {
	t.Helper()
	out, err := e.String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRead(t *testing.T) {
	gb := simplifiedchinese.GB18030.NewEncoder()
	for _, c := range []struct {
		name, text string
		want       [][]string
	}{
		{"plain", "a,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}},
		{"no last line end", "a,b\n1,2", [][]string{{"a", "b"}, {"1", "2"}}},
		{"CRLF", "a,b\r\n1,2\r\n", [][]string{{"a", "b"}, {"1", "2"}}},
		{"BOM", "\uFEFFa,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}},
		{"BOM, then quotes", "\uFEFF\"a\",\"b\"\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}},
		{"semicolons", "a;b\n1,5;2\n", [][]string{{"a", "b"}, {"1,5", "2"}}},
		{"tabs", "a\tb, c\n1\t\n", [][]string{{"a", "b, c"}, {"1", ""}}},
		{"one column", "a\n1\n\n2\n", [][]string{{"a"}, {"1"}, {"2"}}},
		{"empty lines", "\n\na,b\n\n1,2\n\n\n", [][]string{{"a", "b"}, {"1", "2"}}},
		{"header only", "a,b\n", [][]string{{"a", "b"}}},
		{"names trimmed", ", LAB_TSC ,b\t\n1,2,3\n", [][]string{{"X", "LAB_TSC", "b"}, {"1", "2", "3"}}},
		{"quotes", "\"a\",b\n\"x, \"\"y\"\"\",\"\"\n", [][]string{{"a", "b"}, {"x, \"y\"", ""}}},
		{"quoted lines", "a,b\n\"x\r\n\r\ny\",2\n", [][]string{{"a", "b"}, {"x\n\ny", "2"}}},
		{"spaces are kept", "a,b\n x ,purple \n", [][]string{{"a", "b"}, {" x ", "purple "}}},
		{"delimiter within quotes", "\"a;b;c\",d\n1,2\n", [][]string{{"a;b;c", "d"}, {"1", "2"}}},
		{"semicolon against comma", "age, years;b\n1;2\n", [][]string{{"age, years", "b"}, {"1", "2"}}},
		{"Chinese", "性别,诊断\n男,肺癌\n", [][]string{{"性别", "诊断"}, {"男", "肺癌"}}},
		{"GB18030", encode(t, gb, "性别,诊断\n男,肺癌\n女,€𠀀\n"), [][]string{{"性别", "诊断"}, {"男", "肺癌"}, {"女", "€𠀀"}}},
		{"GB18030 after ASCII", encode(t, gb, "sex,dx\nM,lung\n"+strings.Repeat("F,lung\n", 20000)+"F,肺癌\n"), nil},
		{"UTF-16LE", encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), "性别,b\r\n男,2\r\n"), [][]string{{"性别", "b"}, {"男", "2"}}},
		{"UTF-16BE", encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), "a,b\n1,2\n"), [][]string{{"a", "b"}, {"1", "2"}}},
		{"formulas are texts", "a,b\n=1+2,@SUM(1)\n", [][]string{{"a", "b"}, {"=1+2", "@SUM(1)"}}},
	} {
		got, err := records(c.text, Options{})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == nil:
			if last := got[len(got)-1]; len(got) != 20003 || last[1] != "肺癌" {
				t.Errorf("%s: %d records, the last %q", c.name, len(got), last)
			}
		case !reflect.DeepEqual(got, c.want):
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRead_Refused(t *testing.T) {
	const secret = "S3CRET"
	latin1 := "name,b\nM\xFCller,1\nSch\xE4fer,2\n"
	for _, c := range []struct {
		name, text string
		line       int
		says       string
	}{
		{"empty", "", 1, "empty"},
		{"empty but for a BOM", "\uFEFF", 1, "empty"},
		{"duplicate header", "a,b, a\n1,2,3\n", 1, "columns 1 and 3 have the same name"},
		{"two empty names", ",,b\n1,2,3\n", 1, "columns 1 and 2 have the same name"},
		{"one value for a name", "name," + secret + ",54,name\nx,y,2,z\n", 1, "field 3 is a number"},
		{"texts for names", secret + ",F," + secret + "\nx,y,z\n", 1, "columns 1 and 3 have the same name"},
		{"values for names", "63.0,1,,NA\n41,0,2,3\n", 1, "holds values"},
		{"name over two lines", "\"a\nb\",c\n1,2\n", 1, "column 1"},
		{"too short", "a,b\n1,2\n" + secret + "\n", 3, "1 fields where the header has 2"},
		{"too long", "a,b\n1,2," + secret + "\n", 2, "3 fields where the header has 2"},
		{"NUL", "a,b\n" + secret + ",\x005.1\n", 2, "NUL"},
		{"NUL in quotes", "a,b\n\"" + secret + "\n\x00\",2\n", 3, "NUL"},
		{"bare quote", "a,b\nx\"" + secret + ",2\n", 2, "quote stands inside"},
		{"bare quote after quotes", "a,b\n\"x\",2\"" + secret + "\n", 2, "quote stands inside"},
		{"text after quotes", "a,b\n\"x\"" + secret + ",2\n", 2, "follows the closing quote"},
		{"open quote", "a,b\n1,2\n\"" + secret + "\n3,4\n5,6\n", 3, "never closed"},
		{"stray CR", "a,b\n" + secret + "\r,2\n", 2, "carriage return"},
		{"stray CR beside quotes", "a,b\n\"x\"," + secret + "\r2\n", 2, "carriage return"},
		{"old Mac", "a,b\r1,2\r", 1, "carriage return"},
		{"bad UTF-8", "a,b\n1,\xFF\xFE\xFA" + secret + "\n", 2, "UTF-8 or GB18030"},
		{"Latin-1", latin1, 2, "UTF-8 or GB18030"},
		{"damaged UTF-8", "a,b\n男女肺癌高血压糖尿病,1\n\xE5\x90,2\n", 3, "UTF-8 or GB18030"},
		{"UTF-16 without BOM", "a\x00,\x00b\x00\n\x001\x00", 1, "NUL"},
		{"long line", "a,b\n1,2\n" + strings.Repeat("x", MaxRecord) + "\n", 3, "longer than"},
		{"long record", "a,b\n\"" + strings.Repeat(strings.Repeat("x", 1000)+"\n", 1100) + "\",2\n", 2, "longer than"},
		{"workbook", "PK\x03\x04\x14\x00", 0, "workbook"},
	} {
		_, err := records(c.text, Options{})
		at := ws.PositionOf(err)
		if ws.KindOf(err) != ws.Invalid || at.File != "ward.csv" || at.Line != c.line || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v at %+v, want line %d, %q", c.name, err, at, c.line, c.says)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error prints a value: %v", c.name, err)
		}
	}
}

func TestRead_Delimiter(t *testing.T) {
	got, err := records("a;b,c\n1;2,3\n", Options{Delimiter: ','})
	if err != nil || !reflect.DeepEqual(got, [][]string{{"a;b", "c"}, {"1;2", "3"}}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := records("a|b\n", Options{Delimiter: '|'}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestRead_Only(t *testing.T) {
	const text = "site,x\nva,1\n cleveland ,2\nva,3\n"
	got, err := records(text, Options{Only: Only{"site", "va"}})
	if err != nil || !reflect.DeepEqual(got[1:], [][]string{{"va", "1"}, {"va", "3"}}) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = records(text, Options{Only: Only{"site", "cleveland"}}); err != nil || len(got) != 2 {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := records(text, Options{Only: Only{"hospital", "va"}}); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "hospital") {
		t.Errorf("got %v", err)
	}
}

func TestMissing(t *testing.T) {
	r, err := NewReader(strings.NewReader("a\n"), "", Options{Missing: []string{"-9", " unknown", "", "缺失"}})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"": true, " \t": true, "NA": true, " NA ": true, "-9": true, "unknown": true, "缺失": true,
		"na": false, "NAN": false, "-99": false, "0": false, "缺": false} {
		if got := r.Missing([]byte(text)); got != want {
			t.Errorf("Missing(%q) = %v", text, got)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, "a,b\n1,2\n"+strings.Repeat("3,4\n", 5000))
	w.Close()
	whole, cut, text := filepath.Join(dir, "ward.csv.GZ"), filepath.Join(dir, "cut.csv.gz"), filepath.Join(dir, "text.csv.gz")
	for path, b := range map[string][]byte{whole: z.Bytes(), cut: z.Bytes()[:z.Len()-10], text: []byte("a,b\n1,2\n")} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Open(whole, Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err = r.Read(); err == nil; _, err = r.Read() {
		n++
	}
	if err != io.EOF || n != 5001 || r.Line() != 5002 || r.Close() != nil {
		t.Errorf("%d records, the last on line %d, then %v", n, r.Line(), err)
	}
	for _, path := range []string{text, filepath.Join(dir, "none.csv"), dir} {
		if _, err := Open(path, Options{}); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err = Infer([]string{cut}, Options{}); ws.KindOf(err) != ws.Invalid || ws.PositionOf(err).File != cut {
		t.Errorf("a cut file: %v", err)
	}
}

func TestRead_SharedBad(t *testing.T) {
	for name, line := range map[string]int{"bad_utf8": 2, "dup_header": 1, "empty": 1, "formula_injection": 2, "nul_bytes": 2, "ragged": 2, "unclosed_quote": 2} {
		path := shared(t, "lab-csv-derived/bad/"+name+".csv")
		_, err := Infer([]string{path}, Options{})
		if at := ws.PositionOf(err); ws.KindOf(err) != ws.Invalid || at.Line != line || at.File != path {
			t.Errorf("%s: %v at %+v, want line %d", name, err, at, line)
		}
	}
}

func TestNumber(t *testing.T) {
	comma := &Reader{delim: ';'}
	point := &Reader{delim: ','}
	for _, c := range []struct {
		r    *Reader
		text string
		x    float64
		ok   bool
	}{
		{point, "12", 12, true}, {point, " -1.5 ", -1.5, true}, {point, "+.5", 0.5, true}, {point, "5.", 5, true}, {point, "1e3", 1000, true},
		{point, "1.5E-3", 0.0015, true}, {point, "-0", 0, true}, {point, "007", 7, true}, {point, "310108199001011234", 310108199001011234, true},
		{comma, "1,5", 1.5, true}, {comma, "1.5", 1.5, true}, {comma, "-2,5e1", -25, true}, {comma, "12345678901234567,5", 12345678901234567.5, true},
		{point, "1,5", 0, false}, {comma, "1.234,5", 0, false}, {point, "", 0, false}, {point, "-", 0, false}, {point, ".", 0, false},
		{point, "NaN", 0, false}, {point, "inf", 0, false}, {point, "0x10", 0, false}, {point, "1_000", 0, false}, {point, "1e", 0, false},
		{point, "e5", 0, false}, {point, "1e999", 0, false}, {point, "1 2", 0, false}, {point, "--1", 0, false}, {point, "１", 0, false},
	} {
		if x, _, ok := c.r.number([]byte(c.text)); ok != c.ok || ok && x != c.x {
			t.Errorf("number(%q) = %v, %v", c.text, x, ok)
		}
	}
}

// On what both take for a number, number gives the bits of strconv.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0.1", "123456789012345", "-9007199254740993", "1e22", "4.9e-324", "0.000000000000001", "99999999999999.9"} {
		f.Add(s)
	}
	r := &Reader{delim: ','}
	f.Fuzz(func(t *testing.T, s string) {
		x, _, ok := r.number([]byte(s))
		if !ok {
			return
		}
		want, err := strconv.ParseFloat(strings.Trim(s, " \t"), 64)
		if err != nil || x != want {
			t.Errorf("number(%q) = %v, strconv says %v, %v", s, x, want, err)
		}
	})
}

// Whatever is read, the standard library reads the same from it.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\uFEFFa;b\r\n\"x\"\"y\";\n", "a\tb\n\"1\n2\"\t3\n", "性别,b\n\xC4\xD0,2\n", "a,a\n", "\"", "a,b\n1\x00,2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := NewReader(strings.NewReader(s), "f.csv", Options{})
		if err != nil {
			if ws.KindOf(err) != ws.Invalid {
				t.Fatalf("kind %v: %v", ws.KindOf(err), err)
			}
			return
		}
		d := stdcsv.NewReader(strings.NewReader(strings.TrimPrefix(s, "\uFEFF")))
		d.Comma, d.FieldsPerRecord = rune(r.delim), len(r.Header())
		d.Read()
		for {
			got, err := r.Read()
			if r.decoder.converted {
				return
			}
			want, wantErr := d.Read()
			if err != nil {
				if err == io.EOF && wantErr != io.EOF {
					t.Fatalf("the end, where the standard library has %q, %v", want, wantErr)
				}
				return
			}
			if wantErr != nil || !slices.EqualFunc(got, want, func(a []byte, b string) bool { return string(a) == b }) {
				t.Fatalf("got %q, want %q, %v", got, want, wantErr)
			}
		}
	})
}
