package csvtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wellspring/collect/csv"
	"wellspring/frame"
	"wellspring/frame/table"
)

// Read reads a CSV file of which all rows are public, but for the columns of
// the given names.
func Read(t testing.TB, path string, without ...string) *table.Table {
	t.Helper()
	opt := csv.Options{Public: true}
	d, err := csv.Infer([]string{path}, opt)
	if err != nil {
		t.Fatal(err)
	}
	d = slices.DeleteFunc(d, func(c frame.Column) bool { return slices.Contains(without, c.Name) })
	rows, err := csv.ReadTable(path, d, opt)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Shared finds a file of the folder of real data, which stands beside the
// project or where WELLSPRING_SHARED says. Where it is absent the test is
// skipped, unless that variable promises it.
func Shared(t testing.TB, path string) string {
	t.Helper()
	dir, promised := os.LookupEnv("WELLSPRING_SHARED")
	if !promised {
		dir = filepath.Join(root(t), "..", "shared")
	}
	full := filepath.Join(dir, filepath.FromSlash(path))
	if _, err := os.Stat(full); err != nil {
		if promised {
			t.Fatal(err)
		}
		t.Skipf("no %s: set WELLSPRING_SHARED to the folder of real data", path)
	}
	return full
}

// SharedJSON reads a file of the folder of real data; see [Shared].
func SharedJSON(t testing.TB, path string, into any) {
	t.Helper()
	JSON(t, Shared(t, path), into)
}

// JSON reads a file of answers.
func JSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// root is the project's folder.
func root(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}
