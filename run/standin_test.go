package run_test

import (
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/run"
)

// orphan plays until n messages have come, and then takes the conductor and all
// that is under way from the world. It reports whether the run was still going.
func (w *world) orphan(n int) bool {
	w.took(w.c.Begin())
	for ; len(w.queue) > 0; n-- {
		if n <= 0 {
			w.queue = nil
			return true
		}
		m := w.queue[0]
		w.queue = w.queue[1:]
		if m.To != "hub" {
			w.toSite(m)
		} else {
			w.took(w.c.Step(m))
		}
	}
	return false
}

// standIn makes the k-th site, or the next that has no answer yet, the conductor
// and plays on. Where the run had not come to its rounds the site opens a new
// epoch.
func (w *world) standIn(k int) {
	w.t.Helper()
	site := w.sites[k%len(w.sites)]
	for i := 0; w.hosts[site].doc != nil; i++ {
		if i == len(w.sites) { // all have it
			w.doc = w.hosts[site].doc
			return
		}
		site = w.sites[(k+i)%len(w.sites)]
	}
	c, err := w.hosts[site].p.StandIn()
	if err == nil {
		w.c = c
		w.conducted(site)
	}
	if err == nil && ws.KindOf(w.err) != ws.Unreachable {
		return
	}
	if err != nil && ws.KindOf(err) != ws.Unreachable {
		w.t.Fatalf("%s: %v", site, err)
	}
	w.open(w.opening.Epoch+1, w.sites)
	w.opening.Conductor, w.opening.Institution = site, institution(site)
	w.reopen()
	w.conducted(site)
}

// conducted plays with the site in the conductor's place, which dies too once
// it has taken w.mortal messages.
func (w *world) conducted(site ws.SiteID) {
	w.t.Helper()
	w.took(w.c.Begin())
	for steps := 0; len(w.queue) > 0; steps++ {
		if steps > 100_000 {
			w.t.Fatal("the run does not end")
		}
		m := w.queue[0]
		w.queue = w.queue[1:]
		if m.From == site && (m.To != site || forSite(m.Step)) || m.From != site && m.To != site {
			w.toSite(m)
			continue
		}
		if w.mortal > 0 {
			if w.mortal--; w.mortal == 0 {
				w.queue = nil
				w.standIn(slices.Index(w.sites, site) + 1)
				return
			}
		}
		w.took(w.c.Step(m))
	}
}

// forSite tells a conductor's messages to its own site from that site's to it.
func forSite(s run.Step) bool {
	switch s {
	case run.Open, run.Plan, run.Coins, run.Ask, run.RosterStep, run.Propose, run.Certify, run.OpenSum, run.Audited, run.Resume, run.End:
		return true
	}
	return false
}

// The conductor dies after each message in turn, a site's or its own; a member takes its place, and
// the study ends with the same bytes.
func TestStandIn(t *testing.T) {
	const sites = 4
	want := ""
	{
		w := newWorld(t, glmStudy(), sites)
		w.play()
		want = w.answered()
	}
	resumed := 0
	const step = 5
	for n := 0; ; n += step {
		w := newWorld(t, glmStudy(), sites)
		w.mortal = n % 7 * 3 // some stand-ins die too
		if !w.orphan(n) {
			if n < 250 || resumed < n/step/2 {
				t.Errorf("%d messages, %d moments in a round: the test tests little", n, resumed)
			}
			t.Logf("the conductor died at %d moments, %d of them in a round", n/step, resumed)
			return
		}
		w.doc = nil
		before := w.opening.Epoch
		w.standIn(n)
		if w.opening.Epoch == before {
			resumed++
		}
		if w.err != nil || documentBytes(t, w.doc) != want {
			t.Fatalf("after %d messages: error %v, the same document: %v", n, w.err, w.doc != nil)
		}
		for id, h := range w.hosts {
			if h.refused != nil || documentBytes(t, h.doc) != want {
				t.Errorf("after %d messages, %s: %v", n, id, h.refused)
			}
		}
	}
}
