package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/glm"
	"wellspring/frame"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/post/conduct"
	"wellspring/study"
)

// A sweep is a network whose nodes are killed, and what its study must give.
type sweep struct {
	w       *hubtest.Network
	ref     ledger.StudyRef
	study   *study.Study
	members []conduct.Member
	want    string
	anew    int // studies that the hub computed once more: see kill
}

// openNetwork makes a network of n sites with rows of their own; close ends it.
func openNetwork(ctx context.Context, n, rows int, p policy.Policy, patience time.Duration) (*hubtest.Network, func(), error) {
	dir, err := os.MkdirTemp("", "wellspring-network-")
	if err != nil {
		return nil, nil, err
	}
	stores, err := openCohorts(ctx, 512, cohorts(n, rows, 4))
	if err != nil {
		return nil, nil, err
	}
	sources := map[ws.SiteID]frame.Source{}
	for _, s := range stores.sites {
		sources[s.ID] = s.Rows
	}
	w, err := hubtest.New(ctx, hubtest.Config{Dir: dir, Catalog: analyze.Catalog{glm.Method()}, Rows: sources, Policy: p, Patience: patience})
	end := func() {
		if w != nil {
			w.Close()
		}
		stores.close()
		os.RemoveAll(dir)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return w, end, nil
}

func newSweep(ctx context.Context, w *hubtest.Network) (*sweep, error) {
	a := study.Analysis{Method: "glm", Family: "binomial", Formula: "y ~ x1 + x2 + x3 + x4"}
	s := &sweep{w: w}
	var err error
	s.ref, s.study, s.members, err = w.Ask(ctx, &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "sweep"}, Data: study.Data{Dataset: hubtest.Dataset}, Analysis: &a})
	if err != nil {
		return nil, err
	}
	out, err := w.Hub().Open(ctx, s.ref, s.study, s.members, false)
	if err != nil {
		return nil, err
	}
	s.want, err = canonical(out)
	return s, err
}

func canonical(out *conduct.Outcome) (string, error) {
	b, err := study.MarshalCanonical(out.Document)
	return string(b), err
}

// kill takes a site, or the hub, from the run at a moment, and brings it back. A hub
// that dies before the sites have their keys leaves a run that a member would have to
// open anew under itself; since the hub has answered the question before, the sites
// refuse that by name, and the hub computes the study once more.
func (s *sweep) kill(ctx context.Context, victim ws.SiteID, round, answered int) (string, error) {
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	var id ledger.RunID
	var failed error
	done := s.w.When(round, answered, func(p conduct.Progress) {
		id = p.Run
		if victim == "" {
			s.w.KillHub()
			cancel()
			return
		}
		s.w.Kill(victim)
		failed = s.w.Start(context.WithoutCancel(ctx), victim)
	})
	out, err := s.w.Hub().Open(run, s.ref, s.study, s.members, false)
	select {
	case <-done:
	case <-time.After(time.Minute):
		return "", fmt.Errorf("round %d was not reached", round)
	}
	if victim == "" {
		if err := s.w.StartHub(); err != nil {
			return "", err
		}
		out, err = s.w.Site(s.w.Sites[round%len(s.w.Sites)]).StandIn(ctx, id)
		if round == 0 && ws.KindOf(err) == ws.Denied {
			s.anew++
			out, err = s.w.Hub().Open(ctx, s.ref, s.study, s.members, false)
		}
	}
	if failed != nil {
		err = failed
	}
	if err != nil {
		return "", err
	}
	return canonical(out)
}

// proveKillSweep kills the hub or a site at seeded moments of a study over four
// sites, one after the other, and looks at the bytes of the answer.
func proveKillSweep(ctx context.Context, scale float64, r *Report) error {
	w, end, err := openNetwork(ctx, 4, 1200, policy.Default(), time.Minute)
	if err != nil {
		return err
	}
	defer end()
	s, err := newSweep(ctx, w)
	if err != nil {
		return err
	}
	luck := rand.New(rand.NewPCG(20, 26))
	points, hubs, same := scaled(200, scale, 5), 0, 0
	var last error
	for range points {
		victim := ws.SiteID("")
		if k := luck.IntN(5); k < 4 {
			victim = w.Sites[k]
		} else {
			hubs++
		}
		got, err := s.kill(ctx, victim, luck.IntN(7), luck.IntN(4))
		if err == nil && got == s.want {
			same++
		} else {
			last = fmt.Errorf("%q: %w", victim, err)
		}
	}
	r.Peer = "none: every study ends with the same bytes"
	r.add("moments at which a node was killed", float64(points), "")
	r.add("of them the hub, with a member standing in", float64(hubs), "")
	r.add("of those, refused to the member and computed by the hub once more", float64(s.anew), "")
	r.add("studies that ended with the same bytes", float64(same), "")
	if r.Holds = same == points; !r.Holds && last != nil {
		fmt.Fprintln(os.Stderr, "the last that did not:", last)
	}
	return nil
}
