package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/collectors"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"wellspring/hub/hubtest"
	"wellspring/mesh"
)

// A line is a bad connection of every site to the broker: 50 ms there and back,
// 10 Mbit/s up, and, while a study runs, stalls and cuts.
type line struct {
	server  *toxiproxy.ApiServer
	proxies []*toxiproxy.Proxy
	err     error
}

func newLine() *line {
	m := toxiproxy.NewMetricsContainer(prometheus.NewRegistry())
	m.ProxyMetrics = collectors.NewProxyMetricCollectors()
	return &line{server: toxiproxy.NewServer(m, zerolog.Nop())}
}

// dial puts a shaping proxy between a site and the broker.
func (l *line) dial(p mesh.Pass) mesh.Pass {
	address := strings.TrimPrefix(p.URLs[0], "tls://")
	proxy := toxiproxy.NewProxy(l.server, string(p.Site), "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		l.err = errors.Join(l.err, err)
		return p
	}
	for _, toxic := range []string{
		`{"name":"there","type":"latency","stream":"upstream","attributes":{"latency":25}}`,
		`{"name":"back","type":"latency","stream":"downstream","attributes":{"latency":25}}`,
		`{"name":"up","type":"bandwidth","stream":"upstream","attributes":{"rate":1250}}`,
	} {
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		l.err = errors.Join(l.err, err)
	}
	l.proxies = append(l.proxies, proxy)
	p.URLs = []string{"tls://" + proxy.Listen}
	return p
}

// bytes counts what has passed, both ways.
func (l *line) bytes() float64 {
	r := prometheus.NewRegistry()
	r.MustRegister(l.server.Metrics.ProxyMetrics.Collectors()...)
	families, err := r.Gather()
	l.err = errors.Join(l.err, err)
	n := 0.0
	for _, f := range families {
		if strings.HasSuffix(f.GetName(), "received_bytes_total") {
			for _, m := range f.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// trouble stalls one line for 200 ms and cuts another every 1.5 seconds, until
// ctx is done.
func (l *line) trouble(ctx context.Context) (cuts int) {
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return cuts
		case <-time.After(1500 * time.Millisecond):
		}
		stalled, cut := l.proxies[i%len(l.proxies)], l.proxies[(i+1)%len(l.proxies)]
		if _, err := stalled.Toxics.AddToxicJson(strings.NewReader(`{"name":"stall","type":"latency","stream":"upstream","attributes":{"latency":200}}`)); err == nil {
			time.AfterFunc(200*time.Millisecond, func() { _ = stalled.Toxics.RemoveToxic(context.Background(), "stall") })
		}
		listen := cut.Listen
		cut.Stop()
		cut.Listen = listen
		l.err = errors.Join(l.err, cut.Start())
		cuts++
	}
}

// proveWAN asks the model of [proveLatency] over such lines.
func proveWAN(ctx context.Context, scale float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-wan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	zerolog.SetGlobalLevel(zerolog.Disabled)
	l := newLine()
	q, err := askCNSIM(ctx, scale, hubtest.Config{Dir: dir, Dial: l.dial, Patience: time.Minute})
	if err != nil {
		return errors.Join(err, l.err)
	}
	defer q.close()
	var calm, rough []float64
	cuts := 0
	var passed float64
	for range scaled(5, scale, 1) {
		for _, took := range []*[]float64{&calm, &rough} {
			bad, stop := context.WithCancel(ctx)
			ended := make(chan int, 1)
			if took == &rough {
				go func() { ended <- l.trouble(bad) }()
			} else {
				ended <- 0
			}
			before := l.bytes()
			t, err := timed(func() error { return q.answer(ctx) })
			stop()
			cuts += <-ended
			if err = errors.Join(err, l.err); err != nil {
				return err
			}
			passed = l.bytes() - before
			*took = append(*took, t)
		}
	}
	r.Peer = "none: six rounds at 50 ms and 10 Mbit/s in under 5 s is our own limit"
	r.add("rounds", float64(q.rounds), "")
	r.add("bytes on all lines, both ways, the last study", passed, "B")
	r.add("without stalls and cuts, median", median(calm), "s")
	r.add("with them, median", median(rough), "s")
	r.add("connections cut", float64(cuts), "")
	r.Holds = median(rough) < 5
	return nil
}
