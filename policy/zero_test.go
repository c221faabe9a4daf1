package policy_test

import (
	"fmt"
	"testing"

	"wellspring/policy"
)

// Empty cells of a table are hidden so that whoever sees the rest can take them
// for k persons, and are shown where the policy says so: every small table.
func TestTable_ZeroCells(t *testing.T) {
	for _, size := range []struct {
		rows, columns int
		most          int64
	}{{2, 2, 8}, {2, 3, 4}, {3, 3, 2}} {
		zeros := 0
		for k := int64(2); k <= 4; k++ {
			hide := policy.Public()
			hide.MinCell, hide.ZeroCells = k, policy.HideZeros
			show := hide
			show.ZeroCells = policy.ShowZeros
			sites := make([][]int64, size.rows)
			for i := range sites {
				sites[i] = make([]int64, size.columns)
			}
			each(size.rows, size.columns, size.most, func(counts [][]int64) {
				rows, columns := margins(counts)
				for _, m := range append(rows, columns...) {
					if m < k {
						return // a level that is left out
					}
				}
				got := hide.Table(counts, sites, make([]int64, size.rows), make([]int64, size.columns))
				in := newIntruder(counts, got.Hidden)
				in.walk(0)
				for i, row := range counts {
					for j, n := range row {
						if n > 0 {
							continue
						}
						zeros++
						if !got.Hidden[i][j] || in.high[i][j] < k {
							t.Fatalf("%v, k %d: the empty cell %d,%d is hidden behind %v: it is at most %d", counts, k, i, j, got.Hidden, in.high[i][j])
						}
					}
				}
				small := policy.Suppress(counts, primary(counts, k), k)
				if shown := show.Table(counts, sites, make([]int64, size.rows), make([]int64, size.columns)); fmt.Sprint(shown.Hidden) != fmt.Sprint(small) {
					t.Fatalf("%v, k %d: hidden are %v, want %v", counts, k, shown.Hidden, small)
				}
			})
		}
		if zeros < 100 {
			t.Errorf("%d×%d: only %d empty cells tried", size.rows, size.columns, zeros)
		}
	}
}
