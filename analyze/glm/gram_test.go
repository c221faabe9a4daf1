package glm

import (
	"math"
	"math/rand/v2"
	"testing"
)

// randomBlock gives rows of p normal numbers, and a weight in (0, 1) each.
func randomBlock(rows, p int) (x, w []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range rows * p {
		x = append(x, r.NormFloat64())
	}
	for range rows {
		w = append(w, r.Float64())
	}
	return x, w
}

func TestAddGram(t *testing.T) {
	for rows := range 10 {
		for p := 1; p <= 7; p++ {
			x, w := randomBlock(rows, p)
			h, u := make([]float64, p*p), make([]float64, p)
			addGram(h, x, w, p)
			addScore(u, x, w, p)
			for i := range p {
				sum := 0.0
				for r := range rows {
					sum += w[r] * x[r*p+i]
				}
				close(t, u[i], sum)
				for j := i; j < p; j++ {
					sum := 0.0
					for r := range rows {
						sum += w[r] * x[r*p+i] * x[r*p+j]
					}
					close(t, h[i*p+j], sum)
				}
			}
		}
	}
}

func close(t *testing.T, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-13 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func BenchmarkGram(b *testing.B) {
	x, w := randomBlock(512, 21)
	h := make([]float64, 21*21)
	for b.Loop() {
		addGram(h, x, w, 21)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512, "ns/row")
}
