package formula

import (
	"math"
	"slices"
	"strings"

	ws "wellspring"
)

// maxColumns bounds a design matrix.
const maxColumns = 10000

// constantShare is the share of a column's sum of squares that must be left
// about its mean. Moments are added in floating point within a run of rows, so
// that what is left of a constant can be 1e-13 of them.
const constantShare = 1e-12

// A Design is the columns of a design matrix, alike at every site. It is
// immutable and may be used concurrently.
type Design struct {
	names     []string
	intercept bool
	bound     []float64
	support   []int64
	terms     []string // labels
	assign    []int    // of each column, its term, counted from 1; 0 for the intercept
	columns   []column // the intercept too
	centre    []float64
	scale     []float64
}

// A column is a product of atoms; the intercept is the product of none.
type column struct {
	atoms         []atom
	centre, scale float64
}

// An atom is one column that a variable has in a term: an indicator of a level,
// a numeric variable, or a polynomial of powers.
type atom struct {
	name     string
	factor   int // or −1
	level    int
	first    int       // numeric variable
	coef     []float64 // nil, or of 1, z, z², ...; z is variable first
	mean, sq float64   // means of the atom and of its square, over all rows
	bound    interval
	support  int64
}

// A layout makes a Design from a frame and its moments.
type layout struct {
	*Frame
	Moments
	intercept bool    // what the coding of factors follows
	kept      [][]int // levels of each factor
	out       Design
}

func (f *Frame) design(m Moments) (*Design, error) {
	l := &layout{Frame: f, Moments: m, intercept: f.model.intercept}
	return l.build(f.model.intercept)
}

// DesignNoIntercept gives the columns for a model whose baseline takes the
// intercept's place, such as Cox's: coded as with an intercept, whatever the
// formula says, then without it; centred all the same. Unscale only divides
// there, since the baseline takes up the centres.
func (f *Frame) DesignNoIntercept(m Moments) (*Design, error) {
	l := &layout{Frame: f, Moments: m, intercept: true}
	return l.build(false)
}

func (l *layout) build(shown bool) (*Design, error) {
	if err := l.checkMoments(); err != nil {
		return nil, err
	}
	if err := l.keepLevels(); err != nil {
		return nil, err
	}
	l.out.intercept = shown
	l.out.terms = l.model.Terms()
	if shown {
		l.add(0, "(Intercept)", nil)
	}
	freed := l.intercept // whether some factor already stands for the intercept
	for i, t := range l.model.terms {
		atoms := make([][]atom, len(t.vars))
		for j, v := range t.vars {
			full := t.full[j]
			if l.vars[v].factor >= 0 && !freed {
				full, freed = true, true
			}
			var err error
			if atoms[j], err = l.atoms(v, full); err != nil {
				return nil, err
			}
		}
		if err := l.cross(i, atoms); err != nil {
			return nil, err
		}
	}
	return &l.out, nil
}

func (l *layout) checkMoments() error {
	fits := len(l.Sum) == len(l.numeric) && len(l.SumSq) == len(l.Sum) && len(l.Levels) == len(l.factors)
	for i := 0; fits && i < len(l.Levels); i++ {
		fits = len(l.Levels[i]) == len(l.factors[i].Levels)
	}
	if !fits {
		return ws.Errorf(ws.Other, "formula.Design", ws.T("the moments are of another frame", "矩统计量与公式不匹配"))
	}
	if l.Complete < 1 {
		return ws.Errorf(ws.Invalid, "formula", ws.T("no row is complete", "没有完整的数据行")).
			WithHint(ws.T("some column is missing everywhere, or the filter lets nothing through", "某一列全部缺失，或筛选条件排除了所有行"))
	}
	return nil
}

// keepLevels drops levels without a row.
func (l *layout) keepLevels() error {
	l.kept = make([][]int, len(l.Levels))
	for i, counts := range l.Levels {
		for level, n := range counts {
			if n > 0 {
				l.kept[i] = append(l.kept[i], level)
			}
		}
	}
	for _, t := range l.model.terms {
		for _, v := range t.vars {
			if i := l.vars[v].factor; i >= 0 && len(l.kept[i]) < 2 {
				return ws.Errorf(ws.Invalid, "formula",
					ws.T("contrasts can be applied only to factors with 2 or more levels, and %s has fewer among complete rows", "对比编码要求分类变量至少有 2 个水平，而 %s 在完整行中不足 2 个", l.vars[v].name)).
					WithHint(ws.T("take it out, or look at what the filter and missing values leave", "请删去该变量，或检查筛选条件和缺失值")).
					Located(ws.Position{Column: l.model.vars[v].col})
			}
		}
	}
	return nil
}

// atoms lists the columns of a variable; full says that a factor has all its
// levels there.
func (l *layout) atoms(v int, full bool) ([]atom, error) {
	variable := l.vars[v]
	if variable.factor >= 0 {
		return l.indicators(variable, full), nil
	}
	if variable.degree > 0 {
		return l.polynomials(v)
	}
	var out []atom
	n := float64(l.Complete)
	for i := variable.first; i < variable.first+variable.width; i++ {
		a := atom{name: l.numeric[i].Name, factor: -1, first: i, mean: l.Sum[i] / n, sq: l.SumSq[i] / n, support: l.Complete}
		// No complete row's value exceeds the root of the sum of squares.
		reach := math.Sqrt(l.SumSq[i]) * (1 + 1e-9)
		a.bound = interval{l.numeric[i].Lo, l.numeric[i].Hi}.cut(-reach, reach)
		if l.intercept && a.variance() <= constantShare*a.sq {
			return nil, ws.Errorf(ws.Invalid, "formula", ws.T("constant column: %s does not vary among complete rows", "常数列：%s 在完整行中没有变化", a.name)).
				WithHint(ws.T("take it out; if it does vary, by very little, subtract a constant: I(x - 1000)", "请删去；若确有微小变化，请先减去常数，如 I(x - 1000)")).
				Located(ws.Position{Column: l.model.vars[v].col})
		}
		out = append(out, a)
	}
	return out, nil
}

