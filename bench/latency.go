package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/glm"
	"wellspring/collect/csv"
	"wellspring/frame"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/post/conduct"
	"wellspring/study"
)

// proveLatency asks a logistic model of the three CNSIM tables of DataSHIELD
// (9,379 rows), approved beforehand, of a network of three hospitals and a hub
// over TLS on loopback: from the hub's desk to the answer, masked, each site with
// its own DuckDB file, and with a journal and a ledger that are synced.
func proveLatency(ctx context.Context, scale float64, r *Report) error {
	dir, err := os.MkdirTemp("", "wellspring-latency-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	q, err := askCNSIM(ctx, scale, hubtest.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer q.close()
	var took []float64
	for range scaled(20, scale, 3) {
		t, err := timed(func() error { return q.answer(ctx) })
		if err != nil {
			return err
		}
		took = append(took, t)
	}
	r.Peer = "DataSHIELD (dsBase and DSLite in one process, nothing masked, no network), measured on a machine like this: 0.6 to 0.7 s; not rerun here"
	r.add("rounds", float64(q.rounds), "")
	r.add("from the desk to the answer, median", median(took), "s")
	r.add("the first time", took[0], "s")
	r.Holds = median(took) < 0.25
	return nil
}

// A question is a network of three hospitals with a CNSIM table each, and a study that
// they have approved.
type question struct {
	*hubtest.Network
	stores  *wing
	ref     ledger.StudyRef
	study   *study.Study
	members []conduct.Member
	rounds  int // of the last answer
}

// askCNSIM founds the network that cfg describes further.
func askCNSIM(ctx context.Context, scale float64, cfg hubtest.Config) (*question, error) {
	rows, formula, stores, err := tables(ctx, scale)
	if err != nil {
		return nil, err
	}
	cfg.Catalog, cfg.Rows, cfg.Policy = analyze.Catalog{glm.Method()}, rows, policy.Public()
	q := &question{stores: stores}
	if q.Network, err = hubtest.New(ctx, cfg); err != nil {
		stores.close()
		return nil, err
	}
	q.ref, q.study, q.members, err = q.Ask(ctx, &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "cnsim"},
		Purpose: study.Purpose{DUO: []ws.Purpose{"DUO:0000037"}}, Data: study.Data{Dataset: hubtest.Dataset},
		Analysis: &study.Analysis{Method: "glm", Family: "binomial", Formula: formula}})
	if err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// answer has the hub's desk conduct the study.
func (q *question) answer(ctx context.Context) error {
	out, err := q.Hub().Open(ctx, q.ref, q.study, q.members, true)
	if err != nil {
		return errors.Join(append([]error{err}, q.Troubles()...)...)
	}
	q.rounds = out.Document.Rounds
	return nil
}

func (q *question) close() {
	q.Close()
	q.stores.close()
}

// tables loads the CNSIM tables into a DuckDB file each; where they are not at
// hand, a small proof has made-up ones of the same size.
func tables(ctx context.Context, scale float64) (map[ws.SiteID]frame.Source, string, *wing, error) {
	shared := os.Getenv("WELLSPRING_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "shared")
		if _, err := os.Stat(shared); err != nil && scale < 1 {
			return madeUp(ctx)
		}
	}
	out, w, err := cnsim(ctx, shared)
	return out, "DIS_DIAB ~ factor(GENDER)*PM_BMI_CONTINUOUS + LAB_HDL", w, err
}

func madeUp(ctx context.Context) (map[ws.SiteID]frame.Source, string, *wing, error) {
	w, err := openCohorts(ctx, 512, cohorts(3, 9379, 4))
	if err != nil {
		return nil, "", nil, err
	}
	out := map[ws.SiteID]frame.Source{}
	for _, s := range w.sites {
		out[s.ID] = s.Rows
	}
	return out, "y ~ x1 + x2 + x3 + x4", w, nil
}

func cnsim(ctx context.Context, shared string) (map[ws.SiteID]frame.Source, *wing, error) {
	var paths []string
	for k := range 3 {
		paths = append(paths, filepath.Join(shared, "data", "datashield-dslite", "CNSIM", fmt.Sprintf("CNSIM%d.csv", k+1)))
	}
	opt := csv.Options{Public: true, MinCell: 1}
	d, err := csv.Infer(paths, opt)
	if err != nil {
		return nil, nil, err
	}
	w, err := openWing(512)
	if err != nil {
		return nil, nil, err
	}
	out := map[ws.SiteID]frame.Source{}
	for k, path := range paths {
		id := ws.SiteID(fmt.Sprintf("study%d", k+1))
		if out[id], err = w.table(ctx, id, d, path, opt); err != nil {
			w.close()
			return nil, nil, err
		}
	}
	return out, w, nil
}

// table loads one file into a store of its own, frozen.
func (w *wing) table(ctx context.Context, id ws.SiteID, d frame.Dictionary, path string, opt csv.Options) (frame.Source, error) {
	r, err := csv.Open(path, opt)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	s, err := w.host.Store(ctx, string(id)+".duckdb")
	if err != nil {
		return nil, err
	}
	if err := s.Load(ctx, dataset, d, r.Load(d)); err != nil {
		return nil, err
	}
	v, err := s.Freeze(ctx, dataset)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, dataset, v)
}
