package engine

import (
	"math"
	"strconv"
	"unicode/utf8"

	ws "wellspring"
	"wellspring/frame"
)

// MaxColumns bounds a dictionary.
const MaxColumns = 16384

// CheckName refuses what cannot name a dataset.
func CheckName(name ws.Dataset) error {
	n := utf8.RuneCountInString(string(name))
	if n >= 1 && n <= 128 && utf8.ValidString(string(name)) {
		return nil
	}
	return ws.Errorf(ws.Invalid, "dataset name",
		ws.T("a dataset's name has 1 to 128 characters in UTF-8", "数据集名称须为 1 到 128 个 UTF-8 字符"))
}

// CheckDictionary refuses a dictionary to which no row could be bound: columns
// without a name or with the same one, unknown types, levels that repeat, a
// range that is no range.
func CheckDictionary(d frame.Dictionary) error {
	if len(d) > MaxColumns {
		return ws.Errorf(ws.Invalid, "dictionary", ws.T("more than %d columns", "列数超过 %d", MaxColumns))
	}
	seen := make(map[string]bool, len(d))
	for i, c := range d {
		if c.Name == "" || seen[c.Name] || !utf8.ValidString(c.Name) {
			return ws.Errorf(ws.Invalid, "dictionary: column "+strconv.Itoa(i+1),
				ws.T("a column needs a name of its own, in UTF-8", "每一列都须有唯一的 UTF-8 名称"))
		}
		seen[c.Name] = true
		if err := checkColumn(c); err != nil {
			return err
		}
	}
	return nil
}

func checkColumn(c frame.Column) error {
	switch {
	case c.Type.Numeric():
		if !(c.Min <= c.Max) || math.IsInf(c.Min, 0) || math.IsInf(c.Max, 0) {
			return bad(c, ws.T("the range needs finite bounds, the lower one first", "取值范围须有有限的上下界，且下界不大于上界"))
		}
	case c.Type == frame.Factor:
		seen := make(map[string]bool, len(c.Levels))
		for _, l := range c.Levels {
			if seen[l] || c.Other && l == frame.OtherLevel {
				return bad(c, ws.T("the level %q stands twice", "水平 %q 重复出现", l))
			}
			seen[l] = true
		}
	case c.Type != frame.Identifier:
		return bad(c, ws.T("the type %q is none of real, integer, factor, identifier",
			"类型 %q 不是 real、integer、factor 或 identifier 之一", string(c.Type)))
	}
	return nil
}

// Check refuses a batch of all columns of d that is not shaped as [Store.Load]
// says or of which a value is outside d: a number out of its range or with a
// fraction in an integer column, a code without a level. It names the column,
// never the row or the value.
func Check(d frame.Dictionary, b frame.Batch) error {
	if b.Rows < 0 || len(b.Columns) != len(d) {
		return ws.Errorf(ws.Invalid, "batch", ws.T("the batch has not the columns of its dictionary", "数据批与字典的列不一致"))
	}
	for i, c := range d {
		v := b.Columns[i]
		if c.Required && v.Lacks() {
			return bad(c, ws.T("a value is missing, and the dictionary says that none is", "有取值缺失，而字典声明该列无缺失")).
				WithHint(ws.T("find out why, or take required: true out of the dictionary", "请查明原因，或从字典中去掉 required: true"))
		}
		switch {
		case c.Type == frame.Identifier:
		case c.Type == frame.Factor:
			if len(v.Code) != b.Rows || v.Real != nil {
				return ragged(c)
			}
			if !codesWithin(v.Code, c) {
				return bad(c, ws.T("a value is none of the declared levels", "有取值不在已声明的水平之内")).
					WithHint(ws.T("declare the level in the dictionary, or set other: true", "请在字典中声明该水平，或设置 other: true"))
			}
		default:
			if len(v.Real) != b.Rows || v.Code != nil {
				return ragged(c)
			}
			if err := numbersWithin(v.Real, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// Codes is the number of codes of a factor: its levels, and "other".
func Codes(c frame.Column) int {
	if c.Other {
		return len(c.Levels) + 1
	}
	return len(c.Levels)
}

func codesWithin(codes []int32, c frame.Column) bool {
	n := uint32(Codes(c)) + 1
	for _, k := range codes {
		if uint32(k+1) >= n { // −1, missing, becomes 0
			return false
		}
	}
	return true
}

func numbersWithin(x []float64, c frame.Column) error {
	for _, v := range x {
		if v < c.Min || v > c.Max {
			return bad(c, ws.T("a value is outside the declared range", "有取值超出已声明的范围")).
				WithHint(ws.T("correct the value, or widen min and max in the dictionary", "请更正该值，或在字典中放宽 min 和 max"))
		}
	}
	if c.Type != frame.Integer {
		return nil
	}
	for _, v := range x {
		if v != math.Trunc(v) && v == v { // NaN is a missing value
			return bad(c, ws.T("a value of an integer column has a fraction", "整数列中有取值带小数")).
				WithHint(ws.T("declare the column real in the dictionary", "请在字典中将该列声明为 real"))
		}
	}
	return nil
}

func ragged(c frame.Column) error {
	return bad(c, ws.T("the column has not the batch's type or length", "该列与数据批的类型或长度不一致"))
}

func bad(c frame.Column, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, "column "+c.Name, msg)
}
