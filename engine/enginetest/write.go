package enginetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// Rows outside their dictionary are refused by the name of the column, and no
// value of theirs is said.
func testBadRows(t *testing.T, open Opener) {
	s := fresh(t, open)
	d := frame.Dictionary{
		{Name: "n", Type: frame.Integer, Max: 10}, {Name: "x", Type: frame.Real, Max: 10},
		{Name: "f", Type: frame.Factor, Levels: []string{"a"}}, {Name: "o", Type: frame.Factor, Levels: []string{"a"}, Other: true},
	}
	good := func() frame.Batch {
		return frame.Batch{Rows: 2, Columns: []frame.Values{
			{Real: []float64{1, math.NaN()}}, {Real: []float64{0.5, 10}}, {Code: []int32{0, -1}}, {Code: []int32{1, -1}}}}
	}
	for _, c := range []struct {
		column string
		spoil  func(*frame.Batch)
	}{
		{"n", func(b *frame.Batch) { b.Columns[0].Real[1] = 7.4321 }},
		{"n", func(b *frame.Batch) { b.Columns[0].Real[1] = 74321 }},
		{"x", func(b *frame.Batch) { b.Columns[1].Real[0] = -7.4321 }},
		{"x", func(b *frame.Batch) { b.Columns[1].Real[0] = math.Inf(1) }},
		{"f", func(b *frame.Batch) { b.Columns[2].Code[0] = 1 }},
		{"f", func(b *frame.Batch) { b.Columns[2].Code[0] = math.MinInt32 }},
		{"o", func(b *frame.Batch) { b.Columns[3].Code[0] = 2 }},
		{"x", func(b *frame.Batch) { b.Columns[1].Real = b.Columns[1].Real[:1] }},
		{"x", func(b *frame.Batch) { b.Columns[1] = frame.Values{Code: []int32{0, 0}} }},
		{"", func(b *frame.Batch) { b.Columns = b.Columns[:3] }},
		{"", func(b *frame.Batch) { b.Rows = -1 }},
	} {
		b := good()
		c.spoil(&b)
		err := s.Load(background, "bad", d, stream(good(), b))
		expectKind(t, err, ws.Invalid)
		if text := err.Error() + ws.HintOf(err).In(ws.English); !strings.Contains(text, c.column) || strings.Contains(text, "4321") {
			t.Errorf("error %q should name the column %q and no value", text, c.column)
		}
	}
	_, err := s.Freeze(background, "bad")
	expectKind(t, err, ws.Invalid)
}

func stream(batches ...frame.Batch) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		for _, b := range batches {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func testBadDictionary(t *testing.T, open Opener) {
	s := fresh(t, open)
	for _, d := range []frame.Dictionary{
		{{Name: "", Type: frame.Real}},
		{{Name: "x\xff", Type: frame.Real}},
		{{Name: "x", Type: frame.Real}, {Name: "x", Type: frame.Integer}},
		{{Name: "x", Type: "text"}},
		{{Name: "x", Type: frame.Real, Min: 1}},
		{{Name: "x", Type: frame.Real, Max: math.NaN()}},
		{{Name: "x", Type: frame.Real, Max: math.Inf(1)}},
		{{Name: "x", Type: frame.Factor, Levels: []string{"a", "a"}}},
		{{Name: "x", Type: frame.Factor, Levels: []string{"other"}, Other: true}},
		make(frame.Dictionary, engine.MaxColumns+1),
	} {
		expectKind(t, s.Load(background, "bad", d, stream()), ws.Invalid)
		expectKind(t, s.LoadParquet(background, "bad", d, filepath.Join(t.TempDir(), "no.parquet")), ws.Invalid)
	}
}

var errSource = ws.Errorf(ws.Unreachable, "suite", ws.T("the source broke", "来源中断"))

// cut yields the table's batches, and then fails.
func cut(tb table, fail func() error) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		for b, err := range tb.batches(10_000) {
			if !yield(b, err) {
				return
			}
		}
		yield(frame.Batch{}, fail())
	}
}

