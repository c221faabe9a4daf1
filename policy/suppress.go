package policy

import (
	"cmp"
	"slices"
)

// Suppress says which cells of a table of counts may not be shown when all its
// margins are: those that hidden names, and as many more as it takes that no
// margin gives them back. counts and hidden are rows × columns, rows of equal
// length; every non-empty margin has at least k.
//
// A hidden cell is safe when, of all tables of counts ≥ 0 that agree with what
// is shown, the largest and the smallest value of the cell lie at least k
// apart: nobody can tell then that it is below k. The bounds are exact:
// raising cell (i, j) by t sends t units along a cycle of suppressed cells, so
// the most is a maximum flow from column j to row i, in which a cell may grow
// without limit and shrink by its count; lowering it is the flow from row i to
// column j, at most the count. (The polytope of tables with given margins is
// integral.) After L. Cox, "Suppression Methodology and Statistical Disclosure
// Control", JASA 75, 1980, doi:10.1080/01621459.1980.10477481.
//
// If all cells of a table of two rows and columns or more are suppressed, every
// cell is safe: by Fréchet's bounds its range is min(r, c) − max(0, r+c−N),
// which is r, c, N−r or N−c, and each of these holds a whole margin. So adding
// cells ends, at that table at the latest. A table of one row or column must
// have no hidden cell.
//
// Then each added cell, that of most persons first, is shown again if all that
// had to be hidden stay safe without it, so that none is left that could be.
//
// Cost: a maximum flow on rows + columns nodes a hidden cell and added cell, and,
// for showing again, at most maxWidths times two.
// Leaks: which cells are shown; which of the others were too small does not follow.
func Suppress(counts [][]int64, hidden [][]bool, k int64) [][]bool {
	s := &suppressor{counts: counts, k: k}
	for _, row := range hidden {
		s.out = append(s.out, append([]bool(nil), row...))
	}
	for i, row := range hidden {
		for j, h := range row {
			for h && s.width(i, j) < k && s.widen(i, j) {
			}
		}
	}
	s.giveUp(hidden)
	return s.out
}

// A Table is what may be shown of a cross-tabulation.
type Table struct {
	// Rows and Columns say which levels may be shown at all, each with the
	// total of its cells at the other variable's levels that are shown.
	Rows, Columns []bool
	// Hidden are the cells that may not be shown, of any level.
	Hidden [][]bool
}

// Table judges a table of counts, with the institutions behind each cell and
// behind each row and column. A level whose total may not be shown is left out
// with all its persons, so that the totals that remain are sums of what
// remains; then cells are suppressed as [Suppress] says. An empty level is
// left out too.
func (p Policy) Table(counts, sites [][]int64, rowSites, columnSites []int64) Table {
	t := Table{Rows: make([]bool, len(rowSites)), Columns: make([]bool, len(columnSites))}
	for i := range t.Rows {
		t.Rows[i] = true
	}
	for j := range t.Columns {
		t.Columns[j] = true
	}
	for again := true; again; {
		again = false
		for i := range t.Rows {
			keep := t.Rows[i] && p.margin(counts[i], sites[i], t.Columns, rowSites[i])
			again = again || keep != t.Rows[i]
			t.Rows[i] = keep
		}
		for j := range t.Columns {
			keep := t.Columns[j] && p.margin(column(counts, j), column(sites, j), t.Rows, columnSites[j])
			again = again || keep != t.Columns[j]
			t.Columns[j] = keep
		}
	}
	t.Hidden = p.hide(counts, sites, t)
	return t
}

// margin reports whether the total of some cells may be shown. all is the
// number of institutions behind all cells; where some are left out, only the
// most behind one cell is sure.
func (p Policy) margin(n, sites []int64, shown []bool, all int64) bool {
	total, most := int64(0), int64(0)
	for i := range n {
		if shown[i] {
			total += n[i]
			most = max(most, sites[i])
		} else if n[i] > 0 || p.Veils() {
			all = 0
		}
	}
	return total > 0 && !p.Hidden(total, max(most, all))
}

func column(cells [][]int64, j int) []int64 {
	out := make([]int64, len(cells))
	for i, row := range cells {
		out[i] = row[j]
	}
	return out
}

// hide applies Suppress to the levels that are shown and hides the others.
func (p Policy) hide(counts, sites [][]int64, t Table) [][]bool {
	for i, row := range counts {
		t.Hidden = append(t.Hidden, make([]bool, len(row)))
		for j, n := range row {
			t.Hidden[i][j] = p.hiddenInTable(n, sites[i][j])
		}
	}
	part, small := t.shown(counts)
	within := Suppress(part, small, p.MinCell)
	for i, row := range t.Hidden {
		at := 0
		for j := range row {
			row[j] = true
			if t.Rows[i] && t.Columns[j] {
				row[j] = within[0][at]
				at++
			}
		}
		if t.Rows[i] {
			within = within[1:]
		}
	}
	return t.Hidden
}

// shown cuts a table down to the levels that are shown.
func (t Table) shown(counts [][]int64) (part [][]int64, hidden [][]bool) {
	for i, row := range counts {
		if !t.Rows[i] {
			continue
		}
		var n []int64
		var h []bool
		for j := range row {
			if t.Columns[j] {
				n, h = append(n, row[j]), append(h, t.Hidden[i][j])
			}
		}
		part, hidden = append(part, n), append(hidden, h)
	}
	return part, hidden
}

