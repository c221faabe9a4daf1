package sum

import (
	"fmt"
	"slices"
	"testing"

	ws "wellspring"
)

// The sum over S minus the sum over S∖{i} is site i's part. A site lost before
// any phase of round 1, with a restart or without: the run goes on with the
// survivors of round 0 or not at all.
func TestSubtraction_NextRound(t *testing.T) {
	for n := 4; n <= 7; n++ {
		for _, restart := range []bool{false, true} {
			for phase := inShares; phase < never; phase++ {
				w := newWorld(t, testParams(n), nil)
				w.restart = restart
				r := w.start(round0(2)).mustAll().accept()
				pl := w.start(r)
				pl.lost[1] = phase
				err := pl.all()
				if phase <= inMasked {
					wantKind(t, fmt.Sprint("lost before phase ", phase), err, ws.Denied)
				} else if err != nil || !equal(pl.sum.Ring, pl.want(pl.list.Survivors)) {
					t.Errorf("lost before phase %d: %v, want the sum over all", phase, err)
				}
			}
		}
	}
}

// A site that was left out of round 0 does not come back in round 1.
func TestSubtraction_Returns(t *testing.T) {
	w := newWorld(t, testParams(5), nil)
	first := w.start(round0(2))
	first.lost[2] = inMasked
	r := first.mustAll().accept()
	_, _, err := w.party[2].Share(r)
	wantKind(t, "itself", err, ws.Denied)
	w.party[2].history.opened = nil // even if it forgets
	err = w.start(r).all()
	wantKind(t, "the others", err, ws.Denied)

	w2 := newWorld(t, testParams(5), nil)
	first = w2.start(round0(2))
	first.lost[2] = inMasked
	pl := w2.start(first.mustAll().accept())
	pl.lost[2] = inShares
	if err := pl.all(); err != nil {
		t.Errorf("the survivors of round 0 do not go on: %v", err)
	}
}

// A new epoch without a site: free before anything is revealed, refused after,
// whichever phase the old one ended in.
func TestSubtraction_NextEpoch(t *testing.T) {
	for n := 4; n <= 7; n++ {
		for phase := inShares; phase <= never; phase++ {
			w := newWorld(t, testParams(n), nil)
			pl := w.start(round0(2))
			for i, step := range []func() error{pl.share, pl.mask, pl.vote, pl.reveal, pl.open} {
				if i <= phase {
					must(t, step())
				}
			}
			w.back(w.states()) // resumed from its journal
			left, err := tryWorld(t, without(w.p, 1), w.close())
			if phase >= inReveal {
				wantKind(t, fmt.Sprint(n, " sites, ended in phase ", phase), err, ws.Denied)
				continue
			}
			must(t, err)
			again := left.start(round0(2)).mustAll()
			if !equal(again.sum.Ring, again.want(again.list.Survivors)) {
				t.Error("not the sum")
			}
			for _, p := range w.party { // the old epoch is over
				_, err := p.Reveal(pl.cert)
				wantKind(t, "a closed party", err, ws.Denied)
			}
		}
	}
}

// If only one honest site has revealed, its advert warns the others.
func TestSubtraction_Warned(t *testing.T) {
	w := newWorld(t, testParams(5), nil)
	pl := w.start(round0(2))
	must(t, pl.share(), pl.mask(), pl.vote())
	c, err := pl.tally.Certify(pl.list, pl.votes)
	must(t, err)
	_, err = w.party[4].Reveal(c)
	must(t, err)
	past := w.close()

	// without site 1: the one that revealed does not begin
	_, err = tryWorld(t, without(w.p, 1), past)
	wantKind(t, "it refuses itself", err, ws.Denied)

	// with the same sites: all learn of it, and leave nobody out
	same := w.p
	same.Epoch++
	next := newWorld(t, same, past)
	again := next.start(round0(2))
	again.lost[0] = inMasked
	wantKind(t, "another set of survivors", again.all(), ws.Denied)
	past = next.close()
	same.Epoch++
	again = newWorld(t, same, past).start(round0(2)).mustAll()
	if !equal(again.sum.Ring, again.want(again.list.Survivors)) {
		t.Error("not the sum")
	}

	// two claims that do not agree
	p, q := setOf(5, 0, 1, 2, 3), setOf(5, 0, 1, 2, 4)
	_, err = w.p.mergeOpened(p, q)
	wantKind(t, "two claims", err, ws.Diverged)
}

