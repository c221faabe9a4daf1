package run_test

import (
	"sync"
	"testing"

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
	return out
})

// quiet is a testing.TB for what is played outside a test.
type quiet struct{ testing.TB }

func (quiet) Helper()                   {}
func (quiet) Fatal(args ...any)         { panic(args) }
func (quiet) Fatalf(f string, a ...any) { panic(f) }

// A site in any phase gets any body, at any step and round: it answers or
// refuses, and never panics.
func FuzzParticipant_Step(f *testing.F) {
	for i, m := range recorded().messages {
		f.Add(uint8(i), string(m.Step), int16(m.Round), m.Body)
	}
	f.Fuzz(func(t *testing.T, at uint8, step string, round int16, body []byte) {
		r := recorded()
		phase := int(at) % len(r.journals)
		j := &journal.Memory{}
		for key, b := range r.journals[phase] {
			if err := j.Save(key, b); err != nil {
				t.Fatal(err)
			}
		}
		p, err := run.Restore(r.cfg, j)
		if err != nil {
			t.Fatal(err)
		}
		m := run.Message{From: "hub", To: "site0000", Run: "run-1", Epoch: 1, Round: int(round), Step: run.Step(step), Body: body}
		out, err := p.Step(run.Event{Message: &m})
		if err != nil && (len(out.Send) > 1 || out.Document != nil || out.Fold != nil) {
			t.Errorf("a refusal comes with more: %v", err)
		}
	})
}

// The same at the conductor.
func FuzzConductor_Step(f *testing.F) {
	f.Add("facts", []byte{1, 2, 3})
	f.Add("refuse", []byte(`{}`))
	f.Fuzz(func(t *testing.T, step string, body []byte) {
		w := newWorld(t, describeStudy(), 4)
		if _, err := w.c.Begin(); err != nil {
			t.Fatal(err)
		}
		out, err := w.c.Step(run.Message{From: "site0001", To: "hub", Run: "run-1", Epoch: 1, Step: run.Step(step), Body: body})
		if out.Document != nil || err == nil && len(out.Send) > 0 {
			t.Error("one message brings an answer")
		}
	})
}
