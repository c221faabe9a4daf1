package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
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
