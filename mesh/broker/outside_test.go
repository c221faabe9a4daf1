package broker_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crypto/x509"
	"encoding/pem"

	"github.com/nats-io/nats-server/v2/server"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// tunnels counts what the proxy has let through.
var tunnels atomic.Int64

// The environment is read once a process, so the proxy is there before any test.
// Connections to 127.0.0.1 never go through it.
func TestMain(m *testing.M) {
	proxy := proxyServer()
	os.Setenv("HTTPS_PROXY", strings.Replace(proxy.URL, "http://", "http://hospital:geheim@", 1))
	os.Unsetenv("NO_PROXY")
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

// proxyServer is an HTTP proxy on loopback that lets CONNECT through to where hub.test lies.
func proxyServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := proxyAuth(r)
		host, port, err := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || err != nil || host != "hub.test" || user != "hospital" || password != "geheim" {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		up, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			http.Error(w, "unreachable", http.StatusBadGateway)
			return
		}
		down, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			up.Close()
			return
		}
		tunnels.Add(1)
		fmt.Fprint(down, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { io.Copy(up, down); up.Close() }()
		go func() { io.Copy(down, up); down.Close() }()
	}))
}

func proxyAuth(r *http.Request) (user, password string, ok bool) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	return r.BasicAuth()
}

// [MESH-24]: TLS and WebSocket go through the proxy that HTTPS_PROXY names.
func TestProxy(t *testing.T) {
	w := newWorld(t)
	keys := meshtest.NewKeys(t, meshtest.Hub, meshtest.SiteA)
	hub := keys.Link(t, keys.Config(meshtest.Hub, w.open(t, w.passes[meshtest.Hub], wire.Options{})))
	pass := w.passes[meshtest.SiteA]
	pass.URLs = nil
	for _, u := range w.URLs() {
		pass.URLs = append(pass.URLs, strings.Replace(u, "127.0.0.1", "hub.test", 1)) // no DNS knows it: only the proxy does
	}
	before := tunnels.Load()
	for i, scheme := range []string{"tls", "wss"} {
		site := keys.Link(t, keys.Config(meshtest.SiteA, w.open(t, pass, wire.Options{Scheme: scheme})))
		if err := site.Send(t.Context(), mesh.Letter{To: meshtest.Hub, Run: scheme, Label: "small"}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if d := meshtest.Receive(t, ctx, hub); d.Run != scheme || d.Ack() != nil {
			t.Errorf("run %s came", d.Run)
		}
		if tunnels.Load() != before+int64(i+1) {
			t.Errorf("%s: %d tunnels", scheme, tunnels.Load())
		}
		site.Close()
	}
}

// [MESH-25]: a NATS server that runs elsewhere, from a configuration file, serves in the broker's place.
func TestExternal(t *testing.T) {
	keys := t.TempDir()
	a, err := broker.OpenAuthority(keys)
	if err != nil {
		t.Fatal(err)
	}
	members := []broker.Member{{Site: meshtest.SiteA}, {Site: meshtest.SiteB}}
	urlOf, _ := externalServer(t, a)
	cfg := broker.ClusterConfig{Keys: keys, URLs: []string{urlOf}, Roots: string(a.CA.PEM), Inbox: 64 << 20}
	c, err := broker.Join(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if _, err := c.Admit(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	cfg.Members = members
	meshtest.Run(t, func(t *testing.T) meshtest.Network {
		c, err := broker.Join(t.Context(), cfg)
		if err != nil {
			t.Fatal(err) // again is no harm
		}
		t.Cleanup(func() { c.Close() })
		return meshtest.Network{Keeps: true, Open: func(t *testing.T, site ws.SiteID) mesh.Carrier {
			pass, err := c.Hub()
			for _, m := range members {
				if m.Site == site {
					pass, err = c.Pass(m, cfg.Way())
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			c, err := wire.Open(pass, wire.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}}
	})
}

// [MESH-28]: what servers hold of each member does not grow with their number.
func TestExternal_Linear(t *testing.T) {
	keys := t.TempDir()
	a, err := broker.OpenAuthority(keys)
	if err != nil {
		t.Fatal(err)
	}
	urlOf, accounts := externalServer(t, a)
	sizeOf := func(n int) (size int64) {
		cfg := broker.ClusterConfig{Keys: keys, URLs: []string{urlOf}, Roots: string(a.CA.PEM), Inbox: 1 << 20}
		for i := range n {
			cfg.Members = append(cfg.Members, broker.Member{Site: ws.SiteID(fmt.Sprintf("site-%03d", i)), All: true})
		}
		c, err := broker.Join(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if err := filepath.WalkDir(accounts, func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			f, err := e.Info()
			if err == nil {
				size += f.Size()
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return size
	}
	none, few, many := sizeOf(0), sizeOf(4), sizeOf(24)
	if each, then := (few-none)/4, (many-few)/20; each < 1000 || then > each+16 {
		t.Errorf("a member takes %d bytes among four, and %d among twenty-four", each, then)
	}
}

// externalServer starts a server under an authority, and gives its URL and its folder of accounts.
func externalServer(t *testing.T, a *broker.Authority) (url, accounts string) {
	dir := t.TempDir()
	conf, err := a.ServerConfig(4 << 30)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.CA.Leaf([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}),
		"key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})}
	accounts = filepath.Join(dir, "accounts")
	conf = strings.NewReplacer(`"accounts"`, strconv.Quote(accounts), `"jetstream"`, strconv.Quote(filepath.Join(dir, "jetstream"))).Replace(conf)
	files["nats.conf"] = fmt.Appendf(nil, "%s\nlisten: 127.0.0.1:-1\nserver_name: outside\ntls { cert_file: %q, key_file: %q }\n", conf, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := server.ProcessConfigFile(filepath.Join(dir, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	o.NoSigs, o.NoLog = true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	return "tls://" + s.Addr().String(), accounts
}

// [MESH-26]: a broker that goes away and comes back is found again, and what was stored is still there.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cfg := broker.Config{Dir: dir, Listen: address, Names: []string{"127.0.0.1"}, Members: []broker.Member{{Site: meshtest.SiteA}}}
	b, err := broker.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	pass, err := b.Admit(t.Context(), cfg.Members[0])
	if err != nil {
		t.Fatal(err)
	}
	keys := meshtest.NewKeys(t, meshtest.Hub, meshtest.SiteA)
	hubPass, err := b.Hub()
	if err != nil {
		t.Fatal(err)
	}
	type opened struct {
		b   *broker.Broker
		err error
	}
	again := make(chan opened, 1)
	w := &world{}
	site := keys.Link(t, keys.Config(meshtest.SiteA, w.open(t, pass, wire.Options{})))
	for i := range 2 {
		if err := site.Send(t.Context(), mesh.Letter{To: meshtest.Hub, Run: "r", Round: i, Label: "small", Keep: true}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			b.Close()
			go func() {
				time.Sleep(300 * time.Millisecond)
				b, err := broker.Open(context.WithoutCancel(t.Context()), cfg)
				again <- opened{b, err}
			}()
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	hub := keys.Link(t, keys.Config(meshtest.Hub, w.open(t, hubPass, wire.Options{})))
	for i := range 2 {
		if d := meshtest.Receive(t, ctx, hub); d.Round != i || d.Ack() != nil {
			t.Errorf("round %d came in place of %d", d.Round, i)
		}
	}
	if err := site.Flush(ctx); err != nil {
		t.Error(err)
	}
	o := <-again
	if o.err != nil {
		t.Fatal(o.err)
	}
	t.Cleanup(func() { o.b.Close() })
}
