package vitals

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
)

func TestServer(t *testing.T) {
	var up, full atomic.Bool
	var fresh atomic.Int64 // unix seconds
	s := New(Node{Role: "site", Letters: func() mesh.Counts {
		return mesh.Counts{Frames: 10, Letters: 3, Resent: 2, Malformed: 1, Stray: 2, Forged: 4, Repeated: 5, Late: 6}
	}, Height: func() ledger.Height { return 7 }, Up: up.Load, Fresh: func() time.Time { return time.Unix(fresh.Load(), 0) }, MaxAge: time.Minute,
		Ready: func() error {
			if full.Load() {
				return ws.Errorf(ws.Unreachable, "disk", ws.T("the disk is nearly full", "磁盘将满"))
			}
			return nil
		}, Disk: func() (uint64, uint64, error) { return 5, 9, nil }, Journal: func() int64 { return 77 },
		Runs:   map[string]func() int{"answering": func() int { return 2 }, "conducting": func() int { return 1 }},
		Expiry: map[string]func() time.Time{"authority": func() time.Time { return time.Unix(4_000_000_000, 0) }, "server": func() time.Time { return time.Time{} }}})
	s.Round()
	s.Round()
	s.Ended(nil)
	s.Ended(ws.Errorf(ws.Withheld, "study", ws.T("too few", "过少")))
	if problems, err := testutil.GatherAndLint(s.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	get := func(path string, code int) string {
		t.Helper()
		r, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != code {
			t.Fatalf("%s: %d, want %d; %s, %v", path, r.StatusCode, code, b, err)
		}
		return string(b)
	}
	get("/healthz", 200)
	if got := get("/readyz", 503); !strings.Contains(got, "no connection") || !strings.Contains(got, "未连接") {
		t.Error(got)
	}
	up.Store(true)
	if got := get("/readyz", 503); !strings.Contains(got, "out of date") {
		t.Error(got)
	}
	fresh.Store(time.Now().Unix())
	get("/readyz", 200)
	full.Store(true)
	if got := get("/readyz", 503); !strings.Contains(got, "nearly full") || !strings.Contains(got, "磁盘将满") {
		t.Error(got)
	}
	full.Store(false)
	get("/", 404)
	got := get("/metrics", 200)
	for _, want := range []string{`wellspring_frames_received_total{role="site"} 10`, `wellspring_letters_received_total{role="site"} 3`,
		`wellspring_letters_resent_total{role="site"} 2`, `wellspring_frames_refused_total{role="site"} 7`, `wellspring_frames_repeated_total{role="site"} 11`,
		`wellspring_ledger_height{role="site"} 7`, `wellspring_link_up{role="site"} 1`, `wellspring_ready{role="site"} 1`,
		`wellspring_rounds_total{role="site"} 2`, `wellspring_runs_ended_total{outcome="ok",role="site"} 1`,
		`wellspring_runs_ended_total{outcome="withheld",role="site"} 1`, "wellspring_ledger_age_seconds",
		`wellspring_disk_free_bytes{role="site"} 5`, `wellspring_disk_size_bytes{role="site"} 9`, `wellspring_journal_bytes{role="site"} 77`,
		`wellspring_runs{role="site",state="answering"} 2`, `wellspring_runs{role="site",state="conducting"} 1`,
		`wellspring_certificate_expiry_timestamp_seconds{certificate="authority",role="site"} 4e+09`, `certificate="server",role="site"} NaN`, "go_goroutines", "process_open_fds"} {
		if !strings.Contains(got, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + l.Addr().String() + "/healthz"); err == nil {
		t.Error("it answers after it was stopped")
	}
}
