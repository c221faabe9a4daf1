package analyzetest

import (
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/study"
)

// Federated runs a case on the partition of its rows that [Partition] makes.
func (c Case) Federated(t testing.TB, m analyze.Method, sites int, seed uint64) study.Result {
	t.Helper()
	return play(t, analyze.Catalog{m}, c.study(), Partition(c.Rows, sites, seed), c.policy(), 2, false).results[0]
}

// Placed runs a case with row i at site names[at[i]]; names ascend.
func (c Case) Placed(t testing.TB, m analyze.Method, names []ws.SiteID, at []int) study.Result {
	t.Helper()
	parts := make(map[ws.SiteID]frame.Source, len(names))
	for k, name := range names {
		var own []int
		for i, site := range at {
			if site == k {
				own = append(own, i)
			}
		}
		parts[name] = withSite(c.Rows.Select(own), k, names)
	}
	return play(t, analyze.Catalog{m}, c.study(), parts, c.policy(), 2, false).results[0]
}
