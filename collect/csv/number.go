package csv

import (
	"bytes"
	"strconv"
)

// tens are the powers of ten that a float64 holds exactly.
var tens = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// The decimal mark of a number, as a bit.
const (
	pointMark byte = 1 << iota
	commaMark
)

// number reads a decimal number such as -1.5e-3, spaces around it aside, and
// returns its decimal mark, 0 if it has none. In a file with semicolons the
// mark may be a comma. A number beyond float64 is none.
//
// A number of at most 15 digits, d/10^k with k ≤ 22, is the quotient of two
// floats that are exact, so one division rounds it correctly (Clinger, PLDI
// 1990, doi:10.1145/93542.93557); the others go to strconv.
func (r *Reader) number(field []byte) (x float64, mark byte, ok bool) {
	field = trim(field)
	b := field
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	var digits uint64
	count, point := 0, -1 // digits so far; how many stand before the mark
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9':
			if count < 16 {
				digits = digits*10 + uint64(c-'0')
			}
			count++
		case c == '.' && point < 0:
			point, mark = count, pointMark
		case c == ',' && r.delim == ';' && point < 0:
			point, mark = count, commaMark
		case c|0x20 == 'e' && count > 0 && exponent(b[i+1:]):
			x, ok = slowNumber(field, mark)
			return x, mark, ok
		default:
			return 0, 0, false
		}
	}
	if count == 0 {
		return 0, 0, false
	}
	if count > 15 {
		x, ok = slowNumber(field, mark)
		return x, mark, ok
	}
	x = float64(digits)
	if point >= 0 {
		x /= tens[count-point]
	}
	if negative && x != 0 {
		x = -x
	}
	return x, mark, true
}

// exponent reports whether b is an integer with an optional sign.
func exponent(b []byte) bool {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

func slowNumber(b []byte, mark byte) (float64, bool) {
	if mark == commaMark {
		b = bytes.Replace(b, []byte{','}, []byte{'.'}, 1)
	}
	x, err := strconv.ParseFloat(string(b), 64)
	return x + 0, err == nil // −0 becomes 0
}

// padded reports whether a number is written with a leading zero, as codes are.
func padded(field []byte) bool {
	field = bytes.TrimLeft(trim(field), "+-")
	return len(field) > 1 && field[0] == '0' && '0' <= field[1] && field[1] <= '9'
}
