package study

import (
	ws "wellspring"
)

// didYouMean adds the nearest of the choices to e as a hint, if one is near.
func didYouMean(e *ws.Error, word string, choices []string) *ws.Error {
	best, distance := "", len(word)/3+2
	for _, c := range choices {
		if d := editDistance(word, c); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return e
	}
	return e.WithHint(ws.T("did you mean %q?", "是否想写“%s”？", best))
}

// editDistance is Levenshtein's, in characters; a word of more than 64 is far
// from everything.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 64
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(y)]
}

// clip shortens what a message repeats of its input.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
