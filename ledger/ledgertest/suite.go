package ledgertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
)

// A Store is an empty ledger under test.
type Store struct {
	Ledger ledger.Ledger
	// Reopen gives the ledger as it is after a loss of power; the one before is
	// dead. Nil where the implementation has no store of its own.
	Reopen func(t *testing.T) ledger.Ledger
}

// Run tests the ledgers that open returns. Every implementation calls it.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"order", testOrder}, {"idempotence", testIdempotence}, {"refusal", testRefusal}, {"durability", testDurability},
		{"watch", testWatch}, {"snapshots", testSnapshots}, {"concurrency", testConcurrency}, {"proofs", testProofs},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// collect gives the transactions of the blocks above a height, n of them.
func collect(t *testing.T, l ledger.Ledger, after ledger.Height, n int) (txs []ledger.Tx, last ledger.Block) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for b, err := range l.Watch(ctx, after) {
		if err != nil {
			t.Fatal(err)
		}
		if after++; b.Height != after {
			t.Fatalf("height %d, want %d", b.Height, after)
		}
		txs, last = append(txs, b.Txs...), b
		if len(txs) >= n {
			return txs, last
		}
	}
	t.Fatalf("%d transactions, want %d", len(txs), n)
	return nil, last
}

// Blocks come in the order of submission, and Apply over them gives the root.
func testOrder(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	var sent []ledger.Hash
	n.Submit = func(tx ledger.Tx) error {
		before := s.Ledger.State().Height()
		r, err := s.Ledger.Submit(t.Context(), tx)
		if err == nil {
			sent = append(sent, tx.Digest())
			if r.Digest != tx.Digest() || r.Height != before+1 || s.Ledger.State().Height() < r.Height {
				t.Errorf("receipt %v after height %d", r, before)
			}
		}
		return err
	}
	n.Found()
	txs, last := collect(t, s.Ledger, 0, len(sent))
	var state ledger.State
	for i, tx := range txs {
		if tx.Digest() != sent[i] {
			t.Errorf("transaction %d is not the one that was sent", i)
		}
		var err error
		if state, _, err = ledger.Apply(state, tx); err != nil {
			t.Fatal(err)
		}
	}
	if state.Root() != s.Ledger.State().Root() || last.Root != state.Root() {
		t.Error("the root is not that of the transactions")
	}
}

