package table

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/frame"
)

var nan = math.NaN()

var ward = frame.Dictionary{
	{Name: "mrn", Type: frame.Identifier},
	{Name: "age", Type: frame.Integer, Max: 120},
	{Name: "sex", Type: frame.Factor, Levels: []string{"F", "M"}, Other: true},
	{Name: "chol", Type: frame.Real, Max: 700},
}

func columns() []frame.Values {
	return []frame.Values{
		{},
		{Real: []float64{63, 41, nan, 55, 41}},
		{Code: []int32{0, 1, 1, -1, 2}},
		{Real: []float64{233.5, nan, 204, 180, 180}},
	}
}

func make5(t *testing.T) *Table {
	t.Helper()
	tab, err := New(ward, columns())
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func collect(t *testing.T, s frame.Source, q frame.Query) []frame.Batch {
	t.Helper()
	var out []frame.Batch
	for b, err := range s.Scan(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestScan(t *testing.T) {
	tab := make5(t)
	for _, c := range []struct {
		where string
		ages  []float64
		sexes []int32
	}{
		{"", []float64{63, 41, nan, 55, 41}, []int32{0, 1, 1, -1, 2}},
		{"age > 41", []float64{63, 55}, []int32{0, -1}},
		{"not age > 41", []float64{41, 41}, []int32{1, 2}},
		{"sex != 'M'", []float64{63, 41}, []int32{0, 2}},
		{"sex = 'other' or chol is missing", []float64{41, 41}, []int32{1, 2}},
		{"age = 99", nil, nil},
	} {
		got := collect(t, tab, frame.Query{Columns: []string{"sex", "age"}, Where: c.where})
		if c.ages == nil {
			if len(got) != 0 {
				t.Errorf("%s: %d batches, want none", c.where, len(got))
			}
			continue
		}
		if len(got) != 1 || got[0].Rows != len(c.ages) || !slices.Equal(got[0].Columns[0].Code, c.sexes) ||
			!slices.EqualFunc(got[0].Columns[1].Real, c.ages, same) {
			t.Errorf("%s: got %+v, want %v, %v", c.where, got, c.sexes, c.ages)
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestScan_Runs(t *testing.T) {
	const n = 2*frame.RunRows + 5
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i % 1000)
	}
	tab, err := New(frame.Dictionary{{Name: "x", Type: frame.Integer, Max: 999}}, []frame.Values{{Real: x}})
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	var sizes []int
	for _, b := range collect(t, tab, frame.Query{Columns: []string{"x"}}) {
		all = append(all, b.Columns[0].Real...)
		sizes = append(sizes, b.Rows)
	}
	if !slices.Equal(sizes, []int{frame.RunRows, frame.RunRows, 5}) || !slices.Equal(all, x) {
		t.Errorf("batches of %v rows, same values: %v", sizes, slices.Equal(all, x))
	}
	half := collect(t, tab, frame.Query{Columns: []string{"x"}, Where: "x < 500"})
	if len(half) != 2 || half[0].Rows != frame.RunRows {
		t.Errorf("a filtered scan has %d batches", len(half))
	}
	for b := range tab.Scan(context.Background(), frame.Query{}) {
		if b.Rows != frame.RunRows || len(b.Columns) != 0 {
			t.Errorf("a query without columns has %d rows, %d columns", b.Rows, len(b.Columns))
		}
		break // a scan may be left early
	}
}

func TestScan_ReceiverOwnsBatch(t *testing.T) {
	tab := make5(t)
	q := frame.Query{Columns: []string{"age", "sex"}}
	b := collect(t, tab, q)[0]
	b.Columns[0].Real[0], b.Columns[1].Code[0] = -1, -1
	if again := collect(t, tab, q)[0]; again.Columns[0].Real[0] != 63 || again.Columns[1].Code[0] != 0 {
		t.Error("writing to a batch changed the table")
	}
}

func TestScan_Refused(t *testing.T) {
	for _, c := range []struct {
		q    frame.Query
		kind ws.Kind
		says string
	}{
		{frame.Query{Columns: []string{"weight"}}, ws.Invalid, "weight"},
		{frame.Query{Columns: []string{"mrn"}}, ws.Denied, "mrn"},
		{frame.Query{Where: "mrn is missing"}, ws.Denied, "mrn"},
		{frame.Query{Where: "age >"}, ws.Invalid, "expected"},
	} {
		var got error
		for _, err := range make5(t).Scan(context.Background(), c.q) {
			got = err
		}
		if ws.KindOf(got) != c.kind || !strings.Contains(got.Error(), c.says) {
			t.Errorf("%+v: %v", c.q, got)
		}
	}
}

func TestScan_Stopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	for _, err := range make5(t).Scan(ctx, frame.Query{}) {
		if ws.KindOf(err) != ws.Stopped || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestDistinct(t *testing.T) {
	tab := make5(t)
	got, err := tab.Distinct(context.Background(), "age")
	if err != nil || !slices.Equal(got, []float64{41, 55, 63}) {
		t.Errorf("got %v, %v", got, err)
	}
	for name, kind := range map[string]ws.Kind{"sex": ws.Invalid, "mrn": ws.Denied, "weight": ws.Invalid} {
		if _, err := tab.Distinct(context.Background(), name); ws.KindOf(err) != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSelect(t *testing.T) {
	part := make5(t).Select([]int{4, 0, 4})
	b := collect(t, part, frame.Query{Columns: []string{"age", "sex", "chol"}})[0]
	if part.Rows() != 3 || !slices.Equal(b.Columns[0].Real, []float64{41, 63, 41}) || !slices.Equal(b.Columns[1].Code, []int32{2, 0, 2}) {
		t.Errorf("got %+v", b)
	}
	empty := part.Select(nil)
	if got := collect(t, empty, frame.Query{Columns: []string{"age"}}); empty.Rows() != 0 || len(got) != 0 {
		t.Errorf("an empty table has %d rows, %d batches", empty.Rows(), len(got))
	}
	if len(empty.Dictionary()) != len(ward) {
		t.Error("an empty table lost its dictionary")
	}
}

func TestWith(t *testing.T) {
	tab := make5(t)
	site := frame.Column{Name: "site", Type: frame.Factor, Levels: []string{"va"}}
	wide, err := tab.With(site, frame.Values{Code: make([]int32, 5)})
	if err != nil {
		t.Fatal(err)
	}
	if b := collect(t, wide, frame.Query{Columns: []string{"site", "age"}})[0]; b.Rows != 5 || len(b.Columns[0].Code) != 5 {
		t.Errorf("got %+v", b)
	}
	if _, ok := tab.Dictionary().Lookup("site"); ok {
		t.Error("With changed the table it was called on")
	}
	if _, err := wide.With(site, frame.Values{Code: make([]int32, 5)}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("the same column twice: %v", err)
	}
	if _, err := tab.With(site, frame.Values{Code: make([]int32, 4)}); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a short column: %v", err)
	}
}

func TestNew_Refused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func([]frame.Values) []frame.Values
		column string
	}{
		{"too few columns", func(v []frame.Values) []frame.Values { return v[:3] }, ""},
		{"another length", func(v []frame.Values) []frame.Values { v[3].Real = v[3].Real[:4]; return v }, "chol"},
		{"numbers in a factor", func(v []frame.Values) []frame.Values { v[2] = v[1]; return v }, "sex"},
		{"codes in a number", func(v []frame.Values) []frame.Values { v[1] = v[2]; return v }, "age"},
		{"no such level", func(v []frame.Values) []frame.Values { v[2].Code[0] = 3; return v }, "sex"},
		{"below missing", func(v []frame.Values) []frame.Values { v[2].Code[0] = -2; return v }, "sex"},
		{"above the range", func(v []frame.Values) []frame.Values { v[1].Real[0] = 121; return v }, "age"},
		{"below the range", func(v []frame.Values) []frame.Values { v[3].Real[0] = -0.5; return v }, "chol"},
		{"infinite", func(v []frame.Values) []frame.Values { v[3].Real[0] = math.Inf(1); return v }, "chol"},
		{"a fraction", func(v []frame.Values) []frame.Values { v[1].Real[0] = 62.5; return v }, "age"},
		{"an identifier's values", func(v []frame.Values) []frame.Values { v[0].Real = v[1].Real; return v }, "mrn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(ward, c.change(columns()))
			if ws.KindOf(err) != ws.Invalid || !strings.Contains(err.Error(), c.column) || strings.Contains(err.Error(), "62.5") {
				t.Errorf("got %v", err)
			}
		})
	}
}
