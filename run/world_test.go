package run_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/run/journal"
	"wellspring/study"
)

var catalog = analyze.Catalog{describe.Describe(), glm.Method()}

func testKey(site ws.SiteID) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("ledger key of " + site))
	return ed25519.NewKeyFromSeed(seed[:])
}

func siteNames(n int) []ws.SiteID {
	out := make([]ws.SiteID, n)
	for i := range out {
		out[i] = ws.SiteID(fmt.Sprintf("site%04d", i))
	}
	return out
}

// institution is the one behind a site of its own.
func institution(site ws.SiteID) ws.Institution { return "hospital of " + ws.Institution(site) }

// rows are the patients of one site, by a seed.
func rows(t testing.TB, seed uint64, n int) *table.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	age, dose, sick := make([]float64, n), make([]float64, n), make([]float64, n)
	arm := make([]int32, n)
	for i := range n {
		age[i], dose[i], arm[i] = math.Round(20+60*r.Float64()), math.Round(100*r.Float64())/10, int32(r.IntN(2))
		if 0.04*age[i]-2+0.5*float64(arm[i])+r.NormFloat64() > 0 {
			sick[i] = 1
		}
	}
	out, err := table.New(frame.Dictionary{
		{Name: "age", Type: frame.Real, Max: 100}, {Name: "dose", Type: frame.Real, Max: 10},
		{Name: "arm", Type: frame.Factor, Levels: []string{"a", "b"}}, {Name: "sick", Type: frame.Real, Max: 1},
	}, []frame.Values{{Real: age}, {Real: dose}, {Code: arm}, {Real: sick}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ask is a study with a filter whose signs JSON may escape.
func ask(a study.Analysis) *study.Study {
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "test"},
		Data: study.Data{Dataset: "rows", Where: "age > 5 and age < 99"}, Analysis: &a}
	return s.WithDefaults()
}

func describeStudy() *study.Study {
	return ask(study.Analysis{Method: "describe", Variables: []string{"age", "dose"}})
}

func glmStudy() *study.Study {
	return ask(study.Analysis{Method: "glm", Family: "binomial", Formula: "sick ~ age + arm"})
}

// A gate lets rounds through until it is closed.
type gate struct{ closed bool }

func (g *gate) Reveal(*run.Opening, *study.Study, []ws.SiteID) error { return nil }

func (g *gate) Allow(*run.Opening, *study.Study, int) error {
	if g.closed {
		return ws.Errorf(ws.Denied, "gate", ws.T("the steward has withdrawn the study", "数据管理员已撤回该研究"))
	}
	return nil
}

// A host is one site: a participant with its journal and rows.
type host struct {
	t       testing.TB
	cfg     run.Config
	rows    frame.Source
	journal run.Journal
	gate    *gate
	p       *run.Participant
	doc     *study.Document
	held    *run.Answer // as a site's outbox keeps it: before the records of the step
	refused error
	// crash, if not nil, is asked before the k-th record of a step is saved and
	// once after the last; true kills the site there.
	crash func(k, of int) bool
	dead  bool
}

func (h *host) hold(a *run.Answer) {
	if a != nil {
		h.held = a
	}
}

// handle gives one message to the participant and does what it asks for.
func (h *host) handle(m run.Message) []run.Message {
	var send []run.Message
	event := run.Event{Message: &m}
	for {
		out, err := h.p.Step(event)
		for k, r := range out.Records {
			if h.crash != nil && h.crash(k, len(out.Records)) {
				h.dead = true
				return nil
			}
			h.hold(out.Answer)
			if err := h.journal.Save(r); err != nil {
				h.t.Fatal(err)
			}
		}
		if h.crash != nil && h.crash(len(out.Records), len(out.Records)) {
			h.dead = true
			return nil
		}
		h.hold(out.Answer)
		send = append(send, out.Send...)
		if err != nil {
			if h.refused == nil {
				h.refused = err
			}
			return send
		}
		if out.Document != nil {
			h.doc = out.Document
		}
		if !h.forget(out) {
			return nil
		}
		switch {
		case out.Publish != nil:
			event = run.Event{Published: &analyze.SiteFacts{Site: h.cfg.Site, Institution: h.cfg.Institution, Columns: h.rows.Dictionary(), Policy: h.cfg.Policy}}
		case out.Fold != nil:
			ring, err := out.Fold.Program.Fold(context.Background(), out.Fold.State, h.rows, analyze.FoldOptions{Site: h.cfg.Site, Sites: out.Fold.Sites, Workers: 1})
			if err != nil {
				event = run.Event{Failed: err}
				continue
			}
			event = run.Event{Folded: &run.Folded{Round: out.Fold.Round, Ring: ring}}
		default:
			return send
		}
	}
}

// forget saves the last record and erases; a site may be killed before either.
func (h *host) forget(out run.Output) bool {
	for k, do := range []func() error{
		func() error {
			if out.Last == nil {
				return nil
			}
			return h.journal.Save(*out.Last)
		},
		func() (err error) {
			for _, key := range out.Erase {
				err = errors.Join(err, h.journal.Erase(key))
			}
			return err
		},
	} {
		n := len(out.Records) + 1 + k
		if h.dead = out.Last != nil && h.crash != nil && h.crash(n, n); h.dead {
			return false
		}
		if err := do(); err != nil {
			h.t.Fatal(err)
		}
	}
	return true
}

// restore brings a killed site back from its journal.
func (h *host) restore() {
	h.t.Helper()
	p, err := run.Restore(h.cfg, h.journal)
	if err != nil {
		h.t.Fatalf("restore: %v", err)
	}
	h.p, h.dead = p, false
}

