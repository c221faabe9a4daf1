package solve

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	ws "wellspring"
)

// entry draws a number in ±1 whose square does not underflow.
func entry(t *rapid.T) float64 {
	return float64(rapid.IntRange(-1<<20, 1<<20).Draw(t, "x·2^20")) / (1 << 20)
}

// gram draws XᵀX for an m×n matrix X, m ≥ n, whose columns have very
// different units.
func gram(t *rapid.T, n int) []float64 {
	m := n + rapid.IntRange(3, 12).Draw(t, "spare rows")
	x := make([]float64, m*n)
	for j := range n {
		unit := math.Ldexp(1, rapid.IntRange(-40, 40).Draw(t, "unit"))
		for i := range m {
			x[i*n+j] = unit * entry(t)
		}
	}
	var a mat.Dense
	a.Mul(mat.NewDense(m, n, x).T(), mat.NewDense(m, n, x))
	return a.RawMatrix().Data
}

// condition is that of the matrix scaled to a unit diagonal.
func condition(a []float64, n int) float64 {
	s := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			s.Set(i, j, a[i*n+j]/math.Sqrt(a[i*n+i])/math.Sqrt(a[j*n+j]))
		}
	}
	return mat.Cond(s, 2)
}

// Against gonum. Both err by a small multiple of the condition number in
// units of 2^-53, entry by entry after scaling.
func TestCholesky(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		a := gram(t, n)
		for i := range n {
			if a[i*n+i] == 0 {
				t.Skip("a zero column")
			}
		}
		cond := condition(a, n)
		if cond > 1e9 {
			t.Skip("nearly collinear")
		}
		c, err := Factor(a, n)
		if err != nil {
			t.Fatal(err)
		}
		var ref mat.Cholesky
		if !ref.Factorize(mat.NewSymDense(n, a)) {
			t.Fatal("gonum: not positive definite")
		}
		tolerance := 1e-14 * cond
		if got, want := c.LogDet(), ref.LogDet(); math.Abs(got-want) > tolerance+1e-12*math.Abs(want) {
			t.Fatalf("LogDet = %v, want %v", got, want)
		}
		var inv mat.SymDense
		var warning mat.Condition // of units, which do not matter here
		if err := ref.InverseTo(&inv); err != nil && !errors.As(err, &warning) {
			t.Fatal(err)
		}
		got := c.Inverse()
		for i := range n {
			for j := range n {
				scale := math.Sqrt(inv.At(i, i) * inv.At(j, j))
				if math.Abs(got[i*n+j]-inv.At(i, j)) > tolerance*scale || got[i*n+j] != got[j*n+i] {
					t.Fatalf("inverse[%d,%d] = %v, want %v", i, j, got[i*n+j], inv.At(i, j))
				}
			}
		}
		b := a[:n] // a row of A, so the answer is the first unit vector
		for i, x := range c.Solve(b) {
			want := 0.0
			if i == 0 {
				want = 1
			}
			if unit := math.Sqrt(a[0] / a[i*n+i]); math.Abs(x-want) > tolerance*unit {
				t.Fatalf("x[%d] = %v, want %v", i, x, want)
			}
		}
	})
}

// Against exact rational elimination, for small matrices of integers.
func TestCholesky_Exact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		x := make([]float64, 2*n*n)
		for i := range x {
			x[i] = float64(rapid.IntRange(-9, 9).Draw(t, "x"))
		}
		a := make([]float64, n*n)
		for i := range n {
			for j := range n {
				for r := range 2 * n {
					a[i*n+j] += x[r*n+i] * x[r*n+j]
				}
			}
		}
		b := make([]float64, n)
		for i := range b {
			b[i] = float64(rapid.IntRange(-99, 99).Draw(t, "b"))
		}
		want, column := rationalSolve(a, b, n)
		c, err := Factor(a, n)
		var singular *Singular
		if column >= 0 {
			if !errors.As(err, &singular) || singular.Column != column {
				t.Fatalf("error %v, want column %d singular", err, column)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		size := 0.0
		for _, v := range want {
			size = math.Max(size, math.Abs(v))
		}
		for i, v := range c.Solve(b) {
			if math.Abs(v-want[i]) > 1e-14*condition(a, n)*size {
				t.Fatalf("x[%d] = %.17g, want %.17g", i, v, want[i])
			}
		}
	})
}

// rationalSolve solves a·x = b exactly without pivoting; column is the first
// whose pivot is 0, or −1.
func rationalSolve(a, b []float64, n int) (x []float64, column int) {
	m := make([][]*big.Rat, n)
	for i := range n {
		for j := range n {
			m[i] = append(m[i], new(big.Rat).SetFloat64(a[i*n+j]))
		}
		m[i] = append(m[i], new(big.Rat).SetFloat64(b[i]))
	}
	for p := range n {
		if m[p][p].Sign() == 0 {
			return nil, p
		}
		for i := range n {
			if i == p {
				continue
			}
			f := new(big.Rat).Quo(m[i][p], m[p][p])
			for j := p; j <= n; j++ {
				m[i][j].Sub(m[i][j], new(big.Rat).Mul(f, m[p][j]))
			}
		}
	}
	for i := range n {
		v, _ := new(big.Rat).Quo(m[i][n], m[i][i]).Float64()
		x = append(x, v)
	}
	return x, -1
}

