package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"slices"

	"wellspring/mpc/sum"
	"wellspring/stat"
)

// proveMask times sum.Party.Mask in a network of nine sites and in one of
// three. Both hash and sign one vector; the first adds nine masks to it, the
// second three, so six masks are the difference.
func proveMask(_ context.Context, scale float64, r *Report) error {
	const many, few, repeats = 9, 3, 15
	n := scaled(1<<20, scale, 1<<12)
	wide, err := newMasker(many, n)
	if err != nil {
		return err
	}
	narrow, err := newMasker(few, n)
	if err != nil {
		return err
	}
	x, y := randomRing(1, n), randomRing(2, n)
	var per, add, ctr []float64
	for range repeats {
		a, err := wide.mask(x)
		if err != nil {
			return err
		}
		b, err := narrow.mask(x)
		if err != nil {
			return err
		}
		per = append(per, (a-b)/(many-few))
		t, _ := timed(func() error { y.Add(x); return nil })
		add = append(add, t)
		if t, err = keystream(16 * n); err != nil {
			return err
		}
		ctr = append(ctr, t)
	}
	gb := float64(16*n) / 1e9
	speed := gb / median(per)
	r.Peer = "the limits of this machine in the same run: crypto/aes (AES-256-CTR) and a 128-bit add from memory to memory, one core each"
	r.add("expand a mask and add it", speed, "GB/s")
	r.add("AES-256-CTR alone", gb/median(ctr), "GB/s")
	r.add("128-bit add alone", gb/median(add), "GB/s")
	r.Holds = speed >= 4
	return nil
}

// A masker is one site that can mask the same vector again and again.
type masker struct {
	party  *sum.Party
	roster sum.Roster
	pieces []sum.Piece
}

func newMasker(sites, n int) (*masker, error) {
	w, err := newNetwork(sites)
	if err != nil {
		return nil, err
	}
	roster, _, pieces, err := w.deal(firstRound(n))
	return &masker{w.parties[0], roster, pieces[0]}, err
}

func (m *masker) mask(x stat.Ring) (float64, error) {
	x = slices.Clone(x) // Mask adds in place
	return timed(func() error {
		_, err := m.party.Mask(m.roster, m.pieces, x)
		return err
	})
}

// keystream times n bytes of AES-256-CTR, written over one buffer that stays
// in the cache.
func keystream(n int) (float64, error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return 0, err
	}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	zeros, out := make([]byte, 4096), make([]byte, 4096)
	return timed(func() error {
		for range n / len(out) {
			stream.XORKeyStream(out, zeros)
		}
		return nil
	})
}
