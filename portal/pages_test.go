package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
)

// Studies of the tests.
const (
	answered = `{"apiVersion":"wellspring/v1","kind":"Study","metadata":{"name":"who-is-ill","title":{"en":"Who is ill","zh":"谁患病"}},"purpose":{"duo":["DUO:0000042"]},
		"data":{"dataset":"rows","where":"age >= 18"},"analyses":[{"id":"kinds","method":"describe","variables":["age"],"by":"kind"},
		{"id":"odds","method":"glm","family":"binomial","formula":"sick ~ age + arm"},{"id":"curves","method":"km","formula":"Surv(days, sick) ~ arm"}]}`
	waiting = `{"apiVersion":"wellspring/v1","kind":"Study","metadata":{"name":"ages","title":{"en":"Ages of all patients","zh":"全部患者的年龄"}},
		"purpose":{"duo":["DUO:0000042"]},"data":{"dataset":"rows"},"analysis":{"method":"describe","variables":["age"]}}`
	hostile = `{"apiVersion":"wellspring/v1","kind":"Study","metadata":{"name":"quotes","title":{"en":"</title><script>alert(\"1\")</script>","zh":"\"><img src=x onerror=alert(1)>"}},
		"purpose":{"duo":["DUO:0000042"]},"data":{"dataset":"rows","where":"arm == \"<i>&amp;</i>\""},"analysis":{"method":"describe","variables":["age"]}}`
)

// Everything that a person can reach by links is there, in both languages, as
// operator and as steward.
func TestPages(t *testing.T) {
	h := newHouse(t)
	done := h.submit(answered)
	h.approve(done)
	h.run(done)
	h.submit(waiting)
	h.submit(hostile)
	for who, c := range map[string]struct {
		b    *browser
		want []string // pages by their patterns
	}{
		"operator": {h.operator, []string{`/studies`, `/network`, `/studies/\w+/\w+`, `/results/\w+`, `/results/\w+/who-is-ill\.json`, `/results/\w+/who-is-ill-curves\.svg`, `/results/\w+/who-is-ill-odds\.csv`}},
		"steward":  {h.steward, []string{`/studies`, `/network`, `/data`, `/studies/\w+/\w+`, `/studies/\w+/\w+/approve`, `/studies/\w+/\w+/refuse`, `/studies/\w+/\w+/withdraw`}},
	} {
		for _, lang := range []string{"en", "zh"} {
			t.Run(who+" "+lang, func(t *testing.T) {
				seen := crawl(t, c.b, lang)
				for _, pattern := range c.want {
					if n := matching(seen, "^"+pattern+"$"); n == 0 {
						t.Errorf("no link leads to %s; seen: %v", pattern, keys(seen))
					}
				}
			})
		}
	}
}

func keys(m map[string]bool) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func matching(seen map[string]bool, pattern string) (n int) {
	form := regexp.MustCompile(pattern)
	for path := range seen {
		if form.MatchString(path) {
			n++
		}
	}
	return n
}

// crawl follows every link from the first page on, and holds each page to what
// all pages promise.
func crawl(t *testing.T, b *browser, lang string) map[string]bool {
	seen, next := map[string]bool{}, []string{"/language/" + lang + "?back=/"}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		p := b.get(path)
		if p.status != http.StatusOK {
			t.Errorf("%s: %d", path, p.status)
			continue
		}
		if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, e := range inspect(t, p, lang) {
			to := e.attr["href"]
			if to == "" || strings.HasPrefix(to, "#") || strings.HasPrefix(to, "/language/") {
				continue
			}
			at, err := url.Parse(to)
			if err != nil || !strings.HasPrefix(to, "/") {
				t.Errorf("%s links to %q", path, to)
			} else if !seen[at.Path] {
				seen[at.Path] = true
				next = append(next, to)
			}
		}
	}
	return seen
}

var (
	han     = regexp.MustCompile(`\p{Han}`)
	english = regexp.MustCompile(`[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}`)
	command = regexp.MustCompile(`(wellspring|site|hub|study)( [a-z]+)+ --dir`)
)

