package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/run/journal"
)

// Every journal keeps the promises of run.Journal.
func TestJournals(t *testing.T) {
	for name, open := range map[string]func(sync bool) (run.Journal, error){
		"memory": func(bool) (run.Journal, error) { return &journal.Memory{}, nil },
		"dir":    func(sync bool) (run.Journal, error) { return journal.OpenDir(filepath.Join(t.TempDir(), "j"), sync) },
	} {
		for _, sync := range []bool{false, true} {
			j, err := open(sync)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) { keeps(t, j) })
		}
	}
}

func keeps(t *testing.T, j run.Journal) {
	want := func(key string, want []byte) {
		t.Helper()
		if got, err := j.Load(key); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s holds %q, error %v, want %q", key, got, err, want)
		}
	}
	want("state", nil)
	b := []byte("one")
	for _, r := range []run.Record{{Key: "state", Bytes: b}, {Key: "empty", Bytes: nil}, {Key: "state", Bytes: []byte("two")}, {Key: "plan", Bytes: b}} {
		if err := j.Save(r.Key, r.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	b[0] = 'x'
	want("state", []byte("two"))
	want("plan", []byte("one"))
	want("empty", []byte{})
	for range 2 {
		if err := j.Erase("state"); err != nil {
			t.Fatal(err)
		}
		want("state", nil)
	}
	want("plan", []byte("one"))
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
		if err := j.Save("state", []byte("secret")); err != nil {
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

func TestDir_Keys(t *testing.T) {
	j, err := journal.OpenDir(t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "../x", "A", "a/b", "a~", ".a"} {
		_, load := j.Load(key)
		for _, err := range []error{j.Save(key, nil), load, j.Erase(key)} {
			if ws.KindOf(err) != ws.Invalid {
				t.Errorf("key %q: %v", key, err)
			}
		}
	}
}
