package portal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/portal"
	"wellspring/site/console"
)

// await opens a page until it says something, and gives it.
func (b *browser) await(path, text string) page {
	b.t.Helper()
	return b.settle(path, text, true)
}

// leaves asks for a page until it has lost the text.
func (b *browser) leaves(path, text string) page {
	b.t.Helper()
	return b.settle(path, text, false)
}

// settle asks for a page until it says the text, or no longer does.
func (b *browser) settle(path, text string, says bool) (p page) {
	b.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if p = b.get(path); strings.Contains(p.body, text) == says {
			return p
		}
		if time.Now().After(until) {
			b.t.Fatalf("%s: to say %q: %t; it is %s", path, text, says, p.body)
		}
	}
}

// The steward sees with whom keys were compared, and with whom another key came;
// which sites are there, by the word of the hub, and what they run.
func TestNetwork(t *testing.T) {
	h := newHouse(t)
	for lang, says := range map[string][]string{"en": {"<dd>3 of 3</dd>", "this node", "another key than was compared", "compared</span>", "version 1", "heard by the hub"},
		"zh": {"<dd>3/3</dd>", "本节点", "与核对过的密钥不同", "已核对</span>", "版本 1", "枢纽最近收到"}} {
		h.steward.get("/language/" + lang)
		p := h.steward.await("/network", says[0])
		p.says(t, append(says, "anzhen", "ruijin", "xiehe", "inst-ruijin", string(ws.Version))...)
		inspect(t, p, lang)
	}
	p := h.operator.await("/network", "3 of 3")
	p.says(t, "last heard")
	p.silent(t, "compared", "heard by the hub", "not reachable")
}

// A member that was suspended or has ended is shown so, and counted no more once it has ended.
func TestNetwork_Standing(t *testing.T) {
	h := newHouse(t)
	h.operator.await("/network", "3 of 3")
	suspend := func(ledgertest.Net) ledger.Body {
		return &ledger.SetInstitution{Act: ledger.Suspend, Institution: "inst-ruijin"}
	}
	end := func(ledgertest.Net) ledger.Body { return &ledger.SetSite{Act: ledger.End, Site: "xiehe"} }
	if err := h.net.Submit(t.Context(), "operator", suspend); err != nil {
		t.Fatal(err)
	}
	if err := h.net.Submit(t.Context(), "inst-xiehe", end); err != nil {
		t.Fatal(err)
	}
	p := h.operator.await("/network", "2 of 2")
	p.says(t, `badge bad">suspended`, `badge off">ended`)
	h.operator.get("/language/zh?back=/network").says(t, "已暂停", "已终止")
}

// A late node is one that the hub has not spoken to for an hour.
type late struct{ portal.Node }

func (l late) About(ctx context.Context) (console.About, error) {
	a, err := l.Node.About(ctx)
	a.Told = a.Told.Add(-time.Hour)
	for i := range a.Peers {
		if at := &a.Peers[i].Seen; !at.IsZero() {
			*at = at.Add(-time.Hour)
		}
	}
	return a, err
}

// Where the hub is gone, the page of a site does not take old words for news.
func TestNetwork_OldWord(t *testing.T) {
	h := newHouse(t)
	h.steward.await("/network", "3 of 3")
	p := h.serve(portal.Config{Node: late{h.desk}}).get("/network")
	p.says(t, "not known: the hub does not answer", `badge warn">not reachable`, `badge">not known`, "heard by the hub", "60 minutes ago")
	p.silent(t, "3 of 3", `badge on">reachable`)
}
