package solve

import (
	"cmp"
	"math"
	"slices"
)

// SymmetricEigen returns the eigenvalues of the symmetric n×n row-major matrix
// a, largest first, and the eigenvectors as the columns of an n×n row-major
// matrix, each of length 1 with its largest entry (the first of equals)
// positive.
//
// It is Jacobi's method in fixed order: rotations by rows until all that is
// off the diagonal is under 1e-17 of the largest entry, at most 60 sweeps (6 to 10 are
// common). Cost: O(n³) a sweep.
func SymmetricEigen(a []float64, n int) (values, vectors []float64) {
	a, v := slices.Clone(a), identity(n)
	whole := 0.0
	for _, v := range a {
		whole = math.Max(whole, math.Abs(v))
	}
	for range 60 {
		off := 0.0
		for p := range n {
			for q := p + 1; q < n; q++ {
				off = math.Max(off, math.Abs(a[p*n+q]))
				rotate(a, v, n, p, q)
			}
		}
		if !(off > float64(1e-17*whole)) {
			break
		}
	}
	return ordered(a, v, n)
}

func identity(n int) []float64 {
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	return v
}

// rotate turns rows and columns p and q of a so that a_pq becomes 0
// (Golub & Van Loan, Matrix Computations, 4th ed., §8.5.2).
func rotate(a, v []float64, n, p, q int) {
	apq := a[p*n+q]
	if apq == 0 {
		return
	}
	tau := (a[q*n+q] - a[p*n+p]) / (2 * apq)
	t := 1 / (math.Abs(tau) + math.Sqrt(1+float64(tau*tau)))
	if tau < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(1+float64(t*t))
	s := float64(t * c)
	turn := func(m []float64, i, j int) {
		x, y := m[i], m[j]
		m[i] = float64(c*x) - float64(s*y)
		m[j] = float64(s*x) + float64(c*y)
	}
	for k := range n {
		turn(a, k*n+p, k*n+q)
		turn(v, k*n+p, k*n+q)
	}
	for k := range n {
		turn(a, p*n+k, q*n+k)
	}
	a[p*n+q], a[q*n+p] = 0, 0
}

// ordered reads the eigenvalues off the diagonal, sorts them and fixes signs.
func ordered(a, v []float64, n int) (values, vectors []float64) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(a[j*n+j], a[i*n+i]) })
	values, vectors = make([]float64, n), make([]float64, n*n)
	for to, from := range order {
		values[to] = a[from*n+from]
		largest := 0.0
		for k := range n {
			if math.Abs(v[k*n+from]) > math.Abs(largest) {
				largest = v[k*n+from]
			}
		}
		for k := range n {
			vectors[k*n+to] = v[k*n+from]
			if largest < 0 {
				vectors[k*n+to] = -v[k*n+from]
			}
		}
	}
	return values, vectors
}
