package sum

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// Every set of at least t of n shares gives the secret, and none of t−1 does.
func TestShamir_EverySet(t *testing.T) {
	for n := 1; n <= 7; n++ {
		need := quorum(n)
		a := polynomial([]byte("root"), Digest{byte(n)}, kindSelf, need)
		for set := 1; set < 1<<n; set++ {
			var seats []Seat
			var shares [][]byte
			for s := range n {
				if set>>s&1 == 1 {
					seats = append(seats, Seat(s))
					shares = append(shares, shareOf(a, Seat(s)))
				}
			}
			got, ok := combine(weights(seats), shares)
			if !ok || bytes.Equal(got, a[0].Bytes()) != (len(seats) >= need) {
				t.Errorf("%d of %d shares, %d needed: opened = %v", len(seats), n, need, bytes.Equal(got, a[0].Bytes()))
			}
		}
	}
}

func TestShamir_FarSeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seats := rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, MaxSites-1), func(i int) Seat { return Seat(i) }), 1, 40, rapid.ID[Seat]).Draw(t, "seats")
		a := polynomial(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "root"), Digest{}, kindPair, len(seats))
		var shares [][]byte
		for _, s := range seats {
			shares = append(shares, shareOf(a, s))
		}
		if got, ok := combine(weights(seats), shares); !ok || !bytes.Equal(got, a[0].Bytes()) {
			t.Error("another secret")
		}
	})
}

func TestCombine_NoScalar(t *testing.T) {
	if _, ok := combine(weights([]Seat{3}), [][]byte{bytes.Repeat([]byte{255}, 32)}); ok {
		t.Error("2^256−1 passes for a scalar")
	}
}
