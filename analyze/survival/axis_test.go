package survival

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"wellspring/policy"
)

// Every merged step shows either nobody of a kind or enough, from enough
// institutions; steps keep their order, leave out nobody, and, where nothing
// is hidden, join nothing.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "steps")
		counts := rapid.SliceOfN(rapid.Int64Range(0, 8), n, n)
		kinds := [][]int64{counts.Draw(t, "events"), counts.Draw(t, "censored")}
		pol := policy.Default()
		pol.MinCell = rapid.Int64Range(1, 8).Draw(t, "k")
		pol.MinInstitutions = rapid.Int64Range(1, 4).Draw(t, "min_sites")
		var sites [][]int64
		if pol.MinInstitutions > 1 {
			few := rapid.SliceOfN(rapid.Int64Range(0, 5), n, n)
			sites = [][]int64{few.Draw(t, "sites"), few.Draw(t, "sites")}
		}
		var most func(int, stretch) int64
		if sites != nil {
			most = func(k int, s stretch) int64 { return slices.Max(sites[k][s.from:s.to]) }
		}
		got := merge(pol, kinds, most)
		if got == nil {
			if !anyHidden(pol, kinds, sites, stretch{0, n}) {
				t.Fatal("nothing is shown, though all together may be")
			}
			return
		}
		end, alone := 0, true
		var seen [2]int64
		for _, s := range got {
			if s.from < end || s.to <= s.from {
				t.Fatalf("%v: not in order", got)
			}
			end = s.to
			alone = alone && s.to == s.from+1
			if anyHidden(pol, kinds, sites, s) {
				t.Fatalf("%v may not be shown", s)
			}
			for k := range kinds {
				seen[k] += total(kinds[k][s.from:s.to])
			}
		}
		for k := range kinds {
			if seen[k] != total(kinds[k]) {
				t.Fatalf("%v leaves out persons", got)
			}
		}
		if pol.MinCell == 1 && pol.MinInstitutions == 1 && !alone {
			t.Fatalf("%v: steps are joined without need", got)
		}
	})
}

func anyHidden(pol policy.Policy, kinds, sites [][]int64, s stretch) bool {
	for k, n := range kinds {
		most := pol.MinInstitutions
		if sites != nil {
			most = slices.Max(sites[k][s.from:s.to])
		}
		if pol.Hidden(total(n[s.from:s.to]), most) {
			return true
		}
	}
	return false
}

// Late steps that nobody leaves end where those end that a few leave, and are left out where the policy shows that nobody does.
func TestMerge_Tail(t *testing.T) {
	hide, show := policy.Default(), policy.Default()
	show.ZeroCells = policy.ShowZeros
	late := func(p policy.Policy, n int64) []stretch { return merge(p, [][]int64{{12, 0, 12, 0, n}}, nil) }
	for _, few := range []int64{1, 9} {
		if nobody, some := late(hide, 0), late(hide, few); !slices.Equal(nobody, some) {
			t.Errorf("nobody: %v, %d: %v", nobody, few, some)
		}
	}
	if got := late(show, 0); got[len(got)-1].to != 3 {
		t.Errorf("zeros shown: %v", got)
	}
	if got := merge(hide, [][]int64{{0, 0}}, nil); got == nil || len(got) > 0 {
		t.Errorf("nobody at all: %v", got)
	}
}

func TestCrossing(t *testing.T) {
	nan := math.NaN()
	time := []float64{1, 2, 3, 4}
	for _, c := range []struct {
		y    []float64
		want float64
	}{
		{[]float64{0.9, 0.6, 0.4, 0.1}, 3},
		{[]float64{0.9, 0.5, 0.5, 0.1}, 3}, // (2+4)/2
		{[]float64{0.9, 0.5, 0.5, 0.5}, 2}, // level to the end
		{[]float64{0.9, 0.5, 0.25, 0.1}, 2.5},
		{[]float64{nan, 0.6, nan, 0.3}, 4},
		{[]float64{0.9, 0.8, 0.7, 0.6}, nan},
		{nil, nan},
	} {
		if got := crossing(c.y, time); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("crossing(%v) = %v, want %v", c.y, got, c.want)
		}
	}
}
