package analyzetest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"wellspring/analyze"
	"wellspring/stat"
	"wellspring/study"
)

var update = flag.Bool("update-golden", false, "record the sums and states of one run of every case again")

// A recording is one run: its question, the opened sums, and the digests of
// the states between them. Folds may differ in their last bits between
// processors, so the sums are recorded; the steps between them may not.
type recording struct {
	Study  json.RawMessage `json:"study"` // canonical
	Facts  analyze.Facts   `json:"facts"`
	Sums   [][]byte        `json:"sums"`   // each round's ring, 16 bytes an entry
	States []string        `json:"states"` // SHA-256: the first, and that after each sum
}

// golden plays the recorded sums of a case again. The case must still ask what
// was recorded.
func golden(t *testing.T, m analyze.Method, c Case, s *study.Study) {
	path := filepath.Join("testdata", "golden", m.Name()+"-"+c.Name+".json.gz")
	pol := c.policy()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: s, parts: c.pooledParts(), policy: pol, workers: 1}
	if *update {
		record(t, r, path)
	}
	p, err := r.bind()
	if err != nil {
		t.Fatal(err)
	}
	if Replay(t, analyze.Catalog{m}, path).ID() != p.ID() {
		t.Errorf("%s is of another question than the case (record it with -update-golden)", path)
	}
}

// Replay takes a recorded run through Start and Next, from the sums that were
// opened then, and fails unless every state has the bits that it had. It reads
// no rows.
func Replay(t *testing.T, c analyze.Catalog, path string) *analyze.Program {
	t.Helper()
	rec := load(t, path)
	s, err := study.Parse(rec.Study, path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := analyze.New(c, s.WithDefaults(), rec.Facts)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range replay(t, p, rec.Sums) {
		if i >= len(rec.States) || got != rec.States[i] {
			t.Errorf("%s: the recorded sums lead to another state after %d rounds", path, i)
			break
		}
	}
	return p
}

func record(t *testing.T, r *runner, path string) {
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	p, err := r.bind()
	if err != nil {
		t.Fatal(err)
	}
	rec := recording{Facts: p.Facts()}
	if rec.Study, err = p.Study().Canonical(); err != nil {
		t.Fatal(err)
	}
	for _, rd := range r.rounds {
		b, _ := rd.sum.AppendBinary(nil)
		rec.Sums = append(rec.Sums, b)
	}
	rec.States = replay(t, p, rec.Sums)
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string) recording {
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v (record it with -update-golden)", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var rec recording
	if err := json.Unmarshal(b, &rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

// replay gives the digests of the states that the sums lead to; the last must
// hold results.
func replay(t *testing.T, p *analyze.Program, sums [][]byte) []string {
	state, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	digests := []string{digest(state)}
	var results []study.Result
	for _, b := range sums {
		shape, err := p.Ask(state)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := stat.ParseRing(b, shape.Len())
		if err != nil {
			t.Fatal(err)
		}
		if state, results, err = p.Next(state, stat.Sum{Shape: shape, Ring: ring, Sites: 1}); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest(state))
	}
	if results == nil {
		t.Fatal("the recorded sums lead to no result")
	}
	return digests
}

func digest(s analyze.State) string {
	d := sha256.Sum256(s)
	return hex.EncodeToString(d[:])
}
