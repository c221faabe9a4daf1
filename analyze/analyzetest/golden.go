package analyzetest

import (
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

// A recording is one run's opened sums and the digest of all states that they
// lead to. Folds may differ in their last bits between processors, so the sums
// are recorded; the steps between them may not.
type recording struct {
	Sums   [][]byte `json:"sums"` // each round's ring, 16 bytes an entry
	Digest string   `json:"digest"`
}

// golden replays the recorded sums of a case through Next and compares the
// digest of all states and results.
func golden(t *testing.T, m analyze.Method, c Case, s *study.Study) {
	path := filepath.Join("testdata", "golden", m.Name()+"-"+c.Name+".json.gz")
	pol := c.policy()
	pol.MinSites, pol.FewSites = 1, true
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: s, parts: c.pooledParts(), policy: pol, workers: 1}
	if *update {
		record(t, r, path)
	}
	rec := load(t, path)
	p, err := r.bind()
	if err != nil {
		t.Fatal(err)
	}
	if got := replay(t, p, rec.Sums); got != rec.Digest {
		t.Errorf("%s: the recorded sums lead to states with digest %s, want %s", path, got, rec.Digest)
	}
}

func record(t *testing.T, r *runner, path string) {
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
	var rec recording
	for _, rd := range r.rounds {
		b, _ := rd.sum.AppendBinary(nil)
		rec.Sums = append(rec.Sums, b)
	}
	p, err := r.bind()
	if err != nil {
		t.Fatal(err)
	}
	rec.Digest = replay(t, p, rec.Sums)
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
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

func replay(t *testing.T, p *analyze.Program, sums [][]byte) string {
	h := sha256.New()
	state, err := p.Start()
	for _, b := range sums {
		if err != nil {
			t.Fatal(err)
		}
		shape, err2 := p.Ask(state)
		if err2 != nil {
			t.Fatal(err2)
		}
		ring, err2 := stat.ParseRing(b, shape.Len())
		if err2 != nil {
			t.Fatal(err2)
		}
		var results []study.Result
		state, results, err = p.Next(state, stat.Sum{Shape: shape, Ring: ring, Sites: 1})
		h.Write(state)
		if results != nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
