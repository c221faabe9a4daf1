package formula

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	ws "wellspring"
	"wellspring/frame"
)

func designOf(t testing.TB, text string, data table) (*Frame, Values, *Design) {
	t.Helper()
	f := mustBind(t, text)
	v := mustEval(t, f, data)
	d, err := f.Design(moments(f, v))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f, v, d
}

func TestDesign_refuses(t *testing.T) {
	data := smallBatch()
	data["chol"] = frame.Values{Real: []float64{5.1, 5.1, 5.1, 5.1, 5.1, nan}}
	data["w"] = frame.Values{Real: []float64{1, 2, 1, 2, 1, 1}}
	data["arm"] = frame.Values{Code: []int32{1, 1, 1, -1, -1, 0}}
	for _, c := range []struct {
		text, names string
		column      int
	}{
		{"y ~ age + chol", "constant column: chol", 11}, {"y ~ I(chol * 3)", "I(chol * 3)", 5}, {"y ~ sex:chol", "chol", 9}, {"y ~ poly(chol, 2)", "poly(chol, 2)", 5},
		{"y ~ poly(w, 3)", "poly(w, 3)", 5}, {"y ~ age + arm", "contrasts can be applied only to factors with 2 or more levels, and arm", 11}, {"y ~ 0 + arm", "arm", 9},
	} {
		f := mustBind(t, c.text)
		v := mustEval(t, f, data)
		_, err := f.Design(moments(f, v))
		if err == nil || !strings.Contains(err.Error(), c.names) || ws.PositionOf(err).Column != c.column {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		checkTold(t, err, ws.Invalid)
	}
	if _, _, d := designOf(t, "y ~ 0 + chol", data); d.P() != 1 || d.Intercept() {
		t.Errorf("a constant column without an intercept: %v", d.Names())
	}
	f := mustBind(t, "y ~ factor(grp):factor(dose):stage:sex:arm:年龄段 + age")
	m := Moments{Complete: 1e6, Sum: []float64{1, 2}, SumSq: []float64{3, 4}}
	if _, err := f.Design(m); ws.KindOf(err) != ws.Other {
		t.Errorf("moments of another frame: %v", err)
	}
}

func TestDesign_tooWide(t *testing.T) {
	d := frame.Dictionary{}
	var counts [][]int64
	for _, name := range []string{"a", "b", "c"} {
		c := frame.Column{Name: name, Type: frame.Factor}
		for i := range 30 {
			c.Levels = append(c.Levels, string(rune('A'+i)))
		}
		d = append(d, c)
		counts = append(counts, slices.Repeat([]int64{40}, 30))
	}
	m, _ := Parse("~ a:b:c")
	f, err := Bind(m, d, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Design(Moments{Complete: 1200, Levels: counts})
	if err == nil {
		t.Fatal("27,000 columns were laid out")
	}
	checkTold(t, err, ws.Invalid)
}

// A column far from zero that varies little is told from a constant one.
func TestDesign_nearlyConstant(t *testing.T) {
	data := smallBatch()
	data["t"] = frame.Values{Real: []float64{500, 500.01, 500.02, 499.99, 500, nan}}
	_, v, d := designOf(t, "y ~ t", data)
	x := make([]float64, v.Rows*2)
	d.Fill(v, 0, v.Rows, x)
	for i := 1; i < len(x); i += 2 {
		if math.Abs(x[i]) > 4 {
			t.Errorf("scaled to %v", x[i])
		}
	}
}

func TestDesign_support(t *testing.T) {
	m := Moments{Complete: 100, Sum: []float64{0, 5000}, SumSq: []float64{10, 300000}, Levels: [][]int64{{30, 60, 10}, {0, 45, 55, 0, 0}}}
	d := frame.Dictionary{{Name: "y", Type: frame.Real, Min: -1, Max: 1}, {Name: "age", Type: frame.Real, Max: 90},
		{Name: "g", Type: frame.Factor, Levels: []string{"a", "b", "c"}}, {Name: "h", Type: frame.Factor, Levels: []string{"u", "v", "w", "x"}, Other: true}}
	model, _ := Parse("y ~ g * h + age:g")
	f, err := Bind(model, d, "")
	if err != nil {
		t.Fatal(err)
	}
	design, err := f.Design(m)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"(Intercept)", "gb", "gc", "hw", "gb:hw", "gc:hw", "ga:age", "gb:age", "gc:age"}
	if !slices.Equal(design.Names(), names) || !slices.Equal(design.Support(), []int64{100, 60, 10, 55, 55, 10, 30, 60, 10}) {
		t.Errorf("support of %q is %v", design.Names(), design.Support())
	}
	if !slices.Equal(design.Assign(), []int{0, 1, 1, 2, 3, 3, 4, 4, 4}) || !slices.Equal(design.Terms(), []string{"g", "h", "g:h", "g:age"}) {
		t.Errorf("assign %v to %q", design.Assign(), design.Terms())
	}
}

// Any stretch of rows, at any tile, is filled alike, also side by side.
func TestDesign_Fill_parts(t *testing.T) {
	f := mustBind(t, "y ~ age + chol + z + t + w + poly(age, 2):sex + sex*stage + I(age*chol)")
	data := randomRows(1000)
	v := mustEval(t, f, data)
	d, err := f.Design(moments(f, v))
	if err != nil {
		t.Fatal(err)
	}
	p := d.P()
	want := make([]float64, v.Rows*p)
	for i := range v.Rows {
		d.Fill(v, i, i+1, want[i*p:])
	}
	got := make([]float64, v.Rows*p)
	var all sync.WaitGroup
	for from, to := 0, 0; from < v.Rows; from = to {
		to = min(from+tile+37, v.Rows)
		all.Go(func() { d.Fill(v, from, to, got[from*p:to*p]) })
	}
	all.Wait()
	if !slices.Equal(got, want) {
		t.Error("parts differ from rows one by one")
	}
}

// randomRows has n rows of the columns of sample, complete.
func randomRows(n int) table {
	r := rand.New(rand.NewPCG(7, 11))
	out := table{}
	for _, c := range sample {
		var v frame.Values
		for range n {
			switch {
			case c.Type == frame.Factor:
				v.Code = append(v.Code, r.Int32N(int32(len(c.Levels))))
			case c.Type == frame.Integer:
				v.Real = append(v.Real, c.Min+float64(r.IntN(int(c.Max-c.Min)+1)))
			default:
				v.Real = append(v.Real, c.Min+(c.Max-c.Min)*(0.4+0.2*r.Float64()))
			}
		}
		out[c.Name] = v
	}
	return out
}

// leastSquares solves X'X·b = X'y by Gauss-Jordan with pivoting and returns b
// and (X'X)⁻¹.
func leastSquares(x, y []float64, p int) (b, inverse []float64) {
	width := 2*p + 1
	a := make([]float64, p*width)
	for r := range y {
		for i := range p {
			for j := range p {
				a[i*width+j] += x[r*p+i] * x[r*p+j]
			}
			a[i*width+2*p] += x[r*p+i] * y[r]
		}
	}
	for i := range p {
		a[i*width+p+i] = 1
	}
	for k := range p {
		best := k
		for i := k; i < p; i++ {
			if math.Abs(a[i*width+k]) > math.Abs(a[best*width+k]) {
				best = i
			}
		}
		for j := range width {
			a[k*width+j], a[best*width+j] = a[best*width+j], a[k*width+j]
		}
		pivot := a[k*width+k]
		for j := range width {
			a[k*width+j] /= pivot
		}
		for i := range p {
			if f := a[i*width+k]; i != k {
				for j := range width {
					a[i*width+j] -= f * a[k*width+j]
				}
			}
		}
	}
	for i := range p {
		b = append(b, a[i*width+2*p])
		inverse = append(inverse, a[i*width+p:i*width+2*p]...)
	}
	return b, inverse
}

func TestUnscale_leastSquares(t *testing.T) {
	data := randomRows(300)
	for _, text := range []string{"y ~ age + chol + sex", "y ~ 0 + age + chol + sex", "y ~ age*sex + z", "y ~ poly(age, 3) + stage:z", "y ~ -1 + z:chol + arm", "y ~ 1",
		"y ~ ns(chol, knots = 5.5, Boundary.knots = c(4.7, 6.3)) + log(age)"} {
		f, v, d := designOf(t, text, data)
		p := d.P()
		y := v.Numeric[f.Roles().Response]
		x := make([]float64, v.Rows*p)
		d.Fill(v, 0, v.Rows, x)
		beta, cov := leastSquares(x, y, p)
		b, c := d.Unscale(beta, cov)
		wantB, wantC := leastSquares(raw(d, v), y, p)
		for i, want := range slices.Concat(wantB, wantC) {
			got, size := slices.Concat(b, c)[i], math.Abs(want)
			if i < p {
				size = math.Max(size, math.Sqrt(wantC[i*p+i]))
			} else {
				size = math.Sqrt(wantC[(i-p)/p*(p+1)] * wantC[(i-p)%p*(p+1)])
			}
			if !(math.Abs(got-want) <= 1e-6*size) { // the raw normal equations lose that much
				t.Errorf("%s: number %d is %v, want %v", text, i, got, want)
			}
		}
		if again, none := d.Unscale(beta, nil); none != nil || !slices.Equal(again, b) {
			t.Errorf("%s: without covariance %v, %v", text, again, none)
		}
	}
}

// Without the intercept's column the slopes are those of the model with it.
func TestUnscale_noIntercept(t *testing.T) {
	f, v, with := designOf(t, "y ~ age * sex", randomRows(50))
	without, err := f.DesignNoIntercept(moments(f, v))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(without.Names(), with.Names()[1:]) || !slices.Equal(without.Centre(), with.Centre()[1:]) || !slices.Equal(without.Scale(), with.Scale()[1:]) {
		t.Fatalf("%q centred at %v", without.Names(), without.Centre())
	}
	b, c := without.Unscale([]float64{1, 2, 3}, []float64{1, 0, 0, 0, 1, .5, 0, .5, 1})
	s := without.Scale()
	if !slices.Equal(b, []float64{1 / s[0], 2 / s[1], 3 / s[2]}) || c[5] != .5/s[1]/s[2] || c[0] != 1/s[0]/s[0] {
		t.Errorf("slopes %v, covariance %v", b, c)
	}
}

// Polynomials are orthonormal on any rows, whatever the dictionary's range.
func TestOrthogonal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for d := 1; d <= maxDegree; d++ {
		z := make([]float64, 200)
		moments := make([]float64, 2*d+1)
		for i := range z {
			z[i] = 2*r.Float64() - 1
			for k := range moments {
				moments[k] += math.Pow(z[i], float64(k))
			}
		}
		coef := orthogonal(moments, d)
		value := func(c []float64, z float64) (s float64) {
			for k, v := range c {
				s += v * math.Pow(z, float64(k))
			}
			return s
		}
		for i := range coef {
			if top := coef[i][len(coef[i])-1]; top <= 0 || len(coef[i]) != i+2 {
				t.Errorf("degree %d: polynomial %d is %v", d, i, coef[i])
			}
			for j := range i + 1 {
				var dot, sum float64
				for _, u := range z {
					dot += value(coef[i], u) * value(coef[j], u)
					sum += value(coef[i], u)
				}
				want := 0.0
				if i == j {
					want = 1
				}
				if math.Abs(dot-want) > 1e-9 || math.Abs(sum) > 1e-8 {
					t.Errorf("degree %d: product of %d and %d is %v, sum %v", d, i, j, dot, sum)
				}
			}
		}
	}
}

