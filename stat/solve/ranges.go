package solve

import "slices"

// An Equation says that the unknowns of Plus less those of Minus are Sum.
type Equation struct {
	Plus, Minus []int
	Sum         int64
}

// A Range says how far an unknown may lie.
type Range struct {
	// No solution in whole numbers has the unknown below Low or above High.
	Low, High int64
	// Some solutions in whole numbers have it at Least and at Most, where Met
	// says that any was met. Low ≤ Least ≤ Most ≤ High.
	Least, Most int64
	Met         bool
}

// Ranges bounds each of n unknowns x ≥ 0 by equations that have a solution and
// hold each of them in a bounded range. It minimises and maximises one after the
// other by the simplex method from where the last one ended, in whole numbers
// that share one divisor, so that nothing is rounded:
//
//	a[i][j] ← (a[i][j]·p − a[i][c]·a[r][j]) / d,  d ← p = a[r][c]
//
// where each division leaves no rest (J. Edmonds, "Systems of Distinct
// Representatives and Linear Algebra", J. Res. NBS 71B, 1967,
// doi:10.6028/jres.071B.033). Low and High are the optima, rounded inwards;
// Least and Most are from the corners met whose coordinates are all whole. Once
// the corners leave no room between, both are exact.
//
// Cost: at most about work products, and an eighth as many bytes, past which, or where numbers grow out of
// hand, what is left has the bounds that each equation sets alone, again and
// again (the shuttle algorithm: L. Buzzigoli and A. Giusti, "An Algorithm to
// Calculate the Lower and Upper Bounds of the Elements of an Array Given its
// Marginals", Statistical Data Protection '98, Eurostat, 1999).
func Ranges(n int, eqs []Equation, work int) []Range {
	out := shuttle(n, eqs)
	if len(eqs)*(n+1) > work/64 {
		return out // no step would be worth its work
	}
	t := newTableau(n, eqs, work)
	if !t.feasible() {
		return out
	}
	t.visit(out)
	for x := range out {
		r := &out[x]
		if !t.done && !(r.Met && r.Least == r.Low) {
			if v, ok := t.extreme(x, false, out); ok {
				r.Low = max(r.Low, (v+t.d-1)/t.d)
			}
		}
		if !t.done && !(r.Met && r.Most == r.High) {
			if v, ok := t.extreme(x, true, out); ok {
				r.High = min(r.High, v/t.d)
			}
		}
	}
	return out
}

// unbounded is more than any count, and far from overflow when thousands are
// added; maxPasses bounds how often the shuttle goes round.
const (
	unbounded = int64(1) << 48
	maxPasses = 64
)

// shuttle narrows the range of each unknown by each equation until none does.
func shuttle(n int, eqs []Equation) []Range {
	out := make([]Range, n)
	for x := range out {
		out[x].High = unbounded
	}
	for pass, moved := 0, true; moved && pass < maxPasses; pass++ {
		moved = false
		for _, e := range eqs {
			// Of Σ plus − Σ minus: the least and the most by the ranges.
			var low, high int64
			for _, x := range e.Plus {
				low, high = low+out[x].Low, high+out[x].High
			}
			for _, x := range e.Minus {
				low, high = low-out[x].High, high-out[x].Low
			}
			for _, x := range e.Plus {
				l, h := e.Sum-(high-out[x].High), e.Sum-(low-out[x].Low)
				moved = out[x].narrow(l, h) || moved
			}
			for _, x := range e.Minus {
				l, h := low+out[x].High-e.Sum, high+out[x].Low-e.Sum
				moved = out[x].narrow(l, h) || moved
			}
		}
	}
	return out
}

func (r *Range) narrow(low, high int64) bool {
	was := *r
	r.Low, r.High = max(r.Low, low), min(r.High, high)
	return *r != was
}

// A tableau holds d·x[basis[i]] + Σ a[i][j]·x[j] = a[i][n] over the other j; the
// column of a basic unknown is d in its row. Artificial unknowns, numbered from
// n on, have no columns.
type tableau struct {
	n     int
	a     [][]int64
	basis []int
	row   []int // of each unknown; -1 where it is not basic, and 0
	d     int64
	all   []int // the columns
	work  int
	done  bool // out of work, or of room
}

func newTableau(n int, eqs []Equation, work int) *tableau {
	t := &tableau{n: n, d: 1, work: work, row: slices.Repeat([]int{-1}, n)}
	for i, e := range eqs {
		row := make([]int64, n+1)
		for _, x := range e.Plus {
			row[x]++
		}
		for _, x := range e.Minus {
			row[x]--
		}
		row[n] = e.Sum
		if e.Sum < 0 {
			negate(row)
		}
		t.a, t.basis = append(t.a, row), append(t.basis, n+i)
		t.done = t.done || row[n] > maxSide/int64(len(eqs)) // the goal sums them
	}
	for j := range n + 1 {
		t.all = append(t.all, j)
	}
	return t
}

func negate(row []int64) {
	for j := range row {
		row[j] = -row[j]
	}
}

