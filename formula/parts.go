package formula

import (
	"fmt"
	"maps"
	"slices"
)

// A Part is what one term of the right side multiplies.
type Part struct {
	Factors []int // of Frame.Factors
	// Numeric lists, for each numeric variable of the term, its columns among
	// Frame.Numeric: one, or several for poly() and ns().
	Numeric [][]int
}

// Parts returns the terms of the right side, in order; the intercept, offsets
// and strata are none.
func (f *Frame) Parts() []Part {
	var out []Part
	for _, t := range f.model.terms {
		var p Part
		for _, i := range t.vars {
			switch v := f.vars[i]; {
			case v.factor >= 0:
				p.Factors = append(p.Factors, v.factor)
			case v.width > 0:
				columns := make([]int, v.width)
				for k := range columns {
					columns[k] = v.first + k
				}
				p.Numeric = append(p.Numeric, columns)
			}
		}
		slices.Sort(p.Factors)
		out = append(out, p)
	}
	return out
}

// WithOperands returns f with more numeric variables after its own: whatever
// an expression adds, subtracts, multiplies or divides, where both sides vary.
// operands[i] lists those of f's variable i.
//
// A number that speaks of few persons can hide in one that speaks of many, as
// in I(100*age + (ward == 7)), whose mean, less 100 times the mean age, counts
// that ward. So a judge of moments has to see both sides. The complete rows
// are those of f.
func (f *Frame) WithOperands() (wide *Frame, operands [][]int) {
	w := *f
	w.numeric, w.sources = slices.Clone(f.numeric), slices.Clone(f.sources)
	operands = make([][]int, len(f.numeric))
	known := make(map[string]int)
	for _, s := range f.sources {
		if s.basis == nil {
			known[s.key()] = s.first
		}
	}
	for _, s := range f.sources {
		var inner []*expr
		s.expr.operands(&inner)
		var found []int
		for _, e := range inner {
			at, ok := known[e.key()]
			if !ok {
				at = len(w.numeric)
				known[e.key()] = at
				w.sources = append(w.sources, source{expr: e, first: at, width: 1})
				w.numeric = append(w.numeric, e.numeric("a part of "+f.numeric[s.first].Name))
			}
			if at != s.first && !slices.Contains(found, at) {
				found = append(found, at)
			}
		}
		for i := s.first; i < s.first+s.width; i++ {
			operands[i] = found
		}
	}
	return &w, operands
}

// operands appends both sides of each operator of e whose sides both vary.
func (e *expr) operands(out *[]*expr) {
	if e == nil {
		return
	}
	if e.a != nil && e.b != nil && !e.a.constant() && !e.b.constant() {
		*out = append(*out, e.a, e.b)
	}
	e.a.operands(out)
	e.b.operands(out)
}

// key is the same for expressions that compute the same number the same way.
func (e *expr) key() string {
	switch {
	case e == nil:
		return ""
	case e.constant():
		return fmt.Sprintf("%x", e.value)
	case e.ref != nil:
		return fmt.Sprintf("%s(%q %x)", e.op, e.ref.Name, e.value)
	}
	return fmt.Sprintf("%s(%s %s %x %x)", e.op, e.a.key(), e.b.key(), e.value, e.set)
}

// WithTwos returns f with more numeric variables after its own: each column of two
// values that an expression reads, since the mean of I(2*ill) counts the ill; a
// comparison of it with a number counts them itself.
// of[i] is the one that settles variable i, which reads nothing else; −1 where there
// is none. The complete rows are those of f.
func (f *Frame) WithTwos() (wide *Frame, of []int) {
	w := *f
	w.numeric, w.sources = slices.Clone(f.numeric), slices.Clone(f.sources)
	of = slices.Repeat([]int{-1}, len(f.numeric))
	known := make(map[string]int)
	for i, x := range f.numeric {
		if x.Column != "" {
			known[x.Column] = i
		}
	}
	for _, s := range f.sources {
		read := make(map[string]*expr)
		s.expr.columns(read)
		if len(read) == 1 && s.expr.compares() {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(read)) {
			e := read[name]
			x := e.numeric(name)
			if !x.Two() {
				continue
			}
			at, ok := known[name]
			if !ok {
				at = len(w.numeric)
				known[name] = at
				w.sources = append(w.sources, source{expr: e, first: at, width: 1})
				w.numeric = append(w.numeric, x)
			}
			for i := s.first; i < s.first+s.width && len(read) == 1; i++ {
				of[i] = at
			}
		}
	}
	return &w, of
}

// compares reports whether e is true or false of a row.
func (e *expr) compares() bool {
	return e.op == "in" || precedence[e.op] == lowest
}

// columns finds the columns that e reads.
func (e *expr) columns(out map[string]*expr) {
	if e == nil {
		return
	}
	if e.ref != nil {
		out[e.ref.Name] = e
	}
	e.a.columns(out)
	e.b.columns(out)
}
