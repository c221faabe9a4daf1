package wellspring_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms lists the top folders, ground floor first; release (tests alone), bench and cmd stand on the
// roof and see everything. See ARCHITECTURE.md.
var rooms = []string{"", "disk", "stat", "frame", "omop", "formula", "study", "policy", "mpc", "analyze", "engine",
	"collect", "curate", "cohort", "compute", "ledger", "mesh", "run", "post", "translate", "site", "hub", "portal", "siege", "cmd", "bench", "release"}

// makers are heavy and wired by cmd and bench alone.
var makers = []string{"engine/duckdb", "engine/postgres", "ledger/comet"}

func room(path string) int {
	first, _, _ := strings.Cut(path, "/")
	return slices.Index(rooms, first)
}

func allowed(from, to string) bool { // paths without the module's prefix; "" is the root
	if to == "" {
		return true
	}
	roof := strings.HasPrefix(from, "cmd/") || from == "bench"
	if slices.Contains(makers, to) {
		return roof
	}
	a, b := room(from), room(to)
	if a < 0 || b < 0 {
		return false
	}
	return b < a || a == b && strings.HasPrefix(from, to+"/")
}

func inModule(path string) (string, bool) {
	if path == "wellspring" {
		return "", true
	}
	return strings.CutPrefix(path, "wellspring/")
}

func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		from, ok := inModule(fields[0])
		if !ok {
			t.Fatalf("package outside the module: %s", fields[0])
		}
		if room(from) < 0 {
			t.Errorf("%s stands in no room", fields[0])
		}
		for _, imp := range fields[1:] {
			if to, ok := inModule(imp); ok && !allowed(from, to) {
				t.Errorf("%s must not import %s", fields[0], imp)
			}
		}
	}
}

// The layer rule itself, broken both ways on purpose.
func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"stat", "frame", false}, {"frame", "stat", true}, {"stat/solve", "stat", true}, {"stat", "stat/solve", false},
		{"analyze/glm", "analyze/survival", false}, {"run", "engine/duckdb", false}, {"cmd/wellspring", "engine/duckdb", true},
		{"attic", "stat", false}, {"stat", "", true},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("allowed(%q, %q) = %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// What only tests need is not in the program: packages that play a network, and
// the browser that looks at its pages.
func TestProgram(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/wellspring").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if len(all) < 100 {
		t.Fatalf("%d packages: the test looks at the wrong thing", len(all))
	}
	for _, path := range all {
		in, ours := inModule(path)
		if ours && strings.HasSuffix(in, "test") || path == "testing" || strings.Contains(path, "chromedp") {
			t.Errorf("the program contains %s", path)
		}
	}
}

// Every package has exactly one file that carries its doc.
func TestPackageDocs(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{.Dir}}|{{join .GoFiles " "}} {{join .CgoFiles " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		part := strings.Split(strings.TrimSpace(line), "|")
		docs := 0
		for _, name := range strings.Fields(part[2]) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(part[1], name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				docs++
			}
		}
		if docs != 1 && len(strings.TrimSpace(part[2])) > 0 {
			t.Errorf("%s: %d files carry a package doc, want exactly one", part[0], docs)
		}
	}
}

// Every text that a person may read has both languages, with as many verbs.
func TestTexts(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range strings.Fields(string(out)) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !callsT(call.Fun, f.Name.Name) {
				return true
			}
			found++
			if len(call.Args) < 2 {
				t.Errorf("%v: T wants two languages", fset.Position(call.Pos()))
				return true
			}
			en, ok1 := constant(call.Args[0])
			zh, ok2 := constant(call.Args[1])
			switch {
			case !ok1 || !ok2:
				t.Errorf("%v: both languages of a Text are constants", fset.Position(call.Pos()))
			case en == "" || zh == "":
				t.Errorf("%v: a Text lacks a language", fset.Position(call.Pos()))
			case verbs(en) != verbs(zh):
				t.Errorf("%v: the languages take different arguments: %q, %q", fset.Position(call.Pos()), en, zh)
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no Text found: the test looks for the wrong thing")
	}
}

var (
	verbatim = regexp.MustCompile("`[^`]*`|\\]\\([^)]*\\)") // code and where links go
	narrow   = regexp.MustCompile(`\p{Han}[,;:!?(]|[,;:!?]\p{Han}|\(\p{Han}|\p{Han}\)`)
)

// Chinese sentences have Chinese punctuation, which is as wide as a character.
func TestPunctuation(t *testing.T) {
	for _, name := range []string{"README.md", "NEWS.md", "docs/README.md", "docs/guide/hospital-it.zh.md", "docs/security/attacks.zh.md", "clients/README.zh.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if at := narrow.FindString(verbatim.ReplaceAllString(line, "")); at != "" {
				t.Errorf("%s:%d: half-width punctuation in Chinese: %q", name, i+1, at)
			}
		}
	}
}

func callsT(fun ast.Expr, pkg string) bool {
	switch x := fun.(type) {
	case *ast.Ident:
		return pkg == "wellspring" && x.Name == "T"
	case *ast.SelectorExpr:
		id, ok := x.X.(*ast.Ident)
		return ok && (id.Name == "ws" || id.Name == "wellspring") && x.Sel.Name == "T"
	}
	return false
}

// constant returns the text of a string literal or a sum of them.
func constant(e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(x.Value, "`\""), x.Kind == token.STRING
	case *ast.BinaryExpr:
		a, ok1 := constant(x.X)
		b, ok2 := constant(x.Y)
		return a + b, ok1 && ok2 && x.Op == token.ADD
	}
	return "", false
}

func verbs(s string) int { return strings.Count(strings.ReplaceAll(s, "%%", ""), "%") }
