package duckdb

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/draft"
)

// writeParquet writes the answer of a query to a file.
func writeParquet(t *testing.T, query, options string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "it's rows.parquet")
	in, err := start(Options{MemoryMiB: 128, Threads: 2}.config(""))
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	s, err := in.session()
	if err != nil {
		t.Fatal(err)
	}
	defer s.release()
	if err := s.exec(context.Background(), "COPY ("+query+") TO "+literal(path)+" (FORMAT parquet"+options+")"); err != nil {
		t.Fatal(err)
	}
	return path
}

// loadParquet loads a file and returns its columns.
func loadParquet(t *testing.T, d frame.Dictionary, path string) (frame.Batch, error) {
	t.Helper()
	ctx := context.Background()
	s := open(t, filepath.Join(t.TempDir(), "rows.duckdb"))
	defer s.Close()
	if err := s.LoadParquet(ctx, "p", d, path); err != nil {
		return frame.Batch{}, err
	}
	if _, err := s.Freeze(ctx, "p"); err != nil {
		t.Fatal(err)
	}
	var q frame.Query
	for _, c := range d {
		if c.Type != frame.Identifier {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	var all frame.Batch
	for b, err := range openVersion(t, s, "p", 1).Scan(ctx, q) {
		if err != nil {
			t.Fatal(err)
		}
		all = b
	}
	return all, nil
}

// Every type that a Parquet file may give a number or a level.
func TestLoadParquet(t *testing.T) {
	path := writeParquet(t, `SELECT * FROM (VALUES
		(1::TINYINT, 1.5::FLOAT, 1.25::DECIMAL(9,2), true,  '男',     3::BIGINT, 0.1::DOUBLE, DATE '2020-02-03', 'A1', 1::DOUBLE, 'x'),
		(NULL,       NULL,       NULL,               NULL,  NULL,     NULL,      NULL,        NULL,              NULL, NULL,      NULL),
		(-7,         'nan',      -0.5,               false, 'Lev 5FU',-2,        'nan',       NULL,              '',   1e21,      'y'),
		(0,          2,          0,                  true,  'it''s',  3,         100000,      DATE '2020-02-04', 'a1', 1e-7,      'z')
		) v(i, f, dec, b, sex, code, x, day, "a""b", sci, "MRN")`, "")
	d := frame.Dictionary{
		{Name: "sex", Type: frame.Factor, Levels: []string{"it's", "男"}, Other: true},
		{Name: "MRN", Type: frame.Identifier},
		{Name: "i", Type: frame.Integer, Min: -10, Max: 10},
		{Name: "f", Type: frame.Real, Max: 2},
		{Name: "dec", Type: frame.Real, Min: -1, Max: 2},
		{Name: "b", Type: frame.Integer, Max: 1},
		{Name: "code", Type: frame.Factor, Levels: []string{"-2", "3"}},
		{Name: "x", Type: frame.Factor, Levels: []string{"none", "0.1", "100000"}},
		{Name: "day", Type: frame.Factor, Levels: []string{"2020-02-03", "2020-02-04"}},
		{Name: `a"b`, Type: frame.Factor, Levels: []string{"", "A1", "a1"}},
		{Name: "sci", Type: frame.Factor, Levels: []string{frame.LevelOf(1e-7), frame.LevelOf(1e21), "1"}},
	}
	got, err := loadParquet(t, d, path)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	want := frame.Batch{Rows: 4, Columns: []frame.Values{
		{Code: []int32{1, -1, 2, 0}},
		{Real: []float64{1, nan, -7, 0}},
		{Real: []float64{1.5, nan, nan, 2}},
		{Real: []float64{1.25, nan, -0.5, 0}},
		{Real: []float64{1, nan, 0, 1}},
		{Code: []int32{1, -1, 0, 1}},
		{Code: []int32{1, -1, -1, 2}},
		{Code: []int32{0, -1, -1, 1}},
		{Code: []int32{1, -1, 0, 2}},
		{Code: []int32{2, -1, 1, 0}},
	}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// What a file of numbers and texts looks like; the draft then reads the file.
func TestSurveyParquet(t *testing.T) {
	ctx := context.Background()
	path := writeParquet(t, `SELECT 30 + i % 50 AS age, i % 2 AS ill, i % 3 = 0 AS won, 0.25 * (i % 7) AS dose, 100000000000000 + i AS card,
		['女 性', '男 性', NULL][1 + i % 3] AS sex, 'patient ' || i AS who, TIMESTAMP '2020-01-01' AS at, DATE '2020-01-01' + (i % 2)::INTEGER AS day,
		NULL::DOUBLE AS void, CASE WHEN i = 5 THEN 'nan'::DOUBLE ELSE 2.5 END AS x, (1.5 * (i % 4))::DECIMAL(9, 2) AS dec FROM range(200) r(i)`, "")
	s := draft.New(draft.Options{})
	if err := SurveyParquet(ctx, path, s); err != nil {
		t.Fatal(err)
	}
	want := map[string]frame.Column{
		"age": {Type: frame.Integer, Required: true, Min: 30, Max: 80}, "ill": {Type: frame.Integer, Required: true, Max: 1, Levels: []string{"0", "1"}},
		"won":  {Type: frame.Integer, Required: true, Max: 1, Levels: []string{"0", "1"}},
		"dose": {Type: frame.Real, Required: true, Max: 1.5}, "card": {Type: frame.Identifier},
		"sex": {Type: frame.Factor, Levels: []string{"女 性", "男 性"}}, "who": {Type: frame.Identifier}, "at": {Type: frame.Identifier},
		"day": {Type: frame.Factor, Required: true, Levels: []string{"2020-01-01", "2020-01-02"}}, "void": {Type: frame.Real},
		"x": {Type: frame.Real, Min: 2.4, Max: 2.6}, "dec": {Type: frame.Real, Required: true, Max: 4.5},
	}
	d := s.Dictionary()
	for _, c := range d {
		w := want[c.Name]
		if w.Name = c.Name; fmt.Sprint(c) != fmt.Sprint(w) {
			t.Errorf("got  %+v\nwant %+v", c, w)
		}
	}
	if len(d) != len(want) {
		t.Errorf("%d columns, want %d", len(d), len(want))
	}
	if b, err := loadParquet(t, d, path); err != nil || b.Rows != 200 {
		t.Errorf("%d rows, %v", b.Rows, err)
	}
	if err := SurveyParquet(ctx, writeParquet(t, "SELECT 1 AS age", ""), s); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), `lacks the column "ill"`) {
		t.Errorf("a file that lacks columns: %v", err)
	}
	inf := writeParquet(t, "SELECT 'inf'::DOUBLE AS x", "")
	if err := SurveyParquet(ctx, inf, draft.New(draft.Options{})); ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), "column x") {
		t.Errorf("an infinite value: %v", err)
	}
	os.WriteFile(inf, []byte("PAR1"), 0o600)
	if err := SurveyParquet(ctx, inf, draft.New(draft.Options{})); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a damaged file: %v", err)
	}
}

