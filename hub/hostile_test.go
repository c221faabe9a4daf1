package hub_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/hub/hubtest"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
	"wellspring/post"
	"wellspring/run"
	"wellspring/run/runtest"
	"wellspring/study"
)

// soon is how long a node may take for what it does without waiting for others.
const soon = 20 * time.Second

func ages(name string) *study.Study {
	a := study.Analysis{Method: "describe", Variables: []string{"age"}}
	return &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: name}, Data: study.Data{Dataset: hubtest.Dataset}, Analysis: &a}
}

// told waits until one of a network's nodes has reported, since the first n reports,
// an error of a kind that says all of these words.
func told(t testing.TB, w *hubtest.Network, n int, kind ws.Kind, words ...string) {
	t.Helper()
	var all []error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		all = w.Troubles()[n:]
		for _, err := range all {
			says := ws.KindOf(err) == kind
			for _, word := range words {
				says = says && strings.Contains(err.Error(), word)
			}
			if says {
				return
			}
		}
	}
	t.Errorf("nobody reports %v of %q: %v", kind, words, all)
}

// refused holds an error to be of a kind and to say some words. Who waits to the end of
// the conductor's patience instead is told of another kind.
func refused(t testing.TB, err error, kind ws.Kind, words ...string) {
	t.Helper()
	if ws.KindOf(err) != kind || err == nil {
		t.Errorf("ended with %v, want %v", err, kind)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it says %q, and nothing of %q", err, word)
		}
	}
}

// mouth lies in the messages of runs that one node sends, and counts the lies.
func mouth(liar ws.SiteID, l runtest.Lie, first ws.SiteID, lies *atomic.Int32) hubtest.Mouth {
	return func(from ws.SiteID, m mesh.Letter) (out []mesh.Letter) {
		if from != liar || run.Step(m.Label).Bound() == 0 {
			return []mesh.Letter{m}
		}
		say, lied := l.Tell(run.Message{From: m.From, To: m.To, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Step: run.Step(m.Label), Body: m.Body}, first)
		if lied {
			lies.Add(1)
		}
		for _, s := range say {
			out = append(out, post.Letter(s))
		}
		return out
	}
}

// A hub that conducts and lies: a site refuses, and tells its own people from whom the
// message was; the run ends at once, and nobody has an answer.
func TestHostile_Hub(t *testing.T) {
	w := network(t, 4)
	q := ask(t, w, ages("ages"))
	want := bytesOf(t, q.run(t, w).Document)
	for i, l := range runtest.Lies {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			var lies atomic.Int32
			n := len(w.Troubles())
			w.Lie(mouth(broker.HubSite, l, w.Sites[0], &lies))
			out, err := q.try(t.Context(), w)
			w.Lie(nil)
			if lies.Load() == 0 {
				t.Fatal("the lie was never told")
			}
			if l.Step == run.End { // the hub has the answer; the site does not take another
				if err != nil || bytesOf(t, out.Document) != want {
					t.Errorf("the hub's own answer: %v", err)
				}
			} else {
				refused(t, err, l.Kind)
			}
			told(t, w, n, l.Kind, "from hub is refused", "site site")
		})
	}
	if bytesOf(t, q.run(t, w).Document) != want {
		t.Error("after all lies the answer has other bytes")
	}
}

// A site that lies, about a digest, in a vector of the wrong length, in any step: the
// run ends at once with its name.
func TestHostile_Site(t *testing.T) {
	t.Parallel()
	w := network(t, 4)
	q := ask(t, w, ages("ages"))
	want := bytesOf(t, q.run(t, w).Document)
	for i, l := range runtest.SiteLies {
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			var lies atomic.Int32
			w.Lie(mouth("site1", l, "", &lies))
			_, err := q.try(t.Context(), w)
			w.Lie(nil)
			if lies.Load() == 0 {
				t.Fatal("the lie was never told")
			}
			refused(t, err, l.Kind, "site1")
		})
	}
	t.Run("twice, and otherwise", func(t *testing.T) {
		w.Lie(func(from ws.SiteID, m mesh.Letter) []mesh.Letter {
			if from != "site1" || run.Step(m.Label).Bound() == 0 {
				return []mesh.Letter{m}
			}
			again := m
			again.Body = append([]byte(nil), m.Body...)
			if len(again.Body) > 70 {
				again.Body[len(again.Body)-70] ^= 1
			}
			return []mesh.Letter{m, m, again}
		})
		defer w.Lie(nil)
		if bytesOf(t, q.run(t, w).Document) != want {
			t.Error("whoever answers twice has another answer")
		}
	})
	if bytesOf(t, q.run(t, w).Document) != want {
		t.Error("after all lies the answer has other bytes")
	}
}

// A broker that drops, repeats, delays, reorders, cuts, forges and replays frames of
// everybody: the study ends with the same bytes.
func TestHostile_Broker(t *testing.T) {
	t.Parallel()
	q := func(w *hubtest.Network) string { return bytesOf(t, ask(t, w, logistic("first")).run(t, w).Document) }
	want := q(network(t, 4))
	var seed atomic.Uint64
	w := network(t, 4, over(func(pass mesh.Pass) (mesh.Carrier, error) {
		c, err := wire.Open(pass, wire.Options{})
		if err != nil {
			return nil, err
		}
		return meshtest.NewHostile(c, seed.Add(1), 0.05), nil
	}))
	begin := time.Now()
	if q(w) != want {
		t.Error("the answer has other bytes")
	}
	t.Logf("answered in %v", time.Since(begin))
}

// Silence of a site, or of a hub or broker that keeps its letters: within the patience
// of whoever conducts the run ends, or a new epoch goes on without it.
func TestHostile_Silence(t *testing.T) {
	t.Parallel()
	const patience = 2 * time.Second
	w := network(t, 5, patient(patience))
	silent := func(step run.Step, round int) hubtest.Mouth {
		return func(_ ws.SiteID, m mesh.Letter) []mesh.Letter {
			if m.To == "site4" && m.Label == string(step) && m.Round == round {
				return nil
			}
			return []mesh.Letter{m}
		}
	}
	for _, c := range []struct {
		study *study.Study
		step  run.Step
		round int
	}{{ages("later"), run.Propose, 1}, {logistic("first"), run.RosterStep, 0}} {
		q := ask(t, w, c.study)
		w.Lie(silent(c.step, c.round))
		out, err := q.within(t, w, 30*patience)
		w.Lie(nil)
		switch {
		case c.round == 0 && (err != nil || len(out.Document.Sites) != 4):
			t.Errorf("before the first sum: %v", err)
		case c.round > 0:
			refused(t, err, ws.Unreachable, "site4")
		}
	}
}
