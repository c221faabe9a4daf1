package ledger_test

import (
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	. "wellspring/ledger/ledgertest"
)

// [LEDGER-RUN.1]: nothing opens without every member's approval of this very
// study, version and release.
func TestApply_Open(t *testing.T) {
	n := founded(t)
	open := func(change func(*ledger.OpenRun)) *ledger.OpenRun {
		o := Open("s", "r", 1, Sites...)
		change(o)
		return o
	}
	n.Must("inst-anzhen", n.Version("anzhen", 2))
	for name, c := range map[string]struct {
		signer string
		body   *ledger.OpenRun
		word   string
	}{
		"version not approved": {"hub", open(func(o *ledger.OpenRun) { o.Members[0].Version = 2 }), "has not approved"},
		"release not approved": {"hub", open(func(o *ledger.OpenRun) { o.Release = "9.9.9" }), "has not approved"},
		"unknown study":        {"hub", Open("t", "r", 1, Sites...), "not on the chain"},
		"another's key":        {"hub", open(func(o *ledger.OpenRun) { o.Members[1].Key = Public("mallory") }), "another key"},
		"a site without rows":  {"hub", Open("s", "r", 1, "anzhen", "hub"), "no such version"},
		"conductor not signer": {"anzhen", Open("s", "r", 1, Sites...), "site that conducts"},
		"epoch of no run":      {"hub", Open("s", "r", 2, Sites...), "no such run"},
		"signed by no site":    {"centre", Open("s", "r", 1, Sites...), "site's own key"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, n, c.signer, c.body, ws.Denied, c.word) })
	}
	// A stranger that would see the sums: neither member nor named by the study.
	n.Must("operator", n.Institution("inst-curious"))
	n.Must("inst-curious", n.Site("curious"))
	refuse(t, n, "curious", open(func(o *ledger.OpenRun) { o.Conductor = "curious" }), ws.Denied, "no member")
	member := open(func(o *ledger.OpenRun) { o.Conductor = "anzhen" })
	n.Must("anzhen", member)
	if got := slices.Collect(first(n.State().Runs("heart"))); len(got) != 1 || got[0] != RunID("r") {
		t.Errorf("runs over the dataset: %v", got)
	}
}

func first(seq func(func(ledger.RunID, ledger.Asked) bool)) func(func(ledger.RunID) bool) {
	return func(yield func(ledger.RunID) bool) {
		seq(func(r ledger.RunID, _ ledger.Asked) bool { return yield(r) })
	}
}

// [LEDGER-RUN.1]
func TestApply_OpenWithdrawn(t *testing.T) {
	n := founded(t)
	n.Must("inst-xiehe", Decide(Question("s", "xiehe", 1), ledger.Withdraw))
	refuse(t, n, "hub", Open("s", "r", 1, Sites...), ws.Denied, "withdrawn")
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
}

// [LEDGER-RUN.2]: a run's id is used once; a later epoch has the same sites on
// the same versions or fewer, and comes only while nothing was opened.
func TestApply_Epochs(t *testing.T) {
	n := founded(t)
	two := Open("s", "r", 2, "anzhen", "ruijin")
	n.Must("inst-ruijin", n.Version("ruijin", 2))
	n.Must("inst-ruijin", Decide(Question("s", "ruijin", 2), ledger.Approve))
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	refuse(t, n, "hub", Open("s", "r", 1, "anzhen", "ruijin"), ws.Denied, "opened before")
	refuse(t, n, "hub", Open("s", "r", 1, Sites...), ws.Denied, "opened before")
	refuse(t, n, "hub", Open("s", "r", 2, Sites...), ws.Denied, "was not in the epoch before")
	refuse(t, n, "hub", Open("s", "r", 3, "anzhen"), ws.Invalid, "up by one")
	newer := Open("s", "r", 2, "anzhen", "ruijin")
	newer.Members[1].Version = 2
	refuse(t, n, "hub", newer, ws.Denied, "was not in the epoch before")
	n.Must("account wang", n.Study("t"))
	refuse(t, n, "hub", Open("t", "r", 2, "anzhen"), ws.Denied, "another study")
	outside := Open("s", "r", 2, "anzhen", "ruijin")
	outside.Conductor = "xiehe"
	refuse(t, n, "xiehe", outside, ws.Denied, "no member")
	// A member takes over from the hub.
	two.Conductor = "ruijin"
	n.Must("ruijin", two)
	// A mark of the epoch that is over would let both be opened.
	refuse(t, n, "hub", mark("r", 1), ws.Denied, "another epoch")
	n.Must("anzhen", mark("r", 2))
	three := Open("s", "r", 3, "anzhen")
	refuse(t, n, "hub", three, ws.Denied, "no epoch may follow")
}

// [LEDGER-RUN.2], [LEDGER-RUN.4]
func TestApply_Sum(t *testing.T) {
	n := founded(t)
	refuse(t, n, "hub", mark("r", 1), ws.Denied, "no such run")
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	refuse(t, n, "xiehe", mark("r", 1), ws.Denied, "takes no part")
	refuse(t, n, "centre", mark("r", 1), ws.Denied, "site's own key")
	if err := n.State().MayReveal(RunID("r"), 1); ws.KindOf(err) != ws.Denied {
		t.Errorf("before the mark: %v", err)
	}
	n.Must("hub", mark("r", 1))
	refuse(t, n, "anzhen", mark("r", 1), ws.Denied, "already")
	if err := n.State().MayReveal(RunID("r"), 1); err != nil {
		t.Error(err)
	}
	if n.State().MayReveal(RunID("r"), 2) == nil {
		t.Error("a mark counts for another epoch")
	}
}

