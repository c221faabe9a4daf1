package book

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"wellspring/policy/near"
)

// Distances implements [analyze.Memory]. Cohorts are read one by one, the last few kept.
//
// Rows of another version are compared by their number alone, which can only make the distance less. So is it
// where this site was asked before, says another, and the book has nothing of it: as
// after the loss of the file.
func (r *Run) Distances(asks []near.Ask, earlier []near.Cohort, most int64) ([]int64, error) {
	s := shelf{run: r, earlier: earlier, most: uint64(most), sizes: map[name]size{}}
	out := make([]int64, len(asks))
	for i, a := range asks {
		d, err := s.distance(a)
		if err != nil {
			return nil, trouble("book.Distances", err)
		}
		out[i] = int64(min(d, uint64(most)))
	}
	return out, nil
}

// keep bounds the cohorts that are in memory at one time.
const keep = 32

// A shelf holds cohorts that were read.
type shelf struct {
	run     *Run
	earlier []near.Cohort
	most    uint64 // of a distance
	sizes   map[name]size
	own     int // the number of the run's cohort that now is
	now     *roaring.Bitmap
	read    []volume // the newest last
}

// A name is that of a cohort.
type name struct {
	run    string
	number int
}

// A size is how many rows it has here.
type size struct {
	rows  uint64
	known bool
}

type volume struct {
	at    int
	rows  *roaring.Bitmap // none where the site was not asked
	moved bool            // of another version than the run's
	lost  bool
}

func (s *shelf) distance(a near.Ask) (uint64, error) {
	if apart, err := s.apart(a); apart || err != nil {
		return s.most, err
	}
	if s.now == nil || s.own != a.New {
		rows, _, err := s.run.load(s.run.run, a.New)
		if err != nil {
			return 0, err
		}
		if rows == nil { // reserved before the round was answered
			return 0, nil
		}
		s.own, s.now = a.New, rows
	}
	first, err := s.volume(a.First)
	if err != nil {
		return 0, err
	}
	second := volume{rows: roaring.New()}
	if a.Second >= 0 {
		if second, err = s.volume(a.Second); err != nil {
			return 0, err
		}
	}
	switch {
	case first.lost || second.lost:
		return 0, nil
	case first.moved || second.moved:
		return near.Least(s.now.GetCardinality(), first.rows.GetCardinality(), second.rows.GetCardinality(), a.Sign), nil
	}
	return near.Distance(s.now, first.rows, second.rows, a.Sign), nil
}

// apart reports whether the numbers of rows alone say that two cohorts differ by as many as
// matter, so that none needs to be read.
func (s *shelf) apart(a near.Ask) (bool, error) {
	if a.Second >= 0 {
		return false, nil
	}
	own, err := s.size(name{s.run.run, a.New})
	if err != nil || !own.known {
		return false, err
	}
	first := size{known: true}
	if e := s.earlier[a.First]; slices.Contains(e.Sites, s.run.self) {
		if first, err = s.size(name{s.run.named(e), e.Index}); err != nil || !first.known {
			return false, err
		}
	}
	return max(own.rows, first.rows)-min(own.rows, first.rows) >= s.most, nil
}

func (s *shelf) size(of name) (size, error) {
	if n, read := s.sizes[of]; read {
		return n, nil
	}
	n, err := s.run.size(of)
	s.sizes[of] = n
	return n, err
}

func (s *shelf) volume(at int) (volume, error) {
	if i := slices.IndexFunc(s.read, func(v volume) bool { return v.at == at }); i >= 0 {
		return s.read[i], nil
	}
	e := s.earlier[at]
	v := volume{at: at, rows: roaring.New()}
	if slices.Contains(e.Sites, s.run.self) {
		rows, version, err := s.run.load(s.run.named(e), e.Index)
		if err != nil {
			return v, err
		}
		if v.lost = rows == nil; !v.lost {
			v.rows, v.moved = rows, version != s.run.version
		}
	}
	if s.read = append(s.read, v); len(s.read) > keep {
		s.read = s.read[1:]
	}
	return v, nil
}
