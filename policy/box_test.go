package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"wellspring/policy"
)

// withTotals makes a list of all cells, totals among them, of the cells alone.
func withTotals(a policy.Axes, inner []int64) []int64 {
	out := make([]int64, a.Len())
	eachInner(a, func(n int, at []int) {
		for _, t := range at {
			out[t] += inner[n]
		}
	})
	return out
}

// eachInner visits the cells in order, each with its place and those of all
// totals that it counts in, its own first.
func eachInner(a policy.Axes, visit func(n int, at []int)) {
	n := 0
	for i := range a[0] {
		for j := range a[1] {
			for l := range a[2] {
				var at []int
				for in := range 8 {
					c := [3]int{i, j, l}
					for d := range c {
						if in>>d&1 == 1 {
							c[d] = a[d]
						}
					}
					at = append(at, a.At(c))
				}
				visit(n, at)
				n++
			}
		}
	}
}

// primaryBox hides the counts below k, 0 only if zeros says so, of cells and of
// totals over one index.
func primaryBox(a policy.Axes, counts []int64, k int64, zeros bool) []bool {
	out := make([]bool, len(counts))
	for at, n := range counts {
		out[at] = a.Totals(a.Cell(at)) < 2 && n < k && (n > 0 || zeros)
	}
	return out
}

// enough reports whether the total of every level is at least k.
func enough(a policy.Axes, counts []int64, k int64) bool {
	for at, n := range counts {
		if a.Totals(a.Cell(at)) == 2 && n < k {
			return false
		}
	}
	return true
}

// A burglar walks through every three-way table that agrees with what is shown.
type burglar struct {
	cells     [][]int // by cell, its place and those of its totals
	counts    []int64
	hidden    []bool
	left      []int64 // of what is shown, what the cells so far leave
	last      [][]int // by cell, the totals shown of which it is the last
	guess     []int64 // totals among them
	low, high []int64
	tables    int
}

func newBurglar(a policy.Axes, counts []int64, hidden []bool) *burglar {
	b := &burglar{counts: counts, hidden: hidden, left: slices.Clone(counts), guess: make([]int64, len(counts)),
		low: slices.Repeat([]int64{1 << 40}, len(counts)), high: slices.Repeat([]int64{-1}, len(counts))}
	end := map[int]int{}
	eachInner(a, func(n int, at []int) {
		b.cells = append(b.cells, at)
		for _, t := range at {
			end[t] = n
		}
	})
	b.last = make([][]int, len(b.cells))
	for t, n := range end {
		if !hidden[t] {
			b.last[n] = append(b.last[n], t)
		}
	}
	return b
}

func (b *burglar) walk(n int) {
	if n == len(b.cells) {
		b.tables++
		for at, v := range b.guess {
			b.low[at], b.high[at] = min(b.low[at], v), max(b.high[at], v)
		}
		return
	}
	at := b.cells[n]
	from, to := int64(0), int64(1)<<40
	if !b.hidden[at[0]] {
		from, to = b.counts[at[0]], b.counts[at[0]]
	}
	for _, t := range at[1:] {
		if !b.hidden[t] {
			to = min(to, b.left[t])
		}
	}
	for v := from; v <= to; v++ {
		b.put(at, v)
		if !slices.ContainsFunc(b.last[n], func(t int) bool { return t != at[0] && b.left[t] != 0 }) {
			b.walk(n + 1)
		}
		b.put(at, -v)
	}
}

func (b *burglar) put(at []int, v int64) {
	for _, t := range at {
		b.left[t] -= v
		b.guess[t] += v
	}
}

