package ledger

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"io"

	"github.com/gowebpki/jcs"

	ws "wellspring"
)

// A ChainID names a chain: the name and the digest of its genesis, as in
// "asia-heart@6b86…". In a genesis itself it is the name alone. Two chains of
// one name differ in it, so no transaction counts on both [LEDGER-TX.3].
type ChainID string

// A Kind says what a transaction does. An unknown kind is refused.
type Kind string

// A Body is what a transaction says: [Genesis], [SetRule], [SetInstitution],
// [SetSite], [SetRequester], [AddVersion], [AddStudy], [Decide], [OpenRun],
// [MarkSum], [CloseRun], [ReviewResult] or [ReleaseResult].
type Body interface {
	// Kind is the name under which the body goes.
	Kind() Kind
	// Describe tells a person what it says.
	Describe() ws.Text

	check() error      // of form alone
	apply(*step) error // the rules
}

// newBody makes an empty body of a kind; nil for an unknown one.
func newBody(k Kind) Body {
	switch k {
	case "genesis":
		return new(Genesis)
	case "rule":
		return new(SetRule)
	case "institution":
		return new(SetInstitution)
	case "site":
		return new(SetSite)
	case "requester":
		return new(SetRequester)
	case "dataset":
		return new(AddVersion)
	case "study":
		return new(AddStudy)
	case "decision":
		return new(Decide)
	case "open":
		return new(OpenRun)
	case "sum":
		return new(MarkSum)
	case "close":
		return new(CloseRun)
	case "review":
		return new(ReviewResult)
	case "release":
		return new(ReleaseResult)
	}
	return nil
}

// A Tx is one signed transaction. It is immutable; its body must not be written
// to. The zero Tx says nothing and is refused everywhere.
type Tx struct {
	chain     ChainID
	seq       uint64
	author    KeyID
	body      Body
	signature Signature

	digest  Hash
	message []byte // what is signed
	raw     []byte // canonical, with the signature
}

// Chain names the chain that the transaction is for.
func (t Tx) Chain() ChainID { return t.chain }

// Seq counts the transactions of the author's key, from 1 without gaps.
func (t Tx) Seq() uint64 { return t.seq }

// Author names the key that signed.
func (t Tx) Author() KeyID { return t.author }

// Body is what the transaction says; it must not be written to.
func (t Tx) Body() Body { return t.body }

// Digest identifies the transaction by what is signed, the signature left out.
func (t Tx) Digest() Hash { return t.digest }

// Bytes is the canonical form; the caller owns it.
func (t Tx) Bytes() []byte { return bytes.Clone(t.raw) }

// IsZero reports whether t says nothing.
func (t Tx) IsZero() bool { return t.body == nil }

// content is what is signed.
type content struct {
	Author KeyID           `json:"author"`
	Body   json.RawMessage `json:"body"`
	Chain  ChainID         `json:"chain"`
	Kind   Kind            `json:"kind"`
	Seq    uint64          `json:"seq"`
}

type envelope struct {
	content
	Signature Signature `json:"signature"`
}

// signed gives the bytes under a signature: "wellspring/tx\n" ‖ content in
// canonical form.
func (c content) signed() ([]byte, error) {
	b, err := canonical(c)
	return append([]byte("wellspring/tx\n"), b...), err
}

// Sign makes a transaction. seq is one more than [State.Seq] of the signer's key.
func Sign(chain ChainID, seq uint64, body Body, signer crypto.Signer) (Tx, error) {
	p, err := PublicOf(signer)
	if err != nil {
		return Tx{}, err
	}
	b, err := canonical(body)
	if err != nil {
		return Tx{}, err
	}
	e := envelope{content: content{Author: p.ID(), Body: b, Chain: chain, Kind: body.Kind(), Seq: seq}}
	message, err := e.signed()
	if err != nil {
		return Tx{}, err
	}
	if e.Signature, err = sign(signer, message); err != nil {
		return Tx{}, err
	}
	raw, err := canonical(e)
	if err != nil {
		return Tx{}, err
	}
	return DecodeTx(raw)
}

// DecodeTx reads a transaction from outside. It takes canonical bytes only:
// unknown, missing or repeated fields, other spellings of a number or a string,
// spaces and trailing bytes are refused [LEDGER-TX.1]. It does not check the
// signature, which needs the author's key; [Apply] does.
func DecodeTx(raw []byte) (Tx, error) {
	if len(raw) > MaxTx {
		return Tx{}, malformed(ws.T("a transaction has at most %d bytes", "一笔交易最多 %d 字节", MaxTx))
	}
	var e envelope
	if err := strict(raw, &e); err != nil {
		return Tx{}, err
	}
	body := newBody(e.Kind)
	if body == nil {
		return Tx{}, invalid(ws.T("the transaction is of a kind that this release does not know", "本版本不认识该交易类型")).
			WithHint(ws.T("bring this node to the release of the others", "请将本节点升级到与其他节点相同的版本"))
	}
	if e.Kind != "open" && e.Kind != "close" && len(raw) > maxSmall { // both may name every site of a run
		return Tx{}, malformed(ws.T("a transaction of kind %s has at most %d bytes", "%s 类交易最多 %d 字节", e.Kind, maxSmall))
	}
	if err := strict(e.Body, body); err != nil {
		return Tx{}, err
	}
	if err := body.check(); err != nil {
		return Tx{}, ws.At("transaction "+string(e.Kind), err)
	}
	if e.Seq < 1 || e.Seq > MaxSeq || e.Author.IsZero() {
		return Tx{}, malformed(ws.T("author or number of the transaction is not well formed", "交易的作者或序号格式不正确"))
	}
	return seal(e, body, raw)
}

// seal compares raw with the canonical form of what was read from it.
func seal(e envelope, body Body, raw []byte) (Tx, error) {
	var err error
	if e.Body, err = canonical(body); err != nil {
		return Tx{}, err
	}
	again, err := canonical(e)
	if err != nil {
		return Tx{}, err
	}
	if !bytes.Equal(again, raw) {
		return Tx{}, malformed(ws.T("the transaction is not in its canonical form", "交易未采用规范形式"))
	}
	message, err := e.signed()
	if err != nil {
		return Tx{}, err
	}
	return Tx{chain: e.Chain, seq: e.Seq, author: e.Author, body: body, signature: e.Signature, digest: sha256.Sum256(message), message: message, raw: again}, nil
}

// verify checks the signature under the author's key.
func (t Tx) verify(p PublicKey) error {
	if p.ID() != t.author || !p.verify(t.message, t.signature) {
		return denied(ws.T("the signature is not the author's", "签名与作者不符"))
	}
	return nil
}

// canonical is RFC 8785.
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err == nil {
		b, err = jcs.Transform(b)
	}
	if err != nil {
		return nil, invalid(ws.T("it has no canonical form", "无法写成规范形式")).Wrap(err)
	}
	return b, nil
}

// strict reads one JSON value without unknown fields or trailing bytes. What the
// decoder says is dropped: it may quote the input.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return malformed(ws.T("the transaction cannot be read, or holds an unknown field", "交易无法读取，或含有未知字段"))
	}
	if _, err := d.Token(); err != io.EOF {
		return malformed(ws.T("bytes follow the transaction", "交易之后有多余字节"))
	}
	return nil
}
