package duckdb

import (
	"fmt"
	"strings"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// A renderer writes a filter as SQL over the columns c0, c1, ...; every number
// and code is a bound parameter, so no text of a study enters the statement.
// Missing values are NULL, and [frame.Filter] has SQL's logic.
type renderer struct {
	strings.Builder
	dict frame.Dictionary
	args []any
	err  error // the first
}

// where renders a filter's text and its parameters; "true" for an empty filter.
func (s *source) where(text string) (string, []any, error) {
	f, err := frame.ParseFilter(text, s.info.Dictionary)
	if err != nil {
		return "", nil, err
	}
	if f.Root == nil {
		return "true", nil, nil
	}
	r := &renderer{dict: s.info.Dictionary}
	r.node(f.Root)
	return r.String(), r.args, r.err
}

func (r *renderer) node(n frame.Node) {
	switch n := n.(type) {
	case *frame.And:
		r.join(n.Nodes, " AND ")
	case *frame.Or:
		r.join(n.Nodes, " OR ")
	case *frame.Compare:
		r.column(n.Column)
		r.op(n.Op)
		r.bind(n.Value)
	case *frame.ComparePair:
		r.column(n.Left)
		r.op(n.Op)
		r.column(n.Right)
	case *frame.NumberIn:
		in(r, n.Column, n.Not, n.Values)
	case *frame.LevelIn:
		in(r, n.Column, n.Not, n.Codes)
	case *frame.Missing:
		r.column(n.Column)
		r.WriteString(word(n.Not, " IS NOT NULL", " IS NULL"))
	default:
		r.fail(ws.Errorf(ws.Other, "filter", ws.T("DuckDB has no SQL for a part of the filter", "过滤条件的某一部分无法转换为 SQL")))
	}
}

func (r *renderer) join(nodes []frame.Node, word string) {
	r.WriteByte('(')
	for i, n := range nodes {
		if i > 0 {
			r.WriteString(word)
		}
		r.node(n)
	}
	r.WriteByte(')')
}

func in[T any](r *renderer, column string, not bool, values []T) {
	r.column(column)
	r.WriteString(word(not, " NOT IN (", " IN ("))
	for i, v := range values {
		if i > 0 {
			r.WriteByte(',')
		}
		r.bind(v)
	}
	r.WriteByte(')')
}

func word(not bool, negative, positive string) string {
	if not {
		return negative
	}
	return positive
}

func (r *renderer) column(name string) {
	i, err := engine.Readable(r.dict, name)
	if err != nil {
		r.fail(err)
	}
	fmt.Fprintf(r, "c%d", i)
}

var ops = map[frame.Op]string{
	frame.Eq: " = ", frame.Ne: " <> ", frame.Lt: " < ", frame.Le: " <= ", frame.Gt: " > ", frame.Ge: " >= ",
}

func (r *renderer) op(o frame.Op) {
	sql, ok := ops[o]
	if !ok {
		r.fail(ws.Errorf(ws.Other, "filter", ws.T("DuckDB has no such comparison", "DuckDB 没有这种比较")))
	}
	r.WriteString(sql)
}

func (r *renderer) bind(v any) {
	r.args = append(r.args, v)
	fmt.Fprintf(r, "$%d", len(r.args))
}

func (r *renderer) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
