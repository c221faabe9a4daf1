package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	mrand "math/rand/v2"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/stat"
)

// A network is the parties of one epoch, their key phase done.
type network struct {
	params  sum.Params
	keys    []ed25519.PrivateKey
	parties []*sum.Party
	epoch   *sum.Epoch
}

func newNetwork(n int) (*network, error) {
	w := &network{params: sum.Params{Suite: sum.Intl, Chain: "bench", Run: "bench", Epoch: 1, AllowFew: n < 3}}
	for i := range n {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		w.keys = append(w.keys, private)
		w.params.Sites = append(w.params.Sites, sum.Member{ID: ws.SiteID(fmt.Sprintf("site-%04d", i)), Key: public})
	}
	var adverts []sum.Advert
	for i, m := range w.params.Sites {
		p, err := sum.NewParty(w.params, m.ID, w.keys[i], sum.History{}, rand.Reader)
		if err != nil {
			return nil, err
		}
		w.parties = append(w.parties, p)
		adverts = append(adverts, p.Advert())
	}
	return w, w.settle(adverts)
}

// settle plays the coin and the secrets between neighbours.
func (w *network) settle(adverts []sum.Advert) error {
	var coins []sum.Coin
	for _, p := range w.parties {
		c, err := p.Coin(adverts)
		if err != nil {
			return err
		}
		coins = append(coins, c)
	}
	var err error
	if w.epoch, err = sum.NewEpoch(w.params, adverts, coins); err != nil {
		return err
	}
	mail := make([][]sum.Encaps, len(w.parties))
	for _, p := range w.parties {
		sent, err := p.Encaps(w.epoch)
		if err != nil {
			return err
		}
		for _, m := range sent {
			mail[m.To] = append(mail[m.To], m)
		}
	}
	for i, p := range w.parties {
		if err := p.Join(mail[i]); err != nil {
			return err
		}
	}
	return nil
}

// firstRound asks for a vector of n entries.
func firstRound(n int) sum.Round {
	return sum.Round{State: sha256.Sum256([]byte("the state that is asked")), Len: n}
}

// randomRing is a vector of n uniform entries.
func randomRing(seed uint64, n int) stat.Ring {
	r := mrand.New(mrand.NewPCG(seed, 1))
	v := make(stat.Ring, n)
	for i := range v {
		v[i] = stat.Uint128{Lo: r.Uint64(), Hi: r.Uint64()}
	}
	return v
}

// deal lets every site share for a round: the roster, the public shares, and
// the pieces by receiver.
func (w *network) deal(r sum.Round) (roster sum.Roster, shares []sum.Shares, pieces [][]sum.Piece, err error) {
	tally := w.epoch.Tally(r)
	pieces = make([][]sum.Piece, len(w.parties))
	for _, p := range w.parties {
		m, sealed, err := p.Share(r)
		if err != nil {
			return roster, nil, nil, err
		}
		if err := tally.AddShares(m); err != nil {
			return roster, nil, nil, err
		}
		shares = append(shares, m)
		for _, piece := range sealed {
			pieces[piece.To] = append(pieces[piece.To], piece)
		}
	}
	roster, err = tally.Roster()
	return roster, shares, pieces, err
}
