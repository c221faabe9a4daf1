package table

import (
	"context"
	"iter"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

// A Table is a dataset in memory. It does not change, and its methods may be
// called concurrently.
type Table struct {
	dict    frame.Dictionary
	columns []frame.Values // in dict's order; those of identifiers hold nothing
	rows    int
}

var _ frame.Source = (*Table)(nil)

// New makes a table of columns, in the order of dict; those of identifiers are
// the zero Values. A column of another length than the first, of another type
// than dict says or with a value outside dict is Invalid. The table keeps the
// slices, which must not change any more.
func New(dict frame.Dictionary, columns []frame.Values) (*Table, error) {
	if len(columns) != len(dict) {
		return nil, ws.Errorf(ws.Invalid, "table",
			ws.T("%d columns for a dictionary of %d", "给出 %d 列，而字典有 %d 列", len(columns), len(dict)))
	}
	t := &Table{dict: slices.Clone(dict), columns: slices.Clone(columns), rows: -1}
	for i, c := range dict {
		n := len(columns[i].Real) + len(columns[i].Code)
		if c.Type == frame.Identifier && n == 0 {
			continue
		}
		if t.rows < 0 {
			t.rows = n
		}
		if n != t.rows {
			return nil, fault(c, ws.T("the column has another number of rows than those before it", "该列的行数与前面各列不同"))
		}
		if err := check(c, columns[i]); err != nil {
			return nil, err
		}
	}
	t.rows = max(t.rows, 0)
	return t, nil
}

// check refuses values that are outside the dictionary, without naming one.
func check(c frame.Column, v frame.Values) error {
	if c.Required && v.Lacks() {
		return fault(c, ws.T("a value is missing, and the dictionary says that none is", "有取值缺失，而字典声明该列无缺失"))
	}
	switch {
	case c.Type == frame.Factor && len(v.Real) == 0:
		highest := int32(len(c.Levels)) - 1
		if c.Other {
			highest++
		}
		for _, code := range v.Code {
			if code < -1 || code > highest {
				return fault(c, ws.T("a code stands for none of the column's levels", "有编码不对应该列的任何水平"))
			}
		}
		return nil
	case c.Type.Numeric() && len(v.Code) == 0:
		return checkNumbers(c, v.Real)
	}
	return fault(c, ws.T("the values are not those of a column of type %s", "取值与 %s 类型的列不符", string(c.Type)))
}

func checkNumbers(c frame.Column, x []float64) error {
	for _, v := range x {
		switch {
		case math.IsNaN(v):
		case v < c.Min || v > c.Max || math.IsInf(v, 0):
			return fault(c, ws.T("a value is outside the declared range", "有取值超出已声明的范围"))
		case c.Type == frame.Integer && v != math.Trunc(v):
			return fault(c, ws.T("a value of an integer column has a fraction", "整数列中有取值带小数"))
		}
	}
	return nil
}

func fault(c frame.Column, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, "table: column "+c.Name, msg)
}

// Rows returns the number of rows.
func (t *Table) Rows() int { return t.rows }

// Dictionary implements [frame.Source].
func (t *Table) Dictionary() frame.Dictionary { return slices.Clone(t.dict) }

// Select returns the table of the given rows, counted from 0, in that order. A
// row may come more than once; one that t does not have is a mistake of the
// caller and panics.
func (t *Table) Select(rows []int) *Table {
	out := &Table{dict: t.dict, columns: make([]frame.Values, len(t.columns)), rows: len(rows)}
	for i, v := range t.columns {
		out.columns[i] = pick(v, rows)
	}
	return out
}

// With returns t with one column more. A column whose name t already has is
// Invalid, as is one that [New] would refuse.
func (t *Table) With(c frame.Column, v frame.Values) (*Table, error) {
	if _, ok := t.dict.Lookup(c.Name); ok {
		return nil, fault(c, ws.T("the table already has a column of that name", "表中已有同名的列"))
	}
	return New(append(t.Dictionary(), c), append(slices.Clone(t.columns), v))
}

func pick(v frame.Values, rows []int) frame.Values {
	var out frame.Values
	if v.Real != nil {
		out.Real = make([]float64, len(rows))
		for i, r := range rows {
			out.Real[i] = v.Real[r]
		}
	}
	if v.Code != nil {
		out.Code = make([]int32, len(rows))
		for i, r := range rows {
			out.Code[i] = v.Code[r]
		}
	}
	return out
}

// column finds a column that a query may name.
func (t *Table) column(name string) (int, error) {
	i := slices.IndexFunc(t.dict, func(c frame.Column) bool { return c.Name == name })
	switch {
	case i < 0:
		return 0, ws.Errorf(ws.Invalid, "table", ws.T("no column is named %q", "没有名为 %q 的列", name))
	case t.dict[i].Type == frame.Identifier:
		return 0, ws.Errorf(ws.Denied, "table", ws.T("column %q identifies persons or records and cannot be used", "列 %q 可识别个人或记录，不可使用", name))
	}
	return i, nil
}

// Scan implements [frame.Source].
func (t *Table) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		wanted := make([]int, len(q.Columns))
		for i, name := range q.Columns {
			var err error
			if wanted[i], err = t.column(name); err != nil {
				yield(frame.Batch{}, err)
				return
			}
		}
		f, err := frame.ParseFilter(q.Where, t.dict)
		if err != nil {
			yield(frame.Batch{}, ws.At("table", err))
			return
		}
		for rows := range t.runs(f) {
			if ctx.Err() != nil {
				yield(frame.Batch{}, ws.Errorf(ws.Stopped, "table", ws.T("the scan was ended", "扫描已被中止")).Wrap(ctx.Err()))
				return
			}
			b := frame.Batch{Rows: len(rows), Columns: make([]frame.Values, len(wanted))}
			for i, c := range wanted {
				b.Columns[i] = pick(t.columns[c], rows)
			}
			if q.Places {
				b.Places = make([]uint32, len(rows))
				for i, r := range rows {
					b.Places[i] = uint32(r)
				}
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// runs yields the rows that f lets through, RunRows of them at a time. The
// slice is used again.
func (t *Table) runs(f frame.Filter) iter.Seq[[]int] {
	names := make([]string, len(t.dict))
	for i, c := range t.dict {
		names[i] = c.Name
	}
	match, all := f.Matcher(names), frame.Batch{Rows: t.rows, Columns: t.columns}
	return func(yield func([]int) bool) {
		rows := make([]int, 0, min(t.rows, frame.RunRows))
		for r := range t.rows {
			if !match(all, r) {
				continue
			}
			if rows = append(rows, r); len(rows) == frame.RunRows {
				if !yield(rows) {
					return
				}
				rows = rows[:0]
			}
		}
		if len(rows) > 0 {
			yield(rows)
		}
	}
}

// Distinct implements [frame.Source].
func (t *Table) Distinct(_ context.Context, column string) ([]float64, error) {
	i, err := t.column(column)
	if err != nil {
		return nil, err
	}
	if !t.dict[i].Type.Numeric() {
		return nil, ws.Errorf(ws.Invalid, "table", ws.T("column %q is not numeric", "列 %q 不是数值列", column))
	}
	x := slices.DeleteFunc(slices.Clone(t.columns[i].Real), math.IsNaN)
	slices.Sort(x)
	return slices.Compact(x), nil
}
