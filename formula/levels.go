package formula

import (
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/frame"
)

// A spec is a column read as a factor.
type spec struct {
	ref    *reference
	expr   *expr     // of a comparison, which reads no column as its own
	values []float64 // of a numeric column, ascending
	levels []string
	code   []int32 // of each level, its place in the dictionary or in values
}

// factor binds a factor column, factor() and relevel(); ok is false for
// anything else.
func (b *binder) factor(n *node) (s *spec, ok bool, err error) {
	n = n.bare()
	switch {
	case n.kind == name:
		ref, err := b.column(n)
		if err != nil || ref.Type.Numeric() {
			return nil, false, err
		}
		return b.levels(n)
	case n.kind == call && (n.text == "factor" || n.text == "as.factor"):
		args, err := n.match(1, "x")
		if err != nil {
			return nil, false, err
		}
		if args[0].kind != name {
			return nil, false, invalid(args[0].col, ws.T("%s() takes one column", "%s() 只接受一列", n.text),
				ws.T("cut points belong into the data; sites must agree on levels", "分组界值应事先写入数据，各站点的水平须一致"))
		}
		return b.levels(args[0])
	case n.kind == call && n.text == "I":
		return b.logical(n)
	case n.kind == call && n.text == "relevel":
		s, err = b.relevel(n)
		return s, err == nil, err
	}
	return nil, false, nil
}

// levels reads a column, numeric or factor, by the dictionary's levels.
func (b *binder) levels(n *node) (*spec, bool, error) {
	if n = n.bare(); n.kind != name {
		return b.factor(n)
	}
	ref, err := b.column(n)
	if err != nil {
		return nil, false, err
	}
	if len(ref.Levels) == 0 {
		return nil, false, invalid(n.col, ws.T("column %s has no levels", "列 %s 没有声明水平", printName(n.text)),
			ws.T("declare levels in the dictionary", "请在数据字典中声明 levels"))
	}
	s := &spec{ref: ref, levels: slices.Clone(ref.Levels)}
	if ref.Type.Numeric() {
		if err := s.sortNumbers(n); err != nil {
			return nil, false, err
		}
	}
	if ref.Other {
		s.levels = append(s.levels, frame.OtherLevel)
	}
	for i := range s.levels {
		s.code = append(s.code, int32(i))
	}
	return s, true, nil
}

// sortNumbers orders levels that are numbers, as R's factor() does.
func (s *spec) sortNumbers(n *node) error {
	value := map[string]float64{}
	for _, l := range s.levels {
		v, err := strconv.ParseFloat(l, 64)
		if err != nil || v != v {
			return invalid(n.col, ws.T("level %q of the numeric column %s is no number", "水平 %q 不是数字，而列 %s 为数值型", l, printName(n.text)),
				ws.T("correct the levels in the dictionary", "请更正数据字典中的 levels"))
		}
		value[l] = v
	}
	slices.SortStableFunc(s.levels, func(a, b string) int {
		if value[a] < value[b] {
			return -1
		}
		return 1
	})
	for _, l := range s.levels {
		s.values = append(s.values, value[l])
	}
	return nil
}

// relevel moves the level ref to the front.
func (b *binder) relevel(n *node) (*spec, error) {
	args, err := n.match(2, "x", "ref")
	if err != nil {
		return nil, err
	}
	inner, ok, err := b.factor(args[0])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid(args[0].col, ws.T("relevel() takes a factor", "relevel() 的参数须为分类变量"),
			ws.T(`write relevel(factor(x), ref = "b")`, `请写 relevel(factor(x), ref = "b")`))
	}
	i, err := inner.find(args[1])
	if err != nil {
		return nil, err
	}
	out := &spec{ref: inner.ref, expr: inner.expr, values: inner.values}
	out.levels = slices.Concat(inner.levels[i:i+1], inner.levels[:i], inner.levels[i+1:])
	out.code = slices.Concat(inner.code[i:i+1], inner.code[:i], inner.code[i+1:])
	return out, nil
}

// find returns the place of a level that stands in quotes.
func (s *spec) find(n *node) (int, error) {
	if n = n.bare(); n.kind != str {
		return 0, invalid(n.col, ws.T("a level in quotes is wanted here", "此处应为加引号的水平"),
			ws.T(`write ref = "2", even if the level is a number`, `即使水平是数字，也请写成 ref = "2"`))
	}
	i := slices.Index(s.levels, n.text)
	if i < 0 {
		return 0, invalid(n.col, ws.T("%s has no level %q", "%s 没有水平 %q", s.ref.Name, n.text),
			ws.T("the dictionary lists its levels", "可用的水平见数据字典"))
	}
	return i, nil
}

// A coder turns a column into a factor's codes.
type coder struct {
	ref    *reference
	expr   *expr     // of a comparison
	values []float64 // of a numeric column, ascending
	table  []int32   // from the place in the dictionary, or in values, to the level
	same   bool      // table changes nothing
}

func (s *spec) coder() coder {
	c := coder{ref: s.ref, expr: s.expr, values: s.values, table: make([]int32, len(s.code)), same: s.values == nil}
	for level, code := range s.code {
		c.table[code] = int32(level)
		c.same = c.same && int(code) == level
	}
	return c
}

func outside(column string) error {
	return ws.Errorf(ws.Invalid, "formula", ws.T("column %s has a value outside its levels", "列 %s 中有不属于其水平的值", printName(column))).
		WithHint(ws.T("add the level to the dictionary, or set other: true", "请在数据字典中补充该水平，或设置 other: true"))
}

// code computes a factor's codes of every row, −1 where missing. Where nothing
// changes it returns the batch's own column.
func (c coder) code(b frame.Batch) ([]int32, error) {
	if c.values != nil {
		return c.codeNumbers(b.Columns[c.ref.at].Real)
	}
	if c.expr != nil {
		return c.codeTruth(b), nil
	}
	codes := b.Columns[c.ref.at].Code
	for _, v := range codes {
		if v >= int32(len(c.table)) {
			return nil, outside(c.ref.Name)
		}
	}
	if c.same {
		return codes, nil
	}
	out := make([]int32, len(codes))
	for i, v := range codes {
		out[i] = -1
		if v >= 0 {
			out[i] = c.table[v]
		}
	}
	return out, nil
}

// codeTruth codes a comparison, 0 where it does not hold and 1 where it does.
func (c coder) codeTruth(b frame.Batch) []int32 {
	x, _ := c.expr.eval(b)
	out := make([]int32, len(x))
	for i, v := range x {
		out[i] = -1
		if v == v {
			out[i] = c.table[int(v)]
		}
	}
	return out
}

func (c coder) codeNumbers(x []float64) ([]int32, error) {
	out := make([]int32, len(x))
	for i, v := range x {
		if v != v {
			out[i] = -1
			continue
		}
		k, ok := slices.BinarySearch(c.values, v)
		if !ok {
			if !c.ref.Other {
				return nil, outside(c.ref.Name)
			}
			k = len(c.values)
		}
		out[i] = c.table[k]
	}
	return out, nil
}
