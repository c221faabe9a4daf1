package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// At full scale a claim that does not hold is written and is an error, and the
// others are measured all the same; at a smaller one it is not judged.
func TestMeasureAll(t *testing.T) {
	t.Chdir(t.TempDir())
	ran := ""
	made := func(name string, holds bool, err error) proof {
		return proof{name, "a claim", func(_ context.Context, _ float64, r *Report) error {
			ran += name
			r.Holds = holds
			return err
		}}
	}
	good, bad := made("good", true, nil), made("bad", false, nil)

	if err := measureAll(t.Context(), []proof{good}, 0.01); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a claim without its file: %v", err)
	}
	err := measureAll(t.Context(), []proof{bad, good}, 1)
	if !errors.Is(err, errFails) || !strings.Contains(err.Error(), "bad") || strings.Contains(err.Error(), "good") {
		t.Errorf("a claim that fails: %v", err)
	}
	for name, holds := range map[string]bool{"good": true, "bad": false} {
		var r Report
		b, err := os.ReadFile(filepath.Join("docs", "numbers", name+".json"))
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil || r.Holds != holds || !strings.Contains(string(b), `"holds"`) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
	if err := measureAll(t.Context(), []proof{good}, 1); err != nil {
		t.Error(err)
	}
	if err := measureAll(t.Context(), []proof{bad, good}, 0.01); err != nil {
		t.Errorf("judged at a hundredth: %v", err)
	}
	ran = ""
	broken := made("broken", true, errors.New("no disk"))
	if err := measureAll(t.Context(), []proof{broken, good}, 1); err == nil || ran != "broken" {
		t.Errorf("went on to %q after %v", ran, err)
	}
}

// Every proof has its file in docs/numbers.
func TestProofs(t *testing.T) {
	for _, p := range proofs {
		if _, err := os.Stat(filepath.Join("..", "docs", "numbers", p.name+".json")); err != nil {
			t.Error(err)
		}
	}
}
