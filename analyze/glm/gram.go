package glm

// addGram adds Σ wᵣ·xᵣ·xᵣᵀ over the rows of the row-major block x, p columns
// wide, to the upper triangle of the p×p matrix h. Four rows go together, so
// that each entry of h is loaded and stored once for four products.
func addGram(h, x, w []float64, p int) {
	r := 0
	for ; r+4 <= len(w); r += 4 {
		x0, x1 := x[r*p:(r+1)*p], x[(r+1)*p:(r+2)*p]
		x2, x3 := x[(r+2)*p:(r+3)*p], x[(r+3)*p:(r+4)*p]
		for i := range p {
			a0, a1, a2, a3 := w[r]*x0[i], w[r+1]*x1[i], w[r+2]*x2[i], w[r+3]*x3[i]
			row := h[i*p+i : (i+1)*p]
			b0, b1 := x0[i:][:len(row)], x1[i:][:len(row)]
			b2, b3 := x2[i:][:len(row)], x3[i:][:len(row)]
			for j := range row {
				row[j] += a0*b0[j] + a1*b1[j] + (a2*b2[j] + a3*b3[j])
			}
		}
	}
	for ; r < len(w); r++ {
		xr := x[r*p : (r+1)*p]
		for i := range p {
			a := w[r] * xr[i]
			row := h[i*p+i : (i+1)*p]
			b := xr[i:][:len(row)]
			for j := range row {
				row[j] += a * b[j]
			}
		}
	}
}

// addScore adds Σ sᵣ·xᵣ to u.
func addScore(u, x, s []float64, p int) {
	u = u[:p]
	for r, a := range s {
		b := x[r*p:][:len(u)]
		for j := range u {
			u[j] += a * b[j]
		}
	}
}

// predict writes X·β + offset into eta.
func predict(eta, x, beta, offset []float64) {
	p := len(beta)
	for r := range eta {
		b := x[r*p:][:len(beta)]
		s := offset[r]
		for j, v := range beta {
			s += v * b[j]
		}
		eta[r] = s
	}
}
