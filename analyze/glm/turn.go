package glm

import (
	"math"

	"wellspring/stat/solve"
)

// flatness is the share of a column's sum of squares, left when the columns
// before it have explained it, below which the rounds after the first one turn
// the columns. XᵀWX has twice the digits of X's condition number to lose: with
// less left than this, standard errors would depend on the order of addition in
// the ninth digit.
const flatness = 1e-4

// turning returns a p×p row-major lower triangular matrix M such that the
// columns of Z = X·Mᵀ are orthogonal, Σ W·z·zᵀ = n·I where H = Σ W·x·xᵀ. It is
// nil where X is far from collinear. Z is summed instead of X then, so that
// what is close to collinear is told apart in the rows, where it still has all
// its digits.
func turning(h []float64, p int, n float64) []float64 {
	m, least := inverseRoot(h, p)
	if least >= flatness {
		return nil
	}
	for i, v := range m {
		m[i] = float64(math.Sqrt(n) * v)
	}
	return m
}

// inverseRoot returns the lower triangular M with H⁻¹ = Mᵀ·M: from the Cholesky
// factor D·H·D = L·Lᵀ, where D makes the diagonal 1, M = L⁻¹·D. The least
// pivot of L is the share of a column that is left beside those before it. H
// is one that solve.Factor has factored.
func inverseRoot(h []float64, p int) (m []float64, least float64) {
	l, d := make([]float64, p*p), make([]float64, p)
	least = 1
	for i := range p {
		d[i] = 1 / math.Sqrt(h[i*p+i])
		for j := range i + 1 {
			s := float64(h[i*p+j]*d[i]*d[j]) - solve.Dot(l[i*p:i*p+j], l[j*p:j*p+j])
			if i > j {
				l[i*p+j] = s / l[j*p+j]
				continue
			}
			least = math.Min(least, s)
			l[i*p+i] = math.Sqrt(s)
		}
	}
	m = make([]float64, p*p)
	for j := range p {
		m[j*p+j] = d[j] / l[j*p+j]
		for i := j + 1; i < p; i++ {
			s := 0.0
			for k := j; k < i; k++ {
				s += float64(l[i*p+k] * m[k*p+j])
			}
			m[i*p+j] = -s / l[i*p+i]
		}
	}
	return m, least
}

// turnRows replaces each row x of a row-major block by M·x.
func turnRows(x, m []float64, p int) {
	for ; len(x) >= p; x = x[p:] {
		for i := p - 1; i >= 0; i-- { // row i needs x[0..i] only
			s := 0.0
			for j, v := range m[i*p : i*p+i+1] {
				s += v * x[j]
			}
			x[i] = s
		}
	}
}

// turnBack returns Mᵀ·v: coefficients of X's columns from those of Z's.
func turnBack(m, v []float64, p int) []float64 {
	out := make([]float64, p)
	for i, c := range v {
		for j := range i + 1 {
			out[j] += float64(m[i*p+j] * c)
		}
	}
	return out
}

// lengths returns Σᵢ v[i][j]² for every j, the diagonal of Vᵀ·V.
func lengths(v [][]float64) []float64 {
	out := make([]float64, len(v))
	for _, row := range v {
		for j, c := range row {
			out[j] += float64(c * c)
		}
	}
	return out
}
