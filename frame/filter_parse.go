package frame

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	ws "wellspring"
)

// Bounds of a filter's text, and of its canonical text.
const (
	MaxFilterLength = 10000 // characters
	MaxFilterDepth  = 64    // brackets and nots within each other
)

// ParseFilter reads a row filter over the columns of d:
//
//	filter    = conjunct { ("or" | "||") conjunct }
//	conjunct  = negation { ("and" | "&&") negation }
//	negation  = ("not" | "!") negation | "(" filter ")" | predicate
//	predicate = operand ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") operand
//	          | column ["not"] "in" "(" literal { "," literal } ")"
//	          | column ["not"] "between" literal "and" literal
//	          | column "is" ["not"] "missing" | "is_missing" "(" column ")"
//	operand   = column | literal
//
// A column is a name as in R or anything in backquotes; a literal is a decimal
// number or a text in single or double quotes; a quote within quotes is
// doubled. Keywords may be in any case.
//
// A numeric column is compared with numbers or another numeric column, a
// factor for equality with levels that d declares. Columns or levels that d
// does not have, and mistakes of grammar, are Invalid, identifiers Denied; the
// error says where, in characters. An empty text gives the zero Filter.
func ParseFilter(src string, d Dictionary) (Filter, error) {
	if len(src) > utf8.UTFMax*MaxFilterLength || utf8.RuneCountInString(src) > MaxFilterLength {
		return Filter{}, tooLong()
	}
	if !utf8.ValidString(src) {
		return Filter{}, ws.Errorf(ws.Invalid, "filter", ws.T("the text is not UTF-8", "文本不是 UTF-8 编码"))
	}
	list, err := tokens(src)
	if err != nil {
		return Filter{}, err
	}
	p := &filterParser{tokens: list, dict: d}
	if p.peek().kind == endToken {
		return Filter{}, nil
	}
	root, err := p.or(false)
	if err != nil {
		return Filter{}, err
	}
	if t := p.peek(); t.kind != endToken {
		return Filter{}, filterError(t.at, ws.T("the filter should end here, or go on with and / or", "过滤条件应在此处结束，或以 and / or 继续"))
	}
	f := Filter{root}
	if depth(root) > MaxFilterDepth {
		return Filter{}, tooDeep(1)
	}
	if utf8.RuneCountInString(f.String()) > MaxFilterLength {
		return Filter{}, tooLong()
	}
	return f, nil
}

func tooLong() error {
	return ws.Errorf(ws.Invalid, "filter", ws.T("longer than %d characters", "长度超过 %d 个字符", MaxFilterLength))
}

func tooDeep(at int) error {
	return filterError(at, ws.T("nested deeper than %d", "嵌套超过 %d 层", MaxFilterDepth))
}

// A filterParser descends through a filter's words. Each rule takes whether it
// stands under an odd number of nots, and builds its node negated if so.
type filterParser struct {
	tokens []token
	dict   Dictionary
	depth  int
}

func (p *filterParser) peek() token { return p.tokens[0] }

