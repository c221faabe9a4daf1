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
	// Beside has, for a column by which the variable is a column, a power of one or several of these, times what reads that
	// column alone, these others.
	Beside map[string][]Number
}

// Variables lists the numeric variables of f, but for those that have two values and comparisons. Those that are a
// column times a number and a number have that column's text, since whoever weighs by the one weighs by the
// other, and so have their powers in poly(), and the first column of ns(), which with the others and a constant makes it.
func (f *Frame) Variables() []Variable {
	var out []Variable
	for _, s := range f.sources {
		read := map[string]*expr{}
		s.expr.columns(read)
		x := f.numeric[s.first]
		if s.expr.compares() || x.Two() || s.basis == nil && x.Whole && x.Hi-x.Lo == 1 {
			continue
		}
		columns := slices.Sorted(maps.Keys(read))
		name, width := f.variableOf(s)
		for k := range width {
			one := Variable{Number: Number{name, k}, Columns: columns, Numeric: s.first + k}
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

// beside takes e apart where it is a product.
func (e *expr) beside(columns []string) map[string][]Number {
	var all []factor
	e.factors(1, &all)
	out := map[string][]Number{}
	for _, c := range columns {
		var others []Number
		apart := true
		for _, f := range all {
			read := map[string]*expr{}
			f.expr.columns(read)
			_, own := read[c]
			name, plain := f.plain()
			switch {
			case own:
				apart = apart && len(read) == 1
			case plain:
				others = append(others, Number{Text: power(name, int(f.power))})
			default:
				apart = false
			}
		}
		if apart {
			out[c] = others
		}
	}
	return out
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

func power(column string, k int) string {
	if k == 1 {
		return printName(column)
	}
	return fmt.Sprintf("I(%s^%d)", printName(column), k)
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
		at = append(at, slices.IndexFunc(f.numeric, func(x Numeric) bool { return x.Name == name }))
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
