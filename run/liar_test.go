package run_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/runtest"
)

// Each lie of a conductor is refused by the honest sites that it reaches.
func TestLies(t *testing.T) {
	for _, l := range runtest.Lies {
		t.Run(l.Name, func(t *testing.T) {
			w := newWorld(t, describeStudy(), 4)
			told := 0
			w.bend = func(m run.Message) []run.Message {
				if m.To == "hub" {
					return []run.Message{m}
				}
				out, lied := l.Tell(m, w.sites[0])
				if lied {
					told++
				}
				return out
			}
			w.play()
			if told == 0 {
				t.Fatal("the lie was never told")
			}
			refused := 0
			for id, h := range w.hosts {
				if h.refused == nil {
					continue
				}
				refused++
				if ws.KindOf(h.refused) != l.Kind {
					t.Errorf("%s refused with %v, want kind %v", id, h.refused, l.Kind)
				}
				if h.doc != nil {
					t.Errorf("%s holds a document", id)
				}
			}
			if refused == 0 {
				t.Error("nobody refused")
			}
			if l.Step != run.End && w.doc != nil {
				t.Error("the conductor holds a document")
			}
		})
	}
}

// A share of a reveal that is bent is passed over, and the sum is the same.
func TestLies_BentShare(t *testing.T) {
	want := newWorld(t, describeStudy(), 4).play().answered()
	w := newWorld(t, describeStudy(), 4)
	w.bend = func(m run.Message) []run.Message {
		if m.Step == run.OpenSum {
			m.Body = runtest.Bend(m.Body, 0, runtest.FlipLast)
		}
		return []run.Message{m}
	}
	if w.play().answered() != want {
		t.Error("the answer has other bytes")
	}
}

// Openings that a site refuses.
func TestOpenings(t *testing.T) {
	s := describeStudy()
	for name, c := range map[string]struct {
		bend func(o *run.Opening)
		kind ws.Kind
	}{
		"another release":    {func(o *run.Opening) { o.Release = "0.0.0" }, ws.Diverged},
		"another key of its": {func(o *run.Opening) { o.Members[0].Key = testKey("x").Public().(ed25519.PublicKey) }, ws.Denied},
		"without the site":   {func(o *run.Opening) { o.Members = o.Members[1:] }, ws.Denied},
		"out of order":       {func(o *run.Opening) { o.Members[0], o.Members[1] = o.Members[1], o.Members[0] }, ws.Invalid},
		"no study":           {func(o *run.Opening) { o.Study = json.RawMessage(`{}`) }, ws.Invalid},
		"no chain":           {func(o *run.Opening) { o.Chain = "" }, ws.Invalid},
		"two sites":          {func(o *run.Opening) { o.Members = o.Members[:2] }, ws.Denied},
		"another conductor":  {func(o *run.Opening) { o.Conductor, o.Institution = "site0002", o.Members[2].Institution }, ws.Diverged},
		"a member's conductor of another institution": {func(o *run.Opening) { o.Conductor = "site0002" }, ws.Invalid},
		"another institution for the site":            {func(o *run.Opening) { o.Members[0].Institution = "elsewhere" }, ws.Denied},
		"a site without institution":                  {func(o *run.Opening) { o.Members[1].Institution = "" }, ws.Invalid},
		"a conductor without institution":             {func(o *run.Opening) { o.Institution = "" }, ws.Invalid},
		"another run inside":                          {func(o *run.Opening) { o.Run = "run-2" }, ws.Diverged},
		"its part may be seen":                        {func(o *run.Opening) { o.Members[0].Alone = true }, ws.Denied},
		"few sites are allowed":                       {func(o *run.Opening) { o.AllowFew = true }, ws.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s, 4)
			h := w.hosts["site0000"]
			h.cfg.Policy.SiteResults, h.cfg.Policy.FewInstitutions = "refuse", false
			h.p = run.NewParticipant(h.cfg)
			c.bend(w.opening)
			out := h.handle(run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Step: run.Open, Body: openingBody(t, w.opening)})
			if ws.KindOf(h.refused) != c.kind {
				t.Errorf("refused with %v, want kind %v", h.refused, c.kind)
			}
			if len(out) != 1 || out[0].Step != run.Refuse || out[0].To != "hub" {
				t.Errorf("the conductor is not told: %v", out)
			}
		})
	}
}

// A second opening of a run and epoch is refused; the first one again is
// answered with the same bytes.
func TestOpenings_Second(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	h := w.hosts["site0000"]
	m := run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Step: run.Open, Body: openingBody(t, w.opening)}
	one, again := h.handle(m), h.handle(m)
	if len(one) != 1 || len(again) != 1 || !bytes.Equal(one[0].Body, again[0].Body) {
		t.Errorf("the first answer has %d messages, the second %d, or they differ", len(one), len(again))
	}
	w.opening.Members = w.opening.Members[:3]
	m.Body = openingBody(t, w.opening)
	if h.handle(m); ws.KindOf(h.refused) != ws.Denied {
		t.Errorf("a second opening: %v", h.refused)
	}
	h.restore()
	if out, err := h.p.Step(run.Event{Message: &run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Step: run.Plan}}); ws.KindOf(err) != ws.Denied ||
		len(out.Send) != 1 || out.Send[0].Step != run.Refuse {
		t.Errorf("after its refusal and a restart the site goes on: %v", err)
	}
}

// Each lie of a site ends the run, with its name.
func TestLyingSite(t *testing.T) {
	for _, l := range runtest.SiteLies {
		t.Run(l.Name, func(t *testing.T) {
			w := newWorld(t, describeStudy(), 4)
			w.bend = func(m run.Message) []run.Message {
				if m.From != w.sites[1] {
					return []run.Message{m}
				}
				out, _ := l.Tell(m, "")
				return out
			}
			w.play().failed(l.Kind)
			if w.err == nil || !strings.Contains(w.err.Error(), string(w.sites[1])) {
				t.Errorf("the site is not named: %v", w.err)
			}
		})
	}
}

// A site that speaks for another ends the run, with its name.
func TestLyingSite_Another(t *testing.T) {
	for _, step := range []run.Step{run.CoinStep, run.SharesStep, run.Contribute, run.Vote, run.Reveal, run.Audit} {
		w := newWorld(t, describeStudy(), 4)
		var other run.Message
		w.bend = func(m run.Message) []run.Message {
			if m.Step == step && m.From == "site0000" {
				other = clone(m)
			}
			if m.Step == step && m.From == "site0001" {
				m.Body = other.Body
			}
			return []run.Message{m}
		}
		w.play().failed(ws.Invalid)
	}
}

// What comes in an honest run is no longer than the parties say beforehand; a stranger's
// letter is of no use, however short its body could be.
func TestBound(t *testing.T) {
	w := newWorld(t, glmStudy(), 4)
	heard := 0
	w.before = func(m run.Message) {
		heard++
		if m.To == "hub" {
			if n := w.c.Bound(); int64(len(m.Body)) > n {
				t.Errorf("%s of %d bytes, and the conductor takes %d", m.Step, len(m.Body), n)
			}
			return
		}
		p := w.hosts[m.To].p
		if n := p.Bound(m); int64(len(m.Body)) > n {
			t.Errorf("%s of %d bytes, and %s takes %d", m.Step, len(m.Body), m.To, n)
		}
		m.From = "stranger"
		if n := p.Bound(m); m.Step != run.Open && n > 16<<10 {
			t.Errorf("%s takes %d bytes of a stranger's %s", m.To, n, m.Step)
		}
	}
	w.play().answered()
	if heard < 50 {
		t.Errorf("%d messages", heard)
	}
}
