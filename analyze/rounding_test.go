package analyze_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// folds are the functions in which a product may be fused with a sum: they run
// at one site on its own rows, and their result is rounded into integers before
// anybody compares.
var folds = map[string]bool{
	"analyze.momentFold.Add": true, "analyze.Leverage.Above": true, "analyze.square": true,
	"compare.momentFold.Add": true, "describe.describeFold.variable": true,
	"glm.binomial.deviance": true, "glm.likelihood": true, "glm.poisson.deviance": true, "glm.poisson.constant": true,
	"glm.addGram": true, "glm.addScore": true, "glm.predict": true, "glm.turnRows": true, "glm.entropy": true, "glm.accumulator.addOnce": true,
	"glm.model.start": true, "glm.model.general": true, "glm.model.logistic": true, "glm.model.logisticWeighted": true,
	"survival.accumulate": true, "survival.accumulateFirst": true, "survival.secondFold.Add": true, "survival.stepper.each": true, "survival.localFold.Vector": true,
}

var fused = regexp.MustCompile(`\(([^()]+\.go):(\d+)\)\tFN?M(?:ADD|SUB)[DS]\t`)

// Whatever all parties compute alike rounds every product before it adds:
// arm64, which fuses wherever it may, is asked what it fuses. Recorded runs
// (TestGoldenElsewhere) would show it only on the inputs that they have.
func TestNothingIsFused(t *testing.T) {
	if testing.Short() {
		t.Skip("cross-compiles")
	}
	build := exec.Command("go", "build", "-gcflags=-S", "./...")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%.2000s", err, out)
	}
	met := map[string]bool{}
	for line := range bytes.Lines(out) {
		m := fused.FindSubmatch(line)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(string(m[2]))
		name := function(t, string(m[1]), n)
		if met[name] = true; !folds[name] {
			t.Errorf("%s:%d: %s fuses a product with a sum; write float64(a*b)", m[1], n, name)
		}
	}
	for name := range folds {
		if !met[name] {
			t.Errorf("%s fuses nothing: strike it from the list, or the test looks for the wrong thing", name)
		}
	}
}

// function names the function at a line: package, receiver and name.
func function(t *testing.T, path string, line int) string {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fset.Position(fn.Pos()).Line <= line && line <= fset.Position(fn.End()).Line {
			name := []string{f.Name.Name, fn.Name.Name}
			if fn.Recv != nil {
				typ := fn.Recv.List[0].Type
				if star, ok := typ.(*ast.StarExpr); ok {
					typ = star.X
				}
				name = []string{name[0], typ.(*ast.Ident).Name, name[1]}
			}
			return strings.Join(name, ".")
		}
	}
	return filepath.Base(path)
}
