package sum

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/stat"
)

// The conductor of these tests lies, and may have corrupt sites on its side.
// Each lie meets an honest party that refuses it, with the right kind.

func TestAttack_SumPlusDelta(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3)).mustAll()

	// a vector changed on its way
	y := pl.masked[1]
	y.Vector = slices.Clone(y.Vector)
	y.Vector[2] = y.Vector[2].Add(stat.Uint128{Lo: 1})
	wantKind(t, "vector plus δ", w.epoch.Tally(pl.round).AddMasked(y), ws.Denied)

	// a false sum: each site has opened its own, and takes no state that follows from another
	next := pl.accept()
	lie := slices.Clone(pl.sum.Ring)
	lie[0] = lie[0].Add(stat.Uint128{Lo: 1})
	next.Prev = w.epoch.newSum(pl.round, pl.list, lie).Digest
	for _, p := range w.party {
		_, _, err := p.Share(next)
		wantKind(t, "sum plus δ", err, ws.Diverged)
	}
}

func TestAttack_VectorLeftOut(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	must(t, pl.share(), pl.mask())

	// named as lost while its vector is here
	l := List{Round: pl.tally.digest, Roster: pl.roster.Sites, Survivors: setOf(4, 0, 1, 2)}
	short := pl.tallyOf()
	short.masked[3] = nil
	l.Bodies = short.bodies(l)
	for i, p := range w.party {
		_, err := p.Vote(pl.tallyOf(), l)
		wantKind(t, fmt.Sprint("left out, seat ", i), err, ws.Denied)
	}

	// named as there, and not added: the sum's digest is another than the sites'
	must(t, pl.vote(), pl.reveal(), pl.open())
	lie := make(stat.Ring, 3)
	for _, x := range pl.x[:3] {
		lie.Add(x)
	}
	next := pl.accept()
	next.Prev = w.epoch.newSum(pl.round, pl.list, lie).Digest
	_, _, err := w.party[0].Share(next)
	wantKind(t, "not added", err, ws.Diverged)
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func setOf(n int, seats ...Seat) Set {
	out := newSet(n)
	for _, s := range seats {
		out.put(s)
	}
	return out
}

// twoLists makes two lists of one round that both look right: in the second,
// the vector of the last site is kept from the voters.
func twoLists(pl *play) (full, less List, lessTally *Tally) {
	n := len(pl.w.party)
	lessTally = pl.w.epoch.Tally(pl.round)
	for _, m := range pl.shares {
		must(pl.w.t.(*testing.T), lessTally.AddShares(m))
	}
	for _, m := range pl.masked[:n-1] {
		must(pl.w.t.(*testing.T), lessTally.AddMasked(m))
	}
	full, err := pl.tally.List()
	must(pl.w.t.(*testing.T), err)
	less = List{Round: full.Round, Roster: full.Roster, Survivors: newSet(n)}
	for s := range n - 1 {
		less.Survivors.put(Seat(s))
	}
	less.Bodies = lessTally.bodies(less)
	return full, less, lessTally
}

func TestAttack_TwoLists(t *testing.T) {
	for n := 4; n <= 7; n++ {
		for _, restart := range []bool{false, true} {
			w := newWorld(t, testParams(n), nil)
			w.restart = restart
			pl := w.start(round0(3))
			must(t, pl.share(), pl.mask())
			_, less, tally := twoLists(pl)
			must(t, pl.vote())
			for _, p := range w.party[:n-1] {
				_, err := p.Vote(tally, less)
				wantKind(t, "second vote", err, ws.Diverged)
			}
			must(t, pl.reveal())

			// even with a certificate that corrupt voters forged together
			c := Certificate{List: less}
			for s := range n - 1 {
				c.Votes = append(c.Votes, w.forgedVote(Seat(s), less))
			}
			for _, p := range w.party[:n-1] {
				_, err := p.Reveal(c)
				wantKind(t, "both kinds of share", err, ws.Diverged)
			}
			_, err := tally.Open(c, pl.reveals)
			wantKind(t, "reveals of another list", err, ws.Unreachable)
			must(t, pl.open())
			_, err = pl.tally.Open(c, pl.reveals)
			wantKind(t, "a round opened twice", err, ws.Diverged)
		}
	}
}

func (w *world) forgedVote(s Seat, l List) Vote {
	d := w.epoch.voteSigned(l.Digest())
	v := Vote{From: s, List: l.Digest()}
	sig, err := w.keys[s].Sign(nil, d[:], crypto.Hash(0))
	must(w.t.(*testing.T), err)
	copy(v.Sig[:], sig)
	return v
}

// No split of the honest voters lets two lists find a quorum, with fewer than
// a third corrupt voters voting for both; for every n to 33 and bench.
func TestQuorum_OneList(t *testing.T) {
	for n := 1; n <= MaxSites; n++ {
		_, _, a := sizes(n)
		bad := (a+2)/3 - 1
		if 2*quorum(a)-a <= bad {
			t.Errorf("%d sites: two lists may find a quorum", n)
		}
		if n <= complete && corrupt(n) != bad {
			t.Errorf("%d sites: corrupt = %d, want %d", n, corrupt(n), bad)
		}
	}
}

func TestAttack_Certificate(t *testing.T) {
	w := newWorld(t, testParams(5), nil)
	pl := w.start(round0(3))
	must(t, pl.share(), pl.mask(), pl.vote())
	good, err := pl.tally.Certify(pl.list, pl.votes)
	must(t, err)

	few := good
	few.Votes = good.Votes[:3]
	twice := few
	twice.Votes = append(slices.Clone(few.Votes), few.Votes[0], few.Votes[0])
	forged := good
	forged.Votes = slices.Clone(good.Votes)
	forged.Votes[0].Sig[5] ^= 1
	swapped := good
	swapped.List.Bodies[0] ^= 1
	other := good
	other.List.Round[0] ^= 1
	elsewhere := good
	elsewhere.Votes = slices.Clone(good.Votes)
	elsewhere.Votes[0].List[0] ^= 1
	stranger := good
	stranger.Votes = append(slices.Clone(good.Votes), Vote{From: 77, List: good.Votes[0].List})
	for _, c := range []struct {
		what string
		cert Certificate
		kind ws.Kind
	}{
		{"few votes", few, ws.Unreachable}, {"a vote counted three times", twice, ws.Unreachable},
		{"a forged vote", forged, ws.Denied}, {"no votes", Certificate{List: pl.list}, ws.Unreachable},
		{"a vote for another list", elsewhere, ws.Diverged}, {"a vote from no seat", stranger, ws.Denied},
		{"another list", swapped, ws.Diverged}, {"another round", other, ws.Diverged},
	} {
		for _, p := range w.party {
			_, err := p.Reveal(c.cert)
			wantKind(t, c.what, err, c.kind)
			if p.history.opened != nil {
				t.Fatalf("%s: the party thinks it revealed", c.what)
			}
		}
	}
}

// Public shares of a lost site, forged by the site itself or on their way: the
// round is never opened to anything but the sum.
func TestAttack_ForgedShares(t *testing.T) {
	for what, bend := range map[string]func(*Shares, []byte){
		"table": func(m *Shares, _ []byte) { m.Table[1] ^= 1 },
		"seed": func(m *Shares, k []byte) {
			key := derive(k, "table", m.Round, 32, 3)
			table, _ := unseal(key, m.Table)
			table[40] ^= 1
			m.Table = seal(key, table)
		},
		"secret": func(m *Shares, _ []byte) { m.Pair[0] ^= 1 },
		"shares": func(m *Shares, _ []byte) { m.Holders[0].Pair[0] ^= 1 },
	} {
		w := newWorld(t, testParams(4), nil)
		pl := w.start(round0(3))
		pl.lost[3] = inMasked
		honest := w.epoch.Tally(pl.round)
		must(t, pl.share())
		for _, m := range pl.shares {
			must(t, honest.AddShares(m))
		}
		f := pl.shares[3]
		f.Table, f.Holders = slices.Clone(f.Table), slices.Clone(f.Holders)
		bend(&f, polynomial(w.party[3].root[:], f.Round, kindPair, w.epoch.t)[0].Bytes())
		pl.tally.shares[3] = &entry[Shares]{f, f.Digest()}
		must(t, pl.mask())
		for _, m := range pl.masked {
			must(t, honest.AddMasked(m))
		}
		fork := newFork(t, w, 0)
		fork.turn = w.party[0].turn
		must(t, pl.vote())
		_, err := fork.Vote(honest, pl.list)
		wantKind(t, what+": a voter that has the honest ones", err, ws.Diverged)
		must(t, pl.reveal())
		kind := ws.Diverged
		if what == "shares" {
			kind = ws.Unreachable
		}
		wantKind(t, what, pl.open(), kind)
	}
}

// A survivor's shares are those that it signed with its vector; and it signs
// one vector.
func TestAttack_SurvivorForged(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	must(t, pl.share(), pl.mask())
	f := pl.shares[2]
	f.Self[0] ^= 1
	pl.tally.shares[2] = &entry[Shares]{f, f.Digest()}
	l := List{Round: pl.tally.digest, Roster: pl.roster.Sites, Survivors: pl.roster.Sites}
	l.Bodies = pl.tally.bodies(l)
	_, err := w.party[0].Vote(pl.tally, l)
	wantKind(t, "shares that it did not sign", err, ws.Diverged)

	two := pl.masked[2]
	two.Vector = slices.Clone(two.Vector)
	two.Vector[0].Lo++
	d := maskedSigned(two, VectorDigest(two.Vector))
	sig, err := w.keys[2].Sign(nil, d[:], crypto.Hash(0))
	must(t, err)
	copy(two.Sig[:], sig)
	wantKind(t, "two vectors", pl.tally.AddMasked(two), ws.Diverged)
	must(t, w.epoch.Tally(pl.round).AddMasked(two)) // alone it would pass
}

// A certificate whose list a site may not reveal under, however many signed it.
func TestAttack_CertifiedLie(t *testing.T) {
	w := newWorld(t, testParams(5), nil)
	pl := w.start(round0(3))
	must(t, pl.share(), pl.mask(), pl.vote())
	certify := func(bend func(*List), votes ...Seat) Certificate {
		c := Certificate{List: pl.list}
		bend(&c.List)
		for _, s := range votes {
			c.Votes = append(c.Votes, w.forgedVote(s, c.List))
		}
		return c
	}
	for _, c := range []struct {
		what string
		cert Certificate
		kind ws.Kind
	}{
		{"without this site", certify(func(l *List) { l.Survivors = setOf(5, 1, 2, 3, 4) }, 1, 2, 3, 4), ws.Denied},
		{"another roster", certify(func(l *List) { l.Roster, l.Survivors = setOf(5, 0, 1, 2, 3), setOf(5, 0, 1, 2, 3) }, 0, 1, 2, 3), ws.Diverged},
		{"too few survivors", certify(func(l *List) { l.Survivors = setOf(5, 0, 1, 2) }, 0, 1, 2), ws.Unreachable},
		{"the vote of a lost site", certify(func(l *List) { l.Survivors = setOf(5, 0, 1, 2, 3) }, 0, 1, 2, 4), ws.Denied},
	} {
		p := newFork(t, w, 0) // it has not voted
		p.turn = &turn{round: pl.round, digest: pl.tally.digest, roster: w.party[0].turn.roster, got: w.party[0].turn.got}
		_, err := p.Reveal(c.cert)
		wantKind(t, c.what, err, c.kind)
	}
	wantKind(t, "few survivors", w.epoch.checkList(certify(func(l *List) { l.Survivors = setOf(5, 0, 1, 2) }).List), ws.Unreachable)
	wantKind(t, "a survivor off the roster", w.epoch.checkList(certify(func(l *List) { l.Roster = setOf(5, 0, 1, 2, 3) }).List), ws.Invalid)
	wantKind(t, "seats that are not there", w.epoch.checkList(List{Roster: Set{255}, Survivors: Set{255}}), ws.Invalid)
}

func TestAttack_SwappedKey(t *testing.T) {
	p := testParams(3)
	w := &world{t: t, p: p}
	var adverts []Advert
	for _, m := range p.Sites {
		party, err := NewParty(p, m.ID, testKey(string(m.ID)), History{}, testRand(string(m.ID)))
		must(t, err)
		w.party, w.keys = append(w.party, party), append(w.keys, testKey(string(m.ID)))
		adverts = append(adverts, party.Advert())
	}
	hub, err := NewParty(p, p.Sites[1].ID, w.keys[1], History{}, testRand("the hub's own"))
	must(t, err)
	swapped := slices.Clone(adverts)
	swapped[1].Key = hub.Advert().Key // under the site's signature of another key

	var coins []Coin
	for _, s := range []int{0, 2} {
		c, err := w.party[s].Coin(swapped)
		must(t, err) // its own advert is there; NewEpoch checks the others
		coins = append(coins, c)
	}
	_, err = w.party[1].Coin(swapped)
	wantKind(t, "its own key", err, ws.Diverged)
	coins = append(coins, Coin{From: 1, Share: w.party[1].share})
	_, err = NewEpoch(p, swapped, coins)
	wantKind(t, "a swapped key", err, ws.Denied)

	// the good adverts to one half, later: the coin was for the others
	e, err := NewEpoch(p, adverts, coins)
	must(t, err)
	_, err = w.party[0].Encaps(e)
	wantKind(t, "other adverts after the coin", err, ws.Diverged)
	_, err = w.party[0].Coin(adverts)
	wantKind(t, "a coin for two sets", err, ws.Diverged)

	// a party that holds another ledger key
	_, err = NewParty(p, p.Sites[1].ID, w.keys[0], History{}, testRand("x"))
	wantKind(t, "another ledger key", err, ws.Denied)
	coins[0].Share[0] ^= 1
	_, err = NewEpoch(p, adverts, coins)
	wantKind(t, "another coin", err, ws.Diverged)
}

func TestAttack_Encapsulation(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	for i, to := range w.party {
		var mail []Encaps
		for _, p := range w.party {
			for _, m := range p.sent {
				if m.To == to.self {
					mail = append(mail, m)
				}
			}
		}
		if len(mail) == 0 {
			continue
		}
		again, err := NewParty(w.p, w.p.Sites[i].ID, w.keys[i], History{}, testRand(fmt.Sprint(w.p.Sites[i].ID, 1)))
		must(t, err)
		var adverts []Advert
		for _, p := range w.party {
			adverts = append(adverts, p.advert)
		}
		_, err = again.Coin(adverts)
		must(t, err)
		_, err = again.Encaps(w.epoch)
		must(t, err)
		mail[0].Enc = slices.Clone(mail[0].Enc)
		mail[0].Enc[7] ^= 1
		wantKind(t, "a changed encapsulation", again.Join(mail), ws.Denied)
		wantKind(t, "no encapsulation", again.Join(mail[1:]), ws.Unreachable)
	}
}

func TestAttack_DifferentStates(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	other := pl.round
	other.State = sha256.Sum256([]byte("another state"))
	must(t, pl.share())

	// site 3 is told another state: nobody's pieces open
	forked := newFork(t, w, 3)
	m, pieces, err := forked.Share(other)
	must(t, err)
	wantKind(t, "tally", w.epoch.Tally(pl.round).AddShares(m), ws.Diverged)
	roster, err := pl.tally.Roster()
	must(t, err)
	mail := append(keep(pl.pieces[0], func(m Piece) bool { return m.From != 3 }), find(pieces, 3))
	for _, m := range pieces {
		if m.To == 0 {
			mail[len(mail)-1] = m
		}
	}
	_, err = w.party[0].Mask(roster, mail, slices.Clone(pl.x[0]))
	wantKind(t, "a piece of another state", err, ws.Diverged)
	mail[len(mail)-1].Round = pl.tally.digest // relabelled by the conductor
	_, err = w.party[0].Mask(roster, mail, slices.Clone(pl.x[0]))
	wantKind(t, "a piece relabelled", err, ws.Diverged)

	// the same site, the same round, another state
	for _, p := range w.party {
		_, _, err := p.Share(other)
		wantKind(t, "a second state", err, ws.Diverged)
	}
	_, err = w.party[0].Mask(Roster{Round: w.epoch.Digest(other), Sites: roster.Sites}, pl.pieces[0], slices.Clone(pl.x[0]))
	wantKind(t, "a roster of another state", err, ws.Diverged)
}

// newFork is a copy of a party in the state that its journal would give.
func newFork(t *testing.T, w *world, s int) *Party {
	t.Helper()
	b, err := w.party[s].MarshalBinary()
	must(t, err)
	p, err := ParseParty(b, w.keys[s])
	must(t, err)
	p.turn, p.history.asked = nil, nil
	return p
}

// Seeds that do not agree never reach a sum: the voters see it by the checks.
func TestAttack_FalseSeed(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	w.party[2].secrets[0][0] ^= 1 // towards site 0; its pieces still fit through a second key
	must(t, pl.share())
	_, err := pl.tally.Roster()
	must(t, err)
	w.party[2].secrets[0][0] ^= 1
	honest, pieces, err := w.party[2].Share(pl.round)
	must(t, err)
	for i, list := range pl.pieces {
		for k, m := range list {
			if m.From == 2 {
				pl.pieces[i][k] = pieces[slices.IndexFunc(pieces, func(o Piece) bool { return o.To == m.To })]
			}
		}
	}
	w.party[2].turn.shares = pl.shares[2].Digest() // it signs the false ones
	if same(honest, pl.shares[2]) {
		t.Fatal("the lie is none")
	}
	must(t, pl.mask())
	err = pl.vote()
	wantKind(t, "a false seed", err, ws.Diverged)
}

func TestAttack_ReplayedRound(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	first := w.start(round0(3)).mustAll()
	r := first.accept()
	for _, p := range w.party {
		_, _, err := p.Share(first.round)
		wantKind(t, "a replayed round", err, ws.Denied)
	}
	pl := w.start(r)
	must(t, pl.share())
	roster, err := pl.tally.Roster()
	must(t, err)
	_, err = w.party[0].Mask(roster, first.pieces[0], slices.Clone(pl.x[0]))
	wantKind(t, "replayed pieces", err, ws.Diverged)
	wantKind(t, "a replayed vector", w.epoch.Tally(r).AddMasked(first.masked[1]), ws.Diverged)
	must(t, pl.mask())
	_, err = w.party[0].Vote(pl.tallyOf(), first.list)
	wantKind(t, "a replayed list", err, ws.Diverged)
	_, err = w.party[0].Reveal(first.cert)
	wantKind(t, "a replayed certificate", err, ws.Diverged)
	must(t, pl.vote(), pl.reveal())
	_, err = pl.tally.Open(first.cert, first.reveals)
	wantKind(t, "a replayed opening", err, ws.Diverged)
	skip := r
	skip.Number++
	_, _, err = w.party[0].Share(skip)
	wantKind(t, "a round skipped", err, ws.Diverged)
	_, err = w.party[0].Accept(Sum{Round: r})
	wantKind(t, "a sum out of nowhere", err, ws.Diverged)
	stale := r
	stale.Prev[0] ^= 1
	for what, round := range map[string]Round{"a sum too early": skip, "a sum of another state": stale} {
		_, err = w.party[0].Accept(w.epoch.newSum(round, pl.list, make(stat.Ring, 3)))
		wantKind(t, what, err, ws.Diverged)
	}
}

func TestAttack_AnotherVector(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w := newWorld(t, testParams(4), nil)
		w.restart = restart
		pl := w.start(round0(3))
		must(t, pl.share(), pl.mask())
		for i, p := range w.party {
			_, err := p.Mask(pl.roster, pl.pieces[i], make(stat.Ring, 3))
			wantKind(t, "another vector under the same masks", err, ws.Diverged)
			less := pl.roster
			less.Sites = setOf(4, Seat(i), Seat((i+1)%4), Seat((i+2)%4))
			_, err = p.Mask(less, pl.pieces[i], slices.Clone(pl.x[i]))
			wantKind(t, "another roster", err, ws.Diverged)
		}
	}
}

