package formula

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/frame"
)

// A Number is a numeric variable by the text of a term that gives it, and which of the term's variables it is.
type Number struct {
	Text string `json:"text"`
	Part int    `json:"part,omitempty"`
}

// A Variable is a Number of a frame.
type Variable struct {
	Number
	Columns []string // that it reads, sorted
	Numeric int      // of Frame.Numeric
	Bit     bool     // it has two values
	Sum     bool     // it is a sum of several columns, each times a number, and a number
	// Beside has, for a column by which the variable is a column, a power of one or several of these, times what reads that
	// column alone, these others.
	Beside map[string][]Number
}

// Variables lists the numeric variables of f, but for comparisons. Those that are a
// column times a number and a number have that column's text, since whoever weighs by the one weighs by the
// other, and so have their powers in poly(), and the first column of ns(), which with the others and a constant makes it.
func (f *Frame) Variables() []Variable {
	var out []Variable
	for _, s := range f.sources {
		read := map[string]*expr{}
		s.expr.columns(read)
		x := f.numeric[s.first]
		if s.expr.compares() {
			continue
		}
		columns := slices.Sorted(maps.Keys(read))
		name, width := f.variableOf(s)
		for k := range width {
			one := Variable{Number: Number{name, k}, Columns: columns, Numeric: s.first + k, Bit: s.basis == nil && x.Whole && x.Hi-x.Lo == 1,
				Sum: s.basis == nil && s.expr.straight() && len(columns) > 1}
			if _, knots := s.basis.(*spline); s.expr.straight() && len(columns) == 1 && (!knots || k == 0) {
				one.Number = Number{Text: power(columns[0], k+1)}
			}
			if s.basis == nil && len(columns) > 1 {
				one.Beside = s.expr.beside(columns)
			}
			out = append(out, one)
		}
	}
	return out
}

// Measured lists the columns that are read as numbers, and that of a response of two levels, sorted.
func (f *Frame) Measured() []string {
	read := map[string]*expr{}
	for _, s := range f.sources {
		s.expr.columns(read)
	}
	if i := f.roles.ResponseFactor; i >= 0 && f.factors[i].Column != "" {
		read[f.factors[i].Column] = nil
	}
	return slices.Sorted(maps.Keys(read))
}

// variableOf is the text of a term that gives a source's variables, and how many of these a term has.
func (f *Frame) variableOf(s source) (text string, width int) {
	for _, v := range f.vars {
		if s.basis != nil && v.width > 0 && v.first == s.first {
			if v.degree > 0 {
				return v.name, v.degree
			}
			return v.name, v.width
		}
	}
	text = f.numeric[s.first].Name
	if inner, ok := strings.CutPrefix(text, "offset("); ok {
		text = strings.TrimSuffix(inner, ")")
	}
	if !strings.HasPrefix(text, "I(") {
		text = "I(" + text + ")"
	}
	return text, 1
}

// beside takes e apart, column by column, where it is a product.
func (e *expr) beside(columns []string) map[string][]Number {
	out := map[string][]Number{}
	for _, c := range columns {
		if others, ok := e.apart(c); ok {
			out[c] = others
		}
	}
	return out
}

// apart gives what stands beside a column that e reads; none of a sum in which all else does not read it.
func (e *expr) apart(column string) (others []Number, ok bool) {
	for e.op == "+" || e.op == "-" || e.op == "neg" {
		switch {
		case e.b == nil || !e.b.reads(column):
			e = e.a
		case !e.a.reads(column):
			e = e.b
		default:
			return nil, e.straight()
		}
	}
	var all []factor
	e.factors(1, &all)
	for _, f := range all {
		name, plain := f.plain()
		switch {
		case f.reads(column):
			if read := f.read(); len(read) > 1 {
				return nil, false
			}
		case plain:
			others = append(others, Number{Text: power(name, int(f.power))})
		default:
			return nil, false
		}
	}
	return others, true
}

