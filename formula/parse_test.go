package formula

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
)

func TestParse_prints(t *testing.T) {
	for _, c := range [][2]string{
		{"y~a", "y ~ a"}, {"~a", "~a"}, {" y ~ a*b + c ^2", "y ~ a * b + c^2"}, {"y~a %in% b/c", "y ~ a %in% b/c"},
		{"log(y) ~ I(a**2)", "log(y) ~ I(a^2)"}, {"Surv(t, s==2)~strata(a,b)", "Surv(t, s == 2) ~ strata(a, b)"},
		{"y ~ `my col`+`age`", "y ~ `my col` + age"}, {"y ~ 年龄 + b.1_x", "y ~ 年龄 + b.1_x"}, {"y ~ relevel(g,ref='it''')", ""},
		{`y ~ relevel(g, ref='say "b"')`, `y ~ relevel(g, ref = "say \"b\"")`}, {"y ~ poly(x,2L,raw=TRUE)", "y ~ poly(x, 2, raw = TRUE)"},
		{"y ~ I(x/100000 + .50)", "y ~ I(x/1e+05 + 0.5)"}, {"y ~ I(x + 123456789012345678)", "y ~ I(x + 123456789012345680)"},
		{"y ~ I(x + 1234567890123456789)", "y ~ I(x + 1234567890123456768)"}, {"y ~ I(x*1e22*150000*15000000000)", "y ~ I(x * 1e+22 * 150000 * 1.5e+10)"},
		{"y ~ I(-x^2) - 1", "y ~ I(-x^2) - 1"}, {"y ~ `a\\`b` + `TRUE` + `.`", "y ~ `a\\`b` + `TRUE` + `.`"},
		{"y ~\n  a +\t b\n", "y ~ a + b"},
	} {
		m, err := Parse(c[0])
		switch {
		case c[1] == "":
			if err == nil {
				t.Errorf("%s was read as %s", c[0], m)
			}
		case err != nil:
			t.Errorf("%s: %v", c[0], err)
		case m.String() != c[1]:
			t.Errorf("%s prints as %s, want %s", c[0], m, c[1])
		}
	}
}

// A mistake is Invalid, stands at its column, and is told with a hint in both
// languages.
func TestParse_mistakes(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
	}{
		{"", 1}, {"y", 2}, {"y ~", 4}, {"y ~ a b", 7}, {"y ~ a +", 8}, {"y ~ (a + b", 11}, {"y ~ a)", 6}, {"y ~ a ~ b", 7},
		{"y ~ .", 5}, {"y ~ a + foo(b)", 9}, {"y ~ log()", 5}, {"y ~ log(a b)", 11}, {"y ~ log(a,)", 11}, {"y ~ 2", 5}, {"y ~ a + 2:b", 9},
		{"y ~ (1 | g)", 8}, {"y ~ d$a", 6}, {"y ~ survival::strata(a)", 13}, {"y ~ a[1]", 6}, {"y ~ a = b", 7}, {"y ~ 'a'", 5}, {"y ~ TRUE", 5},
		{"y ~ if", 5}, {"y ~ a^b", 7}, {"y ~ (a + b)^0", 13}, {"y ~ a^1.5", 7}, {"y ~ a > 1", 5}, {"y ~ 'a", 5}, {"y ~ ``", 5}, {"y ~ \"\\q\"", 6},
		{"y ~ 1x", 5}, {"y ~ 1e999", 5}, {"年龄 ~ 性别 + 2", 11}, {"y \uff5e a", 3}, {"y ~ a\uff0bb", 6}, {"y ~ a + y", 5}, {"y ~ a:strata(b)", 7},
		{"y ~ Surv(a, b)", 5}, {"y ~ a %% b", 7}, {"y ~ a & b", 7}, {"y ~ !a", 5}, {"y ~ a\x00", 6}, {"y ~ \xff", 0}, {"y ~ a" + strings.Repeat(" + b", 3000), 0},
		{"y ~ " + strings.Repeat("(", 200) + "a", 69}, {"y ~ (a+b+c+d+e+f+g+h+i+j+k+l+m+n)^9", 5}, {"y ~ c(a, b)", 5},
		{"y ~ " + manyNames(300), 0},
	} {
		_, err := Parse(c.text)
		if err == nil {
			t.Errorf("%.40q was read", c.text)
			continue
		}
		if at := ws.PositionOf(err).Column; at != c.column && c.column != 0 {
			t.Errorf("%.40q: column %d, want %d: %v", c.text, at, c.column, err)
		}
		checkTold(t, err, ws.Invalid)
	}
}

func checkTold(t *testing.T, err error, kind ws.Kind) {
	t.Helper()
	if ws.KindOf(err) != kind {
		t.Errorf("%v is %v, want %v", err, ws.KindOf(err), kind)
	}
	var e *ws.Error
	if e, _ = err.(*ws.Error); e == nil {
		t.Fatalf("%v is no *Error", err)
	}
	for _, text := range []ws.Text{e.Msg, ws.HintOf(err)} {
		en, zh := text.In(ws.English), text.In(ws.Chinese)
		if en == "" || zh == "" || strings.Contains(en+zh, "%!") || en == zh {
			t.Errorf("told as %q, %q", en, zh)
		}
	}
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "v" + string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	return strings.Join(names, "+")
}

