package stat

import (
	"encoding/binary"
	"math"
	"math/bits"

	ws "wellspring"
)

// A Uint128 is a residue mod 2^128; as a signed number it is two's complement.
type Uint128 struct{ Lo, Hi uint64 }

// Add returns a+b mod 2^128.
func (a Uint128) Add(b Uint128) Uint128 {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, c)
	return Uint128{lo, hi}
}

// Sub returns a−b mod 2^128.
func (a Uint128) Sub(b Uint128) Uint128 {
	lo, c := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(a.Hi, b.Hi, c)
	return Uint128{lo, hi}
}

func (a Uint128) negative() bool { return a.Hi>>63 == 1 }

// abs returns |a| of the signed reading of a.
func (a Uint128) abs() Uint128 {
	if a.negative() {
		return Uint128{}.Sub(a)
	}
	return a
}

// int64 returns the signed reading of a, or the end of int64 beyond which it is.
func (a Uint128) int64() int64 {
	switch lo := int64(a.Lo); {
	case int64(a.Hi) == lo>>63: // Hi only repeats the sign
		return lo
	case a.negative():
		return math.MinInt64
	}
	return math.MaxInt64
}

// A Ring is a vector of residues mod 2^128.
type Ring []Uint128

// Add adds o, of the same length, into r.
func (r Ring) Add(o Ring) {
	for i, v := range o {
		r[i] = r[i].Add(v)
	}
}

// Sub subtracts o, of the same length, from r.
func (r Ring) Sub(o Ring) {
	for i, v := range o {
		r[i] = r[i].Sub(v)
	}
}

// AppendBinary appends r as 16 bytes an entry, little-endian.
func (r Ring) AppendBinary(b []byte) ([]byte, error) {
	for _, v := range r {
		b = binary.LittleEndian.AppendUint64(b, v.Lo)
		b = binary.LittleEndian.AppendUint64(b, v.Hi)
	}
	return b, nil
}

// ParseRing reads n entries from exactly 16·n bytes.
func ParseRing(b []byte, n int) (Ring, error) {
	if n < 0 || n > MaxLen || len(b) != 16*n {
		return nil, ws.Errorf(ws.Invalid, "stat.ParseRing",
			ws.T("a vector of %d entries takes %d bytes, got %d", "%d 项的向量应为 %d 字节，实为 %d 字节", n, 16*n, len(b)))
	}
	r := make(Ring, n)
	for i := range r {
		r[i] = Uint128{binary.LittleEndian.Uint64(b[16*i:]), binary.LittleEndian.Uint64(b[16*i+8:])}
	}
	return r, nil
}

// encode returns round(v·2^frac), ties to even. ok is false for NaN, Inf and
// magnitudes of 2^126 or more.
func encode(v float64, frac uint8) (u Uint128, ok bool) {
	if v == 0 {
		return Uint128{}, true
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Uint128{}, false
	}
	m, e := math.Frexp(math.Abs(v)) // |v| = m·2^e, m in [1/2, 1)
	mant := uint64(m * (1 << 53))
	shift := e - 53 + int(frac)
	switch {
	case shift > 126-53:
		return Uint128{}, false
	case shift >= 0:
		u = shiftLeft(mant, uint(shift))
	case shift < -54:
		u = Uint128{}
	default:
		u = Uint128{Lo: roundShift(mant, uint(-shift))}
	}
	if v < 0 {
		u = Uint128{}.Sub(u)
	}
	return u, true
}

func shiftLeft(m uint64, s uint) Uint128 {
	if s >= 64 {
		return Uint128{Hi: m << (s - 64)}
	}
	return Uint128{Lo: m << s, Hi: m >> (64 - s)} // in Go m >> 64 is 0
}

// roundShift returns m/2^s to the nearest integer, ties to even, for s ≥ 1.
func roundShift(m uint64, s uint) uint64 {
	q, rest, half := m>>s, m&(1<<s-1), uint64(1)<<(s-1)
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	return q
}

// decode returns the signed reading of u divided by 2^frac, correctly rounded.
func decode(u Uint128, frac uint8) float64 {
	a := u.abs()
	n := bits.Len64(a.Hi)
	if n > 0 {
		n += 64
	} else {
		n = bits.Len64(a.Lo)
	}
	var m uint64
	drop := n - 64 // keep 64 leading bits; the last one sticky, so that one rounding follows
	switch {
	case drop <= 0:
		m, drop = a.Lo, 0
	case drop == 64:
		m = a.Hi
		if a.Lo != 0 {
			m |= 1
		}
	default:
		m = a.Hi<<(64-uint(drop)) | a.Lo>>uint(drop)
		if a.Lo<<(64-uint(drop)) != 0 {
			m |= 1
		}
	}
	v := math.Ldexp(float64(m), drop-int(frac))
	if u.negative() {
		return -v
	}
	return v
}
