package hub_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/post"
	"wellspring/run"
	"wellspring/study"
)

// A rogue conducts with the hub's keys, and none of its checks.
type rogue struct {
	w  *hubtest.Network
	o  *run.Opening
	c  *run.Conductor
	in chan run.Message

	before func(run.Message) bool // what it does before it sends; false keeps the message
}

// opening is what a run of the question over these sites is opened with.
func (q question) opening(t testing.TB, w *hubtest.Network, id ledger.RunID, epoch int, version int, sites ...ws.SiteID) (*run.Opening, *ledger.OpenRun) {
	t.Helper()
	text, err := q.study.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	chain, _ := w.File.State().Chain()
	o := &run.Opening{Chain: string(chain.ID), Run: string(id), Epoch: epoch, Release: ws.Version, Conductor: broker.HubSite, Institution: "centre", Study: text}
	body := &ledger.OpenRun{StudyRef: q.ref, Conductor: broker.HubSite, Epoch: epoch, Release: ws.Version, Run: id}
	for _, s := range sites {
		key := ledgertest.Public(string(s))
		o.Members = append(o.Members, run.Member{Site: s, Institution: "inst-" + ws.Institution(s), Key: ed25519.PublicKey(key[:])})
		body.Members = append(body.Members, ledger.Member{Site: s, Key: key, Version: version})
	}
	if body.Opening, err = o.Digest(); err != nil {
		t.Fatal(err)
	}
	return o, body
}

func submit(w *hubtest.Network, b ledger.Body) error {
	return w.Submit(context.Background(), string(broker.HubSite), func(ledgertest.Net) ledger.Body { return b })
}

// rogue opens a run on the ledger, and takes the hub's place in it.
func (q question) rogue(t testing.TB, w *hubtest.Network, name string, version int, sites ...ws.SiteID) *rogue {
	t.Helper()
	o, body := q.opening(t, w, ledgertest.RunID(name), 1, version, sites...)
	if err := submit(w, body); err != nil {
		t.Fatal(err)
	}
	r := &rogue{w: w, o: o, in: make(chan run.Message, 1024)}
	var err error
	if r.c, err = run.NewConductor(o, analyze.Catalog{describe.Describe(), glm.Method()}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Hear(o.Run, r.hear))
	return r
}

func (r *rogue) hear(d *mesh.Delivery) {
	if m, err := post.Message(d); err == nil {
		r.in <- m
	}
}

