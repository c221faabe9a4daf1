package stat

import (
	"math"
	"math/bits"
	"slices"

	ws "wellspring"
)

// A Block is a named stretch of a vector.
type Block struct {
	Name string `json:"name"`
	Len  int    `json:"len"`
	// Frac is the number of fraction bits, 0 for counts and at most 120.
	Frac uint8 `json:"frac,omitempty"`
	// BySite says that entry i is site i's alone: policy judges it as a
	// release by one site.
	BySite bool `json:"by_site,omitempty"`
	// Presence says that entry i counts institutions: the runtime replaces the
	// total of the one site that speaks for its institution by 1 if it is above
	// 0, else by 0, and that of every other site by 0. Frac is then 0.
	Presence bool `json:"presence,omitempty"`
	// Flag says that entry i counts sites, any of them: 1 where a site's own
	// total is above 0, else 0. It carries what all must hear, such as a point
	// that is out of range; limits never rest on it. Frac is then 0.
	Flag bool `json:"flag,omitempty"`
	// Basis[i] is the number of persons behind entry i, from a sum that was
	// opened earlier. It is nil only for counts, presence and flags.
	Basis []int64 `json:"basis,omitempty"`
}

// A Shape says what a vector holds, block after block.
type Shape []Block

// MaxLen bounds a vector, in entries: 2^26 entries are 1 GiB on the wire.
const MaxLen = 1 << 26

// Len is the number of entries of a vector of this shape.
func (s Shape) Len() int {
	n := 0
	for _, b := range s {
		n += b.Len
	}
	return n
}

// Validate refuses a shape that could not be folded, summed or judged.
func (s Shape) Validate() error {
	seen := make(map[string]bool, len(s))
	total := 0
	for _, b := range s {
		switch {
		case b.Name == "" || seen[b.Name]:
			return bad(b.Name, ws.T("a block needs a name of its own", "每个块都须有唯一的名称"))
		case b.Len < 0:
			return bad(b.Name, ws.T("a negative number of entries", "块的项数为负"))
		case b.Len > MaxLen-total: // not total+b.Len, which could wrap
			return bad(b.Name, ws.T("the vector would have more than %d entries", "向量将超过 %d 项", MaxLen))
		case b.Frac > 120:
			return bad(b.Name, ws.T("more than 120 fraction bits", "小数位超过 120 位"))
		case b.Basis != nil && len(b.Basis) != b.Len:
			return bad(b.Name, ws.T("basis and block differ in length", "基数与块的长度不一致"))
		case b.Basis == nil && b.Frac != 0 && b.Len > 0:
			return bad(b.Name, ws.T("only counts may lack a basis", "只有计数块可以没有基数"))
		case b.Presence && b.Flag:
			return bad(b.Name, ws.T("a block counts institutions or sites, not both", "一个块只能统计机构数或站点数之一"))
		case (b.Presence || b.Flag) && b.Frac != 0:
			return bad(b.Name, ws.T("a block that counts institutions or sites has no fraction bits", "统计机构数或站点数的块不能有小数位"))
		case slices.ContainsFunc(b.Basis, func(n int64) bool { return n < 0 }):
			return bad(b.Name, ws.T("a basis is negative", "基数为负"))
		}
		seen[b.Name] = true
		total += b.Len
	}
	return nil
}

func bad(name string, msg ws.Text) error {
	return ws.Errorf(ws.Invalid, "stat: block "+name, msg)
}

// FracFor returns the most fraction bits with which rows entries of magnitude
// up to bound can be added over 1,024 sites without reaching the limit of
// Encode, leaving 4 bits of slack; at most 100, at least 0. It is 0 for a bound
// that is NaN or Inf, and Encode then judges the vector itself.
func FracFor(bound float64, rows int64) uint8 {
	if math.IsNaN(bound) || math.IsInf(bound, 0) {
		return 0
	}
	_, e := math.Frexp(math.Max(bound, math.SmallestNonzeroFloat64)) // bound < 2^e
	free := 126 - 10 - 4 - e - bits.Len64(uint64(max(rows, 1)))
	return uint8(min(max(free, 0), 100))
}

// Repeat returns n copies of v, for the Basis of a block whose entries all
// rest on the same rows.
func Repeat(v int64, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = v
	}
	return out
}
