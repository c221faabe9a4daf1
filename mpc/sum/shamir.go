package sum

import (
	"slices"

	"filippo.io/edwards25519"
)

// Shamir's secret sharing [3] over the integers mod
// ℓ = 2^252 + 27742317777372353535851937790883648493, the scalars of
// edwards25519, whose arithmetic takes the same time for every value.
//
//	f(x) = a₀ + a₁x + … + a_{t−1}x^{t−1},   the share of seat s is f(s+1),
//
// a₀ is the secret, and any t shares give it back:
//
//	a₀ = Σ_s f(s+1) · Π_{m≠s} (m+1)/(m−s).
//
// Cost: a share takes t−1 products; weights take t² and one inversion.
// Leaks: nothing to whoever holds fewer than t shares.

// polynomial derives t uniform coefficients from a site's root secret.
func polynomial(root []byte, round Digest, kind byte, t int) []*edwards25519.Scalar {
	label := "self polynomial"
	if kind == kindPair {
		label = "pair polynomial"
	}
	bytes := derive(root, label, round, 64*t)
	a := make([]*edwards25519.Scalar, t)
	for m := range a {
		a[m] = reduce(bytes[64*m : 64*m+64])
	}
	return a
}

// reduce takes 64 uniform bytes, little-endian, mod ℓ.
func reduce(b []byte) *edwards25519.Scalar {
	s, err := edwards25519.NewScalar().SetUniformBytes(b)
	if err != nil {
		panic(err) // 64 bytes always reduce
	}
	return s
}

func small(v uint32) *edwards25519.Scalar {
	var b [32]byte
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b[:])
	if err != nil {
		panic(err) // 2^32 is under ℓ
	}
	return s
}

// shareOf evaluates f at a seat.
func shareOf(a []*edwards25519.Scalar, s Seat) []byte {
	x := small(uint32(s) + 1)
	f := edwards25519.NewScalar().Set(a[len(a)-1])
	for m := len(a) - 2; m >= 0; m-- {
		f.MultiplyAdd(f, x, a[m])
	}
	return f.Bytes()
}

// weights returns the Lagrange weights at 0 for distinct seats, with one
// inversion for all (Montgomery's trick).
func weights(seats []Seat) []*edwards25519.Scalar {
	n := len(seats)
	x := make([]*edwards25519.Scalar, n)
	for i, s := range seats {
		x[i] = small(uint32(s) + 1)
	}
	den := make([]*edwards25519.Scalar, n)    // x_i times the gaps, for the product of all x is the one numerator
	before := make([]*edwards25519.Scalar, n) // product of the denominators before each
	all, product, gap := small(1), small(1), edwards25519.NewScalar()
	for i := range x {
		all.Multiply(all, x[i])
		den[i] = edwards25519.NewScalar().Set(x[i])
		for m := range x {
			if m != i {
				den[i].Multiply(den[i], gap.Subtract(x[m], x[i]))
			}
		}
		before[i] = edwards25519.NewScalar().Set(product)
		product.Multiply(product, den[i])
	}
	inverse := edwards25519.NewScalar().Invert(product)
	w := make([]*edwards25519.Scalar, n)
	for i := n - 1; i >= 0; i-- {
		w[i] = before[i].Multiply(before[i], inverse)
		w[i].Multiply(w[i], all)
		inverse.Multiply(inverse, den[i])
	}
	return w
}

// combine joins shares under their weights. ok is false if a share is no
// scalar in canonical form.
func combine(w []*edwards25519.Scalar, shares [][]byte) (secret []byte, ok bool) {
	sum := edwards25519.NewScalar()
	for i, b := range shares {
		f, err := edwards25519.NewScalar().SetCanonicalBytes(b)
		if err != nil {
			return nil, false
		}
		sum.MultiplyAdd(w[i], f, sum)
	}
	return sum.Bytes(), true
}

// A weighing keeps the last weights: in a complete graph every site's shares
// come from the same holders.
type weighing struct {
	seats []Seat
	w     []*edwards25519.Scalar
}

func (c *weighing) of(seats []Seat) []*edwards25519.Scalar {
	if !slices.Equal(c.seats, seats) {
		c.seats, c.w = seats, weights(seats)
	}
	return c.w
}
