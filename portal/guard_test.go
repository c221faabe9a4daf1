package portal_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/portal"
	"wellspring/site/console"
)

// Pages are served on this machine alone.
func TestListen(t *testing.T) {
	for _, at := range []string{"0.0.0.0:0", ":0", "[::]:0", "example.org:0", "192.0.2.1:0", "nothing"} {
		if l, err := portal.Listen(at); err == nil {
			l.Close()
			t.Errorf("pages are served at %s", at)
		} else if k := ws.KindOf(err); k != ws.Denied && k != ws.Invalid || ws.HintOf(err).IsZero() {
			t.Errorf("%s: %v", at, err)
		}
		if _, err := portal.New(portal.Config{Addr: at}); err == nil {
			t.Errorf("a portal is made for %s", at)
		}
	}
	l, err := portal.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := portal.Listen(l.Addr().String()); ws.KindOf(err) != ws.Invalid || ws.HintOf(err).IsZero() {
		t.Errorf("a port that is taken: %v", err)
	}
}

// nobody is a portal whose node does not run.
func nobody(t *testing.T) *browser {
	return serve(t, portal.Config{Node: console.Dial(t.TempDir())})
}

// secure holds a response to what every one promises.
func secure(t *testing.T, p page) {
	t.Helper()
	policy := p.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: the content policy lacks %s: %q", p.at, want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("%s: content policy %q", p.at, policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
		if got := p.header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", p.at, name, got, want)
		}
	}
	for _, name := range []string{"Access-Control-Allow-Origin", "Server"} {
		if got := p.header.Get(name); got != "" {
			t.Errorf("%s: %s is %q", p.at, name, got)
		}
	}
}

// Whoever does not have the key sees how to come in, in the language of the
// browser or the one that was chosen, and nothing else.
func TestGuard_Locked(t *testing.T) {
	b := nobody(t)
	for _, path := range []string{"/", "/studies", "/network", "/data", "/results/" + strings.Repeat("1", 32), "/nowhere", "/enter", "/enter?key=", "/enter?key=guess"} {
		for lang, says := range map[string]string{"en": "Come in by the address", "zh": "请使用入口地址"} {
			b := b.another()
			b.lang = map[string]string{"en": "fr, en-GB;q=0.8, zh;q=0.5", "zh": "zh-CN,zh;q=0.9,en;q=0.8"}[lang]
			p := b.get(path)
			if p.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", path, p.status)
			}
			p.says(t, says)
			p.silent(t, "guess", `href="/network"`)
			secure(t, p)
			inspect(t, p, lang)
		}
	}
	if p := b.post("/studies/a/b/approve", url.Values{}); p.status != http.StatusUnauthorized {
		t.Errorf("a form without the key: %d", p.status)
	}
	b.get("/language/zh?back=/studies").says(t, "请使用入口地址")
	if p := b.get("/style.css"); p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/css") {
		t.Errorf("the style: %d %v", p.status, p.header)
	}
}

// The key gives a cookie that no script reads and no other site sends; the address
// that it leads to has no key.
func TestGuard_Enter(t *testing.T) {
	b := nobody(t)
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := b.get(b.portal.URL())
	secure(t, p)
	cookie := p.header.Get("Set-Cookie")
	if p.status != http.StatusSeeOther || p.header.Get("Location") != "/" {
		t.Errorf("%d to %q", p.status, p.header.Get("Location"))
	}
	_, key, _ := strings.Cut(b.portal.URL(), "key=")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || len(key) < 20 || strings.Contains(cookie, key) {
		t.Errorf("cookie %q", cookie)
	}
	if other := nobody(t); strings.Contains(other.portal.URL(), key) {
		t.Error("two portals have one key")
	} else if p := other.get("/enter?key=" + key); p.status != http.StatusUnauthorized {
		t.Errorf("the key of another portal: %d", p.status)
	}
}

