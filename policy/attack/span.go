package attack

import (
	"math"
	"slices"
	"strings"

	"wellspring/frame"
	"wellspring/study"
)

// A solver knows of everybody all but hdl and hiv, and reads answers as linear functions of these: n times a mean is a
// sum over the rows of a cell, and the coefficients of a linear model give X'y = X'Xβ. Where the target's own
// value is a linear combination of what was answered it computes it.
//
// Of who is in the table it knows nobody when it asks whether the target is: there it reads the
// numbers of rows as sums over every way to be, as far as the studies' filters tell them apart.
type solver struct{ with, without census }

// A census is the persons that a solver reckons with.
type census struct {
	people []Person
	batch  frame.Batch
	target int // −1 where the target is not among them
}

var names = func() (out []string) {
	for _, c := range Dictionary {
		out = append(out, c.Name)
	}
	return out
}()

func newSolver(w World) *solver {
	gone := w.Without()
	return &solver{newCensus(w.All(), w.Target), newCensus(gone.All(), w.Target)}
}

func newCensus(people []Person, target Person) census {
	c := census{people: people, target: slices.IndexFunc(people, func(p Person) bool { return p.quasi() == target.quasi() }),
		batch: frame.Batch{Rows: len(people), Columns: make([]frame.Values, len(Dictionary))}}
	for i, d := range Dictionary {
		for _, p := range people {
			if d.Type == frame.Factor {
				c.batch.Columns[i].Code = append(c.batch.Columns[i].Code, int32(slices.Index(d.Levels, p.text(d.Name))))
			} else {
				c.batch.Columns[i].Real = append(c.batch.Columns[i].Real, p.number(d.Name))
			}
		}
	}
	return c
}

// rows is 1 for those that a filter leaves, and 0 for others.
func (c census) rows(where string) []float64 {
	out := make([]float64, len(c.people))
	f, err := frame.ParseFilter(where, Dictionary)
	if err != nil {
		return out
	}
	match := f.Matcher(names)
	for i := range out {
		if match(c.batch, i) {
			out[i] = 1
		}
	}
	return out
}

// A told is one linear function of what persons have, with its value.
type told struct {
	weight []float64
	value  float64
}

// solve finds what the answers give away. The solver that is after hdl and hiv knows whether the target is there.
func (s *solver) solve(all []answer, there bool) (g Guess) {
	c := s.without
	if there {
		c = s.with
	}
	if c.target >= 0 {
		var hdl, hiv []told
		for _, a := range all {
			if a.doc != nil {
				hdl = append(hdl, c.sums(a, "hdl")...)
				hiv = append(hiv, c.sums(a, "hiv")...)
			}
		}
		if x, ok := own(hdl, c.target); ok {
			g.HDL = &x
		}
		if x, ok := own(hiv, c.target); ok {
			one := x > 0.5
			g.HIV = &one
		}
	}
	if n, ok := membership(all, s.with.people[s.with.target].quasi()); ok {
		in := n > 0.5
		g.There = &in
	}
	return g
}

// sums are what an answer tells of a column.
func (c census) sums(a answer, column string) (out []told) {
	q, r := a.study.All()[0], a.doc.All()[0]
	where := a.study.Data.Where
	switch {
	case q.Method == "describe":
		for _, row := range r.Tidy {
			n, mean := row.Float("n"), row.Float("mean")
			if row.Text("variable") == column && !math.IsNaN(mean) {
				out = append(out, told{c.rows(both(where, level(q.By, row.Text("by")))), n * mean})
			}
		}
	case q.Method == "crosstab" && column == "hiv":
		for _, row := range r.Tidy {
			if n := row.Float("n"); row.Text("row") == "1" && !math.IsNaN(n) {
				out = append(out, told{c.rows(both(where, level(q.Columns, row.Text("column")))), n})
			}
		}
		for _, row := range r.Summary {
			if row.Text("variable") == "hiv" && row.Text("level") == "1" && len(r.Suppressed) == 0 {
				out = append(out, told{c.rows(where), row.Float("n")})
			}
		}
	case q.Method == "glm" && strings.HasPrefix(q.Formula, column+" ~"):
		return c.normal(where, r)
	}
	return out
}

