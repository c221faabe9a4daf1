package glm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/study"
)

// benchmarkProblem is a logistic model of p normal columns, with one run of rows.
func benchmarkProblem(b *testing.B, p int) (*analyze.Problem, frame.Batch) {
	r := rand.New(rand.NewPCG(1, 2))
	dict := frame.Dictionary{{Name: "y", Type: frame.Integer, Max: 1, Levels: []string{"0", "1"}}}
	batch := frame.Batch{Rows: frame.RunRows, Columns: make([]frame.Values, p+1)}
	text := "y ~ x100"
	for j := range p {
		name := fmt.Sprintf("x%d", 100+j)
		dict = append(dict, frame.Column{Name: name, Type: frame.Real, Min: -10, Max: 10})
		if j > 0 {
			text += " + " + name
		}
		for range batch.Rows {
			batch.Columns[j].Real = append(batch.Columns[j].Real, r.NormFloat64())
		}
	}
	for range batch.Rows { // the columns of the query are sorted: y is the last
		batch.Columns[p].Real = append(batch.Columns[p].Real, float64(r.IntN(2)))
	}
	m, err := formula.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	f, err := formula.Bind(m, dict, "")
	if err != nil {
		b.Fatal(err)
	}
	v, err := f.Eval(batch)
	if err != nil {
		b.Fatal(err)
	}
	t := analyze.Totals{Rows: frame.RunRows, Sites: 1, Moments: formula.Moments{Complete: frame.RunRows}}
	for _, x := range v.Numeric {
		sum, sq := 0.0, 0.0
		for _, u := range x {
			sum, sq = sum+u, sq+u*u
		}
		t.Sum, t.SumSq = append(t.Sum, sum), append(t.SumSq, sq)
	}
	return &analyze.Problem{Analysis: study.Analysis{Method: "glm", Formula: text, Family: "binomial", Link: "logit", ConfLevel: 0.95},
		Facts: analyze.Facts{Columns: dict, Policy: policy.Public()}, Frames: []*formula.Frame{f}, Totals: []analyze.Totals{t}}, batch
}

// BenchmarkFold reports what one row of 20 columns and an intercept costs in a
// round of a logistic model.
func BenchmarkFold(b *testing.B) {
	p, batch := benchmarkProblem(b, 20)
	s, err := newSetup(p)
	if err != nil {
		b.Fatal(err)
	}
	st := state{Beta: make([]float64, s.design.P()), Null: nullState{Done: true}}
	for j := range st.Beta {
		st.Beta[j] = 0.1
	}
	for b.Loop() {
		if err := newFold(s, st).Add(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frame.RunRows, "ns/row")
}
