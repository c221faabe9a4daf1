package analyze

import (
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/policy"
	"wellspring/study"
)

// A Guard names a number that an answer rests on: the product of some numeric
// variables, in each cell of some factors. Where a limit holds, its persons are
// counted cell by cell, its moments opened, and its cells judged before a loop
// begins; see [Verdict].
type Guard struct {
	Numeric []int // of the frame's numeric variables; none where only persons count
	Factors []int // of the frame's factors, ascending; none for one cell of all rows
}

// A Verdict says why a cell of a guard may not be shown.
type Verdict uint8

const (
	Shown     Verdict = iota // it may
	TooFew                   // persons or institutions stand behind the cell
	Dominated                // one person carries too large a share of its moment
	Outcome                  // all have one value, or all but too few: its mean is a small count
	Linked                   // it would give another hidden cell away
)

// ModelGuards are the guards of a model: its terms (products within the cells
// of their factors), its response, event, offset and weights, and, with them,
// the operands of which they are made. A model of factors alone is a table in
// disguise, whose coefficients tell the mean of the response in each cell of a
// term, so there these are judged cell by cell; what a model with numeric terms
// tells of a level's outcomes is blurred by them (A. Hundepool et al.,
// "Statistical Disclosure Control", Wiley 2012, doi:10.1002/9781118348239).
func ModelGuards(f *formula.Frame, operands [][]int) []Guard {
	g := &guards{operands: operands}
	cells, numeric := [][]int{}, false
	for _, p := range f.Parts() {
		numeric = numeric || len(p.Numeric) > 0
		cells = append(cells, p.Factors)
		g.part(p, f.Roles().Weights)
	}
	if numeric || len(cells) == 0 {
		cells = [][]int{nil}
	}
	r := f.Roles()
	for _, c := range cells {
		for _, i := range append([]int{r.Response, r.Event, r.Weights}, r.Offset...) {
			if i >= 0 {
				g.add(c, i)
			}
		}
		if r.ResponseFactor >= 0 {
			g.add(append([]int{r.ResponseFactor}, c...))
		}
	}
	return g.list
}

// Why says a verdict in words.
func (v Verdict) Why() ws.Text {
	switch v {
	case Dominated:
		return ws.T("one person would carry too large a share of a sum", "单个人在某个和中所占的份额过大")
	case Outcome:
		return ws.T("it has two values at most, and too few persons or institutions, or nobody, have one of them", "它至多有两个取值，其中之一的人数或机构数过少，或无人取该值")
	case Linked:
		return ws.T("it would give away another that is hidden", "会泄露另一个被隐去的项")
	}
	return ws.T("below the cell limit, or from too few institutions", "低于最小单元限制，或来源机构过少")
}

// Suppressed is the entry of a result that says so of what.
func (v Verdict) Suppressed(what string) study.Suppressed {
	codes := []study.Code{study.Few, study.Few, study.Influence, study.Outcome, study.Linked}
	return study.Suppressed{What: what, Code: codes[v], Why: v.Why()}
}

// A guards collects guards, each once.
type guards struct {
	operands [][]int
	list     []Guard
}

// part adds the products of a term, and each with the weights.
func (g *guards) part(p formula.Part, weights int) {
	if len(p.Numeric) == 0 {
		g.add(p.Factors)
		return
	}
	products := [][]int{nil}
	for _, columns := range p.Numeric {
		var next [][]int
		for _, done := range products {
			for _, c := range columns {
				next = append(next, append(slices.Clone(done), c))
			}
		}
		products = next
	}
	for _, variables := range products {
		g.add(p.Factors, variables...)
		if weights >= 0 {
			g.add(p.Factors, append(variables, weights)...)
		}
	}
}

// add appends a guard, and one for each operand of its variables. Levels alone
// are counted and judged by JudgeLevels.
func (g *guards) add(factors []int, variables ...int) {
	factors = slices.Clone(factors)
	slices.Sort(factors)
	factors = slices.Compact(factors)
	if len(variables) == 0 && len(factors) < 2 {
		return
	}
	one := Guard{Numeric: slices.Clone(variables), Factors: factors}
	slices.Sort(one.Numeric)
	if !slices.ContainsFunc(g.list, one.same) {
		g.list = append(g.list, one)
	}
	for _, v := range variables {
		if v < len(g.operands) {
			for _, o := range g.operands[v] {
				g.add(factors, o)
			}
		}
	}
}

func (g Guard) same(o Guard) bool {
	return slices.Equal(g.Numeric, o.Numeric) && slices.Equal(g.Factors, o.Factors)
}

// A guarded is a row set with its guards, as round 0 and the judgement see it.
type guarded struct {
	frame  *formula.Frame  // with the operands, where a limit holds
	own    int             // numeric variables of the frame that the loop named
	guards []Guard         // none where no limit holds
	cross  [][]int         // the guards' sets of two factors or more
	counts bool            // no moment is wanted
	truths []formula.Truth // what comparisons tell apart, where a limit holds
	twos   []formula.Truth // what numbers of two values tell apart, likewise
	sets   []partition     // how its rows are parted, likewise
	cuts   []Cut           // what is told bin by bin
	scope  scope
}

// maxCells bounds the cells of one guard.
const maxCells = 1 << 16