// normal gives X'y = X'Xβ, a function a coefficient.
func (c census) normal(where string, r study.Result) (out []told) {
	in := c.rows(where)
	var x [][]float64
	var beta []float64
	for _, row := range r.Tidy {
		column := c.column(row.Text("term"))
		if column == nil || math.IsNaN(row.Float("estimate")) {
			return nil
		}
		for i := range column {
			column[i] *= in[i]
		}
		x, beta = append(x, column), append(beta, row.Float("estimate"))
	}
	for _, a := range x {
		value := 0.0
		for j, b := range x {
			value += dot(a, b) * beta[j]
		}
		out = append(out, told{a, value})
	}
	return out
}

// column is that of the design for a term, as R names it.
func (c census) column(term string) []float64 {
	if test, ok := strings.CutSuffix(term, "TRUE"); ok {
		return c.rows(strings.TrimSuffix(strings.TrimPrefix(test, "I("), ")"))
	}
	for _, factor := range []string{"sex", "ward"} {
		if level, ok := strings.CutPrefix(term, factor); ok {
			return c.rows(factor + " = '" + level + "'")
		}
	}
	switch term {
	case "(Intercept)":
		return c.rows("")
	case "age", "bmi":
		out := make([]float64, len(c.people))
		for i, p := range c.people {
			out[i] = p.number(term)
		}
		return out
	}
	return nil
}

func level(by, name string) string {
	if by == "" {
		return ""
	}
	return by + " = '" + name + "'"
}

// both is the filter that two make together; either may be empty.
func both(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return "(" + a + ") and " + b
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// own finds the value of one person: is its unit vector a combination of the weights? By Gram and Schmidt, twice,
// with values carried along.
func own(all []told, person int) (float64, bool) {
	if len(all) == 0 {
		return 0, false
	}
	var basis []told
	for _, t := range all {
		size := math.Sqrt(dot(t.weight, t.weight))
		if size == 0 {
			continue
		}
		v := told{slices.Clone(t.weight), t.value}
		for range 2 {
			for _, b := range basis {
				v.less(b, dot(v.weight, b.weight))
			}
		}
		left := math.Sqrt(dot(v.weight, v.weight))
		if left < 1e-7*size {
			continue
		}
		for i := range v.weight {
			v.weight[i] /= left
		}
		v.value /= left
		basis = append(basis, v)
	}
	unit := told{weight: make([]float64, len(all[0].weight))}
	unit.weight[person] = 1
	for _, b := range basis {
		unit.less(b, dot(unit.weight, b.weight))
	}
	return -unit.value, dot(unit.weight, unit.weight) < 1e-14
}

func (t *told) less(b told, times float64) {
	for i, x := range b.weight {
		t.weight[i] -= times * x
	}
	t.value -= times * b.value
}

// membership finds how many are as the target is known to be, where the numbers of rows that were told give it: as [own], over
// every way to be.
func membership(all []answer, q Quasi) (float64, bool) {
	c, target := ways(q)
	var counts []told
	for _, a := range all {
		if a.doc == nil {
			continue
		}
		analysis, r := a.study.All()[0], a.doc.All()[0]
		switch analysis.Method {
		case "describe":
			for _, row := range r.Tidy {
				if row.Text("variable") == "hdl" {
					counts = append(counts, told{c.rows(both(a.study.Data.Where, level(analysis.By, row.Text("by")))), row.Float("n")})
				}
			}
		case "glm":
			counts = append(counts, told{c.rows(a.study.Data.Where), r.Glance.Float("nobs")})
		case "crosstab":
			for _, row := range r.Summary {
				if row.Text("variable") == analysis.Columns && len(r.Suppressed) == 0 {
					counts = append(counts, told{c.rows(both(a.study.Data.Where, level(analysis.Columns, row.Text("level")))), row.Float("n")})
				}
			}
		}
	}
	return own(counts, target)
}

// ways are persons of every kind that bounds near the target's tell apart: the grammar has none but these.
func ways(q Quasi) (c census, target int) {
	var people []Person
	for age := q.Age - 4; age <= q.Age+4; age++ {
		for b := -4; b <= 4; b++ {
			for _, sex := range Dictionary[1].Levels {
				for _, ward := range Dictionary[2].Levels {
					p := Person{Age: age, Sex: sex, Ward: ward, BMI: math.Round(10*q.BMI+float64(b)) / 10}
					if p.quasi() == q {
						target = len(people)
					}
					people = append(people, p)
				}
			}
		}
	}
	return newCensus(people, Person{}), target
}
