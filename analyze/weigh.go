package analyze

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy/near"
	"wellspring/stat"
)

// Models over one row set add up like questions over many: the sums of y·x⁰ to y·x⁶ give the sum of y at each of
// seven values of x, though in none of them a person carries much, nor has a large leverage in any of the models.
// So the functions by which sums of a column are weighed are kept with the cohort, and a model is held to the limit
// of leverages together with those before it over the same rows: round 0 opens the products of all their functions, with
// the moments, and with its verdicts at how many sites a row's leverage passes the limit, column by column.
//
// A variable x weighs each column that it does not read. One that reads several, such as I(hdl * age), tells of hdl
// weighed by how much x changes with hdl, and so does its product with any other variable; that change is taken between two
// values of the dictionary's range that follow from the text, and is age, up to a factor, whichever they are.
//
// Not held to each other are functions over row sets that are not the same by definition.

// A weighing is what is judged of one frame with what was told before over its rows.
type weighing struct {
	frame     *formula.Frame
	functions []weight
	columns   []weighed
}

// A weight is a function, ready to be computed: the product of some of the frame's variables, less that at
// another value of a column; scaled to lie between −1 and 1.
type weight struct {
	near.Function
	numeric   []int
	column    int        // of the frame's columns; −1 where it is the product itself
	at        [2]float64 // values of that column
	mid, half float64
}

// A weighed column is one of which sums are told: functions are by place, after 1, which is 0.
type weighed struct {
	column    string
	functions []int
	fresh     []bool // of each: told by no earlier study or analysis
}

// functions lists by what sums over a frame are weighed. What is told by the levels of a factor is told by
// cells.
func functions(f *formula.Frame, d frame.Dictionary) (out []near.Function) {
	all, measured := f.Variables(), f.Measured()
	for i, v := range all {
		others := slices.DeleteFunc(slices.Clone(measured), func(c string) bool { return slices.Contains(v.Columns, c) })
		for _, n := range weighs(v) {
			out = near.Join(out, near.Function{Product: []formula.Number{n}, Reads: others})
		}
		if len(v.Columns) < 2 {
			continue
		}
		for _, c := range v.Columns {
			out = near.Join(out, change(v, c))
			for j, o := range all {
				if j != i {
					out = near.Join(out, change(v, c, o))
				}
			}
		}
	}
	for _, part := range f.Parts() {
		if len(part.Numeric)+len(part.Factors) > 1 && len(part.Numeric) > 0 {
			out = near.Join(out, products(f, d, part, all)...)
		}
	}
	return slices.DeleteFunc(out, func(g near.Function) bool { return len(g.Product) == 0 || len(g.Reads) == 0 })
}

// weighs lists the numbers by which a variable weighs others: its columns where it is a sum of these, which tell no less, and
// none where it has two values, whose groups are cohorts.
func weighs(v formula.Variable) (out []formula.Number) {
	switch {
	case v.Bit:
	case v.Sum:
		for _, c := range v.Columns {
			out = append(out, formula.Column(c))
		}
	default:
		out = append(out, v.Number)
	}
	return out
}

// change is by how much a variable, times others, changes with a column that it reads.
func change(v formula.Variable, column string, more ...formula.Variable) near.Function {
	beside, apart := v.Beside[column]
	f := near.Function{Product: []formula.Number{v.Number}, Of: column, Reads: []string{column}}
	if apart && !slices.ContainsFunc(more, func(o formula.Variable) bool { return slices.Contains(o.Columns, column) }) {
		f.Product, f.Of = slices.Clone(beside), ""
	}
	for _, o := range more {
		f.Product = append(f.Product, o.Number)
	}
	return f
}