// A load that fails, or panics, leaves the former draft and all versions.
func testAllOrNothing(t *testing.T, open Opener) {
	s := fresh(t, open)
	first, second, third := newTable(people, 50_000, 1), newTable(people[:2], 60_000, 2), newTable(people[3:], 300_000, 3)
	v1 := load(t, s, "people", first)
	if err := s.Load(background, "people", second.d, second.batches(100)); err != nil {
		t.Fatal(err)
	}
	err := s.Load(background, "people", third.d, cut(third, func() error { return errSource }))
	expectKind(t, err, ws.Unreachable)
	if !errors.Is(err, errSource) {
		t.Errorf("error %v does not match that of the rows", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of the rows was swallowed")
			}
		}()
		s.Load(background, "people", third.d, cut(third, func() error { panic("rows") }))
	}()
	v2 := freeze(t, s, "people")
	expectAll(t, v1, first)
	expectAll(t, v2, second)
}

func testVersions(t *testing.T, open Opener) {
	s := fresh(t, open)
	var tables []table
	for i := range 4 {
		tb := newTable(people[:i+3], 1000*i, uint64(i))
		if err := s.Load(background, "people", people, newTable(people, 9, 9).batches(3)); err != nil { // a draft that none will see
			t.Fatal(err)
		}
		load(t, s, "people", tb)
		tables = append(tables, tb)
	}
	if v, err := s.Freeze(background, "people"); v != 4 || err != nil {
		t.Errorf("freezing again gives %v, %v", v, err)
	}
	all, err := s.Versions(background, "people")
	if err != nil || len(all) != 4 {
		t.Fatalf("versions %v, %v", all, err)
	}
	for i, info := range all {
		if info.Version != engine.Version(i+1) || info.Rows != int64(tables[i].all.Rows) || info.Release != ws.Version ||
			fmt.Sprint(info.Dictionary) != fmt.Sprint(tables[i].d) {
			t.Errorf("version %d is %v", i+1, info)
		}
		expectAll(t, openVersion(t, s, "people", info.Version), tables[i])
	}
	for _, v := range []engine.Version{-1, 0, 5} {
		_, err := s.Open(background, "people", v)
		expectKind(t, err, ws.Invalid)
	}
}

// Datasets of any name live side by side.
func testNames(t *testing.T, open Opener) {
	s := fresh(t, open)
	names := []ws.Dataset{"bmt", "BMT", `a"b`, "x'; drop table dataset; --", "骨髓移植", "%s $1 ?", ws.Dataset(strings.Repeat("长", 128))}
	for i, name := range names {
		load(t, s, name, newTable(people[:2], 10+i, uint64(i)))
	}
	for i, name := range names {
		expectAll(t, openVersion(t, s, name, 1), newTable(people[:2], 10+i, uint64(i)))
	}
	for _, name := range []ws.Dataset{"", "\xff", ws.Dataset(strings.Repeat("长", 129))} {
		expectKind(t, s.Load(background, name, people, stream()), ws.Invalid)
	}
}

func testNoDataset(t *testing.T, open Opener) {
	s := fresh(t, open)
	_, err := s.Freeze(background, "none")
	expectKind(t, err, ws.Invalid)
	_, err = s.Open(background, "none", 1)
	expectKind(t, err, ws.Invalid)
	if all, err := s.Versions(background, "none"); err != nil || len(all) != 0 {
		t.Errorf("versions %v, %v", all, err)
	}
}

func testNoParquet(t *testing.T, open Opener) {
	s := fresh(t, open)
	expectKind(t, s.LoadParquet(background, "p", people, filepath.Join(t.TempDir(), "none.parquet")), ws.Invalid)
	expectKind(t, s.LoadParquet(background, "p", people, t.TempDir()), ws.Invalid)
}

