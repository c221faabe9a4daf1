package book

import (
	"errors"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"wellspring/policy/near"
)

// block is how many cohorts are held against as many others at one time: of 10,000,000 rows
// 64 MiB.
const block = 24

// Overlaps implements [analyze.Memory]. A cohort of which this site was not asked has no row here.
func (r *Run) Overlaps(span near.Span, earlier []near.Cohort) ([]int64, error) {
	out := make([]int64, span.Len())
	n := len(span.Earlier)
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		rows, err := r.shelfOf(span.Earlier[from:to], earlier)
		if err != nil {
			return nil, trouble("book.Overlaps", err)
		}
		for first := 0; first <= from; first += block {
			others := rows
			if first < from {
				if others, err = r.shelfOf(span.Earlier[first:min(first+block, n)], earlier); err != nil {
					return nil, trouble("book.Overlaps", err)
				}
			}
			for a := from; a < to; a++ {
				for b := first; b < min(first+block, a); b++ {
					out[a*(a-1)/2+b] = int64(rows[a-from].AndCardinality(others[b-first]))
				}
			}
		}
		for i, number := range span.Now {
			own, err := r.own(number)
			if err != nil {
				return nil, trouble("book.Overlaps", err)
			}
			for a := from; a < to; a++ {
				out[n*(n-1)/2+i*n+a] = int64(own.AndCardinality(rows[a-from]))
			}
		}
	}
	return out, nil
}

// shelfOf reads some cohorts.
func (r *Run) shelfOf(list []int, earlier []near.Cohort) (out []*roaring.Bitmap, err error) {
	for _, at := range list {
		e, rows := earlier[at], (*roaring.Bitmap)(nil)
		if slices.Contains(e.Sites, r.self) {
			if rows, _, err = r.load(r.named(e), e.Index); err != nil {
				return nil, err
			}
		}
		if rows == nil {
			rows = roaring.New()
		}
		out = append(out, rows)
	}
	return out, nil
}

// own reads a cohort of the run, which was reserved before the round was answered.
func (r *Run) own(number int) (*roaring.Bitmap, error) {
	rows, _, err := r.load(r.run, number)
	if err == nil && rows == nil {
		err = errors.New("a cohort of the run is gone")
	}
	return rows, err
}

// Shares implements [analyze.Memory]. Cost: a number for each row of the site, and |basis|² for each row of which a rest
// tells.
func (r *Run) Shares(rests near.Rests, earlier []near.Cohort, k int64, leverage float64) ([]float64, []bool, error) {
	out, passed := make([]float64, len(rests.List)), make([]bool, len(rests.List))
	for i, rest := range rests.List {
		own, err := r.own(rest.New)
		if err != nil {
			return nil, nil, trouble("book.Shares", err)
		}
		left := remainder{}
		left.add(own, 1)
		for _, w := range rest.Weights {
			rows, err := r.shelfOf([]int{w.Earlier}, earlier)
			if err != nil {
				return nil, nil, trouble("book.Shares", err)
			}
			left.add(rows[0], -w.Weight)
		}
		out[i] = rest.Share(k, left.values())
		if passed[i], err = r.passed(left, rest, rests.Bases[rest.Basis].First(rest.Size), earlier, leverage); err != nil {
			return nil, nil, trouble("book.Shares", err)
		}
	}
	return out, passed, nil
}

// passed reports whether a row's leverage among the cohorts of a basis and a new one passes the limit.
func (r *Run) passed(left remainder, rest near.Rest, basis near.Basis, earlier []near.Cohort, limit float64) (bool, error) {
	var places []uint32
	for p, x := range left {
		if rest.Told(x) {
			places = append(places, uint32(p))
		}
	}
	in := make([][]float64, len(places))
	for i := range in {
		in[i] = make([]float64, len(basis.Of))
	}
	for c, at := range basis.Of {
		rows, err := r.shelfOf([]int{at}, earlier)
		if err != nil {
			return false, err
		}
		for i, p := range places {
			if rows[0].Contains(p) {
				in[i][c] = 1
			}
		}
	}
	for i, p := range places {
		if rest.Leverage(basis, in[i], left[p]) > limit {
			return true, nil
		}
	}
	return false, nil
}

// A remainder is 1_c less weighted earlier cohorts, row by row.
type remainder []float64

func (x *remainder) add(rows *roaring.Bitmap, weight float64) {
	if rows.IsEmpty() {
		return
	}
	if n := int(rows.Maximum()) + 1; n > len(*x) {
		*x = append(*x, make([]float64, n-len(*x))...)
	}
	for it := rows.ManyIterator(); ; {
		var places [4096]uint32
		n := it.NextMany(places[:])
		if n == 0 {
			return
		}
		for _, p := range places[:n] {
			(*x)[p] += weight
		}
	}
}

// values counts the rows of each remainder, up to rounding.
func (x remainder) values() map[float64]int64 {
	out := map[float64]int64{}
	for _, v := range x {
		if v = math.Round(v*1e9) / 1e9; v != 0 {
			out[v]++
		}
	}
	return out
}
