package post

import (
	"context"
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
	Blocks  = "blocks"  // blocks of the ledger, in order
	Head    = "head"    // height and root of whoever orders, now
	Study   = "study"   // the text of a study, in canonical form
	Roll    = "roll"    // what a node says of itself, and the hub of all; see package roll
	Words   = "words"   // what a reviewer says of an answer, to whoever conducted its run
	Back    = "back"    // a site has come back, and asks for what is under way in a run
)

// Ledger is the Run of letters about the ledger.
const Ledger = "ledger"

// Bounds of bodies, in bytes.
const (
	maxSmall  = 4 << 10
	maxWords  = 16 << 10
	maxBlocks = ledger.MaxTx + Batch + 64
	maxStudy  = 16 << 20
	maxRoll   = 256 << 10
)

// Limit is the longest body of a label that may come in; 0 for no such label.
func Limit(label string) int64 {
	switch label {
	case Submit:
		return ledger.MaxTx
	case Blocks:
		return maxBlocks
	case Receipt, Since, Head, Back:
		return maxSmall
	case Words:
		return maxWords
	case Study:
		return maxStudy
	case Roll:
		return maxRoll
	}
	return run.Step(label).Bound()
}

// A Link is what a node's service needs of its end of the mesh; [mesh.Link] is one.
type Link interface {
	Send(context.Context, mesh.Letter) error
	Each(ctx context.Context, take func(*mesh.Delivery), report func(error)) error
	Finish(run string)
	Runs() []string
	Backlog() map[ws.SiteID]int
}

// Letter puts a message of a run into a letter.
func Letter(m run.Message) mesh.Letter {
	return mesh.Letter{From: m.From, To: m.To, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Label: string(m.Step), Body: m.Body}
}

// Bare is the message in a letter without its body, which may be long: whoever has
// no use for it need not read it.
func Bare(d *mesh.Delivery) run.Message {
	return run.Message{From: d.From, To: d.To, Run: d.Run, Epoch: d.Epoch, Round: d.Round, Step: run.Step(d.Label)}
}

// Message takes it out whole.
func Message(d *mesh.Delivery) (m run.Message, err error) {
	m = Bare(d)
	m.Body, err = d.Bytes()
	return m, err
}

// TooLong refuses a letter of a run that is longer than what it answers or asks can be.
func TooLong(d *mesh.Delivery) error {
	return ws.Errorf(ws.Invalid, "message", ws.T("the message %q of %s is longer than any such can be here", "%[2]s 的消息 %[1]q 超过此处可能的最大长度", d.Label, d.From))
}

// A Fate is the body of [Receipt]: a height, or why the transaction was refused.
type Fate struct {
	Digest ledger.Hash   `json:"digest"`
	Height ledger.Height `json:"height,omitempty"` // of its block, or of the state that refused it
	Kind   string        `json:"kind,omitempty"`
	Msg    ws.Text       `json:"msg,omitzero"`
	Hint   ws.Text       `json:"hint,omitzero"`
}

// A Mark is the body of [Head] and, but for its root, of [Since].
type Mark struct {
	Height ledger.Height `json:"height"`
	Root   ledger.Hash   `json:"root"`
	// Nonce of a request comes back in the head that answers it, so that this is
	// known to be no older than the request.
	Nonce string `json:"nonce,omitempty"`
	// Texts asks the hub for the texts of all studies, too.
	Texts bool `json:"texts,omitempty"`
}

// ReadMark takes a mark out of a letter.
func ReadMark(d *mesh.Delivery) (m Mark, err error) {
	b, err := d.Bytes()
	if err == nil && json.Unmarshal(b, &m) != nil {
		err = ws.Errorf(ws.Invalid, "post", ws.T("the letter of %s is not well formed", "%s 的信件格式不正确", d.From))
	}
	return m, err
}

// JSON packs the body of a letter about the ledger.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // the types of this package always do
		panic(err)
	}
	return b
}

// Batch is from how many bytes on a letter takes no further block.
const Batch = 64 << 10

// BlockBody packs a block of one transaction; the body of [Blocks] is one such
// after the other. A block's length, as a uvarint, its height and its transaction follow each other.
func BlockBody(b ledger.Block) ([]byte, error) {
	if len(b.Txs) != 1 {
		return nil, ws.Errorf(ws.Other, "post", ws.T("a block of this release holds one transaction", "本版本的每个区块含一笔交易"))
	}
	tx := b.Txs[0].Bytes()
	out := binary.AppendUvarint(make([]byte, 0, len(tx)+8+binary.MaxVarintLen32), uint64(8+len(tx)))
	return append(binary.BigEndian.AppendUint64(out, uint64(b.Height)), tx...), nil
}

// ReadBlock takes the first block out of a body: its height, its transaction as it
// came, and what is left.
func ReadBlock(b []byte) (h ledger.Height, tx, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n < 8 || n > uint64(len(b)-k) {
		return 0, nil, nil, ws.Errorf(ws.Invalid, "post", ws.T("a block is not well formed", "区块格式不正确"))
	}
	b, rest = b[k:k+int(n)], b[k+int(n):]
	return ledger.Height(binary.BigEndian.Uint64(b)), b[8:], rest, nil
}
