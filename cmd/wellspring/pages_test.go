package main

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// wayInForm is an address that a console prints, after a line that says whose.
var wayInForm = regexp.MustCompile(`(?m)^(.*)[:：]\n  (http://\S+/enter\?key=\S+)$`)

// wayInOf is the address of the pages of whoever a log names; the last one, as a
// process that was started again has another.
func wayInOf(log, who string) string {
	at := ""
	for _, m := range wayInForm.FindAllStringSubmatch(log, -1) {
		if strings.Contains(m[1], who) {
			at = m[2]
		}
	}
	return at
}

// A person looks at the pages of a process, without a browser's comfort.
type person struct {
	ts   *testscript.TestScript
	base string
	http http.Client
}

// enterPages comes in by the address that a process of the script printed.
func enterPages(ts *testscript.TestScript, name, who string) *person {
	at := wayInOf(ts.ReadFile(name+".log"), who)
	if at == "" {
		ts.Fatalf("%s prints no address for %s: %s", name, who, ts.ReadFile(name+".log"))
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	base, _, _ := strings.Cut(at, "/enter")
	p := &person{ts: ts, base: base, http: http.Client{Jar: jar, Timeout: 30 * time.Second}}
	_, _ = p.read(p.http.Get(at))
	return p
}

func (p *person) read(r *http.Response, err error) (page string, status int) {
	p.ts.Check(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	p.ts.Check(err)
	return string(b), r.StatusCode
}

// shown is a page that must be there.
func (p *person) shown(r *http.Response, err error) string {
	page, status := p.read(r, err)
	if status != http.StatusOK {
		p.ts.Fatalf("%s: %s: %s", r.Request.URL.Path, r.Status, page)
	}
	return page
}

func (p *person) get(path string) string { return p.shown(p.http.Get(p.base + path)) }

// follow opens the link of a page whose text matches.
func (p *person) follow(page, text string) string {
	for _, m := range regexp.MustCompile(`(?s)<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>`).FindAllStringSubmatch(page, -1) {
		if regexp.MustCompile(text).MatchString(m[2]) {
			return p.get(m[1])
		}
	}
	p.ts.Fatalf("no link says %s: %s", text, page)
	return ""
}

// pages NAME WHO LINK...: what the pages of a process say to whoever it printed
// an address for, from the studies on by links that say LINK.
func pages(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("pages NAME WHO LINK...")
	}
	p := enterPages(ts, args[0], args[1])
	page := p.get("/studies")
	for _, link := range args[2:] {
		page = p.follow(page, link)
	}
	ts.Stdout().Write([]byte(page))
}

// sign NAME WHO STUDY ACT: the steward opens a study by its title, chooses, and
// sends the form that the confirmation shows.
func sign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("sign NAME WHO STUDY ACT")
	}
	p := enterPages(ts, args[0], args[1])
	page := p.follow(p.follow(p.get("/studies"), args[2]), args[3])
	action := regexp.MustCompile(`<form method="post" action="([^"]+)">\s*<input type="hidden" name="signed" value="([^"]+)"/>`).FindStringSubmatch(page)
	if action == nil {
		ts.Fatalf("no form: %s", page)
	}
	form := url.Values{"signed": {html.UnescapeString(action[2])}}
	ts.Stdout().Write([]byte(p.shown(p.http.PostForm(p.base+action[1], form))))
}

// shut NAME WHO STATUS PATH: a page that cannot be shown, with its status.
func shut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("shut NAME WHO STATUS PATH")
	}
	p := enterPages(ts, args[0], args[1])
	page, status := p.read(p.http.Get(p.base + args[3]))
	if strconv.Itoa(status) != args[2] {
		ts.Fatalf("%s: status %d, want %s: %s", args[3], status, args[2], page)
	}
	ts.Stdout().Write([]byte(page))
}
