package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/policy/near"
	"wellspring/site"
	"wellspring/site/book"
)

const (
	guardColumns = 10
	guardCohorts = 1000 // that the asker was answered on before
	guardPerRun  = 10   // of them in one study
)

// A band is an earlier study's filter: a column of the cohort within bounds.
type band struct {
	column   int
	low, top float64
}

func (b band) String() string {
	return fmt.Sprintf("x%d >= %.6f and x%d < %.6f", b.column+1, b.low, b.column+1, b.top)
}

// A past is what one asker was answered on: definitions, and the rows of each at each site.
type past struct {
	defs []near.Definition
	rows [][]*roaring.Bitmap // by site and definition
}

// proveGuard fits a logistic model over 10,000,000 rows at one site and two small ones, with what these
// remember of 1,000 earlier cohorts and without, in turns: each time the memory is as it was before. The small
// sites and the hub share the process, whose peaks are compared.
func proveGuard(ctx context.Context, scale float64, r *Report) error {
	list := []cohort{{1, scaled(10_000_000, scale, 10_000), guardColumns}, {2, 1000, guardColumns}, {3, 1000, guardColumns}}
	w, err := openCohorts(ctx, 128, list)
	if err != nil {
		return err
	}
	defer w.close()
	r.Peer = "the same model over the same rows without a memory, in turns with it, in the same run; memory by the kernel's count (VmHWM)"
	r.add("rows at the large site", float64(list[0].rows), "")
	r.add("earlier cohorts", guardCohorts, "")
	pairs := scaled(5, scale, 2)
	mixed, events := bands(list)
	cost, mib, err := w.guarded(ctx, r, "mixed sizes", &mixed, pairs)
	if err != nil {
		return err
	}
	fast := r.atMost("the guard's share of a query", cost, 5, "%")
	small := r.atMost("the guard's memory", mib, 200, "MiB")
	equal := alike(list, events)
	if _, _, err := w.guarded(ctx, r, "worst case, all as large as a cell", &equal, scaled(2, scale, 1)); err != nil {
		return err
	}
	r.Holds = fast && small
	return nil
}

// guarded measures a model with a memory of p and without, and gives what the memory costs in percent and MiB.
func (w *wing) guarded(ctx context.Context, r *Report, name string, p *past, pairs int) (cost, mib float64, err error) {
	if err := w.fill(*p); err != nil {
		return 0, 0, err
	}
	p.rows = nil // for the peaks
	var plain, guarded, more []float64
	for range pairs {
		var took [2]float64
		var top [2]float64
		for with := range 2 {
			fit := func() (err error) {
				took[with], err = timed(func() error { _, err := w.fit(ctx, guardColumns); return err })
				return err
			}
			done, err := w.remember(with == 1)
			if err != nil {
				return 0, 0, err
			}
			top[with], err = peak(fit)
			if err := errors.Join(err, done()); err != nil {
				return 0, 0, err
			}
		}
		plain, guarded, more = append(plain, took[0]), append(guarded, took[1]), append(more, top[1]-top[0])
	}
	ratios := make([]float64, pairs)
	for i := range ratios {
		ratios[i] = 100 * (guarded[i]/plain[i] - 1)
	}
	cost, mib = median(ratios), median(more)/(1<<20)
	r.add(name+": without a memory, median", median(plain), "s")
	r.add(name+": with it, median", median(guarded), "s")
	r.add(name+": the guard, median of pairs", cost, "%")
	r.add(name+": memory that it adds at the peak, median", mib, "MiB")
	return cost, mib, nil
}

// bands are filters whose shares of the rows lie from a ten-thousandth to a half, evenly by their logarithms, with the rows
// that they have, and how many rows of all have an event.
func bands(list []cohort) (p past, events int) {
	rng := rand.New(rand.NewPCG(11, 13))
	var all []band
	for i := range guardCohorts {
		share := math.Exp(math.Log(1e-4) + rng.Float64()*(math.Log(0.5)-math.Log(1e-4)))
		low := rng.Float64() * (1 - share)
		b := band{i % guardColumns, normalQuantile(low), normalQuantile(low + share)}
		all = append(all, b)
		p.defs = append(p.defs, near.Definition{Where: b.String(), Rows: b.String(), Reads: []string{fmt.Sprintf("x%d", b.column+1), "x1", "x2"}})
	}
	for _, c := range list {
		sets := make([]*roaring.Bitmap, len(all))
		for i := range sets {
			sets[i] = roaring.New()
		}
		from := uint32(0)
		for batch := range c.batches() {
			for i, b := range all {
				var places []uint32
				for r, x := range batch.Columns[b.column].Real {
					if x >= b.low && x < b.top {
						places = append(places, from+uint32(r))
					}
				}
				sets[i].AddMany(places)
			}
			for _, y := range batch.Columns[guardColumns].Real {
				events += int(y)
			}
			from += uint32(batch.Rows)
		}
		p.rows = append(p.rows, sets)
	}
	return p, events
}

