package broker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// raw connects as a member with the plain NATS client, and collects what the server refuses.
type raw struct {
	*nats.Conn
	mu      sync.Mutex
	refused []string
}

func connect(t *testing.T, p mesh.Pass, more ...nats.Option) (*raw, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(p.Roots))
	r := &raw{}
	options := append([]nats.Option{nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}), nats.TLSHandshakeFirst(), nats.NoReconnect(),
		nats.UserJWTAndSeed(p.JWT, p.Seed), nats.CustomInboxPrefix(p.Inbox),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			r.mu.Lock()
			r.refused = append(r.refused, strings.ToLower(err.Error()))
			r.mu.Unlock()
		})}, more...)
	nc, err := nats.Connect(p.URLs[0], options...)
	if err != nil {
		return nil, err
	}
	r.Conn = nc
	t.Cleanup(nc.Close)
	return r, nil
}

// denied tells whether the server has refused what was just done, naming the subject.
func (r *raw) denied(subject string) bool {
	_ = r.FlushTimeout(5 * time.Second)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		for _, e := range r.refused {
			if strings.Contains(e, "permissions violation") && strings.Contains(e, strings.ToLower(subject)) {
				r.mu.Unlock()
				return true
			}
		}
		r.mu.Unlock()
	}
	return false
}

// [MESH-20], [MESH-21]: a member tries every subject that is not its own: one
// that may write to the hub alone, and one that may write to everybody.
func TestRights(t *testing.T) {
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprintf("all=%v", all), func(t *testing.T) { tryAll(t, all) })
	}
}

func tryAll(t *testing.T, all bool) {
	w := newWorld(t, broker.Member{Site: meshtest.SiteA, All: all}, broker.Member{Site: meshtest.SiteB, All: all})
	b := mesh.Token(meshtest.SiteB)
	a, err := connect(t, w.passes[meshtest.SiteA])
	if err != nil {
		t.Fatal(err)
	}
	publish := []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO.IN_site-a", "$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.UPDATE.IN_site-a",
		"$JS.API.STREAM.DELETE.IN_site-a", "$JS.API.STREAM.PURGE.IN_site-a", "$JS.API.STREAM.MSG.GET.IN_" + b, "$JS.API.STREAM.MSG.DELETE.IN_site-a", "$JS.API.DIRECT.GET.IN_" + b,
		"$JS.API.CONSUMER.CREATE.IN_site-a", "$JS.API.CONSUMER.CREATE.IN_" + b + ".spy", "$JS.API.CONSUMER.DURABLE.CREATE.IN_" + b + ".spy",
		"$JS.API.CONSUMER.MSG.NEXT.IN_" + b + ".me", "$JS.API.CONSUMER.MSG.NEXT.IN_hub.me", "$JS.API.CONSUMER.MSG.NEXT.IN_site-a.me", "$JS.API.CONSUMER.DELETE.IN_site-a.me",
		"$JS.API.CONSUMER.INFO.IN_site-a.me", "$JS.ACK.IN_" + b + ".me.1.1.1.1.0", "$JS.ACK.IN_hub.me.1.1.1.1.0", "$JS.FC.IN_hub.x", "$KV.x", "$O.x.C.y",
		"up." + b, "up.site-a.hub", "up." + b + ".hub", "st." + b + ".hub", "up.hub." + b, "st.hub." + b, "up", "st", "next.x", "in.hub", "in." + b,
		"peer", "peer.site-a." + b, "peer." + b + ".site-a", "peer.hub." + b, "down." + b, "down.hub." + b, "down.site-a." + b, "down." + b + ".site-a",
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO", "$SYS.ACCOUNT.X.CLAIMS.UPDATE", "_INBOX.x", "_IN_hub.x", "_IN_" + b + ".x", "_R_.x", "anything",
	}
	if !all {
		publish = append(publish, "st."+b, "peer."+b, "peer.hub", "peer.site-a")
	}
	for _, s := range publish {
		if err := a.PublishRequest(s, "_IN_site-a.x", []byte("{}")); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if !a.denied(`"` + s + `"`) {
			t.Errorf("site a may publish to %s", s)
		}
	}
	subscribe := []string{">", "*", "*.>", "$SYS.>", "$JS.>", "$JS.API.>", "_INBOX.>", "_IN_" + b + ".>", "_IN_hub.>", "up.>", "up.*", "up.*.*", "st.>", "next", "in.*.*", "$JS.EVENT.ADVISORY.>",
		"peer.>", "peer.*", "peer.*.*", "down.>", "down.*", "down.*.*", "down.*.site-a", "down.*." + b}
	for _, s := range subscribe {
		if _, err := a.Subscribe(s, func(m *nats.Msg) { t.Errorf("site a heard %s", m.Subject) }); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if !a.denied(`"` + s + `"`) {
			t.Errorf("site a may subscribe to %s", s)
		}
	}
	// What is allowed is there, and answers: the test does not pass for want of a server.
	if m, err := a.Request("st.hub", []byte("frame"), 5*time.Second); err != nil || !strings.Contains(string(m.Data), "IN_hub") {
		t.Errorf("site a's own subject: %v", err)
	}
	// Someone else's stored frames cannot be had by one's own subject either: it has one consumer.
	if m, err := a.Request("next", []byte(`{"batch":1,"no_wait":true}`), 5*time.Second); err != nil || m.Header.Get("Status") != "404" {
		t.Errorf("site a's inbox holds something: %v", err)
	}
}

