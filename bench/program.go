package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
)

// proveDemo builds the program and times its demo.
func proveDemo(ctx context.Context, _ float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "wellspring")
	if _, err := output(ctx, ".", "go", "build", "-o", binary, "./cmd/wellspring"); err != nil {
		return err
	}
	var took []float64
	for range 3 {
		t, err := timed(func() error { _, err := output(ctx, dir, binary, "demo", "--once", "--out", "answers"); return err })
		if err != nil {
			return err
		}
		took = append(took, t)
	}
	r.Peer = "none; the limit is a newcomer's patience, 10 s"
	r.add("demo --once --out", median(took), "s")
	r.Holds = median(took) <= 10
	return nil
}

// output runs a command in a folder and returns what it printed; its errors
// hold what it complained of.
func output(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w: %s", filepath.Base(name), args, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}

// proveFirstAnswer does in a clean folder what the README tells a newcomer who
// has two CSV files. Go's caches are those of the machine; a cold one adds the
// download of the modules and the build of DuckDB's bindings.
func proveFirstAnswer(ctx context.Context, _ float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	for i, name := range []string{"north.csv", "south.csv"} {
		if err := writePatients(filepath.Join(dir, name), uint64(i)); err != nil {
			return err
		}
	}
	v := &visit{ctx: ctx, dir: dir, r: r}
	v.step("git clone", "git", "clone", "-q", string(bytes.TrimSpace(root)), "wellspring")
	v.step("go build", "go", "-C", "wellspring", "build", "-o", filepath.Join(dir, "ws"), "./cmd/wellspring")
	draft := v.step("study new", "./ws", "study", "new", "--public", "north.csv", "south.csv")
	v.write("study.yaml", draft)
	v.step("simulate", "./ws", "simulate", "--study", "study.yaml", "--public", "--site", "north=north.csv", "--site", "south=south.csv", "--out", "result.json")
	if v.err != nil {
		return v.err
	}
	b, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil || !json.Valid(b) {
		return fmt.Errorf("there is no answer: %w", err)
	}
	r.Peer = "none; the limit is 300 s"
	r.add("from cloning to the answer", v.seconds, "s")
	r.add("Go's module cache was warm", truth(warm(ctx, "GOMODCACHE")), "1 is yes")
	r.add("Go's build cache was warm", truth(warm(ctx, "GOCACHE")), "1 is yes")
	r.Holds = v.seconds < 300
	return nil
}

// A visit is a newcomer's first session, step by step, up to the first failure.
type visit struct {
	ctx     context.Context
	dir     string
	r       *Report
	seconds float64
	err     error
}

func (v *visit) step(label, name string, args ...string) (out []byte) {
	if v.err != nil {
		return nil
	}
	var t float64
	t, v.err = timed(func() (err error) { out, err = output(v.ctx, v.dir, name, args...); return err })
	v.seconds += t
	v.r.add(label, t, "s")
	return out
}

func (v *visit) write(name string, b []byte) {
	if v.err == nil {
		v.err = os.WriteFile(filepath.Join(v.dir, name), b, 0o600)
	}
}

// writePatients writes a small CSV file as a hospital might have it.
func writePatients(path string, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 7))
	var b bytes.Buffer
	b.WriteString("age,sex,pressure,event\n")
	for range 500 {
		age, event := 30+r.IntN(50), 0
		if r.Float64() < float64(age)/120 {
			event = 1
		}
		fmt.Fprintf(&b, "%d,%s,%.1f,%d\n", age, []string{"female", "male"}[r.IntN(2)], 120+15*r.NormFloat64(), event)
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// warm says whether one of Go's caches holds anything.
func warm(ctx context.Context, variable string) bool {
	out, err := output(ctx, ".", "go", "env", variable)
	if err != nil {
		return false
	}
	entries, err := os.ReadDir(string(bytes.TrimSpace(out)))
	return err == nil && len(entries) > 2
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
