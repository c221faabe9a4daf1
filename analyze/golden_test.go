package analyze_test

import (
	"path/filepath"
	"testing"

	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/analyze/survival"
	"wellspring/stat/elsewhere"
	"wellspring/study"
)

// every is every method that a study file can name.
var every = analyze.Catalog{
	describe.Describe(), describe.Quantile(),
	compare.Crosstab(), compare.ChiSquared(), compare.TTest(),
	glm.Method(),
	survival.Cox(), survival.KM(), survival.LogRank(),
}

// TestGolden plays every recorded run of every analysis again, from its opened
// sums. A changed state is a changed protocol: sites that run different
// versions would no longer agree. The recordings are made by the conformance
// suite of each method.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("*/testdata/golden/*.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	played := map[string]int{}
	for _, path := range paths {
		p := analyzetest.Replay(t, every, path)
		for _, a := range p.Study().All() {
			played[a.Method]++
		}
	}
	for _, m := range study.Methods {
		if played[m.Name] == 0 {
			t.Errorf("%s has no recorded run", m.Name)
		}
	}
}

// The same on other processors. Folds may differ there in their last bits, and
// are not played.
func TestGoldenElsewhere(t *testing.T) { elsewhere.Run(t, "TestGolden") }
