package formula

// unscale undoes centring and scaling. With k_j = centre_j/scale_j the columns
// of the model are x_j = (X_j − centre_j)/scale_j, so that
//
//	b_j = β_j/scale_j,   b_0 = β_0 − Σ_j β_j·k_j,   C = A·cov·Aᵀ,
//
// A being the matrix of b = A·β. Without an intercept among the columns A is
// diagonal. Products are rounded one by one, so that every machine agrees.
//
// Cost: O(p²).
func (d *Design) unscale(beta, cov []float64) (b, c []float64) {
	p := len(d.names)
	b = append([]float64(nil), beta...)
	d.transform(b)
	if cov == nil {
		return b, nil
	}
	c = append([]float64(nil), cov...)
	column := make([]float64, p)
	for j := range p { // A·cov, column by column
		for i := range p {
			column[i] = c[i*p+j]
		}
		d.transform(column)
		for i := range p {
			c[i*p+j] = column[i]
		}
	}
	for i := range p { // (A·cov)·Aᵀ, row by row
		d.transform(c[i*p : (i+1)*p])
	}
	return b, c
}

// transform replaces v by A·v.
func (d *Design) transform(v []float64) {
	for j := range v {
		v[j] /= d.scale[j]
		if d.intercept && j > 0 {
			v[0] -= float64(v[j] * d.centre[j])
		}
	}
}