// products are those of a term of several numbers, such as age:bmi, or of numbers within the levels of factors.
func products(f *formula.Frame, d frame.Dictionary, part formula.Part, all []formula.Variable) (out []near.Function) {
	lists := [][]formula.Number{nil}
	cross := func(numbers []formula.Number) {
		var next [][]formula.Number
		for _, done := range lists {
			for _, n := range numbers {
				next = append(next, append(slices.Clone(done), n))
			}
		}
		if next != nil {
			lists = next
		}
	}
	var read []string
	for _, columns := range part.Numeric {
		var numbers []formula.Number
		for _, v := range all {
			if slices.Contains(columns, v.Numeric) {
				read, numbers = append(read, v.Columns...), append(numbers, v.Number)
			}
		}
		cross(numbers)
	}
	for _, i := range part.Factors {
		var levels []formula.Number
		for k := range f.Factors()[i].Levels {
			if n, ok := f.Level(d, i, k); ok && k > 0 { // the first is what the others leave of all
				levels = append(levels, n)
			}
		}
		without := lists
		cross(levels)
		if levels != nil {
			lists = append(slices.Clone(without), lists...)
		}
	}
	others := slices.DeleteFunc(f.Measured(), func(c string) bool { return slices.Contains(read, c) })
	if len(others) > 0 {
		for _, list := range lists {
			out = append(out, near.Function{Product: list, Reads: others})
		}
	}
	return out
}

// weigh lists the functions of a part's frame, and holds them to those before over the same rows.
func (p *Program) weigh(b binder, i, j int, complete []frame.Node) ([]near.Function, error) {
	part := &p.parts[i]
	part.weighings = append(part.weighings, nil)
	f := part.frames[j]
	if p.facts.Policy.MaxLeverage >= 1 || f.Roles().Start >= 0 {
		return nil, nil
	}
	own := functions(f, p.facts.Columns)
	if len(own) == 0 {
		return nil, nil
	}
	rows := near.Definition{Rows: b.text(complete)}
	before := near.Weighed(p.facts.Columns, p.facts.Sites, rows, p.facts.Earlier)
	for _, c := range b.list {
		if len(c.Functions) > 0 && near.Implied(p.facts.Columns, rows, near.Term{Definition: c.Definition, Sign: 1}) {
			before = near.Join(before, c.Functions...)
		}
	}
	w, err := newWeighing(f, own, before, p.facts.Columns)
	part.weighings[j] = w
	return own, ws.At(part.analysis.Label(), err)
}

// newWeighing holds the functions of a frame to those before it over the same rows; nil where no column is
// weighed by both.
func newWeighing(f *formula.Frame, own, before []near.Function, d frame.Dictionary) (*weighing, error) {
	all := near.Join(near.Join(nil, before...), own...)
	w := &weighing{}
	for _, c := range f.Measured() {
		one := weighed{column: c}
		fresh := false
		for i, g := range all {
			if !slices.Contains(g.Reads, c) {
				continue
			}
			told := slices.ContainsFunc(before, func(o near.Function) bool { return o.Same(g) && slices.Contains(o.Reads, c) })
			fresh = fresh || !told
			one.functions, one.fresh = append(one.functions, i+1), append(one.fresh, !told)
		}
		if fresh && slices.Contains(one.fresh, false) {
			w.columns = append(w.columns, one)
		}
	}
	if len(w.columns) == 0 {
		return nil, nil
	}
	all = w.narrow(all)
	if len(all) > near.MaxFunctions {
		return nil, ws.Errorf(ws.Withheld, "formula", ws.T("more than %d numbers were held against each other over these rows", "在这些行上相互对照的数值已超过 %d 个", near.MaxFunctions)).
			WithHint(ws.T("ask over other rows", "请改用其他行提问"))
	}
	var numbers []formula.Number
	for _, g := range all {
		numbers = append(numbers, g.Product...)
	}
	wide, at, err := formula.Numbers(d, numbers, f.Columns())
	if err != nil {
		return nil, err
	}
	if name, partial := wide.Partial(); partial {
		return nil, ws.Errorf(ws.Invalid, "facts", ws.T("%s, which sites remember, is not defined for all values of the dictionary", "站点所记的 %s 并非对字典的所有取值都有定义", name))
	}
	w.frame = wide
	for _, g := range all {
		w.functions = append(w.functions, newWeight(g, wide, at[:len(g.Product)], d))
		at = at[len(g.Product):]
	}
	return w, nil
}

// narrow leaves the functions of the columns that are judged.
func (w *weighing) narrow(all []near.Function) (out []near.Function) {
	place := make([]int, len(all)+1)
	for i := range w.columns {
		for k, at := range w.columns[i].functions {
			if place[at] == 0 {
				out = append(out, all[at-1])
				place[at] = len(out)
			}
			w.columns[i].functions[k] = place[at]
		}
	}
	return out
}

