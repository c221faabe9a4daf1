package sum

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	ws "wellspring"
)

// tail is the number of ways to draw k of n with at least t of c marked ones.
func tail(n, c, k, t int) *big.Int {
	sum, term, other := new(big.Int), new(big.Int), new(big.Int)
	for x := max(t, 0); x <= min(c, k); x++ {
		term.Binomial(int64(c), int64(x))
		sum.Add(sum, term.Mul(term, other.Binomial(int64(n-c), int64(k-x))))
	}
	return sum
}

// chance adds times·P[H ≥ t] to sum, H hypergeometric.
func chance(sum *big.Rat, times int64, n, c, k, t int) {
	p := new(big.Rat).SetFrac(tail(n, c, k, t), new(big.Int).Binomial(int64(n), int64(k)))
	sum.Add(sum, p.Mul(p, new(big.Rat).SetInt64(times)))
}

// graphFailure bounds, in exact arithmetic, the chance that the coin draws a
// bad graph: the union over n neighbourhoods (k drawn from the n−1 others) and
// n(n−1)/2 pairs of stretches (k drawn from n).
func graphFailure(n, k int) *big.Rat {
	sum, c, t, pairs := new(big.Rat), n/10, k/2+1, int64(n)*int64(n-1)/2
	for _, at := range []int{t, k - t + 1} { // T corrupt; more than k−T lost
		chance(sum, int64(n), n-1, c, k, at)
		chance(sum, pairs, n, c, k, at)
	}
	return sum
}

func benchFailure(n, a int) *big.Rat {
	sum, c := new(big.Rat), n/10
	chance(sum, 1, n, c, a, (a+2)/3)
	chance(sum, 1, n, c, a, a-quorum(a)+1)
	return sum
}

// Both tables, recomputed: every size suffices for every network of its
// bracket, in total under 2^−40, and the next smaller one fails for some.
func TestSizes_Tables(t *testing.T) {
	half := big.NewRat(1, 1<<41)
	for _, c := range []struct {
		name    string
		table   []bracket
		step    int
		least   int
		failure func(n, size int) *big.Rat
	}{{"degrees", degrees, 2, 32, graphFailure}, {"benches", benches, 3, 33, benchFailure}} {
		n := complete + 1
		for _, b := range c.table {
			smaller := b.size == c.least // nothing smaller is wanted
			for ; n <= b.sites; n++ {
				if c.failure(n, b.size).Cmp(half) > 0 {
					t.Errorf("%s: %d is too few for %d sites", c.name, b.size, n)
				}
				smaller = smaller || c.failure(n, b.size-c.step).Cmp(half) > 0
			}
			if !smaller {
				t.Errorf("%s: %d would do up to %d sites", c.name, b.size-c.step, b.sites)
			}
			if b.size > maxNeighbours || b.size > maxVoters {
				t.Errorf("%s: a decoder refuses %d", c.name, b.size)
			}
		}
		if n != MaxSites+1 {
			t.Errorf("%s ends at %d", c.name, n-1)
		}
	}
}

func TestRing_Graph(t *testing.T) {
	for _, n := range []int{1, 2, 3, 33, 34, 35, 40, 160, 200, 1024} {
		g := newRing(n, Digest{byte(n)})
		k, _, _ := sizes(n)
		if n > complete+1 && k > n-1 {
			t.Fatalf("%d sites cannot have %d neighbours", n, k)
		}
		for s := range n {
			near := g.neighbours[s]
			if len(near) != k || !slices.IsSorted(near) || len(slices.Compact(slices.Clone(near))) != k || slices.Contains(near, Seat(s)) {
				t.Fatalf("%d sites: seat %d has neighbours %v", n, s, near)
			}
			for _, o := range near {
				if !slices.Contains(g.neighbours[o], Seat(s)) {
					t.Fatalf("%d sites: %d and %d are neighbours one way", n, s, o)
				}
			}
		}
	}
}

