package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/portal"
	"wellspring/site/console"
)

// standing is what the ledger says that the steward's site decided.
func (h *house) standing(ref ledger.StudyRef) ledger.Verdict {
	d, _ := h.net.File.State().Decision(question(ref))
	return d.Verdict
}

func question(ref ledger.StudyRef) ledger.Question {
	return ledger.Question{StudyRef: ref, Release: ws.Version, Site: home, Version: 1}
}

// signed is what a confirmation page has the form send back.
func signed(t *testing.T, p page) url.Values {
	t.Helper()
	if p.status != http.StatusOK {
		t.Fatalf("%s: %d: %s", p.at, p.status, p.body)
	}
	form := url.Values{}
	for _, e := range elements(t, p) {
		if e.tag == "input" {
			form.Set(e.attr["name"], e.attr["value"])
		}
	}
	return form
}

// A steward approves after a page that says what is signed, and withdraws so;
// what the page said is what stands on the ledger.
func TestDecide(t *testing.T) {
	h := newHouse(t)
	b := h.steward
	ref := h.submit(waiting)
	b.get("/").says(t, "Ages of all patients", "Read and decide", `<span class="count">1<span`)
	b.get(pathOf(ref)).says(t, "Approve…", "Refuse…", "All rows of the dataset", "sha256:"+ref.Study.String())
	for _, step := range []struct {
		act, says, left, gone string
		want                  ledger.Verdict
	}{
		{"approve", "Approve this study?", "Withdraw the approval…", "Approve…", ledger.Approve},
		{"withdraw", "Withdraw the approval?", "Approve…", "Withdraw the approval…", ledger.Withdraw},
		{"approve", "Approve this study?", "Withdraw the approval…", "Approve…", ledger.Approve},
	} {
		confirm := b.get(pathOf(ref) + "/" + step.act)
		confirm.says(t, step.says, "sha256:"+ref.Study.String(), string(ref.Requester), string(home), "version 1", string(ws.Version), "DUO:0000042")
		p := b.post(pathOf(ref)+"/"+step.act, signed(t, confirm))
		if p.status != http.StatusOK || p.at.Path != pathOf(ref) {
			t.Errorf("%s: %d at %s", step.act, p.status, p.at)
		}
		p.says(t, "Your decision is on the ledger", step.left)
		p.silent(t, `/approve">`+step.gone)
		if got := h.standing(ref); got != step.want {
			t.Errorf("%s: the ledger says %q", step.act, got)
		}
		if p := b.post(pathOf(ref)+"/"+step.act, signed(t, confirm)); p.status != http.StatusForbidden {
			t.Errorf("%s again: %d", step.act, p.status)
		}
	}
	b.get("/studies").says(t, "Nothing waits")
	h.operator.get(pathOf(ref)).says(t, string(home), "approved")
}

// A refusal can be followed by an approval, and by nothing else.
func TestDecide_Refuse(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(waiting)
	path := pathOf(ref) + "/refuse"
	h.steward.post(path, signed(t, h.steward.get(path))).says(t, "Approve…")
	if got := h.standing(ref); got != ledger.Refuse {
		t.Errorf("the ledger says %q", got)
	}
	for act, want := range map[string]int{"refuse": http.StatusForbidden, "withdraw": http.StatusForbidden, "approve": http.StatusOK} {
		if p := h.steward.get(pathOf(ref) + "/" + act); p.status != want {
			t.Errorf("%s after a refusal: %d", act, p.status)
		}
	}
}