var leaf = rapid.SampledFrom([]string{"a", "b", "`c d`", "年龄", "factor(g)", `relevel(factor(g), ref = "2")`, "I(a^2/1e5)", "log(a + 1, base=2)",
	"poly(a, 3)", "ns(b, knots=c(1, 2), Boundary.knots=c(0,3))", "offset(a)", "0", "1", "strata(g)", "sqrt(-a %in% b)", "I(1 - -a * .25)"})

func someTerms(t *rapid.T, depth int) string {
	if depth == 0 {
		return leaf.Draw(t, "leaf")
	}
	op := rapid.SampledFrom([]string{"+", "-", "*", ":", "/", " %in% ", "(", "^", "-x", "leaf"}).Draw(t, "op")
	switch op {
	case "(":
		return "(" + someTerms(t, depth-1) + ")"
	case "^":
		return "(" + someTerms(t, depth-1) + ")^2"
	case "-x":
		return "-" + someTerms(t, depth-1)
	case "leaf":
		return leaf.Draw(t, "leaf")
	}
	return someTerms(t, depth-1) + op + someTerms(t, depth-1)
}

func TestModel_String_stable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "y ~ " + someTerms(t, 4)
		m, err := Parse(text)
		if err != nil {
			t.Skip(err)
		}
		checkStable(t, m)
	})
}

func checkStable(t interface{ Fatalf(string, ...any) }, m *Model) {
	again, err := Parse(m.String())
	if err != nil {
		t.Fatalf("%s cannot be read again: %v", m, err)
	}
	if again.String() != m.String() || !slices.Equal(again.Terms(), m.Terms()) || again.Intercept() != m.Intercept() {
		t.Fatalf("%s is read again as %s", m, again)
	}
}

func TestModel_TimeColumn(t *testing.T) {
	for _, c := range [][2]string{
		{"Surv(t, s) ~ a", "t"}, {"Surv(t0, t, s) ~ a", "t"}, {"Surv(event = s, time = (t)) ~ a", "t"}, {"(Surv(t, s == 1)) ~ a", "t"},
		{"Surv(t/365.25, s) ~ a", "t"}, {"Surv(I((t + 1)/30), s) ~ a", "t"}, {"Surv(t0/7, 2 * (t - 3) / 7 + 1, s) ~ a", "t"}, {"Surv(-(3 - t), s) ~ a", "t"}, {"Surv(1 - -t, s) ~ a", "t"},
		{"Surv(t - t0, s) ~ a", ""}, {"Surv(t + t, s) ~ a", ""}, {"Surv(10 - t, s) ~ a", ""}, {"Surv(-t, s) ~ a", ""}, {"Surv(1/t, s) ~ a", ""}, {"Surv(t^2, s) ~ a", ""}, {"Surv(t * t, s) ~ a", ""},
		{"Surv(log(t), s) ~ a", ""}, {"Surv(t / log(2), s) ~ a", ""}, {"Surv(t * 0, s) ~ a", ""}, {"Surv(t / 0, s) ~ a", ""}, {"Surv(t > 1, s) ~ a", ""}, {"Surv(3, s) ~ a", ""}, {"Surv(I(t, t), s) ~ a", ""}, {"t ~ a", ""}, {"~ a", ""}, {"Surv(x = t, s) ~ a", ""},
	} {
		m, err := Parse(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := m.TimeColumn(); got != c[1] || ok != (c[1] != "") {
			t.Errorf("%s: time %q, %v", c[0], got, ok)
		}
	}
}

// FuzzParse also binds what can be read, to a dictionary that has some of the
// columns, and evaluates it: nothing panics, and printing is canonical.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"y ~ a", "y ~ age * sex - 1", "Surv(t0, t, status == 1) ~ strata(sex, grp) + poly(age, 2)", "log(y) ~ I(age/10)^2 + `my col`:stage",
		"y ~ ns(chol, knots = c(2, 3), Boundary.knots = c(1, 9)) %in% relevel(factor(grp), ref = '2')", "年龄段 ~ offset(log(w)) + abs(z)^0.5", "~ ((", "y ~ 1e999L", "y ~ 'x\\", "Surv(t/365.25, I(status2 == 2)) ~ I(age >= 50) * sex + I((z > 0) * age) + strata(I(stage %in% c('a', 'b')))"} {
		f.Add(s)
	}
	rows := smallBatch()
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		checkStable(t, m)
		frame, err := Bind(m, sample, "")
		if err != nil {
			return
		}
		v, err := frame.Eval(rows.batch(frame.Columns()))
		if err != nil {
			return
		}
		for _, design := range []func(Moments) (*Design, error){frame.Design, frame.DesignNoIntercept} {
			if d, err := design(moments(frame, v)); err == nil {
				d.Fill(v, 0, v.Rows, make([]float64, v.Rows*d.P()))
			}
		}
	})
}
