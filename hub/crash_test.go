package hub_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/post/conduct"
)

// A site is killed in mid-study, at seeded moments, and comes back: the study
// ends with the same bytes.
func TestNetwork_SiteComesBack(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("site"))
	want := bytesOf(t, q.run(t, w).Document)
	luck := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		victim, round, answered := w.Sites[luck.IntN(4)], luck.IntN(8), luck.IntN(4)
		done := w.When(round, answered, func(conduct.Progress) {
			w.Kill(victim)
			if err := w.Start(context.Background(), victim); err != nil {
				t.Error(err)
			}
		})
		out := q.run(t, w)
		<-done
		if bytesOf(t, out.Document) != want {
			t.Errorf("%s killed in round %d: the answer has other bytes", victim, round)
		}
	}
}

// The hub dies in mid-study; a member conducts it to the same bytes.
func TestNetwork_HubDies(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("hub"))
	want := bytesOf(t, q.run(t, w).Document)
	luck := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		round, answered, site := luck.IntN(8), luck.IntN(4), w.Sites[luck.IntN(4)]
		id := q.orphan(t, w, round, answered)
		out, err := standIn(t, w, site, id)
		if err != nil {
			t.Fatalf("%s stands in from round %d, %d answers: %v", site, round, answered, err)
		}
		if bytesOf(t, out.Document) != want {
			t.Errorf("%s stands in from round %d: the answer has other bytes", site, round)
		}
	}
}

// orphan has the hub conduct a run and kills it in the middle. Whoever orders the ledger
// is back on return; what it conducted is not.
func (q question) orphan(t *testing.T, w *hubtest.Network, round, answered int) (id ledger.RunID) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := w.When(round, answered, func(p conduct.Progress) {
		id = p.Run
		w.KillHub()
		cancel()
	})
	if _, err := q.try(ctx, w); err == nil {
		t.Fatal("the hub lived on")
	}
	<-done
	if err := w.StartHub(); err != nil {
		t.Fatal(err)
	}
	return id
}

func standIn(t *testing.T, w *hubtest.Network, site ws.SiteID, id ledger.RunID) (*conduct.Outcome, error) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	return w.Site(site).StandIn(ctx, id)
}

// A site that has no part in a run is told so at once when it is to take it over.
func TestStandIn_Stranger(t *testing.T) {
	w := network(t, 5)
	q := ask(t, w, logistic("four"))
	q.members = q.members[:4]
	id := q.orphan(t, w, 1, 0)
	if _, err := standIn(t, w, "site4", id); ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), "takes part") {
		t.Errorf("told: %v", err)
	}
}

// Of three hospitals none may open a new epoch, in which its own institution would
// not count: it is refused before the ledger hears of it. Rounds that the hub
// began go on to the answer, since it is the hub whose institution they leave out.
func TestNetwork_HubOfThreeDies(t *testing.T) {
	w := network(t, 3)
	q := ask(t, w, logistic("three"))
	want := bytesOf(t, q.run(t, w).Document)
	for _, round := range []int{0, 3} {
		id := q.orphan(t, w, round, 1)
		if round > 0 {
			out, err := standIn(t, w, "site1", id)
			if err != nil || bytesOf(t, out.Document) != want {
				t.Errorf("in round %d: %v", round, err)
			}
			continue
		}
		var err error
		for _, site := range w.Sites { // one of them had heard the opening
			if _, err = standIn(t, w, site, id); ws.KindOf(err) == ws.Denied {
				break
			}
		}
		if ws.KindOf(err) != ws.Denied {
			t.Errorf("in round %d: %v", round, err)
		}
		if rec, known := w.File.State().Run(id); !known || rec.Closed {
			t.Errorf("the ledger says of the run %+v", rec)
		}
	}
}

// A site that never comes back: before the first sum a new epoch goes on without
// it, and says so; after it the run ends.
func TestNetwork_SiteIsLost(t *testing.T) {
	w := network(t, 5)
	q := ask(t, w, logistic("lost"))
	lose := func(site ws.SiteID) func(conduct.Progress) {
		return func(p conduct.Progress) {
			w.Kill(site)
			w.Hub().Lose(context.Background(), string(p.Run), site)
		}
	}
	done := w.When(0, 0, lose("site4"))
	out := q.run(t, w)
	<-done
	if !slices.Equal(out.Document.Sites, w.Sites[:4]) {
		t.Errorf("sites %v", out.Document.Sites)
	}
	w.Start(t.Context(), "site4")
	if _, err := q.try(t.Context(), w); ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), "the part of inst-site4") {
		t.Errorf("once more, with the site that was lost: %v", err)
	}
	other := logistic("other")
	other.Analysis.Formula = "sick ~ age"
	done = w.When(3, 1, lose("site1"))
	_, err := ask(t, w, other).try(t.Context(), w)
	<-done
	if ws.KindOf(err) != ws.Unreachable {
		t.Errorf("lost after the first sum: %v", err)
	}
}

// A custodian withdraws its approval: the next round is not answered there.
func TestNetwork_Withdrawal(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("withdrawn"))
	done := w.When(2, 1, func(conduct.Progress) {
		if err := w.Decide(context.Background(), "site3", q.ref, ledger.Withdraw); err != nil {
			t.Error(err)
		}
	})
	_, err := q.try(t.Context(), w)
	<-done
	if ws.KindOf(err) != ws.Denied {
		t.Errorf("the study ended with %v", err)
	}
	if _, err := q.try(t.Context(), w); ws.KindOf(err) != ws.Denied {
		t.Errorf("opened again: %v", err)
	}
}
