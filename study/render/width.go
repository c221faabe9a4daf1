package render

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// runeWidth is the number of columns that r takes on a terminal: Chinese takes
// two, a mark that combines none.
func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// pad fills s with spaces to n columns, before it or after it.
func pad(s string, n int, left bool) string {
	space := strings.Repeat(" ", max(n-displayWidth(s), 0))
	if left {
		return s + space
	}
	return space + s
}

// clean takes out of s what could move a terminal's cursor or turn its text
// around.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
}
