package stat

import (
	"math/bits"

	ws "wellspring"
)

// A Vector is what one run of rows was folded into, block after block in the
// order of its shape.
type Vector []float64

// Encode adds v to into, a site's running total, for a sum over the given
// number of sites. It refuses NaN, Inf, and a total whose magnitude reaches
// 2^(126−⌈log2 sites⌉), and names the block, never a value; into is then of
// no use.
func (s Shape) Encode(into Ring, v Vector, sites int) error {
	if len(v) != s.Len() || len(into) != len(v) {
		return ws.Errorf(ws.Other, "stat.Encode", ws.T("vector and shape differ in length", "向量与形状长度不一致"))
	}
	limit := Uint128{Hi: 1 << (62 - uint(bits.Len(uint(max(sites, 1)-1))))} // 2^(126−⌈log2 sites⌉)
	i := 0
	for _, b := range s {
		for range b.Len {
			u, ok := encode(v[i], b.Frac)
			if ok {
				into[i] = into[i].Add(u)
				ok = into[i].abs().Hi < limit.Hi
			}
			if !ok {
				return overflow(b.Name)
			}
			i++
		}
	}
	return nil
}

func overflow(block string) error {
	return ws.Errorf(ws.Invalid, "stat: block "+block,
		ws.T("a sum is not finite or too large for the ring, so it could wrap unseen", "某个和不是有限数，或超出环的范围，可能在掩码下溢出而无法察觉")).
		WithHint(ws.T("check the ranges in the dictionary, and terms such as log(0) or products of large columns",
			"请检查字典中的取值范围，以及 log(0)、大数值列相乘之类的项"))
}

// MarkPresence replaces, in the blocks that count institutions or sites, a
// site's own totals by 1 where they are above 0 and by 0 elsewhere. Of those
// that count institutions it leaves nothing where the site does not speak for
// its own, so that no institution is counted twice.
func (s Shape) MarkPresence(r Ring, speaks bool) {
	i := 0
	for _, b := range s {
		for range b.Len {
			if b.Presence || b.Flag {
				if (b.Flag || speaks) && (r[i] != Uint128{}) && !r[i].negative() {
					r[i] = Uint128{Lo: 1}
				} else {
					r[i] = Uint128{}
				}
			}
			i++
		}
	}
}

// Suppress puts zero where an entry rests on 1 to k−1 persons, so that it is
// never part of a sum, and returns how many entries that were. The basis is
// public, so all sites suppress the same ones.
func (s Shape) Suppress(r Ring, k int64) int {
	i, hidden := 0, 0
	for _, b := range s {
		for j := range b.Len {
			if b.Basis != nil && b.Basis[j] > 0 && b.Basis[j] < k {
				r[i] = Uint128{}
				hidden++
			}
			i++
		}
	}
	return hidden
}

// A Sum is the opened total over all sites, with its shape.
type Sum struct {
	Shape Shape
	Ring  Ring
	Sites int // how many sites it covers
}

// Reals returns a block's entries as numbers, each rounded once; nil if there
// is no such block.
func (s Sum) Reals(block string) []float64 {
	b, r := s.find(block)
	if r == nil {
		return nil
	}
	out := make([]float64, len(r))
	for i, u := range r {
		out[i] = decode(u, b.Frac)
	}
	return out
}

// Counts returns a block's entries as integers; nil if there is no such block.
// What int64 cannot hold, which no honest count reaches, becomes its end.
func (s Sum) Counts(block string) []int64 {
	_, r := s.find(block)
	if r == nil {
		return nil
	}
	out := make([]int64, len(r))
	for i, u := range r {
		out[i] = u.int64()
	}
	return out
}

func (s Sum) find(block string) (Block, Ring) {
	i := 0
	for _, b := range s.Shape {
		if b.Name == block {
			return b, s.Ring[i : i+b.Len]
		}
		i += b.Len
	}
	return Block{}, nil
}

// Part returns the stretch of s that the given sub-shape, whose blocks stand in
// s under names with the prefix, covers: it undoes [Prefixed].
func (s Sum) Part(prefix string) Sum {
	out := Sum{Sites: s.Sites}
	i := 0
	for _, b := range s.Shape {
		if len(b.Name) > len(prefix) && b.Name[:len(prefix)] == prefix {
			c := b
			c.Name = b.Name[len(prefix):]
			out.Shape = append(out.Shape, c)
			out.Ring = append(out.Ring, s.Ring[i:i+b.Len]...)
		}
		i += b.Len
	}
	return out
}

// Prefixed returns s with a prefix before every block's name.
func (s Shape) Prefixed(prefix string) Shape {
	out := make(Shape, len(s))
	for i, b := range s {
		b.Name = prefix + b.Name
		out[i] = b
	}
	return out
}
