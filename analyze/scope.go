package analyze

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy/near"
)

// A scope is which rows a study may have, whatever rows there are: those of the dictionary that its filter leaves.
type scope struct {
	columns frame.Dictionary
	where   frame.Filter
	veils   bool // whether nobody must look like too few; see policy.Policy.Veils
}

// text is the canonical text of the study's filter and more conditions.
func (s scope) text(nodes []frame.Node) string {
	var parts []string
	for _, n := range append([]frame.Node{s.where.Root}, nodes...) {
		if n != nil {
			parts = append(parts, "("+frame.Filter{Root: n}.String()+")")
		}
	}
	text := strings.Join(parts, " and ")
	if f, err := frame.ParseFilter(text, s.columns); err == nil {
		return f.String()
	}
	return text // too long to be read; then it is compared as it stands
}

// complete says that what a frame reads is there.
func (s scope) complete(g guarded) (out []frame.Node) {
	for _, column := range g.frame.Columns() {
		if c, _ := s.columns.Lookup(column); !c.Required && column != SiteColumn {
			out = append(out, &frame.Missing{Column: column, Not: true})
		}
	}
	if r := g.frame.Roles(); r.Start >= 0 { // a row without follow-up is missing
		start, stop := g.frame.Numeric()[r.Start].Name, g.frame.Numeric()[r.Time].Name
		out = append(out, &frame.ComparePair{Left: start, Op: frame.Lt, Right: stop})
	}
	return out
}

// cell says what a cell of a partition is: by conditions, as far as a filter can say it, and else
// in words of its own.
func (s scope) cell(g guarded, p partition, cell int) (nodes []frame.Node, other string) {
	var words []string
	for i, t := range p.truths {
		holds := cell>>i&1 == 1
		if n := s.truth(t, holds); n != nil {
			nodes = append(nodes, n)
		} else {
			words = append(words, fmt.Sprintf("%s: %v", t.Name, holds))
		}
	}
	for k := len(p.factors) - 1; k >= 0; k-- {
		f := g.frame.Factors()[p.factors[k]]
		level := f.Levels[cell%len(f.Levels)]
		cell /= len(f.Levels)
		if n := s.level(f, level); n != nil {
			nodes = append(nodes, n)
		} else {
			words = append(words, f.Name+": "+level)
		}
	}
	return nodes, strings.Join(words, "; ")
}

// truth is the condition that a comparison, or a column of two values, says; nil if a
// filter cannot.
func (s scope) truth(t formula.Truth, holds bool) frame.Node {
	if t.Column != "" {
		n := &frame.Compare{Column: t.Column, Op: frame.Ne, Value: t.One}
		if holds {
			n.Op = frame.Eq
		}
		return n
	}
	text := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(t.Name, "I("), ")"), "==", "=")
	if !holds {
		text = "not (" + text + ")"
	}
	f, err := frame.ParseFilter(text, s.columns)
	if err != nil {
		return nil
	}
	return f.Root
}

// level is the condition that a factor has a level; nil if a filter cannot say it.
func (s scope) level(f formula.Factored, level string) frame.Node {
	c, known := s.columns.Lookup(f.Column)
	switch {
	case !known:
		if f.Column == "" && (level == "TRUE" || level == "FALSE") {
			return s.truth(formula.Truth{Name: f.Name}, level == "TRUE")
		}
		return nil
	case c.Type.Numeric():
		x, err := strconv.ParseFloat(level, 64)
		if err != nil {
			return nil
		}
		return &frame.Compare{Column: c.Name, Op: frame.Eq, Value: x}
	}
	code := slices.Index(c.Levels, level)
	if code < 0 && c.Other && level == frame.OtherLevel {
		code = len(c.Levels)
	}
	if code < 0 {
		return nil
	}
	return &frame.LevelIn{Column: c.Name, Levels: []string{level}, Codes: []int32{int32(code)}}
}

// void reports whether the scope has no row of which all nodes hold. Conditions of the filter on columns of which
// neither these nor others tied to them speak are left out: they would tell no more, and make too many ways to be.
func (s scope) void(nodes ...frame.Node) bool {
	var said []string
	for _, n := range nodes {
		said = append(said, frame.Filter{Root: n}.Columns()...)
	}
	var left []frame.Node
	if s.where.Root != nil {
		left = []frame.Node{s.where.Root}
	}
	if all, ok := s.where.Root.(*frame.And); ok {
		left = slices.Clone(all.Nodes)
	}
	for i := 0; i < len(left); i++ {
		columns := frame.Filter{Root: left[i]}.Columns()
		if slices.ContainsFunc(columns, func(c string) bool { return slices.Contains(said, c) }) {
			nodes, said = append(nodes, left[i]), append(said, columns...)
			left = slices.Delete(left, i, i+1)
			i = -1 // it may tie in those that were passed over
		}
	}
	return near.Implied(s.columns, near.Definition{Rows: scope{columns: s.columns}.text(nodes)})
}

// voids says in which of the cells of a set of factors, which hold n persons each, nobody can be; see [scope.void]. What
// is not sure, or not empty, or need not be known, is false.
func (g guarded) voids(factors []int, n []int64) []bool {
	out := make([]bool, len(n))
	for c := range n {
		out[c] = g.void(partition{factors: factors}, c, n[c])
	}
	return out
}

func (g guarded) void(p partition, cell int, n int64) bool {
	if n > 0 || !g.scope.veils {
		return false
	}
	nodes, _ := g.scope.cell(g, p, cell) // without what no filter can say there are more rows
	return g.scope.void(nodes...)
}

// voidEvent reports whether nobody can have the event of g's frame, or nobody can be without.
func (g guarded) voidEvent(has bool) bool {
	i := g.frame.Roles().Event
	if i < 0 || !g.scope.veils {
		return false
	}
	event := formula.Truth{Name: g.frame.Numeric()[i].Name}
	if c, known := g.scope.columns.Lookup(event.Name); known { // 0 and 1, or 1 and 2
		event.Column, event.One = c.Name, c.Max
	}
	n := g.scope.truth(event, has)
	return n != nil && g.scope.void(n)
}

// complete reports whether no row can lack anything that g's frame reads.
func (g guarded) complete() bool {
	if g.frame.Roles().Start >= 0 {
		return false // a row without follow-up is missing
	}
	return !slices.ContainsFunc(g.frame.Columns(), func(column string) bool {
		c, _ := g.scope.columns.Lookup(column)
		return !c.Required && column != SiteColumn && !g.scope.void(&frame.Missing{Column: column})
	})
}
