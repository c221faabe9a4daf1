// Package wire carries the mesh's frames over NATS, outward from a node to a
// broker: over TLS 1.3, or WebSocket on a web server's port, and through an
// HTTP proxy where the environment names one.
//
// [Open] connects with a [mesh.Pass] and gives a [mesh.Carrier]. Frames that
// need not outlive anybody are published and gone; those to be kept lie in the
// receiver's inbox at the broker, a JetStream stream that syncs each write,
// until the receiver has done with them. The carrier connects again by itself,
// with growing pauses, for as long as it is open.
//
// # Not promised
//
// Anything of the broker: see package mesh.
package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	ws "wellspring"
	"wellspring/mesh"
)

// Options are what a node may say beyond its pass. The zero Options are for use.
type Options struct {
	// Proxy chooses an HTTP proxy for a URL; nil is [http.ProxyFromEnvironment],
	// which heeds HTTPS_PROXY and NO_PROXY.
	Proxy func(*http.Request) (*url.URL, error)
	// InProcess connects to a broker of the same process without a socket.
	InProcess nats.InProcessConnProvider
	// Scheme chooses among the pass's URLs: "tls" or "wss"; "" is the scheme of the first.
	Scheme string
	// Pace is the link's; zero is [mesh.Quick].
	Pace mesh.Pace
}

// Times that bound a carrier's waiting.
const (
	dialTime  = 20 * time.Second // for one try to connect, TLS included
	storeTime = 15 * time.Second // until the broker says that it has stored a frame
	pullTime  = 20 * time.Second // for which a request for stored frames stands
	pingEvery = 15 * time.Second // a dead connection is known after three
)

// pullBatch is how many stored frames one request asks for: 8 MiB.
const pullBatch = 16

// A Carrier is a node's connection.
type Carrier struct {
	pass mesh.Pass
	pace mesh.Pace
	nc   *nats.Conn
	in   chan mesh.Parcel

	ctx     context.Context
	stop    context.CancelFunc
	wg      sync.WaitGroup
	closed  chan struct{} // the connection has ended for good
	renewed chan struct{} // a new connection stands

	mu   sync.Mutex
	down chan struct{} // closed and replaced when the connection is lost
}

// NewUser makes the key of a user at a broker: its public name, which goes to
// the hub, and its seed, which goes into the pass that comes back.
func NewUser() (public, seed string, err error) {
	k, err := nkeys.CreateUser()
	if err != nil {
		return "", "", err
	}
	defer k.Wipe()
	if public, err = k.PublicKey(); err != nil {
		return "", "", err
	}
	s, err := k.Seed()
	return public, string(s), err
}

// Fits reports whether a pass is for the user with this seed.
func Fits(pass mesh.Pass, seed string) bool {
	k, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return false
	}
	defer k.Wipe()
	public, err := k.PublicKey()
	if err != nil {
		return false
	}
	c, err := jwt.DecodeUserClaims(pass.JWT)
	return err == nil && c.Subject == public
}

// Open begins to connect; where the broker is not there yet it goes on trying. A
// pass that is not well formed is refused.
func Open(pass mesh.Pass, o Options) (*Carrier, error) {
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.Pace == (mesh.Pace{}) {
		o.Pace = mesh.Quick
	}
	c := &Carrier{pass: pass, pace: o.Pace, in: make(chan mesh.Parcel, 32), closed: make(chan struct{}), renewed: make(chan struct{}, 1), down: make(chan struct{})}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.pass.URLs = ofScheme(pass.URLs, o.Scheme)
	options, err := c.options(o)
	if err != nil {
		return nil, err
	}
	urls := strings.Join(c.pass.URLs, ",")
	if o.InProcess != nil {
		urls = nats.DefaultURL // there is no wire, and no TLS on it
	}
	if c.nc, err = nats.Connect(urls, options...); err != nil {
		return nil, connectTrouble(err)
	}
	sub, err := c.nc.Subscribe(pass.In, c.live)
	if err == nil {
		// What does not fit is lost and sent again; the window of a link keeps it rare.
		err = sub.SetPendingLimits(4096, 256<<20)
	}
	if err != nil {
		c.nc.Close()
		return nil, connectTrouble(err)
	}
	c.wg.Add(1)
	go c.pull()
	return c, nil
}

