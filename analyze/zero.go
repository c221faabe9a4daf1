package analyze

import (
	"fmt"
	"math"
	"slices"

	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
)

// Round 0 has two sums: the counts of every row set, and then, on rows that the
// policy has judged, the moments of its numeric variables. Where a limit holds,
// a third one judges the moments: see judge.go.

// countShape lists what is counted of the rows of g.
func (g guarded) countShape() stat.Shape {
	s := stat.Shape{{Name: "rows", Len: 1}, {Name: "complete", Len: 1}, {Name: "sites", Len: 1, Presence: true}}
	for i, f := range g.frame.Factors() {
		s = append(s, stat.Block{Name: fmt.Sprintf("level%d", i), Len: len(f.Levels)},
			stat.Block{Name: fmt.Sprintf("level%d.sites", i), Len: len(f.Levels), Presence: true})
	}
	for i, c := range g.cross {
		s = append(s, stat.Block{Name: fmt.Sprintf("cross%d", i), Len: g.cells(c)},
			stat.Block{Name: fmt.Sprintf("cross%d.sites", i), Len: g.cells(c), Presence: true})
	}
	if len(g.twos) > 0 {
		s = append(s, stat.Block{Name: "ones", Len: len(g.twos)})
	}
	return append(append(s, g.truthBlocks()...), g.cutBlocks()...)
}

type countFold struct {
	guarded
	rows     int
	complete int
	levels   [][]float64
	crossed  [][]float64
	ones     []float64   // rows with the larger value, by columns of two
	apart    []float64   // by what comparisons tell apart
	bins     [][]float64 // by cuts and their cells
	seen     *framed     // takes the rows of each cohort; nil where nobody remembers them
}

func (g guarded) countFold() *countFold {
	c := &countFold{guarded: g, levels: make([][]float64, len(g.frame.Factors())), ones: make([]float64, len(g.twos))}
	for i, f := range g.frame.Factors() {
		c.levels[i] = make([]float64, len(f.Levels))
	}
	for _, set := range g.cross {
		c.crossed = append(c.crossed, make([]float64, g.cells(set)))
	}
	if len(g.truths) > 0 {
		c.apart = make([]float64, 1<<len(g.truths))
	}
	for _, one := range g.cuts {
		c.bins = append(c.bins, make([]float64, g.cutCells(one)))
	}
	return c
}

func (c *countFold) Add(b frame.Batch) error {
	v, err := c.frame.Eval(b)
	if err != nil {
		return err
	}
	if c.seen != nil && b.Places != nil {
		c.seen.take(b, v)
	}
	c.rows += b.Rows
	c.complete += v.Rows
	for i, codes := range v.Factor {
		for _, code := range codes[:v.Rows] {
			c.levels[i][code]++
		}
	}
	for i, set := range c.cross {
		for r := range v.Rows {
			c.crossed[i][c.cell(set, v, r)]++
		}
	}
	for i, t := range c.twos {
		for _, x := range v.Numeric[t.Numeric][:v.Rows] {
			if x == t.One {
				c.ones[i]++
			}
		}
	}
	for r := range v.Rows {
		if c.apart != nil {
			c.apart[truthOf(c.truths, v, r)]++
		}
		for i, one := range c.cuts {
			c.bins[i][c.cutCell(one, v, r)]++
		}
	}
	return nil
}

func (c *countFold) Vector() (stat.Vector, error) {
	n := float64(c.complete)
	out := stat.Vector{float64(c.rows), n, n}
	for _, l := range slices.Concat(c.levels, c.crossed) {
		out = append(append(out, l...), l...)
	}
	out = append(out, c.ones...)
	for _, b := range append([][]float64{c.apart}, c.bins...) {
		out = append(append(out, b...), b...)
	}
	return out, nil
}

// readCounts is the inverse of countFold on the sum.
func (g guarded) readCounts(s stat.Sum) Totals {
	t := Totals{Rows: s.Counts("rows")[0], Sites: s.Counts("sites")[0]}
	t.Complete = s.Counts("complete")[0]
	for i := range g.frame.Factors() {
		t.Levels = append(t.Levels, s.Counts(fmt.Sprintf("level%d", i)))
		t.LevelSites = append(t.LevelSites, s.Counts(fmt.Sprintf("level%d.sites", i)))
	}
	for i := range g.cross {
		t.Crossed = append(t.Crossed, Crossed{s.Counts(fmt.Sprintf("cross%d", i)), s.Counts(fmt.Sprintf("cross%d.sites", i))})
	}
	if len(g.truths) > 0 {
		t.Truths = s.Counts("truths")
	}
	if len(g.twos) > 0 {
		t.Ones = s.Counts("ones")
	}
	t.Cuts = g.readCuts(s)
	return t
}