type suppressor struct {
	counts [][]int64
	out    [][]bool
	k      int64
}

// widen suppresses more cells for the sake of (i, j): the rectangle through it
// that alone makes it safe and hides the fewest persons more, or, if none does,
// the smallest cell of its row, its column or the table. It reports whether
// there was a cell left.
func (s *suppressor) widen(i, j int) bool {
	var best [3][2]int
	cost := int64(-1)
	for a := range s.counts {
		for b := range s.counts[a] {
			if a == i || b == j {
				continue
			}
			up := min(s.counts[i][b], s.counts[a][j])
			down := min(s.counts[i][j], s.counts[a][b])
			cycle := [3][2]int{{i, b}, {a, j}, {a, b}}
			if c := s.price(cycle[:]); up+down >= s.k && (cost < 0 || c < cost) {
				best, cost = cycle, c
			}
		}
	}
	if cost >= 0 {
		for _, c := range best {
			s.out[c[0]][c[1]] = true
		}
		return true
	}
	return s.smallest(func(a, b int) bool { return a == i || b == j }) || s.smallest(func(a, b int) bool { return true })
}

// price is the number of persons in those of the cells that are still shown.
func (s *suppressor) price(cells [][2]int) int64 {
	n := int64(0)
	for _, c := range cells {
		if !s.out[c[0]][c[1]] {
			n += s.counts[c[0]][c[1]]
		}
	}
	return n
}

// smallest suppresses the cell of fewest persons among those of which in holds.
func (s *suppressor) smallest(in func(a, b int) bool) bool {
	x, y := -1, -1
	for a, row := range s.counts {
		for b, n := range row {
			if in(a, b) && !s.out[a][b] && (x < 0 || n < s.counts[x][y]) {
				x, y = a, b
			}
		}
	}
	if x < 0 {
		return false
	}
	s.out[x][y] = true
	return true
}

// maxWidths is how many ranges are looked at before no more cells are shown again.
const maxWidths = 20_000

// giveUp shows again what need not be hidden for the sake of what must be.
func (s *suppressor) giveUp(hidden [][]bool) {
	var added, own [][2]int
	for i, row := range s.out {
		for j, h := range row {
			switch {
			case hidden[i][j]:
				own = append(own, [2]int{i, j})
			case h:
				added = append(added, [2]int{i, j})
			}
		}
	}
	count := func(c [2]int) int64 { return s.counts[c[0]][c[1]] }
	slices.SortStableFunc(added, func(a, b [2]int) int { return cmp.Compare(count(b), count(a)) })
	left := maxWidths
	for _, a := range added {
		s.out[a[0]][a[1]] = false
		for _, c := range own {
			if left--; left < 0 || s.width(c[0], c[1]) < s.k {
				s.out[a[0]][a[1]] = true
				break
			}
		}
	}
}

// width is the range of cell (i, j) over all tables that agree with what is
// shown; past k it may be anything above.
func (s *suppressor) width(i, j int) int64 {
	down := min(s.counts[i][j], s.flow(i, j, false, s.counts[i][j]))
	if down >= s.k {
		return down
	}
	return down + s.flow(i, j, true, s.k-down)
}

// flow is the maximum flow, up to enough, from column j to row i (raise) or
// from row i to column j through the suppressed cells but (i, j), by
// shortest augmenting paths (Edmonds and Karp).
func (s *suppressor) flow(i, j int, raise bool, enough int64) int64 {
	g := s.graph(i, j)
	from, to := i, len(s.counts)+j
	if raise {
		from, to = to, from
	}
	total := int64(0)
	for total < enough {
		before := g.path(from, to)
		if before == nil {
			break
		}
		t := enough - total
		for v := to; v != from; v = before[v] {
			t = min(t, g[before[v]][v])
		}
		for v := to; v != from; v = before[v] {
			g[before[v]][v] -= t
			g[v][before[v]] += t
		}
		total += t
	}
	return total
}

// A network holds the capacity from node to node: rows first, then columns.
type network [][]int64

// unlimited is more than any margin, and far from overflow when added to.
const unlimited = int64(1) << 60

func (s *suppressor) graph(i, j int) network {
	rows, nodes := len(s.counts), len(s.counts)+len(s.counts[0])
	g := make(network, nodes)
	for v := range g {
		g[v] = make([]int64, nodes)
	}
	for a, row := range s.counts {
		for b, n := range row {
			if s.out[a][b] && (a != i || b != j) {
				g[a][rows+b] = unlimited
				g[rows+b][a] = n
			}
		}
	}
	return g
}

// path returns, for each node that a breadth-first search meets, the node
// before it; nil if it does not meet to.
func (g network) path(from, to int) []int {
	before := make([]int, len(g))
	for v := range before {
		before[v] = -1
	}
	before[from] = from
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		u := queue[0]
		for v, c := range g[u] {
			if c > 0 && before[v] < 0 {
				before[v] = u
				if v == to {
					return before
				}
				queue = append(queue, v)
			}
		}
	}
	return nil
}
