package hub_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/run"
)

// A mute carrier brings everything and takes no acknowledgement back.
type mute struct {
	mesh.Carrier
	on *atomic.Bool
}

func (m mute) Put(ctx context.Context, to ws.SiteID, frame []byte, keep bool) error {
	if m.on.Load() && len(frame) > 0 && frame[0] == 0xA3 { // a note
		return nil
	}
	return m.Carrier.Put(ctx, to, frame, keep)
}

// A member that acknowledges nothing, or whose acknowledgements a broker keeps, fills
// its own windows: it holds up neither the hub nor the others, and a run in which it
// takes part ends within the patience of whoever conducts, with its name.
func TestHostile_Mute(t *testing.T) {
	t.Parallel()
	const patience = 2 * time.Second
	var muted atomic.Bool
	w := network(t, 5, patient(patience), over(func(pass mesh.Pass) (mesh.Carrier, error) {
		if pass.Site != "site4" {
			return nil, nil
		}
		c, err := wire.Open(pass, wire.Options{})
		if err != nil {
			return nil, err
		}
		return mute{c, &muted}, nil
	}))
	q := ask(t, w, ages("all"))
	filled := make(chan bool)
	w.Lie(func(from ws.SiteID, m mesh.Letter) []mesh.Letter {
		if from == broker.HubSite && m.Round == 1 && m.Label == string(run.RosterStep) {
			<-filled
		}
		return []mesh.Letter{m}
	})
	done := w.When(1, 0, func(p conduct.Progress) {
		defer close(filled)
		muted.Store(true)
		late := 0
		for range 2 * mesh.Window { // what a long study would come to
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			err := w.Send(ctx, broker.HubSite, mesh.Letter{To: "site4", Run: string(p.Run), Label: string(run.Coins)})
			cancel()
			switch {
			case err == nil:
				late = 0
			case late == 2: // one that is late may wait for a disk; three in a row for the window
				return
			default:
				late++
			}
		}
	})
	_, err := q.within(t, w, 30*patience)
	refused(t, err, ws.Unreachable, "site4")
	<-done
	w.Lie(nil)

	var old []byte
	for b, err := range w.File.Watch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		old = b.Txs[0].Bytes()
		break
	}
	for range 3 * mesh.Window { // each is refused, and the hub says so
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		if err := w.Send(ctx, "site4", mesh.Letter{To: broker.HubSite, Run: post.Ledger, Label: post.Submit, Body: old}); err != nil {
			t.Error(err)
		}
		cancel()
	}
	q = ask(t, w, logistic("others"))
	q.members = q.members[:4]
	if _, err = q.within(t, w, soon); err != nil {
		t.Errorf("the others: %v", err)
	}
	told(t, w, 0, ws.Unreachable, "site4 takes no answers")
}
