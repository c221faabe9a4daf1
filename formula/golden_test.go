package formula

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"wellspring/frame"
)

// sample is the dictionary of the data set in testdata/golden.R. Ranges are
// wider than the data and some levels have no row.
var sample = frame.Dictionary{
	{Name: "y", Type: frame.Real, Min: -10, Max: 10},
	{Name: "t", Type: frame.Real, Min: 0, Max: 1000},
	{Name: "t0", Type: frame.Real, Min: 0, Max: 100},
	{Name: "status", Type: frame.Integer, Min: 0, Max: 1},
	{Name: "status2", Type: frame.Integer, Min: 1, Max: 2},
	{Name: "age", Type: frame.Integer, Min: 18, Max: 90, Levels: []string{"18", "90"}},
	{Name: "chol", Type: frame.Real, Min: 1, Max: 10},
	{Name: "z", Type: frame.Real, Min: -5, Max: 5},
	{Name: "grp", Type: frame.Integer, Min: 1, Max: 4, Levels: []string{"1", "2", "3", "4"}},
	{Name: "dose", Type: frame.Real, Min: 0, Max: 10, Levels: []string{"10", "2", "0.5"}},
	{Name: "sex", Type: frame.Factor, Levels: []string{"M", "F"}},
	{Name: "stage", Type: frame.Factor, Levels: []string{"b", "a", "c e", "d"}, Other: true},
	{Name: "arm", Type: frame.Factor, Levels: []string{"x", "y"}},
	{Name: "w", Type: frame.Integer, Min: 0, Max: 5},
	{Name: "my col", Type: frame.Real, Min: 0, Max: 1},
	{Name: "年龄段", Type: frame.Factor, Levels: []string{"小于 60", "60 及以上"}},
	{Name: "id", Type: frame.Identifier},
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// A table is the data set in the engine's form.
type table map[string]frame.Values

func readTable(t testing.TB, data map[string]json.RawMessage) table {
	out := table{}
	for name, raw := range data {
		c, ok := sample.Lookup(name)
		if !ok {
			t.Fatalf("column %s is not in the dictionary", name)
		}
		var v frame.Values
		if c.Type.Numeric() {
			var xs []*float64
			if err := json.Unmarshal(raw, &xs); err != nil {
				t.Fatal(err)
			}
			for _, x := range xs {
				if x == nil {
					v.Real = append(v.Real, math.NaN())
				} else {
					v.Real = append(v.Real, *x)
				}
			}
		} else {
			var xs []*string
			if err := json.Unmarshal(raw, &xs); err != nil {
				t.Fatal(err)
			}
			for _, x := range xs {
				code := -1
				if x != nil {
					code = slices.Index(c.Levels, *x)
				}
				v.Code = append(v.Code, int32(code))
			}
		}
		out[name] = v
	}
	return out
}

func (d table) batch(columns []string) frame.Batch {
	b := frame.Batch{Rows: len(d["y"].Real)}
	for _, c := range columns {
		b.Columns = append(b.Columns, d[c])
	}
	return b
}

// moments counts what round 0 would.
func moments(f *Frame, v Values) Moments {
	m := Moments{Complete: int64(v.Rows), Sum: make([]float64, len(f.numeric)), SumSq: make([]float64, len(f.numeric))}
	for i, x := range v.Numeric {
		for _, u := range x {
			m.Sum[i] += u
			m.SumSq[i] += u * u
		}
	}
	for i, codes := range v.Factor {
		m.Levels = append(m.Levels, make([]int64, len(f.factors[i].Levels)))
		for _, c := range codes {
			m.Levels[i][c]++
		}
	}
	return m
}

func mustBind(t testing.TB, text string) *Frame {
	t.Helper()
	m, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f, err := Bind(m, sample, "")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func mustEval(t testing.TB, f *Frame, d table) Values {
	t.Helper()
	v, err := f.Eval(d.batch(f.Columns()))
	if err != nil {
		t.Fatalf("%s: %v", f.model, err)
	}
	return v
}

// raw undoes centring and scaling.
func raw(d *Design, v Values) []float64 {
	x := make([]float64, v.Rows*d.P())
	d.Fill(v, 0, v.Rows, x)
	for i := range x {
		j := i % d.P()
		x[i] = x[i]*d.scale[j] + d.centre[j]
	}
	return x
}

func compare(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, R has %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-10*math.Max(1, math.Abs(want[i]))) {
			t.Errorf("%s: number %d is %v, R has %v", what, i, got[i], want[i])
			return
		}
	}
}

