package console_test

import (
	"path/filepath"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/post"
	"wellspring/site/console"
	"wellspring/study"
)

// An answer that waits for reviewers is given to nobody, however it is asked for, until
// the last of them has let it go.
func TestConsole_Review(t *testing.T) {
	for _, away := range []bool{false, true} { // the closing is put on record later, and names them all the same
		d := newDesk(t)
		ref := d.submit()
		d.review, d.away = []ws.SiteID{"anzhen", "ruijin"}, away
		_, _, err := d.run(t.Context(), console.Order{StudyRef: ref})
		if want := map[bool]ws.Kind{false: ws.Withheld, true: ws.Unreachable}[away]; ws.KindOf(err) != want {
			t.Fatalf("told %v, want %s", err, want)
		}
		id := ledger.RunID(strings.Repeat("0", 31) + "1")
		asks := func(kind ws.Kind, words string) {
			t.Helper()
			_, err := d.client.Result(t.Context(), id)
			if ws.KindOf(err) != kind || !strings.Contains(err.Error(), words) {
				t.Errorf("asked again: %v, want %s with %q", err, kind, words)
			}
			if _, known := d.net.State().Handover(id, "hub"); known {
				t.Error("it is on record as handed over")
			}
		}
		asks(ws.Withheld, "waits for review by 2 custodians")
		closing, _ := d.net.State().Closing(id, "hub")
		say := func(site string, v ledger.Verdict, words string) {
			t.Helper()
			r := &ledger.ReviewResult{Parts: []int{}, Result: closing.Result, Run: id, Site: ws.SiteID(site), Verdict: v}
			if words != "" {
				said := post.Review{Run: id, Salt: ledger.Salt{7}, Text: words}
				r.Reason = ledger.Commit(said.Salt, []byte(words))
				if err := d.words.Put(ws.SiteID(site), said, d.net.State().Reviewers(id)); err != nil {
					t.Fatal(err)
				}
			}
			d.net.Must("inst-"+site, r)
		}
		say("anzhen", ledger.Approve, "")
		asks(ws.Withheld, "waits for review by 1 custodian")
		say("ruijin", ledger.Refuse, "not for this purpose")
		asks(ws.Withheld, "not for this purpose")
		if err := d.words.Put("ruijin", post.Review{Run: id, Salt: ledger.Salt{8}, Text: "words that nobody signed"}, d.net.State().Reviewers(id)); err != nil {
			t.Fatal(err)
		}
		_, err = d.client.Result(t.Context(), id)
		if strings.Contains(err.Error(), "nobody signed") {
			t.Errorf("words that the ledger does not commit to are told: %v", err)
		}
		say("ruijin", ledger.Approve, "")
		a, err := d.client.Result(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := study.MarshalCanonical(a.Document)
		if h, known := d.net.State().Handover(id, "hub"); !known || h.Result != ledger.Commit(a.Salt, b) || h.Result != closing.Result {
			t.Errorf("handed over: %+v, %v", h, known)
		}
	}
}

// A reviewer releases nothing but what the ledger was closed with, and is told where a
// run was closed without this site's word.
func TestConsole_Outbox(t *testing.T) {
	d := newDesk(t)
	ref := d.submit()
	d.review = []ws.SiteID{"anzhen"}
	if _, _, err := d.run(t.Context(), console.Order{StudyRef: ref}); ws.KindOf(err) != ws.Withheld {
		t.Fatal(err)
	}
	id := ledger.RunID(strings.Repeat("0", 31) + "1")
	closed, _ := d.net.State().Closing(id, "hub")
	doc := func(term string) *study.Document {
		return &study.Document{Study: "ages", StudyDigest: "sha256:" + ref.Study.String(), Sites: []ws.SiteID{"anzhen"}, Rounds: 2,
			Result: &study.Result{Method: "describe", Tidy: []study.Row{{{Name: "term", Value: term}}}}}
	}
	if err := d.outbox.Keep(&console.Answer{Run: id, Document: doc("I(age >= 50)TRUE & more"), Salt: ledger.Salt{1}, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	if err := d.outbox.Keep(&console.Answer{Run: id, Document: doc("another"), Salt: ledger.Salt{1}}); err != nil { // what is there stays
		t.Fatal(err)
	}
	all, err := d.client.Outbox(t.Context())
	if err != nil || len(all) != 1 || all[0].Result != closed.Result || all[0].StudyRef != ref || all[0].Marks == 0 || all[0].Released {
		t.Fatalf("the outbox: %+v, %v", all, err)
	}
	draft, err := d.client.Draft(t.Context(), id)
	if err != nil || len(draft.Noted) != all[0].Marks || !draft.Passed { // the hub is none of its reviewers
		t.Fatalf("the draft: %+v, %v", draft, err)
	}
	_, _, err = draft.Body("hub", console.Ruling{Verdict: ledger.Approve})
	wants(t, "passed over", err, ws.Denied)
	draft.Passed = false
	body, said, err := draft.Body("anzhen", console.Ruling{Verdict: ledger.Refuse, Reason: "no"})
	if err != nil || body.Result != closed.Result || said.Text != "no" || body.Reason != ledger.Commit(said.Salt, []byte("no")) {
		t.Errorf("what is signed: %+v, %+v, %v", body, said, err)
	}
	_, _, err = draft.Body("anzhen", console.Ruling{Verdict: ledger.Suppress, Parts: []int{1}})
	wants(t, "nothing is left", err, ws.Invalid)
	draft.Result = ledger.Hash{}
	_, _, err = draft.Body("anzhen", console.Ruling{Verdict: ledger.Approve})
	wants(t, "another answer than the ledger's", err, ws.Diverged)
	draft.Released = true
	_, _, err = draft.Body("anzhen", console.Ruling{Verdict: ledger.Approve})
	wants(t, "released", err, ws.Denied)
	_, err = d.client.Draft(t.Context(), ledger.RunID(strings.Repeat("0", 31)+"2"))
	wants(t, "an answer that is not here", err, ws.Invalid)
}

// Words are kept of reviewers alone, in bounds, and of no other run than is named.
func TestWords(t *testing.T) {
	k, err := console.OpenWords(filepath.Join(t.TempDir(), "words"))
	if err != nil {
		t.Fatal(err)
	}
	id := ledgertest.RunID("r")
	good := post.Review{Run: id, Salt: ledger.Salt{1}, Text: "为何需要？"}
	for name, c := range map[string]struct {
		site ws.SiteID
		said post.Review
	}{
		"a stranger":       {"xiehe", good},
		"no words":         {"anzhen", post.Review{Run: id}},
		"too many":         {"anzhen", post.Review{Run: id, Text: strings.Repeat("x", post.MaxReason+1)}},
		"two lines":        {"anzhen", post.Review{Run: id, Text: "a\nb"}},
		"a terminal's":     {"anzhen", post.Review{Run: id, Text: "\x1b[2J"}},
		"a way out":        {"anzhen", post.Review{Run: "../../../../../../../../../etc/pas", Text: "x"}},
		"no run's number":  {"anzhen", post.Review{Run: "../x", Text: "x"}},
		"not in any signs": {"anzhen", post.Review{Run: id, Text: "\xff"}},
	} {
		if err := k.Put(c.site, c.said, []ws.SiteID{"anzhen"}); err == nil {
			t.Errorf("%s: kept", name)
		}
	}
	if err := k.Put("anzhen", good, []ws.SiteID{"anzhen"}); err != nil {
		t.Fatal(err)
	}
	signed := ledger.Review{Reason: ledger.Commit(good.Salt, []byte(good.Text))}
	if got := k.Of(id, "anzhen", signed); got != good.Text {
		t.Errorf("kept as %q", got)
	}
	for name, r := range map[string]ledger.Review{"none": {}, "others": {Reason: ledgertest.Hash("x")}} {
		if got := k.Of(id, "anzhen", r); got != "" {
			t.Errorf("the ledger commits to %s, and is told %q", name, got)
		}
	}
}
