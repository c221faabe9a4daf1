package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"wellspring/study"
)

// significant digits that a table shows of the smallest number of a column.
const significant = 4

// mostDecimals bounds them: smaller numbers are written with an exponent.
const mostDecimals = 6

// cells writes the values of one column alike: as many decimals for each as
// the smallest needs for its significant digits.
func cells(field string, values []any) []string {
	digits := decimals(values)
	out := make([]string, len(values))
	for i, v := range values {
		switch x := v.(type) {
		case string:
			out[i] = clean(x)
		case bool:
			out[i] = strconv.FormatBool(x)
		case float64:
			if field == "p_value" {
				out[i] = pValue(x)
			} else {
				out[i] = fixed(x, digits)
			}
		case int64, int:
			out[i] = fmt.Sprint(x)
			if field == "p_value" { // a p of exactly 0 or 1 comes back from JSON as a whole number
				out[i] = pValue(study.Row{{Name: "x", Value: x}}.Float("x"))
				continue
			}
			if digits > 0 {
				out[i] = fixed(study.Row{{Name: "x", Value: x}}.Float("x"), digits)
			}
		}
	}
	return out
}

// decimals returns 0 for a column of whole numbers.
func decimals(values []any) int {
	most, used := 0, 0
	for _, v := range values {
		x, ok := v.(float64)
		if !ok || x == 0 || !writable(x) {
			continue
		}
		most = max(most, significant-1-int(math.Floor(math.Log10(math.Abs(x)))))
	}
	most = min(most, mostDecimals)
	for _, v := range values {
		if x, ok := v.(float64); ok && writable(x) {
			s := strings.TrimRight(strconv.FormatFloat(x, 'f', most, 64), "0")
			if _, after, ok := strings.Cut(s, "."); ok {
				used = max(used, len(after))
			}
		}
	}
	return used
}

// writable reports whether x is shown without an exponent.
func writable(x float64) bool {
	a := math.Abs(x)
	return a == 0 || a >= 5e-7 && a < 1e12
}

// fixed writes x with that many decimals; NA stands for no value, as in R.
func fixed(x float64, decimals int) string {
	switch {
	case math.IsNaN(x):
		return "NA"
	case math.IsInf(x, 0):
		return strings.TrimPrefix(fmt.Sprintf("%v", x), "+")
	case !writable(x):
		return strconv.FormatFloat(x, 'e', significant-1, 64)
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// short writes one number with some significant digits and no needless zeros.
func short(x float64, digits int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) || !writable(x) {
		return fixed(x, 0)
	}
	if x == 0 {
		return "0"
	}
	d := min(max(digits-1-int(math.Floor(math.Log10(math.Abs(x)))), 0), mostDecimals)
	s := strconv.FormatFloat(x, 'f', d, 64)
	if d > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// pValue writes p with three significant digits, as R's format.pval does; what
// is below the spacing of doubles at 1 is "<2e-16".
func pValue(p float64) string {
	switch {
	case math.IsNaN(p):
		return "NA"
	case p < 2.220446049250313e-16:
		return "<2e-16"
	case p < 1e-4:
		return strconv.FormatFloat(p, 'e', 2, 64)
	}
	return short(p, 3)
}
