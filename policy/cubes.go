package policy

import (
	"cmp"
	"math/bits"
	"slices"
)

// SuppressBox says which cells of a three-way table, and which totals over one
// index, may not be shown when all others are: those that hidden names, and as
// many more as it takes that no sums give them back. Totals over two indices
// and over all are shown, and hidden may name none of them. It returns a cell
// that it found no way to protect, or −1.
//
// A hidden cell is safe when two tables of counts ≥ 0 agree with all that is
// shown, in which it lies at least k apart. They are made of moves: take a
// second level of each index; of the eight cells between, raise by t those that
// differ from the first in an even number of places and lower by t the others,
// the signs of totals reversed: every sum stays as it is. Each such cube through
// the cell, after others, moves it up or down by as much as the counts leave
// room; cubes are added, the cheapest for what it gives first, until up and down
// together reach k. Where no cube is left, two cells exchange persons; see
// exchange. After the hypercube method of D. Repsilber, which takes one cube a cell
// (S. Giessing and D. Repsilber, "Tools and Strategies to Protect Multiple Tables
// with the GHQUAR Cell Suppression Engine", in J. Domingo-Ferrer (ed.), Inference
// Control in Statistical Databases, LNCS 2316, 2002, doi:10.1007/3-540-47804-3).
// Then each added suppression, the dearest first, is given up where the cells
// that rest on it find others that cost less in all, or need none. This is done
// from three orders of the cells, and the cheapest pattern taken.
//
// What a suppression costs grows with the logarithm of the count, and is double
// for a total.
//
// Cost: some looks at each cube a hidden cell and a suppression added, and at
// most maxLooks in all for giving up.
// Leaks: as [Suppress].
func SuppressBox(axes Axes, counts []int64, hidden []bool, k int64) (out []bool, stuck int) {
	s := newBoxer(axes, counts, hidden, k)
	out, stuck = slices.Clone(hidden), -1
	cost := int64(-1)
	for start, by := range orders {
		if start > 0 && s.looks > maxLooks {
			break
		}
		at := s.all(by)
		for again := at < 0; again && s.looks < maxLooks; {
			again = s.giveUp()
		}
		switch x := s.total(); {
		case at >= 0 && cost < 0:
			stuck = at
		case at < 0 && (cost < 0 || x < cost):
			out, cost, stuck = slices.Clone(s.out), x, -1
		}
	}
	return out, stuck
}

// orders in which the hidden cells are protected, one after the other; the
// pattern that costs least is taken.
var orders = []func(a, b int64) int{
	func(a, b int64) int { return cmp.Compare(b, a) }, // small cells last: they find most already hidden
	func(a, b int64) int { return cmp.Compare(a, b) },
	func(a, b int64) int { return 0 }, // as they stand
}

// maxLooks is how many cubes are looked at before no more suppressions are given
// up: about a second.
const maxLooks = 30_000_000

// A boxer protects one table.
type boxer struct {
	axes   Axes
	counts []int64
	out    []bool
	own    []bool  // hidden for its own sake
	price  []int64 // of hiding a cell; forbidden where it may not be
	k      int64
	order  []int   // the hidden cells, in which order they are protected
	rests  [][]int // by cell: those on whose being hidden it rests
	looks  int

	ask, raised, lowered []int64 // room for protect: what hiding each cell costs now, and two tables
}

const forbidden = int64(1) << 40

func newBoxer(axes Axes, counts []int64, hidden []bool, k int64) *boxer {
	s := &boxer{axes: axes, counts: counts, out: slices.Clone(hidden), own: hidden, k: k,
		price: make([]int64, len(counts)), rests: make([][]int, len(counts)),
		ask: make([]int64, len(counts)), raised: make([]int64, len(counts)), lowered: make([]int64, len(counts))}
	for at, n := range counts {
		s.price[at] = 1 + int64(bits.Len64(uint64(n)))
		switch t := axes.Totals(axes.Cell(at)); {
		case t == 1:
			s.price[at] *= 2
		case t > 1:
			s.price[at] = forbidden
		}
		if hidden[at] {
			s.order = append(s.order, at)
		}
	}
	return s
}

// A move raises n cells and lowers as many by the same, and leaves every sum as
// it is.
type move struct {
	n        int
	up, down [6]int
}

