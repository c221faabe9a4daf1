package formula

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/frame"
)

var nan = math.NaN()

// smallBatch has six rows of the columns of sample; the last one is missing
// everywhere.
func smallBatch() table {
	real := func(x ...float64) frame.Values { return frame.Values{Real: append(x, nan)} }
	code := func(x ...int32) frame.Values { return frame.Values{Code: append(x, -1)} }
	return table{
		"y": real(1, -2, 3, 4, 0.5), "t": real(10, 20, 30, 40, 50), "t0": real(0, 5, 30, 1, 2), "status": real(0, 1, 1, 0, 1), "status2": real(1, 2, 2, 1, 2),
		"age": real(30, 40, 50, 60, 75), "chol": real(3, 4, 5.5, 6, 7), "z": real(-1, 0, 1, 2, -3), "grp": real(1, 2, 3, 1, 2), "dose": real(0.5, 2, 10, 2, 0.5),
		"sex": code(0, 1, 0, 1, 1), "stage": code(0, 1, 2, 4, 0), "arm": code(0, 0, 1, 1, 0), "w": real(1, 2, 3, 4, 5), "my col": real(0, .1, .2, .3, .4), "年龄段": code(0, 1, 0, 1, 0),
	}
}

func TestBind_refuses(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
		kind   ws.Kind
	}{
		{"y ~ nothere", 5, ws.Invalid}, {"y ~ age + Sex", 11, ws.Invalid}, {"y ~ id", 5, ws.Denied}, {"y ~ log(id)", 9, ws.Denied}, {"y ~ factor(id)", 12, ws.Denied},
		{"y ~ strata(id)", 12, ws.Denied}, {"id ~ age", 1, ws.Denied}, {"y ~ log(sex)", 9, ws.Invalid}, {"y ~ I(sex * 2)", 7, ws.Invalid}, {"y ~ factor(y2)", 12, ws.Invalid},
		{"y ~ factor(chol)", 12, ws.Invalid}, {"y ~ factor(age > 60)", 12, ws.Invalid}, {"y ~ (age > 60)", 6, ws.Invalid}, {"y ~ sex + (stage == 'a')", 12, ws.Invalid}, {"y ~ I(1 > 2)", 5, ws.Invalid}, {"y ~ I(age %in% 'a')", 7, ws.Invalid}, {"y ~ I(stage %in% c('a', 'q'))", 25, ws.Invalid}, {"y ~ I(age %in% chol)", 16, ws.Invalid}, {"y ~ factor(I(age > 60))", 12, ws.Invalid}, {"y ~ I(age:chol)", 7, ws.Invalid},
		{"y ~ I('a')", 7, ws.Invalid}, {"y ~ relevel(stage, ref = 'x')", 26, ws.Invalid}, {"y ~ relevel(stage, ref = 2)", 26, ws.Invalid}, {"y ~ relevel(age, ref = '1')", 13, ws.Invalid},
		{"y ~ relevel(stage)", 5, ws.Invalid}, {"y ~ poly(age)", 5, ws.Invalid}, {"y ~ poly(age, 9)", 15, ws.Invalid}, {"y ~ poly(age, 1.5)", 15, ws.Invalid}, {"y ~ poly(age, chol)", 15, ws.Invalid},
		{"y ~ poly(age, chol, 2)", 21, ws.Invalid}, {"y ~ poly(sex, 2)", 10, ws.Invalid}, {"y ~ poly(log(w), 2)", 10, ws.Invalid}, {"y ~ poly(age, 2, raw = 1)", 24, ws.Invalid}, {"y ~ poly(age, 2, raw = yes)", 24, ws.Invalid},
		{"y ~ ns(age, 3)", 5, ws.Invalid}, {"y ~ ns(age, df = 3)", 5, ws.Invalid}, {"y ~ ns(age, knots = 50)", 5, ws.Invalid}, {"y ~ ns(age, knots = 50, Boundary.knots = c(20, 40))", 21, ws.Invalid},
		{"y ~ ns(age, knots = c(50, 50), Boundary.knots = c(20, 80))", 21, ws.Invalid}, {"y ~ ns(age, knots = 50, Boundary.knots = 20)", 42, ws.Invalid},
		{"y ~ ns(age, knots = 50, Boundary.knots = c(20, 80), intercept = TRUE)", 65, ws.Invalid}, {"y ~ ns(age, knots = c(50, z), Boundary.knots = c(20, 80))", 27, ws.Invalid},
		{"Surv(t) ~ age", 1, ws.Invalid}, {"Surv(t, w) ~ age", 9, ws.Invalid}, {"Surv(t, stage) ~ age", 9, ws.Invalid}, {"Surv(t, stage == 'q') ~ age", 18, ws.Invalid}, {"Surv(t, w == 'a') ~ age", 9, ws.Invalid},
		{"Surv(t, status, t0, w) ~ age", 21, ws.Invalid}, {"Surv(t, status, type = 'right') ~ age", 24, ws.Invalid}, {"factor(y) ~ age", 8, ws.Invalid}, {"poly(y, 2) ~ age", 1, ws.Invalid},
		{"y ~ strata(chol)", 12, ws.Invalid}, {"y ~ strata(age + 1)", 12, ws.Invalid}, {"y ~ strata(sex, shortlabel = TRUE)", 30, ws.Invalid}, {"y ~ offset(sex)", 12, ws.Invalid},
		{"y ~ I(1 + 1)", 5, ws.Invalid}, {"y ~ log(-w - 1)", 5, ws.Invalid}, {"y ~ log(age, chol)", 14, ws.Invalid}, {"y ~ log(age, 2, 3)", 17, ws.Invalid}, {"y ~ exp(age, base = 2)", 21, ws.Invalid},
		{"y ~ I(c(age))", 7, ws.Invalid}, {"y ~ sqrt(factor(grp))", 10, ws.Invalid}, {"y ~ I(age == )", 14, ws.Invalid},
	} {
		m, err := Parse(c.text)
		if err == nil {
			_, err = Bind(m, sample, "")
		}
		if err == nil {
			t.Errorf("%s was bound", c.text)
			continue
		}
		if at := ws.PositionOf(err).Column; at != c.column {
			t.Errorf("%s: column %d, want %d: %v", c.text, at, c.column, err)
		}
		checkTold(t, err, c.kind)
	}
}

