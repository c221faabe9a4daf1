package analyzetest

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// maxRounds bounds a run, so that a loop that never ends fails its test.
const maxRounds = 200

// A runner plays a study without masks: every site folds, the rings are added,
// the program steps on.
type runner struct {
	t       testing.TB
	catalog analyze.Catalog
	study   *study.Study
	parts   map[ws.SiteID]frame.Source
	policy  policy.Policy
	cast    Cast
	workers int
	restart bool // forget the program after every round and bind it again
	results []study.Result
	rounds  []round
}

// A Cast says to which institutions sites belong, and who conducts. A site that
// is not in it is an institution of its own, and a hub of another conducts.
type Cast struct {
	Institutions map[ws.SiteID]ws.Institution
	Conductor    ws.Institution
}

func (c Cast) institution(site ws.SiteID) ws.Institution {
	if i, ok := c.Institutions[site]; ok {
		return i
	}
	return ws.Institution(site)
}

func (c Cast) conductor() ws.Institution {
	if c.Conductor == "" {
		return "centre"
	}
	return c.Conductor
}

func (r *runner) bind() (*analyze.Program, error) { return r.bindTo(r.cast) }

func (r *runner) bindTo(cast Cast) (*analyze.Program, error) {
	needs, err := r.catalog.Needs(r.study)
	if err != nil {
		return nil, err
	}
	var facts []analyze.SiteFacts
	for site, src := range r.parts {
		f := analyze.SiteFacts{Site: site, Institution: cast.institution(site), Columns: src.Dictionary(), Policy: r.policy}
		for _, column := range needs.ExactTimes {
			if !r.policy.Grants(policy.ExactTimes) {
				continue
			}
			values, err := src.Distinct(r.t.Context(), column)
			if err != nil {
				return nil, err
			}
			f.Times = append(f.Times, analyze.TimeFact{Column: column, Values: values})
		}
		facts = append(facts, f)
	}
	merged, err := analyze.MergeFacts(facts, cast.conductor())
	if err != nil {
		return nil, err
	}
	return analyze.New(r.catalog, r.study, merged)
}

func (r *runner) run() error {
	p, err := r.bind()
	if err != nil {
		return err
	}
	state, err := p.Start()
	for range maxRounds {
		if err != nil || r.results != nil {
			return err
		}
		if r.restart {
			if p, err = r.bind(); err != nil {
				return err
			}
		}
		state, err = r.step(p, state)
	}
	r.t.Fatalf("no result after %d rounds", maxRounds)
	return nil
}

func (r *runner) step(p *analyze.Program, state analyze.State) (analyze.State, error) {
	shape, err := p.Ask(state)
	if err != nil {
		return nil, err
	}
	if shape.Len() == 0 {
		r.t.Fatal("a round asks for nothing, and there is no sum of empty vectors")
	}
	r.compact(state)
	sum := stat.Sum{Shape: shape, Ring: make(stat.Ring, shape.Len()), Sites: len(r.parts)}
	for _, site := range sortedSites(r.parts) {
		ring, err := p.Fold(r.t.Context(), state, r.parts[site], analyze.FoldOptions{Site: site, Sites: len(r.parts), Workers: r.workers})
		if err != nil {
			return nil, ws.At("site "+string(site), err)
		}
		sum.Ring.Add(ring)
	}
	r.rounds = append(r.rounds, round{slices.Clone(state), slices.Clone(sum.Ring)})
	next, results, err := p.Next(state, sum)
	r.results = results
	return next, err
}

// compact fails if a state is not what its own JSON gives again.
func (r *runner) compact(state analyze.State) {
	var b bytes.Buffer
	if err := json.Compact(&b, state); err != nil || !bytes.Equal(b.Bytes(), state) {
		r.t.Errorf("a state does not survive JSON: %v", err)
	}
}

func sortedSites(parts map[ws.SiteID]frame.Source) []ws.SiteID {
	var out []ws.SiteID
	for s := range parts {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}