// The coin decides the places evenly: over 6,000 coins each of the 6 orders of
// three seats comes 1,000 ± 170 times. The chance of a false alarm is under
// 10⁻⁶ (six binomials with standard deviation 28.9, 5.9 of them away).
func TestPermute_Even(t *testing.T) {
	count := make(map[[3]Seat]int)
	for i := range 6000 {
		coin := hash("test coin", []byte{byte(i), byte(i >> 8)})
		count[[3]Seat(permute(3, coin))]++
	}
	if len(count) != 6 {
		t.Fatalf("%d orders", len(count))
	}
	for order, c := range count {
		if c < 830 || c > 1170 {
			t.Errorf("order %v came %d times", order, c)
		}
	}
}

// What holds promises: if no two disjoint stretches hold T corrupt sites, the
// honest survivors stay connected. Checked by a walk of the graph.
func TestRing_Holds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	held, cut := 0, 0
	for range 4000 {
		n := complete + 1 + rng.IntN(40)
		g := &ring{order: permute(n, hash("test", []byte{byte(rng.Uint32()), byte(rng.Uint32())})), place: make([]int, n), k: 6 + 2*rng.IntN(4), neighbours: make([][]Seat, n)}
		for at, s := range g.order {
			g.place[s] = at
		}
		for s := range n {
			g.neighbours[s] = g.around(Seat(s))
		}
		u, corrupt := newSet(n), newSet(n)
		from, to := rng.IntN(n), rng.IntN(n) // drop in runs, as an attacker would
		for at := range n {
			s := g.order[at]
			near := (at-from+n)%n < g.k/2-rng.IntN(2) || (at-to+n)%n < g.k/2-rng.IntN(2)
			if !near || rng.IntN(4) == 0 {
				u.put(s)
			}
			if rng.IntN(10) == 0 {
				corrupt.put(s)
			}
		}
		few := !g.tooMany(corrupt)
		connected := g.connected(u, corrupt)
		switch {
		case few && g.holds(u) && !connected:
			t.Fatalf("%d sites, k = %d: the honest survivors fall apart", n, g.k)
		case few && g.holds(u):
			held++
		case !connected:
			cut++
		}
	}
	if held < 20 || cut < 20 {
		t.Fatalf("the cases are one-sided: %d held, %d cut", held, cut)
	}
}

// tooMany reports whether two disjoint stretches hold T corrupt sites.
func (g *ring) tooMany(corrupt Set) bool {
	n, h := len(g.order), g.k/2
	count := func(from int) (c int) {
		for i := range h {
			if corrupt.Has(g.order[(from+i)%n]) {
				c++
			}
		}
		return c
	}
	for a := range n {
		for d := h; d <= n-h; d++ {
			if count(a)+count((a+d)%n) > h {
				return true
			}
		}
	}
	return false
}

func (g *ring) connected(u, corrupt Set) bool {
	var honest []Seat
	for _, s := range u.Seats() {
		if !corrupt.Has(s) {
			honest = append(honest, s)
		}
	}
	if len(honest) == 0 {
		return true
	}
	reached := map[Seat]bool{honest[0]: true}
	for todo := []Seat{honest[0]}; len(todo) > 0; todo = todo[1:] {
		for _, o := range g.neighbours[todo[0]] {
			if u.Has(o) && !corrupt.Has(o) && !reached[o] {
				reached[o] = true
				todo = append(todo, o)
			}
		}
	}
	return len(reached) == len(honest)
}

// Many sites: a tenth is lost, the voters open the sum, the others take it on
// their word, and the next round follows. The bench plays MaxSites (sum1024).
func TestSum_ManySites(t *testing.T) {
	for _, n := range []int{40, 200} {
		if n > 40 && testing.Short() {
			continue
		}
		w := newWorld(t, testParams(n), nil)
		pl := w.start(round0(20))
		for s := range n / 10 {
			pl.lost[(7*s+3)%n] = []int{inShares, inMasked, inMasked, inReveal}[s%4]
		}
		pl.mustAll()
		if !equal(pl.sum.Ring, pl.want(pl.list.Survivors)) {
			t.Fatalf("%d sites: not the sum", n)
		}
		checkCost(t, pl)
		next := acceptByAudit(t, pl)
		isolate(t, pl)
		if _, _, err := w.party[0].Share(next); err != nil {
			t.Error(err)
		}
	}
}