func TestPowerOfTwo(t *testing.T) {
	for _, x := range []float64{1, 1.4, 1.5, 3, 1e-9, 12345, 1e300, 1e-300} {
		s := powerOfTwo(x)
		if m, _ := math.Frexp(s); m != 0.5 {
			t.Errorf("%v is no power of two", s)
		}
		if x > 1e-200 && x < 1e200 && !(x/math.Sqrt2 < s*(1+1e-15) && s <= x*math.Sqrt2*(1+1e-15)) {
			t.Errorf("the power next to %v is not %v", x, s)
		}
	}
}

func benchmarkFrame(b *testing.B, text string, p int) {
	var d frame.Dictionary
	r := rand.New(rand.NewPCG(3, 4))
	data := table{}
	names := []string{}
	for i := range p {
		name := "x" + string(rune('a'+i))
		x := make([]float64, frame.RunRows)
		codes := make([]int32, frame.RunRows)
		for k := range x {
			x[k] = r.Float64()
			codes[k] = r.Int32N(5)
		}
		d = append(d, frame.Column{Name: name, Type: frame.Real, Max: 1}, frame.Column{Name: "g" + name, Type: frame.Factor, Levels: []string{"1", "2", "3", "4", "5"}})
		data[name], data["g"+name] = frame.Values{Real: x}, frame.Values{Code: codes}
		names = append(names, name)
	}
	m, err := Parse("~ " + strings.ReplaceAll(text, "ALL", strings.Join(names, "+")))
	if err != nil {
		b.Fatal(err)
	}
	f, err := Bind(m, d, "")
	if err != nil {
		b.Fatal(err)
	}
	batch := frame.Batch{Rows: frame.RunRows}
	for _, c := range f.Columns() {
		batch.Columns = append(batch.Columns, data[c])
	}
	v, err := f.Eval(batch)
	if err != nil {
		b.Fatal(err)
	}
	design, err := f.Design(moments(f, v))
	if err != nil {
		b.Fatal(err)
	}
	x := make([]float64, v.Rows*design.P())
	b.Run("eval", func(b *testing.B) {
		for b.Loop() {
			if _, err := f.Eval(batch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fill", func(b *testing.B) {
		b.SetBytes(int64(8 * len(x)))
		for b.Loop() {
			design.Fill(v, 0, v.Rows, x)
		}
	})
}

// A run of 65,536 rows; a million are 15.3 of them.
func BenchmarkNumeric20(b *testing.B) { benchmarkFrame(b, "ALL", 20) }
func BenchmarkFactors(b *testing.B)   { benchmarkFrame(b, "gxa + gxb + gxa:xc + xd:xe", 5) }
func BenchmarkBases(b *testing.B) {
	benchmarkFrame(b, "poly(xa, 3) + ns(xb, knots = c(.3, .6), Boundary.knots = c(0, 1)) + log(xc + 1)", 5)
}