// all protects all hidden cells, in an order of their counts, from the start. It
// returns one for which it finds no way, or −1.
func (s *boxer) all(by func(a, b int64) int) int {
	copy(s.out, s.own)
	clear(s.rests)
	slices.SortFunc(s.order, func(a, b int) int { return cmp.Or(by(s.counts[a], s.counts[b]), cmp.Compare(a, b)) })
	for _, p := range s.order {
		if !s.protect(p) {
			return p
		}
	}
	return -1
}

// protect finds cubes that let p range over k, hides their corners, and notes
// them. Without any it changes nothing and returns false.
func (s *boxer) protect(p int) bool {
	raised, lowered := s.raised, s.lowered
	copy(raised, s.counts)
	copy(lowered, s.counts)
	copy(s.ask, s.price)
	for at, h := range s.out {
		if h {
			s.ask[at] = 0
		}
	}
	var added, rests []int
	for need := s.k; need > 0; {
		c, ok := s.cheapest(p, need, raised, lowered)
		if !ok {
			c, ok = s.exchange(p, need, raised, lowered)
		}
		if !ok {
			for _, at := range added {
				s.out[at] = false
			}
			return false
		}
		for _, at := range slices.Concat(c.up[:c.n], c.down[:c.n]) {
			if !s.out[at] {
				s.out[at], s.ask[at] = true, 0
				added = append(added, at)
			}
			if !slices.Contains(rests, at) {
				rests = append(rests, at)
			}
		}
		t := min(need, least(raised, c.down[:c.n]))
		c.shift(raised, t)
		need -= t
		t = min(need, least(lowered, c.up[:c.n]))
		c.shift(lowered, -t)
		need -= t
	}
	s.rests[p] = rests
	return true
}

func least(of []int64, at []int) int64 {
	n := of[at[0]]
	for _, i := range at[1:] {
		n = min(n, of[i])
	}
	return n
}

func (m move) shift(table []int64, t int64) {
	for i := range m.n {
		table[m.up[i]] += t
		table[m.down[i]] -= t
	}
}

// cheapest is the cube through p that costs least for each person of range that
// it gives, of need at most; the first of equals, and of free ones that which
// gives most. What an edge or a side of a cube costs already rules out most.
func (s *boxer) cheapest(p int, need int64, raised, lowered []int64) (best move, ok bool) {
	a, ask := s.axes.Cell(p), s.ask
	down, right := (s.axes[1]+1)*(s.axes[2]+1), s.axes[2]+1 // from one level to the next of the first two indices
	cost, gain := int64(0), int64(0)
	hopeless := func(x int64) bool { return x >= forbidden || ok && x*gain > cost*need }
	for i := 0; i <= s.axes[0]; i++ {
		pi := p + (i-a[0])*down
		if i == a[0] || hopeless(ask[pi]) {
			continue
		}
		for j := 0; j <= s.axes[1]; j++ {
			pj, pij := p+(j-a[1])*right, pi+(j-a[1])*right
			side := ask[pi] + ask[pj] + ask[pij]
			if j == a[1] || hopeless(side) {
				continue
			}
			s.looks += s.axes[2]
			for l := 0; l <= s.axes[2]; l++ {
				to := l - a[2]
				x := side + ask[p+to] + ask[pi+to] + ask[pj+to] + ask[pij+to]
				if to == 0 || hopeless(x) {
					continue
				}
				c := s.corners(a, [3]int{i, j, l})
				g := min(need, least(raised, c.down[:c.n])+least(lowered, c.up[:c.n]))
				if this, that := x*gain, cost*g; g > 0 && (!ok || this < that || this == that && g > gain) {
					best, cost, gain, ok = c, x, g, true
				}
				if ok && cost == 0 && gain == need {
					return best, true
				}
			}
		}
	}
	return best, ok
}

// corners is the move of the cube between two cells that differ in all indices.
func (s *boxer) corners(a, b [3]int) (m move) {
	down := 0
	for in := range 8 {
		at := a
		even := true // an even number of places from a, those between level and total not counted
		for d := range at {
			if in>>d&1 == 1 {
				at[d] = b[d]
				even = even == (a[d] == s.axes[d] || b[d] == s.axes[d])
			}
		}
		if even {
			m.up[m.n] = s.axes.At(at)
			m.n++
		} else {
			m.down[down] = s.axes.At(at)
			down++
		}
	}
	return m
}

