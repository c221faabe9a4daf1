package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"filippo.io/age"
	"golang.org/x/text/encoding/simplifiedchinese"

	runs "wellspring/run"
	"wellspring/run/journal/sqlite"
	"wellspring/site/archive"
)

// A canary is something that stands in rows and must stand nowhere else: a text, or a
// number, in every form in which a program could write it.
type canary struct {
	name  string
	forms map[string][]byte // by what the form is
}

// leastForm is the shortest form, in bytes: a shorter one is found by chance.
const leastForm = 7

func (c canary) add(form string, b []byte) {
	if len(b) >= leastForm {
		c.forms[form] = b
	}
}

// textCanary is a text as UTF-8, UTF-16 and GB18030, as JSON and URLs escape it, in hex
// and base64, and hashed: a ledger that hashes an identifier has published it.
func textCanary(name, text string) canary {
	c := canary{name: name, forms: map[string][]byte{}}
	c.write("text", text)
	sum := sha256.Sum256([]byte(text))
	c.bytes("SHA-256", sum[:])
	return c
}

func (c canary) write(form, text string) {
	c.bytes(form, []byte(text))
	units := utf16.Encode([]rune(text))
	for order, put := range map[string]func([]byte, uint16) []byte{"LE": binary.LittleEndian.AppendUint16, "BE": binary.BigEndian.AppendUint16} {
		var b []byte
		for _, u := range units {
			b = put(b, u)
		}
		c.add(form+" in UTF-16"+order, b)
	}
	if b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text)); err == nil && string(b) != text {
		c.bytes(form+" in GB18030", b)
	}
	if escaped := strconv.QuoteToASCII(text); escaped != `"`+text+`"` {
		c.add(form+" escaped as in JSON", []byte(strings.Trim(escaped, `"`)))
		c.add(form+" escaped as in a URL", []byte(url.QueryEscape(text)))
	}
}

// bytes adds b as it is, in hex, and in base64 wherever it may stand in what is encoded.
func (c canary) bytes(form string, b []byte) {
	c.add(form, b)
	c.add(form+" in hex", []byte(hex.EncodeToString(b)))
	c.add(form+" in HEX", []byte(strings.ToUpper(hex.EncodeToString(b))))
	for shift := range 3 {
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			all := enc.EncodeToString(append(make([]byte, shift), b...))
			// 6 bits a character: those that hang on b alone.
			c.add(fmt.Sprintf("%s in %s, shifted by %d", form, name, shift), []byte(all[(8*shift+5)/6:8*(shift+len(b))/6]))
		}
	}
}

// digits are the significant ones by which a number is known in a text: what rounds it to
// fewer is taken to tell nothing of it.
const digits = 6

// numberCanary is a number as text, of whatever length, as the bits of a float64, and as
// an entry of a vector that was not masked.
func numberCanary(name string, x float64) canary {
	c := canary{name: name, forms: map[string][]byte{}}
	plain := strconv.FormatFloat(x, 'f', -1, 64)
	whole, _, _ := strings.Cut(plain, ".")
	if len(whole) < digits {
		c.write("text", plain[:min(len(plain), digits+1)])
		c.write("text with a comma", strings.Replace(plain[:min(len(plain), digits+1)], ".", ",", 1))
	} else {
		c.write("text", whole[:min(len(whole), digits+3)]) // of sums: as long as those of a column of text
	}
	c.write("exponent", strconv.FormatFloat(x, 'e', digits-1, 64)[:digits+1])
	bits := math.Float64bits(x)
	c.bytes("float64 LE", binary.LittleEndian.AppendUint64(nil, bits))
	c.bytes("float64 BE", binary.BigEndian.AppendUint64(nil, bits))
	c.write("float64 as a whole number", strconv.FormatUint(bits, 10))
	c.ring(x)
	return c
}

// ring adds round(x·2^f) as 16 bytes, for every f that leaves enough of them apart from zero.
func (c canary) ring(x float64) {
	for f := 24; f <= 100; f++ {
		v, _ := new(big.Float).Mul(big.NewFloat(x).SetMode(big.ToNearestEven), new(big.Float).SetMantExp(big.NewFloat(1), f)).Int(nil)
		if v.Sign() <= 0 || v.BitLen() > 126 {
			continue
		}
		b := v.FillBytes(make([]byte, 16))
		c.add(fmt.Sprintf("entry of a vector with %d fraction bits, BE", f), b)
		little := slices.Clone(b)
		slices.Reverse(little)
		c.add(fmt.Sprintf("entry of a vector with %d fraction bits, LE", f), little)
	}
}

