package draft

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
	"wellspring/frame"
)

// The bounds lie outside, near, and on a grid that they share with much else.
func TestOutward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(-1e12, 1e12).Draw(t, "a"), rapid.Float64Range(-1e12, 1e12).Draw(t, "b")
		scale := math.Pow10(rapid.IntRange(-30, 30).Draw(t, "scale"))
		lo, hi := min(a, b)*scale, max(a, b)*scale
		min, max := outward(lo, hi, false)
		if span := hi - lo; min > lo || max < hi || min < lo-span/7 && span > 0 || max > hi+span/7 && span > 0 {
			t.Fatalf("outward(%v, %v) = %v, %v", lo, hi, min, max)
		}
		lo, hi = math.Round(lo), math.Round(hi)
		if min, max = outward(lo, hi, true); min > lo || max < hi || min != math.Trunc(min) || max != math.Trunc(max) {
			t.Fatalf("outward(%v, %v, whole) = %v, %v", lo, hi, min, max)
		}
	})
	for _, c := range []struct {
		lo, hi   float64
		whole    bool
		min, max float64
	}{
		{29, 77, true, 25, 80}, {0, 603, false, 0, 650}, {-2.6, 6.2, false, -3, 6.5}, {5, 5, false, 5, 5}, {0, 0, false, 0, 0},
		{0.1, 0.3, false, 0.1, 0.3}, {-math.MaxFloat64, math.MaxFloat64, false, -math.MaxFloat64, math.MaxFloat64}, {7.3, 7.3, false, 7, 7.5}, {0, 5e-324, false, 0, 5e-324},
	} {
		if min, max := outward(c.lo, c.hi, c.whole); min != c.min || max != c.max {
			t.Errorf("outward(%v, %v) = %v, %v, want %v, %v", c.lo, c.hi, min, max, c.min, c.max)
		}
	}
}

// A column of numbers with a slip among them is told with its place; one of codes is not.
func TestSurvey_Strays(t *testing.T) {
	s := New(Options{})
	columns, err := s.File("a.csv", []string{"age", "code", "word", "few"})
	if err != nil {
		t.Fatal(err)
	}
	for line := range 200 {
		for i, c := range columns {
			x, at := float64(line)*1.37, ws.Position{File: "a.csv", Line: line + 2}
			text := []byte(frame.LevelOf(x))
			odd := i == 0 && line == 40 || i == 1 && line%3 == 0 || i == 2 || i == 3 && line%30 == 5
			switch {
			case odd:
				c.Odd(at)
				c.Text(append(text, 'x'))
			case c.Textual():
				c.Text(text)
			default:
				c.Number(x, text)
			}
		}
	}
	got := s.Strays()
	if want := (ws.Position{File: "a.csv", Line: 42}); len(got) != 1 || got["age"] != want {
		t.Errorf("strays %v, want age at %v", got, want)
	}
	if d := s.Dictionary(); d[0].Type != frame.Identifier {
		t.Errorf("age is %v", d[0].Type)
	}
}
