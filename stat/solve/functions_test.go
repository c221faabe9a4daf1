package solve

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Exp(+Inf)", Exp(inf), inf}, {"Exp(-Inf)", Exp(-inf), 0}, {"Exp(NaN)", Exp(nan), nan}, {"Exp(0)", Exp(0), 1},
		{"Exp(710)", Exp(710), inf}, {"Exp(-746)", Exp(-746), 0}, {"Exp(-745)", Exp(-745), 0x1p-1074},
		{"Exp(1e300)", Exp(1e300), inf}, {"Expm1(-Inf)", Expm1(-inf), -1}, {"Expm1(+Inf)", Expm1(inf), inf},
		{"Expm1(NaN)", Expm1(nan), nan}, {"Expm1(-60)", Expm1(-60), -1}, {"Expm1(0)", Expm1(0), 0},
		{"Log(0)", Log(0), -inf}, {"Log(-1)", Log(-1), nan}, {"Log(+Inf)", Log(inf), inf}, {"Log(NaN)", Log(nan), nan},
		{"Log(1)", Log(1), 0}, {"Log1p(-1)", Log1p(-1), -inf}, {"Log1p(-2)", Log1p(-2), nan}, {"Log1p(+Inf)", Log1p(inf), inf},
		{"Log1p(NaN)", Log1p(nan), nan},
		{"LogGamma(0)", LogGamma(0), inf}, {"LogGamma(-1)", LogGamma(-1), nan}, {"LogGamma(+Inf)", LogGamma(inf), inf},
		{"LogGamma(NaN)", LogGamma(nan), nan}, {"LogGamma(1)", LogGamma(1), 0}, {"LogGamma(2)", LogGamma(2), 0},
		{"LogBeta(0,1)", LogBeta(0, 1), nan}, {"LogBeta(NaN,1)", LogBeta(nan, 1), nan},
		{"GammaP(1,0)", GammaP(1, 0), 0}, {"GammaQ(1,0)", GammaQ(1, 0), 1}, {"GammaQ(1,Inf)", GammaQ(1, inf), 0},
		{"GammaP(1,Inf)", GammaP(1, inf), 1}, {"GammaP(0,1)", GammaP(0, 1), nan}, {"GammaQ(1,-1)", GammaQ(1, -1), nan},
		{"GammaQ(1e13,1)", GammaQ(1e13, 1), nan}, {"GammaQ(NaN,1)", GammaQ(nan, 1), nan},
		{"BetaI(0)", BetaI(0, 2, 3), 0}, {"BetaI(1)", BetaI(1, 2, 3), 1}, {"BetaI(2)", BetaI(2, 2, 3), nan}, {"BetaI a=0", BetaI(.5, 0, 1), nan},
		{"NormalSF(NaN)", NormalSF(nan), nan}, {"NormalSF(+Inf)", NormalSF(inf), 0}, {"NormalSF(-Inf)", NormalSF(-inf), 1},
		{"NormalSF(0)", NormalSF(0), 0.5}, {"NormalCDF(-Inf)", NormalCDF(-inf), 0}, {"NormalSF(38.4)", NormalSF(38.4), 13 * 0x1p-1074},
		{"NormalQuantile(0)", NormalQuantile(0), -inf}, {"NormalQuantile(1)", NormalQuantile(1), inf},
		{"NormalQuantile(2)", NormalQuantile(2), nan}, {"NormalQuantile(NaN)", NormalQuantile(nan), nan}, {"NormalQuantile(½)", NormalQuantile(0.5), 0},
		{"TSF(NaN,1)", TSF(nan, 1), nan}, {"TSF(1,0)", TSF(1, 0), nan}, {"TSF(1,NaN)", TSF(1, nan), nan}, {"TSF(+Inf,3)", TSF(inf, 3), 0},
		{"TSF(-Inf,3)", TSF(-inf, 3), 1}, {"TSF(0,3)", TSF(0, 3), 0.5}, {"TSF(2,Inf)", TSF(2, inf), NormalSF(2)}, {"TSF(1,1)", TSF(1, 1), 0.25},
		{"TQuantile(.75,1)", TQuantile(0.75, 1), 1}, {"TQuantile(.3,Inf)", TQuantile(0.3, inf), NormalQuantile(0.3)},
		{"TQuantile(.3,0)", TQuantile(0.3, 0), nan}, {"TQuantile(0,3)", TQuantile(0, 3), -inf}, {"TQuantile overflow", TQuantile(1e-300, 0.1), -inf},
		{"ChiSquareSF(0,1)", ChiSquareSF(0, 1), 1}, {"ChiSquareSF(-3,1)", ChiSquareSF(-3, 1), 1}, {"ChiSquareSF(1,0)", ChiSquareSF(1, 0), nan},
		{"ChiSquareSF(NaN,1)", ChiSquareSF(nan, 1), nan}, {"ChiSquareSF(1e300,1)", ChiSquareSF(1e300, 1), 0},
		{"ChiSquareQuantile(0,3)", ChiSquareQuantile(0, 3), 0}, {"ChiSquareQuantile(1,3)", ChiSquareQuantile(1, 3), inf},
		{"ChiSquareQuantile(2,3)", ChiSquareQuantile(2, 3), nan}, {"ChiSquareQuantile(.5,-1)", ChiSquareQuantile(0.5, -1), nan},
		{"FSF(0)", FSF(0, 1, 2), 1}, {"FSF(+Inf)", FSF(inf, 1, 2), 0}, {"FSF(NaN)", FSF(nan, 1, 2), nan}, {"FSF d1=0", FSF(1, 0, 2), nan},
		{"FSF d2=Inf", FSF(2, 3, inf), ChiSquareSF(6, 3)}, {"FSF d2=NaN", FSF(2, 3, nan), nan},
	} {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}

