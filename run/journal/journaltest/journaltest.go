package journaltest

import (
	"bytes"
	"testing"

	ws "wellspring"
	"wellspring/run"
)

// Run tests the journals that open returns. Every implementation calls it.
func Run(t *testing.T, open func(t *testing.T) run.Journal) {
	t.Run("records", func(t *testing.T) { records(t, open(t)) })
	t.Run("long", func(t *testing.T) { long(t, open(t)) })
}

func records(t *testing.T, j run.Journal) {
	want := func(key string, want []byte) {
		t.Helper()
		if got, err := j.Load(key); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s holds %q, error %v, want %q", key, got, err, want)
		}
	}
	want("state", nil)
	b := []byte("one")
	for _, list := range [][]run.Record{{{Key: "state", Bytes: b}, {Key: "empty", Bytes: nil}}, {{Key: "state", Bytes: []byte("two")}, {Key: "plan", Bytes: b}}, {}} {
		if err := j.Save(list...); err != nil {
			t.Fatal(err)
		}
	}
	b[0] = 'x'
	want("state", []byte("two"))
	want("plan", []byte("one"))
	want("empty", []byte{})
	for range 2 {
		if err := j.Erase("state", "empty"); err != nil {
			t.Fatal(err)
		}
		want("state", nil)
		want("empty", nil)
	}
	want("plan", []byte("one"))
}

// long holds a record that no store would keep in one piece.
func long(t *testing.T, j run.Journal) {
	b := make([]byte, 5<<20+7)
	for i := range b {
		b[i] = byte(i * 31 >> 3)
	}
	for _, n := range []int{len(b), 1 << 20, 3<<20 - 1} {
		if err := j.Save(run.Record{Key: "masked", Bytes: b[:n]}); err != nil {
			t.Fatal(err)
		}
		if got, err := j.Load("masked"); err != nil || !bytes.Equal(got, b[:n]) {
			t.Errorf("%d bytes come back as %d, error %v", n, len(got), err)
		}
	}
}

// Keys tests that a journal on a disk refuses keys that could name other files.
func Keys(t *testing.T, j run.Journal) {
	for _, key := range []string{"", "../x", "A", "a/b", "a~", ".a"} {
		_, load := j.Load(key)
		for _, err := range []error{j.Save(run.Record{Key: key}), load, j.Erase(key)} {
			if ws.KindOf(err) != ws.Invalid {
				t.Errorf("key %q: %v", key, err)
			}
		}
	}
}