// A name that another party could point at this machine is refused, whoever asks.
func TestGuard_Host(t *testing.T) {
	b := nobody(t)
	b.enterAnyway()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(b.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{"localhost:" + port: http.StatusUnauthorized, "LOCALHOST:" + port: http.StatusUnauthorized, "[::1]:" + port: http.StatusUnauthorized, // the cookie is the address's
		"example.org": http.StatusMisdirectedRequest, "example.org:" + port: http.StatusMisdirectedRequest, "127.0.0.1": http.StatusMisdirectedRequest,
		"127.0.0.1:1": http.StatusMisdirectedRequest, "localhost.example.org:" + port: http.StatusMisdirectedRequest} {
		p := b.send(http.MethodGet, "/studies", nil, map[string]string{"Host": host})
		if p.status != want || want == http.StatusMisdirectedRequest && strings.Contains(p.body, "<") {
			t.Errorf("host %s: %d, want %d: %s", host, p.status, want, p.body)
		}
		secure(t, p)
	}
}

// enterAnyway takes the cookie where no page can be shown.
func (b *browser) enterAnyway() {
	b.t.Helper()
	if p := b.get(b.portal.URL()); p.status != http.StatusServiceUnavailable {
		b.t.Fatalf("the way in, without a node: %d", p.status)
	}
}

// Where the node does not run, pages say so and what to do.
func TestGuard_NodeGone(t *testing.T) {
	b := nobody(t)
	b.enterAnyway()
	for lang, says := range map[string][]string{"en": {"the node of this folder does not run", "wellspring site run"}, "zh": {"该文件夹的节点未在运行", "wellspring site run"}} {
		b.get("/language/" + lang)
		for _, path := range []string{"/studies", "/network", "/results/" + strings.Repeat("1", 32), "/results/" + strings.Repeat("1", 32) + "/x.json"} {
			p := b.get(path)
			if p.status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", path, p.status)
			}
			p.says(t, says...)
			p.silent(t, "console.sock", "dial", t.TempDir())
			inspect(t, p, lang)
			secure(t, p)
		}
	}
}

// What is not there is not there, in both languages; nobody is led elsewhere.
func TestGuard_Nowhere(t *testing.T) {
	h := newHouse(t)
	for lang, says := range map[string]string{"en": "This cannot be shown", "zh": "无法显示"} {
		h.steward.get("/language/" + lang)
		for _, path := range []string{"/nowhere", "/studies/x/y", "/studies/x/y/approve", "/studies/x/y/sell", "/results/x", "/results/" + strings.Repeat("1", 32) + "/x.csv", "/pages/frame.html"} {
			p := h.steward.get(path)
			if p.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, p.status)
			}
			p.says(t, says)
			inspect(t, p, lang)
			secure(t, p)
		}
	}
	for _, path := range []string{"/data", "/studies/x/y/approve"} { // the operator decides for no site
		if p := h.operator.get(path); p.status != http.StatusNotFound {
			t.Errorf("the operator's %s: %d", path, p.status)
		}
	}
	if p := h.operator.post("/studies/x/y/approve", url.Values{}); p.status != http.StatusNotFound {
		t.Errorf("the operator approves: %d", p.status)
	}
	for _, back := range []string{"//example.org", "https://example.org", `/\example.org`, "javascript:alert(1)", "/\n/x"} {
		if p := h.steward.get("/language/en?back=" + url.QueryEscape(back)); p.at.Host != strings.TrimPrefix(h.steward.base, "http://") || p.at.Path != "/studies" {
			t.Errorf("back to %q leads to %s", back, p.at)
		}
	}
	if p := h.steward.send(http.MethodDelete, "/studies", nil, map[string]string{"Sec-Fetch-Site": "same-origin"}); p.status != http.StatusNotFound {
		t.Errorf("DELETE: %d", p.status)
	}
}

// A held node answers when it is let go.
type held struct {
	portal.Node
	asked, let chan struct{}
}

func (h held) About(ctx context.Context) (console.About, error) {
	h.asked <- struct{}{}
	<-h.let
	return h.Node.About(ctx)
}

// Requests at one time are bounded; one too many is told to come again, and the
// others get their page.
func TestGuard_Busy(t *testing.T) {
	h := newHouse(t)
	const bound = 32
	slow := held{h.hub, make(chan struct{}, bound), make(chan struct{})}
	b := serve(t, portal.Config{Node: slow})
	b.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.get(b.portal.URL())
	statuses := make(chan int, bound)
	for range bound {
		go func() {
			p, err := b.try(http.MethodGet, "/network", nil, nil)
			if err != nil {
				t.Error(err)
			}
			statuses <- p.status
		}()
	}
	for range bound {
		<-slow.asked
	}
	p := b.get("/network")
	if p.status != http.StatusServiceUnavailable || p.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", p.status)
	}
	secure(t, p)
	close(slow.let)
	for range bound {
		if s := <-statuses; s != http.StatusOK {
			t.Errorf("one of %d: %d", bound, s)
		}
	}
}
