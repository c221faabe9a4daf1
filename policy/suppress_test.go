package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"wellspring/policy"
)

// primary hides the counts 1 to k−1.
func primary(counts [][]int64, k int64) [][]bool {
	var out [][]bool
	for _, row := range counts {
		h := make([]bool, len(row))
		for j, n := range row {
			h[j] = n > 0 && n < k
		}
		out = append(out, h)
	}
	return out
}

func margins(counts [][]int64) (rows, columns []int64) {
	columns = make([]int64, len(counts[0]))
	for _, row := range counts {
		sum := int64(0)
		for j, n := range row {
			sum += n
			columns[j] += n
		}
		rows = append(rows, sum)
	}
	return rows, columns
}

// marginsHold reports whether every margin is 0 or at least k.
func marginsHold(counts [][]int64, k int64) bool {
	rows, columns := margins(counts)
	for _, m := range append(rows, columns...) {
		if m > 0 && m < k {
			return false
		}
	}
	return true
}

// An intruder walks through every table that agrees with what is shown and
// notes each cell's range.
type intruder struct {
	counts        [][]int64
	out           [][]bool
	rows, columns []int64 // what is left of the margins
	guess         [][]int64
	low, high     [][]int64
}

func newIntruder(counts [][]int64, out [][]bool) *intruder {
	in := &intruder{counts: counts, out: out}
	in.rows, in.columns = margins(counts)
	for i, row := range counts {
		in.guess = append(in.guess, make([]int64, len(row)))
		in.low = append(in.low, append([]int64(nil), row...))
		in.high = append(in.high, append([]int64(nil), row...))
		for j, n := range row {
			if !out[i][j] {
				in.rows[i] -= n
				in.columns[j] -= n
			}
		}
	}
	return in
}

func (in *intruder) walk(cell int) {
	width := len(in.counts[0])
	if cell == len(in.counts)*width {
		for _, c := range in.columns {
			if c != 0 {
				return
			}
		}
		for i, row := range in.guess {
			for j, n := range row {
				in.low[i][j], in.high[i][j] = min(in.low[i][j], n), max(in.high[i][j], n)
			}
		}
		return
	}
	i, j := cell/width, cell%width
	last := func() bool { return j < width-1 || in.rows[i] == 0 }
	if !in.out[i][j] {
		in.guess[i][j] = in.counts[i][j]
		if last() {
			in.walk(cell + 1)
		}
		return
	}
	for n := range min(in.rows[i], in.columns[j]) + 1 {
		in.guess[i][j] = n
		in.rows[i] -= n
		in.columns[j] -= n
		if last() {
			in.walk(cell + 1)
		}
		in.rows[i] += n
		in.columns[j] += n
	}
}

// attack fails the test unless every hidden cell has a range of k or more.
func attack(t interface{ Fatalf(string, ...any) }, counts [][]int64, k int64) {
	hidden := primary(counts, k)
	out := policy.Suppress(counts, hidden, k)
	in := newIntruder(counts, out)
	in.walk(0)
	rows, columns := make([]bool, len(counts)), make([]bool, len(counts[0]))
	for i := range rows {
		rows[i] = true
	}
	for j := range columns {
		columns[j] = true
	}
	bounds := policy.Table{Rows: rows, Columns: columns, Hidden: out}.Audit(counts)
	any := false
	for i, row := range hidden {
		for j, h := range row {
			any = any || h
			if out[i][j] {
				if b := bounds[0]; b.Cell != [3]int{i, j} || b.Low != in.low[i][j] || b.High != in.high[i][j] || b.Least != b.Low || b.Most != b.High || !b.Met {
					t.Fatalf("%v behind %v: cell %d,%d lies in [%d, %d], by the audit %+v", counts, out, i, j, in.low[i][j], in.high[i][j], b)
				}
				bounds = bounds[1:]
			}
			switch {
			case h && !out[i][j]:
				t.Fatalf("%v, k %d: cell %d,%d is shown", counts, k, i, j)
			case h && in.high[i][j]-in.low[i][j] < k:
				t.Fatalf("%v, k %d: cell %d,%d lies in [%d, %d] behind %v", counts, k, i, j, in.low[i][j], in.high[i][j], out)
			}
		}
	}
	if !any && fmt.Sprint(out) != fmt.Sprint(hidden) {
		t.Fatalf("%v, k %d: nothing needed hiding, but %v", counts, k, out)
	}
}