// Nothing is signed but by a form of the portal's own page, and nothing but what that page said.
func TestDecide_Forged(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(waiting)
	path := pathOf(ref) + "/approve"
	good := signed(t, h.steward.get(path))
	for what, header := range map[string]map[string]string{
		"another site":             {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"},
		"another port":             {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
		"an older browser":         {"Origin": "https://example.org"},
		"a page without an origin": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
	} {
		for lang, says := range map[string]string{"en": "not sent from a page of this console", "zh": "并非由本控制台的页面发出"} {
			h.steward.get("/language/" + lang)
			p := h.steward.send(http.MethodPost, path, good, header)
			if p.status != http.StatusForbidden {
				t.Errorf("from %s: %d", what, p.status)
			}
			p.says(t, says)
			secure(t, p)
		}
	}
	h.steward.get("/language/en")
	if p := h.steward.another().post(path, good); p.status != http.StatusUnauthorized {
		t.Errorf("without the cookie: %d", p.status)
	}
	other := url.Values{"signed": {strings.Replace(good.Get("signed"), " 1}", " 2}", 1)}}
	if other.Get("signed") == good.Get("signed") {
		t.Fatalf("the form holds no version: %v", good)
	}
	for what, form := range map[string]url.Values{"nothing": {}, "another version": other, "a study more": {"signed": {good.Get("signed") + good.Get("signed")}}} {
		p := h.steward.post(path, form)
		if p.status != http.StatusConflict {
			t.Errorf("%s: %d", what, p.status)
		}
		p.says(t, "Nothing was signed")
	}
	if p := h.steward.post(path, url.Values{"signed": good["signed"], "more": {strings.Repeat("x", 1<<20)}}); p.status < 400 {
		t.Errorf("a form of a megabyte: %d", p.status)
	}
	if p := h.steward.post(path+"?signed="+url.QueryEscape(good.Get("signed")), url.Values{}); p.status != http.StatusConflict {
		t.Errorf("signed by the address: %d", p.status)
	}
	if got := h.standing(ref); got != "" {
		t.Errorf("the ledger says %q", got)
	}
}

// While a page waits for its person, the site freezes another version: what was
// shown is not signed.
func TestDecide_Moved(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(waiting)
	path := pathOf(ref) + "/approve"
	form := signed(t, h.steward.get(path))
	err := h.net.Submit(t.Context(), "inst-"+string(home), func(ledgertest.Net) ledger.Body {
		return &ledger.AddVersion{Site: home, Dataset: hubtest.Dataset, Version: 2, Commitment: ledgertest.Hash("another")}
	})
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // the steward's own copy of the ledger follows
		about, err := h.desk.About(t.Context())
		if err == nil && about.Latest(hubtest.Dataset) == 2 {
			break
		}
		if err != nil || time.Now().After(until) {
			t.Fatal(about, err)
		}
	}
	p := h.steward.post(path, form)
	if p.status != http.StatusConflict {
		t.Errorf("%d", p.status)
	}
	p.says(t, "has changed since it was shown", "version 2")
	if got := h.standing(ref); got != "" {
		t.Errorf("the ledger says %q", got)
	}
}

// Nobody approves a text that is not here.
func TestDecide_Unseen(t *testing.T) {
	h := newHouse(t)
	_, digest, err := console.Read([]byte(waiting))
	if err != nil {
		t.Fatal(err)
	}
	err = h.net.Submit(t.Context(), "account wang", func(ledgertest.Net) ledger.Body {
		return &ledger.AddStudy{Dataset: hubtest.Dataset, Purposes: []ws.Purpose{"DUO:0000042"}, Study: digest, Conductors: []ws.SiteID{"hub"}}
	})
	if err != nil {
		t.Fatal(err)
	}
	ref := ledger.StudyRef{Requester: hubtest.Requester, Study: digest}
	var p page
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) && p.status != http.StatusOK; time.Sleep(time.Millisecond) {
		p = h.steward.get(pathOf(ref))
	}
	p.says(t, "The text of the study has not come yet")
	p.silent(t, "/approve")
	if p := h.steward.get(pathOf(ref) + "/approve"); p.status != http.StatusServiceUnavailable {
		t.Errorf("%d", p.status)
	}
	if p := h.steward.get(pathOf(ref) + "/refuse"); p.status != http.StatusOK {
		t.Errorf("to refuse it: %d", p.status)
	}
}

// A decision that takes long goes on without its page; one that fails says what
// to do. An error of another program is not shown: it may hold anything.
func TestDecide_SlowAndFailed(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(waiting)
	path := pathOf(ref) + "/approve"
	steward, answer := h.decider(), make(chan error)
	steward.Decide = func(ctx context.Context, _ []ledger.Question, _ ledger.Verdict) error {
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b := h.serve(portal.Config{Node: h.desk, Steward: steward})
	form := signed(t, b.get(path))
	gone, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(gone, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	left := make(chan bool)
	go func() { _, _ = b.http.Do(req); close(left) }()
	var p page
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until) && !strings.Contains(p.body, "on its way to the ledger"); time.Sleep(time.Millisecond) {
		p = b.get(pathOf(ref))
	}
	hangUp()
	<-left
	p = b.get(pathOf(ref))
	p.says(t, "on its way to the ledger")
	if p.header.Get("Refresh") == "" {
		t.Error("a page that waits does not load itself again")
	}
	if p := b.post(path, form); p.status != http.StatusForbidden {
		t.Errorf("a second one meanwhile: %d", p.status)
	}
	answer <- errors.New("open /srv/keys/institution.key: permission denied")
	for range 1000 {
		if p = b.get(pathOf(ref)); !strings.Contains(p.body, "on its way") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.says(t, "The decision is not on the ledger", "could not be signed")
	p.silent(t, "/srv", "permission denied")
	go func() {
		answer <- ws.Errorf(ws.Denied, "", ws.T("the key is locked", "密钥已锁定")).WithHint(ws.T("unlock it", "请解锁"))
	}()
	b.post(path, form).says(t, "the key is locked", "unlock it")
	b.get("/language/zh?back="+pathOf(ref)).says(t, "密钥已锁定", "请解锁", "该决定未登记到账本")
}

// Data that cannot be listed are told of in our words alone.
func TestData(t *testing.T) {
	h := newHouse(t)
	h.steward.get("/data").says(t, "lab", "draft", "version 1", "wellspring site dataset freeze lab", ">10<")
	empty, broken := h.decider(), h.decider()
	empty.Holdings = func() ([]portal.Holding, error) { return nil, nil }
	h.serve(portal.Config{Node: h.desk, Steward: empty}).get("/data").says(t, "This site has no data yet")
	known := ws.Errorf(ws.Diverged, "data", ws.T("the description was altered", "描述已被改动"))
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{errors.New("row 17: Zhang San"), http.StatusInternalServerError, "something went wrong"},
		{ws.At("row 17", errors.New("Zhang San")), http.StatusInternalServerError, "something went wrong"},
		{errors.Join(errors.New("row 17: Zhang San"), known), http.StatusConflict, "the description was altered"},
		{known.Wrap(errors.New("row 17: Zhang San")), http.StatusConflict, "the description was altered"},
	} {
		broken.Holdings = func() ([]portal.Holding, error) { return nil, c.err }
		p := h.serve(portal.Config{Node: h.desk, Steward: broken}).get("/data")
		if p.status != c.status {
			t.Errorf("%v: %d", c.err, p.status)
		}
		p.says(t, c.says)
		p.silent(t, "Zhang", "17")
	}
}
