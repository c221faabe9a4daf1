package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Figure is one measured number.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// AtMost is the bound that the claim sets; nil where it sets none.
	AtMost *float64 `json:"at_most,omitempty"`
}

// A Report is what a proof found.
type Report struct {
	Name    string   `json:"name"`
	Claim   string   `json:"claim"`
	Figures []Figure `json:"figures"`
	// Peer is what the figure is held against, with its version.
	Peer string `json:"peer"`
	// Holds says whether the claim held in this run.
	Holds   bool    `json:"holds"`
	Scale   float64 `json:"scale"`
	Commit  string  `json:"commit"`
	Machine string  `json:"machine"`
	Date    string  `json:"date"`
}

func (r *Report) add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value, Unit: unit})
	fmt.Printf("  %-44s %12.4g %s\n", name, value, unit)
}

// atMost adds a figure with its bound, and says whether it keeps within it.
func (r *Report) atMost(name string, value, bound float64, unit string) bool {
	r.add(name, value, unit)
	r.Figures[len(r.Figures)-1].AtMost = &bound
	if value > bound {
		fmt.Printf("  %-44s %12.4g %s is allowed\n", "", bound, unit)
	}
	return value <= bound
}

// A proof measures one claim at a scale in (0, 1].
type proof struct {
	name  string
	claim string
	run   func(ctx context.Context, scale float64, r *Report) error
}

func main() {
	scale := flag.Float64("scale", 1, "share of the full size, in (0, 1]")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, flag.Arg(0), *scale)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, scale float64) error {
	if name == "" {
		for _, p := range proofs {
			fmt.Printf("%-16s %s\n", p.name, p.claim)
		}
		return nil
	}
	if !(scale > 0 && scale <= 1) {
		return fmt.Errorf("-scale must lie in (0, 1]")
	}
	chosen := slices.DeleteFunc(slices.Clone(proofs), func(p proof) bool { return name != "all" && name != p.name })
	if len(chosen) == 0 {
		return fmt.Errorf("there is no proof %q; run without a name for the list", name)
	}
	return measureAll(ctx, chosen, scale)
}

// errFails says that a claim did not hold; its file is written all the same.
var errFails = errors.New("the claim does not hold")

// measureAll runs proofs one after the other. A claim that fails does not keep
// the others from being measured; anything else that goes wrong does.
func measureAll(ctx context.Context, chosen []proof, scale float64) error {
	var fails []error
	for _, p := range chosen {
		err := measure(ctx, p, scale)
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
		}
		if err != nil && !errors.Is(err, errFails) {
			return err
		}
		fails = append(fails, err)
	}
	return errors.Join(fails...)
}

// measure runs one proof. At full scale it writes the file and judges the
// claim. At a smaller one the claim is not judged, for it says nothing of small
// sizes, but its file must be there: a claim without its proof fails CI.
func measure(ctx context.Context, p proof, scale float64) error {
	fmt.Printf("%s: %s\n", p.name, p.claim)
	r := &Report{Name: p.name, Claim: p.claim, Scale: scale, Commit: commit(), Machine: machine(), Date: time.Now().UTC().Format(time.DateOnly)}
	if err := p.run(ctx, scale, r); err != nil {
		return err
	}
	path := filepath.Join("docs", "numbers", p.name+".json")
	if scale < 1 {
		_, err := os.Stat(path)
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Printf("  holds: %v; written to %s\n", r.Holds, path)
	if !r.Holds {
		return errFails
	}
	return nil
}

func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func machine() string {
	model := "unknown processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s %s/%s", model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
