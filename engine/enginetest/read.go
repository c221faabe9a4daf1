package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// Rows come back in the order of loading, whatever the batches they came in.
func testRows(t *testing.T, open Opener) {
	s := fresh(t, open)
	tb := newTable(people, 200_000, 1)
	if err := s.Load(background, "people", tb.d, tb.batches(1, 7, 2048, 0, 2049, 65536, 1, 100_000)); err != nil {
		t.Fatal(err)
	}
	src := freeze(t, s, "people")
	if got := fmt.Sprint(src.Dictionary()); got != fmt.Sprint(people) {
		t.Errorf("dictionary %s", got)
	}
	expectAll(t, src, tb)
	expectAll(t, src, tb) // again, by the same order
}

// The lengths around those at which stores and batches wrap.
func testLengths(t *testing.T, open Opener) {
	s := fresh(t, open)
	for _, rows := range []int{0, 1, 2047, 2048, 2049, frame.RunRows - 1, frame.RunRows, frame.RunRows + 1, 2 * frame.RunRows} {
		tb := newTable(people[:4], rows, uint64(rows))
		expectAll(t, load(t, s, "rows", tb), tb)
		all, err := s.Versions(background, "rows")
		if err != nil || all[len(all)-1].Rows != int64(rows) {
			t.Fatalf("%d rows: versions %v, %v", rows, all, err)
		}
	}
}

func testWide(t *testing.T, open Opener) {
	s := fresh(t, open)
	for _, columns := range []int{0, 1, 100} {
		var d frame.Dictionary
		for j := range columns {
			c := frame.Column{Name: fmt.Sprint("x", j), Type: frame.Real, Min: -10, Max: 10}
			if j%3 == 2 {
				c.Type, c.Levels = frame.Factor, []string{"a", "b"}
			}
			d = append(d, c)
		}
		tb := newTable(d, 5000, 3)
		expectAll(t, load(t, s, "wide", tb), tb)
	}
}

// No columns count rows; columns may come in any order and twice.
func testQueries(t *testing.T, open Opener) {
	tb := newTable(people, 70_000, 5)
	src := load(t, fresh(t, open), "people", tb)
	for _, columns := range [][]string{{}, {"_row"}, {"select", "age", "Age", "select"}, {`a"b`, "性别"}} {
		expect(t, src, tb, frame.Query{Columns: columns})
		expect(t, src, tb, frame.Query{Columns: columns, Where: "性别 = '女' and age >= 5"})
		expect(t, src, tb, frame.Query{Columns: columns, Where: "性别 = '女' and age >= 5", Places: true})
	}
}

func testFilters(t *testing.T, open Opener) {
	tb := newTable(people, 20_000, 9)
	src := load(t, fresh(t, open), "people", tb)
	for _, where := range []string{
		"age >= 5", "not age >= 5", "age = 120 or Age = 1e300", "age in (0, 1, 2)", "age not in (0, 120)",
		"age is missing", "性别 is not missing", "is_missing(select) and not is_missing(`_row`)",
		"select = 'it''s'", "select != 'other'", "select in ('', ' ', '\"q\"')", "not select in ('Lev 5FU', 'other')",
		"`a\"b` < `_row`", "`a\"b` = `_row`", "`a\"b` != `_row`", "`x'; drop table t1; --` between -1 and 1.5",
		"`a ``b`` .c` = -5 and (性别 = '男' or Age < 0) and not (age > 60 or select is missing)",
		"age < 0", "age <= 120 or age is missing", "`_row` > 0.1 and `_row` > -0.1", "`_row` = 0",
	} {
		expect(t, src, tb, frame.Query{Columns: []string{"age", "select"}, Where: where})
	}
}

// Filters drawn at random agree with the oracle.
func testRandomFilters(t *testing.T, open Opener) {
	const seed = 11
	tb := newTable(people, 3000, seed)
	src := load(t, fresh(t, open), "people", tb)
	rng := rand.New(rand.NewPCG(seed, seed))
	for range 150 {
		where := randomFilter(rng, 3)
		expect(t, src, tb, frame.Query{Columns: []string{"Age", "性别"}, Where: where})
	}
}

