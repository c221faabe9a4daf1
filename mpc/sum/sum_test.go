package sum

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/stat"
)

// The oracle of a round: what must come of it when each site is lost before
// the given phase.
func expected(n int, lost []int) (survivors Set, kind ws.Kind, ok bool) {
	reached := func(phase int) (out Set, count int) {
		out = newSet(n)
		for s, at := range lost {
			if at > phase {
				out.put(Seat(s))
				count++
			}
		}
		return out, count
	}
	survivors, u := reached(inMasked)
	_, v := reached(inVote)
	_, r := reached(inReveal)
	// A share needs ⌊2n/3⌋+1 holders, as do roster, list and certificate.
	if least := 2*n/3 + 1; u < least || v < least || r < least {
		return nil, ws.Unreachable, false
	}
	return survivors, 0, true
}

func checkLosses(t *testing.T, w *world, states [][]byte, lost []int) {
	t.Helper()
	w.back(states)
	pl := w.start(round0(3))
	copy(pl.lost, lost)
	err := pl.all()
	survivors, kind, ok := expected(len(lost), lost)
	switch {
	case !ok:
		wantKind(t, fmt.Sprint("losses ", lost), err, kind)
	case err != nil:
		t.Errorf("losses %v: %v", lost, err)
	case !equal(pl.sum.Ring, pl.want(survivors)) || !bytes.Equal(pl.cert.List.Survivors, survivors):
		t.Errorf("losses %v: not the sum of the survivors' vectors", lost)
	}
}

// Every set of losses in every phase, for 3 to 7 sites, and for 3 and 4 sites
// every mixture of phases.
func TestSum_Losses(t *testing.T) {
	for n := 3; n <= 7; n++ {
		t.Run(fmt.Sprint(n, " sites"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testParams(n), nil)
			states := w.states()
			for phase := inShares; phase < never; phase++ {
				for set := range 1 << n {
					lost := make([]int, n)
					for s := range lost {
						lost[s] = never
						if set>>s&1 == 1 {
							lost[s] = phase
						}
					}
					checkLosses(t, w, states, lost)
				}
			}
			if n > 4 {
				return
			}
			for code := range pow(never+1, n) {
				lost := make([]int, n)
				for s := range lost {
					lost[s], code = code%(never+1), code/(never+1)
				}
				checkLosses(t, w, states, lost)
			}
		})
	}
}

func pow(b, e int) int {
	out := 1
	for range e {
		out *= b
	}
	return out
}