func (c *Carrier) options(o Options) ([]nats.Option, error) {
	p := c.pass
	if len(p.URLs) == 0 || p.Inbox == "" || p.In == "" || p.Live == "" || p.Stored == "" || p.Next == "" {
		return nil, badPass()
	}
	for _, u := range p.URLs {
		if !strings.HasPrefix(u, "tls://") && !strings.HasPrefix(u, "wss://") {
			return nil, badPass()
		}
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13}
	if p.Roots != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM([]byte(p.Roots)) {
			return nil, badPass()
		}
	}
	if k, err := nkeys.FromSeed([]byte(p.Seed)); err != nil || p.JWT == "" {
		return nil, badPass()
	} else {
		k.Wipe()
	}
	options := []nats.Option{
		nats.Name(string(p.Site)), nats.UserJWTAndSeed(p.JWT, p.Seed), nats.CustomInboxPrefix(p.Inbox), nats.SyncQueueLen(16 * pullBatch),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.CustomReconnectDelay(backoff), nats.ReconnectBufSize(-1),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(2), nats.Timeout(dialTime), nats.FlusherTimeout(storeTime),
		nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(), nats.NoEcho(),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { c.lost() }),
		nats.ReconnectHandler(func(*nats.Conn) {
			select {
			case c.renewed <- struct{}{}:
			default: // it is known already
			}
		}),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // nothing is printed
	}
	if o.InProcess != nil {
		return append(options, nats.InProcessServer(o.InProcess)), nil
	}
	options = append(options, nats.Secure(conf))
	if p.TLSFirst && strings.HasPrefix(p.URLs[0], "tls://") {
		options = append(options, nats.TLSHandshakeFirst())
	}
	return append(options, nats.SetCustomDialer(&dialer{proxy: o.Proxy})), nil
}

// ofScheme keeps the URLs of one scheme: a client does not mix them.
func ofScheme(urls []string, scheme string) []string {
	if scheme == "" && len(urls) > 0 {
		scheme, _, _ = strings.Cut(urls[0], ":")
	}
	var kept []string
	for _, u := range urls {
		if strings.HasPrefix(u, scheme+"://") {
			kept = append(kept, u)
		}
	}
	return kept
}

// backoff is the pause before the nth try: doubled from 100 ms to 15 s, by chance up to a half longer.
func backoff(n int) time.Duration {
	d := min(100*time.Millisecond<<min(n, 10), 15*time.Second)
	return d + rand.N(d/2+1)
}

// Renewed implements [mesh.Renewer].
func (c *Carrier) Renewed() <-chan struct{} { return c.renewed }

// Up tells whether the connection stands.
func (c *Carrier) Up() bool { return c.nc.IsConnected() }

// Expiry is when the certificate ends by which the server is known at present; zero
// where there is no connection, or no wire.
func (c *Carrier) Expiry() (at time.Time) {
	state, err := c.nc.TLSConnectionState()
	if err != nil || len(state.PeerCertificates) == 0 {
		return at
	}
	return state.PeerCertificates[0].NotAfter
}

// live takes a frame that is not stored. It waits where the link is slow.
func (c *Carrier) live(m *nats.Msg) { c.give(mesh.Parcel{Frame: m.Data}) }

func (c *Carrier) give(p mesh.Parcel) {
	select {
	case c.in <- p:
	case <-c.ctx.Done():
	}
}

