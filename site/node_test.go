package site_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/run/journal"
	"wellspring/site"
	"wellspring/study"
)

type open struct{}

func (open) Allow(*run.Opening, *study.Study, int) error          { return nil }
func (open) Reveal(*run.Opening, *study.Study, []ws.SiteID) error { return nil }

// source is a table whose scans may be bent.
type source struct {
	*table.Table
	scan func(context.Context) error // nil, or called before each scan
}

func (s source) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	if s.scan != nil {
		if err := s.scan(ctx); err != nil {
			return func(yield func(frame.Batch, error) bool) { yield(frame.Batch{}, err) }
		}
	}
	return s.Table.Scan(ctx, q)
}

// A bench is one site and the conductor of a run over it alone.
type bench struct {
	t    *testing.T
	cfg  run.Config
	rows source
	j    run.Journal
	node *site.Node
	c    *run.Conductor
}

func newBench(t *testing.T, j run.Journal, scan func(context.Context) error) *bench {
	t.Helper()
	var ages []float64
	for i := range 40 {
		ages = append(ages, float64(20+i))
	}
	rows, err := table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Max: 100}}, []frame.Values{{Real: ages}})
	if err != nil {
		t.Fatal(err)
	}
	pol := policy.Public()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "test"},
		Data: study.Data{Dataset: "rows"}, Analysis: &study.Analysis{Method: "describe", Variables: []string{"age"}}}
	canonical, err := s.WithDefaults().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	catalog := analyze.Catalog{describe.Describe()}
	b := &bench{t: t, rows: source{rows, scan}, j: j,
		cfg: run.Config{Site: "va", Institution: "va", Key: private, Catalog: catalog, Policy: pol, Gate: open{}, Rand: rand.Reader}}
	b.c, err = run.NewConductor(&run.Opening{Chain: "test", Run: "run", Epoch: 1, Release: ws.Version, Conductor: "hub", Institution: "centre", AllowFew: true,
		Members: []run.Member{{Site: "va", Institution: "va", Key: public}}, Study: canonical}, catalog, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.restart()
	return b
}

func (b *bench) restart() {
	b.t.Helper()
	var err error
	if b.node, err = site.NewNode(b.cfg, b.rows, b.j); err != nil {
		b.t.Fatal(err)
	}
}

// play passes messages until the node fails or none is left.
func (b *bench) play(ctx context.Context, queue []run.Message) (*study.Document, []run.Message, error) {
	b.t.Helper()
	var doc *study.Document
	for len(queue) > 0 {
		answers, d, err := b.node.Handle(ctx, queue[0])
		if err != nil {
			return nil, answers, err
		}
		if d != nil {
			doc = d
		}
		queue = queue[1:]
		for _, m := range answers {
			out, err := b.c.Step(m)
			if err != nil {
				b.t.Fatal(err)
			}
			queue = append(queue, out.Send...)
		}
	}
	return doc, nil, nil
}

func (b *bench) begin() []run.Message {
	b.t.Helper()
	out, err := b.c.Begin()
	if err != nil {
		b.t.Fatal(err)
	}
	return out.Send
}

func (b *bench) records() (keys []string) {
	for _, k := range run.Keys {
		if r, err := b.j.Load(k); err != nil || r != nil {
			keys = append(keys, k)
		}
	}
	return keys
}

// The journal holds records while a run is under way; at its end a tombstone is
// left, over which a new node is silent to the run's opening.
func TestNode_Forgets(t *testing.T) {
	j, err := journal.OpenDir(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, j, nil)
	most := 0
	b.rows.scan = func(context.Context) error { most = max(most, len(b.records())); return nil }
	b.restart()
	doc, _, err := b.play(t.Context(), b.begin())
	if err != nil || doc == nil {
		t.Fatalf("document %v, error %v", doc != nil, err)
	}
	if left := b.records(); most < 3 || !slices.Equal(left, []string{"state"}) {
		t.Errorf("at most %d records, at the end %v", most, left)
	}
	if r, err := j.Load("state"); err != nil || len(r) > 1024 {
		t.Errorf("the tombstone has %d bytes, error %v", len(r), err)
	}
	b.restart()
	scans := 0
	b.rows.scan = func(context.Context) error { scans++; return nil }
	if doc, sent, err := b.play(t.Context(), b.begin()); doc != nil || len(sent) > 0 || err != nil || scans > 0 {
		t.Errorf("the run is answered again: %d messages, %d scans, error %v", len(sent), scans, err)
	}
}

// A node that is told to stop says so, and leaves a run that the next node over
// its journal takes up.
func TestNode_Stopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	scans := 0
	b := newBench(t, &journal.Memory{}, nil)
	b.rows.scan = func(context.Context) error {
		if scans++; scans == 2 {
			cancel()
			return errors.New("interrupted by the engine")
		}
		return nil
	}
	b.restart()
	_, _, err := b.play(ctx, b.begin())
	if ws.KindOf(err) != ws.Stopped {
		t.Fatalf("a cancelled node ends with %v", err)
	}
	b.restart()
	doc, _, err := b.play(t.Context(), b.c.Again("va"))
	if err != nil || doc == nil {
		t.Errorf("after the restart: document %v, error %v", doc != nil, err)
	}
}

// Work that fails ends the run with the site's name once and a refusal that
// does not quote the engine; the state without secrets stays.
func TestNode_Fails(t *testing.T) {
	b := newBench(t, &journal.Memory{}, func(context.Context) error { return errors.New("cannot read 'Li Lei'") })
	_, send, err := b.play(t.Context(), b.begin())
	if err == nil || strings.Count(err.Error(), "site va") != 1 {
		t.Fatalf("error %v", err)
	}
	if len(send) != 1 || send[0].Step != run.Refuse || strings.Contains(string(send[0].Body), "Li Lei") {
		t.Errorf("the hub is told %v", send)
	}
	out, err := b.c.Step(send[0])
	if err == nil {
		t.Fatal("the conductor goes on")
	}
	if _, _, err := b.play(t.Context(), out.Send); err != nil {
		t.Errorf("the end is refused: %v", err)
	}
	if left := b.records(); !slices.Equal(left, []string{"state"}) {
		t.Errorf("the journal keeps %v", left)
	}
}

// failing is a journal whose disk is full from the n-th record on.
type failing struct {
	journal.Memory
	left int
}

func (f *failing) Save(list ...run.Record) error {
	for _, r := range list {
		if f.left--; f.left < 0 {
			return ws.Errorf(ws.Other, "journal", ws.T("the disk is full", "磁盘已满"))
		}
		if err := f.Memory.Save(r); err != nil {
			return err
		}
	}
	return nil
}

// Nothing is sent that is not saved, and nothing after.
func TestNode_JournalFails(t *testing.T) {
	for left := range 6 {
		j := &failing{left: left}
		b := newBench(t, j, nil)
		_, send, err := b.play(t.Context(), b.begin())
		if err == nil || len(send) > 0 {
			t.Fatalf("%d records: error %v, sent %d messages", left, err, len(send))
		}
		j.left = 100
		if _, send, err = b.play(t.Context(), b.c.Again("va")); err == nil || len(send) > 0 {
			t.Errorf("%d records: the node goes on after its journal refused", left)
		}
	}
}
