package formula

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A kind says what a node is.
type kind uint8

const (
	number kind = iota
	str
	boolean
	name
	call     // a function with arguments in parentheses
	operator // "(" and the unary and binary operators
)

// A node is a piece of a formula in the shape of R's language objects:
// parentheses are kept, so that a node prints as it was written.
type node struct {
	kind kind
	text string  // name, content of a string, function, operator, TRUE or FALSE
	num  float64 // of a number
	args []argument
	col  int // where it begins, in characters, counted from 1
}

// An argument of a call, "ref" in ref = "b"; name is "" for most.
type argument struct {
	name string
	*node
}

// texts returns the contents of n's strings.
func (n *node) texts() (out []string) {
	if n.kind == str {
		out = append(out, n.text)
	}
	for _, a := range n.args {
		out = append(out, a.texts()...)
	}
	return out
}

func (n *node) is(op string, operands int) bool {
	return n.kind == operator && n.text == op && len(n.args) == operands
}

// bare strips parentheses.
func (n *node) bare() *node {
	for n.is("(", 1) {
		n = n.args[0].node
	}
	return n
}

// String prints n as R's deparse does.
func (n *node) String() string {
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *node) print(b *strings.Builder) {
	switch n.kind {
	case number:
		b.WriteString(printNumber(n.num))
	case str:
		b.WriteString(quote(n.text, '"'))
	case name:
		b.WriteString(printName(n.text))
	case boolean:
		b.WriteString(n.text)
	case call:
		b.WriteString(printName(n.text))
		n.printArgs(b)
	case operator:
		n.printOperator(b)
	}
}

func (n *node) printArgs(b *strings.Builder) {
	b.WriteByte('(')
	for i, a := range n.args {
		if i > 0 {
			b.WriteString(", ")
		}
		if a.name != "" {
			b.WriteString(printName(a.name) + " = ")
		}
		a.print(b)
	}
	b.WriteByte(')')
}

func (n *node) printOperator(b *strings.Builder) {
	switch {
	case n.text == "(":
		n.printArgs(b)
	case len(n.args) == 1:
		b.WriteString(n.text)
		n.args[0].print(b)
	default:
		n.args[0].print(b)
		if n.text == "^" || n.text == ":" || n.text == "/" {
			b.WriteString(n.text)
		} else {
			b.WriteString(" " + n.text + " ")
		}
		n.args[1].print(b)
	}
}

// reserved are the words that R does not take for a name without backquotes.
var reserved = []string{"if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE",
	"NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_", ".", "..."}

func nameStart(r rune) bool { return unicode.IsLetter(r) || r == '.' }

func namePart(r rune) bool {
	return nameStart(r) || r == '_' || unicode.IsDigit(r) || unicode.IsMark(r)
}

// plain reports whether a name needs no backquotes.
func plain(s string) bool {
	for i, r := range s {
		if i == 0 && !nameStart(r) || !namePart(r) {
			return false
		}
	}
	dotted := len(s) > 1 && s[0] == '.' && '0' <= s[1] && s[1] <= '9'
	return s != "" && !dotted && !slices.Contains(reserved, s)
}

func printName(s string) string {
	if plain(s) {
		return s
	}
	return quote(s, '`')
}

// quote puts s between marks, with R's escapes.
func quote(s string, mark rune) string {
	var b strings.Builder
	b.WriteRune(mark)
	for _, r := range s {
		switch r {
		case mark, '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(mark)
	return b.String()
}

// printNumber prints v ≥ 0 with up to 15 digits, in the shorter of fixed and
// scientific notation, fixed where they are as long, as R does.
func printNumber(v float64) string {
	if v == 0 {
		return "0"
	}
	mant, exp, _ := strings.Cut(strconv.FormatFloat(v, 'e', 14, 64), "e")
	mant = strings.TrimRight(strings.TrimRight(mant, "0"), ".")
	e, _ := strconv.Atoi(exp)
	digits := len(mant)
	if digits > 1 {
		digits-- // the point
	}
	right := max(digits-1-e, 0)
	fixed := max(e, 0) + 1
	if right > 0 {
		fixed += right + 1
	}
	if fixed > len(mant)+1+max(len(exp), 3) {
		return mant + "e" + exp
	}
	return strconv.FormatFloat(v, 'f', right, 64)
}