// feasible drives the artificial unknowns out; equations that follow from
// others go with them. It is false if that cannot be.
func (t *tableau) feasible() bool {
	goal := make([]int64, t.n+1) // of which the last is d times what the artificial unknowns sum to
	for _, row := range t.a {
		for j, v := range row {
			goal[j] += v
		}
	}
	t.a = append(t.a, goal)
	last := len(t.a) - 1
	for streak := 0; !t.done && t.a[last][t.n] > 0; {
		c := choose(t.a[last][:t.n], 1, streak)
		if c < 0 || !t.enter(c, last, &streak) {
			return false
		}
	}
	t.a = t.a[:last]
	for i := 0; i < len(t.a) && !t.done; i++ {
		if t.basis[i] < t.n {
			continue
		}
		c := slices.IndexFunc(t.a[i][:t.n], func(v int64) bool { return v != 0 })
		if c >= 0 {
			if t.a[i][c] < 0 {
				negate(t.a[i]) // its right side is 0
			}
			t.pivot(i, c)
			continue
		}
		t.a, t.basis = slices.Delete(t.a, i, i+1), slices.Delete(t.basis, i, i+1)
		for _, b := range t.basis[i:] {
			if b < t.n {
				t.row[b]--
			}
		}
		i--
	}
	return !t.done
}

// extreme moves to a corner at which x is largest, or smallest, and returns d
// times its value there; false if work ran out.
func (t *tableau) extreme(x int, largest bool, met []Range) (int64, bool) {
	want := int64(1)
	if largest {
		want = -1 // a step along column j takes a[r][j] off x
		if t.row[x] < 0 {
			var streak int
			if !t.enter(x, len(t.a), &streak) {
				return 0, false
			}
			t.visit(met)
		}
	}
	for streak := 0; t.row[x] >= 0 && !t.done; {
		row := t.a[t.row[x]]
		own := row[x]
		row[x] = 0
		c := choose(row[:t.n], want, streak)
		row[x] = own
		if c < 0 {
			return row[t.n], true
		}
		if !t.enter(c, len(t.a), &streak) {
			return 0, false
		}
		t.visit(met)
	}
	return 0, !t.done
}

// patience is how many steps may stay at one corner before the rule that
// cannot go in circles takes over (R. Bland, 1977, doi:10.1287/moor.2.2.103).
const patience = 40

// choose returns the column whose entry has the sign of want and is largest,
// or, past patience, the first such; -1 if there is none.
func choose(row []int64, want int64, streak int) int {
	best, at := int64(0), -1
	for j, v := range row {
		if v *= want; v > best {
			best, at = v, j
			if streak > patience {
				break
			}
		}
	}
	return at
}

// enter makes c basic in place of the unknown that is the first to fall to 0,
// among the rows before end.
func (t *tableau) enter(c, end int, streak *int) bool {
	r := -1
	for i, row := range t.a[:end] {
		if row[c] <= 0 {
			continue
		}
		if r < 0 {
			r = i
			continue
		}
		this, that := row[t.n]*t.a[r][c], t.a[r][t.n]*row[c]
		if this < that || this == that && t.rank(i) < t.rank(r) {
			r = i
		}
	}
	if r < 0 {
		t.done = true // x has no upper bound: not as promised
		return false
	}
	if t.a[r][t.n] == 0 {
		*streak++
	} else {
		*streak = 0
	}
	t.pivot(r, c)
	return !t.done
}

// rank orders rows among which any may leave: artificial unknowns first.
func (t *tableau) rank(i int) int {
	if t.basis[i] >= t.n {
		return -1
	}
	return t.basis[i]
}

// Entries stay below maxEntry and right sides below maxSide, so that no product
// of two overflows, nor the difference of two products.
const (
	maxEntry = int64(1) << 20
	maxSide  = int64(1) << 41
)

func (t *tableau) pivot(r, c int) {
	top := t.a[r]
	p := top[c]
	var at []int
	for j, v := range top {
		if v != 0 {
			at = append(at, j)
		}
	}
	for i, row := range t.a {
		f := row[c]
		switch {
		case i == r || f == 0 && p == t.d:
			continue
		case p == t.d:
			for _, j := range at {
				v := f * top[j]
				if p != 1 {
					v /= p
				}
				row[j] -= v
			}
			t.work -= len(at)
			t.bounded(row, at)
		default:
			for j := range row {
				row[j] = (row[j]*p - f*top[j]) / t.d
			}
			t.work -= 2 * len(row)
			t.bounded(row, t.all)
		}
	}
	if b := t.basis[r]; b < t.n {
		t.row[b] = -1
	}
	t.basis[r], t.row[c], t.d = c, r, p
	t.done = t.done || t.work < 0
}

// bounded looks at the columns of row that a step may have made larger.
func (t *tableau) bounded(row []int64, at []int) {
	for _, j := range at {
		most := maxEntry
		if j == t.n {
			most = maxSide
		}
		t.done = t.done || row[j] > most || row[j] < -most
	}
}

// visit notes the corner where the tableau stands, if it is whole.
func (t *tableau) visit(met []Range) {
	if t.done || t.d != 1 && slices.ContainsFunc(t.a, func(row []int64) bool { return row[t.n]%t.d != 0 }) {
		return
	}
	for x := range met {
		v := int64(0)
		if i := t.row[x]; i >= 0 {
			v = t.a[i][t.n] / t.d
		}
		if r := &met[x]; r.Met {
			r.Least, r.Most = min(r.Least, v), max(r.Most, v)
		} else {
			r.Least, r.Most, r.Met = v, v, true
		}
	}
}
