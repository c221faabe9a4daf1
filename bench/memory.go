package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"

	ws "wellspring"
)

// proveMemory loads 10,000,000 rows into one site and fits a model over it and
// two small sites. All three and the hub share this process, so its peak is an
// upper bound of what one site takes.
func proveMemory(ctx context.Context, scale float64, r *Report) error {
	const columns = 10
	rows := scaled(10_000_000, scale, 10_000)
	w, err := openWing(128)
	if err != nil {
		return err
	}
	defer w.close()
	idle, err := resident("VmRSS:")
	if err != nil {
		return err
	}
	loaded, err := peak(func() error { return w.admit(ctx, "large", cohort{1, rows, columns}) })
	if err != nil {
		return err
	}
	for i, id := range []ws.SiteID{"small-1", "small-2"} {
		if err := w.admit(ctx, id, cohort{uint64(i + 2), 1000, columns}); err != nil {
			return err
		}
	}
	fitted, err := peak(func() error { _, err := w.fit(ctx, columns); return err })
	if err != nil {
		return err
	}
	const mib = 1 << 20
	r.Peer = "the idle process with its engine open, in the same run; all of it by the kernel's count (VmRSS, VmHWM)"
	r.add("rows at the large site", float64(rows), "")
	r.add("columns", columns+1, "")
	r.add("idle", idle/mib, "MiB")
	r.add("loading, peak above idle", (loaded-idle)/mib, "MiB")
	r.add("logistic model, peak above idle", (fitted-idle)/mib, "MiB")
	r.Holds = max(loaded, fitted)-idle < 300*mib
	return nil
}

// peak returns the largest memory of the process while f runs, in bytes.
func peak(f func() error) (float64, error) {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return 0, fmt.Errorf("the kernel does not reset the peak of memory: %w", err)
	}
	if err := f(); err != nil {
		return 0, err
	}
	return resident("VmHWM:")
}

// resident reads a line of the kernel's account of this process, in bytes.
func resident(line string) (float64, error) {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("this proof needs Linux: %w", err)
	}
	_, rest, _ := bytes.Cut(text, []byte(line))
	var kB float64
	_, err = fmt.Sscan(string(rest), &kB)
	return kB * 1024, err
}
