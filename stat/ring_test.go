package stat

import (
	"bytes"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
)

// signed is the two's complement reading of u.
func signed(u Uint128) *big.Int {
	n := new(big.Int).SetUint64(u.Hi)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(u.Lo))
	if u.Hi>>63 == 1 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n
}

// oracle is round(v·2^frac), ties to even, in rational arithmetic.
func oracle(v float64, frac uint8) *big.Int {
	r := new(big.Rat).SetFloat64(v)
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(frac))))
	twice := new(big.Int).Lsh(r.Num(), 1) // floor(r + ½) = floor((2·num + den)/(2·den))
	twice.Add(twice, r.Denom())
	den := new(big.Int).Lsh(r.Denom(), 1)
	q, rest := new(big.Int).DivMod(twice, den, new(big.Int))
	if rest.Sign() == 0 && q.Bit(0) == 1 { // a tie went up to an odd number
		q.Sub(q, big.NewInt(1))
	}
	return q
}

func checkEncode(t interface{ Errorf(string, ...any) }, v float64, frac uint8) {
	want := oracle(v, frac)
	fits := new(big.Int).Abs(want).BitLen() <= 126
	u, ok := encode(v, frac)
	if ok != fits {
		t.Errorf("encode(%v, %d): ok = %v, want %v", v, frac, ok, fits)
	} else if ok && signed(u).Cmp(want) != 0 {
		t.Errorf("encode(%v, %d) = %v, want %v", v, frac, signed(u), want)
	}
}

var edges = []float64{
	0, math.Copysign(0, -1), 0.5, 1, 1.5, 2, 2.5, 3, 0.1, 1.0 / 3, math.Nextafter(0.5, 0), math.Nextafter(0.5, 1), math.Nextafter(1.5, 2),
	0x1p52, 0x1p52 + 0.5, 0x1p53 - 1, 0x1p53, 0x1p63, 0x1p64, 0x1p65, 0x1p73, 0x1p125, math.Nextafter(0x1p126, 0), 0x1p126, 0x1p127, 0x1p128,
	0x1p-1, 0x1p-52, 0x1p-53, 0x1p-54, 0x1p-64, 0x1p-119, 0x1p-120, 0x1p-121, 0x1.8p-120, 0x1.8p-121, 0x1.0000000000001p-121,
	0x1.fffffffffffffp-121, 0x1p-122, 0x1p-173, 0x1p-174, 0x1p-175, 0x1p-1022, 0x1p-1023, 0x1.8p-1073, math.SmallestNonzeroFloat64,
	math.MaxFloat64, 1e300, 12345678.90625,
}

func TestEncode_Edges(t *testing.T) {
	for frac := range 121 {
		for _, v := range edges {
			for _, s := range []float64{math.Ldexp(v, -frac), v} { // the edge before scaling, and after
				checkEncode(t, s, uint8(frac))
				checkEncode(t, -s, uint8(frac))
			}
		}
		for k := -8.0; k <= 8; k += 0.25 { // ties, up and down
			checkEncode(t, math.Ldexp(k, -frac), uint8(frac))
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			if _, ok := encode(v, uint8(frac)); ok {
				t.Errorf("encode(%v, %d) is accepted", v, frac)
			}
		}
	}
}

func TestEncode_Random(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frac := uint8(rapid.IntRange(0, 120).Draw(t, "frac"))
		v := rapid.Float64Range(-1, 1).Draw(t, "v")
		checkEncode(t, math.Ldexp(v, rapid.IntRange(-1100, 127).Draw(t, "exponent")), frac)
		checkEncode(t, math.Ldexp(v, rapid.IntRange(-60, 126).Draw(t, "scaled exponent")-int(frac)), frac)
		checkEncode(t, rapid.Float64().Draw(t, "any"), frac)
	})
}

func checkDecode(t interface{ Errorf(string, ...any) }, u Uint128, frac uint8) {
	exact := new(big.Rat).SetFrac(signed(u), new(big.Int).Lsh(big.NewInt(1), uint(frac)))
	want, _ := exact.Float64() // the nearest, ties to even
	if got := decode(u, frac); math.Float64bits(got) != math.Float64bits(want) {
		t.Errorf("decode(%v, %d) = %x, want %x", signed(u), frac, got, want)
	}
}

