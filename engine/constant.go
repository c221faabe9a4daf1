package engine

import (
	"context"
	"iter"
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

// Readable finds a column that may be read, with its place in d. An unknown
// one is Invalid, an identifier Denied.
func Readable(d frame.Dictionary, name string) (int, error) {
	i := slices.IndexFunc(d, func(c frame.Column) bool { return c.Name == name })
	switch {
	case i < 0:
		return 0, ws.Errorf(ws.Invalid, "column "+name, ws.T("there is no such column", "没有这一列")).
			WithHint(ws.T("the dataset's dictionary lists its columns", "数据集字典列出了全部列"))
	case d[i].Type == frame.Identifier:
		return 0, ws.Errorf(ws.Denied, "column "+name, ws.T("an identifier cannot be read", "标识列不可读取"))
	}
	return i, nil
}

// WithConstant returns src with one more column, last in its dictionary: a
// factor that has the given level in every row, such as the name of the site.
// Filters may name it. If src has a column of that name, or the factor has no
// such level, every method but Dictionary is Invalid.
func WithConstant(src frame.Source, col frame.Column, level string) frame.Source {
	d := src.Dictionary()
	c := &constant{src: src, col: col, dict: append(slices.Clone(d), col)}
	code := slices.Index(col.Levels, level)
	if code < 0 && col.Other {
		code = len(col.Levels)
	}
	c.code = int32(code)
	c.err = CheckDictionary(c.dict)
	if c.err == nil && (col.Type != frame.Factor || code < 0) {
		c.err = bad(col, ws.T("the level %q is none of the column's", "水平 %q 不属于该列", level))
	}
	return c
}

type constant struct {
	src  frame.Source
	col  frame.Column
	dict frame.Dictionary
	code int32
	err  error // what is wrong with col
}

// Dictionary implements [frame.Source].
func (c *constant) Dictionary() frame.Dictionary { return slices.Clone(c.dict) }

// Distinct implements [frame.Source].
func (c *constant) Distinct(ctx context.Context, column string) ([]float64, error) {
	switch {
	case c.err != nil:
		return nil, c.err
	case column == c.col.Name:
		return nil, bad(c.col, ws.T("the column is not numeric", "该列不是数值列"))
	}
	return c.src.Distinct(ctx, column)
}

// Scan implements [frame.Source]: src reads the other columns, under what is
// left of the filter once the constant is put in.
func (c *constant) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		inner, some, err := c.inner(q)
		if err != nil {
			yield(frame.Batch{}, ws.At("engine: scan", err))
			return
		}
		if !some {
			return
		}
		for b, err := range c.src.Scan(ctx, inner) {
			if err == nil {
				b = c.widen(q, b)
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// inner gives the query for src; some is false if no row can pass.
func (c *constant) inner(q frame.Query) (inner frame.Query, some bool, err error) {
	if c.err != nil {
		return inner, false, c.err
	}
	inner.Places = q.Places
	for _, name := range q.Columns {
		if _, err := Readable(c.dict, name); err != nil {
			return inner, false, err
		}
		if name != c.col.Name {
			inner.Columns = append(inner.Columns, name)
		}
	}
	f, err := frame.ParseFilter(q.Where, c.dict)
	if err != nil {
		return inner, false, err
	}
	rest, known, holds := c.reduce(f.Root)
	if known {
		return inner, holds, nil
	}
	inner.Where = frame.Filter{Root: rest}.String()
	return inner, true, nil
}

// reduce puts the constant into a filter. Either the outcome is then known, or
// rest, which does not name the constant, decides.
func (c *constant) reduce(n frame.Node) (rest frame.Node, known, holds bool) {
	switch n := n.(type) {
	case nil:
		return nil, true, true
	case *frame.And:
		nodes, decided := c.reduceAll(n.Nodes, false)
		switch {
		case decided:
			return nil, true, false
		case len(nodes) == 0:
			return nil, true, true
		case len(nodes) == 1:
			return nodes[0], false, false
		}
		return &frame.And{Nodes: nodes}, false, false
	case *frame.Or:
		nodes, decided := c.reduceAll(n.Nodes, true)
		switch {
		case decided:
			return nil, true, true
		case len(nodes) == 0:
			return nil, true, false
		case len(nodes) == 1:
			return nodes[0], false, false
		}
		return &frame.Or{Nodes: nodes}, false, false
	case *frame.LevelIn:
		if n.Column == c.col.Name {
			return nil, true, slices.Contains(n.Codes, c.code) != n.Not
		}
	case *frame.Missing:
		if n.Column == c.col.Name {
			return nil, true, n.Not
		}
	}
	return n, false, false
}

// reduceAll reduces the nodes of an And or an Or and leaves out those that do
// not matter; decided says that one of them came out as decides.
func (c *constant) reduceAll(nodes []frame.Node, decides bool) (left []frame.Node, decided bool) {
	for _, n := range nodes {
		rest, known, holds := c.reduce(n)
		switch {
		case known && holds == decides:
			return nil, true
		case !known:
			left = append(left, rest)
		}
	}
	return left, false
}

// widen puts the constant into a batch where q asks for it.
func (c *constant) widen(q frame.Query, b frame.Batch) frame.Batch {
	out := frame.Batch{Rows: b.Rows, Columns: make([]frame.Values, len(q.Columns)), Places: b.Places}
	j := 0
	for i, name := range q.Columns {
		if name == c.col.Name {
			out.Columns[i].Code = slices.Repeat([]int32{c.code}, b.Rows)
			continue
		}
		out.Columns[i] = b.Columns[j]
		j++
	}
	return out
}