// inspect holds one page to its language, its form and its headers.
func inspect(t *testing.T, p page, lang string) []element {
	t.Helper()
	tag := map[string]string{"en": "en", "zh": "zh-Hans"}[lang]
	all := elements(t, p)
	counts, ids := map[string]int{}, map[string]bool{}
	for _, e := range all {
		counts[e.tag]++
		switch {
		case e.tag == "html" && e.attr["lang"] != tag:
			t.Errorf("%s has language %q, want %q", p.at, e.attr["lang"], tag)
		case e.tag == "script" || e.tag == "iframe" || e.tag == "object":
			t.Errorf("%s has a <%s>", p.at, e.tag)
		case !e.own && lang == "en" && han.MatchString(e.text), !e.own && lang == "zh" && english.MatchString(command.ReplaceAllString(e.text, "")):
			t.Errorf("%s says in the other language: %q", p.at, e.text)
		case e.attr["id"] != "" && ids[e.attr["id"]]:
			t.Errorf("%s has the id %q twice", p.at, e.attr["id"])
		}
		ids[e.attr["id"]] = true
		for name := range e.attr {
			if strings.HasPrefix(name, "on") {
				t.Errorf("%s has the attribute %s", p.at, name)
			}
		}
	}
	if counts["h1"] != 1 || counts["main"] != 1 || counts["title"] < 1 || strings.Contains(p.body, "%!") || strings.Contains(p.body, "ZgotmplZ") {
		t.Errorf("%s: %v", p.at, counts)
	}
	if got := p.header.Get("Content-Language"); got != tag {
		t.Errorf("%s: Content-Language %q", p.at, got)
	}
	return all
}

// What a hospital or an asker wrote is text on every page, never markup.
func TestPages_Hostile(t *testing.T) {
	h := newHouse(t)
	ref := h.submit(hostile)
	done := h.submit(answered)
	h.approve(done)
	a := h.run(done)
	for _, lang := range []string{"en", "zh"} {
		h.steward.get("/language/" + lang)
		h.operator.get("/language/" + lang)
		for _, p := range []page{h.steward.get("/studies"), h.steward.get(pathOf(ref)), h.steward.get(pathOf(ref) + "/approve"), h.operator.get("/results/" + string(a.Run))} {
			inspect(t, p, lang)
			p.silent(t, hostileTitle, hostileLevel, "<script", "<img", "<i>", "<b onclick")
		}
	}
	h.operator.get("/results/"+string(a.Run)).says(t, "drug &amp;")
	h.steward.get("/language/en")
	h.steward.get("/studies").says(t, "&lt;script&gt;")
}

// However many studies there are, a page lists a bounded number, and all are on some page.
func TestPages_Many(t *testing.T) {
	h := newHouse(t)
	const n = 130
	h.flood(n)
	for _, b := range []*browser{h.operator, h.steward} {
		seen := map[string]bool{}
		for _, path := range []string{"/studies", "/studies?page=2", "/studies?page=3"} {
			p := b.get(path)
			inspect(t, p, "en")
			found := studyForm.FindAllStringSubmatch(p.body, -1)
			for _, m := range found {
				seen[m[1]] = true
			}
			if len(found) == 0 || len(found) > 110 { // a card has two links
				t.Errorf("%s lists %d", path, len(found))
			}
		}
		if len(seen) != n {
			t.Errorf("%d of %d studies are listed", len(seen), n)
		}
	}
	for query, says := range map[string]string{"0": "Page 1 of 3", "-4": "Page 1 of 3", "x": "Page 1 of 3", "4": "Page 3 of 3", "99999999999999999999": "Page 1 of 3", "2": "?page=3"} {
		h.operator.get("/studies?page="+query).says(t, says)
	}
	if p := h.operator.get("/language/zh?back=" + url.QueryEscape("/studies?page=2")); p.at.RawQuery != "page=2" || !strings.Contains(p.body, "第 2 页，共 3 页") {
		t.Errorf("the other language of page 2: %s: %s", p.at, p.body)
	}
}

var studyForm = regexp.MustCompile(`href="/studies/[0-9a-f]{32}/([0-9a-f]{64})"`)

// flood registers studies without their texts, and waits until the steward's own
// copy of the ledger has them all.
func (h *house) flood(n int) {
	h.t.Helper()
	before, err := h.hub.Studies(h.t.Context(), "")
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range n {
		err := h.net.Submit(h.t.Context(), "account wang", func(ledgertest.Net) ledger.Body {
			return &ledger.AddStudy{Dataset: hubtest.Dataset, Purposes: []ws.Purpose{"DUO:0000042"}, Study: ledgertest.Hash(fmt.Sprint("study ", i)), Conductors: []ws.SiteID{"hub"}}
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		all, err := h.desk.Studies(h.t.Context(), "")
		if len(all) == len(before)+n {
			return
		}
		if err != nil || time.Now().After(until) {
			h.t.Fatalf("%d studies, %v", len(all), err)
		}
	}
}
