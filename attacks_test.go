package wellspring_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown matches what a table of attacks names as its proof: a package and a test in it.
var shown = regexp.MustCompile("`([a-z0-9/]+) (Test[A-Za-z0-9_]+)`")

// An attack in the table has a row; its last cell names the tests that show it, or says that none does.
type attack struct {
	name  string
	tests []string
	gap   bool
}

func attacks(t *testing.T, path, gap string) (all []attack) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 5 {
			continue
		}
		if cells[0] == "---" { // what stands above is a head
			all = all[:len(all)-1]
			continue
		}
		a := attack{name: cells[0], gap: strings.Contains(cells[4], gap)}
		for _, m := range shown.FindAllStringSubmatch(cells[4], -1) {
			a.tests = append(a.tests, m[1]+" "+m[2])
		}
		all = append(all, a)
	}
	return all
}

// Every attack that the security pages list names tests that are there, or says
// that none shows it; both languages list the same.
func TestAttacks(t *testing.T) {
	there := tests(t)
	en, zh := attacks(t, "docs/security/attacks.md", "not shown"), attacks(t, "docs/security/attacks.zh.md", "尚无测试")
	if len(en) < 20 || len(en) != len(zh) {
		t.Fatalf("%d attacks in English, %d in Chinese", len(en), len(zh))
	}
	for i, a := range en {
		if len(a.tests) == 0 && !a.gap {
			t.Errorf("%s: no test shows it, and it does not say so", a.name)
		}
		if !slices.Equal(a.tests, zh[i].tests) || a.gap != zh[i].gap {
			t.Errorf("row %d: the languages differ: %s %v, %s %v", i+1, a.name, a.tests, zh[i].name, zh[i].tests)
		}
		for _, name := range a.tests {
			if !there[name] {
				t.Errorf("%s: there is no test %s", a.name, name)
			}
		}
	}
}

// evidence matches what the page for ethics committees names: a test, or a script of one.
var evidence = regexp.MustCompile("`([a-z0-9/]+) (Test[A-Za-z0-9_]+)(?:/([a-z-]+))?`")

// Every statement of the page for ethics committees points to evidence that is there, each piece of
// evidence is a test or script of the tree, and both languages name the same.
func TestEthics(t *testing.T) {
	there := tests(t)
	var named [2][]string
	for i, path := range []string{"docs/security/ethics.md", "docs/security/ethics.zh.md"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, table, _ := strings.Cut(string(b), "| --- | --- | --- |\n| 1 |")
		for n := 1; n <= strings.Count(table, "\n| ")+1; n++ {
			if !strings.Contains(text, fmt.Sprintf("[%d]", n)) {
				t.Errorf("%s: nothing points to evidence %d", path, n)
			}
		}
		for _, m := range regexp.MustCompile(`\[(\d+)\]`).FindAllStringSubmatch(text, -1) {
			if m[1] != "1" && !strings.Contains(table, "\n| "+m[1]+" |") {
				t.Errorf("%s: there is no evidence %s", path, m[1])
			}
		}
		for _, m := range evidence.FindAllStringSubmatch(table, -1) {
			named[i] = append(named[i], m[0])
			script := filepath.Join(m[1], "testdata", "script", m[3]+".txtar")
			if _, err := os.Stat(script); !there[m[1]+" "+m[2]] || m[3] != "" && err != nil {
				t.Errorf("%s: there is no test %s", path, m[0])
			}
		}
	}
	if len(named[0]) < 20 || !slices.Equal(named[0], named[1]) {
		t.Errorf("the languages name other tests: %v, %v", named[0], named[1])
	}
}

// tests are all tests of the tree, each as its folder and name.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				found[filepath.ToSlash(filepath.Dir(path))+" "+fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 100 {
		t.Fatal("few tests found: the test looks in the wrong place")
	}
	return found
}
