package solve

import (
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// Every product of floats stands inside float64(...), or inside another
// product or quotient that does; otherwise the compiler may fuse it with a sum
// it meets later, also across statements and inlined calls. Only a product with
// a power of two is free, as it rounds nothing.
func TestProductsAreRounded(t *testing.T) {
	found := 0
	for _, bad := range unrounded(t, sources(t), &found) {
		t.Error(bad)
	}
	if found < 50 {
		t.Errorf("only %d products found: the test looks for the wrong thing", found)
	}
}

// The rule itself, on what it must refuse and what it must let pass.
func TestProductsAreRounded_Rule(t *testing.T) {
	for src, want := range map[string]int{
		"x = a*b + c": 1, "x = a * b": 1, "x *= a": 1, "return a * b": 1, "x = (a*b)/c + b": 1, "x = -(a*b)": 1, "f(a * b)": 1,
		"x = float64(a*b) + c": 0, "x = float64(a*b*c)": 0, "x = float64(a*b/c)": 0, "x = 2*a + b": 0, "x = a / (b + c)": 0, "i = i*i + 1": 0,
		"x = float64((a+b)*c)": 0, "x = float64(c*(a*b+c))": 1, "x = float64(a*b + c)": 1, "x = 3.0*2 + c": 0, "x = a*-0.5 + b": 0, "x = 3*a + b": 1,
	} {
		code := "package p\nfunc f(a float64) float64 { var b, c, x float64; i := 1; " + src + "; return x + b + c + float64(i) }"
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", code, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		if bad := unroundedIn(t, fset, []*ast.File{file}, &found); len(bad) != want {
			t.Errorf("%s: %d products refused, want %d", src, len(bad), want)
		}
	}
}

func sources(t *testing.T) []string {
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, path := range all {
		if !strings.HasSuffix(path, "_test.go") {
			out = append(out, path)
		}
	}
	return out
}

func unrounded(t *testing.T, paths []string, found *int) []string {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return unroundedIn(t, fset, files, found)
}

func unroundedIn(t *testing.T, fset *token.FileSet, files []*ast.File, found *int) (bad []string) {
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := conf.Check("p", fset, files, info); err != nil {
		t.Fatal(err)
	}
	r := rule{info: info, safe: make(map[ast.Expr]bool)}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if r.refuses(n) {
				bad = append(bad, fset.Position(n.Pos()).String()+": a product that is not rounded by float64(...)")
			}
			return true
		})
	}
	*found += r.found
	return bad
}

// A rule is walked from the outside in: what stands inside a conversion or a
// safe product is marked before it is met.
type rule struct {
	info  *types.Info
	safe  map[ast.Expr]bool
	found int
}

func (r *rule) refuses(n ast.Node) bool {
	switch x := n.(type) {
	case *ast.CallExpr:
		if id, ok := x.Fun.(*ast.Ident); ok && id.Name == "float64" && len(x.Args) == 1 {
			r.safe[ast.Unparen(x.Args[0])] = true
		}
	case *ast.AssignStmt:
		return x.Tok == token.MUL_ASSIGN && r.isFloat(x.Lhs[0])
	case *ast.BinaryExpr:
		if !r.isFloat(x) || x.Op != token.MUL && x.Op != token.QUO {
			return false
		}
		if r.safe[x] {
			r.safe[ast.Unparen(x.X)], r.safe[ast.Unparen(x.Y)] = true, true
		}
		if x.Op == token.MUL && r.info.Types[x].Value == nil {
			r.found++
			return !r.safe[x] && !r.isPowerOfTwo(x.X) && !r.isPowerOfTwo(x.Y)
		}
	}
	return false
}

func (r *rule) isFloat(e ast.Expr) bool {
	b, ok := r.info.Types[e].Type.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

func (r *rule) isPowerOfTwo(e ast.Expr) bool {
	v := r.info.Types[e].Value
	if v == nil {
		return false
	}
	f, _ := constant.Float64Val(v)
	m, _ := math.Frexp(math.Abs(f))
	return m == 0.5
}