// momentShape lists the sums and sums of squares of the numeric variables that
// the loop named, and of every guard within its cells.
func (g guarded) momentShape(t Totals) stat.Shape {
	var s stat.Shape
	if g.counts {
		return nil
	}
	add := func(name string, bound float64, basis []int64) {
		s = append(s, stat.Block{Name: "sum" + name, Len: len(basis), Frac: stat.FracFor(bound, t.Rows), Basis: basis},
			stat.Block{Name: "sumsq" + name, Len: len(basis), Frac: stat.FracFor(bound*bound, t.Rows), Basis: basis})
	}
	for i, v := range g.frame.Numeric()[:g.own] {
		add(fmt.Sprint(i), magnitude(v), []int64{t.Complete})
	}
	for i, one := range g.guards {
		if g.apart(one) {
			n, _ := g.persons(one.Factors, t)
			add(fmt.Sprintf(".guard%d", i), g.bound(one), n)
		}
	}
	return s
}

// apart reports whether a guard has moments besides those of the variables.
func (g guarded) apart(one Guard) bool {
	return len(one.Numeric) > 1 || len(one.Numeric) == 1 && (len(one.Factors) > 0 || one.Numeric[0] >= g.own)
}

// magnitude bounds |v|. Where interval arithmetic finds no bound 2^40 is taken,
// and a larger value is refused when it is encoded.
func magnitude(v formula.Numeric) float64 {
	m := math.Max(math.Abs(v.Lo), math.Abs(v.Hi))
	if math.IsInf(m, 0) || math.IsNaN(m) || m > 1<<40 {
		return 1 << 40
	}
	return math.Max(m, 1e-30)
}

type momentFold struct {
	guarded
	own  [][2]float64   // sum and sum of squares, by variable
	sums [][][2]float64 // by guard and cell
}

func (g guarded) momentFold() *momentFold {
	m := &momentFold{guarded: g, own: make([][2]float64, g.own), sums: make([][][2]float64, len(g.guards))}
	for i, one := range g.guards {
		if g.apart(one) {
			m.sums[i] = make([][2]float64, g.cells(one.Factors))
		}
	}
	return m
}

func (m *momentFold) Add(b frame.Batch) error {
	v, err := m.frame.Eval(b)
	if err != nil {
		return err
	}
	for i := range m.own {
		var s, ss float64
		for _, xi := range v.Numeric[i][:v.Rows] {
			s += xi
			ss += xi * xi
		}
		m.own[i][0] += s
		m.own[i][1] += ss
	}
	for i, sums := range m.sums {
		if sums == nil {
			continue
		}
		one := m.guards[i]
		for r := range v.Rows {
			x, s := one.value(v, r), &sums[m.cell(one.Factors, v, r)]
			s[0] += x
			s[1] += x * x
		}
	}
	return nil
}

func (m *momentFold) Vector() (stat.Vector, error) {
	var out stat.Vector
	for _, s := range m.own {
		out = append(out, s[0], s[1])
	}
	for _, sums := range m.sums {
		var squares stat.Vector
		for _, s := range sums {
			out, squares = append(out, s[0]), append(squares, s[1])
		}
		out = append(out, squares...)
	}
	return out, nil
}

// readMoments completes t from the sum of momentFold.
func (g guarded) readMoments(t Totals, s stat.Sum) Totals {
	if g.counts {
		return t
	}
	for i := range g.own {
		t.Sum = append(t.Sum, s.Reals(fmt.Sprintf("sum%d", i))[0])
		t.SumSq = append(t.SumSq, s.Reals(fmt.Sprintf("sumsq%d", i))[0])
	}
	for i, one := range g.guards {
		var m GuardTotals
		switch {
		case g.apart(one):
			m.Sum, m.SumSq = s.Reals(fmt.Sprintf("sum.guard%d", i)), s.Reals(fmt.Sprintf("sumsq.guard%d", i))
		case len(one.Numeric) == 1:
			m.Sum, m.SumSq = []float64{t.Sum[one.Numeric[0]]}, []float64{t.SumSq[one.Numeric[0]]}
		}
		t.Guards = append(t.Guards, m)
	}
	return t
}
