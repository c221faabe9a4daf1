package frame

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Filter says which rows a study wants, such as
//
//	age >= 18 and sex in ('F', 'M') and chol is not missing
//
// as [ParseFilter] understood it against a dictionary. The zero Filter lets
// every row through.
//
// Logic is SQL's: a comparison with a missing value is neither true nor false,
// and a row passes only where the whole is true. Filters are kept in negation
// normal form: "not" has been pushed down to the comparisons, where it turns
// "<" into ">=" and "in" into "not in". So nothing above a comparison can tell
// unknown from false, and both may be taken as false.
type Filter struct {
	// Root is one of *And, *Or, *Compare, *ComparePair, *NumberIn, *LevelIn
	// and *Missing; nil lets every row through.
	Root Node
}

// A Node is a part of a filter. The types of this package are all there are.
type Node interface {
	columns(yield func(string))
	text(b *strings.Builder)
	compile(index map[string]int) Matcher
}

// An Op is a comparison, written as in SQL.
type Op string

const (
	Eq Op = "="
	Ne Op = "!="
	Lt Op = "<"
	Le Op = "<="
	Gt Op = ">"
	Ge Op = ">="
)

// And is true where all its nodes are; it has two or more, none of them an And.
type And struct{ Nodes []Node }

// Or is true where one of its nodes is; it has two or more, none of them an Or.
type Or struct{ Nodes []Node }

// Compare holds a numeric column against a number, which is finite.
type Compare struct {
	Column string
	Op     Op
	Value  float64
}

// ComparePair holds two numeric columns against each other.
type ComparePair struct {
	Left  string
	Op    Op
	Right string
}

// NumberIn asks whether a numeric column has (or, with Not, has none of) two
// or more values, in ascending order.
type NumberIn struct {
	Column string
	Not    bool
	Values []float64
}

// LevelIn asks whether a factor has (or, with Not, has none of) one or more
// levels. Codes are their indices in the dictionary, ascending.
type LevelIn struct {
	Column string
	Not    bool
	Levels []string
	Codes  []int32
}

// Missing asks whether a column's value is (or, with Not, is not) missing.
type Missing struct {
	Column string
	Not    bool
}

// A Matcher tells whether a row of a batch passes a filter. It may be called
// concurrently.
type Matcher func(b Batch, row int) bool

// Columns returns the columns that f reads, sorted and without repeats.
func (f Filter) Columns() []string {
	var names []string
	if f.Root != nil {
		f.Root.columns(func(name string) { names = append(names, name) })
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Texts returns the level names that f holds columns against.
func (f Filter) Texts() []string { return texts(f.Root) }

func texts(n Node) (out []string) {
	var nodes []Node
	switch n := n.(type) {
	case *And:
		nodes = n.Nodes
	case *Or:
		nodes = n.Nodes
	case *LevelIn:
		return n.Levels
	}
	for _, part := range nodes {
		out = append(out, texts(part)...)
	}
	return out
}

// String returns f's canonical text, "" for the zero Filter. Parsing it gives
// f again, and filters that differ only in spelling, in the order of operands
// or in where "not" stands have the same text.
func (f Filter) String() string {
	if f.Root == nil {
		return ""
	}
	return textOf(f.Root)
}

// Matcher ties f to batches whose columns have the given names, which must
// include f.Columns().
func (f Filter) Matcher(columns []string) Matcher {
	if f.Root == nil {
		return func(Batch, int) bool { return true }
	}
	index := make(map[string]int, len(columns))
	for i, name := range columns {
		index[name] = i
	}
	return f.Root.compile(index)
}

// LevelOf returns the text under which a number stands among a column's
// levels: the shortest decimal that reads back as x, with an exponent only
// below 1e-6 and from 1e21 on.
func LevelOf(x float64) string {
	if x == 0 {
		return "0" // also −0
	}
	if a := math.Abs(x); a >= 1e-6 && a < 1e21 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'e', -1, 64)
}

func textOf(n Node) string {
	var b strings.Builder
	n.text(&b)
	return b.String()
}

func (n *And) columns(yield func(string)) { eachColumn(n.Nodes, yield) }
func (n *Or) columns(yield func(string))  { eachColumn(n.Nodes, yield) }

func eachColumn(nodes []Node, yield func(string)) {
	for _, n := range nodes {
		n.columns(yield)
	}
}

func (n *Compare) columns(yield func(string))     { yield(n.Column) }
func (n *ComparePair) columns(yield func(string)) { yield(n.Left); yield(n.Right) }
func (n *NumberIn) columns(yield func(string))    { yield(n.Column) }
func (n *LevelIn) columns(yield func(string))     { yield(n.Column) }
func (n *Missing) columns(yield func(string))     { yield(n.Column) }

func (n *And) text(b *strings.Builder) { joinText(b, n.Nodes, " and ") }
func (n *Or) text(b *strings.Builder)  { joinText(b, n.Nodes, " or ") }

func joinText(b *strings.Builder, nodes []Node, word string) {
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(word)
		}
		switch n.(type) {
		case *And, *Or:
			b.WriteByte('(')
			n.text(b)
			b.WriteByte(')')
		default:
			n.text(b)
		}
	}
}

