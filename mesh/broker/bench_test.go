package broker_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"wellspring/mesh"
	"wellspring/mesh/meshtest"
	"wellspring/mesh/wire"
)

// pair gives links of hub and site A over loopback TLS, with stores on the disk.
func pair(b *testing.B, spill string) (hub, site *mesh.Link) {
	w := newWorld(b)
	keys := meshtest.NewKeys(b, meshtest.Hub, meshtest.SiteA)
	h := keys.Config(meshtest.Hub, w.open(b, w.passes[meshtest.Hub], wire.Options{}))
	s := keys.Config(meshtest.SiteA, w.open(b, w.passes[meshtest.SiteA], wire.Options{}))
	h.Spill = spill
	for _, c := range []*mesh.Config{&h, &s} {
		store, err := mesh.OpenDir(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		c.Store = store
		c.Limit = func(string) int64 { return 512 << 20 }
	}
	return keys.Link(b, h), keys.Link(b, s)
}

// echo answers each letter at the site.
func echo(ctx context.Context, site *mesh.Link, keep bool) {
	for {
		d, err := site.Receive(ctx)
		if err != nil {
			return
		}
		if site.Send(ctx, mesh.Letter{To: d.From, Run: d.Run, Label: "answer", Body: d.Body, Keep: keep}) != nil || d.Ack() != nil {
			return
		}
	}
}

// BenchmarkRoundTrip: signed letters of 300 bytes from hub to site and back over loopback TLS.
func BenchmarkRoundTrip(b *testing.B) {
	for _, keep := range []bool{false, true} {
		b.Run(fmt.Sprintf("keep=%v", keep), func(b *testing.B) {
			hub, site := pair(b, "")
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			go echo(ctx, site, keep)
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				if err := hub.Send(ctx, mesh.Letter{To: meshtest.SiteA, Run: "r", Label: "ask", Body: make([]byte, 300), Keep: keep}); err != nil {
					b.Fatal(err)
				}
				d := meshtest.Receive(b, ctx, hub)
				took = append(took, time.Since(begun))
				if err := d.Ack(); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds()), "µs-p95")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkBulk: a body of 200 MiB from site to hub over loopback TLS, spilled to a file or in memory.
func BenchmarkBulk(b *testing.B) {
	const size = 200 << 20
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	for name, spill := range map[string]string{"memory": "", "spilled": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			hub, site := pair(b, spill)
			b.SetBytes(size)
			for b.Loop() {
				if err := site.Send(b.Context(), mesh.Letter{To: meshtest.Hub, Run: "r", Label: "vector", Body: body}); err != nil {
					b.Fatal(err)
				}
				d := meshtest.Receive(b, b.Context(), hub)
				if d.Size != size || (d.Body == nil) != (spill != "") || d.Ack() != nil {
					b.Fatalf("%d bytes came", d.Size)
				}
			}
		})
	}
}