func TestAttack_TwoRosters(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	must(t, pl.share())
	less := Roster{Round: pl.tally.digest, Sites: setOf(4, 0, 1, 3)}
	m, err := w.party[3].Mask(less, pl.pieces[3], slices.Clone(pl.x[3]))
	must(t, err)
	pl.lost[3] = inMasked
	must(t, pl.mask())
	voter := pl.tallyOf()
	must(t, voter.AddMasked(m))
	l := List{Round: pl.tally.digest, Roster: pl.roster.Sites, Survivors: setOf(4, 0, 1, 2, 3)}
	l.Bodies = voter.bodies(l)
	_, err = w.party[0].Vote(voter, l)
	wantKind(t, "two rosters", err, ws.Diverged)
	wantKind(t, "conductor", pl.tally.AddMasked(m), ws.Diverged)
	for _, c := range []struct {
		what  string
		sites Set
		kind  ws.Kind
	}{{"too few", setOf(4, 0, 1), ws.Unreachable}, {"without the site", setOf(4, 1, 2, 3), ws.Denied}, {"no seats", Set{255}, ws.Invalid}, {"no set", nil, ws.Invalid}} {
		fresh := newWorld(t, testParams(4), nil)
		again := fresh.start(round0(3))
		must(t, again.share())
		_, err := fresh.party[0].Mask(Roster{again.tally.digest, c.sites}, again.pieces[0], slices.Clone(again.x[0]))
		wantKind(t, "roster "+c.what, err, c.kind)
	}
}

