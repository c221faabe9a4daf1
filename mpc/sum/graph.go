package sum

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"slices"
)

// complete is the largest network in which every two sites share a mask.
const complete = 33

// A bracket gives a size that suffices for every network up to a number of sites.
type bracket struct{ sites, size int }

// degrees gives k, the number of neighbours of a site in a network of more
// than [complete] sites, of which γ = 1/10 may be corrupt and δ = 1/10 may be
// lost. It is the least even k ≥ 32 with
//
//	(n + n(n−1)/2)·(P[H ≥ T] + P[H > k−T]) ≤ 2^−41,  T = k/2+1,
//
// where H is the number of corrupt (or lost) sites among k drawn from n: there
// are n neighbourhoods in which T corrupt holders could join a secret, or
// fewer than T are left to do so, and at most n(n−1)/2 pairs of disjoint
// stretches of k/2 places whose loss would cut the circle (see [ring]).
// A test recomputes the table in integers.
var degrees = []bracket{{159, 32}, {169, 34}, {179, 36}, {189, 38}, {199, 40}, {219, 42}, {239, 44}, {259, 46}, {279, 48},
	{309, 50}, {339, 52}, {379, 54}, {429, 56}, {479, 58}, {549, 60}, {629, 62}, {729, 64}, {849, 66}, {1009, 68}, {MaxSites, 70}}

// benches gives a, the number of voters (who also audit) in such a network:
// the least multiple of three, at least 33, with
//
//	P[H ≥ ⌈a/3⌉] + P[H > a−Q] ≤ 2^−41,  Q = ⌊2a/3⌋+1,
//
// so that no two lists find a quorum Q, and a quorum is left.
var benches = []bracket{{109, 33}, {119, 36}, {129, 39}, {139, 42}, {149, 45}, {159, 48}, {169, 51}, {179, 54}, {189, 57},
	{199, 60}, {209, 63}, {229, 66}, {239, 69}, {259, 72}, {279, 75}, {309, 78}, {329, 81}, {359, 84}, {399, 87}, {429, 90},
	{479, 93}, {529, 96}, {589, 99}, {659, 102}, {749, 105}, {859, 108}, {999, 111}, {MaxSites, 114}}

func lookup(table []bracket, n int) int {
	for _, b := range table {
		if n <= b.sites {
			return b.size
		}
	}
	return table[len(table)-1].size
}

// quorum is ⌊2n/3⌋+1: two quorums share an honest member while fewer than a
// third are corrupt.
func quorum(n int) int { return 2*n/3 + 1 }

// sizes of a network of n sites: neighbours of a site, shares that open one of
// its secrets, and voters.
func sizes(n int) (k, t, voters int) {
	if n <= complete {
		return n - 1, quorum(n), n
	}
	k = lookup(degrees, n)
	return k, k/2 + 1, lookup(benches, n)
}

// corrupt is the number of corrupt sites that a network of n is built for.
func corrupt(n int) int {
	if n <= complete {
		return (n+2)/3 - 1
	}
	return n / 10
}

// carry is the number of sites of a network of n who must have revealed
// nothing, and never will, for its sums to stay closed for ever: then at most
// R = n − carry + corrupt reveal, which is too few to open the secrets of the
// quorum that every sum has.
func carry(n int) int {
	k, t, _ := sizes(n)
	for fresh := range n {
		r := n - fresh + corrupt(n)
		if r < t || n > complete && r*(k+1) < t*quorum(n) {
			return fresh
		}
	}
	return n
}

// A ring is the neighbour graph: the sites in a circle, in an order that the
// coin draws, each bound to the k/2 before and the k/2 after it (Bell et al.
// [2], section 3). Removing sites cuts such a circle only if two disjoint
// stretches of k/2 places each lose every site.
type ring struct {
	order      []Seat // place to seat
	place      []int  // seat to place
	k          int
	neighbours [][]Seat // by seat, ascending
}

func newRing(n int, coin Digest) *ring {
	k, _, _ := sizes(n)
	g := &ring{order: permute(n, coin), place: make([]int, n), k: k, neighbours: make([][]Seat, n)}
	for at, s := range g.order {
		g.place[s] = at
	}
	for s := range n {
		g.neighbours[s] = g.around(Seat(s))
	}
	return g
}

func (g *ring) around(s Seat) []Seat {
	n := len(g.order)
	out := make([]Seat, 0, g.k)
	if n <= complete {
		for o := range n {
			if Seat(o) != s {
				out = append(out, Seat(o))
			}
		}
		return out
	}
	for step := 1; step <= g.k/2; step++ {
		out = append(out, g.order[(g.place[s]+step)%n], g.order[(g.place[s]-step+n)%n])
	}
	slices.Sort(out)
	return out
}

// permute draws an order of n seats: Fisher–Yates from the last place down,
// each index from 32-bit big-endian words of AES-256-CTR under the coin,
// skipping words past the greatest multiple of the number of choices.
func permute(n int, coin Digest) []Seat {
	block, err := aes.NewCipher(coin[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	order := make([]Seat, n)
	for i := range order {
		order[i] = Seat(i)
	}
	for i := n - 1; i > 0; i-- {
		j := draw(stream, uint32(i+1))
		order[i], order[j] = order[j], order[i]
	}
	return order
}

func draw(stream cipher.Stream, choices uint32) uint32 {
	limit := (1 << 32) / uint64(choices) * uint64(choices)
	for {
		var word [4]byte
		stream.XORKeyStream(word[:], word[:])
		if w := binary.BigEndian.Uint32(word[:]); uint64(w) < limit {
			return w % choices
		}
	}
}

// holds reports whether the sites of u stay bound together whoever among them
// is corrupt: any two disjoint stretches of k/2 places hold at least T = k/2+1
// sites of u, of whom, but for 2^−40, one is honest. A conductor chooses whom
// it calls lost, and would else cut a few sites out and read their sum.
func (g *ring) holds(u Set) bool {
	n, h := len(g.order), g.k/2
	if n <= complete {
		return true
	}
	in := make([]int, n) // sites of u in the h places from each place on
	for at := range n {
		for step := range h {
			if u.Has(g.order[(at+step)%n]) {
				in[at]++
			}
		}
	}
	for a := range n {
		for b := a + h; b <= n-h+a && b < n; b++ {
			if in[a]+in[b] < h+1 {
				return false
			}
		}
	}
	return true
}
