package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/journal"
	"wellspring/run/journal/journaltest"
)

// Every journal keeps the promises of run.Journal.
func TestJournals(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		journaltest.Run(t, func(*testing.T) run.Journal { return &journal.Memory{} })
	})
	for _, sync := range []bool{false, true} {
		t.Run("dir", func(t *testing.T) {
			journaltest.Run(t, func(t *testing.T) run.Journal { return dir(t, t.TempDir(), sync) })
		})
	}
}

func dir(t *testing.T, path string, sync bool) run.Journal {
	t.Helper()
	j, err := journal.OpenDir(filepath.Join(path, "j"), sync)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestPowerLoss(t *testing.T) {
	journaltest.PowerLoss(t, "TestPowerLoss", func(path string) (run.Journal, func() error, error) {
		j, err := journal.OpenDir(path, true)
		return j, func() error { return nil }, err
	}, false)
}

// A record survives the journal, a damaged one is an error, and a file that was
// being written when the power went is none.
func TestDir(t *testing.T) {
	path := t.TempDir()
	for _, damage := range []func(b []byte) []byte{
		nil, func(b []byte) []byte { return b[:10] }, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, func([]byte) []byte { return nil },
	} {
		j, err := journal.OpenDir(path, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Save(run.Record{Key: "state", Bytes: []byte("secret")}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(path, "state")
		if err := os.WriteFile(file+"~", []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		if damage != nil {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again, err := journal.OpenDir(path, true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Load("state")
		if damage == nil && (err != nil || string(got) != "secret") || damage != nil && (got != nil || ws.KindOf(err) != ws.Diverged) {
			t.Errorf("loaded %q, error %v", got, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, error %v", info.Mode(), err)
		}
	}
}

func TestDir_Keys(t *testing.T) { journaltest.Keys(t, dir(t, t.TempDir(), false)) }
