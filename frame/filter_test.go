package frame

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	ws "wellspring"

	"pgregory.net/rapid"
)

var people = Dictionary{
	{Name: "z1", Type: Integer, Max: 120},
	{Name: "chol", Type: Real, Max: 700},
	{Name: "ph.ecog", Type: Integer, Max: 5},
	{Name: "sex", Type: Factor, Levels: []string{"F", "M"}},
	{Name: "诊断", Type: Factor, Levels: []string{"肺癌", "Lev 5FU", "it's"}, Other: true},
	{Name: "code", Type: Factor, Levels: []string{"1", "2.5", "100000"}},
	{Name: "a `b`", Type: Real, Max: 1},
	{Name: "in", Type: Real, Max: 1},
	{Name: "is_missing", Type: Real, Max: 1},
	{Name: "mrn", Type: Identifier},
}

func TestParseFilter_Canonical(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{" \t\n", ""},
		{"z1 >= 18 and sex in ('F','M') and not is_missing(chol)", "chol is not missing and sex in ('F', 'M') and z1 >= 18"},
		{"18 <= z1", "z1 >= 18"},
		{"z1 == 18.0", "z1 = 18"},
		{"z1 <> -.5e1", "z1 != -5"},
		{"z1 = -0", "z1 = 0"},
		{"z1 between 2 and 3", "z1 <= 3 and z1 >= 2"},
		{"not z1 between 2 and 3", "z1 < 2 or z1 > 3"},
		{"z1 not between 2 and 3", "z1 < 2 or z1 > 3"},
		{"NOT (z1 < 2 OR sex = \"M\")", "sex != 'M' and z1 >= 2"},
		{"!(z1 < 2 && chol > 3) || sex == 'F'", "chol <= 3 or sex = 'F' or z1 >= 2"},
		{"z1 < 2 | chol < 3 & sex = 'F'", "(chol < 3 and sex = 'F') or z1 < 2"},
		{"(z1 < 2 or chol < 3) and sex = 'F'", "(chol < 3 or z1 < 2) and sex = 'F'"},
		{"z1 in (3, 1, 3.0)", "z1 in (1, 3)"},
		{"z1 not in (3)", "z1 != 3"},
		{"not z1 not in (3, 4)", "z1 in (3, 4)"},
		{"sex not in ('M', 'M')", "sex != 'M'"},
		{"sex in ('M', 'F')", "sex in ('F', 'M')"},
		{"'F' = sex", "sex = 'F'"},
		{"code = 1 or code in (2.50, 1e5)", "code = '1' or code in ('2.5', '100000')"},
		{"z1 > ph.ecog", "ph.ecog < z1"},
		{"z1 != chol", "chol != z1"},
		{"诊断 = '肺癌' or 诊断 = 'Lev 5FU'", "诊断 = 'Lev 5FU' or 诊断 = '肺癌'"},
		{"`诊断` in (\"it's\", 'other')", "诊断 in ('it''s', 'other')"},
		{"`a ``b``` < 1", "`a ``b``` < 1"},
		{"`in` in (0, 1)", "`in` in (0, 1)"},
		{"is_missing(is_missing) and is_missing = 1", "is_missing = 1 and is_missing is missing"},
		{"chol is not missing", "chol is not missing"},
		{"not not chol is missing", "chol is missing"},
		{"z1 = 1 and (z1 = 1 and z1 = 1)", "z1 = 1"},
		{"chol > 1e21 or chol < 1e-7", "chol < 1e-07 or chol > 1e+21"},
	} {
		f, err := ParseFilter(c.src, people)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if got := f.String(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestParseFilter_Refused(t *testing.T) {
	for _, c := range []struct {
		src    string
		kind   ws.Kind
		column int
		says   string
	}{
		{"z1", ws.Invalid, 3, "expected a comparison"},
		{"z1 >=", ws.Invalid, 6, "expected a column"},
		{"z1 >= 18 and", ws.Invalid, 13, "expected a column"},
		{"z1 >= 18 sex = 'F'", ws.Invalid, 10, "should end here"},
		{"18 <= z1 <= 60", ws.Invalid, 10, "should end here"},
		{"(z1 >= 18", ws.Invalid, 10, `expected ")"`},
		{"诊断 = '胃癌'", ws.Invalid, 6, `column "诊断" has no level "胃癌"`},
		{"sex = 'other'", ws.Invalid, 7, `column "sex" has no level "other"`},
		{"sex in ('F', 'X')", ws.Invalid, 14, `no level "X"`},
		{"code = 3", ws.Invalid, 8, `no level "3"`},
		{"sex = F", ws.Invalid, 7, `no column is named "F"`},
		{"sex < 'F'", ws.Invalid, 5, "no order"},
		{"sex between 'F' and 'M'", ws.Invalid, 1, "no order"},
		{"z1 = '18'", ws.Invalid, 6, "is numeric"},
		{"z1 in (1, 'x')", ws.Invalid, 11, "is numeric"},
		{"sex = code", ws.Invalid, 5, "both must be numeric"},
		{"z1 = sex", ws.Invalid, 4, "both must be numeric"},
		{"1 = 1", ws.Invalid, 3, "needs a column"},
		{"1 in (1)", ws.Invalid, 3, "expected a comparison"},
		{"z1 in (chol)", ws.Invalid, 8, "not a column"},
		{"z1 in ()", ws.Invalid, 8, "expected a column, a number"},
		{"is_missing(3)", ws.Invalid, 12, "takes a column"},
		{"z1 is null", ws.Invalid, 7, `expected "missing"`},
		{"mrn = '4'", ws.Denied, 1, "identifies persons"},
		{"z1 > 3 or is_missing(mrn)", ws.Denied, 22, "identifies persons"},
		{"z1 > 1e999", ws.Invalid, 6, "not a number"},
		{"z1 > 1.2.3", ws.Invalid, 6, "not a number"},
		{"z1 > 0x10", ws.Invalid, 6, "not a number"},
		{"z1 > -", ws.Invalid, 6, "no meaning"},
		{"z1 ; drop", ws.Invalid, 4, "no meaning"},
		{"诊断 = '肺癌", ws.Invalid, 6, "never closed"},
		{"sex in （'F'）", ws.Invalid, 8, "no meaning"},
		{"\xff", ws.Invalid, 0, "UTF-8"},
		{strings.Repeat("(", 65) + "z1 = 1" + strings.Repeat(")", 65), ws.Invalid, 66, "deeper than 64"},
		{strings.Repeat("not ", 65) + "z1 = 1", ws.Invalid, 261, "deeper than 64"},
		{"z1 = 1" + strings.Repeat(" ", MaxFilterLength), ws.Invalid, 0, "longer than 10000"},
	} {
		_, err := ParseFilter(c.src, people)
		if err == nil {
			t.Errorf("%.40s: accepted", c.src)
			continue
		}
		if ws.KindOf(err) != c.kind || ws.PositionOf(err).Column != c.column || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40s: got %v, %v at %d; want %v, %q at %d", c.src, ws.KindOf(err), err, ws.PositionOf(err).Column, c.kind, c.says, c.column)
		}
	}
}

func TestParseFilter_DepthBound(t *testing.T) {
	deep := strings.Repeat("(", 64) + "z1 = 1" + strings.Repeat(")", 64)
	if _, err := ParseFilter(deep, people); err != nil {
		t.Error(err)
	}
	// Brackets that alternate survive in the canonical text; the negated
	// between inside them opens one more bracket there.
	src := "z1 not between 2 and 3 and chol = 1"
	for i := range 64 {
		src = fmt.Sprintf("(%s) %s chol = %d", src, []string{"or", "and"}[i%2], i)
	}
	if _, err := ParseFilter(src, people); ws.KindOf(err) != ws.Invalid {
		t.Errorf("65 brackets in the canonical text: %v", err)
	}
}

func TestParseFilter_FullWidthHint(t *testing.T) {
	_, err := ParseFilter("sex in （'F'）", people)
	if hint := ws.HintOf(err); !strings.Contains(hint.In(ws.Chinese), "半角") {
		t.Errorf("hint %q", hint.In(ws.Chinese))
	}
}

func TestFilter_Columns(t *testing.T) {
	f, err := ParseFilter("z1 > chol or sex = 'F' and z1 is missing or 诊断 != '肺癌' or code in (1) or `in` in (1, 2)", people)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Columns(), []string{"chol", "code", "in", "sex", "z1", "诊断"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (Filter{}).Columns(); len(got) != 0 {
		t.Errorf("the zero filter reads %q", got)
	}
}

func TestFilter_Nodes(t *testing.T) {
	f, err := ParseFilter("诊断 not in ('other', '肺癌')", people)
	if err != nil {
		t.Fatal(err)
	}
	want := &LevelIn{Column: "诊断", Not: true, Levels: []string{"肺癌", "other"}, Codes: []int32{0, 3}}
	if !reflect.DeepEqual(f.Root, want) {
		t.Errorf("got %+v, want %+v", f.Root, want)
	}
}

func TestLevelOf(t *testing.T) {
	for x, want := range map[float64]string{0: "0", math.Copysign(0, -1): "0", 1: "1", -2.5: "-2.5", 100000: "100000",
		123456789012345: "123456789012345", 1e21: "1e+21", 1e-7: "1e-07", 0.1: "0.1"} {
		if got := LevelOf(x); got != want {
			t.Errorf("LevelOf(%v) = %q, want %q", x, got, want)
		}
	}
}

// A truth is a value of three-valued logic, as in Kleene and SQL.
type truth int

const (
	no truth = iota - 1
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// An expr is a filter as a person may write it, with its meaning given
// directly by three-valued logic: the oracle of the tests below.
type expr struct {
	text string
	eval func(x, y float64, g int32) truth
}

func drawExpr(t *rapid.T, depth int) expr {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind = kind % 5
	}
	v, w := float64(rapid.IntRange(0, 3).Draw(t, "v")), float64(rapid.IntRange(0, 3).Draw(t, "w"))
	switch kind {
	case 0:
		op := rapid.SampledFrom([]string{"=", "==", "!=", "<>", "<", "<=", ">", ">="}).Draw(t, "op")
		side := rapid.IntRange(0, 2).Draw(t, "side")
		text := []string{fmt.Sprintf("x %s %v", op, v), fmt.Sprintf("%v %s y", v, op), fmt.Sprintf("y %s x", op)}[side]
		return expr{text, func(x, y float64, _ int32) truth {
			a := [][2]float64{{x, v}, {v, y}, {y, x}}[side]
			return compareTruth(a[0], op, a[1])
		}}
	case 1:
		return drawLevels(t)
	case 2:
		not := rapid.SampledFrom([]string{"", "not "}).Draw(t, "not")
		return expr{fmt.Sprintf("x %sbetween %v and %v", not, v, w), func(x, _ float64, _ int32) truth {
			r := min(compareTruth(x, ">=", v), compareTruth(x, "<=", w))
			if not != "" {
				r = -r
			}
			return r
		}}
	case 3:
		return expr{fmt.Sprintf("y in (%v, %v)", v, w), func(_, y float64, _ int32) truth {
			return max(compareTruth(y, "=", v), compareTruth(y, "=", w))
		}}
	case 4:
		if v < 2 {
			return expr{"g is missing", func(_, _ float64, g int32) truth { return truthOf(g < 0) }}
		}
		return expr{"x is not missing", func(x, _ float64, _ int32) truth { return truthOf(!math.IsNaN(x)) }}
	case 5:
		a := drawExpr(t, depth-1)
		return expr{"not (" + a.text + ")", func(x, y float64, g int32) truth { return -a.eval(x, y, g) }}
	}
	a, b := drawExpr(t, depth-1), drawExpr(t, depth-1)
	if kind == 6 {
		return expr{"(" + a.text + ") and (" + b.text + ")", func(x, y float64, g int32) truth { return min(a.eval(x, y, g), b.eval(x, y, g)) }}
	}
	return expr{"((" + a.text + ") || (" + b.text + "))", func(x, y float64, g int32) truth { return max(a.eval(x, y, g), b.eval(x, y, g)) }}
}

func drawLevels(t *rapid.T) expr {
	levels := rapid.SliceOfNDistinct(rapid.Int32Range(0, 2), 1, 3, rapid.ID).Draw(t, "levels")
	not := rapid.SampledFrom([]string{"", "not "}).Draw(t, "not")
	var quoted []string
	for _, l := range levels {
		quoted = append(quoted, []string{"'a'", `"b c"`, "'other'"}[l])
	}
	return expr{fmt.Sprintf("g %sin (%s)", not, strings.Join(quoted, ",")), func(_, _ float64, g int32) truth {
		if g < 0 {
			return unknown
		}
		return truthOf(slices.Contains(levels, g) != (not != ""))
	}}
}

func compareTruth(a float64, op string, b float64) truth {
	if math.IsNaN(a) || math.IsNaN(b) {
		return unknown
	}
	switch op {
	case "=", "==":
		return truthOf(a == b)
	case "!=", "<>":
		return truthOf(a != b)
	case "<":
		return truthOf(a < b)
	case "<=":
		return truthOf(a <= b)
	case ">":
		return truthOf(a > b)
	}
	return truthOf(a >= b)
}

var xyg = Dictionary{
	{Name: "x", Type: Real, Max: 3}, {Name: "y", Type: Integer, Max: 3},
	{Name: "g", Type: Factor, Levels: []string{"a", "b c"}, Other: true},
}

// every row of x, y in {missing, 0, 1, 2, 3} and g in {missing, a, b c, other}
func xygRows() Batch {
	b := Batch{Columns: make([]Values, 3)}
	values := []float64{math.NaN(), 0, 1, 2, 3}
	for _, x := range values {
		for _, y := range values {
			for g := int32(-1); g <= 2; g++ {
				b.Columns[0].Real = append(b.Columns[0].Real, x)
				b.Columns[1].Real = append(b.Columns[1].Real, y)
				b.Columns[2].Code = append(b.Columns[2].Code, g)
				b.Rows++
			}
		}
	}
	return b
}

// Over every row, a parsed filter lets through what three-valued logic says,
// and its canonical text is a fixed point.
func TestFilter_MatchesThreeValuedLogic(t *testing.T) {
	rows := xygRows()
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpr(t, 4)
		f, err := ParseFilter(e.text, xyg)
		if err != nil {
			t.Fatalf("%s: %v", e.text, err)
		}
		match := f.Matcher([]string{"x", "y", "g"})
		for i := range rows.Rows {
			x, y, g := rows.Columns[0].Real[i], rows.Columns[1].Real[i], rows.Columns[2].Code[i]
			if got, want := match(rows, i), e.eval(x, y, g) == yes; got != want {
				t.Fatalf("%s\nis %s\nx=%v y=%v g=%d: %v, want %v", e.text, f, x, y, g, got, want)
			}
		}
		again, err := ParseFilter(f.String(), xyg)
		if err != nil || again.String() != f.String() || !reflect.DeepEqual(again, f) {
			t.Fatalf("%s\nis %s\nand then %s, %v", e.text, f, again, err)
		}
	})
}

