package main

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/glm"
	"wellspring/engine/duckdb"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

const dataset = "rows"

// A cohort is one site's simulated patients: columns x1, x2, ... of independent
// normal deviates, and y, 1 with probability logit⁻¹(−1/2 + Σ βⱼ·xⱼ), where βⱼ
// goes round −0.2, −0.1, 0, 0.1, 0.2.
type cohort struct {
	seed          uint64
	rows, columns int
}

func (c cohort) dictionary() frame.Dictionary {
	var d frame.Dictionary
	for j := range c.columns {
		d = append(d, frame.Column{Name: fmt.Sprintf("x%d", j+1), Type: frame.Real, Min: -10, Max: 10})
	}
	return append(d, frame.Column{Name: "y", Type: frame.Integer, Max: 1})
}

// batches yields the same rows every time.
func (c cohort) batches() iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		r := rand.New(rand.NewPCG(c.seed, 1))
		for left := c.rows; left > 0; left -= frame.RunRows {
			if !yield(c.batch(r, min(left, frame.RunRows)), nil) {
				return
			}
		}
	}
}

func (c cohort) batch(r *rand.Rand, rows int) frame.Batch {
	b := frame.Batch{Rows: rows, Columns: make([]frame.Values, c.columns+1)}
	eta := make([]float64, rows)
	for j := range c.columns {
		x := make([]float64, rows)
		beta := 0.1 * float64(j%5-2)
		for i := range x {
			x[i] = r.NormFloat64()
			eta[i] += beta * x[i]
		}
		b.Columns[j].Real = x
	}
	y := make([]float64, rows)
	for i := range y {
		if r.Float64() < 1/(1+math.Exp(0.5-eta[i])) {
			y[i] = 1
		}
	}
	b.Columns[c.columns].Real = y
	return b
}

// cohorts splits rows among sites as evenly as they go.
func cohorts(sites, rows, columns int) []cohort {
	var out []cohort
	for i := range sites {
		out = append(out, cohort{uint64(i + 1), rows*(i+1)/sites - rows*i/sites, columns})
	}
	return out
}

// A wing holds simulated sites, each with a DuckDB file and a journal.
type wing struct {
	dir   string
	host  *duckdb.Host
	sites []rehearsal.Site
}

// openWing makes a folder for sites under one DuckDB of the given memory.
func openWing(memoryMiB int) (*wing, error) {
	dir, err := os.MkdirTemp("", "wellspring-bench-")
	if err != nil {
		return nil, err
	}
	h, err := duckdb.OpenHost(dir, duckdb.Options{MemoryMiB: memoryMiB})
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return &wing{dir: dir, host: h}, nil
}

func (w *wing) close() {
	w.host.Close()
	os.RemoveAll(w.dir)
}

// admit loads a cohort into a site of its own, frozen.
func (w *wing) admit(ctx context.Context, id ws.SiteID, c cohort) error {
	s, err := w.host.Store(ctx, string(id)+".duckdb")
	if err != nil {
		return err
	}
	if err := s.Load(ctx, dataset, c.dictionary(), c.batches()); err != nil {
		return err
	}
	v, err := s.Freeze(ctx, dataset)
	if err != nil {
		return err
	}
	src, err := s.Open(ctx, dataset, v)
	if err != nil {
		return err
	}
	w.sites = append(w.sites, rehearsal.Site{ID: id, Rows: src, Policy: policy.Default(), Dir: fmt.Sprintf("%s/%s", w.dir, id)})
	return nil
}

// openCohorts loads cohorts into sites named site-000, site-001, ...
func openCohorts(ctx context.Context, memoryMiB int, list []cohort) (*wing, error) {
	w, err := openWing(memoryMiB)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		if err := w.admit(ctx, ws.SiteID(fmt.Sprintf("site-%03d", i)), c); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

// fit plays a logistic model of all columns over the wing's sites.
func (w *wing) fit(ctx context.Context, columns int) (*study.Document, error) {
	var terms []string
	for j := range columns {
		terms = append(terms, fmt.Sprintf("x%d", j+1))
	}
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "bench"},
		Purpose: study.Purpose{DUO: []ws.Purpose{"DUO:0000042"}}, Data: study.Data{Dataset: dataset},
		Analysis: &study.Analysis{Method: "glm", Family: "binomial", Formula: "y ~ " + strings.Join(terms, " + ")}}
	out, err := rehearsal.Run(ctx, s.WithDefaults(), w.sites, rehearsal.Options{Catalog: analyze.Catalog{glm.Method()}})
	if err != nil {
		return nil, err
	}
	return out.Document, nil
}

// iterations is how many steps a model took.
func iterations(d *study.Document) float64 {
	n, _ := d.Glance.Get("iterations").(int64)
	return float64(n)
}
