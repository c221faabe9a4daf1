package run_test

import (
	"crypto/ed25519"
	"slices"
	"sync"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/journal"
)

// recorded is one played run: what reached site0000, and its journal before
// each message.
var recorded = sync.OnceValue(func() (out struct {
	messages []run.Message
	journals []map[string][]byte
	cfg      run.Config
}) {
	w := newWorld(quiet{}, describeStudy(), 4)
	h := w.hosts["site0000"]
	w.before = func(m run.Message) {
		if m.To != "site0000" {
			return
		}
		records := map[string][]byte{}
		for _, key := range run.Keys {
			if b, err := h.journal.Load(key); err == nil && b != nil {
				records[key] = b
			}
		}
		out.messages, out.journals = append(out.messages, clone(m)), append(out.journals, records)
	}
	w.play()
	out.cfg = h.cfg
	out.cfg.Shared = new(run.Shared) // the plan's are checked once, not at every input
	return out
})

// quiet is a testing.TB for what is played outside a test.
type quiet struct{ testing.TB }

func (quiet) Helper()                   {}
func (quiet) Fatal(args ...any)         { panic(args) }
func (quiet) Fatalf(f string, a ...any) { panic(f) }

// told are the steps that a conductor may tell a site, and one that it may not.
var told = []run.Step{run.Open, run.Plan, run.Coins, run.Ask, run.RosterStep, run.Propose, run.Certify, run.OpenSum, run.Audited, run.End, run.Vote}

// A site in any phase gets any body, at any step and round: it answers or
// refuses, and never panics.
func FuzzParticipant_Step(f *testing.F) {
	for i, m := range recorded().messages {
		f.Add(uint8(i), uint8(slices.Index(told, m.Step)), int16(m.Round), m.Body)
	}
	f.Fuzz(func(t *testing.T, at, step uint8, round int16, body []byte) {
		r := recorded()
		phase := int(at) % len(r.journals)
		j := &journal.Memory{}
		for key, b := range r.journals[phase] {
			if err := j.Save(run.Record{Key: key, Bytes: b}); err != nil {
				t.Fatal(err)
			}
		}
		p, err := run.Restore(r.cfg, j)
		if err != nil {
			t.Fatal(err)
		}
		m := run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Round: int(round), Step: told[int(step)%len(told)], Body: body}
		out, err := p.Step(run.Event{Message: &m})
		if err != nil && (len(out.Send) > 1 || out.Document != nil || out.Fold != nil) {
			t.Errorf("a refusal comes with more: %v", err)
		}
	})
}

// heard is the same run at the conductor: what reached it, and its answer.
var heard = sync.OnceValue(func() (out struct {
	opening  *run.Opening
	messages []run.Message
	known    *run.Shared
	document string
}) {
	w := newWorld(quiet{}, describeStudy(), 4)
	w.bend = func(m run.Message) []run.Message {
		if m.To == "hub" {
			out.messages = append(out.messages, clone(m))
		}
		return []run.Message{m}
	}
	out.document = documentBytes(quiet{}, w.play().doc)
	out.opening, out.known = w.opening, new(run.Shared)
	return out
})

// answered are the steps that a site may send, and one that it may not.
var answered = []run.Step{run.FactsStep, run.CoinStep, run.Pairs, run.SharesStep, run.Contribute, run.Vote, run.Reveal, run.Audit, run.Refuse, run.End}

// The same at the conductor: in any phase it goes on or ends the run, and holds
// no answer but the true one.
func FuzzConductor_Step(f *testing.F) {
	for i, m := range heard().messages {
		f.Add(uint8(i), uint8(i), uint8(slices.Index(answered, m.Step)), int16(m.Round), m.Body)
	}
	f.Add(uint8(0), uint8(1), uint8(8), int16(0), []byte(`{}`))
	f.Fuzz(func(t *testing.T, at, from, step uint8, round int16, body []byte) {
		r := heard()
		c, err := run.NewConductor(r.opening, catalog, r.known)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Begin(); err != nil {
			t.Fatal(err)
		}
		for _, m := range r.messages[:int(at)%len(r.messages)] {
			if _, err := c.Step(m); err != nil {
				t.Fatal(err)
			}
		}
		site := r.opening.Members[int(from)%len(r.opening.Members)].Site
		out, err := c.Step(run.Message{From: site, To: "hub", Run: "run-1", Epoch: 1, Round: int(round), Step: answered[int(step)%len(answered)], Body: body})
		if out.Document != nil && (err != nil || documentBytes(t, out.Document) != r.document) {
			t.Errorf("another answer: %v", err)
		}
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"opening":null}`), []byte{}, []byte{})
	f.Add([]byte(`{"opening":{"chain":"c","run":"r","epoch":1,"release":"`+string(ws.Version)+`","members":[]},"round":0}`), []byte{1}, []byte{2})
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	f.Fuzz(func(t *testing.T, state, plan, masked []byte) {
		j := &journal.Memory{}
		if err := j.Save(run.Record{Key: "state", Bytes: state}, run.Record{Key: "plan", Bytes: plan}, run.Record{Key: "masked", Bytes: masked}); err != nil {
			t.Fatal(err)
		}
		if p, err := run.Restore(run.Config{Site: "a", Key: key}, j); (p == nil) == (err == nil) {
			t.Errorf("neither a participant nor an error: %v", err)
		}
	})
}