// conduct plays the run to its end, or to the first refusal.
func (r *rogue) conduct(ctx context.Context) (*study.Document, error) {
	out, err := r.c.Begin()
	for {
		marked := !r.c.Summing() || len(out.Send) == 0
		for _, m := range out.Send {
			if !marked {
				marked = true
				_ = submit(r.w, &ledger.MarkSum{Run: ledger.RunID(r.o.Run), Epoch: r.o.Epoch})
			}
			if r.before != nil && !r.before(m) {
				continue
			}
			if err := r.w.Send(ctx, broker.HubSite, post.Letter(m)); err != nil {
				return nil, err
			}
		}
		if err != nil || out.Document != nil {
			return out.Document, err
		}
		select {
		case m := <-r.in:
			out, err = r.c.Step(m)
			if ws.KindOf(err) == ws.Diverged && len(out.Send) == 0 { // late, of a try before this one
				err = nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try conducts for no longer than a refusal may take.
func (r *rogue) try(t testing.TB) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	doc, err := r.conduct(ctx)
	if doc != nil {
		t.Error("there is an answer")
	}
	return err
}

// A conductor that calls a site lost in the run's first sum could have it back in the
// next run of the study, and subtract: the others reveal nothing.
func TestHostile_FirstSum(t *testing.T) {
	t.Parallel()
	w := network(t, 5)
	r := ask(t, w, ages("ages")).rogue(t, w, "first", 1, w.Sites...)
	r.before = func(m run.Message) bool {
		if m.To == "site4" && m.Step == run.RosterStep && m.Round == 0 {
			out, err := r.c.Lose("site4")
			if err != nil || len(out.Send) > 0 {
				t.Errorf("the others have answered already: %v", err)
			}
			return false
		}
		return m.To != "site4" || m.Round == 0 && m.Step != run.Propose
	}
	n := len(w.Troubles())
	refused(t, r.try(t), ws.Denied, "leave out site site4")
	told(t, w, n, ws.Denied, "from hub is refused", "leave out site site4")
}

// A run's id, or its epoch, used again: the ledger refuses, and so do the sites that
// have answered it, also when they were restarted since.
func TestHostile_RunAgain(t *testing.T) {
	t.Parallel()
	w := network(t, 4)
	q := ask(t, w, ages("ages"))
	out := q.run(t, w)
	for _, epoch := range []int{1, 2} {
		_, body := q.opening(t, w, out.Run, epoch, 1, w.Sites[:3]...)
		if err := submit(w, body); ws.KindOf(err) != ws.Denied {
			t.Errorf("epoch %d on the ledger: %v", epoch, err)
		}
	}
	for _, restart := range []bool{false, true} {
		if restart {
			for _, id := range w.Sites {
				w.Kill(id)
				if err := w.Start(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, epoch := range []int{1, 2} {
			o, _ := q.opening(t, w, out.Run, epoch, 1, w.Sites[:3]...)
			c, err := run.NewConductor(o, analyze.Catalog{describe.Describe(), glm.Method()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			r := &rogue{w: w, o: o, c: c, in: make(chan run.Message, 1024)}
			end := w.Hear(o.Run, r.hear)
			n := len(w.Troubles())
			refused(t, r.try(t), ws.Denied)
			told(t, w, n, ws.Denied, "from hub is refused", string(out.Run))
			end()
		}
	}
}

// One site is taken off the sum of an earlier study: by a hub that has forgotten what
// was asked, after its death, after a member stood in for it, in other words, on a new
// version, under the same digest. Every site refuses, and names whose part it would be.
func TestHostile_Subtraction(t *testing.T) {
	t.Parallel()
	w := network(t, 5)
	q := ask(t, w, logistic("first"))
	id := q.orphan(t, w, 3, 0)
	w.Careless()
	again := logistic("again")
	again.Data.Where = "age >= 0"
	again.Analysis.Formula = "sick ~ arm + age"
	reworded := ask(t, w, again)
	one := func(what string) {
		t.Helper()
		n := len(w.Troubles())
		less := reworded
		less.members = less.members[:4]
		_, err := less.try(t.Context(), w)
		refused(t, err, ws.Denied, "the part of inst-site4")
		told(t, w, n, ws.Denied, "from hub is refused", "the part of inst-site4")
		if t.Failed() {
			t.Fatal(what)
		}
	}
	one("while a member may still stand in")
	until, stop := context.WithTimeout(t.Context(), time.Minute)
	_, err := w.Site("site2").StandIn(until, id)
	stop()
	if err != nil {
		t.Fatal(err)
	}
	one("after a member stood in")
	for _, s := range w.Sites {
		w.Kill(s)
		if err := w.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	one("after the sites were restarted")

	refused(t, q.rogue(t, w, "same", 1, w.Sites[:4]...).try(t), ws.Denied, "the part of inst-site4")
	for _, s := range w.Sites {
		if err := w.Submit(t.Context(), "inst-"+string(s), func(ledgertest.Net) ledger.Body {
			return &ledger.AddVersion{Site: s, Dataset: hubtest.Dataset, Version: 2, Commitment: ledgertest.Hash("2" + string(s))}
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.Submit(t.Context(), "inst-"+string(s), func(ledgertest.Net) ledger.Body {
			return ledgertest.Decide(ledger.Question{StudyRef: reworded.ref, Release: ws.Version, Site: s, Version: 2}, ledger.Approve)
		}); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, reworded.rogue(t, w, "newer", 2, w.Sites[:4]...).try(t), ws.Denied, "the part of inst-site4")
	if _, err := reworded.try(t.Context(), w); err != nil {
		t.Errorf("over the same sites: %v", err)
	}
}

// Two runs at one time, over sets that differ by one site: the one whose sum the
// ledger has as the later is not revealed.
func TestHostile_AtOneTime(t *testing.T) {
	t.Parallel()
	w := network(t, 5, forgetful)
	q, other := ask(t, w, ages("one")), ask(t, w, ages("two"))
	r := q.rogue(t, w, "slow", 1, w.Sites[:4]...)
	between := false
	r.before = func(m run.Message) bool {
		if m.Step == run.Propose && !between {
			between = true
			if _, err := other.try(t.Context(), w); err != nil {
				t.Errorf("the quick one, which no mark is before: %v", err)
			}
		}
		return true
	}
	err := r.try(t)
	if !between {
		t.Fatal("no other run came between")
	}
	refused(t, err, ws.Denied, "the part of inst-site4")
}

// A hub that shows a site another ledger than the others: with its true head the site
// sees it, and with a false one the run that the two fix otherwise comes to nothing.
func TestHostile_Ledgers(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"true", "false"} {
		t.Run("its head is "+head, func(t *testing.T) {
			w := network(t, 5)
			q := ask(t, w, ages("ages"))
			if err := w.Reach(t.Context(), "site0"); err != nil {
				t.Fatal(err)
			}
			o, body := q.opening(t, w, ledgertest.RunID("two"), 1, 1, w.Sites...)
			fork, forked := q.opening(t, w, ledgertest.RunID("two"), 1, 1, w.Sites[:4]...)
			f := &forker{t: t, state: w.File.State(), instead: forked, lie: head == "false"}
			w.Lie(func(from ws.SiteID, m mesh.Letter) []mesh.Letter {
				if from == broker.HubSite && m.To == "site0" {
					return f.say(m)
				}
				return []mesh.Letter{m}
			})
			n := len(w.Troubles())
			if err := submit(w, body); err != nil {
				t.Fatal(err)
			}
			if head == "true" {
				told(t, w, n, ws.Diverged, "another root", "height")
				w.Lie(nil)
				return
			}
			r := &rogue{w: w, o: o, in: make(chan run.Message, 1024)}
			var err error
			if r.c, err = run.NewConductor(o, analyze.Catalog{describe.Describe(), glm.Method()}, nil); err != nil {
				t.Fatal(err)
			}
			defer w.Hear(o.Run, r.hear)()
			other, err := run.NewConductor(fork, analyze.Catalog{describe.Describe(), glm.Method()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.before = func(m run.Message) bool { // to site0 the opening that its own ledger has
				if m.Step != run.Open || m.To != "site0" {
					return true
				}
				out, err := other.Begin()
				if err != nil {
					t.Error(err)
				}
				i := slices.IndexFunc(out.Send, func(m run.Message) bool { return m.To == "site0" })
				if err := w.Send(t.Context(), broker.HubSite, post.Letter(out.Send[i])); err != nil {
					t.Error(err)
				}
				return false
			}
			err = r.try(t)
			w.Lie(nil)
			if k := ws.KindOf(err); k != ws.Denied && k != ws.Diverged {
				t.Errorf("two openings: %v", err)
			}
			if rec, _ := w.File.State().Run(ledger.RunID(o.Run)); rec.Summed {
				t.Errorf("run %+v", rec)
			}
		})
	}
}

// A forker gives a site another opening of a run than the ledger has, in the place of
// the true one, and if it lies the root of the ledger that comes of it.
type forker struct {
	t       testing.TB
	state   ledger.State
	instead *ledger.OpenRun
	lie     bool
}

func (f *forker) say(m mesh.Letter) []mesh.Letter {
	switch m.Label {
	case post.Blocks:
		var all []byte
		for rest := m.Body; len(rest) > 0; {
			h, raw, next, err := post.ReadBlock(rest)
			if err != nil {
				f.t.Error(err)
				return nil
			}
			rest = next
			all = append(all, f.block(h, raw)...)
		}
		m.Body = all
	case post.Head:
		var at post.Mark
		if err := json.Unmarshal(m.Body, &at); err != nil {
			f.t.Error(err)
		}
		if f.lie && at.Height == f.state.Height() { // else the site asks for what it lacks
			at.Root = f.state.Root()
			m.Body = post.JSON(at)
		}
	}
	return []mesh.Letter{m}
}

func (f *forker) block(h ledger.Height, raw []byte) []byte {
	tx, err := ledger.DecodeTx(raw)
	if err != nil {
		f.t.Error(err)
		return nil
	}
	if b, ok := tx.Body().(*ledger.OpenRun); ok && b.Run == f.instead.Run {
		chain, _ := f.state.Chain()
		if tx, err = ledger.Sign(chain.ID, tx.Seq(), f.instead, ledgertest.Key(string(broker.HubSite))); err != nil {
			f.t.Error(err)
			return nil
		}
	}
	if h == f.state.Height()+1 {
		next, _, err := ledger.Apply(f.state, tx)
		if err != nil {
			f.t.Errorf("block %d: %v", h, err)
			return nil
		}
		f.state = next.AtHeight(h)
	}
	b, err := post.BlockBody(ledger.Block{Height: h, Txs: []ledger.Tx{tx}})
	if err != nil {
		f.t.Error(err)
	}
	return b
}
