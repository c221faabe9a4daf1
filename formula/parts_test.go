package formula

import (
	"fmt"
	"testing"

	"wellspring/frame"
)

func TestFrame_Parts(t *testing.T) {
	m, err := Parse("y ~ x * g + g:h + ns(x, knots = c(3, 6), Boundary.knots = c(0, 10)) + offset(z) + strata(h)")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Bind(m, frame.Dictionary{
		{Name: "y", Type: frame.Real, Min: 0, Max: 10}, {Name: "x", Type: frame.Real, Min: 0, Max: 10}, {Name: "z", Type: frame.Real, Min: 0, Max: 10},
		{Name: "g", Type: frame.Factor, Levels: []string{"a", "b"}}, {Name: "h", Type: frame.Factor, Levels: []string{"p", "q"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := "[{[] [[1]]} {[0] []} {[] [[2 3 4]]} {[0] [[1]]} {[0 1] []}]"
	if got := fmt.Sprint(f.Parts()); got != want {
		t.Errorf("parts = %s, want %s", got, want)
	}
}

// A judge sees both sides of an operator where both vary, each once, and the
// complete rows stay the same.
func TestFrame_WithOperands(t *testing.T) {
	d := frame.Dictionary{{Name: "x", Type: frame.Real, Min: 0, Max: 10}, {Name: "z", Type: frame.Real, Min: 0, Max: 10}}
	for _, c := range []struct {
		formula, want string
	}{
		{"x ~ z", "[x z] [[] []]"},
		{"log(x + 1) ~ I(2 * z - 3)", "[log(x + 1) I(2 * z - 3)] [[] []]"}, // each a function of one number
		{"I(x + z) ~ 1", "[I(x + z) a part of I(x + z) a part of I(x + z)] [[1 2]]"},
		{"I(x + z) ~ x", "[I(x + z) x a part of I(x + z)] [[1 2] []]"}, // x stands there already
		{"I(100 * x + 1 / (1 + z^2)) ~ 1", "[I(100 * x + 1/(1 + z^2)) a part of I(100 * x + 1/(1 + z^2)) a part of I(100 * x + 1/(1 + z^2))] [[1 2]]"},
		{"x ~ I(x * (z + x))", "[x I(x * (z + x)) a part of I(x * (z + x)) a part of I(x * (z + x))] [[] [0 2 3]]"},
	} {
		wide, operands := bound(t, c.formula, d).WithOperands()
		names := printed(wide)
		if got := fmt.Sprint(names, " ", operands); got != c.want {
			t.Errorf("%s: %s, want %s", c.formula, got, c.want)
		}
		v, err := wide.Eval(frame.Batch{Rows: 2, Columns: columns(wide, map[string][]float64{"x": {2, 3}, "z": {1, 4}})})
		if err != nil || v.Rows != 2 || len(v.Numeric) != len(names) {
			t.Errorf("%s: %+v, %v", c.formula, v, err)
		}
		if c.formula == "I(x + z) ~ 1" && fmt.Sprint(v.Numeric) != "[[3 7] [2 3] [1 4]]" {
			t.Errorf("%s: %v", c.formula, v.Numeric)
		}
	}
}

// bound is the formula over a dictionary.
func bound(t *testing.T, formula string, d frame.Dictionary) *Frame {
	t.Helper()
	m, err := Parse(formula)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Bind(m, d, "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// printed are the numeric variables of f as R prints them.
func printed(f *Frame) (names []string) {
	for _, v := range f.Numeric() {
		names = append(names, v.Name)
	}
	return names
}

func columns(f *Frame, values map[string][]float64) []frame.Values {
	var out []frame.Values
	for _, c := range f.Columns() {
		out = append(out, frame.Values{Real: values[c]})
	}
	return out
}

func TestFrame_WithTwos(t *testing.T) {
	d := frame.Dictionary{{Name: "x", Type: frame.Real, Min: 0, Max: 10}, {Name: "b", Type: frame.Integer, Min: 0, Max: 1},
		{Name: "s", Type: frame.Integer, Min: 1, Max: 2}, {Name: "r", Type: frame.Real, Min: 0, Max: 1}, {Name: "u", Type: frame.Integer, Min: 0, Max: 2}}
	for _, c := range []struct {
		formula, want string
	}{
		{"x ~ r + u", "[x r u] [-1 -1 -1]"}, // of more values than two
		{"s ~ b", "[s b] [0 1]"},
		{"I(2 * b) ~ 1", "[I(2 * b) b] [1]"},
		{"I(2 * b) ~ b", "[I(2 * b) b] [1 1]"}, // b stands there already
		{"x ~ log(s) + exp(s - 1)", "[x log(s) exp(s - 1) s] [-1 3 3]"},
		{"I(x + 100 * b) ~ s", "[I(x + 100 * b) s b] [-1 1]"}, // the mean of x is told elsewhere
		{"x ~ poly(s, 2)", "[x poly(s, 2): z^1 poly(s, 2): z^2 poly(s, 2): z^3 poly(s, 2): z^4 s] [-1 5 5 5 5]"},
		{"Surv(x, s) ~ 1", "[x s s] [-1 2]"}, // the event is s - 1
		{"Surv(x, s == 2) ~ 1", "[x s == 2] [-1 -1]"},
		{"Surv(x, b %in% c(1)) ~ 1", "[x b %in% c(1)] [-1 -1]"},
	} {
		wide, of := bound(t, c.formula, d).WithTwos()
		names := printed(wide)
		if got := fmt.Sprint(names, " ", of); got != c.want {
			t.Errorf("%s: %s, want %s", c.formula, got, c.want)
		}
		v, err := wide.Eval(frame.Batch{Rows: 2, Columns: columns(wide, map[string][]float64{"x": {2, 3}, "b": {0, 1}, "s": {1, 2}, "r": {0, 1}, "u": {0, 2}})})
		if err != nil || v.Rows != 2 || len(v.Numeric) != len(names) {
			t.Errorf("%s: %+v, %v", c.formula, v, err)
		}
	}
}
