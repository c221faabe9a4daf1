package run_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/runtest"
	"wellspring/study"
)

// again asks a site the run once more, from its opening to round 0, as a
// conductor would who hopes that the site has forgotten it. It returns what the
// site sends.
func (w *world) again(h *host, epoch int, sites []ws.SiteID, s *study.Study) (sent []run.Message) {
	w.t.Helper()
	w.study = s
	w.open(epoch, sites)
	out, err := w.c.Begin()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range out.Send {
		if m.To == h.cfg.Site {
			sent = append(sent, h.handle(m)...)
		}
	}
	for _, step := range []run.Step{run.Plan, run.Coins, run.Ask, run.RosterStep, run.Propose, run.Certify, run.OpenSum} {
		sent = append(sent, h.handle(run.Message{From: "hub", To: h.cfg.Site, Run: "run-1", Epoch: epoch, Step: step, Body: runtest.Join(make([]byte, 32))})...)
	}
	return sent
}

// answers are the messages that are no refusal.
func answers(sent []run.Message) []run.Message {
	return slices.DeleteFunc(slices.Clone(sent), func(m run.Message) bool { return m.Step == run.Refuse })
}

// After the end a site keeps a small record without secrets, and is silent or
// refuses when the run is opened again: for fewer sites, in another epoch, with
// another question, before and after a restart.
func TestOver(t *testing.T) {
	four := siteNames(4)
	for name, c := range map[string]struct {
		epoch int
		sites []ws.SiteID
		study *study.Study
		kind  ws.Kind
	}{
		"the same opening":      {1, four, describeStudy(), ws.Other},
		"one site fewer":        {1, four[:3], describeStudy(), ws.Denied},
		"a new epoch":           {2, four, describeStudy(), ws.Denied},
		"a new epoch, one less": {2, four[:3], describeStudy(), ws.Denied},
		"another question":      {1, four, glmStudy(), ws.Denied},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", name, restart), func(t *testing.T) {
				w := newWorld(t, describeStudy(), 4).play()
				w.answered()
				h := w.hosts["site0000"]
				if restart {
					h.restore()
				}
				sent := w.again(h, c.epoch, c.sites, c.study)
				if left := answers(sent); len(left) > 0 {
					t.Errorf("the site answers %s", left[0].Step)
				}
				if c.kind != ws.Other && (len(sent) == 0 || ws.KindOf(h.refused) != c.kind) {
					t.Errorf("refused with %v, want kind %v", h.refused, c.kind)
				}
			})
		}
	}
}