// A site lost in the key phase, at any of its messages, leaves no epoch; the
// others begin another without it, and sum.
func TestSum_KeyPhaseLosses(t *testing.T) {
	for n := 3; n <= 7; n++ {
		w := newWorld(t, testParams(n), nil)
		var adverts []Advert
		var coins []Coin
		var mail []Encaps
		for _, p := range w.party {
			adverts = append(adverts, p.advert)
			coins = append(coins, Coin{From: p.self, Share: p.share})
			mail = append(mail, p.sent...)
		}
		for set := 1; set < 1<<n-1; set++ {
			here := func(s Seat) bool { return set>>s&1 == 0 }
			first := slices.IndexFunc(w.p.Sites, func(m Member) bool { s, _ := w.p.Seat(m.ID); return here(s) })
			p, err := NewParty(w.p, w.p.Sites[first].ID, w.keys[first], History{}, testRand(fmt.Sprint(w.p.Sites[first].ID, w.p.Epoch)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Coin(keep(adverts, func(m Advert) bool { return here(m.From) }))
			wantKind(t, "adverts lost", err, ws.Unreachable)
			_, err = NewEpoch(w.p, adverts, keep(coins, func(m Coin) bool { return here(m.From) }))
			wantKind(t, "coins lost", err, ws.Unreachable)
			if _, err = p.Coin(adverts); err != nil {
				t.Fatal(err)
			}
			if _, err = p.Encaps(w.epoch); err != nil {
				t.Fatal(err)
			}
			if toFirst := keep(mail, func(m Encaps) bool { return m.To == Seat(first) && !here(m.From) }); len(toFirst) > 0 {
				wantKind(t, "encapsulations lost", p.Join(keep(mail, func(m Encaps) bool { return here(m.From) })), ws.Unreachable)
			}
		}
	}
	for n := 4; n <= 7; n++ {
		for lost := range n {
			w := newWorld(t, testParams(n), nil)
			left := newWorld(t, without(w.p, lost), w.close())
			pl := left.start(round0(2)).mustAll()
			if !equal(pl.sum.Ring, pl.want(pl.list.Survivors)) {
				t.Error("not the sum")
			}
		}
	}
}

func keep[M any](list []M, ok func(M) bool) (out []M) {
	for _, m := range list {
		if ok(m) {
			out = append(out, m)
		}
	}
	return out
}

// without is the next epoch's parameters, with some seats left out.
func without(p Params, seats ...int) Params {
	next := p
	next.Epoch++
	next.Sites = nil
	for i, m := range p.Sites {
		if !slices.Contains(seats, i) {
			next.Sites = append(next.Sites, m)
		}
	}
	return next
}

// Every party opens the same sum from its own tally, in any order of messages
// and with some of them twice; and parties restart between any two steps.
func TestSum_Orders(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 7; n++ {
		w := newWorld(t, testParams(n), nil)
		w.restart = true
		r := round0(5)
		for range 2 {
			pl := w.start(r).mustAll()
			orders := 24
			if testing.Short() {
				orders = 6
			}
			for range orders {
				checkOrder(t, pl, rng)
			}
			if pl.sum.Few != (n < 3) {
				t.Errorf("%d sites: Few = %v", n, pl.sum.Few)
			}
			r = pl.accept()
		}
	}
}

func checkOrder(t *testing.T, pl *play, rng *rand.Rand) {
	t.Helper()
	tally := pl.w.epoch.Tally(pl.round)
	var adds []func() error
	for _, m := range pl.shares {
		adds = append(adds, func() error { return tally.AddShares(m) })
	}
	for _, m := range pl.masked {
		adds = append(adds, func() error { return tally.AddMasked(m) })
	}
	adds = append(adds, adds[rng.IntN(len(adds))]) // one comes twice
	rng.Shuffle(len(adds), func(i, j int) { adds[i], adds[j] = adds[j], adds[i] })
	for _, add := range adds {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	votes, reveals := append([]Vote(nil), pl.votes...), append([]Reveal(nil), pl.reveals...)
	rng.Shuffle(len(votes), func(i, j int) { votes[i], votes[j] = votes[j], votes[i] })
	rng.Shuffle(len(reveals), func(i, j int) { reveals[i], reveals[j] = reveals[j], reveals[i] })
	c, err := tally.Certify(pl.list, votes)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := tally.Open(c, append(reveals, reveals[0]))
	if err != nil {
		t.Fatal(err)
	}
	if sum.Digest != pl.sum.Digest || !equal(sum.Ring, pl.want(pl.list.Survivors)) {
		t.Fatal("another order opens another sum")
	}
}

// All 720 orders of the six public messages of three sites.
func TestSum_AllOrdersOfThree(t *testing.T) {
	w := newWorld(t, testParams(3), nil)
	pl := w.start(round0(1)).mustAll()
	permutations(6, func(order []int) {
		tally := w.epoch.Tally(pl.round)
		for _, i := range order {
			var err error
			if i < 3 {
				err = tally.AddShares(pl.shares[i])
			} else {
				err = tally.AddMasked(pl.masked[i-3])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		sum, err := tally.Open(pl.cert, pl.reveals)
		if err != nil || sum.Digest != pl.sum.Digest {
			t.Fatalf("order %v: another sum, error %v", order, err)
		}
	})
}

func permutations(n int, visit func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var place func(int)
	place = func(k int) {
		if k == n {
			visit(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			place(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	place(0)
}

// Asked again, before or after a restart, a party gives the same bytes.
func TestParty_SameBytes(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(9))
	pl.lost[3] = inMasked
	pl.mustAll()
	w.back(w.states())
	for i, p := range w.party[:3] {
		again, pieces, err := p.Share(pl.round)
		if err != nil || !same(again, pl.shares[i]) {
			t.Errorf("seat %d: other shares: %v", i, err)
		}
		for _, m := range pieces {
			if !same(m, find(pl.pieces[m.To], p.self)) {
				t.Errorf("seat %d: another piece", i)
			}
		}
		m, err := p.Mask(pl.roster, pl.pieces[i], append(stat.Ring(nil), pl.x[i]...))
		if err != nil || !same(m, pl.masked[i]) {
			t.Errorf("seat %d: another vector: %v", i, err)
		}
		if v, err := p.Vote(pl.tally, pl.list); err != nil || v != pl.votes[i] {
			t.Errorf("seat %d: another vote: %v", i, err)
		}
		if r, err := p.Reveal(pl.cert); err != nil || !same(r, pl.reveals[i]) {
			t.Errorf("seat %d: another reveal: %v", i, err)
		}
		a, err := p.Accept(pl.sum)
		if b, err2 := p.Accept(pl.sum); err != nil || err2 != nil || a != b {
			t.Errorf("seat %d: another audit: %v, %v", i, err, err2)
		}
	}
}

func find(list []Piece, from Seat) Piece {
	for _, m := range list {
		if m.From == from {
			return m
		}
	}
	return Piece{}
}

// The key phase too survives a restart at any point.
func TestParty_KeyPhaseRestarts(t *testing.T) {
	w := &world{t: t, p: testParams(5)}
	var adverts []Advert
	var coins []Coin
	for _, m := range w.p.Sites {
		w.keys = append(w.keys, testKey(string(m.ID)))
		p, err := NewParty(w.p, m.ID, testKey(string(m.ID)), History{}, testRand(string(m.ID)))
		if err != nil {
			t.Fatal(err)
		}
		w.party = append(w.party, p)
		adverts = append(adverts, p.Advert())
	}
	w.back(w.states())
	for _, p := range w.party {
		c, err := p.Coin(adverts)
		if err != nil {
			t.Fatal(err)
		}
		coins = append(coins, c)
	}
	w.back(w.states())
	e, err := NewEpoch(w.p, adverts, coins)
	if err != nil {
		t.Fatal(err)
	}
	w.epoch = e
	var mail []Encaps
	for i := range w.party {
		out, err := w.party[i].Encaps(e)
		if err != nil {
			t.Fatal(err)
		}
		w.back(append(w.states()[:i+1:i+1], w.states()[i+1:]...))
		again, err := w.party[i].Encaps(e)
		if err != nil || len(again) != len(out) {
			t.Fatal(err)
		}
		for k := range out {
			if !same(out[k], again[k]) {
				t.Error("another encapsulation after a restart")
			}
		}
		mail = append(mail, out...)
	}
	for _, p := range w.party {
		if err := p.Join(mail); err != nil {
			t.Fatal(err)
		}
		if p.seed != (Digest{}) {
			t.Error("the private key outlives the key phase")
		}
	}
	w.back(w.states())
	pl := w.start(round0(2)).mustAll()
	if !equal(pl.sum.Ring, pl.want(pl.list.Survivors)) {
		t.Error("not the sum")
	}
}