// breakIn fails the test unless every cell that had to be hidden has a range of
// k or more, and the audit says of all hidden cells what the walk finds. It
// reports whether a way to protect all of them was found, and how many bounds
// were exact, of how many.
func breakIn(t *testing.T, a policy.Axes, counts []int64, k int64, zeros bool) (found bool, exact, all int) {
	t.Helper()
	own := primaryBox(a, counts, k, zeros)
	hidden, stuck := policy.SuppressBox(a, counts, own, k)
	if stuck >= 0 {
		return false, 0, 0
	}
	b := newBurglar(a, counts, hidden)
	b.walk(0)
	box := policy.Box{Axes: a, Counts: counts, Hidden: hidden}
	bounds := box.Audit()
	blank := slices.Clone(counts)
	for at, h := range hidden {
		c := a.Cell(at)
		switch {
		case own[at] && !h:
			t.Fatalf("%v %v, k %d: %v is shown", a, counts, k, c)
		case h && a.Totals(c) > 1:
			t.Fatalf("%v %v, k %d: the total %v is hidden", a, counts, k, c)
		case own[at] && b.high[at]-b.low[at] < k:
			t.Fatalf("%v %v, k %d: %v lies in [%d, %d] behind %v", a, counts, k, c, b.low[at], b.high[at], hidden)
		}
		if !h {
			continue
		}
		blank[at] = -1
		r := bounds[0]
		bounds = bounds[1:]
		if r.Cell != c || r.Low > b.low[at] || r.High < b.high[at] || r.Met && (r.Least < b.low[at] || r.Most > b.high[at]) {
			t.Fatalf("%v %v, k %d: %v lies in [%d, %d], by the audit %+v", a, counts, k, c, b.low[at], b.high[at], r)
		}
		if all += 2; r.Met && r.Low == r.Least {
			exact++
		}
		if r.Met && r.High == r.Most {
			exact++
		}
	}
	if got, want := (policy.Box{Axes: a, Counts: blank, Hidden: hidden}).Audit(), box.Audit(); !slices.Equal(got, want) {
		t.Fatalf("%v %v: the audit reads hidden counts", a, counts)
	}
	return true, exact, all
}

// Every 2×2×2 table of counts up to 2.
func TestSuppressBox_Exhaustive(t *testing.T) {
	tried, found := 0, 0
	for _, zeros := range []bool{false, true} {
		inner := make([]int64, 8)
		for code := range 6561 {
			for i := range inner {
				inner[i] = int64(code % 3)
				code /= 3
			}
			a := policy.Axes{2, 2, 2}
			counts := withTotals(a, inner)
			if !enough(a, counts, 2) {
				continue
			}
			tried++
			if ok, _, _ := breakIn(t, a, counts, 2, zeros); ok {
				found++
			}
		}
	}
	if tried < 5000 || found*10 < tried*8 {
		t.Errorf("a way was found for %d tables of %d", found, tried)
	}
}

func TestSuppressBox_Random(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for _, c := range []struct {
		axes          policy.Axes
		most          int64
		tables, share int // of which a way must be found, in percent
	}{
		{policy.Axes{2, 2, 2}, 12, 600, 95}, {policy.Axes{2, 2, 3}, 6, 200, 90}, {policy.Axes{3, 2, 2}, 5, 200, 90},
		{policy.Axes{3, 3, 2}, 4, 40, 80}, {policy.Axes{3, 1, 3}, 6, 200, 99}, {policy.Axes{1, 3, 2}, 6, 200, 99}, {policy.Axes{2, 2, 4}, 4, 40, 90},
	} {
		tried, found, exact, all := 0, 0, 0, 0
		for range c.tables {
			inner := make([]int64, c.axes[0]*c.axes[1]*c.axes[2])
			for i := range inner {
				inner[i] = r.Int64N(c.most + 1)
			}
			k, zeros := 2+r.Int64N(3), r.IntN(2) == 0
			counts := withTotals(c.axes, inner)
			if !enough(c.axes, counts, k) {
				continue
			}
			tried++
			ok, e, n := breakIn(t, c.axes, counts, k, zeros)
			if ok {
				found++
			}
			exact, all = exact+e, all+n
		}
		text := fmt.Sprintf("%v: a way was found for %d tables of %d, %d bounds of %d exact", c.axes, found, tried, exact, all)
		if t.Log(text); tried < c.tables/4 || found*100 < tried*c.share || exact*100 < all*99 {
			t.Error(text)
		}
	}
}

