package formula

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	ws "wellspring"
)

// maxLength bounds a formula's text, in characters.
const maxLength = 10000

// A token is a word of a formula. Operators and punctuation have kind operator.
type token struct {
	kind   kind
	text   string // "" at the end of the formula
	num    float64
	quoted bool // a name in backquotes
	col    int
}

// invalid is a mistake in the formula at a column.
func invalid(col int, msg, hint ws.Text) error {
	return ws.Errorf(ws.Invalid, "formula", msg).WithHint(hint).Located(ws.Position{Column: col})
}

type lexer struct {
	text   []rune
	at     int
	tokens []token
}

// scan cuts a formula into tokens, the last of which is empty.
func scan(text string) ([]token, error) {
	if !utf8.ValidString(text) {
		return nil, invalid(0, ws.T("the formula is not UTF-8 text", "公式不是 UTF-8 文本"),
			ws.T("save the file as UTF-8", "请将文件另存为 UTF-8 编码"))
	}
	if utf8.RuneCountInString(text) > maxLength {
		return nil, invalid(0, ws.T("the formula has more than %d characters", "公式超过 %d 个字符", maxLength),
			ws.T("name fewer terms", "请减少公式中的项"))
	}
	l := &lexer{text: []rune(text)}
	for l.skipSpace(); l.at < len(l.text); l.skipSpace() {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, t)
	}
	return append(l.tokens, token{kind: operator, col: len(l.text) + 1}), nil
}

func (l *lexer) skipSpace() {
	for l.at < len(l.text) && unicode.IsSpace(l.text[l.at]) {
		l.at++
	}
}

// peek returns the character i places ahead, or 0.
func (l *lexer) peek(i int) rune {
	if l.at+i < len(l.text) {
		return l.text[l.at+i]
	}
	return 0
}

func digit(r rune) bool { return '0' <= r && r <= '9' }

func (l *lexer) next() (token, error) {
	r := l.peek(0)
	switch {
	case digit(r) || r == '.' && digit(l.peek(1)):
		return l.number()
	case nameStart(r):
		return l.word(), nil
	case r == '"' || r == '\'' || r == '`':
		return l.quoted(r)
	}
	return l.operator()
}

func (l *lexer) number() (token, error) {
	start := l.at
	for digit(l.peek(0)) || l.peek(0) == '.' {
		l.at++
	}
	if e := l.peek(0); e == 'e' || e == 'E' {
		l.at++
		if s := l.peek(0); s == '+' || s == '-' {
			l.at++
		}
		for digit(l.peek(0)) {
			l.at++
		}
	}
	text := string(l.text[start:l.at])
	if l.peek(0) == 'L' {
		l.at++
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || namePart(l.peek(0)) {
		return token{}, invalid(start+1, ws.T("this is not a number", "此处不是有效的数字"),
			ws.T("put a name that begins with a digit in backquotes", "以数字开头的列名请用反引号括起"))
	}
	return token{kind: number, text: text, num: v, col: start + 1}, nil
}

func (l *lexer) word() token {
	start := l.at
	for namePart(l.peek(0)) {
		l.at++
	}
	t := token{kind: name, text: string(l.text[start:l.at]), col: start + 1}
	if t.text == "TRUE" || t.text == "FALSE" {
		t.kind = boolean
	}
	return t
}

func (l *lexer) quoted(mark rune) (token, error) {
	start := l.at
	var b strings.Builder
	for l.at++; l.at < len(l.text); l.at++ {
		r := l.text[l.at]
		switch {
		case r == mark:
			l.at++
			if mark == '`' {
				return l.backquoted(b.String(), start)
			}
			return token{kind: str, text: b.String(), col: start + 1}, nil
		case r == '\\':
			e, ok := map[rune]rune{'\\': '\\', '"': '"', '\'': '\'', '`': '`', 'n': '\n', 't': '\t', 'r': '\r'}[l.peek(1)]
			if !ok {
				return token{}, invalid(l.at+1, ws.T("an escape that formulas do not know", "公式不支持该转义字符"),
					ws.T("write a backslash itself as two", "反斜杠本身请写成两个反斜杠"))
			}
			b.WriteRune(e)
			l.at++
		default:
			b.WriteRune(r)
		}
	}
	return token{}, invalid(start+1, ws.T("a quotation mark that is not closed", "引号没有闭合"),
		ws.T("close it with the same mark", "请用相同的引号闭合"))
}

func (l *lexer) backquoted(text string, start int) (token, error) {
	if text == "" {
		return token{}, invalid(start+1, ws.T("an empty name", "名称为空"),
			ws.T("put a column's name between the backquotes", "请在反引号之间写列名"))
	}
	return token{kind: name, text: text, quoted: true, col: start + 1}, nil
}

// operators, longer ones first.
var operators = []string{"%in%", "**", "==", "!=", "<=", ">=", "~", "+", "-", "*", "/", "^", ":", "(", ")", ",", "=", "<", ">"}

func (l *lexer) operator() (token, error) {
	start := l.at
	rest := string(l.text[start:min(start+4, len(l.text))])
	for _, op := range operators {
		if strings.HasPrefix(rest, op) && !strings.HasPrefix(rest, "::") {
			l.at += len(op)
			if op == "**" {
				op = "^"
			}
			return token{kind: operator, text: op, col: start + 1}, nil
		}
	}
	return token{}, stray(l.text[start], start+1)
}

// stray explains a character that no formula has.
func stray(r rune, col int) error {
	msg := ws.T("a character that formulas do not know: %q", "公式中不能出现字符 %q", r)
	switch {
	case r == '|':
		return invalid(col, msg, ws.T("random effects are not supported; strata() or factor() may do", "不支持随机效应，可考虑 strata() 或 factor()"))
	case r == '$' || r == '[' || r == ':':
		return invalid(col, msg, ws.T("name the column alone, and functions without their package", "请直接写列名，函数前不要写包名"))
	case r >= 0x2000:
		return invalid(col, msg, ws.T("full-width marks are no operators: use ~ + : * ( ) , as on an English keyboard",
			"全角符号不是运算符，请用英文半角的 ~ + : * ( ) ,"))
	}
	return invalid(col, msg, ws.T("put a name with such a character in backquotes", "含有此类字符的列名请用反引号括起"))
}
