package solve

import (
	"fmt"
	"math"

	ws "wellspring"
)

// Dot returns Σ aᵢ·bᵢ, added from the left; a and b have equal length.
func Dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v * b[i])
	}
	return s
}

// MatVec returns A·x, where a is row-major with len(x) columns.
func MatVec(a, x []float64) []float64 {
	if len(x) == 0 {
		return nil
	}
	out := make([]float64, len(a)/len(x))
	for i := range out {
		out[i] = Dot(a[i*len(x):(i+1)*len(x)], x)
	}
	return out
}

// Tolerance is the part of a column's own sum of squares that must be left
// after the earlier columns explained it (that is, 1−R²). R's lm asks for 1e-7
// of the norm, 1e-14 of the square, on a QR of the rows; from cross-products
// that were rounded to float64 only some 1e-13 can be told from zero, and 1e-11
// keeps two digits in what is left.
const Tolerance = 1e-11

// Singular says that a column is, to within [Tolerance], a linear combination
// of earlier columns (or zero).
type Singular struct{ Column int } // counts from 0

func (e *Singular) Error() string {
	return fmt.Sprintf("column %d is a linear combination of earlier columns", e.Column+1)
}

// A Cholesky is the factor of a symmetric positive definite matrix A:
//
//	D·A·D = L·Lᵀ,  D = diag(1/√aᵢᵢ)
//
// Scaling first makes the answer independent of units, as far as A is.
type Cholesky struct {
	n int
	l []float64 // n×n row-major, lower triangle
	d []float64 // the diagonal of D
}

// Factor factors the n×n row-major matrix a, of which it reads the lower
// triangle, without pivoting: a column that depends on earlier ones is
// reported as [Singular], so that the caller can name it or drop it, as R's
// glm does.
//
// Cost: n³/3 products.
func Factor(a []float64, n int) (*Cholesky, error) {
	if n < 0 || len(a) != n*n {
		return nil, ws.Errorf(ws.Other, "solve.Factor", ws.T("the matrix is not square", "矩阵不是方阵"))
	}
	for _, v := range a {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, ws.Errorf(ws.Invalid, "solve.Factor",
				ws.T("the matrix has an entry that is not finite", "矩阵中有非有限的元素"))
		}
	}
	c := &Cholesky{n: n, l: make([]float64, n*n), d: make([]float64, n)}
	for i := range n {
		if !(a[i*n+i] > 0) {
			return nil, &Singular{i}
		}
		c.d[i] = 1 / math.Sqrt(a[i*n+i])
		for j := range i + 1 {
			li, lj := c.l[i*n:i*n+j], c.l[j*n:j*n+j]
			s := float64(a[i*n+j]*c.d[i]*c.d[j]) - Dot(li, lj)
			if i > j {
				c.l[i*n+j] = s / c.l[j*n+j]
				continue
			}
			if !(s > Tolerance) {
				return nil, &Singular{i}
			}
			c.l[i*n+i] = math.Sqrt(s)
		}
	}
	return c, nil
}

// Solve returns x with A·x = b.
func (c *Cholesky) Solve(b []float64) []float64 {
	n := c.n
	x := make([]float64, n)
	for i := range n {
		x[i] = (float64(b[i]*c.d[i]) - Dot(c.l[i*n:i*n+i], x[:i])) / c.l[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		s := x[i]
		for j := i + 1; j < n; j++ {
			s -= float64(c.l[j*n+i] * x[j])
		}
		x[i] = s / c.l[i*n+i]
	}
	for i := range x {
		x[i] = float64(x[i] * c.d[i])
	}
	return x
}

// Inverse returns A⁻¹, n×n row-major and exactly symmetric: with M = L⁻¹,
// A⁻¹ = D·Mᵀ·M·D.
func (c *Cholesky) Inverse() []float64 {
	n := c.n
	m := make([]float64, n*n) // Mᵀ, so that its rows are read along
	for j := range n {
		m[j*n+j] = 1 / c.l[j*n+j]
		for i := j + 1; i < n; i++ {
			m[j*n+i] = -Dot(c.l[i*n+j:i*n+i], m[j*n+j:j*n+i]) / c.l[i*n+i]
		}
	}
	out := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			v := float64(Dot(m[i*n+i:i*n+n], m[j*n+i:j*n+n]) * c.d[i] * c.d[j])
			out[i*n+j], out[j*n+i] = v, v
		}
	}
	return out
}

// LogDet returns ln det A.
func (c *Cholesky) LogDet() float64 {
	s := 0.0
	for i := range c.n {
		s += Log(c.l[i*c.n+i]) - Log(c.d[i])
	}
	return 2 * s
}

// InverseRoot returns the lower triangular M, p×p row-major, with H⁻¹ = Mᵀ·M: from the Cholesky
// factor D·H·D = L·Lᵀ, where D makes the diagonal 1, M = L⁻¹·D. The least
// pivot of L is the share of a column that is left beside those before it. H
// is one that [Factor] has factored.
func InverseRoot(h []float64, p int) (m []float64, least float64) {
	l, d := make([]float64, p*p), make([]float64, p)
	least = 1
	for i := range p {
		d[i] = 1 / math.Sqrt(h[i*p+i])
		for j := range i + 1 {
			s := float64(h[i*p+j]*d[i]*d[j]) - Dot(l[i*p:i*p+j], l[j*p:j*p+j])
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