func testIdempotence(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	n.Must("operator", n.Genesis())
	tx := n.Sign("operator", n.Institution("centre"))
	first, err := s.Ledger.Submit(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	n.Must("operator", n.Institution("other"))
	height := s.Ledger.State().Height()
	again, err := s.Ledger.Submit(t.Context(), tx)
	if err != nil || again != first || s.Ledger.State().Height() != height {
		t.Errorf("again: %v, %v; first %v", again, err, first)
	}
	if _, err := s.Ledger.Submit(t.Context(), Forged(t, tx)); ws.KindOf(err) != ws.Denied {
		t.Errorf("a forged signature under a known digest: %v", err)
	}
}

// Forged gives tx with another signature under the same digest.
func Forged(t *testing.T, tx ledger.Tx) ledger.Tx {
	t.Helper()
	raw := tx.Bytes()
	i := len(raw) - 3 // the last digit of the signature, the last field
	if raw[i] == '0' {
		raw[i] = '1'
	} else {
		raw[i] = '0'
	}
	forged, err := ledger.DecodeTx(raw)
	if err != nil || forged.Digest() != tx.Digest() {
		t.Fatalf("forging: %v", err)
	}
	return forged
}

// What Apply refuses changes nothing and is no block.
func testRefusal(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	if err := n.Do("operator", n.Institution("early")); ws.KindOf(err) != ws.Denied {
		t.Errorf("before the genesis: %v", err)
	}
	n.Found()
	root, height := s.Ledger.State().Root(), s.Ledger.State().Height()
	for _, tx := range []ledger.Tx{{}, Forged(t, n.Sign("operator", n.Institution("new"))), n.Sign("centre", n.Institution("new"))} {
		if _, err := s.Ledger.Submit(t.Context(), tx); err == nil {
			t.Error("a bad transaction was taken")
		}
	}
	if s.Ledger.State().Root() != root || s.Ledger.State().Height() != height {
		t.Error("a refusal changed the state")
	}
}

func testDurability(t *testing.T, s Store) {
	if s.Reopen == nil {
		return
	}
	n := On(t, s.Ledger)
	n.Found()
	before := s.Ledger.State()
	tx := n.Sign("operator", n.Institution("late"))
	receipt, err := s.Ledger.Submit(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	after := s.Ledger.State()
	l := s.Reopen(t)
	if l.State().Root() != after.Root() || l.State().Height() != after.Height() {
		t.Fatalf("height %d after reopening, want %d", l.State().Height(), after.Height())
	}
	if again, err := l.Submit(t.Context(), tx); err != nil || again != receipt {
		t.Errorf("again after reopening: %v, %v; first %v", again, err, receipt)
	}
	if p, err := l.Prove(ledger.InstitutionKey("late"), before.Height()); err != nil {
		t.Error(err)
	} else if _, present, err := p.Verify(before.Root(), ledger.InstitutionKey("late")); err != nil || present {
		t.Errorf("an old height after reopening: %v, %v", present, err)
	}
	On(t, l).Must("operator", On(t, l).Institution("later"))
}

// Watch yields what is there and what comes, and ends with its context.
func testWatch(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	n.Found()
	height := s.Ledger.State().Height()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	seen := make(chan ledger.Height, 64)
	go func() {
		defer close(seen)
		for b, err := range s.Ledger.Watch(ctx, height-2) {
			if err != nil {
				t.Error(err)
			}
			seen <- b.Height
		}
	}()
	await := func(h ledger.Height) {
		t.Helper()
		select {
		case got := <-seen:
			if got != h {
				t.Fatalf("height %d, want %d", got, h)
			}
		case <-time.After(time.Minute):
			t.Fatalf("height %d never came", h)
		}
	}
	await(height - 1)
	await(height)
	n.Must("operator", n.Institution("live"))
	await(height + 1)
	n.Must("operator", n.Institution("alive"))
	await(height + 2)
	stop()
	select {
	case _, open := <-seen:
		if open {
			t.Error("a block that never was")
		}
	case <-time.After(time.Minute):
		t.Error("Watch does not end with its context")
	}
}

func testSnapshots(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	n.Found()
	old := s.Ledger.State()
	root, height := old.Root(), old.Height()
	q := Question("s", Sites[0], 1)
	n.Must("inst-"+Sites[0], Decide(q, ledger.Withdraw))
	if old.Root() != root || old.Height() != height || old.Withdrawn(q) || old.Approved(q) != nil {
		t.Error("a snapshot changed")
	}
	if now := s.Ledger.State(); now.Root() == root || !now.Withdrawn(q) {
		t.Error("the state did not change")
	}
}

// Many submit at once; each transaction becomes final once.
func testConcurrency(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	n.Must("operator", n.Genesis())
	const members, each = 6, 5
	for i := range members {
		n.Must("operator", n.Institution(fmt.Sprint("inst", i)))
	}
	start := s.Ledger.State()
	var wg sync.WaitGroup
	for i := range members {
		who := fmt.Sprint("inst", i)
		for range 2 { // two submit the same
			wg.Go(func() { submitSites(t, s.Ledger, start, who, each) })
		}
	}
	wg.Wait()
	txs, _ := collect(t, s.Ledger, start.Height(), members*each)
	seen := map[ledger.Hash]bool{}
	for _, tx := range txs {
		if seen[tx.Digest()] {
			t.Error("a transaction became final twice")
		}
		seen[tx.Digest()] = true
	}
	if got := s.Ledger.State().Height() - start.Height(); len(seen) != members*each || got > members*each {
		t.Errorf("%d transactions in %d blocks, want %d", len(seen), got, members*each)
	}
}

// submitSites submits sites of who, with numbers from where who stands in start.
func submitSites(t *testing.T, l ledger.Ledger, start ledger.State, who string, each int) {
	n := On(t, l)
	for j := range each {
		body := n.Site(fmt.Sprint(who, "-", j))
		tx, err := ledger.Sign(n.Chain(), start.Seq(Public(who).ID())+uint64(j)+1, body, Key(who))
		if err == nil {
			_, err = l.Submit(t.Context(), tx)
		}
		if err != nil {
			t.Errorf("%s, site %d: %v", who, j, err)
		}
	}
}

// Proofs hold against the root of their height, and of no other.
func testProofs(t *testing.T, s Store) {
	n := On(t, s.Ledger)
	n.Found()
	old := s.Ledger.State()
	q := Question("s", Sites[0], 1)
	n.Must("inst-"+Sites[0], Decide(q, ledger.Withdraw))
	for _, state := range []ledger.State{old, s.Ledger.State()} {
		p, err := s.Ledger.Prove(ledger.DecisionKey(q), state.Height())
		if err != nil {
			t.Fatal(err)
		}
		want, _ := state.Value(ledger.DecisionKey(q))
		got, present, err := p.Verify(state.Root(), ledger.DecisionKey(q))
		if err != nil || !present || string(got) != string(want) {
			t.Errorf("height %d: %s, %v, %v", state.Height(), got, present, err)
		}
	}
	p, err := s.Ledger.Prove(ledger.DecisionKey(q), old.Height())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Verify(s.Ledger.State().Root(), ledger.DecisionKey(q)); ws.KindOf(err) != ws.Diverged {
		t.Errorf("an old proof against a new root: %v", err)
	}
	if _, err := s.Ledger.Prove(ledger.DecisionKey(q), s.Ledger.State().Height()+1); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a height to come: %v", err)
	}
}