// The column that is named is the later one of those that depend on each
// other, whatever its unit, and rounding in the cross-products does not hide it.
func TestFactor_Singular(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "n")
		at := rapid.IntRange(1, n-1).Draw(t, "column")
		m := 40
		x := mat.NewDense(m, n, nil)
		for i := range m {
			for j := range n {
				if j != at {
					x.Set(i, j, entry(t))
				}
			}
		}
		unit := math.Ldexp(1, rapid.IntRange(-30, 30).Draw(t, "unit"))
		for j := range at {
			w := unit * entry(t)
			for i := range m {
				x.Set(i, at, x.At(i, at)+w*x.At(i, j))
			}
		}
		var a mat.Dense
		a.Mul(x.T(), x)
		data := a.RawMatrix().Data
		keep := data[:0:0]
		for i := range n { // the others must be sound for the name to be certain
			for j := range n {
				if i != at && j != at {
					keep = append(keep, data[i*n+j])
				}
			}
		}
		if c, err := Factor(keep, n-1); err != nil || c != nil && condition(keep, n-1) > 1e4 {
			t.Skip("others nearly collinear")
		}
		_, err := Factor(data, n)
		var singular *Singular
		if !errors.As(err, &singular) || singular.Column != at {
			t.Fatalf("error %v, want column %d", err, at)
		}
	})
}

func TestFactor_Refuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name     string
		a        []float64
		n        int
		kind     ws.Kind
		singular int
	}{
		{"zero first", []float64{0, 0, 0, 1}, 2, ws.Other, 0},
		{"zero last", []float64{1, 0, 0, 0}, 2, ws.Other, 1},
		{"negative", []float64{1, 0, 0, -1}, 2, ws.Other, 1},
		{"indefinite", []float64{1, 2, 2, 1}, 2, ws.Other, 1},
		{"twice the same", []float64{1, 1, 1, 1}, 2, ws.Other, 1},
		{"at tolerance", []float64{1, 1, 1, 1 + 0.9e-11}, 2, ws.Other, 1},
		{"NaN", []float64{1, nan, nan, 1}, 2, ws.Invalid, -1},
		{"Inf", []float64{1, 0, 0, inf}, 2, ws.Invalid, -1},
		{"not square", []float64{1, 2, 3}, 2, ws.Other, -1},
		{"negative size", nil, -1, ws.Other, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Factor(c.a, c.n)
			var singular *Singular
			if err == nil || errors.As(err, &singular) != (c.singular >= 0) || ws.KindOf(err) != c.kind {
				t.Fatalf("error %v", err)
			}
			if singular != nil && (singular.Column != c.singular || err.Error() != fmt.Sprintf("column %d is a linear combination of earlier columns", c.singular+1)) {
				t.Errorf("error %v, want column %d", err, c.singular)
			}
		})
	}
	if _, err := Factor([]float64{1, 1, 1, 1 + 2e-11}, 2); err != nil {
		t.Errorf("just above the tolerance: %v", err)
	}
}

func TestFactor_Empty(t *testing.T) {
	c, err := Factor(nil, 0)
	if err != nil || len(c.Solve(nil)) != 0 || len(c.Inverse()) != 0 || c.LogDet() != 0 {
		t.Errorf("a system without unknowns: %v", err)
	}
}

func TestMatVec(t *testing.T) {
	got := MatVec([]float64{1, 2, 3, 4, 5, 6}, []float64{1, -1, 2})
	if len(got) != 2 || got[0] != 5 || got[1] != 11 {
		t.Errorf("MatVec = %v, want [5 11]", got)
	}
	if got := MatVec(nil, nil); got != nil {
		t.Errorf("MatVec of nothing = %v", got)
	}
}

// Against gonum, and by what defines them: A·V = V·Λ and VᵀV = I.
func TestSymmetricEigen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "n")
		a := make([]float64, n*n)
		for i := range n {
			for j := range i + 1 {
				v := 10 * entry(t)
				a[i*n+j], a[j*n+i] = v, v
			}
		}
		values, vectors := SymmetricEigen(a, n)
		var ref mat.EigenSym
		if !ref.Factorize(mat.NewSymDense(n, a), false) {
			t.Fatal("gonum does not converge")
		}
		want := ref.Values(nil) // smallest first
		tolerance := 1e-13 * (math.Sqrt(Dot(a, a)) + 1e-300)
		for i, v := range values {
			if math.Abs(v-want[n-1-i]) > tolerance {
				t.Fatalf("values %v, want reversed %v", values, want)
			}
			checkVector(t, a, vectors, n, i, v, tolerance)
		}
	})
}

func checkVector(t *rapid.T, a, vectors []float64, n, i int, value, tolerance float64) {
	column := func(j int) []float64 {
		out := make([]float64, n)
		for k := range n {
			out[k] = vectors[k*n+j]
		}
		return out
	}
	x := column(i)
	largest := 0.0
	for k, y := range MatVec(a, x) {
		if math.Abs(y-value*x[k]) > tolerance {
			t.Fatalf("A·v = %v at %d, want %v", y, k, value*x[k])
		}
		if math.Abs(x[k]) > math.Abs(largest) {
			largest = x[k]
		}
	}
	if !(largest > 0) {
		t.Fatalf("vector %v has a negative largest entry", x)
	}
	for j := range i + 1 {
		want := 0.0
		if i == j {
			want = 1
		}
		if math.Abs(Dot(x, column(j))-want) > 1e-13 {
			t.Fatalf("v%d·v%d = %v, want %v", i, j, Dot(x, column(j)), want)
		}
	}
}
