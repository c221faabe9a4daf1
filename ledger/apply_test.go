package ledger_test

import (
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	. "wellspring/ledger/ledgertest"
)

func closing(run string, epoch int, outcome string) *ledger.CloseRun {
	c := &ledger.CloseRun{Epoch: epoch, Outcome: outcome, Rounds: Hash("rounds"), Run: RunID(run)}
	if outcome == ledger.OK {
		c.Result = Hash("result")
	}
	return c
}

func release(run string) *ledger.ReleaseResult {
	return &ledger.ReleaseResult{Key: Public("account wang").ID(), Requester: Account("wang"), Result: Hash("released"), Run: RunID(run)}
}

// reviewed is a closing that waits for reviewers.
func reviewed(run string, sites ...ws.SiteID) *ledger.CloseRun {
	c := closing(run, 1, ledger.OK)
	c.Review = sites
	return c
}

// review is what a site's reviewer says of the result that [closing] commits to.
func review(run, site string, v ledger.Verdict, parts ...int) *ledger.ReviewResult {
	return &ledger.ReviewResult{Parts: append([]int{}, parts...), Result: Hash("result"), Run: RunID(run), Site: ws.SiteID(site), Verdict: v}
}

// released is the release of that result whole.
func released(run string) *ledger.ReleaseResult {
	r := release(run)
	r.Result = Hash("result")
	return r
}

func mark(run string, epoch int) *ledger.MarkSum {
	return &ledger.MarkSum{Epoch: epoch, Run: RunID(run)}
}

// founded is a chain as [Net.Found] makes it.
func founded(t *testing.T) Net {
	n := InMemory(t)
	n.Found()
	return n
}

// refuse holds the chain to refuse with a kind and a word, unchanged.
func refuse(t *testing.T, n Net, signer string, body ledger.Body, kind ws.Kind, word string) {
	t.Helper()
	root := n.State().Root()
	err := n.Do(signer, body)
	if ws.KindOf(err) != kind || !strings.Contains(err.Error(), word) {
		t.Errorf("%s by %s: %v, want %v with %q", body.Kind(), signer, err, kind, word)
	}
	if n.State().Root() != root {
		t.Errorf("%s by %s: a refusal changed the state", body.Kind(), signer)
	}
}

