package glm_test

import (
	"fmt"
	"math"
	"testing"

	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/policy"
	"wellspring/study"
)

// Of the outcomes y all that a fit with the family's own link opens, in however many rounds, is Xᵀy: two tables of the same
// rows X that agree in it cannot be told apart by any sum of any round, though many persons' outcomes are the others'
// opposite. So iterations tell no more of anybody's outcome than the answer does.
func TestGLM_IterationsTellOneSum(t *testing.T) {
	pol := policy.Default()
	pol.MaxScalars, pol.MaxInfluence, pol.MaxLeverage = 10, 1, 1
	for _, family := range []string{"binomial", "poisson"} {
		opened := func(outcome func(i int) int) []map[string][]float64 {
			rows := made(t, "age,dose,ill", 240, func(i int) string {
				return fmt.Sprintf("%d,%d,%d", 40+i%12, i/12, outcome(i))
			})
			c := analyzetest.Case{Name: family, Rows: rows, Policy: &pol,
				Analysis: study.Analysis{Method: "glm", Formula: "ill ~ age + dose", Family: family}}
			return c.Opened(t, glm.Method())
		}
		one := opened(func(i int) int { return corner(i, 1) })
		other := opened(func(i int) int { return corner(i, 0) })
		if len(one) < 5 || len(one) != len(other) {
			t.Fatalf("%s: %d rounds and %d", family, len(one), len(other))
		}
		for k := range one {
			if name, far := apart(one[k], other[k]); far {
				t.Errorf("%s: round %d tells the outcomes apart by %s: %v, %v", family, k, name, one[k][name], other[k][name])
			}
		}
		moved := opened(func(i int) int { return corner(i, i%2) })
		if _, far := apart(one[len(one)-1], moved[len(moved)-1]); !far {
			t.Errorf("%s: outcomes with another Xᵀy open the same", family)
		}
	}
}

// corner is an outcome. In each rectangle of two ages and two doses it is 1 in two corners that lie across, which these are
// says the turn: their ages and doses add up to the same.
func corner(i, turn int) int {
	age, dose := i%12, i/12
	if age < 2 || dose < 4 { // elsewhere it follows the age
		return min(1, (i*7+age*age)%11/(1+age%5)%2)
	}
	return (age + dose + turn) % 2
}

// apart names a block in which two rounds differ by more than rounding.
func apart(a, b map[string][]float64) (string, bool) {
	for name, x := range a {
		for i := range x {
			if len(b[name]) != len(x) || math.Abs(x[i]-b[name][i]) > 1e-9*max(1, math.Abs(x[i])) {
				return name, true
			}
		}
	}
	return "", false
}