// A searcher looks for canaries in files, and in what is packed in them.
type searcher struct {
	forms  map[uint32][]form // by their first four bytes
	begins [1 << 16]bool     // by their first two
	keys   []age.Identity    // that open backups
	spare  func(path string) bool
	looked int64 // bytes
	found  []string
}

type form struct {
	what  string
	bytes []byte
}

// newSearcher looks for canaries in all but the files that spare names; keys open backups.
func newSearcher(all []canary, spare func(string) bool, keys ...age.Identity) *searcher {
	s := &searcher{forms: map[uint32][]form{}, keys: keys, spare: spare}
	for _, c := range all {
		for what, b := range c.forms {
			head := binary.LittleEndian.Uint32(b)
			s.forms[head] = append(s.forms[head], form{c.name + ": " + what, b})
			s.begins[uint16(head)] = true
		}
	}
	return s
}

// tree looks in all files under a folder, and at their names.
func (s *searcher) tree(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) { // a node that runs removes what it needs no more
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		s.bytes("the name of "+name, []byte(name))
		if !e.Type().IsRegular() || s.spare(filepath.ToSlash(name)) {
			return nil
		}
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
			if err := s.sqlite(name, path); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return s.file(name, b)
	})
}

// sqlite looks at the records of a database: in the file a long one is cut into pages. It reads a copy, with the log
// of writes that are not in the file yet, since a node that runs has it to itself.
func (s *searcher) sqlite(name, path string) (err error) {
	for range 5 { // a copy that was made while the node wrote may be torn
		var values [][]byte
		if values, err = records(path); err == nil {
			for _, v := range values {
				s.bytes(name+" (record)", v)
			}
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func records(path string) (all [][]byte, err error) {
	dir, err := os.MkdirTemp("", "wellspring-search-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + end)
		if end == "" || !os.IsNotExist(err) {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, "copy"+end), b, 0o600))
		} else {
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "copy"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tables, err := column(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		columns, err := column(db, "SELECT name FROM pragma_table_info(?)", string(table))
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			values, err := column(db, fmt.Sprintf("SELECT CAST(%q AS BLOB) FROM %q", c, table))
			if err != nil {
				return nil, err
			}
			all = append(all, values...)
		}
	}
	return all, nil
}

// column reads the one column of a query.
func column(db *sql.DB, query string, args ...any) (all [][]byte, err error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// closed are the first bytes of packed files that cannot be looked into here: none must be there.
var closed = map[string]string{
	"zstd": "\x28\xb5\x2f\xfd", "xz": "\xfd7zXZ", "bzip2": "BZh", "zip": "PK\x03\x04", "S2": "\xff\x06\x00\x00S2sTwO",
	"Snappy": "\xff\x06\x00\x00sNaPpY", "LZ4": "\x04\x22\x4d\x18", "age in armour": "-----BEGIN AGE ENCRYPTED",
}

// file looks in one file and in what is packed in it.
func (s *searcher) file(name string, b []byte) error {
	for kind, begins := range closed {
		if bytes.HasPrefix(b, []byte(begins)) {
			return fmt.Errorf("%s cannot be looked into: it is %s", name, kind)
		}
	}
	switch {
	case len(b) > 262 && string(b[257:262]) == "ustar":
		return s.tar(name, b)
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return s.gzip(name, b)
	case bytes.HasPrefix(b, []byte("age-encryption.org/")):
		return s.age(name, b)
	}
	s.bytes(name, b)
	return nil
}

func (s *searcher) gzip(name string, b []byte) error {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	inner, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return s.file(name+" (gzip)", inner)
}

func (s *searcher) age(name string, b []byte) error {
	r, err := age.Decrypt(bytes.NewReader(b), s.keys...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	inner, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return s.file(name+" (age)", inner)
}

func (s *searcher) tar(name string, b []byte) error {
	r := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		var inner []byte
		if err == nil {
			inner, err = io.ReadAll(r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.bytes("the name of "+name+": "+h.Name, []byte(h.Name))
		if s.spare(h.Name) {
			continue
		}
		if err := s.file(name+": "+h.Name, inner); err != nil {
			return err
		}
	}
}

func (s *searcher) bytes(name string, b []byte) {
	s.looked += int64(len(b))
	for i := 0; i+4 <= len(b); i++ {
		if !s.begins[uint16(b[i])|uint16(b[i+1])<<8] {
			continue
		}
		for _, f := range s.forms[binary.LittleEndian.Uint32(b[i:])] {
			if bytes.HasPrefix(b[i:], f.bytes) {
				s.found = append(s.found, fmt.Sprintf("%s at byte %d: %s", name, i, f.what))
			}
		}
	}
}

// Every form of every canary is seen in every kind of file that a network leaves behind, and nothing
// is seen where there is none.
func TestSearcher(t *testing.T) {
	all := canaries([]string{"north", "east", "south"})
	var hidden []byte
	for _, c := range all {
		for _, b := range c.forms {
			hidden = append(append(hidden, b...), '\n')
		}
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for kind, put := range map[string]func(path string, b []byte) error{
		"a log": putFile, "a journal": putJournal, "a packed file": putGzip,
		"a backup":         func(path string, b []byte) error { return putBackup(key.Recipient(), path, "studies/a.json", b) },
		"a deeper folder":  func(path string, b []byte) error { return putFile(filepath.Join(path, "a", "b", "c"), b) },
		"beside the store": func(path string, b []byte) error { return putFile(filepath.Join(path, "data", "heart.v1.json"), b) },
	} {
		t.Run(kind, func(t *testing.T) {
			for _, b := range [][]byte{[]byte(wardHeader), hidden} {
				dir := t.TempDir()
				if err := put(filepath.Join(dir, "north"), b); err != nil {
					t.Fatal(err)
				}
				s := newSearcher(all, spared, key)
				if err := s.tree(dir); err != nil || s.looked < int64(len(b)) {
					t.Fatalf("%d bytes searched: %v", s.looked, err)
				}
				if len(b) == len(wardHeader) {
					if len(s.found) > 0 {
						t.Fatalf("found where there is none: %v", s.found)
					}
					continue
				}
				for _, c := range all {
					for what := range c.forms {
						if !slices.ContainsFunc(s.found, func(f string) bool { return strings.HasSuffix(f, ": "+c.name+": "+what) }) {
							t.Errorf("%s as %s is not found", c.name, what)
						}
					}
				}
			}
		})
	}
	t.Run("a store", func(t *testing.T) { // which alone is passed over, also in a backup
		dir := t.TempDir()
		if err := errors.Join(putFile(filepath.Join(dir, "north", "data", "heart.v1.duckdb"), hidden), putBackup(key.Recipient(), filepath.Join(dir, "b"), "data/heart.v1.duckdb", hidden)); err != nil {
			t.Fatal(err)
		}
		s := newSearcher(all, spared, key)
		if err := s.tree(dir); err != nil || len(s.found) > 0 {
			t.Fatal(err, s.found)
		}
	})
	t.Run("closed", func(t *testing.T) {
		dir := t.TempDir()
		if err := putFile(filepath.Join(dir, "x"), []byte("\x28\xb5\x2f\xfd and more")); err != nil {
			t.Fatal(err)
		}
		if err := newSearcher(all, spared).tree(dir); err == nil {
			t.Fatal("a file that cannot be looked into is passed over")
		}
	})
}

func putFile(path string, b []byte) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600))
}

// putJournal leaves b in a record that is longer than a page.
func putJournal(path string, b []byte) error {
	db, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(db.Run("0123").Save(runs.Record{Key: "state", Bytes: b}), db.Close())
}

func putGzip(path string, b []byte) error {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	return errors.Join(err, w.Close(), putFile(path, out.Bytes()))
}

func putBackup(to age.Recipient, path, name string, b []byte) error {
	_, err := archive.Write(path, []age.Recipient{to}, backup{}, []archive.Entry{{Name: name, Open: func() (io.ReadCloser, int64, time.Time, error) {
		return io.NopCloser(bytes.NewReader(b)), int64(len(b)), time.Time{}, nil
	}}})
	return err
}