// Spelling, order of operands and where "not" stands do not change the text.
func TestFilter_EqualFiltersEqualText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawExpr(t, 3), drawExpr(t, 3)
		texts := []string{
			fmt.Sprintf("(%s) and (%s)", a.text, b.text),
			fmt.Sprintf("((%s))&&(%s)", b.text, a.text),
			fmt.Sprintf("not (not (%s) or !(%s))", a.text, b.text),
		}
		var first string
		for i, text := range texts {
			f, err := ParseFilter(text, xyg)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = f.String()
			}
			if f.String() != first {
				t.Fatalf("%s\nis %s\nbut %s\nis %s", texts[0], first, text, f)
			}
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{"z1 >= 18 and sex in ('F','M') and not is_missing(chol)", "诊断 = '肺癌' or `a ``b``` between -1e3 and .5",
		"!(code = 1) && z1 <> ph.ecog", "((", "'", "z1 not in (1,2) | chol is not missing"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		one, err := ParseFilter(src, people)
		if err != nil {
			return
		}
		two, err := ParseFilter(one.String(), people)
		if err != nil {
			t.Fatalf("%q\nis %q\nwhich is refused: %v", src, one, err)
		}
		if two.String() != one.String() || !slices.Equal(two.Columns(), one.Columns()) {
			t.Fatalf("%q\nis %q\nand then %q", src, one, two)
		}
	})
}