// Versions and the draft outlive the process.
func testReopen(t *testing.T, open Opener) {
	dir := t.TempDir()
	one, two := newTable(people, 100_000, 1), newTable(people[:3], 77, 2)
	s := open(t, dir)
	load(t, s, "people", one)
	if err := s.Load(background, "people", two.d, two.batches(10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	expectAll(t, openVersion(t, s, "people", 1), one)
	expectAll(t, freeze(t, s, "people"), two)
}

func testClosed(t *testing.T, open Opener) {
	s := fresh(t, open)
	src := load(t, s, "people", newTable(people, 10, 1))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	expectKind(t, scanError(t, background, src, frame.Query{Columns: []string{"age"}}), ws.Invalid)
	_, err := src.Distinct(background, "age")
	expectKind(t, err, ws.Invalid)
	expectKind(t, s.Load(background, "people", people, stream()), ws.Invalid)
	_, err = s.Freeze(background, "people")
	expectKind(t, err, ws.Invalid)
	_, err = s.Open(background, "people", 1)
	expectKind(t, err, ws.Invalid)
	_, err = s.Versions(background, "people")
	expectKind(t, err, ws.Invalid)
}

// A scan that runs when its store is closed ends in peace, and then the store
// can be opened again.
func testCloseDuringScan(t *testing.T, open Opener) {
	dir := t.TempDir()
	tb := newTable(people[:2], 5*frame.RunRows, 1)
	s := open(t, dir)
	rows := 0
	for b, err := range load(t, s, "people", tb).Scan(background, frame.Query{Columns: []string{"age"}}) {
		if err != nil {
			t.Fatal(err)
		}
		rows += b.Rows
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if rows != tb.all.Rows {
		t.Errorf("%d rows, want %d", rows, tb.all.Rows)
	}
	s = open(t, dir)
	defer s.Close()
	expectAll(t, openVersion(t, s, "people", 1), tb)
}

func testCancel(t *testing.T, open Opener) {
	s := fresh(t, open)
	tb := newTable(people[:2], 5*frame.RunRows, 1)
	src := load(t, s, "people", tb)
	expectStopped := func(err error) {
		t.Helper()
		expectKind(t, err, ws.Stopped)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v does not match context.Canceled", err)
		}
	}
	ctx, cancel := context.WithCancel(background)
	var failed error
	for _, err := range src.Scan(ctx, frame.Query{Columns: []string{"age"}}) {
		failed = err
		cancel()
	}
	expectStopped(failed)
	expectStopped(scanError(t, ctx, src, frame.Query{Columns: []string{"age"}}))
	_, err := src.Distinct(ctx, "age")
	expectStopped(err)

	ctx, cancel = context.WithCancel(background)
	expectStopped(s.Load(ctx, "people", tb.d, cut(tb, func() error { cancel(); return nil })))
	_, err = s.Freeze(ctx, "people")
	expectStopped(err)
	_, err = s.Open(ctx, "people", 1)
	expectStopped(err)
	if v, err := s.Freeze(background, "people"); v != 1 || err != nil {
		t.Errorf("after stopped loads: version %v, %v", v, err)
	}
	expectAll(t, src, tb)
}

// Scans, loads and freezes at once do not disturb each other.
func testConcurrent(t *testing.T, open Opener) {
	s := fresh(t, open)
	tb := newTable(people, 80_000, 1)
	src := load(t, s, "people", tb)
	want := tb.answer(t, frame.Query{Columns: readable(people)})
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 4 {
				got, err := read(src, frame.Query{Columns: readable(people)})
				if diff := same(got, want); err != nil || diff != "" {
					t.Error(err, diff)
				}
				if g%3 != 0 {
					continue
				}
				name := ws.Dataset(fmt.Sprint("other", g))
				if err := s.Load(background, name, people[:2], newTable(people[:2], 5000*i, 2).batches(999)); err != nil {
					t.Error(err)
				}
				if v, err := s.Freeze(background, name); int(v) != i+1 || err != nil {
					t.Errorf("version %v, %v; want %d", v, err, i+1)
				}
			}
		})
	}
	wg.Wait()
}
