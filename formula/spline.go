package formula

import (
	"math"
	"slices"

	ws "wellspring"
)

const maxKnots = 50

// A spline holds the columns of R's ns(): natural cubic splines, linear
// outside the boundary. On piece i, which begins at origin[i], column j is
// Σₖ coef[i][j][k]·(x − origin[i])ᵏ. The first piece lies left of the boundary
// and the last one right of it.
type spline struct {
	breaks []float64 // between the pieces, ascending
	origin []float64
	coef   [][][4]float64
	x      interval
}

// spline binds ns(x, knots = c(...), Boundary.knots = c(a, b)).
func (b *binder) spline(n *node) (variable, error) {
	args, err := n.match(1, "x", "df", "knots", "intercept", "Boundary.knots")
	if err != nil {
		return variable{}, err
	}
	if args[1] != nil || args[2] == nil || args[4] == nil {
		return variable{}, invalid(n.col, ws.T("ns() needs its knots stated, inner and boundary: sites cannot find them in rows",
			"ns() 须写明内部节点和边界节点，各站点不能从数据行中推算"),
			ws.T("write ns(x, knots = c(40, 60), Boundary.knots = c(20, 80))", "请写成 ns(x, knots = c(40, 60), Boundary.knots = c(20, 80))"))
	}
	if whole, err := args[3].truth(); err != nil || whole {
		return variable{}, invalid(args[3].col, ws.T("ns() stands without an intercept of its own", "ns() 不支持自带截距"),
			ws.T("leave the argument out", "请省略该参数"))
	}
	e, err := b.expr(args[0])
	if err != nil {
		return variable{}, err
	}
	knots, err := b.numbers(args[2])
	if err != nil {
		return variable{}, err
	}
	ends, err := b.numbers(args[4])
	if err != nil {
		return variable{}, err
	}
	slices.Sort(knots)
	slices.Sort(ends)
	if len(ends) != 2 || !(ends[0] < ends[1]) {
		return variable{}, invalid(args[4].col, ws.T("Boundary.knots are two different numbers", "Boundary.knots 应为两个不同的数"),
			ws.T("write Boundary.knots = c(20, 80)", "请写成 Boundary.knots = c(20, 80)"))
	}
	inside := ends[0] < knots[0] && knots[len(knots)-1] < ends[1]
	if distinct := len(slices.Compact(slices.Clone(knots))) == len(knots); !inside || !distinct || len(knots) > maxKnots {
		return variable{}, invalid(args[2].col, ws.T("knots are at most %d different numbers between the boundary knots", "内部节点至多 %d 个，互不相同，且位于边界节点之间", maxKnots),
			ws.T("check knots and Boundary.knots", "请检查 knots 和 Boundary.knots"))
	}
	return b.basis(n, e, newSpline(knots, ends, e.bound), "")
}

// newSpline builds ns() as R's splines package does: cubic B-splines without
// the first, multiplied by the orthogonal complement of their second
// derivatives at the boundary, found by two Householder reflections.
//
// Shapes: m knots give m+1 columns. Cost: O(m²) at binding, O(m) a row.
func newSpline(knots, ends []float64, x interval) *spline {
	breaks := slices.Concat(ends[:1], knots, ends[1:])
	t := slices.Concat([]float64{ends[0], ends[0], ends[0]}, breaks, []float64{ends[1], ends[1], ends[1]})
	pieces := make([][][4]float64, len(breaks)-1)
	for j := range pieces {
		pieces[j] = bsplines(t, j+3)[1:]
	}
	last := len(pieces) - 1
	width := len(pieces[0])
	u, v := make([]float64, width), make([]float64, width) // second derivatives at both ends
	h := ends[1] - breaks[last]
	for i := range width {
		u[i] = 2 * pieces[0][i][2]
		v[i] = 2*pieces[last][i][2] + 6*h*pieces[last][i][3]
	}
	q := complement(u, v)
	s := &spline{breaks: breaks, origin: slices.Concat(ends[:1], breaks[:last+1], ends[1:]), x: x}
	s.coef = append(s.coef, nil)
	for _, p := range pieces {
		s.coef = append(s.coef, combine(p, q))
	}
	s.coef[0] = line(s.coef[1], 0)
	s.coef = append(s.coef, line(s.coef[last+1], h))
	return s
}

// bsplines returns the cubic B-splines over the knots t as polynomials in
// x − t[span] on [t[span], t[span+1]), by de Boor's recursion
//
//	Bᵢₖ(x) = (x − tᵢ)/(tᵢ₊ₖ₋₁ − tᵢ)·Bᵢ,ₖ₋₁(x) + (tᵢ₊ₖ − x)/(tᵢ₊ₖ − tᵢ₊₁)·Bᵢ₊₁,ₖ₋₁(x).
func bsplines(t []float64, span int) [][4]float64 {
	n := len(t) - 4
	b := make([][4]float64, n+1) // one more, always zero
	b[span][0] = 1
	for k := 2; k <= 4; k++ {
		for i := span - k + 1; i <= span; i++ {
			var next [4]float64
			addProduct(&next, b[i], t[span]-t[i], 1, t[i+k-1]-t[i])
			addProduct(&next, b[i+1], t[i+k]-t[span], -1, t[i+k]-t[i+1])
			b[i] = next
		}
	}
	return b[:n]
}

