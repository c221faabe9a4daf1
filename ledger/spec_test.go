package ledger_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var claimForm = regexp.MustCompile(`\[(LEDGER-[A-Z]+\.[0-9]+)\]`)

var testsForm = regexp.MustCompile(`(?m)^- \[(LEDGER-[A-Z]+\.[0-9]+)\].*\*([A-Za-z_, ]+)\*$`)

// Every claim of docs/spec/ledger.md names tests, which are there and cite it;
// and whatever is cited in the code is a claim.
func TestSpec_Claims(t *testing.T) {
	spec, err := os.ReadFile("../docs/spec/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	tested := map[string]bool{}
	for _, m := range claimForm.FindAllStringSubmatch(string(spec), -1) {
		tested[m[1]] = false
	}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range claimForm.FindAllStringSubmatch(string(b), -1) {
			if _, claimed := tested[m[1]]; !claimed {
				t.Errorf("%s cites %s, which the specification lacks", path, m[1])
			}
			if strings.HasSuffix(path, "_test.go") {
				tested[m[1]] = true
			}
		}
		if strings.HasSuffix(path, "_test.go") {
			tests.Write(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for claim, ok := range tested {
		if !ok {
			t.Errorf("no test cites %s", claim)
		}
	}
	named := testsForm.FindAllStringSubmatch(string(spec), -1)
	if len(named) != len(tested) {
		t.Errorf("%d claims, %d of them name tests", len(tested), len(named))
	}
	for _, m := range named {
		for name := range strings.SplitSeq(m[2], ", ") {
			if !strings.Contains(tests.String(), "func "+name+"(") {
				t.Errorf("%s names %s, which is not there", m[1], name)
			}
		}
	}
	if len(tested) < 20 {
		t.Errorf("%d claims found: the test looks at the wrong thing", len(tested))
	}
}