// A site that is no voter carries a piece for each neighbour each way and four
// messages more; its bytes grow with its neighbours and not with the sites.
func checkCost(t *testing.T, pl *play) {
	n := len(pl.w.party)
	k, _, a := sizes(n)
	for s := range n {
		if pl.lost[s] != never || pl.isVoter(s) {
			continue
		}
		if pl.w.count[s] > 2*k+4 {
			t.Errorf("%d sites: seat %d carried %d messages, want at most %d", n, s, pl.w.count[s], 2*k+4)
		}
		if most := 16*pl.round.Len + 400*k + 100*a + 1000; pl.w.bytes[s] > most {
			t.Errorf("%d sites: seat %d carried %d bytes, want at most %d", n, s, pl.w.bytes[s], most)
		}
	}
}

func acceptByAudit(t *testing.T, pl *play) Round {
	w := pl.w
	var audits []Audit
	for _, v := range w.epoch.Voters() {
		if pl.live(int(v), never-1) {
			a, err := w.party[v].Accept(pl.sum)
			must(t, err)
			audits = append(audits, a)
		}
	}
	lie := append(pl.want(nil), pl.sum.Ring...)[pl.round.Len:]
	lie[0].Lo++
	for s, p := range w.party {
		if pl.isVoter(s) {
			continue
		}
		_, err := w.epoch.Audited(pl.round, pl.cert, lie, audits)
		wantKind(t, "a false sum", err, ws.Diverged)
		_, err = w.epoch.Audited(pl.round, pl.cert, pl.sum.Ring, audits[:w.epoch.AuditQuorum()-1])
		wantKind(t, "few audits", err, ws.Unreachable)
		twice := slices.Repeat(audits[:1], w.epoch.AuditQuorum())
		_, err = w.epoch.Audited(pl.round, pl.cert, pl.sum.Ring, twice)
		wantKind(t, "one audit many times", err, ws.Unreachable)
		forged := slices.Clone(audits)
		for i := range forged {
			forged[i].Sig[3] ^= 1
		}
		_, err = w.epoch.Audited(pl.round, pl.cert, pl.sum.Ring, forged)
		wantKind(t, "forged audits", err, ws.Unreachable)
		later := pl.round
		later.Number++
		_, err = w.epoch.Audited(later, pl.cert, pl.sum.Ring, audits)
		wantKind(t, "another round", err, ws.Diverged)
		_, err = p.Vote(pl.tally, pl.list)
		if err == nil {
			t.Error("a site votes that is no voter")
		}
		sum, err := w.epoch.Audited(pl.round, pl.cert, pl.sum.Ring, audits)
		must(t, err)
		if _, err := p.Accept(sum); err != nil {
			t.Fatal(err)
		}
		break
	}
	if _, err := w.party[0].Accept(pl.sum); err != nil {
		t.Fatal(err)
	}
	return Round{Number: 1, State: pl.round.State, Prev: pl.sum.Digest, Len: 4}
}

// isolate calls all neighbours of one site lost, or cuts an arc of the circle
// out. That many may be lost, but the rest would not hold together.
func isolate(t *testing.T, pl *play) {
	g := pl.w.epoch.ring
	n, h := len(g.order), g.k/2
	if n-2*h < quorum(n) {
		return
	}
	for arc := 1; arc < n/2; arc += 5 {
		l := List{Round: pl.tally.digest, Roster: pl.roster.Sites, Survivors: newSet(n)}
		l.Roster = newSet(n)
		for at := range n {
			l.Roster.put(g.order[at])
			if at >= h && at < h+arc || at >= 2*h+arc {
				l.Survivors.put(g.order[at])
			}
		}
		wantKind(t, "a site cut out", pl.w.epoch.checkList(l), ws.Unreachable)
	}
}

// A coin by which fewer than all voters are left finds no certificate.
func TestSum_FewVoters(t *testing.T) {
	w := newWorld(t, testParams(40), nil)
	pl := w.start(round0(2))
	for i, v := range w.epoch.Voters() {
		if i < len(w.epoch.voters)/3 {
			pl.lost[v] = inVote
		}
	}
	wantKind(t, "a third of the voters lost", pl.all(), ws.Unreachable)
}
