// Package siege is a rehearsed network under the attacks of package attack.
//
// Start from [New]. Whoever wires it gives the sites' memories, which it may not know.
package siege

import (
	"context"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/site"
	"wellspring/site/rehearsal"
	"wellspring/study"
)

// Names are the hospitals of a world.
var Names = [attack.Hospitals]ws.SiteID{"alder", "birch", "cedar", "dogwood"}

// A Network is four hospitals that have a world's rows, under one policy.
type Network struct {
	catalog analyze.Catalog
	policy  policy.Policy
	world   attack.World
	tables  []*table.Table
	memory  Memory
	version [attack.Hospitals]int
}

var _ attack.Target = (*Network)(nil)

// A Memory gives what a site remembers of an asker for a run on a version of its rows.
type Memory func(at ws.SiteID, asker ws.Institution, run string, version int) site.Memory

// New makes a network; without memory no site holds an asker to earlier answers.
func New(w attack.World, p policy.Policy, c analyze.Catalog, m Memory) (*Network, error) {
	tables, err := w.Tables()
	return &Network{catalog: c, policy: p, world: w, tables: tables, memory: m, version: [attack.Hospitals]int{1, 1, 1, 1}}, err
}

// Ask implements [attack.Target].
func (n *Network) Ask(ctx context.Context, asker ws.Institution, s *study.Study) (*study.Document, error) {
	out, err := rehearsal.Run(ctx, s, n.sites(asker), rehearsal.Options{Catalog: n.catalog})
	if err != nil {
		return nil, err
	}
	return out.Document, nil
}

func (n *Network) sites(asker ws.Institution) (out []rehearsal.Site) {
	for i, t := range n.tables {
		s := rehearsal.Site{ID: Names[i], Rows: t, Policy: n.policy}
		if version := n.version[i]; n.memory != nil {
			s.Memory = func(run string) site.Memory { return n.memory(s.ID, asker, run, version) }
		}
		out = append(out, s)
	}
	return out
}

// NextVersion implements [attack.Target].
func (n *Network) NextVersion(context.Context) error {
	n.world = n.world.Without()
	tables, err := n.world.Tables()
	for i := range tables {
		if tables[i].Rows() != n.tables[i].Rows() {
			n.version[i]++
		}
	}
	n.tables = slices.Clone(tables)
	return err
}