// Put implements [mesh.Carrier].
func (c *Carrier) Put(ctx context.Context, to ws.SiteID, frame []byte, keep bool) error {
	if !keep {
		return c.nc.Publish(c.pass.LiveTo(to), frame)
	}
	ctx, stop := c.whileUp(ctx, storeTime)
	defer stop()
	m, err := c.nc.RequestWithContext(ctx, c.pass.Stored+mesh.Token(to), frame)
	if err != nil {
		return err
	}
	var ack struct {
		Stream string          `json:"stream"`
		Error  json.RawMessage `json:"error"`
	}
	if json.Unmarshal(m.Data, &ack) != nil || ack.Stream == "" || ack.Error != nil {
		return ws.Errorf(ws.Unreachable, "mesh/wire", ws.T("the broker did not store the frame", "消息服务器未保存该帧"))
	}
	return nil
}

// whileUp ends with the connection, on which then no answer will come, or after a time.
func (c *Carrier) whileUp(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithTimeout(ctx, d)
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	go func() {
		select {
		case <-down:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// lost ends what waits for an answer on a connection that is gone.
func (c *Carrier) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.down)
	c.down = make(chan struct{})
}

// Take implements [mesh.Carrier].
func (c *Carrier) Take(ctx context.Context) (mesh.Parcel, error) {
	select {
	case p := <-c.in:
		return p, nil
	case <-ctx.Done():
		return mesh.Parcel{}, ctx.Err()
	case <-c.closed:
		return mesh.Parcel{}, connectTrouble(c.nc.LastError())
	}
}

// Pace implements [mesh.Carrier].
func (c *Carrier) Pace() mesh.Pace { return c.pace }

// Close implements [mesh.Carrier].
func (c *Carrier) Close() error {
	c.stop()
	_ = c.nc.FlushTimeout(time.Second) // what is lost is sent again
	c.nc.Close()
	c.wg.Wait()
	return nil
}

// pull asks for stored frames, over and over.
func (c *Carrier) pull() {
	defer c.wg.Done()
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return
	}
	request, _ := json.Marshal(map[string]any{"batch": pullBatch, "expires": pullTime.Nanoseconds()})
	for n := 0; c.ctx.Err() == nil; {
		if c.nc.PublishRequest(c.pass.Next, inbox, request) == nil && c.pulled(sub) {
			n = 0
			continue
		}
		n++
		select {
		case <-time.After(backoff(n)):
		case <-c.ctx.Done():
		}
	}
}

// pulled takes the answers to one request; false if none came at all.
func (c *Carrier) pulled(sub *nats.Subscription) bool {
	for range pullBatch {
		ctx, stop := c.whileUp(c.ctx, pullTime+pingEvery)
		m, err := sub.NextMsgWithContext(ctx)
		stop()
		if err != nil {
			return errors.Is(err, context.DeadlineExceeded)
		}
		switch m.Header.Get("Status") {
		case "":
			c.give(mesh.Parcel{Frame: m.Data, Done: func() { _ = m.Respond([]byte("+ACK")) }})
		case "404", "408", "409": // none, or the request has run out
			return true
		default: // nobody answers: the broker's store is not up
			return false
		}
	}
	return true
}

func badPass() error {
	return ws.Errorf(ws.Invalid, "mesh/wire", ws.T("the pass to the broker is not complete or not well formed", "接入凭据不完整或格式不正确")).
		WithHint(ws.T("ask the hub for a new one with `wellspring site join`", "请用 wellspring site join 向枢纽重新申请"))
}

func connectTrouble(err error) error {
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired) {
		return ws.Errorf(ws.Denied, "mesh/wire", ws.T("the pass of this node is not good: it is void, or a newer one took its place", "本节点的通行证无效：已作废，或已被更新的取代")).
			WithHint(ws.T("ask the operator whether the node is admitted; for a new pass: wellspring site renew pass --dir DIR", "请向运营方确认节点已获接纳；申领新通行证：wellspring site renew pass --dir DIR"))
	}
	return ws.Errorf(ws.Unreachable, "mesh/wire", ws.T("the broker cannot be reached", "无法连接消息服务器")).
		WithHint(ws.T("check address and proxy; ask the operator whether the hub runs", "请检查地址与代理，并向运营方确认枢纽正在运行")).Wrap(err)
}
