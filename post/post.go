package post

import (
	"encoding/binary"
	"encoding/json"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/run"
)

// Labels of letters that are no messages of a run. Their Run is "ledger".
const (
	Submit  = "tx"      // a transaction, to whoever orders them
	Receipt = "receipt" // what became of it
	Since   = "since"   // asks for the blocks above a height
	Block   = "block"   // one block of the ledger
	Head    = "head"    // height and root of whoever orders, now
	Study   = "study"   // the text of a study, in canonical form
	Back    = "back"    // a site has come back, and asks for what is under way in a run
)

// Ledger is the Run of letters about the ledger.
const Ledger = "ledger"

// Bounds of bodies, in bytes.
const (
	maxSmall = 4 << 10
	maxTx    = 64 << 10
	maxStudy = 16 << 20
)

// Limit is the longest body of a label that may come in; 0 for no such label.
func Limit(label string) int64 {
	switch label {
	case Submit, Block:
		return maxTx
	case Receipt, Since, Head, Back:
		return maxSmall
	case Study:
		return maxStudy
	}
	return run.Step(label).Bound()
}

// Letter puts a message of a run into a letter.
func Letter(m run.Message) mesh.Letter {
	return mesh.Letter{From: m.From, To: m.To, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Label: string(m.Step), Body: m.Body}
}

// Message takes it out again.
func Message(d *mesh.Delivery) (run.Message, error) {
	b, err := d.Bytes()
	if err != nil {
		return run.Message{}, err
	}
	return run.Message{From: d.From, To: d.To, Run: d.Run, Epoch: d.Epoch, Round: d.Round, Step: run.Step(d.Label), Body: b}, nil
}

// A Fate is the body of [Receipt]: a height, or why the transaction was refused.
type Fate struct {
	Digest ledger.Hash   `json:"digest"`
	Height ledger.Height `json:"height,omitempty"`
	Kind   string        `json:"kind,omitempty"`
	Msg    ws.Text       `json:"msg,omitzero"`
	Hint   ws.Text       `json:"hint,omitzero"`
}

// A Mark is the body of [Head], and its height that of [Since].
type Mark struct {
	Height ledger.Height `json:"height"`
	Root   ledger.Hash   `json:"root"`
}

// JSON packs the body of a letter about the ledger.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // the types of this package always do
		panic(err)
	}
	return b
}

// BlockBody packs a block of one transaction.
func BlockBody(b ledger.Block) ([]byte, error) {
	if len(b.Txs) != 1 {
		return nil, ws.Errorf(ws.Other, "post", ws.T("a block of this release holds one transaction", "本版本的每个区块含一笔交易"))
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(b.Height)), b.Txs[0].Bytes()...), nil
}

// ReadBlock undoes BlockBody.
func ReadBlock(b []byte) (ledger.Height, ledger.Tx, error) {
	if len(b) < 8 {
		return 0, ledger.Tx{}, ws.Errorf(ws.Invalid, "post", ws.T("a block is not well formed", "区块格式不正确"))
	}
	tx, err := ledger.DecodeTx(b[8:])
	return ledger.Height(binary.BigEndian.Uint64(b)), tx, err
}
