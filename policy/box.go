package policy

import "slices"

// Axes are the numbers of levels of a three-way table. A cell of the table with
// its totals is named by three indices, of which one that equals the number of
// levels stands for the total over them.
type Axes [3]int

// Len is the number of cells, totals among them.
func (a Axes) Len() int { return (a[0] + 1) * (a[1] + 1) * (a[2] + 1) }

// At is where a cell stands in a list of all, the last index running fastest.
func (a Axes) At(c [3]int) int { return (c[0]*(a[1]+1)+c[1])*(a[2]+1) + c[2] }

// Cell is the inverse of At.
func (a Axes) Cell(at int) [3]int {
	w := a[2] + 1
	h := (a[1] + 1) * w
	return [3]int{at / h, at % h / w, at % w}
}

// Totals is over how many of its indices a cell is a total.
func (a Axes) Totals(c [3]int) int {
	n := 0
	for d, i := range c {
		if i == a[d] {
			n++
		}
	}
	return n
}

// A Box is what may be shown of a three-way table of counts, of the levels that
// may be shown at all: all totals are over these alone.
type Box struct {
	Levels [3][]int // which of the table's levels
	Axes   Axes     // how many these are
	Counts []int64  // by [Axes.At]
	Hidden []bool   // which may not be shown; totals over two indices or three all may
}

// Box judges a three-way table, given with its totals by [Axes.At], and the
// institutions behind each of them. A level whose total may not be shown is left
// out with all its persons; then cells, and totals over one index, are
// suppressed as [SuppressBox] says. Where it finds no way the smallest level
// that the cell lies in is left out too. All levels may be.
func (p Policy) Box(axes Axes, counts, sites []int64) Box {
	var shown [3][]bool
	for d, n := range axes {
		shown[d] = slices.Repeat([]bool{true}, n)
	}
	for {
		b := newBox(axes, counts, shown)
		behind := b.behind(axes, counts, sites, p.Veils())
		if p.leaveOut(b, behind, shown) {
			continue
		}
		hidden := make([]bool, len(b.Counts))
		for at, n := range b.Counts {
			hidden[at] = b.Axes.Totals(b.Axes.Cell(at)) < 2 && p.hiddenInTable(n, behind[at])
		}
		stuck := -1
		if b.Hidden, stuck = SuppressBox(b.Axes, b.Counts, hidden, p.MinCell); stuck < 0 {
			return b
		}
		d, i := b.smallest(b.Axes.Cell(stuck))
		shown[d][b.Levels[d][i]] = false
	}
}

// WithTotals adds up the totals of a table that is given by its cells alone, the
// last index running fastest.
func (a Axes) WithTotals(cells []int64) []int64 {
	all := Box{Axes: a}
	for d, n := range a {
		for i := range n {
			all.Levels[d] = append(all.Levels[d], i)
		}
	}
	out := make([]int64, a.Len())
	all.within(a, func(at, from int) {
		c := a.Cell(from)
		out[at] += cells[(c[0]*a[1]+c[1])*a[2]+c[2]]
	})
	return out
}

// newBox adds up the totals of the levels that are shown.
func newBox(axes Axes, counts []int64, shown [3][]bool) Box {
	var b Box
	for d := range shown {
		for i, s := range shown[d] {
			if s {
				b.Levels[d] = append(b.Levels[d], i)
			}
		}
		b.Axes[d] = len(b.Levels[d])
	}
	b.Counts = make([]int64, b.Axes.Len())
	b.within(axes, func(at, from int) { b.Counts[at] += counts[from] })
	return b
}

// within calls do for each cell of the shown levels and each total that it
// counts in, with the cell's place in the whole table.
func (b Box) within(axes Axes, do func(at, from int)) {
	for i, li := range b.Levels[0] {
		for j, lj := range b.Levels[1] {
			for l, ll := range b.Levels[2] {
				from := axes.At([3]int{li, lj, ll})
				for in := range 8 {
					c := [3]int{i, j, l}
					for d := range c {
						if in>>d&1 == 1 {
							c[d] = b.Axes[d]
						}
					}
					do(b.Axes.At(c), from)
				}
			}
		}
	}
}

// behind is how many institutions stand behind each cell: those counted of the
// whole total where nobody of it is left out, or, where nobody must look like too few,
// no level; else the most behind one cell.
func (b Box) behind(axes Axes, counts, sites []int64, veiled bool) []int64 {
	out := make([]int64, len(b.Counts))
	b.within(axes, func(at, from int) { out[at] = max(out[at], sites[from]) })
	for at, n := range b.Counts {
		c, whole := b.Axes.Cell(at), true
		for d, i := range c {
			if c[d] = axes[d]; i < b.Axes[d] {
				c[d] = b.Levels[d][i]
			} else if veiled {
				whole = whole && b.Axes[d] == axes[d]
			}
		}
		if from := axes.At(c); whole && counts[from] == n {
			out[at] = max(out[at], sites[from])
		}
	}
	return out
}

// leaveOut takes from shown the levels whose totals may not be shown, and
// reports whether there were any.
func (p Policy) leaveOut(b Box, behind []int64, shown [3][]bool) bool {
	any := false
	for d := range b.Levels {
		for i, level := range b.Levels[d] {
			at := b.level(d, i)
			if b.Counts[at] == 0 || p.Hidden(b.Counts[at], behind[at]) {
				shown[d][level] = false
				any = true
			}
		}
	}
	return any
}

// level is where the total of level i of index d stands.
func (b Box) level(d, i int) int {
	c := [3]int(b.Axes)
	c[d] = i
	return b.Axes.At(c)
}

// smallest names the level of fewest persons among those that a cell lies in.
func (b Box) smallest(c [3]int) (d, i int) {
	d = -1
	for e := range c {
		if c[e] < b.Axes[e] && (d < 0 || b.Counts[b.level(e, c[e])] < b.Counts[b.level(d, c[d])]) {
			d = e
		}
	}
	return d, c[d]
}
