package broker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// Twenty members send 16 MiB each at once, one of them a kept letter besides: the hub gets all,
// and its connection is not cut for being slow.
func TestMany(t *testing.T) {
	const sites = 20
	size := int64(16 << 20)
	if testing.Short() { // the race detector takes ten times as long a byte
		size = 3 << 20
	}
	names := []ws.SiteID{meshtest.Hub}
	var members []broker.Member
	for i := range sites {
		names = append(names, ws.SiteID(fmt.Sprint("site-", i)))
		members = append(members, broker.Member{Site: names[i+1]})
	}
	w := newWorld(t, members...)
	keys := meshtest.NewKeys(t, names...)
	cfg := keys.Config(meshtest.Hub, w.open(t, w.passes[meshtest.Hub], wire.Options{}))
	cfg.Spill = t.TempDir()
	hub := keys.Link(t, cfg)
	ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
	defer stop()
	body := make([]byte, size)
	for _, s := range names[1:] {
		l := keys.Link(t, keys.Config(s, w.open(t, w.passes[s], wire.Options{})))
		go func() {
			_ = l.Send(ctx, mesh.Letter{To: meshtest.Hub, Run: "r", Label: "big", Body: body})
			_ = l.Send(ctx, mesh.Letter{To: meshtest.Hub, Run: "kept", Label: "big", Body: body[:2<<20], Keep: true})
		}()
	}
	begun := time.Now()
	for range 2 * sites {
		d := meshtest.Receive(t, ctx, hub)
		if d.Size != size && d.Size != 2<<20 || d.Ack() != nil {
			t.Errorf("%d bytes came from %s", d.Size, d.From)
		}
	}
	t.Logf("%d MiB in %v, counts %+v", int64(sites)*(size+2<<20)>>20, time.Since(begun), hub.Counts())
}
