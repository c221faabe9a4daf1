package portal_test

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/post/conduct"
	"wellspring/site/console"
	"wellspring/study"
)

// An answer is told with its tables, figures and proof; files of it are the bytes
// of the command line.
func TestResult(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(answered)
	h.approve(ref)
	a := h.run(ref)
	path := "/results/" + string(a.Run)
	salt, err := a.Salt.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	h.operator.get(pathOf(ref)).says(t, "Read the answer", path, "answered", "approved")
	h.operator.get("/studies").says(t, path)
	for lang, says := range map[string][]string{"en": {"Who is ill", "Proof", "Left out", "Download the whole answer"}, "zh": {"谁患病", "证明", "未予发布", "下载完整结果"}} {
		h.operator.get("/language/" + lang)
		p := h.operator.get(path)
		p.says(t, append(says, "<svg", string(salt), "anzhen, ruijin, xiehe")...)
		if strings.Count(p.body, "<svg") < 3 { // the mark of the program, coefficients, curves
			t.Errorf("figures are lacking: %s", p.body)
		}
		hidden(t, p)
	}
	canonical, err := study.MarshalCanonical(a.Document)
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"who-is-ill.json": "application/json", "who-is-ill-kinds.csv": "text/csv; charset=utf-8", "who-is-ill-odds.csv": "text/csv; charset=utf-8", "who-is-ill-curves.svg": "image/svg+xml"} {
		p := h.operator.get(path + "/" + name)
		disposition, params, err := mime.ParseMediaType(p.header.Get("Content-Disposition"))
		if p.status != http.StatusOK || p.header.Get("Content-Type") != kind || err != nil || disposition != "attachment" || params["filename"] != name {
			t.Errorf("%s: %d %v", name, p.status, p.header)
		}
		secure(t, p)
		switch {
		case strings.HasSuffix(name, ".json") && p.body != string(canonical)+"\n":
			t.Errorf("%s has other bytes than the answer", name)
		case strings.HasSuffix(name, ".csv"):
			if all, err := csv.NewReader(strings.NewReader(p.body)).ReadAll(); err != nil || len(all) < 2 {
				t.Errorf("%s: %v, %v", name, all, err)
			}
		case strings.HasSuffix(name, ".svg"):
			if err := xml.Unmarshal([]byte(p.body), new(struct{})); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range []string{"who-is-ill", "who-is-ill.exe", "..%2f..%2fledger", "who-is-ill-curves.svg%00.html"} {
		if p := h.operator.get(path + "/" + name); p.status == http.StatusOK {
			t.Errorf("%s is given: %s", name, p.body)
		}
	}
	if p := h.steward.get(path); p.status != http.StatusNotFound { // the hub conducted: no other node keeps the answer
		t.Errorf("the answer at another node: %d", p.status)
	}
}

// hidden holds a page to the limit: of the kinds of which there are too few, no
// number is told, and of those of whom there are enough there is one.
func hidden(t *testing.T, p page) {
	t.Helper()
	row := regexp.MustCompile(`(?s)<tr>.*?</tr>`)
	number := regexp.MustCompile(`>\s*[0-9][0-9.]*\s*<`)
	seen := map[string]bool{}
	for _, r := range row.FindAllString(p.body, -1) {
		for _, kind := range []string{"common", "rare", "scarce"} {
			if !strings.Contains(r, ">"+kind+"<") {
				continue
			}
			seen[kind] = true
			if told := number.MatchString(r); told != (kind == "common") {
				t.Errorf("%s: of kind %s: %s", p.at, kind, r)
			}
		}
	}
	if !seen["common"] {
		t.Errorf("%s has no row of those who may be told of: %v", p.at, seen)
	}
	p.says(t, "kind = rare", "kind = scarce") // which it says
}

// How far a run is stands on the pages of the node that conducts it, which load
// themselves again until the person stops that, and from then on as well.
func TestProgress(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(answered)
	h.approve(ref)
	away := h.net.When(3, 0, func(conduct.Progress) { h.net.Kill("xiehe") })
	ended := make(chan error, 1)
	go func() {
		_, err := h.hub.Run(t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
		ended <- err
	}()
	select {
	case <-away:
	case err := <-ended:
		t.Fatalf("the run has ended: %v", err)
	}
	p, round := h.stands(ref)
	inspect(t, p, "en")
	p.says(t, "under way", "Stop reloading", "Round", "<progress", "Progress by round", "<th scope=\"col\">Took</th>", "A round takes about")
	for _, path := range []string{"/studies", pathOf(ref)} {
		if p := h.operator.get(path); p.header.Get("Refresh") == "" || !waits.MatchString(p.body) {
			t.Errorf("%s: Refresh %q: %s", path, p.header.Get("Refresh"), p.body)
		}
	}
	inspect(t, h.operator.get("/language/zh?back="+pathOf(ref)), "zh")
	for _, path := range []string{"/reloading/off?back=" + pathOf(ref), "/studies", "/network"} {
		if p := h.operator.get(path); p.header.Get("Refresh") != "" || !strings.Contains(p.body, `href="/reloading/on`) {
			t.Errorf("%s loads itself again although the person has stopped that: %s", path, p.body)
		}
	}
	if p := h.operator.get("/reloading/on?back=" + pathOf(ref)); p.header.Get("Refresh") == "" || p.at.Path != pathOf(ref) {
		t.Errorf("%s does not load itself again: %v", p.at, p.header)
	}
	at := h.steward.await(pathOf(ref), "This site is in round "+round) // a site that takes part
	at.says(t, "Under way; this site takes part", "Progress by round")
	at.silent(t, "<progress", "sites have answered")
	h.steward.get("/studies").says(t, "This site is in round "+round)
	if err := h.net.Start(t.Context(), "xiehe"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	p = h.operator.get("/language/en?back=" + pathOf(ref))
	p.says(t, "Read the answer")
	if p.header.Get("Refresh") != "" {
		t.Error("a page of a run that has ended loads itself again")
	}
	h.steward.leaves(pathOf(ref), "This site is in round").says(t, "answered") // once the site has heard that it ended
	h.again(ref)
}

var waits = regexp.MustCompile(`Round ([0-9]+): 2 of 3 sites have answered`)

// stands waits until a run has stood at one round for a while, since a site is
// away, and gives the operator's page of it.
func (h *house) stands(ref ledger.StudyRef) (p page, round string) {
	h.t.Helper()
	since := time.Now()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		p = h.operator.get(pathOf(ref))
		m := waits.FindStringSubmatch(p.body)
		if m == nil || m[1] != round {
			since, round = time.Now(), ""
			if m != nil {
				round = m[1]
			}
		}
		if round != "" && time.Since(since) > 500*time.Millisecond {
			return p, round
		}
	}
	h.t.Fatalf("no round waits for the site that is away: %s", p.body)
	return p, round
}

// again runs a study that the hub has answered, and finds on its page how many
// rounds the run before took.
func (h *house) again(ref ledger.StudyRef) {
	h.t.Helper()
	away := h.net.When(3, 0, func(conduct.Progress) { h.net.Kill("xiehe") })
	ctx, hangUp := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := h.hub.Run(ctx, console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
		ended <- err
	}()
	select {
	case <-away:
	case err := <-ended:
		h.t.Fatalf("the second run has ended: %v", err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		p := h.operator.get(pathOf(ref))
		if regexp.MustCompile(`The last run of this study took [0-9]+ rounds. If this one does, about \S+ seconds? remain`).MatchString(p.body) {
			break
		}
		if time.Now().After(until) {
			h.t.Fatalf("nothing is said of the run before: %s", p.body)
		}
	}
	hangUp()
	if err := <-ended; ws.KindOf(err) != ws.Stopped {
		h.t.Errorf("the run that was left: %v", err)
	}
}

// What ended without an answer is told by its kind, without a reason from inside.
func TestResult_Withheld(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(strings.Replace(strings.Replace(waiting, `"dataset":"rows"`, `"dataset":"rows","where":"kind == \"rare\""`, 1), `"ages"`, `"few"`, 1))
	h.approve(ref)
	_, err := h.hub.Run(t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
	if ws.KindOf(err) != ws.Withheld {
		t.Fatalf("six persons: %v", err)
	}
	p := h.operator.get(pathOf(ref))
	p.says(t, "ended: the answer would disclose too much")
	p.silent(t, "Read the answer")
	h.operator.get("/language/zh?back="+pathOf(ref)).says(t, "已结束：结果会泄露过多信息")
}
