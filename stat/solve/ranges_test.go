package solve_test

import (
	"math/rand/v2"
	"testing"

	"wellspring/stat/solve"
)

// Small systems of equations with coefficients of 1 and −1, against every
// solution in whole numbers.
func TestRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	exact, all := 0, 0
	for range 2000 {
		n := 2 + r.IntN(4)
		truth := make([]int64, n)
		whole := solve.Equation{} // bounds all
		for x := range truth {
			truth[x] = r.Int64N(5)
			whole.Plus = append(whole.Plus, x)
			whole.Sum += truth[x]
		}
		eqs := []solve.Equation{whole}
		for range r.IntN(4) {
			var e solve.Equation
			for x, v := range truth {
				switch r.IntN(3) {
				case 0:
					e.Plus = append(e.Plus, x)
					e.Sum += v
				case 1:
					e.Minus = append(e.Minus, x)
					e.Sum -= v
				}
			}
			eqs = append(eqs, e)
		}
		low, high := enumerate(eqs, make([]int64, n), 0, whole.Sum)
		for x, got := range solve.Ranges(n, eqs, 1<<20) {
			if got.Low > low[x] || got.High < high[x] || got.Met && (got.Least < low[x] || got.Most > high[x]) {
				t.Fatalf("%+v: unknown %d lies in [%d, %d], not %+v", eqs, x, low[x], high[x], got)
			}
			if all++; got.Met && got.Least == got.Low && got.Most == got.High {
				exact++
			}
		}
		for x, got := range solve.Ranges(n, eqs, 0) { // out of work: bounds all the same
			if got.Low > low[x] || got.High < high[x] {
				t.Fatalf("%+v: unknown %d lies in [%d, %d], without work %+v", eqs, x, low[x], high[x], got)
			}
		}
	}
	if exact*10 < all*9 {
		t.Errorf("%d bounds of %d are exact", exact, all)
	}
}

// enumerate returns the least and the most of each unknown from x[at] on, given
// those before, that left bounds.
func enumerate(eqs []solve.Equation, x []int64, at int, left int64) (low, high []int64) {
	if at == len(x) {
		for _, e := range eqs {
			sum := int64(0)
			for _, i := range e.Plus {
				sum += x[i]
			}
			for _, i := range e.Minus {
				sum -= x[i]
			}
			if sum != e.Sum {
				return nil, nil
			}
		}
		return append(low, x...), append(high, x...)
	}
	for x[at] = 0; x[at] <= left; x[at]++ {
		l, h := enumerate(eqs, x, at+1, left-x[at])
		if low == nil {
			low, high = l, h
			continue
		}
		for i := range l {
			low[i], high[i] = min(low[i], l[i]), max(high[i], h[i])
		}
	}
	return low, high
}

// The largest sum of three unknowns of which no two exceed 1 is 3/2, at ½ each:
// no whole corner has it, and the bound is rounded inwards.
func TestRanges_Halves(t *testing.T) {
	// x + y + s = 1, y + z + t = 1, x + z + u = 1: x + y + z is at most 3/2.
	eqs := []solve.Equation{
		{Plus: []int{0, 1, 3}, Sum: 1}, {Plus: []int{1, 2, 4}, Sum: 1}, {Plus: []int{0, 2, 5}, Sum: 1},
		{Plus: []int{6}, Minus: []int{0, 1, 2}},
	}
	got := solve.Ranges(7, eqs, 1<<20)[6]
	if got.Low != 0 || got.High != 1 || !got.Met || got.Least != 0 || got.Most != 1 {
		t.Errorf("x + y + z lies in %+v", got)
	}
}

// Counts that would not fit have the outer bounds, and no wrong ones.
func TestRanges_Large(t *testing.T) {
	const n = int64(1) << 45
	for _, r := range solve.Ranges(2, []solve.Equation{{Plus: []int{0, 1}, Sum: n}, {Plus: []int{0}, Minus: []int{1}, Sum: n - 2}}, 1<<20) {
		if r.Low < 0 || r.High > n || r.Low > r.High || r.Met && (r.Least < r.Low || r.Most > r.High) {
			t.Errorf("%+v", r)
		}
	}
}
