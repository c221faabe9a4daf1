package hub_test

import (
	"context"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/post/conduct"
)

// A site comes back from a backup in mid-study, having forgotten all. The run, which
// its former life may have answered, ends by its refusal, before and after its
// first sum, at once and not when somebody's patience ends; a run of its own has the same bytes.
func TestNetwork_SiteRestored(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, logistic("restored"))
	want := bytesOf(t, q.run(t, w).Document)
	for i, round := range []int{0, 1, 4} {
		victim := w.Sites[i]
		done := w.When(round, i, func(conduct.Progress) {
			if err := w.Restore(context.Background(), victim); err != nil {
				t.Error(err)
			}
		})
		_, err := q.try(t.Context(), w)
		<-done
		if ws.KindOf(err) != ws.Denied {
			t.Errorf("%s restored in round %d: %v", victim, round, err)
		}
		if bytesOf(t, q.run(t, w).Document) != want {
			t.Errorf("%s restored in round %d: the next answer has other bytes", victim, round)
		}
	}
}

// reach waits until the sites hold the ledger to a height.
func reach(t *testing.T, at func(ws.SiteID) ledger.State, sites []ws.SiteID, h ledger.Height) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		n := 0
		for _, id := range sites {
			if at(id).Height() >= h {
				n++
			}
		}
		if n == len(sites) {
			return
		}
	}
	t.Fatalf("the sites do not come to height %d", h)
}

// A hub that lost its newest blocks takes them back from its members before it
// orders anything, and the network goes on.
func TestNetwork_HubRecovers(t *testing.T) {
	w := network(t, 3)
	q := ask(t, w, logistic("recovered"))
	want := bytesOf(t, q.run(t, w).Document)
	whole := w.File.State()
	reach(t, w.State, w.Sites, whole.Height())
	w.Kill("site1") // it will be waited for
	if err := w.Rewind(t.Context(), whole.Height()-3); err != nil {
		t.Fatal(err)
	}
	back := time.AfterFunc(200*time.Millisecond, func() {
		if err := w.Start(context.Background(), "site1"); err != nil {
			t.Error(err)
		}
	})
	defer back.Stop()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := w.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	if got := w.File.State(); got.Root() != whole.Root() || got.Height() != whole.Height() {
		t.Fatalf("height %d, want %d with the same root", got.Height(), whole.Height())
	}
	if bytesOf(t, q.run(t, w).Document) != want {
		t.Error("the next answer has other bytes")
	}
}

// A hub that goes on from an old copy orders other blocks in the place of those
// that members hold: they name it, and take none of them. It then cannot recover, for it
// holds what nobody else does.
func TestNetwork_HubOnAnOldCopy(t *testing.T) {
	w := network(t, 3)
	whole := w.File.State()
	reach(t, w.State, w.Sites, whole.Height())
	if err := w.Rewind(t.Context(), whole.Height()-1); err != nil {
		t.Fatal(err)
	}
	if err := w.Submit(t.Context(), "centre", func(n ledgertest.Net) ledger.Body { return n.Requester("li") }); err != nil {
		t.Fatal(err)
	}
	if err := w.StartHub(); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for end := time.Now().Add(20 * time.Second); len(told) == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, err := range w.Troubles() {
			if ws.KindOf(err) == ws.Diverged {
				told[err.Error()] = true
			}
		}
	}
	if len(told) == 0 {
		t.Error("no site names it")
	}
	for _, id := range w.Sites {
		if got := w.State(id); got.Root() != whole.Root() {
			t.Errorf("%s took another block", id)
		}
	}
	w.KillHub()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if err := w.Recover(ctx); ws.KindOf(err) != ws.Diverged {
		t.Errorf("it recovers: %v", err)
	}
}
