package broker_test

import (
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// A world is a broker on loopback with the suite's two members.
type world struct {
	*broker.Broker
	passes map[ws.SiteID]mesh.Pass
}

func newWorld(t testing.TB, members ...broker.Member) *world {
	t.Helper()
	b, err := broker.Open(t.Context(), broker.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", WebSocket: "127.0.0.1:0", Names: []string{"127.0.0.1", "hub.test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := &world{b, map[ws.SiteID]mesh.Pass{}}
	if len(members) == 0 {
		members = []broker.Member{{Site: meshtest.SiteA}, {Site: meshtest.SiteB}}
	}
	for _, m := range members {
		if w.passes[m.Site], err = b.Admit(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if w.passes[meshtest.Hub], err = b.Hub(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open(t testing.TB, pass mesh.Pass, o wire.Options) *wire.Carrier {
	t.Helper()
	c, err := wire.Open(pass, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for end := time.Now().Add(20 * time.Second); !c.Up(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not connect", pass.Site)
		}
	}
	return c
}
