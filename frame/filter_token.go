package frame

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	ws "wellspring"
)

// A token is a word of a filter's text.
type token struct {
	kind   tokenKind
	text   string // a name or string without its quotes, an operator, a keyword in lower case
	number float64
	at     int // where it begins, in characters, from 1
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	nameToken
	keywordToken
	numberToken
	stringToken
	opToken // also brackets and commas
)

var keywords = []string{"and", "or", "not", "in", "between", "is"}

// operators, longer ones first, with the form in which the parser knows them.
var operators = []struct{ text, as string }{
	{"==", "="}, {"!=", "!="}, {"<>", "!="}, {"<=", "<="}, {">=", ">="}, {"&&", "and"}, {"||", "or"},
	{"=", "="}, {"<", "<"}, {">", ">"}, {"!", "not"}, {"&", "and"}, {"|", "or"}, {"(", "("}, {")", ")"}, {",", ","},
}

// tokens cuts a filter into words, the last of them endToken.
func tokens(src string) ([]token, error) {
	var list []token
	for rest, at := src, 1; ; {
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		at += utf8.RuneCountInString(rest[:len(rest)-len(trimmed)])
		rest = trimmed
		if rest == "" {
			return append(list, token{kind: endToken, at: at}), nil
		}
		t, n, err := nextToken(rest, at)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		at += utf8.RuneCountInString(rest[:n])
		rest = rest[n:]
	}
}

// nextToken returns the word at the head of s and its length in bytes.
func nextToken(s string, at int) (token, int, error) {
	switch c := s[0]; {
	case c == '\'' || c == '"' || c == '`':
		return quotedToken(s, at)
	case startsNumber(s):
		return readNumber(s, at)
	}
	if n := nameLength(s); n > 0 {
		if lower := strings.ToLower(s[:n]); slices.Contains(keywords, lower) {
			return token{kind: keywordToken, text: lower, at: at}, n, nil
		}
		return token{kind: nameToken, text: s[:n], at: at}, n, nil
	}
	for _, op := range operators {
		if strings.HasPrefix(s, op.text) {
			kind := opToken
			if op.as == "and" || op.as == "or" || op.as == "not" {
				kind = keywordToken
			}
			return token{kind: kind, text: op.as, at: at}, len(op.text), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s)
	err := filterError(at, ws.T("the character %q has no meaning here", "字符 %q 在此处没有意义", r))
	if strings.ContainsRune("（），；！＝＜＞‘’“”。、＆｜", r) {
		err = err.WithHint(ws.T("write punctuation in half width, as in sex in ('F', 'M')", "请使用半角标点，例如 sex in ('F', 'M')"))
	}
	return token{}, 0, err
}

// quotedToken reads up to the closing quote; a quote inside is doubled.
func quotedToken(s string, at int) (token, int, error) {
	quote := s[:1]
	kind := stringToken
	if quote == "`" {
		kind = nameToken
	}
	for i := 1; i < len(s); i++ {
		if s[i] != quote[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == quote[0] {
			i++
			continue
		}
		text := strings.ReplaceAll(s[1:i], quote+quote, quote)
		return token{kind: kind, text: text, at: at}, i + 1, nil
	}
	return token{}, 0, filterError(at, ws.T("the quote that opens here is never closed", "此处的引号没有闭合"))
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func startsNumber(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	return s != "" && (digit(s[0]) || len(s) > 1 && s[0] == '.' && digit(s[1]))
}

// readNumber reads a decimal number with an optional sign and exponent.
func readNumber(s string, at int) (token, int, error) {
	n := 0
	for n < len(s) && (digit(s[n]) || s[n] == '.' || s[n]|0x20 == 'e' || (s[n] == '-' || s[n] == '+') && (n == 0 || s[n-1]|0x20 == 'e')) {
		n++
	}
	x, err := strconv.ParseFloat(s[:n], 64)
	if err != nil || nameLength(s[n:]) > 0 || n < len(s) && digitRune(s[n:]) {
		return token{}, 0, filterError(at, ws.T("this is not a number", "此处不是有效的数字"))
	}
	return token{kind: numberToken, number: x + 0, at: at}, n, nil
}

func digitRune(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsDigit(r)
}

// nameLength returns the length in bytes of the unquoted name at the head of
// s, 0 if there is none: letters, digits, marks, "." and "_", the first of them
// no digit or mark, as in R but for a leading "_".
func nameLength(s string) int {
	for i, r := range s {
		switch {
		case unicode.IsLetter(r) || r == '_' || r == '.':
		case i > 0 && (unicode.IsDigit(r) || unicode.IsMark(r)):
		default:
			return i
		}
	}
	return len(s)
}

// nameText writes a column's name so that it reads back.
func nameText(name string) string {
	if n := nameLength(name); n == 0 || n < len(name) || startsNumber(name) || slices.Contains(keywords, strings.ToLower(name)) {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return name
}

func filterError(at int, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, "filter", msg).Located(ws.Position{Column: at})
}
