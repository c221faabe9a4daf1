package ledger_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// The state machine has no clock, no chance, no I/O and no goroutines; it ranges
// over no map and has no float. crypto/rand is handed to signers, nothing else.
//
// [LEDGER-STATE.1]
func TestPure(t *testing.T) {
	allowed := []string{"bytes", "context", "crypto", "crypto/ed25519", "crypto/rand", "crypto/sha256", "encoding/binary", "encoding/hex",
		"encoding/json", "fmt", "io", "iter", "slices", "strconv", "strings", "unicode/utf8", "filippo.io/edwards25519", "github.com/gowebpki/jcs", "wellspring"}
	fset := token.NewFileSet()
	pkgs, err := parser.ParseDir(fset, ".", func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0) //nolint:staticcheck // one package, no build tags
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, f := range pkgs["ledger"].Files {
		files = append(files, f)
		for _, imp := range f.Imports {
			if path := strings.Trim(imp.Path.Value, `"`); !slices.Contains(allowed, path) {
				t.Errorf("%v: imports %s", fset.Position(imp.Pos()), path)
			}
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	if _, err := conf.Check("wellspring/ledger", fset, files, info); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.RangeStmt:
				seen++
				if _, isMap := info.Types[x.X].Type.Underlying().(*types.Map); isMap {
					t.Errorf("%v: ranges over a map", fset.Position(x.Pos()))
				}
			case *ast.GoStmt, *ast.SelectStmt:
				t.Errorf("%v: runs beside itself", fset.Position(n.Pos()))
			case ast.Expr:
				if tv, ok := info.Types[x]; ok && tv.Type != nil {
					if b, ok := tv.Type.Underlying().(*types.Basic); ok && b.Info()&(types.IsFloat|types.IsComplex) != 0 {
						t.Errorf("%v: a float", fset.Position(x.Pos()))
					}
				}
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("no loop found: the test looks at the wrong thing")
	}
}
