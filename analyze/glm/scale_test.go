package glm_test

import (
	"fmt"
	"math"
	"testing"

	"wellspring/analyze/analyzetest"
	"wellspring/analyze/glm"
	"wellspring/study"
)

// Units change nothing but themselves: a response, a column and weights that
// are multiplied by a constant give the same statistics, at magnitudes from
// 1e-9 to 1e9.
func TestGLM_Scales(t *testing.T) {
	for _, scale := range []float64{1e-9, 1e-3, 1, 1e5, 1e9} {
		rows := made(t, "x,y,count,w,ux,uy,ucount,uw,far,many", 300, func(i int) string {
			x, y, w := noise(i, 7), noise(i, 8), 1+math.Floor(4*noise(i, 9))
			count := math.Floor(math.Exp(1 + x + y))
			return fmt.Sprintf("%v,%v,%v,%v,%v,%v,%v,%v,%v,%v", x, y, count, w, x*scale, y*scale, count*scale, w*scale, 20*x, count > 5)
		})
		for _, c := range []struct{ plain, scaled study.Analysis }{
			{study.Analysis{Formula: "y ~ x"}, study.Analysis{Formula: "uy ~ x"}},
			{study.Analysis{Formula: "y ~ x"}, study.Analysis{Formula: "y ~ ux"}},
			{study.Analysis{Formula: "y ~ x", Weights: "w"}, study.Analysis{Formula: "uy ~ ux", Weights: "uw"}},
			{study.Analysis{Formula: "count ~ x", Family: "poisson"}, study.Analysis{Formula: "count ~ ux", Family: "poisson"}},
			{study.Analysis{Formula: "count ~ x + offset(far)", Family: "poisson"}, study.Analysis{Formula: "count ~ ux + offset(far)", Family: "poisson"}},
			{study.Analysis{Formula: "many ~ x", Family: "binomial"}, study.Analysis{Formula: "many ~ ux", Family: "binomial"}},
		} {
			c.plain.Method, c.scaled.Method = "glm", "glm"
			want := analyzetest.Answer(t, glm.Method(), rows, c.plain)
			got := analyzetest.Case{Analysis: c.scaled, Rows: rows}.Federated(t, glm.Method(), 4, 1)
			for i := range want.Tidy {
				near(t, fmt.Sprintf("%v: %s statistic", scale, c.scaled.Formula), got.Tidy[i].Float("statistic"), want.Tidy[i].Float("statistic"), 1, 1e-8)
			}
		}
		// counts in the hundreds of millions
		big := analyzetest.Answer(t, glm.Method(), rows, study.Analysis{Method: "glm", Formula: "ucount ~ x", Family: "poisson"})
		small := analyzetest.Answer(t, glm.Method(), rows, study.Analysis{Method: "glm", Formula: "count ~ x", Family: "poisson"})
		near(t, "slope", big.Tidy[1].Float("estimate"), small.Tidy[1].Float("estimate"), 0, 1e-7)
		near(t, "ratio of standard errors", big.Tidy[1].Float("std_error")*math.Sqrt(scale), small.Tidy[1].Float("std_error"), 0, 1e-7)
	}
}
