package enginetest

import (
	"context"
	"testing"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// An Opener opens the store that lives in the folder dir, or makes it there.
type Opener func(t *testing.T, dir string) engine.Store

// Run tests the stores that open returns. Every implementation calls it.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"Rows", testRows}, {"Lengths", testLengths}, {"Wide", testWide}, {"Queries", testQueries},
		{"Filters", testFilters}, {"RandomFilters", testRandomFilters}, {"Distinct", testDistinct},
		{"Refusals", testRefusals}, {"Constant", testConstant}, {"Break", testBreak},
		{"BadRows", testBadRows}, {"BadDictionary", testBadDictionary}, {"AllOrNothing", testAllOrNothing},
		{"Versions", testVersions}, {"Names", testNames}, {"NoDataset", testNoDataset}, {"NoParquet", testNoParquet},
		{"Reopen", testReopen}, {"Closed", testClosed}, {"CloseDuringScan", testCloseDuringScan},
		{"Cancel", testCancel}, {"Concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

var background = context.Background()

// fresh opens a store in a new folder, to be closed with the test.
func fresh(t *testing.T, open Opener) engine.Store {
	t.Helper()
	s := open(t, t.TempDir())
	t.Cleanup(func() { s.Close() })
	return s
}

// load loads and freezes tb, and opens the version.
func load(t *testing.T, s engine.Store, name ws.Dataset, tb table) frame.Source {
	t.Helper()
	if err := s.Load(background, name, tb.d, tb.batches(1000)); err != nil {
		t.Fatal(err)
	}
	return freeze(t, s, name)
}

func freeze(t *testing.T, s engine.Store, name ws.Dataset) frame.Source {
	t.Helper()
	v, err := s.Freeze(background, name)
	if err != nil {
		t.Fatal(err)
	}
	return openVersion(t, s, name, v)
}

func openVersion(t *testing.T, s engine.Store, name ws.Dataset, v engine.Version) frame.Source {
	t.Helper()
	src, err := s.Open(background, name, v)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// expect fails the test unless src answers q as tb does.
func expect(t *testing.T, src frame.Source, tb table, q frame.Query) {
	t.Helper()
	got, err := read(src, q)
	if err != nil {
		t.Fatalf("%q where %q: %v", q.Columns, q.Where, err)
	}
	if diff := same(got, tb.answer(t, q)); diff != "" {
		t.Fatalf("%q where %q: %s", q.Columns, q.Where, diff)
	}
}

// expectAll is expect for all columns without filter.
func expectAll(t *testing.T, src frame.Source, tb table) {
	t.Helper()
	expect(t, src, tb, frame.Query{Columns: readable(tb.d)})
}

// expectKind fails the test unless err is of the kind and can be read in both
// languages.
func expectKind(t *testing.T, err error, want ws.Kind) {
	t.Helper()
	if err == nil || ws.KindOf(err) != want {
		t.Fatalf("error %v is %v, want %v", err, ws.KindOf(err), want)
	}
}

// scanError returns the error of a scan, which must come alone and last.
func scanError(t *testing.T, ctx context.Context, src frame.Source, q frame.Query) error {
	t.Helper()
	var failed error
	for b, err := range src.Scan(ctx, q) {
		if failed != nil {
			t.Fatal("the scan went on after its error")
		}
		if err != nil && b.Rows != 0 {
			t.Fatal("the scan's error came with rows")
		}
		failed = err
	}
	return failed
}
