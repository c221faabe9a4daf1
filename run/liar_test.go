package run_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"testing"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/run"
)

// parts and join undo and redo the body of a message.
func parts(t testing.TB, b []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		out = append(out, b[k:k+int(n)])
		b = b[k+int(n):]
	}
	return out
}

func join(list [][]byte) []byte {
	var b []byte
	for _, p := range list {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

// A lie bends the messages of one step of one round to some sites.
type lie struct {
	name  string
	step  run.Step
	round int
	to    func(ws.SiteID) bool // nil: all
	bend  func(t *testing.T, w *world, m run.Message) []run.Message
	kind  ws.Kind
}

func first(id ws.SiteID) bool { return id == "site0000" }

func others(id ws.SiteID) bool { return !first(id) }

// part bends one part of a body.
func part(at int, bend func(b []byte)) func(*testing.T, *world, run.Message) []run.Message {
	return func(t *testing.T, _ *world, m run.Message) []run.Message {
		m = clone(m)
		list := parts(t, m.Body)
		if len(list) == 0 { // an end without an answer
			return []run.Message{m}
		}
		if at < 0 {
			at += len(list)
		}
		bend(list[at])
		m.Body = join(list)
		return []run.Message{m}
	}
}

func flipLast(b []byte) { b[len(b)-1] ^= 1 }

// Lies of a conductor, each refused by the honest sites that it reaches.
var lies = []lie{
	{"another state's digest", run.Ask, 1, nil, part(0, flipLast), ws.Diverged},
	{"different states to different sites", run.Ask, 1, first, part(0, flipLast), ws.Diverged},
	{"asked twice, for another state", run.Ask, 1, nil, twice(part(0, flipLast)), ws.Diverged},
	{"a round that is over, for another state", run.Ask, 2, nil, func(t *testing.T, w *world, m run.Message) []run.Message {
		old := part(0, flipLast)(t, w, m)[0]
		old.Round = 0
		return []run.Message{old}
	}, ws.Diverged},
	{"a round to come", run.Ask, 1, nil, func(_ *testing.T, _ *world, m run.Message) []run.Message {
		m.Round++
		return []run.Message{m}
	}, ws.Diverged},
	{"a swapped fact", run.Plan, 0, nil, part(0, func(b []byte) { copy(b[bytes.Index(b, []byte("age")):], "egg") }), ws.Denied},
	{"a swapped key", run.Plan, 0, others, part(2, func(b []byte) { b[100] ^= 1 }), ws.Denied},
	{"another site's key for one's own", run.Plan, 0, first, part(2, func(b []byte) { b[100] ^= 1 }), ws.Diverged},
	{"a second plan", run.Plan, 0, nil, twice(part(2, func(b []byte) { b[100] ^= 1 })), ws.Diverged},
	{"another coin", run.Coins, 0, first, part(1, flipLast), ws.Diverged},
	{"an encapsulation of its own", run.Ask, 0, nil, part(1, func(b []byte) { b[50] ^= 1 }), ws.Denied},
	{"a roster that leaves the site out", run.RosterStep, 0, first, part(0, func(b []byte) { b[len(b)-1] ^= 1 }), ws.Denied},
	{"a vector with δ", run.Propose, 1, first, part(-1, func(b []byte) { b[len(b)-70] ^= 1 }), ws.Denied},
	{"a vector left out", run.Propose, 1, first, func(t *testing.T, _ *world, m run.Message) []run.Message {
		list := parts(t, clone(m).Body)
		var l sum.List
		if err := l.UnmarshalBinary(list[0]); err != nil {
			t.Fatal(err)
		}
		l.Survivors[0] &^= 8
		list[0], _ = l.MarshalBinary()
		m.Body = join(list[:len(list)-1])
		return []run.Message{m}
	}, ws.Denied},
	{"a vote forged", run.Certify, 1, nil, part(0, flipLast), ws.Denied},
	{"too few votes", run.Certify, 1, first, func(t *testing.T, _ *world, m run.Message) []run.Message {
		var c sum.Certificate
		if err := c.UnmarshalBinary(parts(t, m.Body)[0]); err != nil {
			t.Fatal(err)
		}
		c.Votes = c.Votes[:2]
		b, _ := c.MarshalBinary()
		m.Body = join([][]byte{b})
		return []run.Message{m}
	}, ws.Unreachable},
	{"too few reveals", run.OpenSum, 1, first, func(t *testing.T, _ *world, m run.Message) []run.Message {
		m.Body = join(parts(t, m.Body)[:2])
		return []run.Message{m}
	}, ws.Unreachable},
	{"a sum on the conductor's word", run.OpenSum, 1, first, func(_ *testing.T, _ *world, m run.Message) []run.Message {
		m.Step, m.Body = run.Audited, join([][]byte{make([]byte, 160)})
		return []run.Message{m}
	}, ws.Denied},
	{"another result", run.End, 3, first, part(0, flipLast), ws.Diverged},
	{"a result before its time", run.Ask, 1, nil, func(_ *testing.T, _ *world, m run.Message) []run.Message {
		m.Step, m.Body = run.End, join([][]byte{make([]byte, 32)})
		return []run.Message{m}
	}, ws.Diverged},
}

// twice lets the true message through, and then the bent one.
func twice(bend func(*testing.T, *world, run.Message) []run.Message) func(*testing.T, *world, run.Message) []run.Message {
	return func(t *testing.T, w *world, m run.Message) []run.Message {
		return append([]run.Message{m}, bend(t, w, m)...)
	}
}

func TestLies(t *testing.T) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, describeStudy(), 4)
			told := 0
			w.bend = func(m run.Message) []run.Message {
				if m.Step != l.step || m.Round != l.round || m.To == "hub" || l.to != nil && !l.to(m.To) {
					return []run.Message{m}
				}
				told++
				return l.bend(t, w, m)
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
				if ws.KindOf(h.refused) != l.kind {
					t.Errorf("%s refused with %v, want kind %v", id, h.refused, l.kind)
				}
				if h.doc != nil {
					t.Errorf("%s holds a document", id)
				}
			}
			if refused == 0 {
				t.Error("nobody refused")
			}
			if l.step != run.End && w.doc != nil {
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
			return part(0, flipLast)(t, w, m)
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

// Lies of a site that speaks for another end the run, with its name.
func TestLyingSite(t *testing.T) {
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