func near(t *rapid.T, what string, got, want, tolerance float64) {
	if !(relative(got, want) <= tolerance) && !(math.Abs(got-want) <= 0x1p-1073) { // two of the smallest float64
		t.Fatalf("%s: %.17g, want %.17g", what, got, want)
	}
}

// Quantiles undo tails. An error of one ulp in p moves x by p/(density·x)
// ulps, at most 30 of them for these p and shapes.
func TestQuantilesInvert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := math.Pow(10, -rapid.Float64Range(0.302, 290).Draw(t, "digits of p"))
		df := math.Pow(10, rapid.Float64Range(0.3, 5).Draw(t, "digits of df"))
		near(t, "normal", NormalCDF(NormalQuantile(p)), p, 1e-12) // up to x² = 1,300 ulps
		near(t, "χ²", 1-ChiSquareSF(ChiSquareQuantile(1-p, df), df), 1-p, 1e-12)
		near(t, "χ² lower", GammaP(df/2, ChiSquareQuantile(p, df)/2), p, 1e-11)
		if x := TQuantile(p, df); !math.IsInf(x, -1) {
			near(t, "t", TSF(-x, df), p, 1e-10) // up to df ulps
		}
	})
}

// Both tails make a whole, each is computed on its own, and none decreases.
func TestTailsAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := math.Pow(10, rapid.Float64Range(-3, 5).Draw(t, "digits of a"))
		b := math.Pow(10, rapid.Float64Range(-3, 5).Draw(t, "digits of b"))
		x := float64(rapid.IntRange(0, 1<<40).Draw(t, "x·2^40")) / (1 << 40) // so that 1−x is exact
		near(t, "beta", BetaI(x, a, b)+BetaI(1-x, b, a), 1, 1e-15)
		g := 2 * a * x
		near(t, "gamma", GammaP(a, g)+GammaQ(a, g), 1, 1e-15)
		if d := x / 100; GammaQ(a, g+d) > GammaQ(a, g) {
			t.Fatalf("Q(%v, ·) rises at %v", a, g)
		}
	})
}

// Known in closed form: χ² with 2 df is exponential, F(2, d) a power, t with 1
// df is Cauchy's, and a t squared is an F.
func TestClosedForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := float64(rapid.IntRange(1, 600<<14).Draw(t, "x·2^14")) / (1 << 14) // so that x² is exact
		d := math.Pow(10, rapid.Float64Range(-1, 8).Draw(t, "digits of d"))
		near(t, "χ², 2 df", ChiSquareSF(x, 2), Exp(-x/2), 1e-14)
		if e := d / 2 * math.Log1p(2*x/d); e < 600 {
			near(t, "F(2, d)", FSF(x, 2, d), math.Exp(-e), 1e-12)
		}
		near(t, "t, 1 df", TSF(x, 1), math.Atan(1/x)/math.Pi, 1e-14)
		near(t, "t and F", 2*TSF(x, d), FSF(x*x, 1, d), 1e-15)
	})
}

// The largest shapes end, and agree with their limits.
func TestLargeShapes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second or two")
	}
	if got, want := TSF(1.96, 2*maxShape), NormalSF(1.96); relative(got, want) > 1e-11 {
		t.Errorf("TSF = %v, want %v", got, want)
	}
	if got := ChiSquareSF(2*maxShape, 2*maxShape); math.Abs(got-0.5) > 1e-6 {
		t.Errorf("ChiSquareSF at its mean = %v", got)
	}
	if got := FSF(1, maxShape, maxShape); math.Abs(got-0.5) > 1e-6 {
		t.Errorf("FSF at 1 = %v", got)
	}
}

// Whatever float64 comes in, a probability comes out, or NaN where the
// parameters lie outside the domain, and it comes soon.
func TestAnyInput(t *testing.T) {
	shape := rapid.OneOf(rapid.Float64Range(minShape, 1e6), rapid.Float64Range(minShape, 2), rapid.Just(2*minShape))
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64().Draw(t, "x")
		a, b := shape.Draw(t, "a"), shape.Draw(t, "b")
		for name, p := range map[string]float64{
			"NormalSF": NormalSF(x), "NormalCDF": NormalCDF(x), "TSF": TSF(x, 2*a), "ChiSquareSF": ChiSquareSF(x, 2*a),
			"FSF": FSF(x, 2*a, 2*b), "GammaP": GammaP(a, math.Abs(x)), "BetaI": BetaI(1/(1+math.Abs(x)), a, b),
		} {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("%s = %v", name, p)
			}
		}
		if wild := rapid.Float64().Draw(t, "wild"); !(wild >= minShape) && !math.IsNaN(TSF(x, wild)+FSF(x, wild, 1)+GammaP(wild, 1)+BetaI(0.5, 1, wild)) {
			t.Fatalf("shape %v is accepted", wild)
		}
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		if q := TQuantile(p, 2*a) + ChiSquareQuantile(p, 2*b) + NormalQuantile(p); math.IsNaN(q) {
			t.Fatal("a quantile is NaN")
		}
	})
}

func BenchmarkExp(b *testing.B) {
	for b.Loop() {
		Exp(2.3)
	}
}

func BenchmarkNormalSF(b *testing.B) {
	for b.Loop() {
		NormalSF(2.3)
	}
}

func BenchmarkTSF(b *testing.B) {
	for b.Loop() {
		TSF(2.3, 100)
	}
}

func BenchmarkTQuantile(b *testing.B) {
	for b.Loop() {
		TQuantile(0.975, 100)
	}
}
