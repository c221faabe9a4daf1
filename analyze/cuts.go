package analyze

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/stat"
)

// A Cut parts the rows of a frame by a number into bins, whose counts are told: bin i holds the
// values above Ends[i−1] and up to Ends[i], the first also what is below, the last what is above. Round 0 counts
// them, and neighbours with few persons are told as one; see [policy.Policy.MergeCells].
//
// Whoever has two sets of bins over some rows subtracts their sums. So what is told up to an end is a
// cohort, `x <= end`, which a site remembers; the bins themselves are differences of two of these. To remember
// sums and not bins costs the same, since a cohort is kept as what it has beyond the one before it, and it holds each of two sets of bins
// to each end of the other, whatever else was asked between them.
type Cut struct {
	Numeric int       // of the frame's numeric variables, a column
	Factors []int     // of the frame's factors, ascending: each of their cells has bins of its own
	Ends    []float64 // ascending, the last the largest value of the dictionary
}

// bin is the bin of a value.
func (c Cut) bin(x float64) int { return min(sort.SearchFloat64s(c.Ends, x), len(c.Ends)-1) }

// cutCell is the cell of row r: bins run fastest.
func (g guarded) cutCell(c Cut, v formula.Values, r int) int {
	return g.cell(c.Factors, v, r)*len(c.Ends) + c.bin(v.Numeric[c.Numeric][r])
}

// cutCells is how many cells c has.
func (g guarded) cutCells(c Cut) int { return g.cells(c.Factors) * len(c.Ends) }

// cutBlocks lists the counts of cuts.
func (g guarded) cutBlocks() (s stat.Shape) {
	for i, c := range g.cuts {
		s = append(s, stat.Block{Name: fmt.Sprintf("cut%d", i), Len: g.cutCells(c)},
			stat.Block{Name: fmt.Sprintf("cut%d.sites", i), Len: g.cutCells(c), Presence: true})
	}
	return s
}

// readCuts is what cutBlocks counted.
func (g guarded) readCuts(s stat.Sum) (out []Crossed) {
	for i := range g.cuts {
		out = append(out, Crossed{s.Counts(fmt.Sprintf("cut%d", i)), s.Counts(fmt.Sprintf("cut%d.sites", i))})
	}
	return out
}

// bins joins the bins in a cell of a cut's factors, as they are told.
func (c Cut) bins(counted Crossed, cell int, p policy.Policy) []policy.Merged {
	from, to := cell*len(c.Ends), (cell+1)*len(c.Ends)
	return p.MergeCells(counted.Persons[from:to], counted.Sites[from:to])
}

// Bins gives the bins of a frame's cut, in a cell of its factors, as they are told.
func (p *Problem) Bins(frame, cut, cell int) []policy.Merged {
	return p.guarded[frame].cuts[cut].bins(p.Totals[frame].Cuts[cut], cell, p.Policy())
}

// upTo is how many persons are told to lie up to the end of a cut's cell; 0 where its bin is joined with the next, and
// nobody is told.
func (c Cut) upTo(counted Crossed, cell int, p policy.Policy) (n int64) {
	for _, m := range c.bins(counted, cell/len(c.Ends), p) {
		n += m.Count
		if m.To == cell%len(c.Ends)+1 {
			return n
		}
	}
	return 0
}

// binsOf goes before a column in what is read of rows that are only counted, by where they lie in its order: such cohorts
// are held to the like, in sums too, and to those of other filters.
const binsOf = "bins of "

// binsFirst puts cohorts of bins before others: of a list of which the last are held against each other, they are the first to be left
// out, so that nobody asks for many bins to be rid of what else was asked.
func binsFirst(list []near.Cohort) []near.Cohort {
	var first, rest []near.Cohort
	for _, c := range list {
		if len(c.Reads) == 1 && strings.HasPrefix(c.Reads[0], binsOf) {
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	return append(first, rest...)
}

// cut lists the cohorts of a cut. That of all ends is one of a cell of its factors, which is listed already.
func (b *binder) cut(at cohort, g guarded, c Cut, complete []frame.Node) {
	v, last := g.frame.Numeric()[c.Numeric], len(c.Ends)-1
	at.Reads = []string{binsOf + v.Column}
	for cell := range g.cells(c.Factors) {
		nodes, other := b.cell(g, partition{factors: c.Factors}, cell)
		nodes = append(slices.Clone(complete), nodes...)
		at.Else, at.after = other, 0
		for i, end := range c.Ends {
			at.cell, at.cut = cell*len(c.Ends)+i, i < last
			if !at.cut {
				b.add(at, nodes)
				break
			}
			if v.Whole { // whatever lies between two whole numbers says the same
				end = math.Floor(end)
			}
			b.add(at, append(slices.Clone(nodes), &frame.Compare{Column: v.Column, Op: frame.Le, Value: end}))
			at.after = len(b.list)
		}
	}
}