func TestDecode_Edges(t *testing.T) {
	minus := Uint128{}
	for frac := range 121 {
		for bit := range 128 {
			one := Uint128{Lo: 1}
			p := Uint128{Lo: 1 << bit}
			if bit >= 64 {
				p = Uint128{Hi: 1 << (bit - 64)}
			}
			for _, u := range []Uint128{p, p.Sub(one), p.Add(one)} { // and halfway between two float64, a bit on each side
				half := Uint128{Lo: p.Lo>>53 | p.Hi<<11, Hi: p.Hi >> 53}
				for _, w := range []Uint128{u, u.Add(half), u.Add(half).Sub(one), u.Add(half).Add(one), u.Add(half).Add(half).Add(half)} {
					checkDecode(t, w, uint8(frac))
					checkDecode(t, minus.Sub(w), uint8(frac))
				}
			}
		}
	}
}

func TestDecode_Random(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := Uint128{rapid.Uint64().Draw(t, "lo"), rapid.Uint64().Draw(t, "hi")}
		checkDecode(t, u, uint8(rapid.IntRange(0, 120).Draw(t, "frac")))
	})
}

// A float64 that fits without rounding comes back as it was.
func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frac := rapid.IntRange(0, 120).Draw(t, "frac")
		mantissa := rapid.Int64Range(-1<<53, 1<<53).Draw(t, "mantissa")
		v := math.Ldexp(float64(mantissa), rapid.IntRange(0, 72).Draw(t, "exponent")-frac)
		u, ok := encode(v, uint8(frac))
		if got := decode(u, uint8(frac)); !ok || got != v {
			t.Fatalf("%v comes back as %v, %v", v, got, ok)
		}
	})
}

func TestUint128(t *testing.T) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	mod := func(n *big.Int) *big.Int { return new(big.Int).Mod(n, modulus) }
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Uint128 {
			return Uint128{rapid.Uint64().Draw(t, name+" lo"), rapid.Uint64().Draw(t, name+" hi")}
		}
		a, b := draw("a"), draw("b")
		x, y := signed(a), signed(b)
		if got := mod(signed(a.Add(b))); got.Cmp(mod(new(big.Int).Add(x, y))) != 0 {
			t.Fatalf("a+b = %v", got)
		}
		if got := mod(signed(a.Sub(b))); got.Cmp(mod(new(big.Int).Sub(x, y))) != 0 {
			t.Fatalf("a−b = %v", got)
		}
		r := Ring{a, b}
		r.Add(Ring{b, a})
		r.Sub(Ring{a, b})
		if r[0] != b || r[1] != a {
			t.Fatalf("Ring: [a b] + [b a] − [a b] = %v", r)
		}
	})
}

func TestParseRing(t *testing.T) {
	r := Ring{{1, 2}, {math.MaxUint64, 0}, {0, math.MaxUint64}}
	b, err := r.AppendBinary([]byte("x"))
	if err != nil || b[0] != 'x' {
		t.Fatalf("AppendBinary: %q, %v", b[:1], err)
	}
	b = b[1:]
	want := append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}, // as the wire format says
		255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)
	if !bytes.Equal(b, want) {
		t.Errorf("AppendBinary = %v, want %v", b, want)
	}
	for _, c := range []struct {
		n, bytes int
		ok       bool
	}{
		{3, 48, true}, {2, 32, true}, {0, 0, true}, {3, 47, false}, {2, 48, false}, {4, 48, false}, {0, 1, false}, {-1, 0, false},
		{-3, 48, false}, {MaxLen + 1, 48, false}, {math.MaxInt, 48, false}, {1 << 60, 0, false}, // 16·2^60 wraps to 0
	} {
		got, err := ParseRing(b[:c.bytes], c.n)
		if (err == nil) != c.ok || c.ok && len(got) != c.n {
			t.Errorf("ParseRing(%d bytes, %d): %d entries, %v", c.bytes, c.n, len(got), err)
		}
		if err != nil && ws.KindOf(err) != ws.Invalid {
			t.Errorf("ParseRing(%d bytes, %d): kind %v", c.bytes, c.n, ws.KindOf(err))
		}
	}
}

func FuzzParseRing(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add(make([]byte, 16), 1)
	f.Add(make([]byte, 31), 2)
	f.Add(bytes.Repeat([]byte{255}, 32), 2)
	f.Add([]byte{}, 1<<60)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		r, err := ParseRing(b, n)
		if (err == nil) != (n >= 0 && n <= MaxLen && len(b) == 16*n) {
			t.Fatalf("%d bytes for %d entries: %v", len(b), n, err)
		}
		if err != nil {
			return
		}
		if again, err := r.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatal("bytes do not come back")
		}
	})
}