func newWeight(g near.Function, f *formula.Frame, numeric []int, d frame.Dictionary) weight {
	w := weight{Function: g, numeric: numeric, column: slices.Index(f.Columns(), g.Of)}
	bound := 1.0
	for _, i := range numeric {
		x := f.Numeric()[i]
		bound *= magnitude(x)
		w.mid, w.half = (x.Lo+x.Hi)/2, (x.Hi-x.Lo)/2 // of one alone
	}
	if w.column < 0 {
		if len(numeric) > 1 || !(w.half > 0) || math.IsInf(w.half, 0) {
			w.mid, w.half = 0, bound
		}
		return w
	}
	w.mid, w.half = 0, 2*bound
	c, _ := d.Lookup(g.Of)
	for i, u := range fractions(g) { // one in each half of the range
		w.at[i] = c.Min + float64((c.Max-c.Min)*(float64(i)+u)/2)
	}
	return w
}

// fractions are two numbers in [0, 1) that follow from a function's text, so that nobody chooses them.
func fractions(g near.Function) (out [2]float64) {
	sum := sha256.Sum256([]byte(fmt.Sprintf("wellspring/weight %q of %q", fmt.Sprint(g.Product), g.Of)))
	for i := range out {
		out[i] = float64(binary.BigEndian.Uint64(sum[8*i:])>>11) / (1 << 53)
	}
	return out
}

// values computes 1 and all functions for the complete rows of a batch, by function.
func (w *weighing) values(b frame.Batch) ([][]float64, int, error) {
	v, err := w.frame.Eval(b)
	if err != nil {
		return nil, 0, err
	}
	out := [][]float64{slices.Repeat([]float64{1}, v.Rows)}
	for _, g := range w.functions {
		x := g.product(v)
		if g.column >= 0 {
			var side [2][]float64
			for i, at := range g.at {
				moved, err := w.frame.Eval(with(b, g.column, at))
				if err != nil {
					return nil, 0, err
				}
				if moved.Rows != v.Rows {
					return nil, 0, ws.Errorf(ws.Diverged, "facts", ws.T("a function that sites remember is not defined in all rows", "站点所记的某个函数并非对所有行都有定义"))
				}
				side[i] = g.product(moved)
			}
			for r := range x {
				x[r] = side[1][r] - side[0][r]
			}
		}
		for r := range x {
			x[r] = (x[r] - g.mid) / g.half
		}
		out = append(out, x)
	}
	return out, v.Rows, nil
}

func (g weight) product(v formula.Values) []float64 {
	out := slices.Repeat([]float64{1}, v.Rows)
	for _, i := range g.numeric {
		for r := range out {
			out[r] *= v.Numeric[i][r]
		}
	}
	return out
}

// with is a batch with a column at one value wherever it is not missing.
func with(b frame.Batch, column int, at float64) frame.Batch {
	b.Columns = slices.Clone(b.Columns)
	real := slices.Clone(b.Columns[column].Real)
	for i, x := range real {
		if x == x {
			real[i] = at
		}
	}
	b.Columns[column].Real = real
	return b
}

// gramShape has the products of all functions.
func (w *weighing) gramShape(t Totals) stat.Shape {
	m := len(w.functions) + 1
	n := m * (m + 1) / 2
	return stat.Shape{{Name: "gram", Len: n, Frac: stat.FracFor(1, t.Rows), Basis: stat.Repeat(t.Complete, n)}}
}

// heavyShape says for each column at how many sites a row's leverage passes the limit.
func (w *weighing) heavyShape() stat.Shape {
	return stat.Shape{{Name: "heavy", Len: len(w.columns), Flag: true}}
}

// A gramFold adds up the products.
type gramFold struct {
	*weighing
	sum stat.Vector
}

func (f *gramFold) Add(b frame.Batch) error {
	x, rows, err := f.values(b)
	if err != nil {
		return err
	}
	k := 0
	for i := range x {
		for j := range i + 1 {
			for r := range rows {
				f.sum[k] += float64(x[i][r] * x[j][r])
			}
			k++
		}
	}
	return nil
}

