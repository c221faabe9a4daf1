package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A reading is what a node's process and folder hold at one time, between studies.
type reading struct {
	studies float64 // so far
	held    map[string]float64
}

// What is read, and how much more of it a node may hold in the last quarter than in
// the second. What a node is there to keep grows with the studies: its ledger, the
// ledger's state in memory, the texts, its journal's tombstones, the answers, of
// which it keeps a thousand at most; at the hub also blocks, of which it holds 64 MiB
// at most for who asks. The memory of a process grows by more than its heap, which
// Go lets double before it looks for garbage.
var soakBounds = []struct {
	what     string
	most     float64
	unit     string
	perStudy bool
}{
	{memoryHeld, 48, "KiB", true},
	{heapHeld, 24, "KiB", true},
	{handlesHeld, 2, "", false},
	{goroutinesHeld, 4, "", false},
	{diskLedger, 8, "KiB", true},
	{diskJournal, 4, "KiB", true},
	{diskTexts, 1, "KiB", true},
	{diskAnswers, 8, "KiB", true},
	{diskRest, 64, "KiB", false},
}

const (
	memoryHeld     = "memory of its own (RssAnon)"
	heapHeld       = "heap, least of a quarter"
	handlesHeld    = "file handles"
	goroutinesHeld = "goroutines"
	diskLedger     = "disk: ledger"
	diskJournal    = "disk: journal"
	diskTexts      = "disk: texts of studies"
	diskAnswers    = "disk: kept answers"
	diskRest       = "disk: all else"
)

// read takes a reading of every node.
func (s *soak) read(ctx context.Context, studies int) error {
	all := map[string]reading{}
	for _, name := range append([]string{hubDir}, s.sites...) {
		held, err := s.f.holds(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all[name] = reading{float64(studies), held}
	}
	s.readings = append(s.readings, all)
	return nil
}

// holds reads a node's process from the kernel and from its metrics, and its folder.
func (f *fleet) holds(ctx context.Context, name string) (map[string]float64, error) {
	node := f.node(name)
	a, err := accountOf(node.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	text, err := scrape(ctx, node.metrics)
	if err != nil {
		return nil, err
	}
	held := map[string]float64{memoryHeld: a.own / (1 << 10), handlesHeld: a.handles,
		heapHeld: after(text, "\ngo_memstats_heap_alloc_bytes ") / (1 << 10), goroutinesHeld: after(text, "\ngo_goroutines ")}
	if held[heapHeld] == 0 || held[goroutinesHeld] == 0 {
		return nil, errors.New("its metrics do not tell its heap and goroutines")
	}
	return held, f.weigh(name, held)
}

func scrape(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}

// weigh adds the sizes of the files in a node's folder, by kind, in KiB.
func (f *fleet) weigh(name string, held map[string]float64) error {
	kinds := map[string]string{"ledger": diskLedger, "journal.db": diskJournal, "journal.db-wal": diskJournal, "journal.db-shm": diskJournal,
		"studies": diskTexts, "results": diskAnswers}
	root := f.path(name)
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was there a moment ago
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		in, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(in, string(filepath.Separator))
		kind := kinds[first]
		if kind == "" {
			kind = diskRest
		}
		held[kind] += float64(info.Size()) / (1 << 10)
		return nil
	})
}

// judge holds the last quarter of the readings against the second, for the hub and
// for the site whose figure grew most.
func (s *soak) judge(r *Report) {
	for _, b := range soakBounds {
		second, last, grown := s.growth(hubDir, b.what, b.perStudy)
		r.add("hub: "+b.what+", second quarter", second, b.unit)
		r.add("hub: "+b.what+", last quarter", last, b.unit)
		worst, at := 0.0, ""
		for i, site := range s.sites {
			if _, _, g := s.growth(site, b.what, b.perStudy); i == 0 || g > worst {
				worst, at = g, site
			}
		}
		second, last, _ = s.growth(at, b.what, b.perStudy)
		r.add("sites: "+b.what+", second quarter, where it grew most", second, b.unit)
		r.add("sites: "+b.what+", last quarter, where it grew most", last, b.unit)
		unit := b.unit
		if b.perStudy {
			unit += " a study"
		}
		r.Holds = r.atMost("hub: "+b.what+", growth between them", grown, b.most, unit) && r.Holds
		r.Holds = r.atMost("sites: "+b.what+", growth between them, at most", worst, b.most, unit) && r.Holds
	}
}

// growth is what a node held in the second and in the last quarter, and the
// difference, or the difference a study.
func (s *soak) growth(node, what string, perStudy bool) (second, last, grown float64) {
	quarter := func(k int) (held, studies float64) {
		n := len(s.readings)
		var values, at []float64
		for _, all := range s.readings[k*n/4 : (k+1)*n/4] {
			values = append(values, all[node].held[what])
			at = append(at, all[node].studies)
		}
		if what == heapHeld { // what is garbage comes and goes
			return slices.Min(values), median(at)
		}
		return median(values), median(at)
	}
	second, from := quarter(1)
	last, to := quarter(3)
	if grown = last - second; perStudy {
		grown /= to - from
	}
	return second, last, grown
}