// A world is a conductor and its sites in one goroutine.
type world struct {
	t       testing.TB
	study   *study.Study
	sites   []ws.SiteID
	hosts   map[ws.SiteID]*host
	opening *run.Opening
	c       *run.Conductor
	doc     *study.Document
	err     error // the conductor's
	// bend may change or drop a message on its way, either way; nil drops.
	bend func(m run.Message) []run.Message
	// before is called before a message reaches a site.
	before func(m run.Message)
	queue  []run.Message
	lost   map[ws.SiteID]bool
	mortal int // messages that a stand-in takes before it dies; 0 for no end
}

func newWorld(t testing.TB, s *study.Study, n int) *world {
	t.Helper()
	w := &world{t: t, study: s, sites: siteNames(n), hosts: map[ws.SiteID]*host{}, lost: map[ws.SiteID]bool{}}
	for i, id := range w.sites {
		h := &host{t: t, rows: rows(t, uint64(i), 30+i), journal: &journal.Memory{}, gate: &gate{}}
		h.cfg = run.Config{Site: id, Institution: institution(id), Key: testKey(id), Catalog: catalog, Policy: policy.Public(), Gate: h.gate,
			Rand: rand.NewChaCha8(sha256.Sum256([]byte(id)))}
		h.p = run.NewParticipant(h.cfg)
		w.hosts[id] = h
	}
	w.open(1, w.sites)
	return w
}

// open makes the opening of an epoch and its conductor.
func (w *world) open(epoch int, sites []ws.SiteID) {
	w.t.Helper()
	canonical, err := w.study.Canonical()
	if err != nil {
		w.t.Fatal(err)
	}
	w.opening = &run.Opening{Chain: "test", Run: "run-1", Epoch: epoch, Release: ws.Version, Conductor: "hub", Institution: "centre", Study: canonical}
	for _, id := range sites {
		w.opening.Members = append(w.opening.Members, run.Member{Site: id, Institution: institution(id), Key: testKey(id).Public().(ed25519.PublicKey)})
	}
	if w.c, err = run.NewConductor(w.opening, catalog, nil); err != nil {
		w.t.Fatal(err)
	}
	w.err, w.queue = nil, nil
}

func (w *world) took(out run.Output, err error) {
	w.queue = append(w.queue, out.Send...)
	if out.Document != nil {
		w.doc = out.Document
	}
	if err != nil && w.err == nil {
		w.err = err
	}
}

// lose takes a site away.
func (w *world) lose(site ws.SiteID) {
	if !w.lost[site] {
		w.lost[site] = true
		w.took(w.c.Lose(site))
	}
}

// play passes messages until none is left.
func (w *world) play() *world {
	w.t.Helper()
	w.took(w.c.Begin())
	return w.pump()
}

func (w *world) pump() *world {
	for steps := 0; len(w.queue) > 0; steps++ {
		if steps > 100_000 {
			w.t.Fatal("the run does not end")
		}
		m := w.queue[0]
		w.queue = w.queue[1:]
		for _, m := range w.bent(m) {
			if m.To == "hub" {
				if !w.lost[m.From] {
					w.took(w.c.Step(m))
				}
				continue
			}
			w.toSite(m)
		}
	}
	return w
}

func (w *world) bent(m run.Message) []run.Message {
	if w.bend == nil {
		return []run.Message{m}
	}
	return w.bend(m)
}

func (w *world) toSite(m run.Message) {
	if w.before != nil {
		w.before(m)
	}
	h := w.hosts[m.To]
	if w.lost[m.To] {
		return
	}
	w.queue = append(w.queue, h.handle(m)...)
	if h.dead {
		h.restore()
		w.queue = append(w.queue, w.c.Again(m.To)...)
	}
}

func documentBytes(t testing.TB, d *study.Document) string {
	t.Helper()
	if d == nil {
		return ""
	}
	b, err := study.MarshalCanonical(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// answered fails unless conductor and living sites hold the same document.
func (w *world) answered() string {
	w.t.Helper()
	if w.err != nil || w.doc == nil {
		w.t.Fatalf("conductor: document %v, error %v", w.doc != nil, w.err)
	}
	want := documentBytes(w.t, w.doc)
	for id, h := range w.hosts {
		if h.refused != nil {
			w.t.Errorf("%s: %v", id, h.refused)
		} else if !w.lost[id] && documentBytes(w.t, h.doc) != want {
			w.t.Errorf("%s holds another document than the conductor", id)
		}
	}
	return want
}

// failed fails unless the conductor ended with the kind, and nobody has a document.
func (w *world) failed(kind ws.Kind) {
	w.t.Helper()
	if w.err == nil || ws.KindOf(w.err) != kind {
		w.t.Errorf("conductor ended with %v, want kind %v", w.err, kind)
	}
	if w.doc != nil {
		w.t.Error("the conductor holds a document")
	}
	for id, h := range w.hosts {
		if h.doc != nil {
			w.t.Errorf("%s holds a document", id)
		}
	}
}

// plain plays the study without masks: sites fold, rings are added.
func plain(t testing.TB, s *study.Study, hosts map[ws.SiteID]*host, sites []ws.SiteID) []study.Result {
	t.Helper()
	var facts []analyze.SiteFacts
	for _, id := range sites {
		facts = append(facts, analyze.SiteFacts{Site: id, Institution: institution(id), Columns: hosts[id].rows.Dictionary(), Policy: hosts[id].cfg.Policy})
	}
	merged, err := analyze.MergeFacts(facts, "centre")
	if err != nil {
		t.Fatal(err)
	}
	p, err := analyze.New(catalog, s, merged)
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	return plainRounds(t, p, state, hosts, sites)
}

func clone(m run.Message) run.Message {
	m.Body = slices.Clone(m.Body)
	return m
}

func openingBody(t testing.TB, o *run.Opening) []byte {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