// normalQuantile is Φ⁻¹.
func normalQuantile(p float64) float64 {
	return math.Sqrt2 * math.Erfinv(2*min(max(p, 1e-12), 1-1e-12)-1)
}

// alike are row sets drawn by lot, each of as many rows over all sites as have an event: every one may be the
// cohort that the model makes of these, and each is compared.
func alike(list []cohort, events int) (p past) {
	rng := rand.New(rand.NewPCG(17, 19))
	total := 0
	for _, c := range list {
		total += c.rows
	}
	p.rows = make([][]*roaring.Bitmap, len(list))
	for i := range guardCohorts {
		left := events
		for s := len(list) - 1; s >= 0; s-- {
			want := left
			if s > 0 {
				want = events * list[s].rows / total
			}
			left -= want
			p.rows[s] = append(p.rows[s], drawn(rng, list[s].rows, want))
		}
		where := fmt.Sprintf("x1 >= %.6f", -9+float64(i)/1000)
		p.defs = append(p.defs, near.Definition{Where: where, Rows: where, Reads: []string{"x1", "y"}})
	}
	return p
}

// drawn takes want of so many rows: three in eight by words of random bits, then one by one.
func drawn(rng *rand.Rand, rows, want int) *roaring.Bitmap {
	words := make([]uint64, (rows+63)/64)
	for i := range words {
		words[i] = (rng.Uint64() | rng.Uint64()) & rng.Uint64()
	}
	b := roaring.FromDense(words, false)
	b.RemoveRange(uint64(rows), uint64(len(words))*64)
	for n := int(b.GetCardinality()); n != want; n = int(b.GetCardinality()) {
		places := make([]uint32, max(n-want, want-n))
		for i := range places {
			places[i] = uint32(rng.IntN(rows))
		}
		if n < want {
			b.AddMany(places)
			continue
		}
		for _, place := range places {
			b.Remove(place)
		}
	}
	return b
}

// fill writes a book for each site with the cohorts of p, by studies.
func (w *wing) fill(p past) error {
	persons := make([]int64, len(p.defs))
	var ids []ws.SiteID
	for s, at := range w.sites {
		ids = append(ids, at.ID)
		for i, rows := range p.rows[s] {
			persons[i] += int64(rows.GetCardinality())
		}
	}
	for s, at := range w.sites {
		path := filepath.Join(w.dir, string(at.ID)+".past")
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		b, err := book.Open(path)
		if err != nil {
			return err
		}
		for from := 0; from < len(p.defs); from += guardPerRun {
			run := b.Run(fmt.Sprintf("run-%04d", from), at.ID, guardGroup, 1)
			var now []near.Cohort
			for i := from; i < from+guardPerRun; i++ {
				now = append(now, near.Cohort{Index: i - from, Persons: persons[i], Sites: ids, Definition: p.defs[i]})
			}
			_, err := run.Earlier()
			if err := errors.Join(err, run.Reserve(now, p.rows[s][from:from+guardPerRun]), run.Answered(now, 10)); err != nil {
				return errors.Join(err, b.Close())
			}
		}
		if err := b.Close(); err != nil {
			return err
		}
	}
	return nil
}

var guardGroup = book.Group{Asker: "university", Dataset: dataset}

// remember gives each site a book with the past as it was filled, or takes its memory away. The books are
// closed by what it returns.
func (w *wing) remember(with bool) (func() error, error) {
	var open []*book.Book
	done := func() (err error) {
		for _, b := range open {
			err = errors.Join(err, b.Close())
		}
		return err
	}
	for i, at := range w.sites {
		w.sites[i].Memory = nil
		if !with {
			continue
		}
		path := filepath.Join(w.dir, string(at.ID)+".db")
		if err := copyFile(path, filepath.Join(w.dir, string(at.ID)+".past")); err != nil {
			return done, errors.Join(err, done())
		}
		b, err := book.Open(path)
		if err != nil {
			return done, errors.Join(err, done())
		}
		open = append(open, b)
		w.sites[i].Memory = func(run string) site.Memory { return b.Run(run, at.ID, guardGroup, 1) }
	}
	return done, nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // it was only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