func TestAttack_SpoiledShares(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	pl.lost[3] = inMasked
	must(t, pl.share(), pl.mask(), pl.vote(), pl.reveal())

	// a false share is passed over; then too few are left
	bent := slices.Clone(pl.reveals)
	bent[0].Shares = slices.Clone(bent[0].Shares)
	bent[0].Shares[3][0] ^= 1
	_, err := pl.tallyOf().Open(pl.cert, bent)
	wantKind(t, "a false share", err, ws.Unreachable)
	short := slices.Clone(pl.reveals)
	short[0].Shares = short[0].Shares[:1]
	_, err = pl.tallyOf().Open(pl.cert, short)
	wantKind(t, "a short reveal", err, ws.Unreachable)

	twice := pl.tallyOf()
	_, err = twice.Open(pl.cert, append(slices.Clone(pl.reveals[:2]), pl.reveals[0]))
	wantKind(t, "one reveal for two", err, ws.Unreachable)
	f := pl.shares[3]
	f.Table = slices.Clone(f.Table)
	f.Table[1] ^= 1
	wantKind(t, "two tables", twice.AddShares(f), ws.Diverged)
	f.From = 77
	wantKind(t, "no such seat", twice.AddShares(f), ws.Invalid)
	if _, err := pl.tallyOf().Open(pl.cert, pl.reveals); err != nil {
		t.Error(err)
	}
}
