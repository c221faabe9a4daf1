package run_test

import (
	"fmt"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/study"
)

// reviewed is a world in which the first site has all answers wait for a person, and
// the second those with a mark.
func reviewed(t *testing.T, s *study.Study) *world {
	w := newWorld(t, s, 4)
	for i, of := range []policy.Review{policy.ReviewAll, policy.MarkedOnly} {
		h := w.hosts[w.sites[i]]
		h.cfg.Policy.Review = of
		h.p = run.NewParticipant(h.cfg)
	}
	return w
}

// Every party comes to the same answer, salt and reviewers; where nobody's policy asks
// for a person, no site keeps anything.
func TestAnswer(t *testing.T) {
	tails := ask(study.Analysis{Method: "describe", Variables: []string{"age"}, Bins: 80}) // with empty bars
	salts := map[[32]byte]bool{}
	for name, c := range map[string]struct {
		study *study.Study
		want  int // reviewers
	}{"no mark": {glmStudy(), 1}, "a mark": {tails, 2}} {
		w := reviewed(t, c.study)
		want := w.play().answered()
		a, err := w.c.Answer(w.doc)
		if err != nil || a.Salt == [32]byte{} || salts[a.Salt] || !slices.Equal(a.Reviewers, w.sites[:c.want]) {
			t.Errorf("%s: the conductor has %+v, %v", name, a, err)
		}
		salts[a.Salt] = true
		for id, h := range w.hosts {
			if h.held == nil || documentBytes(t, h.held.Document) != want || h.held.Salt != a.Salt || h.held.Limit != a.Limit || !slices.Equal(h.held.Reviewers, a.Reviewers) {
				t.Errorf("%s: %s has another answer than the conductor", name, id)
			}
		}
	}
	w := newWorld(t, glmStudy(), 4)
	w.play().answered()
	for id, h := range w.hosts {
		if h.held != nil {
			t.Errorf("%s keeps an answer that waits for nobody", id)
		}
	}
}

// A site that is killed at any record has the answer in its outbox when the run is over.
func TestAnswer_Restart(t *testing.T) {
	for at := range 3 {
		t.Run(fmt.Sprint("at record ", at), func(t *testing.T) {
			w := reviewed(t, describeStudy())
			kills := w.killAt(t, "memory", at, func(ws.SiteID, string) bool { return true })
			want := w.play().answered()
			for id, h := range w.hosts {
				if h.held == nil || documentBytes(t, h.held.Document) != want {
					t.Errorf("%s has lost the answer", id)
				}
			}
			if *kills < 3 {
				t.Errorf("%d kills: the test kills nobody", *kills)
			}
		})
	}
}

// Whoever stands in for a conductor that is gone names the same reviewers under the same
// salt as the sites have, or those of the new epoch.
func TestAnswer_StandIn(t *testing.T) {
	resumed := 0
	for n := 60; n < 260; n += 20 {
		w := reviewed(t, glmStudy())
		if !w.orphan(n) {
			break
		}
		w.doc = nil
		before := w.opening.Epoch
		w.standIn(n)
		if w.doc == nil || w.opening.Epoch != before { // ended before, or begun anew
			continue
		}
		want := w.answered()
		a, err := w.c.Answer(w.doc)
		if err != nil || !slices.Equal(a.Reviewers, w.sites[:1]) {
			t.Fatalf("after %d messages: %+v, %v", n, a, err)
		}
		resumed++
		for id, h := range w.hosts {
			if h.held == nil || h.held.Salt != a.Salt || documentBytes(t, h.held.Document) != want {
				t.Errorf("after %d messages: %s has another answer than whoever stands in", n, id)
			}
		}
	}
	if resumed < 3 {
		t.Errorf("%d runs were taken over: the test tests little", resumed)
	}
}
