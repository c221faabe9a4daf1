package glm_test

import (
	"fmt"
	"testing"

	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/study"
)

// A mean that is out of its range is heard of from every site, also from one
// that does not speak for its institution: the step is halved there too. These
// rows curve, so that the steps of a straight line leave the range.
func TestGLM_OutOfRange(t *testing.T) {
	rows := made(t, "y,x", 190, func(i int) string {
		x := noise(i, 8)
		return fmt.Sprintf("%d,%.6f", int(0.3+3.5*x*x+noise(i, 7)), x)
	})
	c := analyzetest.Case{Name: "identity", Rows: rows, Analysis: study.Analysis{Method: "glm", Formula: "y ~ x", Family: "poisson", Link: "identity"}}
	got, err := c.Silent(t, glm.Method())
	if err != nil {
		t.Fatal(err)
	}
	analyzetest.Same(t, "identity", got, c.Pooled(t, glm.Method()), 1e-9)
}