// The name of the sender in a subject is the account's, whatever the member does.
func TestRights_Sender(t *testing.T) {
	w := newWorld(t)
	hub, err := connect(t, w.passes[meshtest.Hub])
	if err != nil {
		t.Fatal(err)
	}
	sub, err := hub.SubscribeSync("up.*.hub")
	if err != nil || hub.Flush() != nil {
		t.Fatal(err)
	}
	a, err := connect(t, w.passes[meshtest.SiteA])
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Publish("up.hub", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if m, err := sub.NextMsg(5 * time.Second); err != nil || m.Subject != "up.site-a.hub" {
		t.Errorf("the hub hears %v, %v", m, err)
	}
}

// So it is between members, whom each hears under the name of the account that
// wrote; and what one member hears no other does, nor the hub.
func TestRights_PeerSender(t *testing.T) {
	w := newWorld(t, broker.Member{Site: meshtest.SiteA, All: true}, broker.Member{Site: meshtest.SiteB, All: true}, broker.Member{Site: "site-c", All: true})
	heard := map[ws.SiteID]*nats.Subscription{}
	var a *raw
	for site, in := range map[ws.SiteID]string{meshtest.SiteA: "in.*", meshtest.SiteB: "in.*", "site-c": "in.*", meshtest.Hub: "up.*.hub"} {
		c, err := connect(t, w.passes[site])
		if err != nil {
			t.Fatal(err)
		}
		if heard[site], err = c.SubscribeSync(in); err != nil || c.Flush() != nil {
			t.Fatal(err)
		}
		if site == meshtest.SiteA {
			a = c
		}
	}
	to := "peer." + mesh.Token(meshtest.SiteB)
	if err := errors.Join(a.Publish(to, []byte("x")), a.Flush()); err != nil {
		t.Fatal(err)
	}
	if m, err := heard[meshtest.SiteB].NextMsg(5 * time.Second); err != nil || m.Subject != "in."+mesh.Token(meshtest.SiteA) || string(m.Data) != "x" {
		t.Errorf("site b hears %v, %v", m, err)
	}
	for _, site := range []ws.SiteID{meshtest.SiteA, meshtest.SiteB, "site-c", meshtest.Hub} {
		if m, err := heard[site].NextMsg(50 * time.Millisecond); err == nil {
			t.Errorf("%s hears %s", site, m.Subject)
		}
	}
}

// Strangers and old TLS are refused, and a member that was removed is cut off.
func TestRights_Strangers(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	own := w.passes[meshtest.SiteA]
	stranger := own
	stranger.JWT, stranger.Seed = other.passes[meshtest.SiteA].JWT, other.passes[meshtest.SiteA].Seed
	if _, err := connect(t, stranger); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("another network's member: %v", err)
	}
	stolen := own
	stolen.Seed = w.passes[meshtest.SiteB].Seed
	if _, err := connect(t, stolen); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a JWT without its key: %v", err)
	}
	if _, err := connect(t, own, func(o *nats.Options) error { o.UserJWT, o.SignatureCB = nil, nil; return nil }); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("no credentials: %v", err)
	}
	if _, err := connect(t, own, func(o *nats.Options) error { o.TLSConfig.MaxVersion = tls.VersionTLS12; return nil }); err == nil {
		t.Error("TLS 1.2 is taken")
	}
	if _, err := connect(t, own, func(o *nats.Options) error { o.TLSConfig.RootCAs = x509.NewCertPool(); return nil }); err == nil {
		t.Error("the server's certificate is trusted by a client that does not know the CA")
	}
	a, err := connect(t, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Remove(t.Context(), meshtest.SiteA); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); a.IsConnected() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if a.IsConnected() {
		t.Error("a removed member is still connected")
	}
	if _, err := connect(t, own); err == nil {
		t.Error("a removed member connects")
	}
}

