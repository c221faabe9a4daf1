package file

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
)

// childDir tells the test's own binary to be the process that is killed.
const childDir = "WELLSPRING_TEST_LEDGER_DIR"

// TestKilled_Child is that process: it submits without end and prints what was
// acknowledged.
func TestKilled_Child(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return // it is no test of its own
	}
	l := openDir(t, dir)
	n := ledgertest.On(t, l)
	for i := 0; ; i++ {
		tx := n.Sign("operator", n.Institution(fmt.Sprint("i", l.State().Height(), "-", i)))
		if _, err := l.Submit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("acknowledged %s\n", tx.Digest())
	}
}

// A process is killed while it submits, again and again: the lock goes with it,
// and what it has acknowledged is there.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	ledgertest.On(t, l).Must("operator", ledgertest.On(t, l).Genesis())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		acknowledged := killAfter(t, dir, 3+7*round)
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range acknowledged {
			if _, known := l.known[h]; !known {
				t.Errorf("round %d: an acknowledged transaction is lost", round)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter kills a child once it has acknowledged n transactions, and returns
// all that it has.
func killAfter(t *testing.T, dir string, n int) (acknowledged []ledger.Hash) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled_Child$")
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var text string
		if _, err := fmt.Sscanf(lines.Text(), "acknowledged %s", &text); err != nil {
			continue
		}
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 32 {
			break // the last line, cut short
		}
		if acknowledged = append(acknowledged, ledger.Hash(b)); len(acknowledged) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if child.Wait() == nil || len(acknowledged) < n {
		t.Fatalf("the child ended by itself after %d", len(acknowledged))
	}
	return acknowledged
}