func randomFilter(rng *rand.Rand, depth int) string {
	if depth > 0 && rng.IntN(3) > 0 {
		word := []string{" and ", " or "}[rng.IntN(2)]
		parts := []string{randomFilter(rng, depth-1), randomFilter(rng, depth-1)}
		return []string{"", "not "}[rng.IntN(2)] + "(" + strings.Join(parts, word) + ")"
	}
	number := func() string { return fmt.Sprint(rng.IntN(13) - 3) }
	op := []string{"=", "!=", "<", "<=", ">", ">="}[rng.IntN(6)]
	column := []string{"age", "Age", "`_row`", "`a ``b`` .c`"}[rng.IntN(4)]
	switch rng.IntN(6) {
	case 0:
		return column + " " + op + " `a\"b`"
	case 1:
		return column + " not in (" + number() + ", " + number() + ", 120)"
	case 2:
		return "性别 " + []string{"=", "!="}[rng.IntN(2)] + " '女'"
	case 3:
		return "select in ('it''s', 'other', ' ')"
	case 4:
		return []string{"select", "性别", column}[rng.IntN(3)] + " is missing"
	}
	return column + " " + op + " " + number()
}

func testDistinct(t *testing.T, open Opener) {
	s := fresh(t, open)
	tb := newTable(people, 30_000, 13)
	src := load(t, s, "people", tb)
	for j, c := range tb.d {
		if !c.Type.Numeric() {
			continue
		}
		var want []float64
		for _, x := range tb.all.Columns[j].Real {
			if !math.IsNaN(x) {
				want = append(want, x)
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if got, err := src.Distinct(background, c.Name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d distinct values (%v), want %d", c.Name, len(got), err, len(want))
		}
	}
	empty := load(t, s, "empty", newTable(people, 0, 1))
	if got, err := empty.Distinct(background, "age"); err != nil || len(got) != 0 {
		t.Errorf("of no rows: %v, %v", got, err)
	}
}

// What must not be read is refused by name, before any row.
func testRefusals(t *testing.T, open Opener) {
	src := load(t, fresh(t, open), "people", newTable(people, 10, 1))
	for _, c := range []struct {
		q    frame.Query
		kind ws.Kind
	}{
		{frame.Query{Columns: []string{"height"}}, ws.Invalid},
		{frame.Query{Columns: []string{"AGE"}}, ws.Invalid},
		{frame.Query{Columns: []string{"c0"}}, ws.Invalid},
		{frame.Query{Columns: []string{"age", "mrn"}}, ws.Denied},
		{frame.Query{Columns: []string{"age"}, Where: "mrn = 'x'"}, ws.Denied},
		{frame.Query{Columns: []string{"age"}, Where: "mrn is missing"}, ws.Denied},
		{frame.Query{Columns: []string{"age"}, Where: "height > 3"}, ws.Invalid},
		{frame.Query{Columns: []string{"age"}, Where: "select = 'no such level'"}, ws.Invalid},
		{frame.Query{Columns: []string{"age"}, Where: "age >"}, ws.Invalid},
		{frame.Query{Columns: []string{"age"}, Where: "1=1; drop table t1"}, ws.Invalid},
	} {
		expectKind(t, scanError(t, background, src, c.q), c.kind)
	}
	for column, kind := range map[string]ws.Kind{"height": ws.Invalid, "性别": ws.Invalid, "mrn": ws.Denied} {
		_, err := src.Distinct(background, column)
		expectKind(t, err, kind)
	}
}

// A constant column behaves as if it had been loaded.
func testConstant(t *testing.T, open Opener) {
	tb := newTable(people, 70_000, 17)
	plain := load(t, fresh(t, open), "people", tb)
	site := frame.Column{Name: "site", Type: frame.Factor, Levels: []string{"va", "俄亥俄 OH"}}
	src := engine.WithConstant(plain, site, "俄亥俄 OH")
	tb.d = append(slices.Clone(tb.d), site)
	tb.all.Columns = append(slices.Clone(tb.all.Columns), frame.Values{Code: slices.Repeat([]int32{1}, tb.all.Rows)})
	for _, where := range []string{
		"", "site = 'va'", "site != 'va'", "site is missing", "site is not missing", "age > 60",
		"site = 'va' and age > 60", "site != 'va' and age > 60", "site = 'va' or age > 60", "site != 'va' or age > 60",
		"(site = 'va' or age > 60) and (Age < 0 or site is missing) and 性别 = '男'",
		"not (site = 'va' and age > 60 or site in ('va', '俄亥俄 OH') and age < 5)",
	} {
		expect(t, src, tb, frame.Query{Columns: []string{"site", "age", "site"}, Where: where})
		expect(t, src, tb, frame.Query{Columns: []string{"site"}, Where: where})
	}
}

// A reader may stop early, and scan within a scan.
func testBreak(t *testing.T, open Opener) {
	tb := newTable(people[:1], 3*frame.RunRows, 19)
	src := load(t, fresh(t, open), "people", tb)
	q := frame.Query{Columns: []string{"age"}}
	for range 20 {
		for range src.Scan(background, q) {
			break
		}
	}
	for range src.Scan(background, q) {
		expectAll(t, src, tb)
		break
	}
	expectAll(t, src, tb)
}