// Every small table.
func TestSuppress_Exhaustive(t *testing.T) {
	for _, c := range []struct {
		rows, columns int
		most          int64
	}{{2, 2, 8}, {2, 3, 5}, {3, 2, 5}, {3, 3, 2}, {2, 4, 3}} {
		tables := 0
		for k := int64(2); k <= 4; k++ {
			each(c.rows, c.columns, c.most, func(counts [][]int64) {
				if marginsHold(counts, k) {
					attack(t, counts, k)
					tables++
				}
			})
		}
		if tables < 100 {
			t.Errorf("%d×%d: only %d tables tried", c.rows, c.columns, tables)
		}
	}
}

func each(rows, columns int, most int64, visit func([][]int64)) {
	flat := make([]int64, rows*columns)
	counts := make([][]int64, rows)
	for i := range counts {
		counts[i] = flat[i*columns : (i+1)*columns]
	}
	for {
		visit(counts)
		at := 0
		for at < len(flat) && flat[at] == most {
			flat[at] = 0
			at++
		}
		if at == len(flat) {
			return
		}
		flat[at]++
	}
}

func TestSuppress_Random(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.Int64Range(2, 5).Draw(t, "k")
		rows, columns := rapid.IntRange(2, 3).Draw(t, "rows"), rapid.IntRange(2, 3).Draw(t, "columns")
		counts := make([][]int64, rows)
		for i := range counts {
			counts[i] = rapid.SliceOfN(rapid.Int64Range(0, 7), columns, columns).Draw(t, "row")
		}
		if marginsHold(counts, k) {
			attack(t, counts, k)
			needed(t, counts, k)
		}
	})
}

// needed fails the test if a cell could be shown again without laying bare one
// that had to be hidden.
func needed(t interface{ Fatalf(string, ...any) }, counts [][]int64, k int64) {
	hidden := primary(counts, k)
	out := policy.Suppress(counts, hidden, k)
	for i, row := range out {
		for j, h := range row {
			if !h || hidden[i][j] {
				continue
			}
			row[j] = false
			in := newIntruder(counts, out)
			in.walk(0)
			bare := false
			for a := range hidden {
				for b, h := range hidden[a] {
					bare = bare || h && in.high[a][b]-in.low[a][b] < k
				}
			}
			if row[j] = true; !bare {
				t.Fatalf("%v, k %d: cell %d,%d is hidden for nothing behind %v", counts, k, i, j, out)
			}
		}
	}
}

// Two tables over the same persons that share one factor: of all ways in which the
// persons can be, those that agree with what is shown of both leave each hidden
// cell the range that its own table leaves it.
func TestSuppress_Linked(t *testing.T) {
	tried := 0
	rapid.Check(t, func(t *rapid.T) {
		persons := rapid.SliceOfN(rapid.Int64Range(0, 3), 8, 8).Draw(t, "persons") // by a, b and c, two levels each
		const k = 2
		var hidden [2][][]bool
		var own [2]*intruder
		for i, counts := range faces(persons) {
			if !marginsHold(counts, k) {
				return
			}
			hidden[i] = policy.Suppress(counts, primary(counts, k), k)
			own[i] = newIntruder(counts, hidden[i])
			own[i].walk(0)
		}
		var low, high [2][2][2]int64
		for i := range low {
			low[i] = [2][2]int64{{99, 99}, {99, 99}}
		}
		truth := faces(persons)
		everyone(persons, func(others []int64) {
			f := faces(others)
			for i := range f {
				r, c := margins(f[i])
				tr, tc := margins(truth[i])
				if !slices.Equal(r, tr) || !slices.Equal(c, tc) || !agree(f[i], truth[i], hidden[i]) {
					return
				}
			}
			for i := range f {
				for a := range 2 {
					for b, n := range f[i][a] {
						low[i][a][b], high[i][a][b] = min(low[i][a][b], n), max(high[i][a][b], n)
					}
				}
			}
		})
		tried++
		for i := range low {
			for a := range 2 {
				for b := range 2 {
					if low[i][a][b] != own[i].low[a][b] || high[i][a][b] != own[i].high[a][b] {
						t.Fatalf("%v: cell %d,%d of table %d lies in [%d, %d], alone in [%d, %d]", persons, a, b, i, low[i][a][b], high[i][a][b], own[i].low[a][b], own[i].high[a][b])
					}
				}
			}
		}
	})
	if tried < 10 {
		t.Errorf("only %d tables tried", tried)
	}
}

