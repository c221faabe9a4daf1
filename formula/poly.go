package formula

import (
	"math"
	"math/big"

	ws "wellspring"
)

// A basis turns one variable into several numeric variables.
type basis interface {
	bounds() []interval
	// expand computes the variables out from the values x of complete rows.
	expand(x []float64, out [][]float64)
}

// powers are z, z², ..., zⁿ of z = (x − mid)/half. For poly(x, d) z runs over
// [−1, 1] and n = 2d, since orthogonalising takes moments up to 2d; for
// poly(x, d, raw = TRUE) z is x itself and n = d.
type powers struct {
	mid, half float64
	n         int
	z         interval
}

func (p powers) bounds() []interval {
	out := make([]interval, p.n)
	for k := range out {
		out[k] = p.z.power(interval{float64(k + 1), float64(k + 1)})
	}
	return out
}

func (p powers) expand(x []float64, out [][]float64) {
	for i, v := range x {
		out[0][i] = (v - p.mid) / p.half
	}
	for k := 1; k < p.n; k++ {
		for i, z := range out[0] {
			out[k][i] = out[k-1][i] * z
		}
	}
}

const (
	maxDegree    = 6  // of orthogonal polynomials
	maxRawDegree = 10 // of raw = TRUE
	// leastNorm is the least ‖pₖ‖²/Σz²ᵏ that a polynomial may keep: moments
	// have 53 bits, so its coefficients then are good to about 1e-9.
	leastNorm = 1e-7
)

// poly binds poly(x, degree) and poly(x, degree, raw = TRUE).
func (b *binder) poly(n *node) (variable, error) {
	args, err := n.match(2, "x", "degree", "raw")
	if err != nil {
		return variable{}, err
	}
	if i := 2; args[i] != nil && args[i].kind == number { // R takes a third number for another variable
		return variable{}, invalid(args[i].col, ws.T("poly() takes one column and a degree", "poly() 只接受一列和一个次数"),
			ws.T("raw is TRUE or FALSE", "raw 的取值为 TRUE 或 FALSE"))
	}
	e, err := b.expr(args[0])
	if err != nil {
		return variable{}, err
	}
	degree, err := b.number(args[1])
	if err != nil {
		return variable{}, err
	}
	raw, err := args[2].truth()
	if err != nil {
		return variable{}, err
	}
	most := maxDegree
	if raw {
		most = maxRawDegree
	}
	if degree < 1 || degree > float64(most) || degree != math.Trunc(degree) {
		return variable{}, invalid(args[1].col, ws.T("the degree is a whole number from 1 to %d", "次数须为 1 到 %d 的整数", most),
			ws.T("for more bends use ns() with knots", "需要更多弯曲时请用 ns() 并给出节点"))
	}
	if raw {
		return b.basis(n, e, powers{half: 1, n: int(degree), z: e.bound}, "")
	}
	half := (e.bound.hi - e.bound.lo) / 2
	if !(half > 0) || math.IsInf(half, 0) {
		return variable{}, invalid(args[0].col, ws.T("%s has no finite range, which orthogonal polynomials need", "%s 没有有限的取值范围，无法构造正交多项式", args[0].String()),
			ws.T("give min and max in the dictionary, or use raw = TRUE", "请在数据字典中给出 min 和 max，或使用 raw = TRUE"))
	}
	p := powers{mid: e.bound.lo + half, half: half, n: 2 * int(degree), z: interval{-1, 1}}
	v, err := b.basis(n, e, p, ": z^")
	v.degree = int(degree)
	return v, err
}

// orthogonal returns the coefficients, by ascending power of z, of the
// polynomials p₁ ... p_d that are orthonormal over the rows and to 1, with
// positive leading coefficients, as R's poly(x, d) has them:
//
//	pₖ = zᵏ − Σ_{j<k} ⟨zᵏ, pⱼ⟩/⟨pⱼ, pⱼ⟩·pⱼ,   ⟨zⁱ, zʲ⟩ = Σ_rows zⁱ⁺ʲ = moments[i+j]
//
// then divided by ‖pₖ‖ (Kennedy & Gentle, Statistical Computing, 1980, 8.3).
// An affine change of x leaves them alone, so z may stand for x. They are
// computed with 256 bits, since moments are ill-conditioned, and rounded once.
//
// Shapes: moments has 2d+1 entries, the first the number of rows. Cost: O(d⁴).
// It returns nil if the rows have too few distinct values, or values too close
// together within the dictionary's range, for the degree.
func orthogonal(moments []float64, d int) [][]float64 {
	m := make([]*big.Float, len(moments))
	for i, v := range moments {
		m[i] = wide(v)
	}
	inner := func(p, q []*big.Float) *big.Float {
		s := wide(0)
		for i := range p {
			for j := range q {
				s.Add(s, wide(0).Mul(wide(0).Mul(p[i], q[j]), m[i+j]))
			}
		}
		return s
	}
	polys := [][]*big.Float{{wide(1)}}
	norms := []*big.Float{m[0]}
	out := make([][]float64, d)
	for k := 1; k <= d; k++ {
		power := make([]*big.Float, k+1)
		p := make([]*big.Float, k+1)
		for i := range p {
			power[i], p[i] = wide(0), wide(0)
		}
		power[k], p[k] = wide(1), wide(1)
		for j, q := range polys {
			c := wide(0).Quo(inner(power, q), norms[j])
			for i := range q {
				p[i].Sub(p[i], wide(0).Mul(c, q[i]))
			}
		}
		norm := inner(p, p)
		if norm.Cmp(wide(0).Mul(wide(leastNorm), m[2*k])) <= 0 {
			return nil
		}
		polys, norms = append(polys, p), append(norms, norm)
		root := wide(0).Sqrt(norm)
		for _, c := range p {
			v, _ := wide(0).Quo(c, root).Float64()
			out[k-1] = append(out[k-1], v)
		}
	}
	return out
}

func wide(v float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(v) }