// A former user is shut out at once, and the new one comes in; also over a restart,
// which has the same list of members.
func TestRights_Since(t *testing.T) {
	w := newWorld(t)
	former := w.passes[meshtest.SiteA]
	a, err := connect(t, former)
	if err != nil {
		t.Fatal(err)
	}
	m := broker.Member{Site: meshtest.SiteA, Since: time.Now().Unix()}
	for time.Now().Unix() <= m.Since {
		time.Sleep(10 * time.Millisecond)
	}
	pass, err := w.Admit(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); a.IsConnected() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if a.IsConnected() {
		t.Error("a former user is still connected")
	}
	if _, err := connect(t, former); err == nil {
		t.Error("a former user connects")
	}
	if _, err := connect(t, pass); err != nil {
		t.Errorf("the new user: %v", err)
	}
}

// An account has so many connections, and a message so many bytes.
func TestRights_Limits(t *testing.T) {
	w := newWorld(t)
	n := 0
	for range 10 {
		if _, err := connect(t, w.passes[meshtest.SiteA]); err == nil {
			n++
		}
	}
	if n == 0 || n > 4 {
		t.Errorf("%d connections of one member", n)
	}
	b, err := connect(t, w.passes[meshtest.SiteB])
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("up.hub", make([]byte, 2*mesh.MaxFrame)); err == nil {
		t.Error("a message of two frames is taken")
	}
	full := false
	for range 300 { // of half an inbox
		m, err := b.Request("st.hub", make([]byte, 1000), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		full = full || strings.Contains(string(m.Data), "maximum messages per subject")
	}
	if !full {
		t.Error("one member may fill the hub's inbox")
	}
	a, err := connect(t, w.passes[meshtest.Hub])
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.Request("st.hub.site-a", []byte("x"), 5*time.Second); err != nil || !strings.Contains(string(m.Data), "IN_site-a") {
		t.Errorf("then others' frames are not stored: %v", err)
	}
}

// Members that may write to each other reach each other without the hub's node.
func TestRights_Peers(t *testing.T) {
	w := newWorld(t, broker.Member{Site: meshtest.SiteA, To: []ws.SiteID{meshtest.Hub, meshtest.SiteB}}, broker.Member{Site: meshtest.SiteB})
	keys := meshtest.NewKeys(t, meshtest.SiteA, meshtest.SiteB)
	a := keys.Link(t, keys.Config(meshtest.SiteA, w.open(t, w.passes[meshtest.SiteA], wire.Options{})))
	b := keys.Link(t, keys.Config(meshtest.SiteB, w.open(t, w.passes[meshtest.SiteB], wire.Options{})))
	for _, keep := range []bool{true, false} {
		if err := a.Send(t.Context(), mesh.Letter{To: meshtest.SiteB, Run: "r", Label: "ask", Keep: keep}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if d := meshtest.Receive(t, ctx, b); d.From != meshtest.SiteA || d.Keep != keep || d.Ack() != nil {
			t.Errorf("site b got %+v", d.Letter)
		}
	}
}

// A member that may write to everybody also writes to who is admitted later, by
// the same pass; until then what it sends goes nowhere.
func TestRights_All(t *testing.T) {
	w := newWorld(t, broker.Member{Site: meshtest.SiteA, All: true})
	a, err := connect(t, w.passes[meshtest.SiteA])
	if err != nil {
		t.Fatal(err)
	}
	to := mesh.Token(meshtest.SiteB)
	if _, err := a.Request("st."+to, []byte("x"), time.Second); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("a frame to nobody: %v", err)
	}
	pass, err := w.Admit(t.Context(), broker.Member{Site: meshtest.SiteB, All: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := connect(t, pass)
	if err != nil {
		t.Fatal(err)
	}
	heard, err := b.SubscribeSync("in.*")
	if err != nil || b.Flush() != nil {
		t.Fatal(err)
	}
	if m, err := a.Request("st."+to, []byte("x"), 5*time.Second); err != nil || !strings.Contains(string(m.Data), "IN_"+to) {
		t.Errorf("by the same pass, admitted: %v", err)
	}
	if err := a.Publish("peer."+to, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if m, err := heard.NextMsg(5 * time.Second); err != nil || m.Subject != "in.site-a" {
		t.Errorf("site b hears %v, %v", m, err)
	}
}