// [LEDGER-TX.2], [LEDGER-TX.3]: a transaction counts once, in its turn, on its chain.
func TestApply_Replay(t *testing.T) {
	n := founded(t)
	s := n.State()
	q := Question("s", "anzhen", 1)
	withdraw := n.Sign("inst-anzhen", Decide(q, ledger.Withdraw))
	if err := n.Submit(withdraw); err != nil {
		t.Fatal(err)
	}
	approve := n.Sign("inst-anzhen", Decide(q, ledger.Approve))
	if err := n.Submit(approve); err != nil {
		t.Fatal(err)
	}
	for name, tx := range map[string]ledger.Tx{"withdrawal": withdraw, "approval": approve} {
		if err := n.Submit(tx); ws.KindOf(err) != ws.Invalid {
			t.Errorf("the %s replayed: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		chain ledger.ChainID
		seq   uint64
		key   string
		kind  ws.Kind
	}{
		"a number left out":      {n.Chain(), s.Seq(Public("operator").ID()) + 2, "operator", ws.Invalid},
		"another chain":          {"test@" + ledger.ChainID(Hash("other").String()), s.Seq(Public("operator").ID()) + 1, "operator", ws.Denied},
		"a chain by name":        {"test", s.Seq(Public("operator").ID()) + 1, "operator", ws.Denied},
		"a key not on the chain": {n.Chain(), 1, "stranger", ws.Denied},
	} {
		tx, err := ledger.Sign(c.chain, c.seq, n.Institution("x"), Key(c.key))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Submit(tx); ws.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.Submit(Forged(t, n.Sign("operator", n.Institution("x")))); ws.KindOf(err) != ws.Denied {
		t.Errorf("a forged signature: %v", err)
	}
}

// A second chain of the same name and keys has another id, and takes none of the
// first one's transactions.
//
// [LEDGER-TX.3]
func TestApply_TwinChain(t *testing.T) {
	a, b := InMemory(t), InMemory(t)
	a.Must("operator", a.Genesis())
	g := b.Genesis()
	g.Nonce = Hash("another")
	b.Must("operator", g)
	if err := b.Submit(a.Sign("operator", a.Institution("x"))); ws.KindOf(err) != ws.Denied {
		t.Errorf("a transaction of the twin: %v", err)
	}
}

func TestApply_Genesis(t *testing.T) {
	n := InMemory(t)
	refuse(t, n, "operator", n.Institution("x"), ws.Denied, "no genesis")
	refuse(t, n, "somebody", n.Genesis(), ws.Denied, "not the author's")
	n.Must("operator", n.Genesis())
	refuse(t, n, "operator", n.Genesis(), ws.Denied, "already")
	for _, name := range []ledger.ChainID{"", "Test", "a@b", "a b", ledger.ChainID(strings.Repeat("a", 64))} {
		tx, err := ledger.Sign(name, 1, n.Genesis(), Key("operator"))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ledger.Apply(ledger.State{}, tx); ws.KindOf(err) != ws.Invalid {
			t.Errorf("chain %q: %v", name, err)
		}
	}
	if len(n.Chain()) > 128 {
		t.Error("the chain's id is too long for a run")
	}
}

// [LEDGER-KEY.2], [LEDGER-RULE.1]
func TestApply_Rule(t *testing.T) {
	n := founded(t)
	next := &ledger.SetRule{Key: Public("op2"), Possession: n.Possession(ledger.ByOperator, "", "op2"), Rule: "operator"}
	refuse(t, n, "centre", next, ws.Denied, "only the operator")
	unheld := *next
	unheld.Possession = n.Possession(ledger.ByOperator, "", "op3")
	refuse(t, n, "operator", &unheld, ws.Denied, "has not signed for it")
	n.Must("operator", next)
	refuse(t, n, "operator", n.Institution("x"), ws.Denied, "retired")
	n.Must("op2", n.Institution("x"))
}

// [LEDGER-KEY.2], [LEDGER-RULE.1], [LEDGER-RULE.2]
func TestApply_Institution(t *testing.T) {
	n := founded(t)
	act := func(a ledger.Act, key string) *ledger.SetInstitution {
		b := &ledger.SetInstitution{Act: a, Institution: "inst-anzhen"}
		if key != "" {
			b.Key, b.Possession = Public(key), n.Possession(ledger.ByInstitution, "inst-anzhen", key)
		}
		return b
	}
	refuse(t, n, "centre", n.Institution("x"), ws.Denied, "only the operator")
	refuse(t, n, "operator", n.Institution("centre"), ws.Denied, "already")
	stolen := n.Institution("x")
	stolen.Key, stolen.Possession = Public("ruijin"), n.Possession(ledger.ByInstitution, "x", "ruijin")
	refuse(t, n, "operator", stolen, ws.Denied, "one holder for ever")
	unheld := n.Institution("x")
	unheld.Possession = n.Possession(ledger.ByInstitution, "y", "x")
	refuse(t, n, "operator", unheld, ws.Denied, "has not signed for it")
	// The operator cannot give itself an institution's voice.
	refuse(t, n, "operator", act(ledger.Rotate, "operator's"), ws.Denied, "own present key")
	refuse(t, n, "inst-ruijin", act(ledger.Rotate, "inst-ruijin's"), ws.Denied, "own present key")
	n.Must("inst-anzhen", act(ledger.Rotate, "new"))
	refuse(t, n, "inst-anzhen", n.Version("anzhen", 2), ws.Denied, "retired")
	n.Must("new", n.Version("anzhen", 2))
	refuse(t, n, "inst-ruijin", act(ledger.Suspend, ""), ws.Denied, "only the operator")
	n.Must("new", act(ledger.Suspend, ""))
	refuse(t, n, "new", n.Version("anzhen", 3), ws.Denied, "suspended")
	refuse(t, n, "anzhen", mark("r", 1), ws.Denied, "suspended")
	refuse(t, n, "new", act(ledger.Reinstate, ""), ws.Denied, "only the operator")
	refuse(t, n, "operator", act(ledger.Suspend, ""), ws.Denied, "already")
	if err := n.State().Approved(Question("s", "anzhen", 1)); ws.KindOf(err) != ws.Denied {
		t.Errorf("an approval of a suspended institution: %v", err)
	}
	n.Must("operator", act(ledger.Reinstate, ""))
	if err := n.State().Approved(Question("s", "anzhen", 1)); err != nil {
		t.Error(err)
	}
	ghost := act(ledger.Suspend, "")
	ghost.Institution = "ghost"
	refuse(t, n, "operator", ghost, ws.Denied, "not on the chain")
}

// [LEDGER-KEY.3], [LEDGER-RULE.2]
func TestApply_Site(t *testing.T) {
	n := founded(t)
	refuse(t, n, "operator", n.Site("x"), ws.Denied, "institution's own key")
	refuse(t, n, "hub", n.Site("x"), ws.Denied, "institution's own key")
	refuse(t, n, "centre", n.Site("anzhen"), ws.Denied, "already")
	theirs := &ledger.SetSite{Act: ledger.End, Site: "anzhen"}
	refuse(t, n, "centre", theirs, ws.Denied, "another institution")
	rotate := &ledger.SetSite{Act: ledger.Rotate, Key: Public("anzhen 2"), Possession: n.Possession(ledger.BySite, "anzhen", "anzhen 2"), Site: "anzhen"}
	refuse(t, n, "centre", rotate, ws.Denied, "another institution")
	refuse(t, n, "anzhen", rotate, ws.Denied, "institution's own key")
	n.Must("inst-anzhen", rotate)
	refuse(t, n, "anzhen", mark("r", 1), ws.Denied, "retired")
	back := *rotate
	back.Key, back.Possession = Public("anzhen"), n.Possession(ledger.BySite, "anzhen", "anzhen")
	refuse(t, n, "inst-anzhen", &back, ws.Denied, "one holder for ever")
	n.Must("inst-anzhen", theirs)
	refuse(t, n, "inst-anzhen", n.Version("anzhen", 2), ws.Denied, "ended")
	refuse(t, n, "inst-anzhen", theirs, ws.Denied, "ended")
	refuse(t, n, "inst-anzhen", n.Site("anzhen"), ws.Denied, "already")
	refuse(t, n, "anzhen 2", mark("r", 1), ws.Denied, "retired")
}

// [LEDGER-KEY.3], [LEDGER-RULE.2]
func TestApply_Requester(t *testing.T) {
	n := founded(t)
	refuse(t, n, "operator", n.Requester("li"), ws.Denied, "institution's own key")
	refuse(t, n, "inst-anzhen", n.Requester("wang"), ws.Denied, "already")
	end := &ledger.SetRequester{Account: Account("wang"), Act: ledger.End}
	refuse(t, n, "inst-anzhen", end, ws.Denied, "another institution")
	n.Must("centre", &ledger.SetRequester{Account: Account("wang"), Act: ledger.Rotate, Key: Public("wang 2"),
		Possession: n.Possession(ledger.ByRequester, string(Account("wang")), "wang 2")})
	refuse(t, n, "account wang", n.Study("t"), ws.Denied, "retired")
	n.Must("wang 2", n.Study("t"))
	n.Must("centre", end)
	refuse(t, n, "wang 2", n.Study("u"), ws.Denied, "retired")
	refuse(t, n, "hub", Open("s", "r", 1, Sites...), ws.Denied, "ended")
	refuse(t, n, "centre", end, ws.Denied, "ended")
}

// [LEDGER-RULE.3]
func TestApply_Dataset(t *testing.T) {
	n := founded(t)
	refuse(t, n, "inst-anzhen", n.Version("anzhen", 1), ws.Invalid, "up by one")
	refuse(t, n, "inst-anzhen", n.Version("anzhen", 3), ws.Invalid, "up by one")
	refuse(t, n, "inst-ruijin", n.Version("anzhen", 2), ws.Denied, "another institution")
	refuse(t, n, "anzhen", n.Version("anzhen", 2), ws.Denied, "institution's own key")
	refuse(t, n, "inst-anzhen", n.Version("nowhere", 1), ws.Denied, "not on the chain")
	n.Must("inst-anzhen", n.Version("anzhen", 2))
	if n.State().Latest("anzhen", "heart") != 2 || n.State().Latest("ruijin", "heart") != 1 {
		t.Error("the latest version is told wrongly")
	}
}

// [LEDGER-RULE.4]
func TestApply_Study(t *testing.T) {
	n := founded(t)
	refuse(t, n, "account wang", n.Study("s"), ws.Denied, "already")
	for _, who := range []string{"hub", "centre", "operator"} {
		refuse(t, n, who, n.Study("t"), ws.Denied, "requester's own key")
	}
	stray := n.Study("t")
	stray.Conductors = []ws.SiteID{"nowhere"}
	refuse(t, n, "account wang", stray, ws.Denied, "not on the chain")
	// Another may ask the same, and takes nothing from the first.
	n.Must("inst-anzhen", n.Requester("li"))
	n.Must("account li", n.Study("s"))
	q := Question("s", "anzhen", 1)
	q.Requester = Account("li")
	if err := n.State().Approved(q); ws.KindOf(err) != ws.Denied {
		t.Errorf("an approval of another's study counts: %v", err)
	}
}

// [LEDGER-RULE.5]
func TestApply_Decision(t *testing.T) {
	n := founded(t)
	q := Question("s", "anzhen", 1)
	for _, who := range []string{"operator", "anzhen", "account wang"} {
		refuse(t, n, who, Decide(q, ledger.Withdraw), ws.Denied, "institution's own key")
	}
	refuse(t, n, "inst-ruijin", Decide(q, ledger.Withdraw), ws.Denied, "another institution")
	refuse(t, n, "inst-anzhen", Decide(q, ledger.Approve), ws.Denied, "does not follow")
	refuse(t, n, "inst-anzhen", Decide(q, ledger.Refuse), ws.Denied, "does not follow")
	refuse(t, n, "inst-anzhen", Decide(Question("s", "anzhen", 2), ledger.Approve), ws.Denied, "no such version")
	refuse(t, n, "inst-anzhen", Decide(Question("t", "anzhen", 1), ledger.Approve), ws.Denied, "not on the chain")
	n.Must("inst-anzhen", Decide(q, ledger.Withdraw))
	if !n.State().Withdrawn(q) || n.State().Withdrawn(Question("s", "ruijin", 1)) {
		t.Error("the withdrawal is told wrongly")
	}
	refuse(t, n, "inst-anzhen", Decide(q, ledger.Withdraw), ws.Denied, "does not follow")
	n.Must("inst-anzhen", Decide(q, ledger.Approve))
	n.Must("inst-anzhen", n.Version("anzhen", 2))
	n.Must("inst-anzhen", Decide(Question("s", "anzhen", 2), ledger.Refuse))
	listed := map[ledger.Question]ledger.Verdict{}
	for q, d := range n.State().Decisions("anzhen") {
		listed[q] = d.Verdict
	}
	if len(listed) != 2 || listed[q] != ledger.Approve || listed[Question("s", "anzhen", 2)] != ledger.Refuse {
		t.Errorf("decisions: %v", listed)
	}
	if d, _ := n.State().Decision(q); d.Number != 3 || n.State().Approved(q) != nil {
		t.Errorf("approved anew: %v", d)
	}
}

// Approved says whose word is missing, and holds for nothing but the question asked.
//
// [LEDGER-RULE.5]
func TestApproved(t *testing.T) {
	n := founded(t)
	n.Must("inst-anzhen", n.Version("anzhen", 2))
	n.Must("account wang", n.Study("t"))
	n.Must("inst-ruijin", Decide(Question("t", "ruijin", 1), ledger.Refuse))
	release := Question("s", "anzhen", 1)
	release.Release = "0.2.0"
	for name, c := range map[string]struct {
		q    ledger.Question
		word string
	}{
		"another version":  {Question("s", "anzhen", 2), "has not approved"},
		"another release":  {release, "has not approved"},
		"another study":    {Question("t", "anzhen", 1), "has not approved"},
		"an unknown study": {Question("u", "anzhen", 1), "not on the chain"},
		"no such version":  {Question("s", "anzhen", 3), "no such version"},
		"another site":     {Question("s", "hub", 1), "no such version"},
		"an unknown site":  {Question("s", "x", 1), "not on the chain"},
		"refused":          {Question("t", "ruijin", 1), "has refused"},
	} {
		err := n.State().Approved(c.q)
		if ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.State().Approved(Question("s", "anzhen", 1)); err != nil {
		t.Error(err)
	}
}
