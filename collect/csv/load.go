package csv

import (
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/table"
)

// Load binds the records that are left to a dictionary: it yields them in
// batches of frame.RunRows rows but for the last, with the columns of d in its
// order, and stops at the first error. Columns that d does not name are not
// kept, and of identifiers nothing is: their Values are zero.
//
// A level is its text letter by letter, or a number equal to it ("1.0" is the
// level "1"). A column that the file lacks, a text in a numeric column, a
// fraction in an integer one, a number outside its range and a level that d
// does not declare, unless Other takes it in, is Invalid; the error names file,
// line and column.
func (r *Reader) Load(d frame.Dictionary) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		bound, err := r.bind(d)
		if err != nil {
			yield(frame.Batch{}, err)
			return
		}
		b := fresh(d, 0)
		for {
			fields, err := r.Read()
			if err == io.EOF {
				break
			}
			for i := 0; err == nil && i < len(bound); i++ {
				err = bound[i].add(r, fields, &b.Columns[i])
			}
			if err != nil {
				yield(frame.Batch{}, err)
				return
			}
			if b.Rows++; b.Rows == frame.RunRows {
				if !yield(b, nil) {
					return
				}
				b = fresh(d, frame.RunRows)
			}
		}
		if b.Rows > 0 {
			yield(b, nil)
		}
	}
}

// ReadTable loads a whole file into memory.
func ReadTable(path string, d frame.Dictionary, opt Options) (*table.Table, error) {
	r, err := Open(path, opt)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	all := fresh(d, 0)
	for b, err := range r.Load(d) {
		if err != nil {
			return nil, err
		}
		for i, v := range b.Columns {
			all.Columns[i].Real = append(all.Columns[i].Real, v.Real...)
			all.Columns[i].Code = append(all.Columns[i].Code, v.Code...)
		}
	}
	return table.New(d, all.Columns)
}

// fresh makes a batch without rows, and with room for some.
func fresh(d frame.Dictionary, room int) frame.Batch {
	b := frame.Batch{Columns: make([]frame.Values, len(d))}
	for i, c := range d {
		switch {
		case c.Type.Numeric():
			b.Columns[i].Real = make([]float64, 0, room)
		case c.Type == frame.Factor:
			b.Columns[i].Code = make([]int32, 0, room)
		}
	}
	return b
}

// A binding reads one column of a dictionary from the fields of a record.
type binding struct {
	frame.Column
	at      int              // its field
	levels  map[string]int32 // codes of a factor
	numbers map[float64]int32
	marks   byte // decimal marks so far
}

func (r *Reader) bind(d frame.Dictionary) ([]binding, error) {
	bound := make([]binding, len(d))
	for i, c := range d {
		b := binding{Column: c, at: r.Index(c.Name)}
		switch {
		case b.at < 0:
			return nil, r.lacks(c.Name)
		case c.Type == frame.Factor:
			b.levels, b.numbers = r.codes(c)
		case !c.Type.Numeric() && c.Type != frame.Identifier:
			return nil, ws.Errorf(ws.Invalid, "csv", ws.T("column %q has the unknown type %q", "列 %q 的类型 %q 未知", c.Name, string(c.Type)))
		}
		bound[i] = b
	}
	return bound, nil
}

// codes gives the codes of a factor's levels, by their text and, for those
// that are numbers, by their value.
func (r *Reader) codes(c frame.Column) (map[string]int32, map[float64]int32) {
	levels, numbers := make(map[string]int32, len(c.Levels)+1), make(map[float64]int32)
	if c.Other {
		levels[frame.OtherLevel] = int32(len(c.Levels))
	}
	for i, l := range slices.Backward(c.Levels) {
		levels[l] = int32(i)
		if x, _, ok := r.number([]byte(l)); ok && !padded([]byte(l)) {
			numbers[x] = int32(i)
		}
	}
	return levels, numbers
}

// add appends the record's value to v.
func (b *binding) add(r *Reader, fields [][]byte, v *frame.Values) error {
	field := fields[b.at]
	missing := b.Type != frame.Identifier && r.Missing(field)
	switch {
	case b.Type == frame.Identifier:
		return nil
	case b.Type == frame.Factor && missing:
		v.Code = append(v.Code, -1)
		return nil
	case b.Type == frame.Factor:
		code, err := b.code(r, field)
		v.Code = append(v.Code, code)
		return err
	case missing:
		v.Real = append(v.Real, math.NaN())
		return nil
	}
	x, err := b.number(r, field)
	v.Real = append(v.Real, x)
	return err
}

func (b *binding) code(r *Reader, field []byte) (int32, error) {
	if code, ok := b.levels[string(field)]; ok {
		return code, nil
	}
	if len(b.numbers) > 0 {
		if x, _, ok := r.number(field); ok && !padded(field) {
			if code, ok := b.numbers[x]; ok {
				return code, nil
			}
		}
	}
	if b.Other {
		return int32(len(b.Levels)), nil
	}
	return 0, r.fault(ws.T("column %q has a level that its dictionary does not declare; it declares %s", "列 %q 有字典未声明的水平；已声明的为 %s", b.Name, b.declared())).
		WithHint(ws.T("declare the level in the dictionary, set other: true, or name a code for missing values", "请在字典中声明该水平、设置 other: true，或声明缺失值代码"))
}

// declared lists the levels of the dictionary, so that the one that is not
// among them can be found without being printed.
func (b *binding) declared() string {
	const shown = 12
	more := ""
	if len(b.Levels) > shown {
		more = ", …"
	}
	return strings.Join(b.Levels[:min(shown, len(b.Levels))], ", ") + more
}

func (b *binding) number(r *Reader, field []byte) (float64, error) {
	x, mark, ok := r.number(field)
	b.marks |= mark
	switch {
	case !ok:
		return 0, r.fault(ws.T("column %q is numeric, and the field holds no number", "列 %q 为数值列，而该字段不是数字", b.Name)).
			WithHint(ws.T("correct the field, or name a code for missing values", "请更正该字段，或声明缺失值代码"))
	case b.marks == pointMark|commaMark:
		return 0, r.fault(mixesMarks(b.Name)).WithHint(oneMark)
	case x < b.Min || x > b.Max:
		return 0, r.fault(ws.T("column %q: the number is outside the declared range", "列 %q：数值超出已声明的范围", b.Name)).
			WithHint(ws.T("correct the value, or widen min and max in the dictionary", "请更正该值，或在字典中放宽 min 和 max"))
	case b.Type == frame.Integer && x != math.Trunc(x):
		return 0, r.fault(ws.T("column %q holds integers, and the number has a fraction", "列 %q 为整数列，而该数值带小数", b.Name)).
			WithHint(ws.T("declare the column real in the dictionary", "请在字典中将该列声明为 real"))
	}
	return x, nil
}
