package csv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/draft"
)

// files writes texts to files of their own and returns their paths.
func files(t testing.TB, texts ...string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, text := range texts {
		path := filepath.Join(dir, fmt.Sprintf("site%d.csv", i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// oneColumn makes a file of a column v whose rows value gives.
func oneColumn(rows int, value func(i int) string) string {
	var b strings.Builder
	b.WriteString("n,v\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%s\n", i%7, value(i))
	}
	return b.String()
}

func inferred(t *testing.T, opt Options, texts ...string) frame.Column {
	t.Helper()
	d, err := Infer(files(t, texts...), opt)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := d.Lookup("v")
	if !ok {
		t.Fatalf("no column v in %+v", d)
	}
	return c
}

func TestInfer_Column(t *testing.T) {
	open := Options{Public: true}
	k3 := Options{MinCell: 3}
	of := func(values ...string) func(int) string { return func(i int) string { return values[i%len(values)] } }
	levels := func(n int, form string) []string {
		var l []string
		for i := range n {
			l = append(l, fmt.Sprintf(form, i))
		}
		return l
	}
	for _, c := range []struct {
		name string
		opt  Options
		rows int
		of   func(int) string
		want frame.Column
	}{
		{"0/1", k3, 30, of("0", "1"), frame.Column{Type: frame.Integer, Min: 0, Max: 1, Levels: []string{"0", "1"}}},
		{"0 alone", k3, 30, of("0"), frame.Column{Type: frame.Integer, Min: 0, Max: 1, Levels: []string{"0"}}},
		{"1/2", k3, 30, of("1", "2", "NA"), frame.Column{Type: frame.Integer, Min: 1, Max: 2, Levels: []string{"1", "2"}}},
		{"a rare code is no level", k3, 31, func(i int) string { return []string{"1", "2", "1", "3"}[max(i%2, i/10)] },
			frame.Column{Type: frame.Integer, Min: 1, Max: 3, Levels: []string{"1", "2"}}},
		{"codes", k3, 60, of("3", "6", "7"), frame.Column{Type: frame.Integer, Min: 3, Max: 7, Levels: []string{"3", "6", "7"}}},
		{"an extreme of one row", k3, 61, func(i int) string { return []string{"40", "50", "60", "93"}[i/20] },
			frame.Column{Type: frame.Integer, Min: 40, Max: 95, Levels: []string{"40", "50", "60"}}},
		{"the same, public", open, 61, func(i int) string { return []string{"40", "50", "60", "93"}[i/20] },
			frame.Column{Type: frame.Integer, Min: 40, Max: 93, Levels: []string{"40", "50", "60", "93"}}},
		{"many integers", k3, 100, func(i int) string { return fmt.Sprint(103 + 3*(i*37%100)) }, frame.Column{Type: frame.Integer, Min: 100, Max: 400}},
		{"reals", k3, 100, func(i int) string { return fmt.Sprint(-2.6 + float64(i)*0.09) }, frame.Column{Type: frame.Real, Min: -3, Max: 6.5}},
		{"few reals", k3, 100, of("0.5", "1.5"), frame.Column{Type: frame.Real, Min: 0.5, Max: 1.5}},
		{"no value", k3, 50, of("", "NA"), frame.Column{Type: frame.Real}},
		{"text", k3, 60, of("M", "F"), frame.Column{Type: frame.Factor, Levels: []string{"F", "M"}}},
		{"Chinese, spaces", k3, 60, of("肺癌", "Lev 5FU", "purple "), frame.Column{Type: frame.Factor, Levels: []string{"Lev 5FU", "purple ", "肺癌"}}},
		{"rare levels", k3, 62, func(i int) string { return []string{"b", "a", "c", "d"}[i/20] }, frame.Column{Type: frame.Factor, Levels: []string{"a", "b", "c"}, Other: true}},
		{"a level named other", k3, 62, func(i int) string { return []string{"other", "a", "c", "d"}[i/20] }, frame.Column{Type: frame.Factor, Levels: []string{"a", "c"}, Other: true}},
		{"numbers and a text", k3, 60, of("1", "2", "unknown"), frame.Column{Type: frame.Factor, Levels: []string{"1", "2", "unknown"}}},
		{"padded codes", k3, 60, of("01", "02"), frame.Column{Type: frame.Factor, Levels: []string{"01", "02"}}},
		{"40 texts", k3, 400, of(levels(40, "t%02d")...), frame.Column{Type: frame.Factor, Levels: levels(40, "t%02d")}},
		{"41 texts", k3, 410, of(levels(41, "t%02d")...), frame.Column{Type: frame.Identifier}},
		{"41 texts, public", open, 410, of(levels(41, "t%02d")...), frame.Column{Type: frame.Factor, Levels: levels(41, "t%02d")}},
		{"names, public", open, 300, func(i int) string { return fmt.Sprintf("name %d", i) }, frame.Column{Type: frame.Identifier}},
		{"names, few", k3, 20, func(i int) string { return fmt.Sprintf("name %d", i) }, frame.Column{Type: frame.Identifier}},
		{"too many, public", open, 4000, func(i int) string { return fmt.Sprintf("name %d", i/2) }, frame.Column{Type: frame.Identifier}},
		{"long texts", k3, 60, func(i int) string { return strings.Repeat("x", 201+i) }, frame.Column{Type: frame.Identifier}},
		{"15 digits", k3, 300, func(i int) string { return fmt.Sprint(310108199001011 + i) }, frame.Column{Type: frame.Identifier}},
		{"15 digits, repeated", k3, 300, func(i int) string { return fmt.Sprint(310108199001011 + i/10) }, frame.Column{Type: frame.Identifier}},
		{"15 digits, public", open, 300, func(i int) string { return fmt.Sprint(310108199001011 + i) }, frame.Column{Type: frame.Identifier}},
		{"15 digits as Excel writes", k3, 300, of("3.10108E+14"), frame.Column{Type: frame.Identifier}},
		{"18 digits", k3, 300, func(i int) string { return fmt.Sprint(310108199001011234 + i) }, frame.Column{Type: frame.Identifier}},
		{"18 digits, X", k3, 300, func(i int) string { return fmt.Sprintf("31010819900101%03dX", i) }, frame.Column{Type: frame.Identifier}},
		{"11 digits", k3, 300, func(i int) string { return fmt.Sprint(13800000000 + i) }, frame.Column{Type: frame.Identifier}},
		{"11 digits, few rows", k3, 20, func(i int) string { return fmt.Sprint(13800000000 + i) }, frame.Column{Type: frame.Identifier}},
		{"9 digits, many", k3, 300, func(i int) string { return fmt.Sprint(100000000 + 1000000*(i*37%300)) }, frame.Column{Type: frame.Integer, Min: 100000000, Max: 400000000}},
		{"rising", k3, 100, func(i int) string { return fmt.Sprint(103 + i*i) }, frame.Column{Type: frame.Identifier}},
		{"rising, 40 rows", k3, 40, func(i int) string { return fmt.Sprint(100 + 10*i) }, frame.Column{Type: frame.Integer, Min: 100, Max: 500}},
		{"rising, public", open, 100, func(i int) string { return fmt.Sprint(100 + 3*i) }, frame.Column{Type: frame.Integer, Min: 100, Max: 400}},
		{"rising, but for one", k3, 100, func(i int) string { return fmt.Sprint(100 + 3*max(i, 1)) }, frame.Column{Type: frame.Integer, Min: 100, Max: 400}},
		{"counting, in no order", k3, 100, func(i int) string { return fmt.Sprint(100000 + i*37%100) }, frame.Column{Type: frame.Identifier}},
		{"counting, one twice", k3, 100, func(i int) string { return fmt.Sprint(100000 + max(1, i*37%100)) }, frame.Column{Type: frame.Integer, Min: 100000, Max: 100100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Name, c.want.Required = "v", c.want.Type != frame.Identifier
			for i := range c.rows {
				c.want.Required = c.want.Required && !slices.Contains([]string{"", "NA"}, c.of(i))
			}
			if got := inferred(t, c.opt, oneColumn(c.rows, c.of)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// Sites are judged together: a type holds if it does everywhere, a level counts
// its rows over all files.
func TestInfer_Joint(t *testing.T) {
	k := Options{MinCell: 10}
	rows := func(value string, n int) string { return oneColumn(n, func(int) string { return value }) }
	for _, c := range []struct {
		name  string
		texts []string
		want  frame.Column
	}{
		{"integer and real", []string{rows("1", 20), rows("2.5", 20)}, frame.Column{Name: "v", Type: frame.Real, Min: 1, Max: 2.5, Required: true}},
		{"number and text", []string{rows("1", 20), rows("x", 20)}, frame.Column{Name: "v", Type: frame.Factor, Levels: []string{"1", "x"}, Required: true}},
		{"no value at one site", []string{rows("NA", 20), rows("2", 20)}, frame.Column{Name: "v", Type: frame.Integer, Min: 1, Max: 2, Levels: []string{"2"}}},
		{"no rows at one site", []string{"v,n\n", rows("x", 20)}, frame.Column{Name: "v", Type: frame.Factor, Levels: []string{"x"}, Required: true}},
		{"a level of six and four rows", []string{rows("x", 6), rows("x", 4), rows("y", 12)}, frame.Column{Name: "v", Type: frame.Factor, Levels: []string{"x", "y"}, Required: true}},
		{"a level of six and three rows", []string{rows("x", 6), rows("x", 3), rows("y", 12)}, frame.Column{Name: "v", Type: frame.Factor, Levels: []string{"y"}, Other: true, Required: true}},
		{"a level at one site alone", []string{rows("x", 20), rows("y", 20)}, frame.Column{Name: "v", Type: frame.Factor, Levels: []string{"x", "y"}, Required: true}},
	} {
		if got := inferred(t, k, c.texts...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
	nine := oneColumn(18, func(i int) string { return []string{"x", "y"}[i%2] })
	if got := inferred(t, Options{}, nine); len(got.Levels) != 0 || !got.Other {
		t.Errorf("without a limit given, levels of nine rows came in: %+v", got)
	}
}

func TestInfer_Refused(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		file  int
		says  string
	}{
		{"lacks a column", []string{"a,b\n1,2\n", "a\n1\n"}, 1, `lacks the column "b"`},
		{"has one more", []string{"a\n1\n", "a\n2\n", "a,b\n1,2\n"}, 0, `lacks the column "b", which `},
		{"another case", []string{"a\n1\n", "A\n1\n"}, 1, `lacks the column "a"`},
		{"points and commas", []string{"a;b\n1,5;x\n1.5;x\n"}, 0, `"a" mixes decimal points`},
	} {
		paths := files(t, c.texts...)
		_, err := Infer(paths, Options{})
		if ws.KindOf(err) != ws.Invalid || ws.PositionOf(err).File != paths[c.file] || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Infer(nil, Options{}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("no file: %v", err)
	}
}

func TestInfer_Marks(t *testing.T) {
	paths := files(t, "a;b\n1,5;1,x\n2,5;1.x\n", "a,b\n1.5,u\n2.5,v\n")
	d, err := Infer(paths, Options{Public: true})
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := d.Lookup("a"); a.Type != frame.Real || a.Min > 1.5 || a.Max < 2.5 || a.Max > 2.6 {
		t.Errorf("got %+v", a)
	}
}

func TestInfer_Heart(t *testing.T) {
	path := shared(t, "uci-heart/heart_4sites.csv")
	d, err := Infer([]string{path}, Options{Public: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]frame.Column{
		"target": {Name: "target", Type: frame.Integer, Required: true, Min: 0, Max: 1, Levels: []string{"0", "1"}},
		"cp":     {Name: "cp", Type: frame.Integer, Required: true, Min: 1, Max: 4, Levels: []string{"1", "2", "3", "4"}},
		"thal":   {Name: "thal", Type: frame.Integer, Min: 3, Max: 7, Levels: []string{"3", "6", "7"}},
		"chol":   {Name: "chol", Type: frame.Integer, Min: 0, Max: 650},
		"site":   {Name: "site", Type: frame.Factor, Required: true, Levels: []string{"cleveland", "hungarian", "switzerland", "va"}},
	} {
		if got, _ := d.Lookup(name); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	tab, err := ReadTable(path, d, Options{})
	if err != nil || tab.Rows() != 920 {
		t.Errorf("%v rows, %v", tab, err)
	}
}

func TestInfer_SharedFiles(t *testing.T) {
	for _, c := range []struct {
		paths []string
		rows  int
		names []string
	}{
		{[]string{"datashield-dslite/CNSIM/CNSIM1.csv", "datashield-dslite/CNSIM/CNSIM2.csv", "datashield-dslite/CNSIM/CNSIM3.csv"}, 2163 + 3088 + 4128, []string{"X", "LAB_TSC", "LAB_HDL"}},
		{[]string{"survival-r/lung.csv"}, 228, []string{"ph.ecog"}},
		{[]string{"survival-r/flchain.csv"}, 7874, []string{"chapter"}},
		{[]string{"lab-csv-derived/lab_site_A.csv.gz"}, 4000, []string{"loinc"}},
		{[]string{"lab-csv-derived/lab_site_B.csv.gz"}, 4000, []string{"病历号", "单位"}},
		{[]string{"lab-csv-derived/lab_site_C.csv.gz"}, 4000, []string{"value"}},
		{[]string{"lab-csv-derived/bad/header_only.csv"}, 0, []string{"patient_id"}},
	} {
		var paths []string
		for _, p := range c.paths {
			paths = append(paths, shared(t, p))
		}
		for _, opt := range []Options{{}, {Public: true}} {
			d, err := Infer(paths, opt)
			if err != nil {
				t.Errorf("%v: %v", c.paths, err)
				continue
			}
			for _, name := range c.names {
				if _, ok := d.Lookup(name); !ok {
					t.Errorf("%v: no column %q", c.paths, name)
				}
			}
			rows := 0
			for _, p := range paths {
				tab, err := ReadTable(p, d, Options{})
				if err != nil {
					t.Errorf("%v: its own dictionary refuses it: %v", p, err)
					continue
				}
				rows += tab.Rows()
			}
			allHidden := !slices.ContainsFunc(d, func(c frame.Column) bool { return c.Type != frame.Identifier })
			if rows != c.rows && !allHidden {
				t.Errorf("%v: %d rows, want %d", c.paths, rows, c.rows)
			}
		}
	}
}

// A long file is not read to its end for somebody who has gone.
func TestSurvey_Stopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := files(t, oneColumn(10000, strconv.Itoa))[0]
	if err := Survey(ctx, path, Options{}, draft.New(draft.Options{})); ws.KindOf(err) != ws.Stopped || !errors.Is(err, context.Canceled) {
		t.Errorf("survey: %v", err)
	}
	if _, err := Split(ctx, path, "n", Options{}); ws.KindOf(err) != ws.Stopped {
		t.Errorf("split: %v", err)
	}
}
