package run_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/run"
	"wellspring/run/journal"
	"wellspring/stat"
	"wellspring/study"
)

func plainRounds(t testing.TB, p *analyze.Program, state analyze.State, hosts map[ws.SiteID]*host, sites []ws.SiteID) []study.Result {
	t.Helper()
	for range 50 {
		shape, err := p.Ask(state)
		if err != nil {
			t.Fatal(err)
		}
		sum := stat.Sum{Shape: shape, Ring: make(stat.Ring, shape.Len()), Sites: len(sites)}
		for _, id := range sites {
			ring, err := p.Fold(t.Context(), state, hosts[id].rows, analyze.FoldOptions{Site: id, Sites: len(hosts), Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			sum.Ring.Add(ring)
		}
		next, results, err := p.Next(state, sum)
		if err != nil {
			t.Fatal(err)
		}
		if results != nil {
			return results
		}
		state = next
	}
	t.Fatal("no result")
	return nil
}

// A masked run gives, bit for bit, what adding the sites' vectors gives, to
// the conductor and to every site.
func TestPlay(t *testing.T) {
	for name, s := range map[string]*study.Study{"describe": describeStudy(), "glm": glmStudy()} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s, 4).play()
			w.answered()
			got, err := json.Marshal(w.doc.Result)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(plain(t, s, w.hosts, w.sites)[0])
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("masked: %s\nplain: %s", got, want)
			}
			if !slices.Equal(w.doc.Sites, w.sites) {
				t.Errorf("the document names %v", w.doc.Sites)
			}
		})
	}
}

// Past 33 sites voters alone add the vectors, and the others take a sum from
// its auditors.
func TestPlay_Auditors(t *testing.T) {
	w := newWorld(t, describeStudy(), 40)
	audited := map[ws.SiteID]bool{}
	w.before = func(m run.Message) {
		if m.Step == run.Audited {
			audited[m.To] = true
		}
	}
	w.play().answered()
	if len(audited) != 40-33 {
		t.Errorf("%d sites took the auditors' word, want 7", len(audited))
	}
}

// A site is killed at every record that it saves, before it, after it and
// before anything is sent, and comes back from its journal; the answer has the
// same bytes.
func TestRestart(t *testing.T) {
	want := newWorld(t, describeStudy(), 4).play().answered()
	for _, kind := range []string{"memory", "dir"} {
		for at := range 3 {
			t.Run(fmt.Sprintf("%s at record %d", kind, at), func(t *testing.T) {
				w := newWorld(t, describeStudy(), 4)
				kills := w.killAt(t, kind, at, func(ws.SiteID, string) bool { return true })
				if w.play().answered() != want {
					t.Error("the answer has other bytes")
				}
				if *kills < 4 {
					t.Errorf("%d kills: the test kills nobody", *kills)
				}
			})
		}
	}
}

// killAt kills each site once at every step that is wanted, before the at-th
// record from the end is saved.
func (w *world) killAt(t *testing.T, kind string, at int, wanted func(site ws.SiteID, step string) bool) *int {
	kills := new(int)
	for _, h := range w.hosts {
		if kind == "dir" {
			j, err := journal.OpenDir(t.TempDir(), false)
			if err != nil {
				t.Fatal(err)
			}
			h.journal = j
		}
		var now string
		seen := map[string]bool{}
		w.hosts[h.cfg.Site].crash = func(k, of int) bool {
			key := fmt.Sprint(now, of)
			if of == 0 || of-k != at || seen[key] || !wanted(h.cfg.Site, now) {
				return false
			}
			seen[key] = true
			*kills++
			return true
		}
		before := w.before
		w.before = func(m run.Message) {
			if before != nil {
				before(m)
			}
			if m.To == h.cfg.Site {
				now = fmt.Sprint(m.Step, m.Round)
			}
		}
	}
	return kills
}

// The same in a network with a site that is no voter: one site is killed at
// every step, and that one at every sum that it is told.
func TestRestart_Auditors(t *testing.T) {
	w := newWorld(t, describeStudy(), 34)
	kills := w.killAt(t, "memory", 0, func(site ws.SiteID, step string) bool {
		return site == "site0000" || strings.HasPrefix(step, string(run.Audited))
	})
	if w.play().answered(); *kills < 15 {
		t.Errorf("%d kills", *kills)
	}
}

// Every message comes twice, and every earlier one once more at the end of
// each round: nobody minds.
func TestDuplicates(t *testing.T) {
	want := newWorld(t, describeStudy(), 4).play().answered()
	w := newWorld(t, describeStudy(), 4)
	var old []run.Message
	w.bend = func(m run.Message) []run.Message {
		out := []run.Message{clone(m), clone(m)}
		if m.Step == run.Audit && m.From == w.sites[0] {
			for _, o := range old {
				out = append(out, clone(o))
			}
		}
		old = append(old, clone(m))
		return out
	}
	if w.play().answered() != want {
		t.Error("the answer has other bytes")
	}
}

