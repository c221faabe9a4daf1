package stat

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
)

var mixed = Shape{
	{Name: "n", Len: 2},
	{Name: "sum", Len: 3, Frac: 60, Basis: []int64{20, 20, 20}},
	{Name: "sites", Len: 1, Presence: true},
	{Name: "fine", Len: 1, Frac: 100, Basis: []int64{20}},
}

// A total is refused at 2^(126−⌈log2 sites⌉) exactly, from above, from below and by adding up.
func TestEncode_Limit(t *testing.T) {
	one := Shape{{Name: "x", Len: 1}}
	for sites, log2 := range map[int]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 8: 3, 9: 4, 32: 5, 33: 6, 1000: 10, 1024: 10, 1025: 11} {
		limit := math.Ldexp(1, 126-log2)
		below := math.Nextafter(limit, 0)
		gap := limit - below // limit−1 is no float64, but a sum of three
		next := math.Nextafter(gap, 0)
		for _, sign := range []float64{1, -1} {
			try := func(values ...float64) error {
				into := make(Ring, 1)
				for i, v := range values {
					if err := one.Encode(into, Vector{sign * v}, sites); err != nil {
						if i < len(values)-1 {
							t.Fatalf("%d sites: refused already at value %d", sites, i)
						}
						return err
					}
				}
				return nil
			}
			if err := try(below, next, gap-next-1); err != nil {
				t.Errorf("%d sites, sign %v: below the limit: %v", sites, sign, err)
			}
			if try(limit) == nil || try(below, gap) == nil || try(below, next, gap-next) == nil || try(limit/2, limit/2) == nil {
				t.Errorf("%d sites, sign %v: a total at the limit is accepted", sites, sign)
			}
		}
	}
	if err := one.Encode(make(Ring, 1), Vector{1}, math.MaxInt); err == nil {
		t.Error("so many sites leave no room for a total, and it is accepted")
	}
}

func TestEncode_Refuses(t *testing.T) {
	for i, block := range map[int]string{0: "n", 1: "n", 2: "sum", 4: "sum", 5: "sites", 6: "fine"} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0x1p126} {
			vec := make(Vector, mixed.Len())
			vec[i] = v
			err := mixed.Encode(make(Ring, len(vec)), vec, 3)
			if err == nil || ws.KindOf(err) != ws.Invalid || !strings.HasPrefix(err.Error(), "stat: block "+block+":") || ws.HintOf(err).IsZero() {
				t.Errorf("%v in entry %d: error %v, want one that names %q", v, i, err, block)
			}
		}
	}
	for _, n := range []int{0, mixed.Len() - 1, mixed.Len() + 1} {
		if mixed.Encode(make(Ring, n), make(Vector, n), 3) == nil || mixed.Encode(make(Ring, n), make(Vector, mixed.Len()), 3) == nil {
			t.Errorf("%d entries are accepted", n)
		}
	}
}

