package sum

import (
	"crypto/aes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/big"
	"testing"

	"wellspring/stat"
)

// keystream entry by entry, in big integers
func slowMask(seed []byte, n int) []*big.Int {
	block, _ := aes.NewCipher(seed)
	out := make([]*big.Int, n)
	for i := range out {
		counter := make([]byte, 16)
		big.NewInt(int64(i)).FillBytes(counter)
		b := make([]byte, 16)
		block.Encrypt(b, counter)
		for k := range 8 { // little-endian
			b[k], b[15-k] = b[15-k], b[k]
		}
		out[i] = new(big.Int).SetBytes(b)
	}
	return out
}

func bigOf(u stat.Uint128) *big.Int {
	v := new(big.Int).SetUint64(u.Hi)
	return v.Add(v.Lsh(v, 64), new(big.Int).SetUint64(u.Lo))
}

// Masks equal the definition, at every length about the block and the chunk.
func TestAccumulate(t *testing.T) {
	mod := new(big.Int).Lsh(big.NewInt(1), 128)
	seed1, seed2 := hash("a"), hash("b")
	for _, n := range []int{0, 1, 3, 4, 5, 7, 8, chunk/16 - 1, chunk / 16, chunk/16 + 1, chunk/8 + 3} {
		v, o := make(stat.Ring, n), make(stat.Ring, n)
		for i := range v {
			v[i], o[i] = stat.Uint128{Lo: ^uint64(i), Hi: uint64(i)}, stat.Uint128{Lo: uint64(i) << 60, Hi: ^uint64(i)}
		}
		want := make([]*big.Int, n)
		plus, minus := slowMask(seed1[:], n), slowMask(seed2[:], n)
		for i := range want {
			w := new(big.Int).Add(bigOf(v[i]), bigOf(o[i]))
			want[i] = w.Mod(w.Sub(w.Add(w, plus[i]), minus[i]), mod)
		}
		accumulate(v, []stat.Ring{o}, []mask{expand(seed1[:], false), expand(seed2[:], true)})
		for i := range want {
			if bigOf(v[i]).Cmp(want[i]) != 0 {
				t.Fatalf("%d entries: entry %d is wrong", n, i)
			}
		}
	}
}

func TestVectorDigest(t *testing.T) {
	for _, n := range []int{0, 1, chunk / 16, chunk/16 + 1} {
		v := make(stat.Ring, n)
		accumulate(v, nil, []mask{expand(make([]byte, 32), false)})
		b, _ := v.AppendBinary(nil)
		if VectorDigest(v) != sha256.Sum256(b) {
			t.Errorf("%d entries: not the SHA-256 of the bytes", n)
		}
	}
}

// BenchmarkMask expands one mask and adds it: the number to watch is B/s.
func BenchmarkMask(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 14, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			v := make(stat.Ring, n)
			seed := hash("benchmark")
			b.SetBytes(int64(16 * n))
			for b.Loop() {
				accumulate(v, nil, []mask{expand(seed[:], false)})
			}
		})
	}
}

// BenchmarkPath compares what four sites do with 2^20 entries each: sign, and
// check and add all four; masked, and as it would be in the clear.
func BenchmarkPath(b *testing.B) {
	const n = 1 << 20
	p := testParams(4)
	x := make([]stat.Ring, 4)
	for i := range x {
		x[i] = make(stat.Ring, n)
	}
	b.Run("masked", func(b *testing.B) {
		w := newWorld(b, p, nil)
		states := w.states()
		b.SetBytes(4 * 16 * n)
		for b.Loop() {
			w.back(states)
			maskedPath(b, w, x)
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(4 * 16 * n)
		for b.Loop() {
			plainPath(b, p, x)
		}
	})
}

func maskedPath(b *testing.B, w *world, x []stat.Ring) {
	pl := &play{w: w, round: round0(len(x[0])), lost: []int{never, never, never, never}, pieces: make([][]Piece, 4)}
	pl.tally = w.epoch.Tally(pl.round)
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	w.bytes, w.count = make([]int, 4), make([]int, 4)
	fail(pl.share())
	roster, err := pl.tally.Roster()
	fail(err)
	for i, p := range w.party {
		m, err := p.Mask(roster, pl.pieces[i], x[i])
		fail(err)
		pl.masked = append(pl.masked, m)
	}
	tallies := make([]*Tally, 4)
	for i := range tallies {
		tallies[i] = pl.tallyOf()
	}
	tallies[0].roster = &roster
	l, err := tallies[0].List()
	fail(err)
	for i, p := range w.party {
		v, err := p.Vote(tallies[i], l)
		fail(err)
		pl.votes = append(pl.votes, v)
	}
	c, err := tallies[0].Certify(l, pl.votes)
	fail(err)
	for _, p := range w.party {
		r, err := p.Reveal(c)
		fail(err)
		pl.reveals = append(pl.reveals, r)
	}
	for i, p := range w.party {
		sum, err := tallies[i].Open(c, pl.reveals)
		fail(err)
		_, err = p.Accept(sum)
		fail(err)
	}
}

func plainPath(b *testing.B, p Params, x []stat.Ring) {
	sigs := make([][]byte, 4)
	for i := range x {
		d := VectorDigest(x[i])
		sigs[i] = ed25519.Sign(testKey(string(p.Sites[i].ID)), d[:])
	}
	for range x {
		total := make(stat.Ring, len(x[0]))
		for i := range x {
			if d := VectorDigest(x[i]); !ed25519.Verify(p.Sites[i].Key, d[:], sigs[i]) {
				b.Fatal("a bad signature")
			}
		}
		accumulate(total, x, nil)
		VectorDigest(total)
	}
}

// BenchmarkRound is one round of many sites with short vectors.
func BenchmarkRound(b *testing.B) {
	for _, n := range []int{32, 160} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, testParams(n), nil)
			states := w.states()
			for b.Loop() {
				b.StopTimer()
				w.back(states)
				pl := w.start(round0(600))
				b.StartTimer()
				pl.mustAll()
			}
		})
	}
}