// addProduct adds p·(c + s·y)/width to out, and nothing if width is 0.
func addProduct(out *[4]float64, p [4]float64, c, s, width float64) {
	if width == 0 {
		return
	}
	for k := range 4 {
		out[k] += c * p[k] / width
		if k < 3 {
			out[k+1] += s * p[k] / width
		}
	}
}

// complement returns columns 3, 4, ... of Q in the QR decomposition of the
// matrix with columns u and v, with LINPACK's signs, which are R's.
func complement(u, v []float64) [][]float64 {
	h1 := reflector(u, 0)
	v = slices.Clone(v)
	h1.apply(v)
	h2 := reflector(v, 1)
	var out [][]float64
	for j := 2; j < len(u); j++ {
		e := make([]float64, len(u))
		e[j] = 1
		h2.apply(e)
		h1.apply(e)
		out = append(out, e)
	}
	return out
}

// A householder is the reflection I − w·wᵀ/w[at].
type householder struct {
	w  []float64
	at int
}

// reflector maps the entries of x from place at on to one number.
func reflector(x []float64, at int) householder {
	w := make([]float64, len(x))
	norm := 0.0
	for _, v := range x[at:] {
		norm = math.Hypot(norm, v)
	}
	norm = math.Copysign(norm, x[at])
	for i := at; i < len(x); i++ {
		w[i] = x[i] / norm
	}
	w[at]++
	return householder{w, at}
}

func (h householder) apply(y []float64) {
	dot := 0.0
	for i, w := range h.w {
		dot += w * y[i]
	}
	for i, w := range h.w {
		y[i] -= dot / h.w[h.at] * w
	}
}

// combine returns the polynomials p·q, one for each column of q.
func combine(p [][4]float64, q [][]float64) [][4]float64 {
	out := make([][4]float64, len(q))
	for j, column := range q {
		for i, c := range column {
			for k := range 4 {
				out[j][k] += c * p[i][k]
			}
		}
	}
	return out
}

// line returns the tangents of p at h, as polynomials in the distance from there.
func line(p [][4]float64, h float64) [][4]float64 {
	out := make([][4]float64, len(p))
	for j, c := range p {
		out[j][0] = horner(c, h)
		out[j][1] = c[1] + h*(2*c[2]+3*h*c[3])
	}
	return out
}

func horner(c [4]float64, y float64) float64 { return c[0] + y*(c[1]+y*(c[2]+y*c[3])) }

func (s *spline) piece(x float64) int {
	i := 0
	for i < len(s.breaks) && x >= s.breaks[i] {
		i++
	}
	return i
}

func (s *spline) expand(x []float64, out [][]float64) {
	for i, v := range x {
		piece := s.piece(v)
		y := v - s.origin[piece]
		for j, c := range s.coef[piece] {
			out[j][i] = horner(c, y)
		}
	}
}

// bounds looks at the ends of every piece and where its slope is zero.
func (s *spline) bounds() []interval {
	out := make([]interval, len(s.coef[0]))
	for j := range out {
		out[j] = nothing
		for i := range s.coef {
			lo, hi := s.x.lo, s.x.hi
			if i > 0 {
				lo = math.Max(lo, s.breaks[i-1])
			}
			if i < len(s.breaks) {
				hi = math.Min(hi, s.breaks[i])
			}
			if lo > hi {
				continue
			}
			v := extremes(s.coef[i][j], lo-s.origin[i], hi-s.origin[i])
			out[j] = interval{math.Min(out[j].lo, v.lo), math.Max(out[j].hi, v.hi)} // of nothing, v
		}
		out[j] = rounded(out[j])
	}
	return out
}

// extremes bounds a cubic over [lo, hi].
func extremes(c [4]float64, lo, hi float64) interval {
	at := []float64{lo, hi}
	// Zeros of c1 + 2·c2·y + 3·c3·y².
	if root := math.Sqrt(4*c[2]*c[2] - 12*c[1]*c[3]); c[3] != 0 && root == root {
		at = append(at, (-2*c[2]-root)/(6*c[3]), (-2*c[2]+root)/(6*c[3]))
	} else if c[3] == 0 && c[2] != 0 {
		at = append(at, -c[1]/(2*c[2]))
	}
	values := make([]float64, 0, 4)
	for _, y := range at {
		if lo <= y && y <= hi {
			values = append(values, horner(c, y))
		}
	}
	return hull(values...)
}
