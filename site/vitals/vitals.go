// Package vitals shows a node's state to whoever operates it: health for a
// supervisor, and metrics in the form of Prometheus.
//
// Start from [New] and [Server.Serve]. The paths are /healthz (the process
// answers), /readyz (it also has a wire and a fresh view of the ledger; 503 with
// the reason otherwise) and /metrics.
//
// # Not promised
//
// No value here names or counts a person, a row, a dataset, a study or a peer; how
// busy a node is can be read from it, so it listens where its operator says, and
// nowhere otherwise. There is no password: who may connect is the network's matter.
package vitals

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
)

// A Node is what is looked at.
type Node struct {
	Role    string // hub or site
	Letters func() mesh.Counts
	Height  func() ledger.Height
	// Up reports whether the wire to the hub stands; nil where there is none.
	Up func() bool
	// Fresh is when the view of the ledger was last known to be the newest; nil at the hub.
	Fresh func() time.Time
	// MaxAge is how old that may be in a node that is ready.
	MaxAge time.Duration
}

// A Server answers for a node.
type Server struct {
	node     Node
	registry *prometheus.Registry
	ended    *prometheus.CounterVec
	rounds   prometheus.Counter
}

// New makes a server.
func New(n Node) *Server {
	s := &Server{node: n, registry: prometheus.NewRegistry()}
	labels := prometheus.Labels{"role": n.Role}
	s.ended = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wellspring_runs_ended_total", ConstLabels: labels,
		Help: "Runs that this node conducted to their end, by outcome: ok, or the kind of the error."}, []string{"outcome"})
	s.rounds = prometheus.NewCounter(prometheus.CounterOpts{Name: "wellspring_rounds_total", ConstLabels: labels, Help: "Rounds of runs that this node conducted."})
	s.registry.MustRegister(s.ended, s.rounds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.registry.MustRegister(s.gauges(labels)...)
	return s
}

// gauges read the node when they are asked.
func (s *Server) gauges(labels prometheus.Labels) []prometheus.Collector {
	n := s.node
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, f)
	}
	count := func(name, help string, f func(mesh.Counts) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(f(n.Letters())) })
	}
	all := []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wellspring_build_info", Help: "The program's version; always 1.",
			ConstLabels: prometheus.Labels{"role": n.Role, "version": string(ws.Version)}}, func() float64 { return 1 }),
		gauge("wellspring_ledger_height", "Height of the ledger here, in blocks.", func() float64 { return float64(n.Height()) }),
		gauge("wellspring_ready", "1 where /readyz says yes.", func() float64 { return number(s.ready() == nil) }),
		count("wellspring_frames_received_total", "Frames that came.", func(c mesh.Counts) uint64 { return c.Frames }),
		count("wellspring_letters_received_total", "Letters that were delivered.", func(c mesh.Counts) uint64 { return c.Letters }),
		count("wellspring_letters_resent_total", "Letters that were sent again.", func(c mesh.Counts) uint64 { return c.Resent }),
		count("wellspring_frames_repeated_total", "Frames that were known already.", func(c mesh.Counts) uint64 { return c.Repeated + c.Late }),
		count("wellspring_frames_refused_total", "Frames that were malformed, not for this node, or not signed by whom they name.",
			func(c mesh.Counts) uint64 { return c.Malformed + c.Stray + c.Forged }),
	}
	if n.Up != nil {
		all = append(all, gauge("wellspring_link_up", "1 while the wire to the hub stands.", func() float64 { return number(n.Up()) }))
	}
	if n.Fresh != nil {
		all = append(all, gauge("wellspring_ledger_age_seconds", "Time since the view of the ledger here was known to be the newest; +Inf before.", func() float64 {
			return s.age().Seconds()
		}))
	}
	return all
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (s *Server) age() time.Duration { return time.Since(s.node.Fresh()) }

// Round counts a round of a run that the node conducts.
func (s *Server) Round() { s.rounds.Inc() }

// Ended counts a run that the node conducted; err is what it ended with.
func (s *Server) Ended(err error) {
	outcome := "ok"
	if err != nil {
		outcome = ws.KindOf(err).String()
	}
	s.ended.WithLabelValues(outcome).Inc()
}

// ready says why the node cannot answer a study now; nil if it can.
func (s *Server) ready() error {
	switch {
	case s.node.Up != nil && !s.node.Up():
		return ws.Errorf(ws.Unreachable, "node", ws.T("no connection to the hub", "未连接枢纽"))
	case s.node.Fresh != nil && s.age() > s.node.MaxAge:
		return ws.Errorf(ws.Unreachable, "node", ws.T("the ledger here may be out of date", "本地账本可能已过时"))
	}
	return nil
}

// Bounds of one server.
const (
	scrapes  = 4 // at one time
	slowest  = 10 * time.Second
	grace    = 3 * time.Second
	maxBytes = 16 << 10 // of a request's head
)

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		var why *ws.Error
		if errors.As(s.ready(), &why) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "%s\n%s\n", why.Msg.En, why.Msg.Zh)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, Timeout: slowest}))
	return mux
}

// Serve answers at a listener, which it closes, until ctx is done.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.handler(), ReadTimeout: slowest, WriteTimeout: 2 * slowest, IdleTimeout: time.Minute, MaxHeaderBytes: maxBytes}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return ws.Errorf(ws.Other, "vitals", ws.T("metrics can no longer be served", "无法继续提供指标")).Wrap(err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(srv.Shutdown(last), ignoreClosed(<-done))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