// Of a table with levels that may not be shown, and cells from few institutions,
// what is left is judged on what is left, and protected.
func TestPolicy_Box(t *testing.T) {
	p := policy.Default() // 10 persons, 3 institutions
	a := policy.Axes{2, 3, 2}
	counts := withTotals(a, []int64{3, 40, 30, 50, 2, 1, 60, 70, 80, 90, 0, 4}) // of the last level of the second index 7 persons
	sites := slices.Repeat([]int64{5}, a.Len())
	b := p.Box(a, counts, sites)
	if fmt.Sprint(b.Levels) != "[[0 1] [0 1] [0 1]]" || b.Counts[b.Axes.At([3]int{2, 2, 2})] != 423 {
		t.Fatalf("%+v", b)
	}
	if h := b.Hidden[b.Axes.At([3]int{0, 0, 0})]; !h {
		t.Error("a cell of 3 is shown")
	}
	w := newBurglar(b.Axes, b.Counts, b.Hidden)
	w.walk(0)
	if at := b.Axes.At([3]int{0, 0, 0}); w.high[at]-w.low[at] < 10 {
		t.Errorf("it lies in [%d, %d]", w.low[at], w.high[at])
	}
	even := policy.Axes{2, 2, 2}
	counts = withTotals(even, slices.Repeat([]int64{30}, 8))
	sites = slices.Repeat([]int64{5}, even.Len())
	cell, other, total := even.At([3]int{1, 1, 0}), even.At([3]int{1, 1, 1}), even.At([3]int{1, 1, 2})
	for _, most := range []int64{2, 4} { // institutions behind two cells together, of which each has two
		sites[cell], sites[other], sites[total] = 2, 2, most
		if b = p.Box(even, counts, sites); !b.Hidden[cell] || !b.Hidden[other] || b.Hidden[total] != (most == 2) {
			t.Errorf("a total from %d institutions: %v", most, b.Hidden)
		}
	}
	none := p.Box(even, withTotals(even, slices.Repeat([]int64{1}, 8)), sites)
	if none.Counts[none.Axes.At([3]int(none.Axes))] != 0 {
		t.Errorf("a table of 8 persons: %+v", none)
	}
	all := policy.Public().Box(a, withTotals(a, []int64{3, 40, 30, 50, 2, 1, 60, 70, 80, 90, 0, 4}), make([]int64, a.Len()))
	if fmt.Sprint(all.Axes) != "[2 3 2]" || slices.Contains(all.Hidden, true) {
		t.Errorf("under no limit: %+v", all)
	}
}

// Whatever the counts and the institutions, of what is left every cell and total
// that may not be shown has a range of k, and every level is fit to be shown.
func TestPolicy_Box_Random(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	p := policy.Default()
	p.MinCell, p.MinInstitutions = 3, 2
	left, protected := 0, 0
	for range 400 {
		a := policy.Axes{2 + r.IntN(2), 2, 2}
		inner := make([]int64, a[0]*a[1]*a[2])
		for i := range inner {
			inner[i] = r.Int64N(6)
		}
		counts, sites := withTotals(a, inner), make([]int64, a.Len())
		eachInner(a, func(n int, at []int) {
			own := min(inner[n], 1+r.Int64N(3))
			for _, t := range at {
				sites[t] = max(sites[t], own)
			}
		})
		b := p.Box(a, counts, sites)
		if b.Axes != a {
			left++
		}
		if b.Axes.Len() == 1 {
			continue
		}
		w := newBurglar(b.Axes, b.Counts, b.Hidden)
		w.walk(0)
		for at, n := range b.Counts {
			over := b.Axes.Totals(b.Axes.Cell(at))
			switch {
			case over > 1 && n < p.MinCell:
				t.Fatalf("%v %v: a total of %d is shown", a, inner, n)
			case over < 2 && p.Hidden(n, p.MinInstitutions) && (!b.Hidden[at] || w.high[at]-w.low[at] < p.MinCell):
				t.Fatalf("%v %v: %v lies in [%d, %d]", a, inner, b.Axes.Cell(at), w.low[at], w.high[at])
			case b.Hidden[at]:
				protected++
			}
		}
	}
	t.Logf("levels were left out of %d tables of 400; %d cells and totals hidden", left, protected)
	if left == 0 || left > 300 || protected < 1000 {
		t.Errorf("levels were left out of %d tables of 400; %d cells and totals hidden", left, protected)
	}
}
