// Package broker runs the NATS server through which the mesh's frames go, in
// the hub's process, and holds the keys from which everybody's right there follows.
//
// [Open] starts it with a [Config]; [Broker.Admit] gives a member its
// [mesh.Pass]. For a NATS server or cluster that others run, [Authority.ServerConfig] gives
// what they put into its configuration, and [Join] a [Cluster] in the broker's place.
//
// # Who may what
//
// Each member has an account of its own without any store. Of the hub's
// account it imports, by a JWT that only the hub can sign: one subject to
// each node that it may write to (by default the hub alone), or one wildcard for all of
// them, live and stored; what is live for it; and of its own inbox, which is a stream in
// the hub's account, to ask for the next and to acknowledge. Nothing else has a name in
// its account, and its user may publish and subscribe to these names only. The sender's
// name in a subject is put there by the import, not by the sender. Live frames from
// member to member are passed on by the server itself, whether the hub is there or not.
//
// # Not promised
//
// A rate limit: a member can keep the broker busy, and fill its own share of
// another's inbox. Anything against whoever runs the broker: see package mesh.
package broker

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	ws "wellspring"
	"wellspring/mesh"
)

// Config is all that a broker is made of.
type Config struct {
	// Dir holds keys and stored frames; the hub's alone.
	Dir string
	// Listen is host:port for TLS, port 0 for any; "" listens nowhere.
	Listen string
	// WebSocket is host:port for WebSocket over TLS, such as ":443"; "" for none.
	WebSocket string
	// Names are the DNS names and addresses under which members reach the hub.
	Names []string
	// Members are those admitted so far.
	Members []Member
	// Storage bounds what all inboxes may hold together, in bytes; each reserves
	// its bound. 0 is 256 GiB, which is enough for 1,023 members.
	Storage int64
	// Inbox bounds each member's inbox, and the hub's, in bytes; 0 is 256 MiB.
	Inbox int64
	// Complain is told what the server complains about, a part at most once a
	// minute; nil for nobody.
	Complain func(Part)
}

// senderFrames bounds the frames of one sender in one inbox: at most half of the default inbox.
const senderFrames = 256

func (c Config) filled() Config {
	if c.Storage == 0 {
		c.Storage = 256 << 30
	}
	if c.Inbox == 0 {
		c.Inbox = 256 << 20
	}
	return c
}

// A Broker is a running server.
type Broker struct {
	*Authority
	cfg  Config
	srv  *server.Server
	res  *server.MemAccResolver
	urls []string

	storing sync.Mutex // of accounts
}

// startTime bounds how long a server may take to be ready; JetStream reads its store then.
const startTime = 2 * time.Minute

// Open starts the server and makes the inboxes.
func Open(ctx context.Context, cfg Config) (*Broker, error) {
	cfg = cfg.filled()
	a, err := OpenAuthority(filepath.Join(cfg.Dir, "keys"))
	if err != nil {
		return nil, err
	}
	b := &Broker{Authority: a, cfg: cfg, res: &server.MemAccResolver{}}
	if err := b.start(); err != nil {
		return nil, err
	}
	if err := b.inboxes(ctx, append([]Member{{Site: HubSite}}, cfg.Members...)); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Broker) start() error {
	o, err := b.options()
	if err != nil {
		return err
	}
	for key, token := range map[string]func() (string, error){
		public(b.system): func() (string, error) { return b.systemJWT(0) },
		public(b.hub):    func() (string, error) { return b.hubJWT(b.cfg.Storage) },
	} {
		t, err := token()
		if err != nil {
			return keyTrouble(err)
		}
		if err := b.res.Store(key, t); err != nil {
			return startTrouble(err)
		}
	}
	for _, m := range b.cfg.Members {
		if err := b.store(m); err != nil {
			return err
		}
	}
	if b.srv, err = server.NewServer(o); err != nil {
		return startTrouble(err)
	}
	if b.cfg.Complain != nil {
		b.srv.SetLoggerV2(&complaints{tell: b.cfg.Complain, last: map[Part]time.Time{}}, false, false, false)
	}
	go b.srv.Start()
	if !b.srv.ReadyForConnections(startTime) {
		b.srv.Shutdown()
		return startTrouble(nil)
	}
	b.urls = b.addresses()
	return nil
}

// maxPending is how much a client may leave unread before it is cut off: three times
// the pieces that a link has under way to it at a time.
const maxPending = 96 << 20