func TestBind_weights(t *testing.T) {
	m, _ := Parse("y ~ age")
	f, err := Bind(m, sample, "w")
	if err != nil || f.Numeric()[f.Roles().Weights].Name != "w" || !slices.Equal(f.Columns(), []string{"age", "w", "y"}) {
		t.Errorf("columns %v, %v", f.Columns(), err)
	}
	for name, kind := range map[string]ws.Kind{"nothere": ws.Invalid, "id": ws.Denied, "sex": ws.Invalid, "z": ws.Invalid} {
		_, err := Bind(m, sample, name)
		if err == nil {
			t.Errorf("weights %s were taken", name)
			continue
		}
		checkTold(t, err, kind)
	}
}

func TestBind_roles(t *testing.T) {
	f := mustBind(t, "Surv(t0, t, stage != 'a') ~ age + strata(sex, factor(grp)) + strata(sex) + offset(log(w)) + sex + t")
	r := f.Roles()
	name := func(i int) string { return f.Numeric()[i].Name }
	if name(r.Start) != "t0" || name(r.Time) != "t" || name(r.Event) != `stage != "a"` || name(r.Offset[0]) != "offset(log(w))" || r.Response != -1 || r.ResponseFactor != -1 || r.Weights != -1 {
		t.Errorf("roles %+v", r)
	}
	var strata []string
	for _, s := range r.Strata {
		strata = append(strata, f.Factors()[s].Name)
	}
	if !slices.Equal(strata, []string{"sex", "factor(grp)"}) || len(f.Factors()) != 2 || len(f.Numeric()) != 5 {
		t.Errorf("strata %q, factors %v, numeric %v", strata, f.Factors(), f.Numeric())
	}
	v := mustEval(t, f, smallBatch())
	// Row 2 stops where it starts, row 5 is missing.
	if v.Rows != 4 || !slices.Equal(v.Numeric[r.Event], []float64{1, 0, 1, 1}) || !slices.Equal(v.Numeric[r.Time], []float64{10, 20, 40, 50}) {
		t.Errorf("events %v, times %v", v.Numeric[r.Event], v.Numeric[r.Time])
	}
}

