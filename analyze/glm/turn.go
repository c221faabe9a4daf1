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
	m, least := solve.InverseRoot(h, p)
	if least >= flatness {
		return nil
	}
	for i, v := range m {
		m[i] = float64(math.Sqrt(n) * v)
	}
	return m
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
