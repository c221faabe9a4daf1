package stat

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
)

func TestShape_Validate(t *testing.T) {
	count := Block{Name: "n", Len: 2}
	for _, c := range []struct {
		name  string
		shape Shape
		want  string // part of the message; "" if valid
	}{
		{"empty", nil, ""},
		{"count", Shape{count}, ""},
		{"real", Shape{{Name: "x", Len: 2, Frac: 120, Basis: []int64{0, 9}}}, ""},
		{"presence", Shape{{Name: "sites", Len: 2, Presence: true}}, ""},
		{"flag", Shape{{Name: "far", Len: 2, Flag: true}}, ""},
		{"empty block", Shape{{Name: "x", Frac: 40}}, ""},
		{"at most", Shape{{Name: "x", Len: MaxLen}}, ""},
		{"no name", Shape{{Len: 1}}, "name of its own"},
		{"same name", Shape{count, count}, "name of its own"},
		{"negative length", Shape{{Name: "x", Len: -1}}, "negative number"},
		{"negative, then too long", Shape{{Name: "x", Len: -MaxLen}, {Name: "y", Len: 2 * MaxLen}}, "negative number"},
		{"too long", Shape{{Name: "x", Len: MaxLen + 1}}, "more than"},
		{"too long together", Shape{count, {Name: "x", Len: MaxLen - 1}}, "more than"},
		{"wraps", Shape{count, {Name: "x", Len: math.MaxInt}}, "more than"},
		{"fraction", Shape{{Name: "x", Len: 1, Frac: 121, Basis: []int64{9}}}, "120 fraction bits"},
		{"short basis", Shape{{Name: "x", Len: 2, Basis: []int64{9}}}, "differ in length"},
		{"no basis", Shape{{Name: "x", Len: 1, Frac: 1}}, "lack a basis"},
		{"negative basis", Shape{{Name: "x", Len: 2, Frac: 1, Basis: []int64{9, -1}}}, "negative"},
		{"fraction of an institution", Shape{{Name: "x", Len: 1, Frac: 1, Presence: true, Basis: []int64{9}}}, "counts institutions"},
		{"fraction of a site", Shape{{Name: "x", Len: 1, Frac: 1, Flag: true, Basis: []int64{9}}}, "counts institutions or sites"},
		{"institutions and sites", Shape{{Name: "x", Len: 1, Presence: true, Flag: true}}, "not both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.shape.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || ws.KindOf(err) != ws.Invalid):
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// A shape from outside that Validate accepts can be used, and survives JSON.
func FuzzShape_Validate(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"name":"n","len":2}]`, `[{"name":"x","len":1,"frac":40,"basis":[12]}]`, `[{"name":"s","len":3,"presence":true},{"name":"f","len":1,"flag":true}]`,
		`[{"name":"x","len":9223372036854775807},{"name":"y","len":9223372036854775807}]`, `[{"name":"x","len":-1,"basis":[-1]}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Shape
		if json.Unmarshal(b, &s) != nil || s.Validate() != nil {
			return
		}
		again, err := json.Marshal(s)
		var back Shape
		if err != nil || json.Unmarshal(again, &back) != nil || back.Validate() != nil {
			t.Fatalf("%s is not valid after JSON", again)
		}
		n := s.Len()
		if n < 0 || n > MaxLen {
			t.Fatalf("length %d", n)
		}
		if n > 1<<12 {
			return
		}
		r := make(Ring, n)
		if err := s.Encode(r, make(Vector, n), 4); err != nil {
			t.Fatal(err)
		}
		s.MarkPresence(r, true)
		s.Suppress(r, 10)
		sum := Sum{Shape: s, Ring: r}
		for _, block := range s {
			if len(sum.Reals(block.Name)) != block.Len || len(sum.Counts(block.Name)) != block.Len {
				t.Fatalf("block %q comes back with another length", block.Name)
			}
		}
	})
}

// With the bits that FracFor gives, the largest rows can be added at each of
// 1,024 sites.
func TestFracFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := math.Ldexp(rapid.Float64Range(0.5, 1).Draw(t, "bound"), rapid.IntRange(-200, 50).Draw(t, "exponent"))
		rows := rapid.Int64Range(0, 1<<40).Draw(t, "rows")
		frac := FracFor(bound, rows)
		if frac > 100 {
			t.Fatalf("%d bits", frac)
		}
		total := bound * float64(rows)
		u, ok := encode(total*(1+0x1p-50), frac)
		if !ok || u.abs().Hi >= 1<<(116-64) {
			t.Fatalf("bound %v, %d rows: %d bits are too many", bound, rows, frac)
		}
		if frac < 100 && rows > 0 { // and not needlessly few: at most 4 of slack, 2 of rounding up
			if u, ok := encode(total, frac+7); ok && u.abs().Hi < 1<<(116-64) {
				t.Fatalf("bound %v, %d rows: %d bits are needlessly few", bound, rows, frac)
			}
		}
	})
	for _, c := range []struct {
		bound float64
		rows  int64
		want  uint8
	}{
		{0, 1, 100}, {1, 1, 100}, {1, 1 << 40, 70}, {1e300, 1, 0}, {math.Inf(1), 1, 0}, {math.NaN(), 1, 0}, {1, -1, 100},
	} {
		if got := FracFor(c.bound, c.rows); got != c.want {
			t.Errorf("FracFor(%v, %d) = %d, want %d", c.bound, c.rows, got, c.want)
		}
	}
}

func TestRepeat(t *testing.T) {
	if got := Repeat(7, 3); !reflect.DeepEqual(got, []int64{7, 7, 7}) {
		t.Errorf("Repeat(7, 3) = %v", got)
	}
	if got := Repeat(7, 0); got == nil || len(got) != 0 {
		t.Errorf("Repeat(7, 0) = %v, want empty and not nil, which would mean no basis", got)
	}
}
