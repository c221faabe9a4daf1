package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"runtime"

	"wellspring/mpc/sum"
	"wellspring/stat"
)

// A lane is what four sites do with their vectors, from numbers to the sum
// that each of them, and the conductor, has added itself.
type lane struct {
	net    *network
	shape  stat.Shape
	values []stat.Vector
}

// provePath times a whole round with masks, and the same round with its masks,
// shares and certificates left out: encoding, hashing, signing, and at each
// site and the conductor parsing, hashing, verifying and adding.
func provePath(_ context.Context, scale float64, r *Report) error {
	const sites, repeats = 4, 7
	n := scaled(1<<20, scale, 1<<12)
	l := &lane{shape: stat.Shape{{Name: "x", Len: n, Frac: 40}}}
	rng := rand.New(rand.NewPCG(1, 2))
	for range sites {
		v := make(stat.Vector, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		l.values = append(l.values, v)
	}
	var masked, plain []float64
	for range repeats {
		var err error
		if l.net, err = newNetwork(sites); err != nil {
			return err
		}
		runtime.GC()
		var a, b stat.Ring
		t, err := timed(func() (err error) { a, err = l.masked(); return err })
		if err != nil {
			return err
		}
		masked = append(masked, t)
		runtime.GC()
		if t, err = timed(func() (err error) { b, err = l.plain(); return err }); err != nil {
			return err
		}
		plain = append(plain, t)
		for i := range a {
			if a[i] != b[i] {
				return errors.New("the masked and the plain path give two sums")
			}
		}
	}
	ratio := median(masked) / median(plain)
	r.Peer = "the same path unmasked, in the same run"
	r.add("elements a site", float64(n), "")
	r.add("masked", median(masked), "s")
	r.add("unmasked", median(plain), "s")
	r.add("masked / unmasked", ratio, "")
	r.Holds = ratio <= 2
	return nil
}

func (l *lane) encode(site int) (stat.Ring, error) {
	x := make(stat.Ring, l.shape.Len())
	return x, l.shape.Encode(x, l.values[site], len(l.values))
}

// masked plays one round, the key phase before it left out, as it is in every
// round of a study but the first.
func (l *lane) masked() (stat.Ring, error) {
	r := firstRound(l.shape.Len())
	roster, shares, pieces, err := l.net.deal(r)
	if err != nil {
		return nil, err
	}
	var wire [][]byte
	for i, p := range l.net.parties {
		x, err := l.encode(i)
		if err != nil {
			return nil, err
		}
		m, err := p.Mask(roster, pieces[i], x)
		if err != nil {
			return nil, err
		}
		b, err := m.MarshalBinary()
		if err != nil {
			return nil, err
		}
		wire = append(wire, b)
	}
	tallies := make([]*sum.Tally, len(l.net.parties)+1) // the conductor's is the last
	for i := range tallies {
		if tallies[i], err = l.net.tally(r, shares, wire); err != nil {
			return nil, err
		}
	}
	return l.net.open(tallies)
}

// tally is one party's own reading of all shares and vectors.
func (w *network) tally(r sum.Round, shares []sum.Shares, wire [][]byte) (*sum.Tally, error) {
	t := w.epoch.Tally(r)
	for _, m := range shares {
		if err := t.AddShares(m); err != nil {
			return nil, err
		}
	}
	if _, err := t.Roster(); err != nil {
		return nil, err
	}
	for _, b := range wire {
		var m sum.Masked
		if err := m.UnmarshalBinary(b); err != nil {
			return nil, err
		}
		if err := t.AddMasked(m); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// open votes, reveals and adds at every tally, and accepts the sum.
func (w *network) open(tallies []*sum.Tally) (stat.Ring, error) {
	conductor := tallies[len(tallies)-1]
	list, err := conductor.List()
	if err != nil {
		return nil, err
	}
	var votes []sum.Vote
	for i, p := range w.parties {
		v, err := p.Vote(tallies[i], list)
		if err != nil {
			return nil, err
		}
		votes = append(votes, v)
	}
	cert, err := conductor.Certify(list, votes)
	if err != nil {
		return nil, err
	}
	var reveals []sum.Reveal
	for _, p := range w.parties {
		m, err := p.Reveal(cert)
		if err != nil {
			return nil, err
		}
		reveals = append(reveals, m)
	}
	var s sum.Sum
	for i, t := range tallies {
		if s, err = t.Open(cert, reveals); err != nil {
			return nil, err
		}
		if i < len(w.parties) {
			if _, err := w.parties[i].Accept(s); err != nil {
				return nil, err
			}
		}
	}
	return s.Ring, nil
}

// plain is the same without masks: a signed vector of each site, which every
// site and the conductor check and add, and a signature on the sum.
func (l *lane) plain() (total stat.Ring, err error) {
	var wire, signatures [][]byte
	for i, key := range l.net.keys {
		x, err := l.encode(i)
		if err != nil {
			return nil, err
		}
		d := sum.VectorDigest(x)
		b, err := x.AppendBinary(make([]byte, 0, 16*len(x)))
		if err != nil {
			return nil, err
		}
		wire, signatures = append(wire, b), append(signatures, ed25519.Sign(key, d[:]))
	}
	for at := range len(l.net.keys) + 1 {
		if total, err = l.add(wire, signatures); err != nil {
			return nil, err
		}
		d := sum.VectorDigest(total)
		if at < len(l.net.keys) {
			ed25519.Sign(l.net.keys[at], d[:])
		}
	}
	return total, nil
}

func (l *lane) add(wire, signatures [][]byte) (stat.Ring, error) {
	total := make(stat.Ring, l.shape.Len())
	for i, b := range wire {
		x, err := stat.ParseRing(b, len(total))
		if err != nil {
			return nil, err
		}
		d := sum.VectorDigest(x)
		if !ed25519.Verify(l.net.params.Sites[i].Key, d[:], signatures[i]) {
			return nil, errors.New("a vector is not signed")
		}
		total.Add(x)
	}
	return total, nil
}