// exchange is the cheapest move in which persons of two cells exchange one
// index, for what it gives. It changes totals over both other indices, so it is
// dear; but where those over two indices alone are shown such moves lead from
// any table to any other (P. Diaconis and B. Sturmfels, Annals of Statistics 26,
// 1998, doi:10.1214/aos/1030563990).
func (s *boxer) exchange(p int, need int64, raised, lowered []int64) (best move, ok bool) {
	cost, gain := int64(0), int64(0)
	for _, a := range s.insides(p) {
		for i := range s.axes[0] {
			for j := range s.axes[1] {
				for l := range s.axes[2] {
					if i == a[0] || j == a[1] || l == a[2] {
						continue
					}
					s.looks += 36
					for d := range 3 {
						m := s.exchanged(a, [3]int{i, j, l}, d)
						if !slices.Contains(m.up[:], p) {
							continue
						}
						x := int64(0)
						for e := range 6 {
							x += s.ask[m.up[e]] + s.ask[m.down[e]]
						}
						g := min(need, least(raised, m.down[:])+least(lowered, m.up[:]))
						if this, that := x*gain, cost*g; x < forbidden && g > 0 && (!ok || this < that || this == that && g > gain) {
							best, cost, gain, ok = m, x, g, true
						}
					}
				}
			}
		}
	}
	return best, ok
}

// insides lists the cells that a cell or total holds.
func (s *boxer) insides(p int) [][3]int {
	c := s.axes.Cell(p)
	for d := range c {
		if c[d] == s.axes[d] {
			var out [][3]int
			for c[d] = 0; c[d] < s.axes[d]; c[d]++ {
				out = append(out, c)
			}
			return out
		}
	}
	return [][3]int{c}
}

// exchanged is the move that raises a and b by persons of two cells between,
// which exchange index d.
func (s *boxer) exchanged(a, b [3]int, d int) move {
	m := move{n: 6}
	c, e := b, a // a and b with index d exchanged
	c[d], e[d] = a[d], b[d]
	n := 0
	for _, total := range [3]int{-1, (d + 1) % 3, (d + 2) % 3} {
		for i, at := range [4][3]int{a, b, c, e} {
			if total >= 0 {
				at[total] = s.axes[total]
			}
			if i < 2 {
				m.up[n+i] = s.axes.At(at)
			} else {
				m.down[n+i-2] = s.axes.At(at)
			}
		}
		n += 2
	}
	return m
}

// giveUp shows again what need not be hidden, and reports whether anything was
// that a cell had rested on.
func (s *boxer) giveUp() bool {
	added := s.drop()
	slices.SortStableFunc(added, func(a, b int) int { return cmp.Compare(s.price[b], s.price[a]) })
	any := false
	for _, at := range added {
		if s.looks < maxLooks && s.without(at) {
			any = true
		}
	}
	s.drop()
	return any
}

// drop shows again what nothing rests on, and lists the suppressions left.
func (s *boxer) drop() (added []int) {
	needed := slices.Clone(s.own)
	for _, p := range s.order {
		for _, at := range s.rests[p] {
			needed[at] = true
		}
	}
	for at := range s.out {
		s.out[at] = s.out[at] && needed[at]
		if s.out[at] && !s.own[at] {
			added = append(added, at)
		}
	}
	return added
}

// without shows a suppressed cell again, if those that rest on it can do
// without it at less cost; else it leaves all as it was.
func (s *boxer) without(at int) bool {
	if !s.out[at] {
		return false
	}
	out, rests, price, was := slices.Clone(s.out), slices.Clone(s.rests), s.price[at], s.total()
	s.out[at], s.price[at] = false, forbidden
	defer func() { s.price[at] = price }()
	ok := true
	for _, p := range s.order {
		ok = ok && (!slices.Contains(s.rests[p], at) || s.protect(p))
	}
	if s.drop(); !ok || s.total() >= was {
		s.out, s.rests = out, rests
		return false
	}
	return true
}

// total is what the suppressions added cost.
func (s *boxer) total() int64 {
	n := int64(0)
	for at, h := range s.out {
		if h && !s.own[at] {
			n += s.price[at]
		}
	}
	return n
}