func TestDesign_R(t *testing.T) {
	var golden struct {
		Data  map[string]json.RawMessage
		Cases []struct {
			Formula             string
			Terms, Names        []string
			Assign              []int
			Rows                int
			X, Offset, Response []float64
		}
	}
	readJSON(t, "design.json", &golden)
	data := readTable(t, golden.Data)
	for _, c := range golden.Cases {
		t.Run(c.Formula, func(t *testing.T) {
			f := mustBind(t, c.Formula)
			v := mustEval(t, f, data)
			if got := f.Model().Terms(); !slices.Equal(got, c.Terms) {
				t.Errorf("terms %q, R has %q", got, c.Terms)
			}
			if v.Rows != c.Rows {
				t.Fatalf("%d complete rows, R has %d", v.Rows, c.Rows)
			}
			d, err := f.Design(moments(f, v))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Names(), c.Names) {
				t.Fatalf("columns %q,\nR has  %q", d.Names(), c.Names)
			}
			if !slices.Equal(d.Assign(), c.Assign) {
				t.Errorf("assign %v, R has %v", d.Assign(), c.Assign)
			}
			compare(t, "design", raw(d, v), c.X)
			checkBounds(t, f, d, v)
			if f.roles.Response >= 0 {
				compare(t, "response", v.Numeric[f.roles.Response], c.Response)
			}
			offset := make([]float64, len(c.Offset))
			for _, o := range f.roles.Offset {
				for i := range offset {
					offset[i] += v.Numeric[o][i]
				}
			}
			compare(t, "offset", offset, c.Offset)
		})
	}
}

// checkBounds holds the variables to their intervals and the columns to theirs.
func checkBounds(t *testing.T, f *Frame, d *Design, v Values) {
	t.Helper()
	for i, n := range f.Numeric() {
		for _, u := range v.Numeric[i] {
			if u < n.Lo || u > n.Hi {
				t.Errorf("%s has %v outside [%v, %v]", n.Name, u, n.Lo, n.Hi)
			}
		}
	}
	p := d.P()
	x := make([]float64, v.Rows*p)
	d.Fill(v, 0, v.Rows, x)
	for i, u := range x {
		if math.Abs(u) > d.Bound()[i%p]*(1+1e-9) {
			t.Errorf("column %s has magnitude %v over its bound %v", d.Names()[i%p], math.Abs(u), d.Bound()[i%p])
		}
	}
}

func TestDesignNoIntercept_R(t *testing.T) {
	var all struct{ Data map[string]json.RawMessage }
	readJSON(t, "design.json", &all)
	data := readTable(t, all.Data)
	var cases []struct {
		Formula        string
		Names, Strata  []string
		Rows           int
		X, Time, Event []float64
	}
	readJSON(t, "cox.json", &cases)
	for _, c := range cases {
		t.Run(c.Formula, func(t *testing.T) {
			f := mustBind(t, c.Formula)
			v := mustEval(t, f, data)
			d, err := f.DesignNoIntercept(moments(f, v))
			if err != nil {
				t.Fatal(err)
			}
			if v.Rows != c.Rows || d.Intercept() || !slices.Equal(d.Names(), c.Names) {
				t.Fatalf("%d rows of %q, R has %d of %q", v.Rows, d.Names(), c.Rows, c.Names)
			}
			compare(t, "design", raw(d, v), c.X)
			compare(t, "time", v.Numeric[f.roles.Time], c.Time)
			compare(t, "event", v.Numeric[f.roles.Event], c.Event)
			for i, want := range c.Strata {
				var parts []string
				for _, s := range f.roles.Strata {
					level := f.factors[s].Levels[v.Factor[s][i]]
					if !strings.Contains(want, level) {
						t.Fatalf("row %d is in stratum %q, not in R's %q", i, level, want)
					}
					parts = append(parts, level)
				}
				if len(parts) == 0 {
					t.Fatal("no strata")
				}
			}
		})
	}
}

func TestTerms_R(t *testing.T) {
	var cases []struct {
		Formula, Deparse string
		Labels           []string
		Variables        []string
		Intercept        int
		Offsets          int
		Codes            []int
	}
	readJSON(t, "terms.json", &cases)
	for _, c := range cases {
		m, err := Parse(c.Formula)
		if err != nil {
			t.Errorf("%s: %v", c.Formula, err)
			continue
		}
		if m.String() != c.Deparse {
			t.Errorf("%s prints as %s, in R as %s", c.Formula, m, c.Deparse)
		}
		if !slices.Equal(m.Terms(), c.Labels) || m.Intercept() != (c.Intercept == 1) || len(m.offsets) != c.Offsets {
			t.Errorf("%s: terms %q, intercept %v; R has %q, %d", c.Formula, m.Terms(), m.Intercept(), c.Labels, c.Intercept)
			continue
		}
		var printed []string
		for _, v := range m.vars {
			printed = append(printed, v.String())
		}
		if !slices.Equal(printed, c.Variables) {
			t.Errorf("%s: variables %q, R has %q", c.Formula, printed, c.Variables)
		}
		if got := codesOf(m); !slices.Equal(got, c.Codes) {
			t.Errorf("%s: codes %v, R has %v", c.Formula, got, c.Codes)
		}
	}
}

// codesOf gives R's "factors" matrix, column by column.
func codesOf(m *Model) []int {
	codes := make([]int, len(m.vars)*len(m.terms))
	for i, t := range m.terms {
		for j, v := range t.vars {
			codes[i*len(m.vars)+v] = 1
			if t.full[j] {
				codes[i*len(m.vars)+v] = 2
			}
		}
	}
	return codes
}
