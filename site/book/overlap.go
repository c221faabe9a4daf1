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

// Shares implements [analyze.Memory]. Cost: a number for each row of the site.
func (r *Run) Shares(rests []near.Rest, earlier []near.Cohort, k int64) ([]float64, error) {
	out := make([]float64, len(rests))
	for i, rest := range rests {
		own, err := r.own(rest.New)
		if err != nil {
			return nil, trouble("book.Shares", err)
		}
		left := remainder{}
		left.add(own, 1)
		for _, w := range rest.Weights {
			rows, err := r.shelfOf([]int{w.Earlier}, earlier)
			if err != nil {
				return nil, trouble("book.Shares", err)
			}
			left.add(rows[0], -w.Weight)
		}
		out[i] = rest.Share(k, left.values())
	}
	return out, nil
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