func (b *Broker) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: "wellspring", DontListen: b.cfg.Listen == "", NoLog: true, NoSigs: true,
		TrustedKeys: []string{public(b.operator)}, SystemAccount: public(b.system), AccountResolver: b.res,
		JetStream: true, StoreDir: filepath.Join(b.cfg.Dir, "frames"), JetStreamMaxStore: b.cfg.Storage, JetStreamMaxMemory: passMemory, SyncAlways: true,
		MaxPayload: maxPayload, MaxPending: maxPending, MaxControlLine: 4096, MaxConn: 8192,
		TLSTimeout: 10, AuthTimeout: 10, WriteDeadline: 20 * time.Second, MaxTracedMsgLen: -1,
	}
	conf, err := b.CA.ServerTLS(b.cfg.Names)
	if err != nil {
		return nil, err
	}
	if b.cfg.Listen != "" {
		if o.Host, o.Port, err = split(b.cfg.Listen); err != nil {
			return nil, err
		}
		o.TLSConfig, o.TLS, o.TLSHandshakeFirst = conf, true, true
	}
	if b.cfg.WebSocket != "" {
		if o.Websocket.Host, o.Websocket.Port, err = split(b.cfg.WebSocket); err != nil {
			return nil, err
		}
		o.Websocket.TLSConfig = conf.Clone()
		o.Websocket.HandshakeTimeout = 10 * time.Second
	}
	return o, nil
}

func split(address string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil {
		return "", 0, ws.Errorf(ws.Invalid, "mesh/broker", ws.T("an address has the form host:port", "地址格式为 主机:端口")).Wrap(err)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// addresses gives the URLs under which members reach the server, by its first name.
func (b *Broker) addresses() []string {
	name := "127.0.0.1"
	if len(b.cfg.Names) > 0 {
		name = b.cfg.Names[0]
	}
	var urls []string
	if a, ok := b.srv.Addr().(*net.TCPAddr); ok && b.cfg.Listen != "" {
		urls = append(urls, "tls://"+net.JoinHostPort(name, strconv.Itoa(a.Port)))
	}
	if b.cfg.WebSocket != "" {
		if _, port, err := net.SplitHostPort(hostOf(b.srv.WebsocketURL())); err == nil {
			urls = append(urls, "wss://"+net.JoinHostPort(name, port))
		}
	}
	return urls
}

// URLs are the addresses of the server: tls first, then wss.
func (b *Broker) URLs() []string { return b.urls }

// InProcessConn implements the client's in-process provider: a connection without a socket.
func (b *Broker) InProcessConn() (net.Conn, error) { return b.srv.InProcessConn() }

// store puts a member's account where the server looks for it.
func (b *Broker) store(m Member) error {
	b.storing.Lock()
	defer b.storing.Unlock()
	token, err := b.memberJWT(m)
	if err != nil {
		return keyTrouble(err)
	}
	c, err := jwt.DecodeAccountClaims(token)
	if err != nil {
		return keyTrouble(err)
	}
	if err := b.res.Store(c.Subject, token); err != nil {
		return startTrouble(err)
	}
	if b.srv != nil {
		if acc, err := b.srv.LookupAccount(c.Subject); err == nil {
			b.srv.UpdateAccountClaims(acc, c)
		}
	}
	return nil
}

// Admit makes a member's account and inbox, or changes what it may write to,
// and gives its pass. Whoever runs the hub keeps the list for [Config.Members].
func (b *Broker) Admit(ctx context.Context, m Member) (mesh.Pass, error) {
	if err := m.validate(); err != nil {
		return mesh.Pass{}, err
	}
	if err := b.store(m); err != nil {
		return mesh.Pass{}, err
	}
	if err := b.inboxes(ctx, []Member{m}); err != nil {
		return mesh.Pass{}, err
	}
	return b.Pass(m, b.Way(b.urls))
}

// Remove shuts a member out at once; its inbox stays.
func (b *Broker) Remove(_ context.Context, site ws.SiteID) error {
	return b.store(Member{Site: site, Gone: true})
}

// Hub gives the hub's own pass.
func (b *Broker) Hub() (mesh.Pass, error) { return b.HubPass(b.Way(b.urls)) }

// inboxes makes the inboxes of members over a connection without a socket.
func (b *Broker) inboxes(ctx context.Context, members []Member) error {
	token, seed, err := b.admin()
	if err != nil {
		return err
	}
	nc, err := nats.Connect(nats.DefaultURL, nats.InProcessServer(b.srv), nats.UserJWTAndSeed(token, seed), nats.CustomInboxPrefix("_IN_admin"))
	if err != nil {
		return startTrouble(err)
	}
	defer nc.Close()
	return makeInboxes(ctx, nc, members, b.cfg.Inbox, 1)
}

// Close stops the server; stored frames stay.
func (b *Broker) Close() error {
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	return nil
}

func startTrouble(err error) error {
	return ws.Errorf(ws.Other, "mesh/broker", ws.T("the message server does not start or does not answer", "消息服务器无法启动或无应答")).
		WithHint(ws.T("check whether its ports are free and its folder is the hub's own", "请检查端口是否空闲、文件夹是否归枢纽所有")).Wrap(err)
}