func (p *filterParser) next() token {
	t := p.tokens[0]
	if t.kind != endToken {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next word if it is that keyword or operator.
func (p *filterParser) accept(text string) bool {
	t := p.peek()
	if (t.kind == keywordToken || t.kind == opToken) && t.text == text {
		p.next()
		return true
	}
	return false
}

func (p *filterParser) expect(text string) error {
	if p.accept(text) {
		return nil
	}
	return filterError(p.peek().at, ws.T("expected %q here", "此处应为 %q", text))
}

func (p *filterParser) or(not bool) (Node, error) { return p.list("or", not, p.and) }

func (p *filterParser) and(not bool) (Node, error) { return p.list("and", not, p.negation) }

func (p *filterParser) list(word string, not bool, rule func(bool) (Node, error)) (Node, error) {
	var nodes []Node
	for {
		n, err := rule(not)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
		if !p.accept(word) {
			return join((word == "and") != not, nodes), nil
		}
	}
}

func (p *filterParser) negation(not bool) (Node, error) {
	p.depth++
	defer func() { p.depth-- }()
	// The outermost predicate stands at depth 1, inside no bracket.
	if p.depth > MaxFilterDepth+1 {
		return nil, tooDeep(p.peek().at)
	}
	switch {
	case p.accept("not"):
		return p.negation(!not)
	case p.accept("("):
		n, err := p.or(not)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	}
	return p.predicate(not)
}

// An operand is a column of the dictionary, or a literal.
type operand struct {
	token
	column *Column
}

func (p *filterParser) predicate(not bool) (Node, error) {
	if t := p.peek(); t.kind == nameToken && strings.EqualFold(t.text, "is_missing") && p.tokens[1].text == "(" && p.tokens[1].kind == opToken {
		return p.missingCall(not)
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	t := p.next()
	if _, ok := negated[Op(t.text)]; ok && t.kind == opToken {
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		op := Op(t.text)
		if not {
			op = negated[op]
		}
		return compare(left, op, right, t.at)
	}
	if t.kind == keywordToken && left.column != nil {
		switch {
		case t.text == "is":
			return p.isMissing(left, not)
		case t.text == "not" && p.accept("in"):
			return p.in(left, !not)
		case t.text == "not" && p.accept("between"):
			return p.between(left, !not)
		case t.text == "in":
			return p.in(left, not)
		case t.text == "between":
			return p.between(left, not)
		}
	}
	return nil, filterError(t.at, ws.T("expected a comparison such as >=, in (...), between or is missing here",
		"此处应为比较，例如 >=、in (...)、between 或 is missing"))
}

func (p *filterParser) operand() (operand, error) {
	t := p.next()
	switch t.kind {
	case numberToken, stringToken:
		return operand{token: t}, nil
	case nameToken:
		c, ok := p.dict.Lookup(t.text)
		if !ok {
			return operand{}, filterError(t.at, ws.T("no column is named %q", "没有名为 %q 的列", t.text)).
				WithHint(ws.T("put a text in quotes, as in sex = 'F'", "文本须加引号，例如 sex = 'F'"))
		}
		if c.Type == Identifier {
			return operand{}, ws.Errorf(ws.Denied, "filter", ws.T("column %q identifies persons or records and cannot be used", "列 %q 可识别个人或记录，不可使用", t.text)).
				WithHint(ws.T("if it should hold numbers, declare it in a dictionary; dates are not read yet, so write days as numbers", "若应为数值，请在字典中声明；目前尚不读取日期，请换算成天数")).
				Located(ws.Position{Column: t.at})
		}
		return operand{t, &c}, nil
	}
	return operand{}, filterError(t.at, ws.T("expected a column, a number or a quoted text here", "此处应为列名、数字或带引号的文本"))
}

func (p *filterParser) literal() (operand, error) {
	o, err := p.operand()
	if err == nil && o.column != nil {
		err = filterError(o.at, ws.T("expected a number or a quoted text here, not a column", "此处应为数字或带引号的文本，而不是列"))
	}
	return o, err
}

func (p *filterParser) missingCall(not bool) (Node, error) {
	p.next()
	p.next()
	o, err := p.operand()
	if err != nil {
		return nil, err
	}
	if o.column == nil {
		return nil, filterError(o.at, ws.T("is_missing takes a column", "is_missing 的参数须为列"))
	}
	return &Missing{o.column.Name, not}, p.expect(")")
}

func (p *filterParser) isMissing(o operand, not bool) (Node, error) {
	if p.accept("not") {
		not = !not
	}
	if t := p.next(); t.kind != nameToken || !strings.EqualFold(t.text, "missing") {
		return nil, filterError(t.at, ws.T("expected %q here", "此处应为 %q", "missing"))
	}
	return &Missing{o.column.Name, not}, nil
}

func (p *filterParser) in(o operand, not bool) (Node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []operand
	for {
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		list = append(list, l)
		if !p.accept(",") {
			break
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if o.column.Type == Factor {
		return levelIn(o, not, list)
	}
	return numberIn(o, not, list)
}

// between is two comparisons: lo ≤ x and x ≤ hi.
func (p *filterParser) between(o operand, not bool) (Node, error) {
	lo, err := p.literal()
	if err != nil {
		return nil, err
	}
	if err := p.expect("and"); err != nil {
		return nil, err
	}
	hi, err := p.literal()
	if err != nil {
		return nil, err
	}
	ge, le := Ge, Le
	if not {
		ge, le = Lt, Gt
	}
	a, err := compare(o, ge, lo, o.at)
	if err != nil {
		return nil, err
	}
	b, err := compare(o, le, hi, o.at)
	if err != nil {
		return nil, err
	}
	return join(!not, []Node{a, b}), nil
}

var negated = map[Op]Op{Eq: Ne, Ne: Eq, Lt: Ge, Ge: Lt, Gt: Le, Le: Gt}

// mirrored is the comparison with its sides exchanged.
var mirrored = map[Op]Op{Eq: Eq, Ne: Ne, Lt: Gt, Ge: Le, Gt: Lt, Le: Ge}

// compare builds "l op r", the column on the left, and of two columns the one
// whose name comes first.
func compare(l operand, op Op, r operand, at int) (Node, error) {
	if l.column == nil || r.column != nil && r.column.Name < l.column.Name {
		l, op, r = r, mirrored[op], l
	}
	switch {
	case l.column == nil:
		return nil, filterError(at, ws.T("a comparison needs a column", "比较中至少要有一个列"))
	case r.column != nil:
		if !l.column.Type.Numeric() || !r.column.Type.Numeric() {
			return nil, filterError(at, ws.T("columns %q and %q cannot be compared: both must be numeric", "列 %q 与 %q 无法比较：两者都须为数值列", l.column.Name, r.column.Name))
		}
		return &ComparePair{l.column.Name, op, r.column.Name}, nil
	case l.column.Type != Factor:
		if r.kind != numberToken {
			return nil, wantsNumber(l, r)
		}
		return &Compare{l.column.Name, op, r.number}, nil
	case op != Eq && op != Ne:
		return nil, filterError(at, ws.T("column %q is a factor: its levels have no order", "列 %q 为分类变量，其水平没有大小顺序", l.column.Name))
	}
	return levelIn(l, op == Ne, []operand{r})
}

func wantsNumber(column, literal operand) error {
	return filterError(literal.at, ws.T("column %q is numeric: compare it with a number", "列 %q 为数值列，请与数字比较", column.column.Name))
}

func numberIn(o operand, not bool, list []operand) (Node, error) {
	values := make([]float64, len(list))
	for i, l := range list {
		if l.kind != numberToken {
			return nil, wantsNumber(o, l)
		}
		values[i] = l.number
	}
	slices.Sort(values)
	values = slices.Compact(values)
	switch {
	case len(values) > 1:
		return &NumberIn{o.column.Name, not, values}, nil
	case not:
		return &Compare{o.column.Name, Ne, values[0]}, nil
	}
	return &Compare{o.column.Name, Eq, values[0]}, nil
}

// levelIn looks the levels up in the dictionary; a number is the level of its
// canonical text.
func levelIn(o operand, not bool, list []operand) (Node, error) {
	n := &LevelIn{Column: o.column.Name, Not: not}
	for _, l := range list {
		text := l.text
		if l.kind == numberToken {
			text = LevelOf(l.number)
		}
		code := slices.Index(o.column.Levels, text)
		if code < 0 && o.column.Other && text == OtherLevel {
			code = len(o.column.Levels)
		}
		if code < 0 {
			return nil, filterError(l.at, ws.T("column %q has no level %q", "列 %q 没有水平 %q", n.Column, text)).
				WithHint(ws.T("levels are those of the dictionary, letter by letter", "水平须与字典所列逐字一致"))
		}
		n.Codes = append(n.Codes, int32(code))
	}
	slices.Sort(n.Codes)
	n.Codes = slices.Compact(n.Codes)
	for _, code := range n.Codes {
		if int(code) == len(o.column.Levels) {
			n.Levels = append(n.Levels, OtherLevel)
		} else {
			n.Levels = append(n.Levels, o.column.Levels[code])
		}
	}
	return n, nil
}

// join makes an And or an Or of nodes, its operands flattened, sorted by their
// text and without repeats.
func join(and bool, nodes []Node) Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	texts := make(map[string]Node)
	add := func(n Node) { texts[textOf(n)] = n }
	for _, n := range nodes {
		a, isAnd := n.(*And)
		o, isOr := n.(*Or)
		switch {
		case and && isAnd:
			for _, n := range a.Nodes {
				add(n)
			}
		case !and && isOr:
			for _, n := range o.Nodes {
				add(n)
			}
		default:
			add(n)
		}
	}
	type entry struct {
		text string
		node Node
	}
	var sorted []entry
	for text, n := range texts {
		sorted = append(sorted, entry{text, n})
	}
	slices.SortFunc(sorted, func(a, b entry) int { return cmp.Compare(a.text, b.text) })
	unique := make([]Node, len(sorted))
	for i, e := range sorted {
		unique[i] = e.node
	}
	switch {
	case len(unique) == 1:
		return unique[0]
	case and:
		return &And{unique}
	}
	return &Or{unique}
}

// depth counts the brackets within each other in the canonical text.
func depth(n Node) int {
	var nodes []Node
	switch n := n.(type) {
	case *And:
		nodes = n.Nodes
	case *Or:
		nodes = n.Nodes
	}
	deepest := 0
	for _, n := range nodes {
		switch n.(type) {
		case *And, *Or:
			deepest = max(deepest, 1+depth(n))
		}
	}
	return deepest
}