func TestBind_levels(t *testing.T) {
	for text, want := range map[string][]string{
		"~ stage":                                   {"b", "a", "c e", "d", "other"},
		"~ factor(dose)":                            {"0.5", "2", "10"},
		"~ relevel(factor(dose), ref = '10')":       {"10", "0.5", "2"},
		"~ relevel(stage, 'other')":                 {"other", "b", "a", "c e", "d"},
		"~ relevel(relevel(stage, 'd'), ref = 'a')": {"a", "d", "b", "c e", "other"},
	} {
		f := mustBind(t, text)
		if got := f.Factors()[0].Levels; !slices.Equal(got, want) {
			t.Errorf("%s: levels %q, want %q", text, got, want)
		}
		column := f.Factors()[0].Column
		batch := smallBatch()
		v := mustEval(t, f, batch)
		c, _ := sample.Lookup(column)
		for i, code := range v.Factor[0] { // by name, whatever the order
			was := slices.Concat(c.Levels, []string{"other"})
			if c.Type == frame.Factor && want[code] != was[batch[column].Code[i]] {
				t.Errorf("%s: row %d reads %q, was %q", text, i, want[code], was[batch[column].Code[i]])
			}
		}
		if column == "dose" && v.Rows == 5 {
			for i, code := range v.Factor[0] {
				if got := map[string]float64{"0.5": 0.5, "2": 2, "10": 10}[want[code]]; got != batch["dose"].Real[i] {
					t.Errorf("%s: row %d reads %v", text, i, got)
				}
			}
		}
	}
}

func TestBindGroups(t *testing.T) {
	m, _ := Parse("Surv(t, status) ~ grp + sex")
	f, err := BindGroups(m, sample)
	if err != nil {
		t.Fatal(err)
	}
	if fs := f.Factors(); len(fs) != 2 || fs[0].Name != "grp" || !slices.Equal(fs[0].Levels, []string{"1", "2", "3", "4"}) || fs[1].Name != "sex" {
		t.Errorf("factors %v", fs)
	}
	if m, _ = Parse("y ~ chol"); m != nil {
		if _, err = BindGroups(m, sample); err == nil {
			t.Error("a column without levels became a group")
		} else {
			checkTold(t, err, ws.Invalid)
		}
	}
}