// faces are the tables of a by b and of a by c.
func faces(persons []int64) [2][][]int64 {
	out := [2][][]int64{{{0, 0}, {0, 0}}, {{0, 0}, {0, 0}}}
	for i, n := range persons {
		out[0][i>>2][i>>1&1] += n
		out[1][i>>2][i&1] += n
	}
	return out
}

func agree(x, y [][]int64, hidden [][]bool) bool {
	for i, row := range x {
		for j, n := range row {
			if !hidden[i][j] && n != y[i][j] {
				return false
			}
		}
	}
	return true
}

// everyone visits all ways in which as many persons have a, b and c, level by
// level of a.
func everyone(persons []int64, visit func([]int64)) {
	guess := make([]int64, 8)
	var walk func(at int, left int64)
	walk = func(at int, left int64) {
		switch {
		case at == 3:
			guess[3] = left
			walk(4, sumOf(persons[4:]))
			return
		case at == 7:
			guess[7] = left
			visit(guess)
			return
		}
		for n := int64(0); n <= left; n++ {
			guess[at] = n
			walk(at+1, left-n)
		}
	}
	walk(0, sumOf(persons[:4]))
}

func sumOf(n []int64) (s int64) {
	for _, v := range n {
		s += v
	}
	return s
}

func TestPolicy_Table(t *testing.T) {
	p := policy.Default() // 10 persons, 3 institutions
	five := func(n int) []int64 { return slices.Repeat([]int64{5}, n) }
	sites := [][]int64{five(3), five(3), five(3)}
	for _, c := range []struct {
		name          string
		counts        [][]int64
		rows, columns []bool
		hidden        int // cells of the levels that are shown
	}{
		{"nothing small", [][]int64{{20, 30, 40}, {50, 60, 70}, {80, 90, 99}}, []bool{true, true, true}, []bool{true, true, true}, 0},
		{"one small cell", [][]int64{{3, 30, 40}, {50, 60, 70}, {80, 90, 99}}, []bool{true, true, true}, []bool{true, true, true}, 4},
		{"a small row", [][]int64{{3, 2, 1}, {50, 60, 70}, {80, 90, 99}}, []bool{false, true, true}, []bool{true, true, true}, 0},
		{"an empty column", [][]int64{{20, 0, 40}, {50, 0, 70}, {80, 0, 99}}, []bool{true, true, true}, []bool{true, false, true}, 0},
		{"a small row makes a column small", [][]int64{{2, 3, 2}, {50, 7, 70}, {80, 0, 99}}, []bool{false, true, true}, []bool{true, false, true}, 0},
	} {
		got := p.Table(c.counts, sites, five(3), five(3))
		hidden := 0
		for i, row := range got.Hidden {
			for j, h := range row {
				if h && got.Rows[i] && got.Columns[j] {
					hidden++
				}
			}
		}
		if !slices.Equal(got.Rows, c.rows) || !slices.Equal(got.Columns, c.columns) || hidden != c.hidden {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	few := p.Table([][]int64{{20, 30}, {40, 50}}, [][]int64{{2, 4}, {5, 5}}, five(2), five(2))
	if !few.Hidden[0][0] {
		t.Error("a cell from two institutions is shown")
	}
}

// A large sparse table ends soon.
func TestSuppress_Large(t *testing.T) {
	const n, k = 60, 10
	counts := make([][]int64, n)
	seed := uint64(1)
	for i := range counts {
		counts[i] = make([]int64, n)
		for j := range counts[i] {
			seed = seed*6364136223846793005 + 1442695040888963407
			counts[i][j] = int64(seed>>33) % 15
		}
	}
	out := policy.Suppress(counts, primary(counts, k), k)
	for i, row := range primary(counts, k) {
		for j, h := range row {
			if h && !out[i][j] {
				t.Fatalf("cell %d,%d is shown", i, j)
			}
		}
	}
}
