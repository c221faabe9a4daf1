package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/journal/journaltest"
	"wellspring/run/journal/sqlite"
)

func open(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestJournal(t *testing.T) {
	at := func(t *testing.T) run.Journal {
		return open(t, filepath.Join(t.TempDir(), "a b?", "journal.db")).Run("r")
	}
	journaltest.Run(t, at)
	journaltest.Keys(t, at(t))
}

func TestPowerLoss(t *testing.T) {
	journaltest.PowerLoss(t, "TestPowerLoss", func(dir string) (run.Journal, func() error, error) {
		db, err := sqlite.Open(filepath.Join(dir, "journal.db"))
		if err != nil {
			return nil, nil, err
		}
		return db.Run("r"), db.Close, nil
	}, true)
}

// Runs do not see each other, and are listed while they have records.
func TestDB_Runs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	db := open(t, path)
	for _, id := range []string{"b", "a"} {
		if err := db.Run(id).Save(run.Record{Key: "state", Bytes: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	if runs, err := db.Runs(); err != nil || !slices.Equal(runs, []string{"a", "b"}) {
		t.Errorf("runs %v, %v", runs, err)
	}
	if b, err := db.Run("b").Load("state"); err != nil || string(b) != "b" {
		t.Errorf("b holds %q, %v", b, err)
	}
	if err := db.Run("a").Erase("state"); err != nil {
		t.Fatal(err)
	}
	if runs, err := db.Runs(); err != nil || !slices.Equal(runs, []string{"b"}) {
		t.Errorf("runs %v, %v", runs, err)
	}
}

// One process has the file; others are refused in words.
func TestOpen_Twice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	open(t, path)
	if db, err := sqlite.Open(path); err == nil {
		db.Close()
		t.Error("the file was opened twice")
	}
}

// Erased secrets are in no file, and nobody else may read the files.
func TestErase(t *testing.T) {
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "journal.db"))
	secret := bytes.Repeat([]byte("a secret of the epoch "), 400)
	if err := db.Run("r").Save(run.Record{Key: "state", Bytes: secret}, run.Record{Key: "plan", Bytes: []byte("public")}); err != nil {
		t.Fatal(err)
	}
	find := func() (found bool) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(b, secret[:22])
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", f, info.Mode(), err)
			}
		}
		return found
	}
	if !find() {
		t.Fatal("the secret is nowhere: the test looks in the wrong place")
	}
	if err := db.Run("r").Erase("state"); err != nil {
		t.Fatal(err)
	}
	if find() {
		t.Error("the secret is still there")
	}
}

// A record that the disk spoiled is told, never returned.
func TestLoad_Damaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	db := open(t, path)
	if err := db.Run("r").Save(run.Record{Key: "state", Bytes: []byte("the state of a site that answered")}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte("the state"))
	if i < 0 {
		t.Fatal("the record is nowhere")
	}
	b[i] = 'T'
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, path).Run("r").Load("state"); ws.KindOf(err) != ws.Diverged {
		t.Errorf("loaded %q, %v", got, err)
	}
}