func TestEval_events(t *testing.T) {
	for text, want := range map[string][]float64{
		"Surv(t, status) ~ 1": {0, 1, 1, 0, 1}, "Surv(t, status2) ~ 1": {0, 1, 1, 0, 1}, "Surv(t, status2 == 1) ~ 1": {1, 0, 0, 1, 0},
		"Surv(t, 1 - status) ~ 1": {1, 0, 0, 1, 0}, "Surv(t, (grp >= 2)) ~ 1": {0, 1, 1, 0, 1}, "Surv(t, 'a' == stage) ~ 1": {0, 1, 0, 0, 0},
		"Surv(t, event = status != 1) ~ 1": {1, 0, 0, 1, 0}, "Surv(t, z < chol - 4) ~ 1": {0, 0, 1, 0, 1}, "Surv(t, relevel(stage, 'd') == 'other') ~ 1": {0, 0, 0, 1, 0},
		"Surv(t, I(status2 == 2)) ~ 1": {0, 1, 1, 0, 1}, "Surv(t, grp %in% c(1, 3)) ~ 1": {1, 0, 1, 1, 0}, "Surv(t, stage %in% c('a', 'other')) ~ 1": {0, 1, 0, 1, 0},
		"Surv(t, stage %in% 'b') ~ 1": {1, 0, 0, 0, 1}, "Surv(t, (age > 35) * (age <= 60)) ~ 1": {0, 1, 1, 1, 0}, "Surv(t, 1 - (status == 1)) ~ 1": {1, 0, 0, 1, 0},
	} {
		f := mustBind(t, text)
		v := mustEval(t, f, smallBatch())
		if got := v.Numeric[f.Roles().Event]; !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// Comparisons that are variables are told from those within arithmetic, and
// %in% is false of what is missing, as in R.
func TestFrame_Truths(t *testing.T) {
	f := mustBind(t, "Surv(t, I(status2 == 2)) ~ I(age >= 50) + sex + I(stage %in% c('a', 'b')) + relevel(I(z < 0), 'TRUE')")
	var got []string
	for _, c := range f.Truths() {
		got = append(got, fmt.Sprint(c.Name, " ", c.Numeric, " ", c.Factor))
	}
	if want := []string{"I(status2 == 2) 1 -1", "I(age >= 50) -1 0", `I(stage %in% c("a", "b")) -1 2`, `relevel(I(z < 0), "TRUE") -1 3`}; !slices.Equal(got, want) {
		t.Errorf("truths %q, want %q", got, want)
	}
	if name, nested := f.Nested(); nested {
		t.Errorf("%s is nested", name)
	}
	for _, text := range []string{"y ~ I((age > 50) * z)", "y ~ log(1 + (age > 50))", "Surv(t, 1 - (status == 1)) ~ 1", "y ~ offset(age > 50)", "Surv(t0 + (age > 50), t, status) ~ 1", "y ~ I((age > 50) == (z > 0))"} {
		if _, nested := mustBind(t, text).Nested(); !nested {
			t.Errorf("%s: nothing is nested", text)
		}
	}
	for _, text := range []string{"(age > 50) ~ z", "I(age > 50) ~ z", "stage == 'a' ~ z"} {
		if f := mustBind(t, text); len(f.Truths()) != 1 {
			t.Errorf("%s: truths %v", text, f.Truths())
		}
	}
	f = mustBind(t, "y ~ I(stage %in% c('a', 'b')) + I(grp %in% c(1, 3))")
	v, err := f.Eval(frame.Batch{Rows: 3, Columns: []frame.Values{{Real: []float64{3, math.NaN(), 2}}, {Code: []int32{-1, 1, 2}}, {Real: []float64{1, 2, 3}}}})
	if err != nil || v.Rows != 3 || !slices.Equal(v.Factor[0], []int32{0, 1, 0}) || !slices.Equal(v.Factor[1], []int32{1, 0, 0}) {
		t.Errorf("%v, %v", v, err)
	}
}

func TestFrame_Times(t *testing.T) {
	f := mustBind(t, "Surv(t0, I((t + 1)/30.4375), status) ~ age")
	column := []float64{0, 3, 7, 10, 11, 250}
	v, err := f.Eval(frame.Batch{Rows: 6, Columns: []frame.Values{{Real: []float64{30, 30, 30, 30, 30, 30}}, {Real: []float64{1, 0, 1, 0, 1, 0}}, {Real: column}, {Real: []float64{-9, -9, -9, -9, -9, -9}}}})
	if err != nil || !slices.Equal(f.Times(column), v.Numeric[f.Roles().Time]) {
		t.Errorf("times %v, rows have %v, %v", f.Times(column), v.Numeric, err)
	}
	if got := mustBind(t, "Surv(t * 1e-320, status) ~ 1").Times(column); len(got) >= 6 && got[0] == got[1] {
		t.Errorf("repeats: %v", got)
	}
}

func TestEval_logicalEvent(t *testing.T) {
	d := frame.Dictionary{{Name: "t", Type: frame.Real, Max: 9}, {Name: "dead", Type: frame.Factor, Levels: []string{"FALSE", "TRUE"}}}
	m, _ := Parse("Surv(t, dead) ~ 1")
	f, err := Bind(m, d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := f.Eval(frame.Batch{Rows: 3, Columns: []frame.Values{{Code: []int32{1, 0, -1}}, {Real: []float64{1, 2, 3}}}})
	if err != nil || !slices.Equal(v.Numeric[f.Roles().Event], []float64{1, 0}) {
		t.Errorf("events %v, %v", v.Numeric, err)
	}
}

// What is read and not missing is not copied; what is computed never writes to
// the batch.
func TestEval_aliases(t *testing.T) {
	f := mustBind(t, "y ~ age + I(age * 2) + I(-age) + log(age) + sex + relevel(sex, 'F')")
	batch := smallBatch().batch(f.Columns())
	batch.Rows = 5
	var before [][]float64
	for i, c := range batch.Columns {
		if c.Real != nil {
			batch.Columns[i].Real = c.Real[:5]
		} else {
			batch.Columns[i].Code = c.Code[:5]
		}
		before = append(before, slices.Clone(batch.Columns[i].Real))
	}
	v, err := f.Eval(batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range batch.Columns {
		if !slices.Equal(c.Real, before[i]) {
			t.Errorf("column %s was written to", f.Columns()[i])
		}
	}
	if age := slices.Index(f.Columns(), "age"); &v.Numeric[1][0] != &batch.Columns[age].Real[0] {
		t.Error("age was copied")
	}
	if sex := slices.Index(f.Columns(), "sex"); &v.Factor[0][0] != &batch.Columns[sex].Code[0] {
		t.Error("sex was copied")
	}
	if !slices.Equal(v.Numeric[2], []float64{60, 80, 100, 120, 150}) || !slices.Equal(v.Factor[1], []int32{1, 0, 1, 0, 0}) {
		t.Errorf("computed %v, %v", v.Numeric[2], v.Factor[1])
	}
}

func TestEval_refuses(t *testing.T) {
	zero := smallBatch()
	zero["w"] = frame.Values{Real: []float64{0, 1, 2, 3, 4, 5}}
	half := smallBatch()
	half["status"] = frame.Values{Real: []float64{0, 0.5, 1, 1, 1, 1}}
	odd := smallBatch()
	odd["grp"] = frame.Values{Real: []float64{1, 2, 3, 4, 5, 1}}
	wild := smallBatch()
	wild["sex"] = frame.Values{Code: []int32{0, 1, 2, 0, 1, 0}}
	short := smallBatch()
	short["age"] = frame.Values{Real: []float64{1, 2}}
	for _, c := range []struct {
		text string
		data table
		kind ws.Kind
		name string
	}{
		{"y ~ log(w)", zero, ws.Invalid, "log(w)"}, {"y ~ I(age/w)", zero, ws.Invalid, "I(age/w)"}, {"y ~ I(-1/w) + poly(w, 2, raw = TRUE)", zero, ws.Invalid, "I(-1/w)"},
		{"Surv(t, status) ~ 1", half, ws.Invalid, "status"}, {"y ~ factor(grp)", odd, ws.Invalid, "grp"}, {"y ~ sex", wild, ws.Invalid, "sex"}, {"y ~ age", short, ws.Other, ""},
	} {
		f := mustBind(t, c.text)
		_, err := f.Eval(c.data.batch(f.Columns()))
		if err == nil || ws.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	f := mustBind(t, "y ~ age")
	if _, err := f.Eval(frame.Batch{Rows: 1}); ws.KindOf(err) != ws.Other {
		t.Errorf("a batch without columns: %v", err)
	}
}

func TestEval_empty(t *testing.T) {
	f := mustBind(t, "y ~ age + sex + poly(chol, 2) + log(z)")
	columns := make([]frame.Values, len(f.Columns()))
	v, err := f.Eval(frame.Batch{Columns: columns})
	if err != nil || v.Rows != 0 {
		t.Errorf("%d rows, %v", v.Rows, err)
	}
	if _, err := f.Design(moments(f, v)); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a design of no rows: %v", err)
	}
}

func someNumber(t *rapid.T, depth int) string {
	column := rapid.SampledFrom([]string{"p", "q", "p", "q", "2", "0.5", "3", "-1"})
	if depth == 0 {
		return column.Draw(t, "column")
	}
	op := rapid.SampledFrom([]string{"+", "-", "*", "/", "^", "log", "log2", "log10", "exp", "sqrt", "abs", "-x", "leaf"}).Draw(t, "op")
	switch op {
	case "+", "-", "*", "/", "^":
		return "(" + someNumber(t, depth-1) + ")" + op + "(" + someNumber(t, depth-1) + ")"
	case "-x":
		return "-" + someNumber(t, depth-1)
	case "leaf":
		return column.Draw(t, "column")
	}
	return op + "(" + someNumber(t, depth-1) + ")"
}

// Interval arithmetic bounds every value that is not missing.
func TestInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d frame.Dictionary
		for _, name := range []string{"p", "q"} {
			lo := float64(rapid.IntRange(-4, 4).Draw(t, "lo"))
			d = append(d, frame.Column{Name: name, Type: frame.Real, Min: lo, Max: lo + float64(rapid.IntRange(0, 4).Draw(t, "width"))})
		}
		m, err := Parse("~ I(" + someNumber(t, 3) + ")")
		if err != nil {
			t.Fatal(err)
		}
		f, err := Bind(m, d, "")
		if err != nil {
			t.Skip(err)
		}
		const n = 11
		batch := frame.Batch{Rows: n * n}
		for _, name := range f.Columns() {
			c, _ := d.Lookup(name)
			x := make([]float64, n*n)
			for i := range x {
				k := i % n
				if name == "q" {
					k = i / n
				}
				x[i] = c.Min + (c.Max-c.Min)*float64(k)/(n-1)
			}
			batch.Columns = append(batch.Columns, frame.Values{Real: x})
		}
		x, _ := f.sources[0].eval(batch)
		for _, u := range x {
			if u < f.numeric[0].Lo || u > f.numeric[0].Hi {
				t.Fatalf("%s is %v, outside [%v, %v]", m, u, f.numeric[0].Lo, f.numeric[0].Hi)
			}
		}
	})
}

// What a spline can be over the dictionary's range is known, outside its boundary knots too.
func TestBind_SplineBounds(t *testing.T) {
	f := mustBind(t, "y ~ ns(age, knots = 50, Boundary.knots = c(20, 80))")
	v, err := f.Eval(smallBatch().batch(f.Columns()))
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range f.Numeric() {
		if math.IsInf(n.Lo, 0) || math.IsInf(n.Hi, 0) || !(n.Lo < n.Hi) {
			t.Errorf("%s lies between %v and %v", n.Name, n.Lo, n.Hi)
		}
		for _, x := range v.Numeric[i] {
			if x < n.Lo || x > n.Hi {
				t.Errorf("%s is %v, not between %v and %v", n.Name, x, n.Lo, n.Hi)
			}
		}
	}
}
