package portal_test

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/policy"
	"wellspring/portal"
	"wellspring/portal/portaltest"
	"wellspring/site/console"
	"wellspring/study"
)

// asked has the hub answer a study, whose answer is withheld, and gives its run.
func (h *house) asked(text string) ledger.RunID {
	h.t.Helper()
	ref := h.submit(text)
	h.approve(ref)
	_, err := h.hub.Run(h.t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
	if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "waits for review by 1 custodian") {
		h.t.Fatalf("the answer was given, or for another reason not: %v", err)
	}
	if err := h.net.Reach(h.t.Context(), home); err != nil {
		h.t.Fatal(err)
	}
	all, err := h.desk.Outbox(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, held := range all {
		if held.StudyRef == ref {
			return held.Run
		}
	}
	h.t.Fatalf("the outbox lacks the answer: %+v", all)
	return ""
}

// said is what the ledger says that the steward's reviewer said.
func (h *house) said(id ledger.RunID) ledger.Review {
	r, _ := h.net.File.State().Review(id, home)
	return r
}

// form is what a preview has the form send back, each part too.
func form(t *testing.T, p page) url.Values {
	t.Helper()
	if p.status != http.StatusOK {
		t.Fatalf("%s: %d: %s", p.at, p.status, p.body)
	}
	v := url.Values{}
	for _, e := range elements(t, p) {
		if e.tag == "input" {
			v.Add(e.attr["name"], e.attr["value"])
		}
	}
	return v
}

// A reviewer sees what would leave, with each mark beside its number, and signs what
// a page has shown; until then the asker has nothing.
func TestOutbox(t *testing.T) {
	h := newHouseOf(t, map[ws.SiteID]policy.Review{home: policy.ReviewAll})
	b := h.steward
	b.get("/outbox").says(t, "Nothing waits.")
	id := h.asked(answered)
	at := "/outbox/" + string(id)
	b.get("/studies").says(t, "Outbox", "1<span", "wait for review")
	b.get("/outbox").says(t, "who-is-ill", "See what would leave", "marks of the automatic checks: ")
	p := b.get(at)
	p.says(t, "What would leave", "kinds", "odds", "curves", "hidden", `href="#mark-2"`, `id="mark-2"`, `id="mark-1"`, "drug &amp;")
	for _, lang := range []string{"en", "zh"} {
		b.get("/language/" + lang)
		inspect(t, b.get("/outbox"), lang)
		inspect(t, b.get(at), lang)
		inspect(t, b.post(at+"/preview", url.Values{"verdict": {"suppress"}, "part": {"1", "3"}, "reason": {hostileTitle}}), lang)
		inspect(t, b.post(at+"/preview", url.Values{"verdict": {"refuse"}}), lang)
	}
	b.get("/language/en")
	if p := b.get(at + "/preview"); p.at.Path != at {
		t.Errorf("the preview's own address leads to %s", p.at)
	}
	d, err := h.desk.Draft(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range d.Noted { // none is lost on the way to the page
		if !strings.Contains(p.body, m.Why.In(ws.English)[:20]) {
			t.Errorf("no remark on the page for %+v", m)
		}
	}
	if len(d.Noted) < 3 || strings.Count(p.body, `href="#mark-`) < 2 {
		t.Errorf("%d marks, %d references", len(d.Noted), strings.Count(p.body, `href="#mark-`))
	}
	h.refusals(b, at, id)
	// It is asked, then left out in part.
	ask := form(t, b.post(at+"/preview", url.Values{"verdict": {"ask"}, "reason": {"Which ward is it?"}}))
	b.post(at+"/sign", ask).says(t, "Your word is on the ledger.", "asks before deciding", "Which ward is it?")
	if _, err := h.hub.Result(t.Context(), id); ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "Which ward is it?") {
		t.Errorf("the requester is told %v", err)
	}
	b.post(at+"/sign", form(t, b.post(at+"/preview", url.Values{"verdict": {"suppress"}, "part": {"3", "1"}}))).says(t, "released without analyses [1 3]", "A reviewer leaves this analysis out.")
	if got := h.said(id); got.Verdict != ledger.Suppress || !slices.Equal(got.Parts, []int{1, 3}) || got.Number != 2 {
		t.Errorf("on the ledger: %+v", got)
	}
	a, err := h.hub.Result(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Document.All(); got[0].Tidy != nil && len(got[0].Tidy) > 0 || len(got[2].Tidy)+len(got[2].Summary) > 0 || len(got[1].Tidy) == 0 || got[0].Suppressed[0].Code != study.Reviewed {
		t.Errorf("what the requester got: %+v", got)
	}
	handed, _ := h.net.File.State().Handover(id, "hub")
	bytesOf, _ := study.MarshalCanonical(a.Document)
	if handed.Result != ledger.Commit(a.Salt, bytesOf) {
		t.Error("the ledger commits to something else than was given")
	}
	if err := h.net.Reach(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	b.get(at).silent(t, "Your word</h2>")
	b.get("/outbox").says(t, "with the requester")
	h.operator.get("/results/"+string(id)).says(t, "left this analysis out")
	whole, _ := study.MarshalCanonical(d.Document)
	if bytes.Equal(whole, bytesOf) {
		t.Error("nothing was left out")
	}
}

// refusals tries what no form of the pages sends; nothing comes of it.
func (h *house) refusals(b *browser, at string, id ledger.RunID) {
	t := h.t
	t.Helper()
	good := form(t, b.post(at+"/preview", url.Values{"verdict": {"approve"}}))
	for what, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"no verdict":          {url.Values{}, http.StatusNotFound},
		"a verdict of none":   {url.Values{"verdict": {"withdraw"}}, http.StatusNotFound},
		"suppress nothing":    {url.Values{"verdict": {"suppress"}}, http.StatusNotFound},
		"suppress all":        {url.Values{"verdict": {"suppress"}, "part": {"1", "2", "3"}}, http.StatusNotFound},
		"suppress a fourth":   {url.Values{"verdict": {"suppress"}, "part": {"4"}}, http.StatusNotFound},
		"ask nothing":         {url.Values{"verdict": {"ask"}}, http.StatusNotFound},
		"two lines":           {url.Values{"verdict": {"refuse"}, "reason": {"a\nb"}}, http.StatusNotFound},
		"not what was shown":  {url.Values{"verdict": {"approve"}, "signed": {good.Get("signed") + "x"}}, http.StatusConflict},
		"another than signed": {url.Values{"verdict": {"refuse"}, "signed": good["signed"]}, http.StatusConflict},
	} {
		if p := b.post(at+"/sign", c.form); p.status != c.status {
			t.Errorf("%s: %d, want %d", what, p.status, c.status)
		}
	}
	foreign := map[string]string{"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
	if p := b.send(http.MethodPost, at+"/sign", good, foreign); p.status != http.StatusForbidden {
		t.Errorf("from another site: %d", p.status)
	}
	if p := b.another().post(at+"/sign", good); p.status != http.StatusUnauthorized {
		t.Errorf("without the cookie: %d", p.status)
	}
	if p := h.operator.post(at+"/sign", good); p.status != http.StatusNotFound {
		t.Errorf("at the operator's console: %d", p.status)
	}
	if got := h.said(id); got.Number != 0 {
		t.Errorf("something came of it: %+v", got)
	}
}

// Who approves studies and who releases answers may be two persons, each at pages of
// one function.
func TestOutbox_Functions(t *testing.T) {
	h := newHouseOf(t, map[ws.SiteID]policy.Review{home: policy.ReviewAll})
	id := h.asked(waiting)
	ref := h.submit(hostile)
	steward := h.serve(portal.Config{Node: h.desk, Steward: h.decider()})
	releaser := h.serve(portal.Config{Node: h.desk, Reviewer: h.reviewer()})
	steward.get("/studies").silent(t, "Outbox")
	releaser.get("/studies").silent(t, "Read and decide")
	releaser.get("/outbox").says(t, "Reviewer’s console of site", "ages")
	for _, c := range []struct {
		b    *browser
		path string
		want int
	}{{steward, "/outbox", 404}, {steward, "/outbox/" + string(id), 404}, {releaser, "/outbox/" + string(id), 200},
		{releaser, pathOf(ref) + "/approve", 404}, {steward, pathOf(ref) + "/approve", 200}, {releaser, "/data", 404}} {
		if p := c.b.get(c.path); p.status != c.want {
			t.Errorf("%s: %d, want %d", c.path, p.status, c.want)
		}
	}
	if p := steward.post("/outbox/"+string(id)+"/sign", url.Values{"verdict": {"approve"}}); p.status != http.StatusNotFound {
		t.Errorf("the steward of studies releases: %d", p.status)
	}
}

// In a browser the pages keep what all pages promise, and the form is filled by hand.
func TestBrowser_Outbox(t *testing.T) {
	h := newHouseOf(t, map[ws.SiteID]policy.Review{home: policy.MarkedOnly})
	b := portaltest.Open(t)
	h.asked(answered)
	b.Go(h.steward.portal.URL())
	b.Go(h.steward.base + "/outbox")
	b.Says("who-is-ill")
	b.Check("outbox")
	b.Click("who-is-ill")
	b.Says("hidden")
	b.Check("offer")
}
