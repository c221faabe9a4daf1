package near_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"wellspring/policy"
	"wellspring/policy/near"
)

// What is left of a cohort is what least squares leave on the rows themselves, and a person with more than a k-th of it
// ends the study.
func TestJudgeSpan(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 13))
	p := policy.Default()
	refused := 0
	for range 300 {
		const rows, before = 120, 8
		x := mat.NewDense(rows, before, nil)
		y := mat.NewVecDense(rows, nil)
		for r := range rows {
			for c := range before {
				x.Set(r, c, float64(rng.IntN(2)))
			}
		}
		switch rng.IntN(3) {
		case 0: // some rows other than a cohort, or the sum of two that have none in common
			for r := range rows {
				if y.SetVec(r, x.At(r, 0)); rng.IntN(2) == 0 && x.At(r, 0) == 0 {
					x.Set(r, 1, 0)
				}
			}
			for range rng.IntN(20) {
				r := rng.IntN(rows)
				y.SetVec(r, 1-x.At(r, 0))
			}
		default:
			for r := range rows {
				y.SetVec(r, float64(rng.IntN(2)))
			}
		}
		now, earlier, span, overlaps := spanOf(x, y)
		rests, err := near.JudgeSpan(p, people, span, overlaps, now, earlier)
		left, most := leastSquares(x, y)
		if err != nil {
			if left > 1e-6 || !near.Replied(err) {
				t.Fatalf("%v is left: %v", left, err)
			}
			refused++
			continue
		}
		if (len(rests.List) == 1) != (left < 4000) || len(rests.List) == 1 && math.Abs(rests.List[0].Left-left) > 1e-6 {
			t.Fatalf("%v is left, told %v", left, rests)
		}
		if len(rests.List) == 0 {
			continue
		}
		values, hat := map[float64]int64{}, leverages(x, y)
		for r := range rows {
			v := y.AtVec(r)
			for _, w := range rests.List[0].Weights {
				v -= w.Weight * x.At(r, w.Earlier)
			}
			values[math.Round(v*1e9)/1e9]++
			var in []float64
			for _, c := range rests.Bases[0].Of {
				in = append(in, x.At(r, c))
			}
			if h := rests.List[0].Leverage(rests.Bases[0], in, v); math.Abs(h-hat[r]) > 1e-6 {
				t.Fatalf("row %d has leverage %v, want %v", r, h, hat[r])
			}
		}
		share := rests.List[0].Share(p.MinCell, values)
		err = near.JudgeRests(p, rests, []float64{share}, []int64{3}, []int64{0}, now, earlier)
		if most <= left/10*(1-1e-6) && err != nil || most > left/5 && err == nil {
			t.Fatalf("one person has %v of %v: %v", most, left, err)
		}
		if err != nil {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d were refused", refused)
	}
}

// spanOf gives cohorts of the columns of x and of y, with their overlaps.
func spanOf(x *mat.Dense, y *mat.VecDense) (now, earlier []near.Cohort, s near.Span, overlaps []int64) {
	rows, before := x.Dims()
	dot := func(a, b func(r int) float64) (n int64) {
		for r := range rows {
			n += int64(a(r) * b(r))
		}
		return n
	}
	column := func(c int) func(r int) float64 { return func(r int) float64 { return x.At(r, c) } }
	for c := range before {
		s.Earlier = append(s.Earlier, c)
		earlier = append(earlier, cohort(fmt.Sprint(c), dot(column(c), column(c)), fmt.Sprintf("bmi > age or age = %d", 20+c), "bmi"))
		for b := range c {
			overlaps = append(overlaps, dot(column(c), column(b)))
		}
	}
	for c := range before {
		overlaps = append(overlaps, dot(y.AtVec, column(c)))
	}
	s.Now, s.Columns = []int{0}, [][]string{{"bmi"}}
	return []near.Cohort{cohort("", dot(y.AtVec, y.AtVec), "bmi > age or age = 70", "bmi")}, earlier, s, overlaps
}

// leverages are those of the rows in the space of x and y, by a singular value decomposition.
func leverages(x *mat.Dense, y *mat.VecDense) []float64 {
	var all, u mat.Dense
	all.Augment(x, y)
	var svd mat.SVD
	svd.Factorize(&all, mat.SVDThin)
	svd.UTo(&u)
	rows, _ := x.Dims()
	out := make([]float64, rows)
	for c := range svd.Rank(1e-9) {
		for r := range out {
			out[r] += u.At(r, c) * u.At(r, c)
		}
	}
	return out
}

// leastSquares is an independent one: what is left of y, and the most that one row has of it.
func leastSquares(x *mat.Dense, y *mat.VecDense) (left, most float64) {
	var svd mat.SVD
	svd.Factorize(x, mat.SVDThin)
	var w, fitted mat.Dense
	svd.SolveTo(&w, y, svd.Rank(1e-9))
	fitted.Mul(x, &w)
	rows, _ := x.Dims()
	for r := range rows {
		d := y.AtVec(r) - fitted.At(r, 0)
		left, most = left+d*d, max(most, d*d)
	}
	return left, most
}

// A site that has a whole row of a rest counts among its institutions, however many rows there are; one that has
// pieces of a few does not.
func TestWholeRows(t *testing.T) {
	for left := 10.0; left < 40; left++ {
		r := near.Rest{Left: left}
		if n := near.WholeRows(r.Share(10, map[float64]int64{1: 1})); n < 1 {
			t.Errorf("one row of %v counts %v", left, n)
		}
		if n := near.WholeRows(r.Share(10, map[float64]int64{0.05: 9})); n != 0 {
			t.Errorf("a twentieth of nine rows of %v counts %v", left, n)
		}
	}
}
