package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	ws "wellspring"
)

// A keeper makes and unpacks archives for one key in one folder.
type keeper struct {
	*testing.T
	dir string
	id  *age.X25519Identity
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return &keeper{t, t.TempDir(), id}
}

func known(name string) bool { return !strings.Contains(name, "unknown") }

func (k *keeper) extract(path string) error {
	return Extract(path, []age.Identity{k.id}, filepath.Join(k.dir, "to"), known, func(string, json.RawMessage) error { return nil })
}

// nothing wants that a refused archive left no folder behind.
func (k *keeper) nothing(what string) {
	k.Helper()
	left, err := filepath.Glob(filepath.Join(k.dir, "*"))
	hidden, err2 := filepath.Glob(filepath.Join(k.dir, ".*"))
	if err := errors.Join(err, err2); err != nil {
		k.Fatal(err)
	}
	for _, p := range append(left, hidden...) {
		if info, err := os.Stat(p); err != nil || info.IsDir() {
			k.Errorf("%s: left behind: %s", what, p)
		}
	}
}

// raw makes an archive of what a hostile maker would write.
func (k *keeper) raw(fill func(*tar.Writer), tail string) string {
	k.Helper()
	var out bytes.Buffer
	sealed, err := age.Encrypt(&out, k.id.Recipient())
	if err != nil {
		k.Fatal(err)
	}
	w := tar.NewWriter(sealed)
	fill(w)
	if err := w.Close(); err != nil {
		k.Fatal(err)
	}
	if _, err := io.WriteString(sealed, tail); err != nil {
		k.Fatal(err)
	}
	if err := sealed.Close(); err != nil {
		k.Fatal(err)
	}
	path := filepath.Join(k.dir, "raw")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		k.Fatal(err)
	}
	return path
}

func file(w *tar.Writer, h tar.Header, body string) {
	h.Size = int64(len(body))
	if h.Typeflag != 0 && h.Typeflag != tar.TypeReg {
		h.Size = 0
	}
	_ = w.WriteHeader(&h) // a body too long for it is the point of one case
	_, _ = io.WriteString(w, body)
}

func list(w *tar.Writer, m manifest) {
	b, _ := json.Marshal(m)
	file(w, tar.Header{Name: manifestName}, string(b))
}

// of lists files that hold "body".
func of(names ...string) (m manifest) {
	m.Form, m.About = form, json.RawMessage("{}")
	for _, n := range names {
		m.Files = append(m.Files, listed{n, 4, "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"})
	}
	return m
}

// What was written comes back, with its times, for its owner's eyes alone.
func TestArchive(t *testing.T) {
	k := newKeeper(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text := func(name, s string) Entry {
		return Entry{name, func() (io.ReadCloser, int64, time.Time, error) {
			return io.NopCloser(strings.NewReader(s + "what came later")), int64(len(s)), at, nil
		}}
	}
	path := filepath.Join(k.dir, "a.backup")
	if _, err := Write(path, []age.Recipient{k.id.Recipient()}, map[string]int{"height": 7}, []Entry{text("node.key", "secret"), text("data/心脏.v1.duckdb", strings.Repeat("x", 200_000)), text("empty", "")}); err != nil {
		t.Fatal(err)
	}
	var about struct{ Height int }
	to := filepath.Join(k.dir, "to")
	if err := os.Mkdir(to, 0o755); err != nil { // one that is empty will do
		t.Fatal(err)
	}
	if err := Extract(path, []age.Identity{k.id}, to, known, func(dir string, told json.RawMessage) error {
		if dir == to {
			t.Error("it is in its place before it was accepted")
		}
		return json.Unmarshal(told, &about)
	}); err != nil || about.Height != 7 {
		t.Fatalf("%v, height %d", err, about.Height)
	}
	for name, want := range map[string]string{"node.key": "secret", "data/心脏.v1.duckdb": strings.Repeat("x", 200_000), "empty": ""} {
		got, err := os.ReadFile(filepath.Join(to, name))
		info, err2 := os.Stat(filepath.Join(to, name))
		if err != nil || err2 != nil || string(got) != want || info.Mode().Perm() != 0o600 || !info.ModTime().Equal(at) {
			t.Errorf("%s: %d bytes, %v, %v", name, len(got), err, err2)
		}
	}
	for _, dir := range []string{".", "data"} {
		if info, err := os.Stat(filepath.Join(to, dir)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("folder %s: %v, %v", dir, info.Mode(), err)
		}
	}
	if err := k.extract(path); ws.KindOf(err) != ws.Denied {
		t.Errorf("into a folder that is in use: %v", err)
	}
	if _, err := Write(path, []age.Recipient{k.id.Recipient()}, nil, nil); ws.KindOf(err) != ws.Denied {
		t.Errorf("in the place of a file: %v", err)
	}
}

// An archive that is altered or cut anywhere is refused, and leaves nothing.
func TestExtract_Damaged(t *testing.T) {
	k := newKeeper(t)
	path := k.raw(func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body"); list(w, of("a")) }, "")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, at int, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := k.extract(path); ws.KindOf(err) != ws.Invalid && ws.KindOf(err) != ws.Denied {
			t.Fatalf("%s at %d of %d: %v", what, at, len(whole), err)
		}
	}
	for at := 0; at < len(whole); at += 17 {
		b := bytes.Clone(whole)
		b[at] ^= 1
		refused("altered", at, b)
		refused("cut", at, whole[:at])
	}
	refused("longer", len(whole), append(bytes.Clone(whole), 0))
	k.nothing("damaged")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.extract(path); err != nil {
		t.Errorf("the whole: %v", err)
	}
}

