package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	"wellspring/post"
	"wellspring/run"
)

// heap samples how much memory is in use, until it is ended, and gives the most.
func heap() (most func() uint64) {
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return peak.Load() }
}

// A member that takes no part in a run sends hub and site frames without end: noise,
// letters of runs that nobody opened, letters of the run of others, and long ones that
// claim to be vectors. Runs that the hub conducts, and a member, go on to the same
// bytes, and what hub, sites and broker hold stays bounded.
func TestHostile_Flood(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is judged without the race detector, which adds its own")
	}
	w := network(t, 5)
	hubs, members := ask(t, w, ages("ages")), ask(t, w, logistic("member"))
	if err := w.Reach(t.Context(), "site2"); err != nil {
		t.Fatal(err)
	}
	conducted := func(i int) string {
		q, desk := hubs, w.Hub()
		if i%2 == 1 {
			q, desk = members, w.Site("site2").Desk()
		}
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		out, err := desk.Open(ctx, q.ref, q.study, q.members[:4], false)
		if err != nil {
			t.Errorf("conductor %d of hub and member: %v", i%2, err)
			return ""
		}
		return bytesOf(t, out.Document)
	}
	want := []string{conducted(0), conducted(1)}

	if err := w.Send(t.Context(), "site4", mesh.Letter{To: "site0", Run: post.Ledger, Label: post.Study, Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	told(t, w, 0, ws.Denied, "site4", "which only the hub does")

	long := make([]byte, 96<<20)
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // what is in use, and little that is not
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	most := heap()
	ctx, stop := context.WithCancel(t.Context())
	var floods sync.WaitGroup
	var frames, letters atomic.Int64
	send := func(m mesh.Letter) {
		if err := w.Send(ctx, "site4", m); err == nil {
			letters.Add(1)
		} else if ctx.Err() == nil {
			t.Error(err)
		}
	}
	floods.Go(func() { // noise, past the node's own link
		c, err := wire.Open(w.Pass("site4"), wire.Options{})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		r := rand.NewChaCha8([32]byte{4})
		for i := 0; ctx.Err() == nil; i++ {
			noise := make([]byte, 1+r.Uint64()%(64<<10))
			_, _ = r.Read(noise) // never fails
			noise[0] = byte(0xA0 + i%5)
			if err := c.Put(ctx, []ws.SiteID{broker.HubSite, "site0"}[i%2], noise, i%16 == 0); err == nil {
				frames.Add(1)
			}
		}
	})
	floods.Go(func() { // runs that nobody opened
		for i := range 600 {
			for _, to := range []ws.SiteID{broker.HubSite, "site0"} {
				send(mesh.Letter{To: to, Run: fmt.Sprintf("bogus%d", i), Epoch: 1, Label: string([]run.Step{run.Open, run.Ask, run.Contribute}[i%3]), Body: []byte("x")})
			}
		}
	})
	floods.Go(func() { // one such, again and again
		for i := 0; i < 200 && ctx.Err() == nil; i++ {
			send(mesh.Letter{To: "site0", Run: "again", Epoch: 1, Round: i, Label: string(run.Ask), Body: []byte("x")})
		}
	})
	floods.Go(func() { // vectors that nobody asked for
		for i := range 2 {
			send(mesh.Letter{To: broker.HubSite, Run: fmt.Sprint("long", i), Epoch: 1, Label: string(run.Contribute), Body: long})
			send(mesh.Letter{To: "site0", Run: fmt.Sprint("long", i), Epoch: 1, Label: string(run.Propose), Body: long})
		}
	})
	begin, runs := time.Now(), 0
	for ; (runs < 4 || time.Since(begin) < 3*time.Second) && !t.Failed(); runs++ {
		if conducted(runs) != want[runs%2] {
			t.Errorf("run %d has other bytes", runs)
		}
	}
	took := time.Since(begin) / time.Duration(max(runs, 1))
	stop()
	floods.Wait()
	grown := int64(most()) - int64(before.HeapInuse)
	t.Logf("%d frames of noise, %d letters; %d runs of %v each meanwhile; %d MiB more in use at most", frames.Load(), letters.Load(), runs, took, grown>>20)
	if grown > 128<<20 {
		t.Errorf("%d MiB more in use", grown>>20)
	}
	if frames.Load() < 100 || letters.Load() < 500 {
		t.Error("that is no flood")
	}
	told(t, w, 0, ws.Denied, "from site4 is refused", "runs that the ledger does not know")
}