// Messages of another run or sender change nothing.
func TestStray(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	tried := 0
	w.before = func(m run.Message) {
		for i, bend := range []func(*run.Message){
			func(m *run.Message) { m.Run = "run-2" }, func(m *run.Message) { m.From = "elsewhere" }, func(m *run.Message) { m.Epoch++ },
		} {
			stray := clone(m)
			if bend(&stray); stray.Step == run.Open {
				continue
			}
			tried++
			if out, err := w.hosts[m.To].p.Step(run.Event{Message: &stray}); ws.KindOf(err) != ws.Diverged || len(out.Send)+len(out.Records) > 0 {
				t.Errorf("stray %d of %s: %v", i, m.Step, err)
			}
		}
	}
	w.play().answered()
	stray := run.Message{From: "elsewhere", To: "hub", Run: "run-1", Epoch: 1, Step: run.Vote}
	if _, err := w.c.Step(stray); ws.KindOf(err) != ws.Diverged || tried == 0 {
		t.Errorf("a message of no member: %v", err)
	}
}

// A steward withdraws between two rounds: its site masks nothing further, no list of
// survivors is proposed, the conductor learns the kind, and every site ends.
func TestGate(t *testing.T) {
	w := newWorld(t, glmStudy(), 4)
	asked := map[string]int{}
	w.before = func(m run.Message) {
		if m.Step == run.Ask && m.Round == 2 {
			w.hosts["site0002"].gate.closed = true
		}
		asked[fmt.Sprint(m.Step, m.Round)]++
	}
	w.bend = func(m run.Message) []run.Message {
		if m.From == "site0002" && m.Step == run.Contribute && m.Round == 2 {
			t.Error("the site masked its rows after the withdrawal")
		}
		return []run.Message{m}
	}
	w.play().failed(ws.Denied)
	if asked["propose2"] != 0 || asked["end2"] != 4 {
		t.Errorf("after the withdrawal: %v", asked)
	}
	if err := w.hosts["site0002"].refused; ws.KindOf(err) != ws.Denied {
		t.Errorf("the site ended with %v", err)
	}
	if text := w.err.Error(); !strings.Contains(text, "withdrawn") || strings.Contains(text, "site0002") || w.c.Refused() != "site0002" {
		t.Errorf("the asker reads %q, and the conductor knows of %q", text, w.c.Refused())
	}
}

// From the second round on the shares come along with the audit of the sum before, so
// that asking a round takes no journey of its own. A site whose gate is closed
// just then shares nothing unasked, and its refusal is heard when it is asked.
func TestEarlyShares(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	var steps []string
	w.bend = func(m run.Message) []run.Message {
		if m.From == w.sites[1] || m.To == w.sites[1] {
			steps = append(steps, fmt.Sprint(m.Step, m.Round))
		}
		return []run.Message{m}
	}
	w.play().answered()
	at := slices.Index(steps, "audit0")
	want := []string{"audit0", "shares1", "ask1", "roster1", "contribute1"}
	if at < 0 || !slices.Equal(steps[at:at+len(want)], want) {
		t.Errorf("after the first sum: %v, want %v", steps[max(at, 0):], want)
	}
	if n := strings.Count(strings.Join(steps, " "), "shares1"); n != 1 {
		t.Errorf("the shares of round 1 went %d times", n)
	}
	w = newWorld(t, describeStudy(), 4)
	w.before = func(m run.Message) {
		if m.Step == run.OpenSum && m.Round == 0 {
			w.hosts["site0002"].gate.closed = true
		}
	}
	w.bend = func(m run.Message) []run.Message {
		if m.From == "site0002" && m.Step == run.SharesStep && m.Round == 1 {
			t.Error("a site shares unasked what its gate does not let through")
		}
		return []run.Message{m}
	}
	w.play().failed(ws.Denied)
}

// Whoever leaves the asking out, so that sites compare no state, gets no vector.
func TestEarlyShares_Unasked(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	w.bend = func(m run.Message) []run.Message {
		switch {
		case m.Step == run.Ask && m.Round == 1:
			return nil
		case m.Step == run.Contribute && m.Round == 1:
			t.Error("a site masks for a round that nobody asked")
		}
		return []run.Message{m}
	}
	w.play()
	if w.doc != nil {
		t.Error("the run has an answer")
	}
}

// A gate that is closed from the start is heard of too, and nothing else is.
func TestGate_Opening(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	w.hosts["site0000"].gate.closed = true
	w.play().failed(ws.Denied)
}
