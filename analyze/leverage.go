package analyze

// A Leverage tells which rows of a design have a leverage above a limit:
//
//	h = w·xᵀ·H⁻¹·x = w·|R·x|²,  H = Σ w·x·xᵀ,  H⁻¹ = Rᵀ·R
//
// It lies in [0, 1], and those of all rows add up to the number of columns. It is
// the derivative of a fitted value by its own response where the model is linear,
// and that of the last weighted regression elsewhere (D. Pregibon, "Logistic
// Regression Diagnostics", Annals of Statistics 9, 1981,
// doi:10.1214/aos/1176345513). A fold uses it; what all parties compute does not.
type Leverage struct {
	root        []float64
	p           int
	norm, limit float64
}

// NewLeverage takes R, lower triangular, p×p row-major.
func NewLeverage(root []float64, p int, limit float64) *Leverage {
	return &Leverage{root: root, p: p, norm: square(root), limit: limit}
}

// Above counts the rows of a row-major block, of weights w, whose leverage is
// above the limit. |R·x|² ≤ |R|²·|x|² spares most rows the product.
func (l *Leverage) Above(x, w []float64) (n float64) {
	for r, wr := range w {
		row := x[r*l.p : (r+1)*l.p]
		if wr*l.norm*square(row) <= l.limit {
			continue
		}
		h := 0.0
		for i := range l.p {
			s := 0.0
			for j, v := range l.root[i*l.p : i*l.p+i+1] {
				s += v * row[j]
			}
			h += s * s
		}
		if wr*h > l.limit {
			n++
		}
	}
	return n
}

func square(a []float64) float64 {
	s := 0.0
	for _, v := range a {
		s += v * v
	}
	return s
}