func (n *Compare) text(b *strings.Builder) {
	b.WriteString(nameText(n.Column) + " " + string(n.Op) + " " + LevelOf(n.Value))
}

func (n *ComparePair) text(b *strings.Builder) {
	b.WriteString(nameText(n.Left) + " " + string(n.Op) + " " + nameText(n.Right))
}

func (n *NumberIn) text(b *strings.Builder) {
	list := make([]string, len(n.Values))
	for i, v := range n.Values {
		list[i] = LevelOf(v)
	}
	listText(b, n.Column, n.Not, list)
}

func (n *LevelIn) text(b *strings.Builder) {
	list := make([]string, len(n.Levels))
	for i, l := range n.Levels {
		list[i] = "'" + strings.ReplaceAll(l, "'", "''") + "'"
	}
	if len(list) > 1 {
		listText(b, n.Column, n.Not, list)
		return
	}
	op := Eq
	if n.Not {
		op = Ne
	}
	b.WriteString(nameText(n.Column) + " " + string(op) + " " + list[0])
}

func listText(b *strings.Builder, column string, not bool, list []string) {
	b.WriteString(nameText(column))
	if not {
		b.WriteString(" not")
	}
	b.WriteString(" in (" + strings.Join(list, ", ") + ")")
}

func (n *Missing) text(b *strings.Builder) {
	b.WriteString(nameText(n.Column) + " is ")
	if n.Not {
		b.WriteString("not ")
	}
	b.WriteString("missing")
}

func (n *And) compile(index map[string]int) Matcher {
	parts := compileAll(n.Nodes, index)
	return func(b Batch, row int) bool {
		for _, m := range parts {
			if !m(b, row) {
				return false
			}
		}
		return true
	}
}

func (n *Or) compile(index map[string]int) Matcher {
	parts := compileAll(n.Nodes, index)
	return func(b Batch, row int) bool {
		for _, m := range parts {
			if m(b, row) {
				return true
			}
		}
		return false
	}
}

func compileAll(nodes []Node, index map[string]int) []Matcher {
	parts := make([]Matcher, len(nodes))
	for i, n := range nodes {
		parts[i] = n.compile(index)
	}
	return parts
}

func (n *Compare) compile(index map[string]int) Matcher {
	c, holds, value := index[n.Column], n.Op.holds(), n.Value
	return func(b Batch, row int) bool { return holds(b.Columns[c].Real[row], value) }
}

func (n *ComparePair) compile(index map[string]int) Matcher {
	l, holds, r := index[n.Left], n.Op.holds(), index[n.Right]
	return func(b Batch, row int) bool { return holds(b.Columns[l].Real[row], b.Columns[r].Real[row]) }
}

// holds returns the comparison; with NaN, which stands for missing, it is false.
func (o Op) holds() func(x, y float64) bool {
	switch o {
	case Eq:
		return func(x, y float64) bool { return x == y }
	case Ne:
		return func(x, y float64) bool { return x < y || x > y }
	case Lt:
		return func(x, y float64) bool { return x < y }
	case Le:
		return func(x, y float64) bool { return x <= y }
	case Gt:
		return func(x, y float64) bool { return x > y }
	default:
		return func(x, y float64) bool { return x >= y }
	}
}

func (n *NumberIn) compile(index map[string]int) Matcher {
	c, not, values := index[n.Column], n.Not, n.Values
	return func(b Batch, row int) bool {
		x := b.Columns[c].Real[row]
		_, in := slices.BinarySearch(values, x)
		return x == x && in != not
	}
}

func (n *LevelIn) compile(index map[string]int) Matcher {
	c, not, codes := index[n.Column], n.Not, n.Codes
	return func(b Batch, row int) bool {
		code := b.Columns[c].Code[row]
		_, in := slices.BinarySearch(codes, code)
		return code >= 0 && in != not
	}
}

func (n *Missing) compile(index map[string]int) Matcher {
	c, not := index[n.Column], n.Not
	return func(b Batch, row int) bool { return b.Columns[c].missing(row) != not }
}

// Lacks reports whether any value is missing.
func (v Values) Lacks() bool {
	return slices.ContainsFunc(v.Real, math.IsNaN) || slices.ContainsFunc(v.Code, func(c int32) bool { return c < 0 })
}

// missing tells the kind of column by which of its slices is there.
func (v Values) missing(row int) bool {
	if v.Real != nil {
		return math.IsNaN(v.Real[row])
	}
	return v.Code[row] < 0
}
