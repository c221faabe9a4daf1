package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"wellspring/policy"
)

// proveSuppress protects and audits random tables of 10 × 10 × 5 cells, of which
// a fourth, and then one in fifty, is below the default limit, and holds what is
// hidden against the plain rule that leaves out whole levels until no small cell
// is left, that with most of them first.
func proveSuppress(ctx context.Context, scale float64, r *Report) error {
	r.Peer = "leaving out whole rows, columns and layers until no cell below the limit is left, that with most of them first, in the same run"
	tables := scaled(100, scale, 2)
	r.add("tables of each kind", float64(tables), "")
	r.Holds = true
	for _, kind := range []struct {
		name  string
		share float64
	}{{"a fourth small", 0.25}, {"one in fifty small", 0.02}} {
		var all protections
		for seed := range tables {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := all.one(sparse(uint64(seed), kind.share)); err != nil {
				return fmt.Errorf("%s, table %d: %w", kind.name, seed, err)
			}
		}
		at := func(name string) string { return kind.name + ": " + name }
		r.add(at("below the limit, mean"), mean(all.small), "cells")
		r.add(at("hidden beyond these, mean"), mean(all.more), "cells")
		r.add(at("the same by the plain rule"), mean(all.plain), "cells")
		r.add(at("persons in cells shown, mean"), 100*mean(all.kept), "%")
		r.add(at("the same by the plain rule"), 100*mean(all.left), "%")
		r.add(at("audited exactly"), 100*mean(all.exact), "% of hidden cells")
		r.add(at("protecting, median"), median(all.protect), "s")
		r.add(at("auditing, median"), median(all.audit), "s")
		r.Holds = r.atMost(at("both, slowest table"), slices.Max(all.both), 1, "s") && r.Holds
	}
	return nil
}

// protections has a number a table.
type protections struct {
	protect, audit, both           []float64 // seconds
	small, more, kept, plain, left []float64 // see hiddenIn and leaveOut
	exact                          []float64 // share of hidden cells
}

// one protects and audits a table. It fails where the audit does not hold the
// truth, or leaves a small cell less than the limit.
func (all *protections) one(cells []int64) error {
	p, counts := policy.Default(), tenTenFive.WithTotals(cells)
	var box policy.Box
	var bounds []policy.Bound
	t, _ := timed(func() error {
		box = p.Box(tenTenFive, counts, slices.Repeat([]int64{p.MinInstitutions}, len(counts)))
		return nil
	})
	u, _ := timed(func() error { bounds = box.Audit(); return nil })
	if box.Axes != tenTenFive {
		return errors.New("a level was left out")
	}
	exact := 0.0
	for _, b := range bounds {
		n := counts[tenTenFive.At(b.Cell)]
		if n < b.Low || n > b.High || p.Hidden(n, p.MinInstitutions) && b.High-b.Low < p.MinCell {
			return fmt.Errorf("cell %v is not safe, or the audit is wrong", b.Cell)
		}
		if b.Met && b.Least == b.Low && b.Most == b.High {
			exact++
		}
	}
	small, hidden, kept := hiddenIn(box, p)
	lost, left := leaveOut(tenTenFive, cells, p)
	all.protect, all.audit, all.both = append(all.protect, t), append(all.audit, u), append(all.both, t+u)
	all.small, all.more, all.kept = append(all.small, small), append(all.more, hidden-small), append(all.kept, kept)
	all.plain, all.left = append(all.plain, lost-small), append(all.left, left)
	all.exact = append(all.exact, exact/float64(max(len(bounds), 1)))
	return nil
}

var tenTenFive = policy.Axes{10, 10, 5}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// sparse makes the cells of a table: a share has 1 to 9 persons, a fourth as many
// nobody, the others 10 to 99.
func sparse(seed uint64, share float64) []int64 {
	r := rand.New(rand.NewPCG(seed, 10))
	a := tenTenFive
	cells := make([]int64, a[0]*a[1]*a[2])
	for i := range cells {
		switch x := r.Float64(); {
		case x < share:
			cells[i] = 1 + r.Int64N(9)
		case x > share*5/4:
			cells[i] = 10 + r.Int64N(90)
		}
	}
	return cells
}

// hiddenIn counts the cells and totals that had to be hidden and all that are,
// and the share of persons in cells shown.
func hiddenIn(b policy.Box, p policy.Policy) (small, hidden, persons float64) {
	for at, n := range b.Counts {
		over := b.Axes.Totals(b.Axes.Cell(at))
		if over < 2 && p.Hidden(n, p.MinInstitutions) {
			small++
		}
		if b.Hidden[at] {
			hidden++
		} else if over == 0 {
			persons += float64(n)
		}
	}
	return small, hidden, persons / float64(b.Counts[len(b.Counts)-1])
}

// leaveOut leaves levels out until no small cell is left, and counts the cells
// that go with them and the share of persons in those that stay.
func leaveOut(a policy.Axes, cells []int64, p policy.Policy) (lost, persons float64) {
	var out [3][]bool
	for d, n := range a {
		out[d] = make([]bool, n)
	}
	all := 0.0
	for {
		var small [3][]int
		for d, n := range a {
			small[d] = make([]int, n)
		}
		lost, persons, all = 0, 0, 0
		for i, n := range cells {
			c := [3]int{i / (a[1] * a[2]), i / a[2] % a[1], i % a[2]}
			all += float64(n)
			if out[0][c[0]] || out[1][c[1]] || out[2][c[2]] {
				lost++
				continue
			}
			persons += float64(n)
			for d := range c {
				if p.Hidden(n, p.MinInstitutions) {
					small[d][c[d]]++
				}
			}
		}
		worst, level := 0, 0
		for d := range small {
			for i, n := range small[d] {
				if n > small[worst][level] {
					worst, level = d, i
				}
			}
		}
		if small[worst][level] == 0 {
			return lost, persons / all
		}
		out[worst][level] = true
	}
}