// Rows keep the order of the file over its row groups.
func TestLoadParquet_Order(t *testing.T) {
	const rows = 200_000
	path := writeParquet(t, fmt.Sprintf("SELECT (i * 7919 %% 100003)::INTEGER AS x FROM range(%d) r(i)", rows), ", ROW_GROUP_SIZE 4096")
	s := open(t, filepath.Join(t.TempDir(), "rows.duckdb"))
	defer s.Close()
	ctx := context.Background()
	if err := s.LoadParquet(ctx, "p", frame.Dictionary{{Name: "x", Type: frame.Integer, Max: 100003}}, path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Freeze(ctx, "p"); err != nil {
		t.Fatal(err)
	}
	i := 0
	for b, err := range openVersion(t, s, "p", 1).Scan(ctx, frame.Query{Columns: []string{"x"}}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range b.Columns[0].Real {
			if x != float64(i*7919%100003) {
				t.Fatalf("row %d is %v", i, x)
			}
			i++
		}
	}
	if i != rows {
		t.Errorf("%d rows, want %d", i, rows)
	}
}

// A file that does not hold what its dictionary says is refused by column, and
// no value of it is said.
func TestLoadParquet_Refused(t *testing.T) {
	path := writeParquet(t, `SELECT 4321.5::DOUBLE AS x, 'Li Wei 4321' AS who, [1] AS list, 4321 AS n, TIMESTAMP '2020-01-01' AS at`, "")
	for _, c := range []struct {
		column frame.Column
		says   string
	}{
		{frame.Column{Name: "y", Type: frame.Real, Max: 9999}, "column y"},
		{frame.Column{Name: "X", Type: frame.Real, Max: 9999}, "column X"},
		{frame.Column{Name: "file_row_number", Type: frame.Real, Max: 9999}, "column file_row_number"},
		{frame.Column{Name: "x", Type: frame.Integer, Max: 9999}, "column x"},
		{frame.Column{Name: "x", Type: frame.Real, Max: 10}, "column x"},
		{frame.Column{Name: "x", Type: frame.Factor, Levels: []string{"1"}}, "column x"},
		{frame.Column{Name: "n", Type: frame.Factor, Levels: []string{"1"}}, "column n"},
		{frame.Column{Name: "n", Type: frame.Factor}, "column n"},
		{frame.Column{Name: "who", Type: frame.Real, Max: 10}, "column who"},
		{frame.Column{Name: "who", Type: frame.Factor, Levels: []string{"li wei"}}, "column who"},
		{frame.Column{Name: "list", Type: frame.Real, Max: 10}, "column list"},
		{frame.Column{Name: "list", Type: frame.Factor, Levels: []string{"[1]"}}, "column list"},
		{frame.Column{Name: "at", Type: frame.Real, Max: 10}, "column at"},
	} {
		_, err := loadParquet(t, frame.Dictionary{c.column}, path)
		if ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "4321") {
			t.Errorf("%v: %v, want invalid with %q", c.column, err, c.says)
		}
	}
}

// A damaged file is an error, wherever it was cut or changed.
func TestLoadParquet_Damaged(t *testing.T) {
	path := writeParquet(t, "SELECT i::DOUBLE AS x FROM range(5000) r(i)", ", ROW_GROUP_SIZE 2048")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := frame.Dictionary{{Name: "x", Type: frame.Real, Max: 5000}}
	for _, n := range []int{0, 3, 4, 100, len(whole) / 2, len(whole) - 9, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadParquet(t, d, path); ws.KindOf(err) != ws.Invalid {
			t.Errorf("cut to %d bytes: %v, want invalid", n, err)
		}
	}
	for at := 0; at < len(whole); at += len(whole)/40 + 1 {
		bent := slices.Clone(whole)
		bent[at] ^= 0x55
		if err := os.WriteFile(path, bent, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadParquet(t, d, path); err != nil && ws.KindOf(err) != ws.Invalid {
			t.Errorf("byte %d changed: %v, want invalid, or another value", at, err)
		}
	}
	for _, p := range []string{filepath.Join(filepath.Dir(path), "*.parquet"), "https://example.org/x.parquet", path + "\x00"} {
		if _, err := loadParquet(t, d, p); ws.KindOf(err) != ws.Invalid {
			t.Errorf("path %q: %v, want invalid", p, err)
		}
	}
}
