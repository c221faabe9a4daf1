package analyzetest

import (
	"testing"

	"wellspring/analyze"
	"wellspring/study"
)

// Federated runs a case on the partition of its rows that [Partition] makes.
func (c Case) Federated(t testing.TB, m analyze.Method, sites int, seed uint64) study.Result {
	t.Helper()
	return play(t, analyze.Catalog{m}, c.study(), Partition(c.Rows, sites, seed), c.policy(), 2, false).results[0]
}
