package formula

// tile is how many rows are filled column by column before the next rows: few
// enough that their part of the matrix stays in the cache.
const tile = 128

func (d *Design) fill(v Values, from, to int, x []float64) {
	p := len(d.columns)
	for from < to {
		n := min(tile, to-from)
		for j := 0; j < p; {
			j += d.fillColumns(v, from, n, j, x)
		}
		from += n
		x = x[n*p:]
	}
}

// fillColumns writes n rows from the given one of column j, and of as many
// after it as go along at no cost, and returns how many columns those were.
func (d *Design) fillColumns(v Values, from, n, j int, x []float64) int {
	p := len(d.columns)
	if j+4 <= p && d.columns[j].numeric() && d.columns[j+1].numeric() && d.columns[j+2].numeric() && d.columns[j+3].numeric() {
		d.fillFour(v, from, n, j, x)
		return 4
	}
	c := &d.columns[j]
	var out [tile]float64
	c.product(v, from, out[:n])
	inverse := 1 / c.scale // exact, a power of two
	for i, u := range out[:n] {
		x[i*p+j] = (u - c.centre) * inverse
	}
	return 1
}

// numeric reports whether c is one numeric variable as it stands.
func (c *column) numeric() bool {
	return len(c.atoms) == 1 && c.atoms[0].factor < 0 && c.atoms[0].coef == nil
}

// fillFour writes four numeric columns side by side.
func (d *Design) fillFour(v Values, from, n, j int, x []float64) {
	p := len(d.columns)
	c := d.columns[j : j+4]
	r := v.Numeric[c[0].atoms[0].first][from : from+n]
	s := v.Numeric[c[1].atoms[0].first][from : from+n][:len(r)]
	t := v.Numeric[c[2].atoms[0].first][from : from+n][:len(r)]
	u := v.Numeric[c[3].atoms[0].first][from : from+n][:len(r)]
	c0, c1, c2, c3 := c[0].centre, c[1].centre, c[2].centre, c[3].centre
	i0, i1, i2, i3 := 1/c[0].scale, 1/c[1].scale, 1/c[2].scale, 1/c[3].scale
	for i := range r {
		o := x[i*p+j:][:4]
		o[0] = (r[i] - c0) * i0
		o[1] = (s[i] - c1) * i1
		o[2] = (t[i] - c2) * i2
		o[3] = (u[i] - c3) * i3
	}
}

// product computes the column, neither centred nor scaled, for rows from the
// given one on.
func (c *column) product(v Values, from int, out []float64) {
	for i := range out {
		out[i] = 1
	}
	for k := range c.atoms {
		a := &c.atoms[k]
		switch {
		case a.factor >= 0:
			a.indicate(v.Factor[a.factor][from:from+len(out)], out)
		case a.coef != nil:
			a.evaluate(v, from, out)
		default:
			for i, u := range v.Numeric[a.first][from : from+len(out)] {
				out[i] *= u
			}
		}
	}
}

func (a *atom) indicate(codes []int32, out []float64) {
	level := int32(a.level)
	for i, code := range codes {
		if code != level {
			out[i] = 0
		}
	}
}

// evaluate multiplies by the polynomial, whose powers are variables.
func (a *atom) evaluate(v Values, from int, out []float64) {
	z := v.Numeric[a.first][from : from+len(out)]
	top := len(a.coef) - 1
	for i, u := range z {
		s := a.coef[top]
		for k := top - 1; k >= 0; k-- {
			s = s*u + a.coef[k]
		}
		out[i] *= s
	}
}
