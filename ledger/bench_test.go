package ledger_test

import (
	"fmt"
	"testing"

	"wellspring/ledger"
	. "wellspring/ledger/ledgertest"
)

// decisions alternate on a chain with a thousand sites.
func wide(b *testing.B) Net {
	n := InMemory(b)
	n.Found()
	for i := range 1000 {
		n.Must("centre", n.Site(fmt.Sprint("site", i)))
	}
	return n
}

func BenchmarkApply(b *testing.B) {
	n := wide(b)
	q := Question("s", "anzhen", 1)
	tx := n.Sign("inst-anzhen", Decide(q, ledger.Withdraw))
	s := n.State()
	for b.Loop() {
		if _, _, err := ledger.Apply(s, tx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeTx(b *testing.B) {
	n := wide(b)
	raw := n.Sign("inst-anzhen", Decide(Question("s", "anzhen", 1), ledger.Withdraw)).Bytes()
	for b.Loop() {
		if _, err := ledger.DecodeTx(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkApproved(b *testing.B) {
	n := wide(b)
	s := n.State()
	q := Question("s", "anzhen", 1)
	for b.Loop() {
		if err := s.Approved(q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	n := wide(b)
	s := n.State()
	root := s.Root()
	k := ledger.SiteKey("site500")
	for b.Loop() {
		if _, present, err := s.Prove(k).Verify(root, k); err != nil || !present {
			b.Fatal(err)
		}
	}
}