// newGuarded finds what a method guards in one of its frames.
func newGuarded(m Method, f *formula.Frame, p policy.Policy) (guarded, error) {
	out := guarded{frame: f, own: len(f.Numeric()), counts: m.Counts()}
	if p.MinCell > 1 {
		var of []int
		out.frame, of = f.WithTwos()
		out.truths = indicators(out.frame, of, p)
		out.twos = twos(out.frame, of, out.truths)
	}
	if n := len(f.Factors()); out.counts && n > 1 && p.MinCell > 1 { // its cells are cohorts, whose sizes must be known
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		out.cross = [][]int{all}
	}
	if out.counts || p.MinCell <= 1 && p.MaxInfluence >= 1 && p.MaxShare >= 1 {
		return out, nil
	}
	wide, operands := out.frame.WithOperands()
	out.frame, out.guards = wide, m.Guards(f, operands)
	for i := range out.own {
		if err := out.fits(Guard{Numeric: []int{i}}, p); err != nil {
			return out, err
		}
	}
	for _, g := range out.guards {
		if err := out.fits(g, p); err != nil {
			return out, err
		}
		if out.cells(g.Factors) > maxCells {
			return out, ws.Errorf(ws.Invalid, "formula", ws.T("the factors of a term have more than %d combinations of levels", "某一项各因子的水平组合超过 %d 种", maxCells)).
				WithHint(ws.T("cross fewer factors", "请减少交叉的分类变量"))
		}
		if len(g.Factors) > 1 && !slices.ContainsFunc(out.cross, func(c []int) bool { return slices.Equal(c, g.Factors) }) {
			out.cross = append(out.cross, g.Factors)
		}
	}
	return out, nil
}

// maxSummed bounds a number of which moments are summed: up to it the squares of 2^36 rows
// stay under the ring's limit of 2^116 for a site among 1,024, whatever the rows are.
const maxSummed = 1 << 40

// fits refuses, under a cell limit, a guard that the dictionary lets be so large that its sum
// might not fit into the ring. Whether it does would hang on one row, for whose value
// the asker could then search, formula by formula.
func (g guarded) fits(one Guard, p policy.Policy) error {
	if p.MinCell <= 1 {
		return nil
	}
	var names []string
	b := 1.0
	for _, i := range one.Numeric {
		v := g.frame.Numeric()[i]
		names = append(names, v.Name)
		b *= max(math.Abs(v.Lo), math.Abs(v.Hi))
	}
	if b <= maxSummed {
		return nil
	}
	return ws.Errorf(ws.Withheld, strings.Join(names, " * "), ws.T("by the dictionary it may be too large for a masked sum, and a row that is would be told", "按字典，其取值可能大到无法加掩求和，由此会透露个别行的情况")).
		WithHint(ws.T("divide the column, as in I(x / 1e6), or declare a narrower range in the dictionary", "请缩小该列的数值，例如 I(x / 1e6)，或在字典中声明更窄的范围"))
}

// summed lists the guards that have moments.
func (g guarded) summed() bool {
	return slices.ContainsFunc(g.guards, func(o Guard) bool { return len(o.Numeric) > 0 })
}

// cells is the number of cells of a set of factors, or a number above maxCells.
func (g guarded) cells(factors []int) int {
	n := 1
	for _, f := range factors {
		n = min(n, maxCells+1) * max(len(g.frame.Factors()[f].Levels), 1)
	}
	return n
}

// cell returns which cell of a set of factors row r is in, the last factor's
// levels running fastest.
func (g guarded) cell(factors []int, v formula.Values, r int) int {
	at := 0
	for _, f := range factors {
		at = at*len(g.frame.Factors()[f].Levels) + int(v.Factor[f][r])
	}
	return at
}

// value is the product of a guard's variables in row r.
func (g Guard) value(v formula.Values, r int) float64 {
	x := 1.0
	for _, i := range g.Numeric {
		x *= v.Numeric[i][r]
	}
	return x
}

// persons returns the persons and the institutions behind each cell of a set
// of factors.
func (g guarded) persons(factors []int, t Totals) (n, sites []int64) {
	switch len(factors) {
	case 0:
		return []int64{t.Complete}, []int64{t.Sites}
	case 1:
		return t.Levels[factors[0]], t.LevelSites[factors[0]]
	}
	i := slices.IndexFunc(g.cross, func(c []int) bool { return slices.Equal(c, factors) })
	return t.Crossed[i].Persons, t.Crossed[i].Sites
}

// bound is a bound of |value|.
func (g guarded) bound(one Guard) float64 {
	b := 1.0
	for _, i := range one.Numeric {
		b *= magnitude(g.frame.Numeric()[i])
	}
	return min(b, 1<<60)
}

// oneSign reports whether a guard's product cannot be negative, or cannot be
// positive.
func (g guarded) oneSign(one Guard) bool {
	for _, i := range one.Numeric {
		if v := g.frame.Numeric()[i]; !(v.Lo >= 0 || v.Hi <= 0) {
			return false
		}
	}
	return true
}

// name is what a refusal calls a guard's number.
func (g guarded) name(one Guard) string {
	var out string
	for _, i := range one.Numeric {
		if out != "" {
			out += ":"
		}
		out += g.frame.Numeric()[i].Name
	}
	return out
}

// where names a cell by its levels.
func (g guarded) where(factors []int, cell int) string {
	var out string
	for k := len(factors) - 1; k >= 0; k-- {
		f := g.frame.Factors()[factors[k]]
		if out != "" {
			out = ", " + out
		}
		out = f.Name + " = " + f.Levels[cell%len(f.Levels)] + out
		cell /= len(f.Levels)
	}
	return out
}