// What a maker with the right key may put in and must not is refused, and leaves nothing.
func TestExtract_Hostile(t *testing.T) {
	k := newKeeper(t)
	for what, c := range map[string]struct {
		fill func(*tar.Writer)
		tail string
	}{
		"a way out":         {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "../out"}, "body"); list(w, of("../out")) }},
		"a way out below":   {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a/../../out"}, "body"); list(w, of("a/../../out")) }},
		"from the root":     {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "/tmp/out"}, "body"); list(w, of("/tmp/out")) }},
		"another separator": {fill: func(w *tar.Writer) { file(w, tar.Header{Name: `a\..\out`}, "body"); list(w, of(`a\..\out`)) }},
		"an unknown name":   {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "unknown"}, "body"); list(w, of("unknown")) }},
		"twice": {fill: func(w *tar.Writer) {
			file(w, tar.Header{Name: "a"}, "body")
			file(w, tar.Header{Name: "a"}, "body")
			list(w, of("a"))
		}},
		"a link": {fill: func(w *tar.Writer) {
			file(w, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "")
			list(w, of())
		}},
		"a hard link": {fill: func(w *tar.Writer) {
			file(w, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "b"}, "")
			list(w, of())
		}},
		"a folder":     {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a/", Typeflag: tar.TypeDir}, ""); list(w, of()) }},
		"a device":     {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a", Typeflag: tar.TypeFifo}, ""); list(w, of()) }},
		"other bytes":  {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "bodx"); list(w, of("a")) }},
		"other length": {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body "); list(w, of("a")) }},
		"not listed": {fill: func(w *tar.Writer) {
			file(w, tar.Header{Name: "a"}, "body")
			file(w, tar.Header{Name: "b"}, "body")
			list(w, of("a"))
		}},
		"not there":          {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body"); list(w, of("a", "b")) }},
		"no manifest":        {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body") }},
		"two manifests":      {fill: func(w *tar.Writer) { list(w, of()); list(w, of()) }},
		"behind the list":    {fill: func(w *tar.Writer) { list(w, of("a")); file(w, tar.Header{Name: "a"}, "body") }},
		"a list of nonsense": {fill: func(w *tar.Writer) { file(w, tar.Header{Name: manifestName}, "{") }},
		"another form":       {fill: func(w *tar.Writer) { list(w, manifest{Form: "wellspring/backup/99", About: json.RawMessage("{}")}) }},
		"behind the end":     {fill: func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body"); list(w, of("a")) }, tail: "more"},
		"a file in a file": {fill: func(w *tar.Writer) {
			file(w, tar.Header{Name: "a"}, "body")
			file(w, tar.Header{Name: "a/b"}, "body")
			list(w, of("a", "a/b"))
		}},
		"nothing at all": {fill: func(*tar.Writer) {}},
	} {
		if err := k.extract(k.raw(c.fill, c.tail)); err == nil {
			t.Errorf("%s: accepted", what)
		} else if ws.HintOf(err).IsZero() {
			t.Errorf("%s: no hint: %v", what, err)
		}
		k.nothing(what)
	}
	if err := Extract(k.raw(func(w *tar.Writer) { file(w, tar.Header{Name: "a"}, "body"); list(w, of("a")) }, ""), []age.Identity{k.id}, filepath.Join(k.dir, "to"), known,
		func(string, json.RawMessage) error { return errors.New("no node") }); err == nil {
		t.Error("what the caller refuses is accepted")
	}
	k.nothing("refused by the caller")
}

// A backup that cannot be made whole leaves no file.
func TestWrite_Fails(t *testing.T) {
	k := newKeeper(t)
	path := filepath.Join(k.dir, "a.backup")
	short := Entry{"a", func() (io.ReadCloser, int64, time.Time, error) {
		return io.NopCloser(strings.NewReader("body")), 5, time.Time{}, nil
	}}
	for _, e := range []Entry{FromFile(k.dir, "not-there"), short} {
		if _, err := Write(path, []age.Recipient{k.id.Recipient()}, nil, []Entry{e}); err == nil {
			t.Errorf("%s was written", e.Name)
		}
		if left, _ := os.ReadDir(k.dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}
