package ledger

import (
	"context"
	"iter"
)

// A Receipt says that a transaction is final.
type Receipt struct {
	Digest Hash   `json:"digest"`
	Height Height `json:"height"` // of its block
}

// A Block is a run of transactions that became final together.
type Block struct {
	Height Height
	Txs    []Tx
	Root   Hash // of the state after them
}

// A Ledger is the one order of transactions that the members of a network
// agree on, as one replica sees it. All its methods may be called concurrently.
// [ledgertest.Run] holds every implementation to what is promised here.
//
// [ledgertest.Run]: https://pkg.go.dev/wellspring/ledger/ledgertest#Run
type Ledger interface {
	// Submit returns once tx is final: it is then in State, in every later
	// Watch, and survives the loss of power. A tx that is there already, told by
	// its digest, gets its first receipt again. A tx that [Apply] refuses
	// changes nothing and gets that error. Unreachable says that it is not
	// known whether tx became final: submitting it again is safe.
	Submit(ctx context.Context, tx Tx) (Receipt, error)

	// State is the newest state of this replica. It never changes.
	State() State

	// Watch yields the blocks above a height, in order and without gaps: those
	// that are there, then those that come, until ctx is done. An error is the
	// last thing that it yields; at the end of ctx it yields none.
	Watch(ctx context.Context, after Height) iter.Seq2[Block, error]

	// Prove proves what stood under k at a height, or that nothing did. A height
	// that is yet to come is Invalid.
	Prove(k Key, at Height) (Proof, error)
}
