package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/ledger/ledgertest"
)

// ran gives exit code, output and errors of a command line.
func ran(args ...string) (int, string, string) {
	var out, errOut strings.Builder
	code := run(context.Background(), append([]string{"--lang", "en"}, args...), &out, &errOut)
	return code, out.String(), errOut.String()
}

var testSalt = ledger.Salt{1, 2, 3}

// playedLedger makes a folder with a ledger on which a run has been released.
func playedLedger(t *testing.T, result []byte) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "ledger")
	l, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := ledgertest.On(t, l)
	n.Found()
	id := ledgertest.RunID("r")
	n.Must("hub", ledgertest.Open("s", "r", 1, ledgertest.Sites...))
	n.Must("hub", &ledger.MarkSum{Epoch: 1, Run: id})
	n.Must("hub", &ledger.CloseRun{Epoch: 1, Outcome: ledger.OK, Result: ledgertest.Hash("other"), Rounds: ledgertest.Hash("rounds"), Run: id})
	n.Must("hub", &ledger.ReleaseResult{Key: ledgertest.Public("account wang").ID(), Requester: ledgertest.Account("wang"),
		Result: ledger.Commit(testSalt, result), Run: id})
	return dir
}

func TestLedgerCommands(t *testing.T) {
	result := []byte(`{"study":"s"}`)
	dir := playedLedger(t, result)
	tmp := t.TempDir()
	path := func(name string, b []byte) string {
		p := filepath.Join(tmp, name)
		if b != nil {
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	out, genesis := path("l.ledger", nil), path("genesis.json", nil)
	salt, _ := testSalt.MarshalText()
	good := path("result.json", result)
	want := func(code int, word string, args ...string) string {
		t.Helper()
		got, stdout, stderr := ran(args...)
		if got != code || !strings.Contains(stdout+stderr, word) || strings.Contains(stdout+stderr, "%!") {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", args, got, code, word, stdout, stderr)
		}
		return stdout
	}
	want(0, "21 blocks were written", "ledger", "export", "--dir", dir, "--out", out, "--genesis", genesis)
	want(0, "proved: every transaction", "ledger", "verify", out)
	want(0, "site hub released it", "ledger", "verify", out, "--genesis", genesis, "--result", good, "--salt", string(salt))
	want(0, "site anzhen approves study", "ledger", "show", out)
	want(0, "site hub opens epoch 1", "ledger", "show", "--dir", dir)
	if lines := strings.Count(want(0, `"holder":"operator"`, "ledger", "show", out, "--json"), "\n"); lines != 21 {
		t.Errorf("%d lines of JSON", lines)
	}
	if _, zh, _ := ran("ledger", "verify", out, "--lang", "zh"); !strings.Contains(zh, "未证明") {
		t.Errorf("in Chinese: %s", zh)
	}

	whole, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(whole)
	altered[len(altered)/2] ^= 1
	first, err := os.ReadFile(genesis)
	if err != nil {
		t.Fatal(err)
	}
	want(6, "damaged", "ledger", "verify", path("altered", altered))
	want(6, "damaged", "ledger", "verify", path("short", whole[:len(whole)-1]))
	want(6, "no log of a ledger", "ledger", "verify", good)
	want(2, "empty", "ledger", "verify", path("empty", whole[:17]))
	want(6, "another genesis", "ledger", "verify", out, "--genesis", path("g2", bytes.Replace(first, []byte("test"), []byte("tost"), 1)))
	want(6, "no commitment", "ledger", "verify", out, "--result", path("r2", []byte(`{"study":"t"}`)), "--salt", string(salt))
	want(6, "no commitment", "ledger", "verify", out, "--result", good, "--salt", strings.Repeat("00", 32))
	want(2, "hex digits", "ledger", "verify", out, "--result", good, "--salt", "zz")
	want(2, "cannot be read", "ledger", "verify", filepath.Join(tmp, "none"))
	want(2, "no ledger", "ledger", "show", "--dir", tmp)
	want(2, "no ledger", "ledger", "export", "--dir", tmp, "--out", out)
	want(2, "cannot be written", "ledger", "export", "--dir", dir, "--out", filepath.Join(tmp, "no", "where"))
	for _, args := range [][]string{{}, {"x"}, {"show"}, {"show", out, "--dir", dir}, {"verify"}, {"verify", out, "--salt", "00"}, {"export", "--out", out}} {
		want(2, "wants", append([]string{"ledger"}, args...)...)
	}
	want(0, "Usage", "ledger", "help")
}