// read are the columns that e reads.
func (e *expr) read() map[string]*expr {
	out := map[string]*expr{}
	e.columns(out)
	return out
}

func (e *expr) reads(column string) bool {
	_, ok := e.read()[column]
	return ok
}

// A factor of an expression, which is raised to a power.
type factor struct {
	*expr
	power float64
}

// plain reports whether a factor is a whole power of a column, or a column times a number and a number.
func (f factor) plain() (column string, ok bool) {
	if f.op == "column" {
		return f.ref.Name, f.power > 0 && f.power <= maxRawDegree && f.power == math.Trunc(f.power)
	}
	read := map[string]*expr{}
	f.expr.columns(read)
	for column = range read {
	}
	return column, len(read) == 1 && f.power == 1 && f.straight()
}

func (e *expr) factors(power float64, out *[]factor) {
	switch {
	case e.constant():
	case e.op == "neg":
		e.a.factors(power, out)
	case e.op == "*":
		e.a.factors(power, out)
		e.b.factors(power, out)
	case e.op == "/":
		e.a.factors(power, out)
		e.b.factors(-power, out)
	case e.op == "^" && e.b.constant():
		e.a.factors(power*e.b.value, out)
	default:
		*out = append(*out, factor{e, power})
	}
}

// Column is the number that a column is.
func Column(name string) Number { return Number{Text: power(name, 1)} }

func power(column string, k int) string {
	if k == 1 {
		return printName(column)
	}
	return fmt.Sprintf("I(%s^%d)", printName(column), k)
}

// Level is 1 in the rows that have a level of a factor, and 0 in others; not ok where no term says that.
func (f *Frame) Level(d frame.Dictionary, factor, level int) (n Number, ok bool) {
	g := f.factors[factor]
	inner := strings.TrimSuffix(strings.TrimPrefix(g.Name, "I("), ")")
	c, known := d.Lookup(g.Column)
	switch {
	case g.Column == "" && level == 1:
		n.Text = "I((" + inner + ") * 1)"
	case g.Column == "":
		n.Text = "I(1 - (" + inner + "))"
	case known && c.Type.Numeric():
		n.Text = fmt.Sprintf("I((%s == %s) * 1)", printName(g.Column), g.Levels[level])
	default:
		n.Text = fmt.Sprintf("I((%s == %s) * 1)", printName(g.Column), quote(g.Levels[level], '"'))
	}
	alone, err := bindText("~ 0 + "+n.Text, d)
	return n, err == nil && len(alone.numeric) == 1
}

// Numbers binds numbers, and reads columns besides, so that its complete rows are those of which none of these is
// missing. at says which of its numeric variables each number is.
func Numbers(d frame.Dictionary, numbers []Number, columns []string) (f *Frame, at []int, err error) {
	terms := []string{"0"}
	for _, n := range numbers {
		terms = append(terms, n.Text)
	}
	for _, c := range columns {
		terms = append(terms, printName(c))
	}
	if f, err = bindText("~ "+strings.Join(terms, " + "), d); err != nil {
		return nil, nil, err
	}
	for _, n := range numbers {
		alone, err := bindText("~ 0 + "+n.Text, d)
		if err != nil {
			return nil, nil, err
		}
		if n.Part < 0 || n.Part >= len(alone.numeric) {
			return nil, nil, invalid(0, ws.T("%s has no variable %d", "%s 没有第 %d 个变量", n.Text, n.Part+1), ws.Text{})
		}
		name := alone.numeric[n.Part].Name
		i := slices.IndexFunc(f.numeric, func(x Numeric) bool { return x.Name == name })
		if i < 0 {
			return nil, nil, invalid(0, ws.T("%s is no number among others", "%s 与其他项并列时不是数值", n.Text), ws.Text{})
		}
		at = append(at, i)
	}
	return f, at, nil
}

func bindText(text string, d frame.Dictionary) (*Frame, error) {
	m, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return Bind(m, d, "")
}
