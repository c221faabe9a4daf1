package formula

import (
	"maps"
	"slices"
	"strings"

	ws "wellspring"
)

// maxDepth bounds how deep parentheses and calls may nest.
const maxDepth = 64

// functions are all that a formula may call; hints name them.
var functions = []string{"I", "factor", "as.factor", "relevel", "offset", "strata", "Surv",
	"log", "log2", "log10", "exp", "sqrt", "abs", "poly", "ns", "c"}

// precedence of binary operators, R's; a prefix minus stands between : and ^.
var precedence = map[string]int{"==": 2, "!=": 2, "<": 2, ">": 2, "<=": 2, ">=": 2,
	"+": 3, "-": 3, "*": 4, "/": 4, "%in%": 5, ":": 6, "^": 8}

const (
	lowest = 2
	prefix = 7
)

// A Model is a formula that has been read and expanded into terms. It is
// immutable.
type Model struct {
	left  *node // nil for a formula without response
	right *node
	expansion
}

// Texts returns what m has in quotes, such as the levels that it names.
func (m *Model) Texts() []string {
	out := m.right.texts()
	if m.left != nil {
		out = append(out, m.left.texts()...)
	}
	return out
}

// Parse reads a formula. A mistake is Invalid and has its column.
func Parse(text string) (*Model, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	m := &Model{}
	if p.peek().text != "~" || p.peek().kind != operator {
		if m.left, err = p.expression(lowest); err != nil {
			return nil, err
		}
	}
	if t := p.next(); t.kind != operator || t.text != "~" {
		return nil, p.unexpected(t, ws.T("expected ~ between response and terms", "响应变量与各项之间应有 ~"))
	}
	if m.right, err = p.expression(lowest); err != nil {
		return nil, err
	}
	if t := p.next(); t.kind != operator || t.text != "" {
		return nil, p.unexpected(t, ws.T("expected an operator or the end of the formula", "此处应为运算符或公式结尾"))
	}
	m.expansion, err = expand(m.left, m.right)
	return m, err
}

// String prints the formula as R's deparse does. It is canonical: parsing it
// again gives the same text.
func (m *Model) String() string {
	if m.left == nil {
		return "~" + m.right.String()
	}
	return m.left.String() + " ~ " + m.right.String()
}

// Response prints the left side, "" if there is none.
func (m *Model) Response() string {
	if m.left == nil {
		return ""
	}
	return m.left.String()
}

