package site_test

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/ledger/ledgertest"
	"wellspring/run"
	"wellspring/site"
	"wellspring/study"
)

// A site answers only what its own view of the ledger fixed, with keys that it
// has pinned, while that view is new and its approval stands.
func TestGate(t *testing.T) {
	l, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	net := ledgertest.On(t, l)
	net.Found()
	a := study.Analysis{Method: "describe", Variables: []string{"age"}}
	s := (&study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "gate"}, Data: study.Data{Dataset: "heart"}, Analysis: &a}).WithDefaults()
	text, err := s.Digest()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := ledger.ParseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	ref := ledger.StudyRef{Requester: ledgertest.Account("wang"), Study: digest}
	question := func(id string) ledger.Question {
		return ledger.Question{StudyRef: ref, Release: ws.Version, Site: ws.SiteID(id), Version: 1}
	}
	net.Must("account wang", &ledger.AddStudy{Study: digest, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037"}, Conductors: []ws.SiteID{"hub"}})
	o := &run.Opening{Chain: string(net.Chain()), Run: string(ledgertest.RunID("r")), Epoch: 1, Release: ws.Version, Conductor: "hub", Institution: "centre"}
	if o.Study, err = s.Canonical(); err != nil {
		t.Fatal(err)
	}
	open := &ledger.OpenRun{StudyRef: ref, Conductor: "hub", Epoch: 1, Release: ws.Version, Run: ledgertest.RunID("r")}
	for _, id := range ledgertest.Sites {
		net.Must("inst-"+id, ledgertest.Decide(question(id), ledger.Approve))
		key := ledgertest.Public(id)
		open.Members = append(open.Members, ledger.Member{Key: key, Site: ws.SiteID(id), Version: 1})
		o.Members = append(o.Members, run.Member{Site: ws.SiteID(id), Institution: ws.Institution("inst-" + id), Key: ed25519.PublicKey(key[:])})
	}
	d, err := o.Digest()
	if err != nil {
		t.Fatal(err)
	}
	open.Opening = d
	net.Must("hub", open)

	now := time.Unix(1e9, 0)
	self := ws.SiteID(ledgertest.Sites[0])
	pins := map[ws.SiteID]ledger.KeyID{}
	for _, id := range ledgertest.Sites[1:] {
		pins[ws.SiteID(id)] = ledgertest.Public(id).ID()
	}
	gate := func() *site.Gate {
		return &site.Gate{Site: self, Ledger: l, Fresh: func() time.Time { return now }, Now: func() time.Time { return now },
			Pinned: func(id ws.SiteID) (ledger.KeyID, bool) { k, ok := pins[id]; return k, ok }}
	}
	refused := func(what string, err error, kind ws.Kind, says string) {
		t.Helper()
		if ws.KindOf(err) != kind || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %v with %q", what, err, kind, says)
		}
	}
	for _, round := range []int{-1, 0, 7} {
		if err := gate().Allow(o, s, round); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	old := gate()
	old.Now = func() time.Time { return now.Add(11 * time.Minute) }
	refused("an old view", old.Allow(o, s, 3), ws.Unreachable, "older than 10m")

	pins[ws.SiteID(ledgertest.Sites[2])] = ledgertest.Public("somebody").ID()
	refused("another key than pinned", gate().Allow(o, s, -1), ws.Denied, "not the one that was pinned")
	delete(pins, ws.SiteID(ledgertest.Sites[2]))
	refused("a key that nobody compared", gate().Allow(o, s, -1), ws.Denied, "compared")
	pins[ws.SiteID(ledgertest.Sites[2])] = ledgertest.Public(ledgertest.Sites[2]).ID()

	other := *s
	other.Metadata.Name = "another"
	refused("another study", gate().Allow(o, &other, -1), ws.Diverged, "not the one on the ledger")
	bent := *o
	bent.Members = append([]run.Member(nil), o.Members...)
	bent.Members[1].Institution = "inst-" + ws.Institution(self)
	refused("another opening", gate().Allow(&bent, s, -1), ws.Diverged, "not the one that the chain fixed")
	refused("a run that nobody opened", gate().Allow(&run.Opening{Chain: o.Chain, Run: string(ledgertest.RunID("x")), Epoch: 1, Study: o.Study}, s, 0), ws.Denied, "no such run")

	var all []ws.SiteID
	for _, m := range o.Members {
		all = append(all, m.Site)
	}
	refused("a sum that is not marked", gate().Reveal(o, s, all), ws.Denied, "first sum")
	net.Must("hub", &ledger.MarkSum{Run: ledgertest.RunID("r"), Epoch: 1})
	if err := gate().Reveal(o, s, all); err != nil {
		t.Error(err)
	}

	whole := gate()
	whole.Least = 3
	if err := whole.Reveal(o, s, all); err != nil {
		t.Error(err)
	}
	refused("a first sum that leaves a site out", whole.Reveal(o, s, all[:2]), ws.Denied, "leave out site "+string(all[2]))
	alone := *o
	alone.Members = append([]run.Member(nil), o.Members...)
	alone.Members[2].Alone = true
	for what, err := range map[string]error{
		"a dataset that asks for no institutions": gate().Reveal(o, s, all[:2]),
		"without one that may be seen alone":      whole.Reveal(&alone, s, all[:2]),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	// The same study again: a member that conducts does not count, where the hub left all to count.
	again := func(id, conductor, institution string) *run.Opening {
		t.Helper()
		a := *o
		a.Run, a.Conductor, a.Institution = string(ledgertest.RunID(id)), ws.SiteID(conductor), ws.Institution(institution)
		d, err := a.Digest()
		if err != nil {
			t.Fatal(err)
		}
		b := *open
		b.Run, b.Conductor, b.Opening = ledgertest.RunID(id), ws.SiteID(conductor), d
		net.Must(conductor, &b)
		return &a
	}
	limited := gate()
	limited.Least = 3
	member := again("s", ledgertest.Sites[1], "inst-"+ledgertest.Sites[1])
	refused("the study under a conductor that does not count", limited.Allow(member, s, -1), ws.Denied, "answered with hub as its conductor")
	for what, err := range map[string]error{
		"a dataset that asks for no institutions": gate().Allow(member, s, -1),
		"the same conductor":                      limited.Allow(again("u", "hub", "centre"), s, -1),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("a conductor of a made-up institution", gate().Allow(again("v", "hub", "elsewhere"), s, -1), ws.Denied, "conductor hub another institution")

	net.Must("inst-"+string(self), ledgertest.Decide(question(string(self)), ledger.Withdraw))
	refused("after a withdrawal", gate().Allow(o, s, 4), ws.Denied, "withdrawn")
}
