package main

import (
	"context"
	"fmt"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

// proveSum1024 plays a study over as many sites as a run may have: every
// message of it, through the step machines of package run. A site that computed
// another answer than the hub would refuse the end, and fail the run.
func proveSum1024(ctx context.Context, scale float64, r *Report) error {
	n := scaled(sum.MaxSites, scale, 40)
	var sites []rehearsal.Site
	for i := range n {
		ages := make([]float64, 12)
		for k := range ages {
			ages[k] = float64(20 + (7*k+i)%60)
		}
		rows, err := table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Max: 100}}, []frame.Values{{Real: ages}})
		if err != nil {
			return err
		}
		sites = append(sites, rehearsal.Site{ID: ws.SiteID(fmt.Sprintf("site-%04d", i)), Rows: rows, Policy: policy.Default()})
	}
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "bench"},
		Purpose: study.Purpose{DUO: []ws.Purpose{"DUO:0000042"}}, Data: study.Data{Dataset: dataset},
		Analysis: &study.Analysis{Method: "describe", Variables: []string{"age"}}}
	var out *rehearsal.Outcome
	var took float64
	before := processor()
	most, err := peak(func() (err error) {
		took, err = timed(func() (err error) {
			out, err = rehearsal.Run(ctx, s.WithDefaults(), sites, rehearsal.Options{Catalog: analyze.Catalog{describe.Describe()}})
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	r.Peer = "none; 1,024 is the bound of this program, held to a quarter of an hour"
	r.add("sites", float64(n), "")
	r.add("sites in the sums", float64(len(out.Document.Sites)), "")
	r.add("rounds", float64(out.Document.Rounds), "")
	r.add("all sites and the hub on this machine", took, "s")
	r.add("processor time of it, all cores", processor()-before, "s")
	r.add("memory of all of them, with their journals", most/(1<<20), "MiB")
	r.Holds = len(out.Document.Sites) == n && took < 900
	return nil
}