// Columns lists the columns that the formula names, in code-point order.
func (m *Model) Columns() []string {
	seen := map[string]bool{}
	for _, side := range []*node{m.left, m.right} {
		if side != nil {
			side.columns(seen)
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (n *node) columns(into map[string]bool) {
	if n.kind == name {
		into[n.text] = true
	}
	for _, a := range n.args {
		a.columns(into)
	}
}

// Intercept reports whether the formula has an intercept.
func (m *Model) Intercept() bool { return m.intercept }

// Terms returns the labels of the terms in R's order; offsets and strata are
// no terms.
func (m *Model) Terms() []string {
	labels := make([]string, len(m.terms))
	for i, t := range m.terms {
		parts := make([]string, len(t.vars))
		for j, v := range t.vars {
			parts[j] = m.vars[v].String()
		}
		labels[i] = strings.Join(parts, ":")
	}
	return labels
}

type parser struct {
	tokens []token
	at     int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

// ahead reports whether the next token is the given mark, and takes it.
func (p *parser) ahead(mark string) bool {
	if t := p.peek(); t.kind != operator || t.text != mark {
		return false
	}
	p.next()
	return true
}

func (p *parser) unexpected(t token, msg ws.Text) error {
	switch {
	case t.text == "" && t.kind == operator:
		return invalid(t.col, msg, ws.T("the formula ends too early", "公式在此处提前结束"))
	case t.text == "=":
		return invalid(t.col, msg, ws.T("= belongs inside a call; compare with ==", "= 只能用于函数参数，比较请用 =="))
	}
	return invalid(t.col, msg, ws.T("a formula looks like y ~ a + b:c; see the package's documentation", "公式的写法如 y ~ a + b:c，详见说明文档"))
}

// expression reads operators that bind at least as tightly as level.
func (p *parser) expression(level int) (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, invalid(p.peek().col, ws.T("more than %d levels of nesting", "嵌套超过 %d 层", maxDepth),
			ws.T("use fewer parentheses", "请减少括号"))
	}
	defer func() { p.depth-- }()
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for {
		t := p.peek()
		bind, ok := precedence[t.text]
		if t.kind != operator || !ok || bind < level {
			return left, nil
		}
		p.next()
		above := bind + 1
		if t.text == "^" {
			above = bind // groups from the right
		}
		right, err := p.expression(above)
		if err != nil {
			return nil, err
		}
		left = &node{kind: operator, text: t.text, args: []argument{{node: left}, {node: right}}, col: left.col}
	}
}

// operand reads a number, string, name, call, parentheses or a prefixed operand.
func (p *parser) operand() (*node, error) {
	t := p.next()
	switch t.kind {
	case number:
		return &node{kind: number, num: t.num, col: t.col}, nil
	case str, boolean:
		return &node{kind: t.kind, text: t.text, col: t.col}, nil
	case name:
		if p.ahead("(") {
			return p.call(t)
		}
		return p.column(t)
	}
	switch t.text {
	case "+", "-":
		inner, err := p.expression(prefix)
		if err != nil {
			return nil, err
		}
		return &node{kind: operator, text: t.text, args: []argument{{node: inner}}, col: t.col}, nil
	case "(":
		inner, err := p.expression(lowest)
		if err != nil {
			return nil, err
		}
		if t := p.peek(); !p.ahead(")") {
			return nil, p.unexpected(t, ws.T("expected ) here", "此处应为右括号 )"))
		}
		return &node{kind: operator, text: "(", args: []argument{{node: inner}}, col: t.col}, nil
	}
	return nil, p.unexpected(t, ws.T("expected a column, a function or a number", "此处应为列名、函数或数字"))
}

func (p *parser) column(t token) (*node, error) {
	if !t.quoted && slices.Contains(reserved, t.text) {
		if t.text == "." {
			return nil, invalid(t.col, ws.T(". for all other columns is not supported", "不支持用 . 表示其余所有列"),
				ws.T("name the columns", "请逐一写出列名"))
		}
		return nil, invalid(t.col, ws.T("%s is a word of R, not a column", "%s 是 R 的保留字，不是列名", t.text),
			ws.T("put a column of that name in backquotes", "若列名确实如此，请用反引号括起"))
	}
	return &node{kind: name, text: t.text, col: t.col}, nil
}

func (p *parser) call(t token) (*node, error) {
	if !slices.Contains(functions, t.text) {
		return nil, invalid(t.col, ws.T("no function %s", "没有函数 %s", printName(t.text)),
			ws.T("formulas know %s", "公式支持 %s", strings.Join(functions, " ")))
	}
	n := &node{kind: call, text: t.text, col: t.col}
	if p.ahead(")") {
		return nil, invalid(t.col, ws.T("%s() needs an argument", "%s() 缺少参数", t.text),
			ws.T("write a column between the parentheses", "请在括号中写列名"))
	}
	for {
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, a)
		if p.ahead(")") {
			return n, nil
		}
		if t := p.peek(); !p.ahead(",") {
			return nil, p.unexpected(t, ws.T("expected , or ) here", "此处应为逗号或右括号"))
		}
	}
}

func (p *parser) argument() (a argument, err error) {
	if t := p.peek(); t.kind == name && p.tokens[p.at+1].kind == operator && p.tokens[p.at+1].text == "=" {
		a.name = t.text
		p.next()
		p.next()
	}
	a.node, err = p.expression(lowest)
	return a, err
}