// However runs are dealt to sites and whatever the order in which they are
// added, the bytes of the sum are the same.
func TestEncode_AnyPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := make([]Vector, rapid.IntRange(0, 12).Draw(t, "runs"))
		for i := range runs {
			runs[i] = make(Vector, mixed.Len())
			for j := range runs[i] {
				runs[i][j] = math.Ldexp(rapid.Float64Range(-1, 1).Draw(t, "v"), rapid.IntRange(-150, 15).Draw(t, "exponent"))
			}
		}
		pooled := make(Ring, mixed.Len())
		for _, v := range runs {
			if err := mixed.Encode(pooled, v, 7); err != nil {
				t.Fatal(err)
			}
		}
		sites := make([]Ring, rapid.IntRange(1, 7).Draw(t, "sites"))
		for i := range sites {
			sites[i] = make(Ring, mixed.Len())
		}
		for _, i := range rapid.Permutation(indices(len(runs))).Draw(t, "order of runs") {
			at := rapid.IntRange(0, len(sites)-1).Draw(t, "site")
			if err := mixed.Encode(sites[at], runs[i], 7); err != nil {
				t.Fatal(err)
			}
		}
		total := make(Ring, mixed.Len())
		for _, i := range rapid.Permutation(indices(len(sites))).Draw(t, "order of sites") {
			total.Add(sites[i])
		}
		want, _ := pooled.AppendBinary(nil)
		if got, _ := total.AppendBinary(nil); !bytes.Equal(got, want) {
			t.Fatalf("sum over sites %x, pooled %x", got, want)
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestMarkPresence(t *testing.T) {
	s := Shape{{Name: "n", Len: 1}, {Name: "sites", Len: 5, Presence: true}, {Name: "far", Len: 3, Flag: true}, {Name: "m", Len: 1}}
	minus := Uint128{math.MaxUint64, math.MaxUint64}
	one := Uint128{Lo: 1}
	for _, c := range []struct {
		speaks bool
		want   Ring
	}{
		{true, Ring{{Lo: 9}, {}, one, one, one, {}, {}, one, {}, minus}},
		{false, Ring{{Lo: 9}, {}, {}, {}, {}, {}, {}, one, {}, minus}}, // its flags are heard all the same
	} {
		r := Ring{{Lo: 9}, {}, {Lo: 1}, {Lo: 500}, {Hi: 1}, minus, {}, {Lo: 7}, minus, minus}
		s.MarkPresence(r, c.speaks)
		if !reflect.DeepEqual(r, c.want) {
			t.Errorf("MarkPresence(%v) = %v, want %v", c.speaks, r, c.want)
		}
	}
}

func TestSuppress(t *testing.T) {
	s := Shape{{Name: "n", Len: 1}, {Name: "x", Len: 5, Frac: 10, Basis: []int64{0, 1, 9, 10, 11}}, {Name: "m", Len: 1, Basis: []int64{3}}}
	full := func() Ring { return Ring{{Lo: 1}, {Lo: 2}, {Lo: 3}, {Lo: 4}, {Lo: 5}, {Lo: 6}, {Lo: 7}} }
	r := full()
	if n := s.Suppress(r, 10); n != 3 {
		t.Errorf("%d entries suppressed, want 3", n)
	}
	if want := (Ring{{Lo: 1}, {Lo: 2}, {}, {}, {Lo: 5}, {Lo: 6}, {}}); !reflect.DeepEqual(r, want) {
		t.Errorf("Suppress = %v, want %v", r, want)
	}
	for _, k := range []int64{-1, 0, 1} {
		r := full()
		if n := s.Suppress(r, k); n != 0 || !reflect.DeepEqual(r, full()) {
			t.Errorf("k = %d suppresses %d entries", k, n)
		}
	}
}

func TestSum(t *testing.T) {
	s := Shape{{Name: "n", Len: 4}, {Name: "x", Len: 2, Frac: 1, Basis: []int64{9, 9}}}
	minus := Uint128{}.Sub(Uint128{Lo: 5})
	sum := Sum{Shape: s, Ring: Ring{{Lo: 3}, minus, {Hi: 1}, {Hi: math.MaxUint64}, {Lo: 3}, minus}, Sites: 3}
	if got, want := sum.Counts("n"), []int64{3, -5, math.MaxInt64, math.MinInt64}; !reflect.DeepEqual(got, want) {
		t.Errorf("Counts = %v, want %v", got, want)
	}
	if got, want := sum.Reals("x"), []float64{1.5, -2.5}; !reflect.DeepEqual(got, want) {
		t.Errorf("Reals = %v, want %v", got, want)
	}
	if sum.Counts("y") != nil || sum.Reals("y") != nil {
		t.Error("a block that is not there has entries")
	}
}

// Parts that were prefixed, put one after the other and summed come back.
func TestPart_Prefixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var whole Sum
		whole.Sites = 5
		parts := make([]Sum, rapid.IntRange(1, 4).Draw(t, "parts"))
		prefix := func(i int) string { return string(rune('a'+i)) + "/" }
		for i := range parts {
			p := Sum{Sites: 5}
			for j := range rapid.IntRange(0, 3).Draw(t, "blocks") {
				b := Block{Name: string(rune('p' + j)), Len: rapid.IntRange(0, 3).Draw(t, "len")}
				for range b.Len {
					p.Ring = append(p.Ring, Uint128{Lo: rapid.Uint64().Draw(t, "entry")})
				}
				p.Shape = append(p.Shape, b)
			}
			before := append(Shape(nil), p.Shape...)
			whole.Shape = append(whole.Shape, p.Shape.Prefixed(prefix(i))...)
			if !reflect.DeepEqual(before, append(Shape(nil), p.Shape...)) {
				t.Fatal("Prefixed changed its shape")
			}
			whole.Ring = append(whole.Ring, p.Ring...)
			parts[i] = p
		}
		for i, want := range parts {
			if got := whole.Part(prefix(i)); !reflect.DeepEqual(got, want) {
				t.Fatalf("part %d = %v, want %v", i, got, want)
			}
		}
		if got := whole.Part("z/"); got.Shape != nil || got.Ring != nil {
			t.Fatalf("a part that is not there: %v", got)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	const n = 1 << 16
	s := Shape{{Name: "x", Len: n, Frac: 60, Basis: Repeat(100, n)}}
	v, into := make(Vector, n), make(Ring, n)
	for i := range v {
		v[i] = math.Ldexp(float64(i-n/2), -10)
	}
	b.SetBytes(8 * n)
	for b.Loop() {
		clear(into)
		if err := s.Encode(into, v, 4); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReals(b *testing.B) {
	const n = 1 << 16
	sum := Sum{Shape: Shape{{Name: "x", Len: n, Frac: 60}}, Ring: make(Ring, n)}
	for i := range sum.Ring {
		sum.Ring[i] = Uint128{Lo: uint64(i) << 40, Hi: uint64(i)}
	}
	b.SetBytes(16 * n)
	for b.Loop() {
		sum.Reals("x")
	}
}
