package sum

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	ws "wellspring"
	"wellspring/stat"
)

// A world is every site of a network in one process, and a conductor between
// them. Its methods play the phases; a test bends the messages.
type world struct {
	t       testing.TB
	p       Params
	keys    []ed25519.PrivateKey
	party   []*Party
	epoch   *Epoch
	restart bool // store and read every party back between any two steps
	bytes   []int
	count   []int // messages and bytes that each site sent and received in a round
}

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("ledger key of " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testParams(n int) Params {
	p := Params{Suite: Intl, Chain: "test-1", Protocol: sha256.Sum256([]byte("protocol")), Run: "run-1", Epoch: 1,
		Open: sha256.Sum256([]byte("open")), AllowFew: n < 3}
	for i := range n {
		id := ws.SiteID(fmt.Sprintf("site%04d", i))
		p.Sites = append(p.Sites, Member{ID: id, Key: testKey(string(id)).Public().(ed25519.PublicKey)})
	}
	return p
}

func testRand(label string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(label))) }

// newWorld plays a key phase, with the histories of an earlier epoch, by site.
func newWorld(t testing.TB, p Params, past map[ws.SiteID]History) *world {
	t.Helper()
	w, err := tryWorld(t, p, past)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func tryWorld(t testing.TB, p Params, past map[ws.SiteID]History) (*world, error) {
	w := &world{t: t, p: p}
	var adverts []Advert
	for _, m := range p.Sites {
		key := testKey(string(m.ID))
		party, err := NewParty(p, m.ID, key, past[m.ID], testRand(fmt.Sprint(m.ID, p.Epoch)))
		if err != nil {
			return nil, err
		}
		w.keys, w.party = append(w.keys, key), append(w.party, party)
		adverts = append(adverts, party.Advert())
	}
	return w, w.settle(adverts)
}

func (w *world) settle(adverts []Advert) error {
	var coins []Coin
	for _, p := range w.party {
		c, err := p.Coin(adverts)
		if err != nil {
			return err
		}
		coins = append(coins, c)
	}
	e, err := NewEpoch(w.p, adverts, coins)
	if err != nil {
		return err
	}
	w.epoch = e
	mail := make([][]Encaps, len(w.party))
	for _, p := range w.party {
		out, err := p.Encaps(e)
		if err != nil {
			return err
		}
		for _, m := range out {
			mail[m.To] = append(mail[m.To], m)
		}
	}
	for i, p := range w.party {
		if err := p.Join(mail[i]); err != nil {
			return err
		}
	}
	return nil
}

// states are the parties' states, to which back returns.
func (w *world) states() [][]byte {
	var out [][]byte
	for _, p := range w.party {
		b, err := p.MarshalBinary()
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func (w *world) back(states [][]byte) {
	w.t.Helper()
	for i, b := range states {
		p, err := ParseParty(b, w.keys[i])
		if err != nil {
			w.t.Fatal(err)
		}
		if again, _ := p.MarshalBinary(); !bytes.Equal(again, b) {
			w.t.Fatalf("the state of seat %d changed on the way", i)
		}
		w.party[i] = p
	}
}

func (w *world) maybeRestart() {
	if w.restart {
		w.back(w.states())
	}
}

func (w *world) close() map[ws.SiteID]History {
	out := make(map[ws.SiteID]History)
	for i, p := range w.party {
		out[w.p.Sites[i].ID] = p.Close()
	}
	return out
}

// phases of a round, for the loss of a site before it
const (
	inShares = iota
	inMasked
	inVote
	inReveal
	never
)

// A play is one round so far.
type play struct {
	w       *world
	round   Round
	x       []stat.Ring // never changed
	lost    []int       // by seat: the phase before which it is lost
	shares  []Shares
	pieces  [][]Piece // by receiver
	roster  Roster
	masked  []Masked
	tally   *Tally
	list    List
	votes   []Vote
	cert    Certificate
	reveals []Reveal
	sum     Sum
}

func (w *world) start(r Round) *play {
	x := make([]stat.Ring, len(w.party))
	for i := range x {
		rng := rand.New(testRand(fmt.Sprint("x", i, r.Number, r.Len)))
		for range r.Len {
			x[i] = append(x[i], stat.Uint128{Lo: rng.Uint64(), Hi: rng.Uint64()})
		}
	}
	lost := make([]int, len(w.party))
	for i := range lost {
		lost[i] = never
	}
	w.bytes, w.count = make([]int, len(w.party)), make([]int, len(w.party))
	return &play{w: w, round: r, x: x, lost: lost, tally: w.epoch.Tally(r), pieces: make([][]Piece, len(w.party))}
}

func (pl *play) live(i, phase int) bool { return pl.lost[i] > phase }

// carried counts a message at both ends.
func (pl *play) carried(m message, ends ...Seat) {
	b, err := m.MarshalBinary()
	if err != nil {
		pl.w.t.Fatal(err)
	}
	for _, s := range ends {
		pl.w.bytes[s] += len(b)
		pl.w.count[s]++
	}
}

func (pl *play) share() error {
	for i, p := range pl.w.party {
		if !pl.live(i, inShares) {
			continue
		}
		m, pieces, err := p.Share(pl.round)
		if err != nil {
			return err
		}
		pl.carried(m, m.From)
		pl.shares = append(pl.shares, m)
		for _, piece := range pieces {
			pl.carried(piece, piece.From, piece.To)
			pl.pieces[piece.To] = append(pl.pieces[piece.To], piece)
		}
		if err := pl.tally.AddShares(m); err != nil {
			return err
		}
	}
	pl.w.maybeRestart()
	return nil
}

func (pl *play) mask() (err error) {
	if pl.roster, err = pl.tally.Roster(); err != nil {
		return err
	}
	for i, p := range pl.w.party {
		if !pl.live(i, inMasked) {
			continue
		}
		m, err := p.Mask(pl.roster, pl.pieces[i], append(stat.Ring(nil), pl.x[i]...))
		if err != nil {
			return err
		}
		pl.carried(m, m.From)
		pl.masked = append(pl.masked, m)
		if err := pl.tally.AddMasked(m); err != nil {
			return err
		}
	}
	pl.w.maybeRestart()
	return nil
}

// tallyOf is a site's own tally of all that was sent.
func (pl *play) tallyOf() *Tally {
	t := pl.w.epoch.Tally(pl.round)
	for _, m := range pl.shares {
		if err := t.AddShares(m); err != nil {
			pl.w.t.Fatal(err)
		}
	}
	for _, m := range pl.masked {
		if err := t.AddMasked(m); err != nil {
			pl.w.t.Fatal(err)
		}
	}
	return t
}

func (pl *play) isVoter(i int) bool {
	for _, v := range pl.w.epoch.Voters() {
		if int(v) == i {
			return true
		}
	}
	return false
}

func (pl *play) vote() (err error) {
	if pl.list, err = pl.tally.List(); err != nil {
		return err
	}
	for i, p := range pl.w.party {
		if !pl.live(i, inVote) || !pl.isVoter(i) {
			continue
		}
		v, err := p.Vote(pl.tally, pl.list)
		if err != nil {
			return err
		}
		pl.carried(v, v.From)
		pl.votes = append(pl.votes, v)
	}
	pl.w.maybeRestart()
	return nil
}

func (pl *play) reveal() (err error) {
	if pl.cert, err = pl.tally.Certify(pl.list, pl.votes); err != nil {
		return err
	}
	for i, p := range pl.w.party {
		if !pl.live(i, inReveal) {
			continue
		}
		pl.carried(pl.cert, Seat(i))
		r, err := p.Reveal(pl.cert)
		if err != nil {
			return err
		}
		pl.carried(r, r.From)
		pl.reveals = append(pl.reveals, r)
	}
	pl.w.maybeRestart()
	return nil
}

func (pl *play) open() (err error) {
	pl.sum, err = pl.tally.Open(pl.cert, pl.reveals)
	return err
}

// all plays the whole round up to the conductor's sum.
func (pl *play) all() error {
	for _, phase := range []func() error{pl.share, pl.mask, pl.vote, pl.reveal, pl.open} {
		if err := phase(); err != nil {
			return err
		}
	}
	return nil
}

func (pl *play) mustAll() *play {
	pl.w.t.Helper()
	if err := pl.all(); err != nil {
		pl.w.t.Fatal(err)
	}
	return pl
}

// accept lets every site take the sum, and returns the round that follows.
func (pl *play) accept() Round {
	pl.w.t.Helper()
	for _, p := range pl.w.party {
		if _, err := p.Accept(pl.sum); err != nil {
			pl.w.t.Fatal(err)
		}
	}
	r := pl.round
	return Round{Number: r.Number + 1, State: sha256.Sum256(r.State[:]), Prev: pl.sum.Digest, Len: r.Len}
}

func (pl *play) want(survivors Set) stat.Ring {
	out := make(stat.Ring, pl.round.Len)
	for _, s := range survivors.Seats() {
		out.Add(pl.x[s])
	}
	return out
}

func equal(a, b stat.Ring) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func round0(n int) Round { return Round{State: sha256.Sum256([]byte("state 0")), Len: n} }

func wantKind(t testing.TB, what string, err error, kind ws.Kind) {
	t.Helper()
	if err == nil || ws.KindOf(err) != kind {
		t.Errorf("%s: error %v, want kind %v", what, err, kind)
	}
}