func (f *gramFold) Vector() (stat.Vector, error) { return f.sum, nil }

// A heavyFold looks for rows of too large a leverage.
type heavyFold struct {
	*weighing
	bases []near.Basis // by column, of places in its functions; 0 is 1
	norms []float64    // by column, what bounds a leverage by Σx² of a row, and spares most rows the product
	limit float64
	heavy stat.Vector
}

func (w *weighing) heavyFold(gram []float64, p float64) *heavyFold {
	f := &heavyFold{weighing: w, limit: p, heavy: make(stat.Vector, len(w.columns))}
	for _, c := range w.columns {
		b, _ := c.basis(gram)
		f.bases, f.norms = append(f.bases, b), append(f.norms, norm(b))
	}
	return f
}

// norm is |L⁻¹|².
func norm(b near.Basis) (sum float64) {
	for k := range b.Of {
		unit := make([]float64, len(b.Of))
		unit[k] = 1
		sum += b.Leverage(unit)
	}
	return sum
}

// nearly is the share of its square below which what others leave of a function is lost in rounding.
const nearly = 1e-10

// basis is that of the functions of a column, and whether a fresh one is so nearly made of others that
// what it would tell of few could not be seen.
func (c weighed) basis(gram []float64) (b near.Basis, blurred bool) {
	at := append([]int{0}, c.functions...)
	b = near.NewBasis(len(at), nearly, func(i, k int) float64 {
		i, k = max(at[i], at[k]), min(at[i], at[k])
		return gram[i*(i+1)/2+k]
	})
	for i, fresh := range c.fresh {
		blurred = blurred || fresh && !slices.Contains(b.Of, i+1)
	}
	return b, blurred
}

func (f *heavyFold) Add(b frame.Batch) error {
	x, rows, err := f.values(b)
	if err != nil {
		return err
	}
	for i, c := range f.columns {
		row := make([]float64, len(f.bases[i].Of))
		for r := range rows {
			for k, of := range f.bases[i].Of {
				if row[k] = 1; of > 0 {
					row[k] = x[c.functions[of-1]][r]
				}
			}
			if f.norms[i]*square(row) > f.limit && f.bases[i].Leverage(row) > f.limit {
				f.heavy[i]++
			}
		}
	}
	return nil
}

func (f *heavyFold) Vector() (stat.Vector, error) { return f.heavy, nil }

// judge reads how many sites have a row of too large a leverage, by column.
//
// Whether a fresh function is too near to others is told like that, for what is lost in rounding may be one person's.
func (w *weighing) judge(gram []float64, heavy []int64) error {
	for i, c := range w.columns {
		if _, blurred := c.basis(gram); heavy[i] == 0 && !blurred {
			continue
		}
		return near.Together(c.column)
	}
	return nil
}

// weighing is that of a frame; nil where there is none.
func (p part) weighing(frame int) *weighing {
	if frame >= len(p.weighings) {
		return nil
	}
	return p.weighings[frame]
}

func weighPrefix(part, frame int) string { return fmt.Sprintf("%d.%d.weighed/", part, frame) }

// weighs is the piece that holds a frame to what was told before, in the phases that do.
func (p *Program) weighs(s progress, prob *Problem, i, j int) (piece, bool) {
	w := p.parts[i].weighing(j)
	if w == nil || s.Phase != moments && s.Phase != judging {
		return piece{}, false
	}
	t := s.Parts[i].Totals[j]
	pc := piece{prefix: weighPrefix(i, j), ask: Ask{Query: prob.Query(w.frame), Shape: w.gramShape(t)}, aside: true,
		fold: func() (Fold, error) { return &gramFold{w, make(stat.Vector, w.gramShape(t).Len())}, nil }}
	if s.Phase == judging {
		pc.ask.Shape, pc.fold = w.heavyShape(), func() (Fold, error) { return w.heavyFold(t.Weighed, p.facts.Policy.MaxLeverage), nil }
	}
	return pc, true
}

// asked is how many numbers a study asks for by itself: its answer, and the grid of its times, must not hang on what was
// asked before.
func asked(ps []piece) (n int64) {
	for _, pc := range ps {
		if !pc.aside {
			n += int64(pc.ask.Shape.Len())
		}
	}
	return n
}
