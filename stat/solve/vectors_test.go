package solve

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// functions maps the names in testdata to what they test.
var functions = map[string]func(a []float64) float64{
	"Exp":               func(a []float64) float64 { return Exp(a[0]) },
	"Expm1":             func(a []float64) float64 { return Expm1(a[0]) },
	"Log":               func(a []float64) float64 { return Log(a[0]) },
	"Log1p":             func(a []float64) float64 { return Log1p(a[0]) },
	"LogGamma":          func(a []float64) float64 { return LogGamma(a[0]) },
	"LogBeta":           func(a []float64) float64 { return LogBeta(a[0], a[1]) },
	"GammaP":            func(a []float64) float64 { return GammaP(a[0], a[1]) },
	"BetaI":             func(a []float64) float64 { return BetaI(a[0], a[1], a[2]) },
	"NormalSF":          func(a []float64) float64 { return NormalSF(a[0]) },
	"TSF":               func(a []float64) float64 { return TSF(a[0], a[1]) },
	"ChiSquareSF":       func(a []float64) float64 { return ChiSquareSF(a[0], a[1]) },
	"FSF":               func(a []float64) float64 { return FSF(a[0], a[1], a[2]) },
	"NormalQuantile":    func(a []float64) float64 { return NormalQuantile(a[0]) },
	"TQuantile":         func(a []float64) float64 { return TQuantile(a[0], a[1]) },
	"ChiSquareQuantile": func(a []float64) float64 { return ChiSquareQuantile(a[0], a[1]) },
}

// A vector is one line of a file in testdata.
type vector struct {
	at   string // file:line
	name string
	args []float64
	want float64
}

func readVectors(t *testing.T, path string) []vector {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		v := vector{at: fmt.Sprintf("%s:%d", path, n), name: fields[0]}
		for _, s := range fields[1:] {
			x, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatalf("%s: %v", v.at, err)
			}
			v.args = append(v.args, x)
		}
		v.want = v.args[len(v.args)-1]
		v.args = v.args[:len(v.args)-1]
		out = append(out, v)
	}
	if lines.Err() != nil || len(out) == 0 {
		t.Fatalf("%s: %d vectors, %v", path, len(out), lines.Err())
	}
	return out
}

func relative(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got-want) / math.Abs(want)
}

// compare runs a file of vectors and logs how far each function strays.
func compare(t *testing.T, path string, tolerance func(name string) float64) {
	worst := make(map[string]vector)
	errs := make(map[string]float64)
	for _, v := range readVectors(t, path) {
		fn := functions[v.name]
		if fn == nil {
			t.Fatalf("%s: no function %s", v.at, v.name)
		}
		got := fn(v.args)
		e := relative(got, v.want)
		if !(e <= tolerance(v.name)) {
			t.Errorf("%s: %s%v = %.17g, want %.17g (off by %.2g)", v.at, v.name, v.args, got, v.want, e)
		}
		if e >= errs[v.name] {
			errs[v.name], worst[v.name] = e, v
		}
	}
	for name, e := range errs {
		t.Logf("%s: at most %.2g, at %s %v", name, e, worst[name].at, worst[name].args)
	}
}

// Against 60 digits, rounded: one unit in the last place for the
// elementary functions, two for the others.
func TestExactVectors(t *testing.T) {
	elementary := map[string]bool{"Exp": true, "Expm1": true, "Log": true, "Log1p": true}
	compare(t, "testdata/exact.txt", func(name string) float64 {
		if elementary[name] {
			return 0x1p-52
		}
		return 0x1p-51
	})
}

// Against R, 2e-13: R itself is off by 9e-14 where the two differ most.
func TestRVectors(t *testing.T) {
	compare(t, "testdata/r.txt", func(string) float64 { return 2e-13 })
}