// [LEDGER-RUN.3]: who takes part says once how a run ended.
func TestApply_Close(t *testing.T) {
	n := founded(t)
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	refuse(t, n, "hub", closing("r", 1, ledger.OK), ws.Denied, "no result")
	refuse(t, n, "xiehe", closing("r", 1, "denied"), ws.Denied, "takes no part")
	refuse(t, n, "hub", closing("r", 2, "denied"), ws.Denied, "another epoch")
	n.Must("hub", mark("r", 1))
	n.Must("hub", closing("r", 1, ledger.OK))
	refuse(t, n, "hub", closing("r", 1, "denied"), ws.Denied, "already")
	n.Must("anzhen", closing("r", 1, "diverged"))
	outcomes := map[ws.SiteID]string{}
	for site, c := range n.State().Closings(RunID("r")) {
		outcomes[site] = c.Outcome
	}
	if len(outcomes) != 2 || outcomes["hub"] != ledger.OK || outcomes["anzhen"] != "diverged" {
		t.Errorf("closings: %v", outcomes)
	}
	n.Must("hub", Open("s", "q", 1, "anzhen", "ruijin"))
	n.Must("hub", closing("q", 1, "stopped"))
	refuse(t, n, "hub", Open("s", "q", 2, "anzhen"), ws.Denied, "closed")
	refuse(t, n, "hub", mark("q", 1), ws.Denied, "closed")
}

// [LEDGER-RUN.3]
func TestApply_Release(t *testing.T) {
	n := founded(t)
	refuse(t, n, "hub", release("r"), ws.Denied, "no such run")
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	n.Must("hub", mark("r", 1))
	refuse(t, n, "hub", release("r"), ws.Denied, "has not closed")
	n.Must("hub", closing("r", 1, ledger.OK))
	refuse(t, n, "anzhen", release("r"), ws.Denied, "has not closed")
	n.Must("centre", n.Requester("li"))
	other := release("r")
	other.Requester, other.Key = Account("li"), Public("account li").ID()
	refuse(t, n, "hub", other, ws.Denied, "requester who asked")
	wrong := release("r")
	wrong.Key = Public("mallory").ID()
	refuse(t, n, "hub", wrong, ws.Denied, "requester who asked")
	n.Must("hub", release("r"))
	refuse(t, n, "hub", release("r"), ws.Denied, "already")
}

// What a site asks before each round.
//
// [LEDGER-RUN.4]
func TestMayAnswer(t *testing.T) {
	n := founded(t)
	n.Must("hub", Open("s", "r", 1, Sites...))
	may := func(site ws.SiteID, epoch int, opening string) error {
		return n.State().MayAnswer(site, RunID("r"), epoch, Hash(opening))
	}
	want := func(name string, err error, kind ws.Kind) {
		t.Helper()
		if got := ws.KindOf(err); err == nil || got != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := may("anzhen", 1, "opening"); err != nil {
		t.Fatal(err)
	}
	want("another opening", may("anzhen", 1, "forged"), ws.Diverged)
	want("another epoch", may("anzhen", 2, "opening"), ws.Denied)
	want("no member", may("hub", 1, "opening"), ws.Denied)
	want("a stranger", may("nobody", 1, "opening"), ws.Denied)
	n.Must("inst-anzhen", Decide(Question("s", "anzhen", 1), ledger.Withdraw))
	want("withdrawn", may("anzhen", 1, "opening"), ws.Denied)
	if err := may("ruijin", 1, "opening"); err != nil {
		t.Errorf("another's withdrawal: %v", err)
	}
	n.Must("inst-anzhen", Decide(Question("s", "anzhen", 1), ledger.Approve))
	suspend := &ledger.SetInstitution{Act: ledger.Suspend, Institution: "centre"}
	n.Must("operator", suspend)
	want("the conductor suspended", may("anzhen", 1, "opening"), ws.Denied)
	n.Must("operator", &ledger.SetInstitution{Act: ledger.Reinstate, Institution: "centre"})
	n.Must("inst-xiehe", &ledger.SetSite{Act: ledger.Rotate, Key: Public("xiehe 2"), Possession: n.Possession(ledger.BySite, "xiehe", "xiehe 2"), Site: "xiehe"})
	want("a member has another key", may("anzhen", 1, "opening"), ws.Denied)
}

// The largest opening that the bounds allow fits into a transaction.
//
// [LEDGER-TX.4]
func TestOpen_Largest(t *testing.T) {
	o := Open("s", "r", 1)
	for i := range ledger.MaxMembers {
		name := []rune{}
		for range 60 {
			name = append(name, '院')
		}
		name = append(name, rune('0'+i/1000), rune('0'+i/100%10), rune('0'+i/10%10), rune('0'+i%10))
		o.Members = append(o.Members, ledger.Member{Key: Public("x"), Site: ws.SiteID(name), Version: ledger.MaxVersion})
	}
	tx, err := ledger.Sign("test", 1, o, Key("hub"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(tx.Bytes()), ledger.MaxTx)
	o.Members = append(o.Members, o.Members[0])
	if _, err := ledger.Sign("test", 1, o, Key("hub")); ws.KindOf(err) != ws.Invalid {
		t.Errorf("one more: %v", err)
	}
}
