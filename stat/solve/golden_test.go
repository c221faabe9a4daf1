package solve

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"wellspring/stat/elsewhere"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew")

const goldenPath = "testdata/golden.txt"

// TestGolden holds every bit of every function: testdata/golden.txt has one
// line each, the name and the SHA-256 of the outputs (float64 bits, big-endian)
// on a fixed battery of inputs. A changed digest is a changed protocol: sites
// that run different versions would no longer agree on a state.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for _, g := range battery() {
		fmt.Fprintf(&got, "%s %x\n", g.name, g.digest())
	}
	if *update {
		if err := os.WriteFile(goldenPath, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenPath)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(lines) || lines[i] != line {
			t.Errorf("%s:%d: got %q", goldenPath, i+1, line)
		}
	}
}

// The same on other processors: what fuses a product and a sum there shows.
func TestGoldenElsewhere(t *testing.T) { elsewhere.Run(t, "TestGolden") }

// A stream gives fixed inputs: SplitMix64, in integers, so that it has the same
// bits everywhere by itself.
type stream uint64

func (s *stream) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit is uniform in (0, 1).
func (s *stream) unit() float64 { return math.Ldexp(float64(s.next()>>11|1), -53) }

// wide has an exponent of two from lo to hi, and a random mantissa.
func (s *stream) wide(lo, hi int) float64 {
	return math.Ldexp(1+s.unit(), lo+int(s.next()%uint64(hi-lo)))
}

func (s *stream) sign(x float64) float64 {
	if s.next()&1 == 1 {
		return -x
	}
	return x
}

// A golden is one function's part of the battery.
type golden struct {
	name string
	runs int
	f    func(s *stream) []float64
}

func (g golden) digest() []byte {
	h := sha256.New()
	s := stream(len(g.name))
	for range g.runs {
		for _, v := range g.f(&s) {
			var b [8]byte
			binary.BigEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	return h.Sum(nil)
}

func unary(f func(float64) float64, draw func(s *stream) float64) func(*stream) []float64 {
	return func(s *stream) []float64 { return []float64{f(draw(s))} }
}

func battery() []golden {
	number := func(s *stream) float64 { return s.sign(s.wide(-30, 6)) }
	positive := func(s *stream) float64 { return s.wide(-40, 40) }
	unit := (*stream).unit
	shape := func(s *stream) float64 { return s.wide(-4, 12) }
	return []golden{
		{"Exp", 5000, unary(Exp, func(s *stream) float64 { return s.sign(s.wide(-30, 9)) })},
		{"Expm1", 2000, unary(Expm1, number)},
		{"Log", 5000, unary(Log, positive)},
		{"LogNearOne", 2000, unary(Log, func(s *stream) float64 { return 0.5 + s.unit() })},
		{"Log1p", 2000, unary(Log1p, func(s *stream) float64 { return s.sign(s.wide(-50, -1)) })},
		{"LogGamma", 500, unary(LogGamma, positive)},
		{"LogBeta", 300, func(s *stream) []float64 { return []float64{LogBeta(positive(s), positive(s))} }},
		{"Gamma", 500, func(s *stream) []float64 {
			a := shape(s)
			x := float64(a * s.wide(-3, 2))
			return []float64{GammaP(a, x), GammaQ(a, x)}
		}},
		{"BetaI", 500, func(s *stream) []float64 { return []float64{BetaI(s.unit(), shape(s), shape(s))} }},
		{"Normal", 500, func(s *stream) []float64 { x := number(s) / 2; return []float64{NormalCDF(x), NormalSF(x)} }},
		{"NormalQuantile", 200, unary(NormalQuantile, unit)},
		{"NormalQuantileTail", 100, unary(NormalQuantile, func(s *stream) float64 { return s.wide(-1000, -2) })},
		{"TSF", 500, func(s *stream) []float64 { return []float64{TSF(number(s), shape(s))} }},
		{"TQuantile", 100, func(s *stream) []float64 { return []float64{TQuantile(s.unit(), 1+shape(s))} }},
		{"ChiSquareSF", 500, func(s *stream) []float64 { return []float64{ChiSquareSF(s.wide(-3, 9), shape(s))} }},
		{"ChiSquareQuantile", 100, func(s *stream) []float64 { return []float64{ChiSquareQuantile(s.unit(), shape(s))} }},
		{"FSF", 500, func(s *stream) []float64 { return []float64{FSF(s.wide(-4, 4), shape(s), shape(s))} }},
		{"Cholesky", 50, goldenCholesky},
		{"SymmetricEigen", 50, goldenEigen},
		{"MatVec", 50, func(s *stream) []float64 { return MatVec(goldenMatrix(s, 6), goldenMatrix(s, 6)[:6]) }},
	}
}

// goldenMatrix is n×n with entries in ±1.
func goldenMatrix(s *stream, n int) []float64 {
	a := make([]float64, n*n)
	for i := range a {
		a[i] = s.sign(s.unit())
	}
	return a
}

// goldenGram is X·Xᵀ + I/16 for a random X.
func goldenGram(s *stream, n int) []float64 {
	x, a := goldenMatrix(s, n), make([]float64, n*n)
	for i := range n {
		copy(a[i*n:], MatVec(x, x[i*n:(i+1)*n]))
		a[i*n+i] += 0.0625
	}
	return a
}

func goldenCholesky(s *stream) []float64 {
	n := 1 + int(s.next()%8)
	c, err := Factor(goldenGram(s, n), n)
	if err != nil {
		panic(err) // a fixed input of ours
	}
	out := append(c.Inverse(), c.LogDet())
	return append(out, c.Solve(goldenMatrix(s, n)[:n])...)
}

func goldenEigen(s *stream) []float64 {
	n := 1 + int(s.next()%8)
	values, vectors := SymmetricEigen(goldenGram(s, n), n)
	return append(values, vectors...)
}