// An epoch that too few sites of an earlier one join leaves the earlier sum
// open to those who stayed behind.
func TestSubtraction_TooFewGoOn(t *testing.T) {
	w := newWorld(t, testParams(7), nil)
	past := w.close()
	_, err := tryWorld(t, without(w.p, 0, 1, 2), past)
	wantKind(t, "four of seven", err, ws.Denied)
	if _, err := tryWorld(t, without(w.p, 0, 1), past); err != nil {
		t.Errorf("five of seven: %v", err)
	}
}

// For every n: if carry(n) honest-or-corrupt sites promised, those who did not
// and all the corrupt together cannot open a sum, and one promise fewer could.
func TestCarry(t *testing.T) {
	for n := 1; n <= complete; n++ {
		_, need, _ := sizes(n)
		c := carry(n)
		if n-c+corrupt(n) >= need {
			t.Errorf("%d sites: %d promises leave enough to open", n, c)
		}
		if c > 0 && n-(c-1)+corrupt(n) < need {
			t.Errorf("%d sites: %d promises would do", n, c-1)
		}
	}
	for n := complete + 1; n <= MaxSites; n++ {
		if c := carry(n); c > n-n/10 {
			t.Errorf("%d sites: an epoch cannot lose a tenth (%d must go on)", n, c)
		}
	}
}

// A site whose policy lets it be seen alone may be lost at any time.
func TestSubtraction_Alone(t *testing.T) {
	p := testParams(5)
	p.Sites[1].Alone = true
	w := newWorld(t, p, nil)
	r := w.start(round0(2)).mustAll().accept()
	pl := w.start(r)
	pl.lost[1] = inShares
	r = pl.mustAll().accept()
	next := newWorld(t, without(p, 1), w.close())
	if err := next.start(r).all(); err != nil {
		t.Error(err)
	}
	_, err := tryWorld(t, without(without(p, 1), 2), next.close())
	wantKind(t, "another is lost", err, ws.Denied)
}

// The rules of a history by themselves: who may come and go once a sum is open.
func TestHistory_Gatherings(t *testing.T) {
	all, p := testParams(5), without(testParams(5), 4)
	for _, c := range []struct {
		what      string
		old, next Params
		opened    bool // by this site; if not, an advert says so
	}{
		{"one leaves", all, without(all, 2), true}, {"one leaves, others tell", all, without(all, 2), false},
		{"one comes", without(all, 2), without(without(all), 9), true}, {"one comes, others tell", without(all, 2), without(without(all), 9), false},
	} {
		var h History
		must(t, h.join(c.old))
		if c.opened {
			h.opened = c.old.ids(setOf(8, 0, 1, 2, 3))
		}
		err := h.join(c.next)
		if !c.opened {
			must(t, err)
			err = h.agree(c.next, setOf(5, 0, 1, 2, 3))
		}
		wantKind(t, c.what, err, ws.Denied)
	}
	var h History
	must(t, h.join(p))
	must(t, h.agree(p, setOf(4, 0, 1, 2)))
	wantKind(t, "another claim", h.agree(p, setOf(4, 0, 1, 3)), ws.Diverged)
}

func TestHistory_Epochs(t *testing.T) {
	w := newWorld(t, testParams(3), nil)
	past := w.close()
	_, err := tryWorld(t, w.p, past)
	wantKind(t, "the same epoch again", err, ws.Denied)
	other := w.p
	other.Run, other.Epoch = "run-2", 2
	_, err = tryWorld(t, other, past)
	wantKind(t, "another run's history", err, ws.Invalid)

	next := w.p
	for next.Epoch = 2; next.Epoch <= maxEpochs; next.Epoch++ {
		h := past[next.Sites[0].ID]
		must(t, h.join(next))
		past[next.Sites[0].ID] = h
	}
	h := past[next.Sites[0].ID]
	wantKind(t, "too many epochs", h.join(next), ws.Denied)
	b, err := h.MarshalBinary()
	must(t, err)
	var back History
	must(t, back.UnmarshalBinary(b))
	if again, _ := back.MarshalBinary(); !slices.Equal(again, b) {
		t.Error("the history changed on the way")
	}
}

// A sum that rests on a history goes on in a new epoch, with the same question
// for a round that was begun and not opened.
func TestHistory_RoundGoesOn(t *testing.T) {
	w := newWorld(t, testParams(4), nil)
	r := w.start(round0(2)).mustAll().accept()
	must(t, w.start(r).share())
	p := w.p
	p.Epoch++
	next := newWorld(t, p, w.close())
	other := r
	other.State[0] ^= 1
	_, _, err := next.party[0].Share(other)
	wantKind(t, "another question", err, ws.Diverged)
	next.start(r).mustAll().accept()
	if got := next.party[0].History(); got.Sums() != 2 || len(got.Opened()) != 4 {
		t.Errorf("history holds %d sums over %d sites", got.Sums(), len(got.Opened()))
	}
}