// The tombstone is short, names the run and no more; nothing else is left.
func TestOver_Tombstone(t *testing.T) {
	w := newWorld(t, glmStudy(), 4).play()
	w.answered()
	h := w.hosts["site0001"]
	for _, key := range run.Keys {
		b, err := h.journal.Load(key)
		switch {
		case err != nil:
			t.Fatal(err)
		case key != "state" && b != nil:
			t.Errorf("the journal keeps %s", key)
		case key == "state" && (len(b) == 0 || len(b) > 1024):
			t.Errorf("the state has %d bytes", len(b))
		}
	}
	b, _ := h.journal.Load("state")
	var got struct{ Over map[string]any }
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for name := range got.Over {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	if want := []string{"chain", "epoch", "last", "opening", "result", "rounds", "run"}; !slices.Equal(fields, want) {
		t.Errorf("the tombstone holds %v, want %v", fields, want)
	}
	if got.Over["run"] != "run-1" || got.Over["rounds"] != float64(w.doc.Rounds) {
		t.Errorf("the tombstone is of run %v after %v rounds", got.Over["run"], got.Over["rounds"])
	}
	if bytes.Contains(b, h.cfg.Key.(ed25519.PrivateKey).Seed()) {
		t.Error("the key is in the journal")
	}
}

// A conductor stops a site at every message of a run, by an end without or with
// a made-up answer, and opens the run again: the same epoch, and a new one
// without another site. The site has then either answered no sum that can have
// been opened, or refuses; and it never answers the same epoch again.
func TestOver_EarlyEnd(t *testing.T) {
	for _, body := range [][]byte{nil, runtest.Join(make([]byte, 32))} {
		for _, restart := range []bool{false, true} {
			stops := 0
			for at := 1; ; at++ {
				w, h, revealed := stopped(t, at, body)
				if h == nil {
					break
				}
				stops++
				if restart {
					h.restore()
				}
				what := fmt.Sprintf("stopped at message %d, body of %d bytes, restart %v", at, len(body), restart)
				if left := answers(w.again(h, 1, siteNames(4), describeStudy())); len(left) > 0 {
					t.Errorf("%s: the same epoch is answered with %s", what, left[0].Step)
				}
				if left := answers(w.again(h, 2, siteNames(3), describeStudy())); len(left) > 0 && revealed {
					t.Errorf("%s: a new epoch is answered with %s after a reveal", what, left[0].Step)
				}
			}
			if stops < 15 {
				t.Errorf("%d stops: the test stops nobody", stops)
			}
		}
	}
}

// stopped plays a run in which the at-th message to site0000 after its opening
// is replaced by an end, and nothing reaches the site any more. It says whether
// the site had revealed anything; the host is nil if the run was over before.
func stopped(t *testing.T, at int, body []byte) (w *world, h *host, revealed bool) {
	w = newWorld(t, describeStudy(), 4)
	told := 0
	w.bend = func(m run.Message) []run.Message {
		if m.From == "site0000" && m.Step == run.Reveal {
			revealed = true
		}
		if m.To != "site0000" || m.Step == run.End {
			return []run.Message{m}
		}
		told++
		switch {
		case told < at+1:
			return []run.Message{m}
		case told == at+1:
			m.Step, m.Body = run.End, body
			h = w.hosts["site0000"]
			return []run.Message{m}
		}
		return nil
	}
	w.play()
	if h != nil && h.doc != nil {
		t.Errorf("stopped at message %d the site holds a document", at)
	}
	return w, h, revealed
}

// The end of an earlier epoch erases nothing of the present one.
func TestOver_LateEnd(t *testing.T) {
	w := newWorld(t, describeStudy(), 5)
	w.before = func(m run.Message) {
		if m.To == "site0004" && m.Step == run.Plan {
			w.lose("site0004")
		}
	}
	w.play().failed(ws.Unreachable)
	w.open(2, w.sites[:4])
	tried := 0
	w.before = func(m run.Message) {
		if m.Step == run.Open {
			return
		}
		tried++
		for _, body := range [][]byte{nil, runtest.Join(make([]byte, 32))} {
			late := run.Message{From: "hub", To: m.To, Run: "run-1", Epoch: 1, Round: m.Round, Step: run.End, Body: body}
			out, err := w.hosts[m.To].p.Step(run.Event{Message: &late})
			if err != nil || len(out.Records)+len(out.Erase) > 0 || out.Last != nil {
				t.Errorf("before %s a late end brings %d records, erases %v, error %v", m.Step, len(out.Records), out.Erase, err)
			}
		}
	}
	w.play().answered()
	if tried == 0 {
		t.Error("no late end was tried")
	}
}

// A site that came back from a backup answers nothing of a run that is lost to it,
// whatever it is asked: the same epoch, a new one, fewer sites, to take it over.
func TestLost(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	h := w.hosts["site0000"]
	tomb, err := run.Lost("run-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.journal.Save(tomb); err != nil {
		t.Fatal(err)
	}
	h.restore()
	for epoch, sites := range map[int][]ws.SiteID{1: siteNames(4), 2: siteNames(3)} {
		sent := w.again(h, epoch, sites, describeStudy())
		if left := answers(sent); len(left) > 0 || len(sent) < 8 || ws.KindOf(h.refused) != ws.Denied {
			t.Errorf("epoch %d: %d messages, answers %v; refused with %v", epoch, len(sent), left, h.refused)
		}
	}
	if sent := h.handle(run.Message{From: "site0001", To: "site0000", Run: "run-1", Epoch: 1, Step: run.Resume, Body: runtest.Join()}); len(answers(sent)) > 0 || len(sent) != 1 {
		t.Errorf("to be taken over: %v", sent)
	}
	if _, err := h.p.StandIn(); err == nil {
		t.Error("it would stand in")
	}
	if sent := h.handle(run.Message{From: "hub", To: "site0000", Run: "run-2", Epoch: 1, Step: run.Ask}); len(sent) > 0 {
		t.Errorf("to another run: %v", sent)
	}
	if sent := h.handle(run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Step: run.End}); len(sent) > 0 {
		t.Errorf("to an end: %v", sent)
	}
	h.restore()
	if left := answers(w.again(h, 1, siteNames(4), describeStudy())); len(left) > 0 {
		t.Errorf("after an end it answers %v", left)
	}
}

// The end of a run that this site refused at its opening, or never heard of, is no
// disagreement: nothing is said of it, and nothing answered.
func TestEnd_Refused(t *testing.T) {
	for _, refused := range []bool{true, false} {
		w := newWorld(t, describeStudy(), 4)
		h := w.hosts["site0000"]
		if refused {
			h.gate.closed = true
			w.open(1, siteNames(4))
			out, err := w.c.Begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range out.Send {
				if m.To == h.cfg.Site && len(answers(h.handle(m))) > 0 {
					t.Error("the opening was not refused")
				}
			}
			h.refused = nil
		}
		end := run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Step: run.End, Body: runtest.Join()}
		if sent := h.handle(end); len(sent) > 0 || h.refused != nil {
			t.Errorf("refused before %v: it sends %v and says %v", refused, sent, h.refused)
		}
	}
}