func (a atom) variance() float64 { return math.Max(a.sq-float64(a.mean*a.mean), 0) }

func (l *layout) indicators(v variable, full bool) []atom {
	kept := l.kept[v.factor]
	if !full {
		kept = kept[1:]
	}
	out := make([]atom, len(kept))
	for i, level := range kept {
		share := float64(l.Levels[v.factor][level]) / float64(l.Complete)
		out[i] = atom{name: v.name + l.factors[v.factor].Levels[level], factor: v.factor, level: level,
			mean: share, sq: share, bound: interval{0, 1}, support: l.Levels[v.factor][level]}
	}
	return out
}

// polynomials lists the columns of poly(x, d). They have mean 0 and sum of
// squares 1, so no value exceeds 1.
func (l *layout) polynomials(v int) ([]atom, error) {
	variable := l.vars[v]
	moments := append([]float64{float64(l.Complete)}, l.Sum[variable.first:variable.first+variable.width]...)
	coef := orthogonal(moments, variable.degree)
	if coef == nil {
		return nil, ws.Errorf(ws.Invalid, "formula", ws.T("%s: too few distinct values, or too close together, for this degree", "%s:不同取值太少或过于集中，不足以支持该次数", variable.name)).
			WithHint(ws.T("lower the degree, or narrow the column's range in the dictionary", "请降低次数，或缩小数据字典中该列的取值范围")).
			Located(ws.Position{Column: l.model.vars[v].col})
	}
	out := make([]atom, variable.degree)
	for k := range out {
		out[k] = atom{name: variable.name, factor: -1, first: variable.first, coef: coef[k],
			sq: 1 / float64(l.Complete), bound: interval{-1, 1}, support: l.Complete}
		if len(out) > 1 {
			out[k].name += string(rune('1' + k))
		}
	}
	return out, nil
}

// cross adds the columns of a term: the products of its variables' atoms, the
// first variable's running fastest.
func (l *layout) cross(term int, atoms [][]atom) error {
	total := 1
	for _, a := range atoms {
		if total *= len(a); total+len(l.out.names) > maxColumns {
			return ws.Errorf(ws.Invalid, "formula", ws.T("the design matrix would have more than %d columns", "设计矩阵将超过 %d 列", maxColumns)).
				WithHint(ws.T("cross fewer factors", "请减少交叉的分类变量"))
		}
	}
	at := make([]int, len(atoms))
	for range total {
		product := make([]atom, len(atoms))
		names := make([]string, len(atoms))
		for j, i := range at {
			product[j] = atoms[j][i]
			names[j] = product[j].name
		}
		l.add(term+1, strings.Join(names, ":"), product)
		for j := range at {
			if at[j]++; at[j] < len(atoms[j]) {
				break
			}
			at[j] = 0
		}
	}
	return nil
}

// add appends a column. Its centre is the product of its atoms' means and its
// scale the power of two next to the root of the product of their mean squares
// less the centre's: the true mean and deviation of a column of one atom, and
// public constants of about the right size otherwise. Scaling by a power of
// two rounds nothing.
func (l *layout) add(term int, name string, atoms []atom) {
	mean, sq, bound, support := 1.0, 1.0, interval{1, 1}, l.Complete
	for _, a := range atoms {
		mean, sq = float64(mean*a.mean), float64(sq*a.sq)
		bound = bound.times(a.bound)
		support = min(support, a.support)
	}
	c := column{atoms: atoms, scale: 1}
	if len(atoms) > 0 {
		if l.intercept {
			c.centre = mean
		}
		if spread := sq - float64(c.centre*c.centre); spread > 1e-14*sq {
			c.scale = powerOfTwo(math.Sqrt(spread))
		}
	}
	l.out.names = append(l.out.names, name)
	l.out.assign = append(l.out.assign, term)
	l.out.columns = append(l.out.columns, c)
	l.out.centre, l.out.scale = append(l.out.centre, c.centre), append(l.out.scale, c.scale)
	l.out.bound = append(l.out.bound, interval{bound.lo - c.centre, bound.hi - c.centre}.magnitude()/c.scale)
	l.out.support = append(l.out.support, support)
}

// powerOfTwo returns the power of two in (x/√2, x·√2], for x > 0.
func powerOfTwo(x float64) float64 {
	_, e := math.Frexp(x * math.Sqrt2)
	return math.Ldexp(1, max(min(e-1, 900), -900))
}

// Centre returns, for each column, what is subtracted from it.
func (d *Design) Centre() []float64 { return slices.Clone(d.centre) }

// Scale returns, for each column, what it is divided by after that: a power
// of two.
func (d *Design) Scale() []float64 { return slices.Clone(d.scale) }

// Terms returns the labels of the terms, as [Model.Terms].
func (d *Design) Terms() []string { return slices.Clone(d.terms) }

// Assign returns, for each column, the term that it belongs to, counted from
// 1, and 0 for the intercept.
func (d *Design) Assign() []int { return slices.Clone(d.assign) }
