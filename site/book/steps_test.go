package book_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/disk/database"
	"wellspring/policy/near"
	"wellspring/site/book"
	"wellspring/study"
)

func histogram(bins int, by string) study.Analysis {
	a := describes("bmi")
	a.Bins, a.By = bins, by
	return a
}

// Two sets of bins may not part a few persons between their edges; the same ones, or clearly others, may be asked for. bmi is
// 20 to 30 of 10 to 60, of 30 persons a unit.
func TestBook_Histograms(t *testing.T) {
	for _, c := range []struct {
		what, where string
		bins        int
		by          string
		far         bool
	}{
		{"the same", "", 10, "", true},
		{"each bin in two", "", 20, "", true},
		{"edges that part ten and more", "", 27, "", true},
		{"an edge a sixth of a unit from a former", "", 33, "", false},
		{"the same of some of the rows", "age < 60", 10, "", true},
		{"the same by a factor", "", 10, "sex", true},
		{"the same of clearly other rows, but for a few below an edge", "bmi > 20.1 and (bmi < 26 or age < 50)", 10, "", false},
	} {
		w := newWorld(t)
		w.answered("uni", "", histogram(10, ""))
		w.answered("uni", "", model("bmi ~ age + sex"))
		if c.far {
			w.answered("uni", c.where, histogram(c.bins, c.by))
			w.answered("uni", c.where, histogram(c.bins, c.by))
		} else {
			w.refused("uni", c.where, histogram(c.bins, c.by))
		}
	}
	w := newWorld(t)
	w.answered("uni", "", histogram(10, "sex"))
	w.answered("uni", "sex = 'F'", histogram(10, ""))
	w.refused("uni", "sex = 'F'", histogram(33, ""))
	w.refused("uni", "sex = 'F' and bmi <= 24.8", describes("age")) // what lies up to an edge, but for a few
}

// So it is within one study.
func TestBook_HistogramsWithin(t *testing.T) {
	for bins, far := range map[int]bool{10: true, 20: true, 33: false} {
		w := newWorld(t)
		s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "two"}, Data: study.Data{Dataset: "people"}}
		for i, n := range []int{10, bins} {
			a := histogram(n, "")
			a.ID = fmt.Sprint("a", i)
			s.Analyses = append(s.Analyses, a)
		}
		if _, err := w.study("uni", s); far && err != nil || !far && !near.Replied(err) {
			t.Errorf("%d bins: %v", bins, err)
		}
	}
}

// Rows that add up are those of each step before, whether or not somebody was told of that, and as long as a cohort
// has them.
func TestRun_Steps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cohorts.db")
	b, err := book.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	steps := []*roaring.Bitmap{roaring.BitmapOf(0, 1, 2), roaring.BitmapOf(3), roaring.BitmapOf(4, 5, 6, 7), bitmaps(20)[0]}
	persons := []int64{30, 0, 80, 200} // the second is told with the third
	reserve := func(name string) {
		r := b.Run(name, "a", book.Group{Asker: "uni", Dataset: "people"}, 1)
		if _, err := r.Earlier(); err != nil {
			t.Fatal(err)
		}
		var now []near.Cohort
		for i := range steps {
			c := near.Cohort{Index: i, After: i, Sites: []ws.SiteID{"a"}, Definition: near.Definition{Rows: fmt.Sprint("bmi <= ", i)}}
			if i == 3 {
				c.After = 0
			}
			now = append(now, c)
		}
		if err := r.Reserve(now, steps); err != nil {
			t.Fatal(err)
		}
		for i := range now {
			now[i].Persons = persons[i]
		}
		if err := r.Answered(now, 10); err != nil {
			t.Fatal(err)
		}
	}
	reserve("one")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err = book.Open(path); err != nil {
		t.Fatal(err)
	}
	one := b.Run("one", "a", book.Group{Asker: "uni", Dataset: "people"}, 1)
	earlier, err := b.Run("next", "a", book.Group{Asker: "uni", Dataset: "people"}, 1).Earlier()
	if err != nil || len(earlier) != 3 {
		t.Fatal(earlier, err)
	}
	overlaps, err := one.Overlaps(near.Span{Now: []int{2}, Earlier: []int{0, 1, 2}}, earlier)
	if got := fmt.Sprint(overlaps); err != nil || got != "[3 3 8 3 8 8]" { // of each two, then of the third with each
		t.Error(got, err)
	}
	reserve("two") // by the same definitions: kept once
	if again, err := b.Run("last", "a", book.Group{Asker: "uni", Dataset: "people"}, 1).Earlier(); err != nil || len(again) != 3 {
		t.Error(again, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := database.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var n int
	if err := file.QueryRow(`SELECT count(*) FROM steps`).Scan(&n); err != nil || n != 3 {
		t.Errorf("%d steps are kept: %v", n, err)
	}
}
