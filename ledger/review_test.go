package ledger_test

import (
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	. "wellspring/ledger/ledgertest"
)

// closedFor is a chain on which run "r" over anzhen and ruijin has a result that waits for
// reviewers of some sites.
func closedFor(t *testing.T, sites ...ws.SiteID) Net {
	t.Helper()
	n := founded(t)
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	n.Must("hub", mark("r", 1))
	n.Must("hub", reviewed("r", sites...))
	return n
}

// [LEDGER-REVIEW.1]: whose word a result waits for stands in the closing, and is a member.
func TestApply_CloseReviewed(t *testing.T) {
	n := founded(t)
	n.Must("hub", Open("s", "r", 1, "anzhen", "ruijin"))
	n.Must("hub", mark("r", 1))
	refuse(t, n, "hub", reviewed("r", "xiehe"), ws.Denied, "takes no part")
	for name, bad := range map[string]*ledger.CloseRun{
		"out of order": reviewed("r", "ruijin", "anzhen"),
		"twice":        reviewed("r", "anzhen", "anzhen"),
		"no name":      reviewed("r", ""),
		"of no result": {Epoch: 1, Outcome: "denied", Review: []ws.SiteID{"anzhen"}, Rounds: Hash("rounds"), Run: RunID("r")},
	} {
		if _, err := ledger.Sign("test", 1, bad, Key("hub")); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	n.Must("hub", reviewed("r", "anzhen"))
	if got := n.State().Reviewers(RunID("r")); !slices.Equal(got, []ws.SiteID{"anzhen"}) {
		t.Errorf("reviewers: %v", got)
	}
	// A member that closes too, and names nobody, or others, takes nobody's word away.
	n.Must("ruijin", reviewed("r", "ruijin"))
	if got := n.State().Reviewers(RunID("r")); !slices.Equal(got, []ws.SiteID{"anzhen", "ruijin"}) {
		t.Errorf("reviewers: %v", got)
	}
}

// [LEDGER-REVIEW.2]: nothing is released before every reviewer has let this very result
// go, and nobody else's word counts.
func TestApply_Review(t *testing.T) {
	n := closedFor(t, "anzhen", "ruijin")
	approve := func(site string) *ledger.ReviewResult { return review("r", site, ledger.Approve) }
	refuse(t, n, "hub", released("r"), ws.Denied, "reviewer of site anzhen")
	refuse(t, n, "inst-ruijin", approve("anzhen"), ws.Denied, "another institution")
	refuse(t, n, "anzhen", approve("anzhen"), ws.Denied, "institution's own key")
	refuse(t, n, "inst-xiehe", approve("xiehe"), ws.Denied, "waits for site xiehe")
	other := approve("anzhen")
	other.Result = Hash("another result")
	refuse(t, n, "inst-anzhen", other, ws.Denied, "no result of this commitment")
	unknown := approve("anzhen")
	unknown.Run = RunID("q")
	refuse(t, n, "inst-anzhen", unknown, ws.Denied, "no such run")

	n.Must("inst-anzhen", approve("anzhen"))
	refuse(t, n, "inst-anzhen", approve("anzhen"), ws.Denied, "just this already")
	refuse(t, n, "hub", released("r"), ws.Denied, "reviewer of site ruijin")
	for _, v := range []ledger.Verdict{ledger.Ask, ledger.Refuse} { // neither is a release
		n.Must("inst-ruijin", review("r", "ruijin", v))
		refuse(t, n, "hub", released("r"), ws.Denied, "reviewer of site ruijin")
	}
	n.Must("inst-ruijin", approve("ruijin"))
	refuse(t, n, "hub", release("r"), ws.Denied, "not what the reviewers let go")
	n.Must("operator", &ledger.SetInstitution{Act: ledger.Suspend, Institution: "inst-anzhen"})
	refuse(t, n, "hub", released("r"), ws.Denied, "suspended")
	n.Must("operator", &ledger.SetInstitution{Act: ledger.Reinstate, Institution: "inst-anzhen"})
	n.Must("hub", released("r"))
	refuse(t, n, "inst-ruijin", review("r", "ruijin", ledger.Refuse), ws.Denied, "released already")
	if got, _ := n.State().Review(RunID("r"), "ruijin"); got.Number != 3 {
		t.Errorf("ruijin's review: %+v", got)
	}
}

// [LEDGER-REVIEW.3]: what reviewers leave out adds up, and what is released then is
// something else than the run was closed with.
func TestApply_ReviewParts(t *testing.T) {
	n := closedFor(t, "anzhen", "ruijin")
	n.Must("inst-anzhen", review("r", "anzhen", ledger.Suppress, 2, 5))
	n.Must("inst-ruijin", review("r", "ruijin", ledger.Suppress, 1, 2))
	if got := n.State().LeftOut(RunID("r")); !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("left out: %v", got)
	}
	n.Must("inst-ruijin", review("r", "ruijin", ledger.Approve))
	if got := n.State().LeftOut(RunID("r")); !slices.Equal(got, []int{2, 5}) {
		t.Errorf("left out: %v", got)
	}
	refuse(t, n, "hub", released("r"), ws.Denied, "not what the reviewers let go")
	n.Must("hub", release("r"))
	for name, bad := range map[string]*ledger.ReviewResult{
		"a part without suppress":  review("r", "anzhen", ledger.Approve, 1),
		"suppress without a part":  review("r", "anzhen", ledger.Suppress),
		"parts out of order":       review("r", "anzhen", ledger.Suppress, 2, 1),
		"a part twice":             review("r", "anzhen", ledger.Suppress, 1, 1),
		"part 0":                   review("r", "anzhen", ledger.Suppress, 0),
		"a part that none can be":  review("r", "anzhen", ledger.Suppress, 1<<20),
		"a verdict of no review":   review("r", "anzhen", ledger.Withdraw),
		"no verdict":               review("r", "anzhen", ""),
		"parts that are null":      {Result: Hash("result"), Run: RunID("r"), Site: "anzhen", Verdict: ledger.Approve},
		"no commitment":            {Parts: []int{}, Run: RunID("r"), Site: "anzhen", Verdict: ledger.Approve},
		"more parts than it takes": review("r", "anzhen", ledger.Suppress, slices.Collect(upTo(300))...),
	} {
		if _, err := ledger.Sign("test", 1, bad, Key("inst-anzhen")); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i + 1) {
				return
			}
		}
	}
}

// A closing that names as many reviewers as a run has sites fits into a transaction.
//
// [LEDGER-TX.4]
func TestClose_Largest(t *testing.T) {
	c := closing("r", 1, ledger.OK)
	for i := range ledger.MaxMembers {
		name := []rune{}
		for range 60 {
			name = append(name, '院')
		}
		c.Review = append(c.Review, ws.SiteID(append(name, rune('0'+i/1000), rune('0'+i/100%10), rune('0'+i/10%10), rune('0'+i%10))))
	}
	tx, err := ledger.Sign("test", 1, c, Key("hub"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(tx.Bytes()), ledger.MaxTx)
}
