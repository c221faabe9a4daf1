// Package vitals shows a node's state to whoever operates it: health for a
// supervisor, and metrics in the form of Prometheus.
//
// Start from [New] and [Server.Serve]. The paths are /healthz (the process
// answers), /readyz (it also has a wire and a fresh view of the ledger, and whatever
// else it takes to answer a study; 503 with the reason otherwise) and /metrics.
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
	"maps"
	"math"
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
	// Ready says why else the node could not answer a study now; nil for nothing else.
	Ready func() error
	// Disk tells of the disk of the node's folder how much is free, in bytes; nil or an error for not known.
	Disk func() (free, size uint64, err error)
	// Journal is the length of the journal's files in bytes; nil where there is none.
	Journal func() int64
	// Runs counts what is under way here, by what the node does in it.
	Runs map[string]func() int
	// Expiry is when a certificate by which the hub is known ends, by whose it is; the
	// zero time for not known.
	Expiry map[string]func() time.Time
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
	s.registry.MustRegister(append(s.gauges(labels), s.stock(labels)...)...)
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

// stock reads what a node has left and under way.
func (s *Server) stock(labels prometheus.Labels) (all []prometheus.Collector) {
	n := s.node
	gauge := func(name, help, label, value string, f func() float64) {
		with := maps.Clone(labels)
		if label != "" {
			with[label] = value
		}
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: with}, f))
	}
	if n.Disk != nil {
		of := func(which func(free, size uint64) uint64) func() float64 {
			return func() float64 {
				free, size, err := n.Disk()
				if err != nil {
					return math.NaN()
				}
				return float64(which(free, size))
			}
		}
		gauge("wellspring_disk_free_bytes", "Room on the disk of the node's folder, as far as the node may use it.", "", "", of(func(free, _ uint64) uint64 { return free }))
		gauge("wellspring_disk_size_bytes", "Size of that disk.", "", "", of(func(_, size uint64) uint64 { return size }))
	}
	if n.Journal != nil {
		gauge("wellspring_journal_bytes", "Length of the journal's files.", "", "", func() float64 { return float64(n.Journal()) })
	}
	for state, f := range n.Runs {
		gauge("wellspring_runs", "Runs under way here, by what this node does in them.", "state", state, func() float64 { return float64(f()) })
	}
	for whose, f := range n.Expiry {
		gauge("wellspring_certificate_expiry_timestamp_seconds", "When a certificate by which the hub is known ends, in Unix time; NaN while it is not known.", "certificate", whose, func() float64 {
			if at := f(); !at.IsZero() {
				return float64(at.Unix())
			}
			return math.NaN()
		})
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
	case s.node.Ready != nil:
		return s.node.Ready()
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
