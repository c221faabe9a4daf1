package siege

import (
	"context"
	"fmt"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/site"
	"wellspring/site/rehearsal"
	"wellspring/stat"
	"wellspring/study"
)

// A Plain is a network without masks, keys and signatures, which takes a fraction of the time: the
// same rows, program, guard and memories, and sums that are added in the open. What an asker is told is the same.
type Plain struct {
	*Network
	runs int
}

// OpenPlain is [Open] for such networks.
func OpenPlain(c analyze.Catalog) attack.Open {
	return func(w attack.World, p policy.Policy, guarded bool) (attack.Target, func() error, error) {
		n, err := newNetwork(w, p, c, guarded)
		if err != nil {
			return nil, nil, err
		}
		return &Plain{Network: n}, n.close, nil
	}
}

// Ask implements [attack.Target].
func (n *Plain) Ask(ctx context.Context, asker ws.Institution, s *study.Study) (*study.Document, error) {
	r := &round{sites: n.sites(asker), memory: map[ws.SiteID]site.Memory{}}
	n.runs++
	for _, st := range r.sites {
		if st.Memory != nil {
			r.memory[st.ID] = st.Memory(fmt.Sprint("plain-", n.runs))
		}
	}
	doc, err := r.play(ctx, n.catalog, s)
	if err != nil && !r.settled {
		for _, m := range r.memory {
			if e := site.Unanswered(m, err); e != nil {
				return nil, e
			}
		}
	}
	return doc, err
}

// A round is a study under way.
type round struct {
	sites   []rehearsal.Site
	memory  map[ws.SiteID]site.Memory
	settled bool
}

func (r *round) bind(ctx context.Context, c analyze.Catalog, s *study.Study) (*analyze.Program, error) {
	needs, err := c.Needs(s)
	if err != nil {
		return nil, err
	}
	var facts []analyze.SiteFacts
	for _, st := range r.sites {
		f := analyze.SiteFacts{Site: st.ID, Institution: ws.Institution(st.ID), Policy: st.Policy}
		if err := site.Publish(ctx, &f, st.Rows, r.memory[st.ID], needs); err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	merged, err := analyze.MergeFacts(facts, rehearsal.Centre)
	if err != nil {
		return nil, err
	}
	return analyze.New(c, s, merged)
}

func (r *round) play(ctx context.Context, c analyze.Catalog, s *study.Study) (*study.Document, error) {
	p, err := r.bind(ctx, c, s)
	if err != nil {
		return nil, err
	}
	state, err := p.Start()
	if err != nil {
		return nil, err
	}
	for {
		next, results, err := r.step(ctx, p, state)
		if err != nil {
			return nil, err
		}
		if state = next; results == nil {
			continue
		}
		doc := &study.Document{Study: s.Metadata.Name, Results: results}
		if doc.Rounds, err = analyze.Rounds(state); s.Analysis != nil {
			doc.Result, doc.Results = &results[0], nil
		}
		return doc, err
	}
}

// step adds up one round, and tells the memories what is answered from then on.
func (r *round) step(ctx context.Context, p *analyze.Program, state analyze.State) (analyze.State, []study.Result, error) {
	shape, err := p.Ask(state)
	if err != nil {
		return nil, nil, err
	}
	sum := stat.Sum{Shape: shape, Ring: make(stat.Ring, shape.Len()), Sites: len(r.sites)}
	for _, st := range r.sites {
		o := analyze.FoldOptions{Site: st.ID, Sites: len(r.sites)}
		if m := r.memory[st.ID]; m != nil {
			o.Memory = m
		}
		ring, err := p.Fold(ctx, state, st.Rows, o)
		if err != nil {
			return nil, nil, err
		}
		sum.Ring.Add(ring)
	}
	next, results, err := p.Next(state, sum)
	if err != nil {
		return nil, nil, err
	}
	if results == nil { // a site that cannot go on has answered nothing
		if _, err := p.Ask(next); err != nil {
			return nil, nil, err
		}
	}
	now, stage, err := p.Cohorts(next)
	if err != nil || r.settled || stage != analyze.Answered {
		return next, results, err
	}
	r.settled = true
	for _, m := range r.memory {
		if err := m.Answered(now, p.Facts().Policy.MinCell); err != nil {
			return nil, nil, err
		}
	}
	return next, results, nil
}
