package portal

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/site/console"
)

// A Node is what the pages ask a running node; *console.Client is one.
type Node interface {
	About(context.Context) (console.About, error)
	Studies(ctx context.Context, which string) ([]console.Study, error)
	Result(context.Context, ledger.RunID) (*console.Answer, error)
}

// A Steward decides for a site. All fields are given.
type Steward struct {
	// Decide signs a verdict on each question with the institution's key and puts
	// it on the ledger; it returns once that is final.
	Decide func(context.Context, []ledger.Question, ledger.Verdict) error
	// Pinned gives the fingerprint of a peer that was compared out of band.
	Pinned func(ws.SiteID) (ledger.KeyID, bool)
	// Holdings are the drafts and the frozen versions of the site's datasets.
	Holdings func() ([]Holding, error)
}

// A Reviewer releases answers for a site, where its policy has them wait for a
// person. All fields are given.
type Reviewer struct {
	// Outbox lists the answers, and Draft gives one with what is to be looked at.
	Outbox func(context.Context) ([]console.Held, error)
	Draft  func(context.Context, ledger.RunID) (*console.Draft, error)
	// Review signs a ruling with the institution's key and puts it on the ledger; it
	// returns once that is final.
	Review func(context.Context, *console.Draft, console.Ruling) error
}

// A Holding is a dataset at the site, as its steward knows it: no row of it.
type Holding struct {
	Dataset ws.Dataset
	Version int       // 0 for a draft
	At      time.Time // when it was loaded or frozen
	// Of a frozen version:
	Release ws.Release
	Columns frame.Dictionary
	Policy  policy.Policy
}

// Config is what a portal is made of.
type Config struct {
	Node Node
	// Steward decides for the node's site; nil for pages without decisions.
	Steward *Steward
	// Reviewer releases answers for the node's site; nil for pages that release none.
	Reviewer *Reviewer
	// Addr is the host and port under which browsers come, a listener's address;
	// any other name is refused.
	Addr string
	// Lang is for browsers that ask for neither language.
	Lang ws.Lang
}

// A Portal serves the pages of one node. It is an http.Handler.
type Portal struct {
	cfg     Config
	hosts   map[string]bool
	key     string // of the way in
	session string // what the cookie holds
	cookie  string // its name, with the port: cookies know none
	views   map[ws.Lang]views
	busy    chan struct{}
	handler http.Handler

	mu       sync.Mutex
	ctx      context.Context      // of decisions under way
	deciding map[string]*deciding // by the path of what is decided
	wg       sync.WaitGroup
}

// New makes a portal with a way in of its own.
func New(cfg Config) (*Portal, error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil || !loopback(host) {
		return nil, notLoopback()
	}
	p := &Portal{cfg: cfg, hosts: map[string]bool{}, key: rand.Text(), session: rand.Text(), cookie: "wellspring-" + port, busy: make(chan struct{}, maxRequests),
		ctx: context.Background(), deciding: map[string]*deciding{}}
	for _, name := range []string{host, "127.0.0.1", "::1", "localhost"} {
		p.hosts[net.JoinHostPort(name, port)] = true
	}
	if p.views, err = parseViews(); err != nil {
		return nil, err
	}
	p.handler = p.guard(p.routes())
	return p, nil
}

// URL is the way in. Whoever has it may do all that the pages can.
func (p *Portal) URL() string { return "http://" + p.cfg.Addr + "/enter?key=" + p.key }

func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// DefaultListen is where a portal is if nothing else is said.
const DefaultListen = "127.0.0.1:7423"

// Listen takes a place on a loopback address; "" stands for [DefaultListen].
func Listen(at string) (net.Listener, error) {
	if at == "" {
		at = DefaultListen
	}
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "console", ws.T("--listen is HOST:PORT", "--listen 须为 主机:端口")).
			WithHint(ws.T("for instance 127.0.0.1:7423", "例如 127.0.0.1:7423"))
	}
	if !loopback(host) {
		return nil, notLoopback()
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, "console", ws.T("nothing can listen at %s: another program has the port, perhaps another console", "无法监听 %s：端口已被其他程序占用，可能是另一个控制台", at)).
			WithHint(ws.T("end that one, or take a free port: --listen 127.0.0.1:0", "请结束占用的程序，或改用空闲端口：--listen 127.0.0.1:0")).Wrap(err)
	}
	return l, nil
}

// loopback reports whether a host is this machine alone; a name other than
// localhost could be resolved to anything.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func notLoopback() error {
	return ws.Errorf(ws.Denied, "console", ws.T("the console is served on a loopback address alone", "控制台只在本机回环地址上提供")).
		WithHint(ws.T("from another machine, come through a tunnel: ssh -L 7423:127.0.0.1:7423 THIS_MACHINE, then open the address there",
			"如需从其他计算机访问，请建立隧道：ssh -L 7423:127.0.0.1:7423 本机名，再在那边打开该地址"))
}

// Bounds of the server.
const (
	maxRequests = 32
	maxForm     = 16 << 10 // bytes
	answering   = 60 * time.Second
)

// Serve answers on l until ctx is done, which is no error.
func (p *Portal) Serve(ctx context.Context, l net.Listener) error {
	p.mu.Lock()
	p.ctx = ctx
	p.mu.Unlock()
	defer p.wg.Wait()
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: answering + 10*time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx }}
	if err := console.Until(ctx, srv, l); err != nil {
		return ws.Errorf(ws.Other, "console", ws.T("the pages can no longer be served", "页面无法继续提供")).Wrap(err)
	}
	return nil
}
