package mesh

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"

	ws "wellspring"
)

// A Letter is what one node has for another. What its body means is no
// business of the mesh.
type Letter struct {
	From, To ws.SiteID
	// Run names what the letter belongs to; letters of one run are in order.
	Run string
	// Epoch, Round and Attempt are the caller's, from 0 to 2^31−1; they are signed, not judged.
	Epoch, Round, Attempt int
	// Label is the kind of letter, and chooses the longest body allowed.
	Label string
	// Keep says that the letter must outlive its sender's process. It costs a
	// sync of the disk at either end and at the broker.
	Keep bool
	// Prev is the digest of the letter before it in its lane, zero for the
	// first. [Link.Send] sets it.
	Prev [32]byte
	// Body may have no bytes, and is not changed after Send.
	Body []byte
}

// Bounds of a letter's parts, in bytes.
const (
	maxRun   = 128
	maxLabel = 64
	maxChain = 128
	maxSite  = 64 * 4 // 64 characters
	// MaxBody is the longest body of any label.
	MaxBody = 2 << 30
	// MaxKept is the longest body of a letter with Keep: all its frames lie in
	// the receiver's inbox until it is acknowledged.
	MaxKept = 64 << 20
)

// A lane is one ordered stream of letters from one node to another. Session is
// 0 for kept letters; for others it is the count of the sender's starts, so
// that a node that forgot its letters does not contradict itself.
type lane struct {
	peer    ws.SiteID // the other end
	run     string
	session uint64
}

func (l lane) kept() bool { return l.session == 0 }

// A header is all of a letter but its body, and what binds the body.
type header struct {
	Letter           // without Body
	session   uint64 // of the lane
	seq       uint64 // from 1
	size      uint64 // of the body
	list      [32]byte
	digest    [32]byte // of the header's signed bytes; names the letter
	signature []byte
}

// encode gives the canonical bytes: names and numbers in a fixed order, each
// text behind its length, each number an unsigned LEB128 in its shortest form.
func (h *header) encode() []byte {
	b := make([]byte, 0, 256)
	for _, s := range []string{string(h.From), string(h.To), h.Run, h.Label} {
		b = appendText(b, s)
	}
	for _, n := range []uint64{h.session, h.seq, uint64(h.Epoch), uint64(h.Round), uint64(h.Attempt), h.size} {
		b = binary.AppendUvarint(b, n)
	}
	b = append(b, h.Prev[:]...)
	return append(b, h.list[:]...)
}

// decodeHeader undoes encode; whatever encode would not give is refused.
func decodeHeader(b []byte) (*header, bool) {
	r := reader{b: b}
	h := &header{}
	h.From, h.To = ws.SiteID(r.text(maxSite)), ws.SiteID(r.text(maxSite))
	h.Run, h.Label = r.text(maxRun), r.text(maxLabel)
	h.session, h.seq = r.number(), r.number()
	h.Epoch, h.Round, h.Attempt = r.small(), r.small(), r.small()
	h.size = r.number()
	copy(h.Prev[:], r.bytes(32))
	copy(h.list[:], r.bytes(32))
	h.Keep = h.session == 0
	if r.bad || len(r.b) > 0 || h.check() != nil || h.seq == 0 || h.size > MaxBody || h.Keep && h.size > MaxKept || !bytes.Equal(h.encode(), b) {
		return nil, false
	}
	return h, true
}

// check refuses parts that are out of bounds.
func (l *Letter) check() error {
	ok := l.Run != "" && len(l.Run) <= maxRun && l.Label != "" && len(l.Label) <= maxLabel && len(l.Body) <= MaxBody && !(l.Keep && len(l.Body) > MaxKept)
	for _, n := range []int{l.Epoch, l.Round, l.Attempt} {
		ok = ok && n >= 0 && n < 1<<31
	}
	if !ok || l.From.Validate() != nil || l.To.Validate() != nil {
		return ws.Errorf(ws.Invalid, "letter", ws.T("a part of the letter is missing or out of bounds", "信件的某部分缺失或越界"))
	}
	return nil
}

// Domains keep a signature from being taken for another kind of statement.
const (
	letterDomain = "wellspring/mesh/letter\n"
	noteDomain   = "wellspring/mesh/note\n"
	listDomain   = "wellspring/mesh/body\n"
)

// statement is what is signed: the domain, the chain's name and the bytes.
func statement(domain, chain string, b []byte) []byte {
	s := make([]byte, 0, len(domain)+len(chain)+4+len(b))
	s = append(s, domain...)
	s = appendText(s, chain)
	return append(s, b...)
}

func sign(key crypto.Signer, domain, chain string, b []byte) (sig []byte, digest [32]byte, err error) {
	s := statement(domain, chain, b)
	sig, err = key.Sign(nil, s, crypto.Hash(0))
	if err == nil && len(sig) != ed25519.SignatureSize {
		err = ws.Errorf(ws.Invalid, "mesh", ws.T("the node's key does not sign with Ed25519", "节点密钥不是 Ed25519 签名密钥"))
	}
	return sig, sha256.Sum256(s), err
}

func digestOf(domain, chain string, b []byte) [32]byte {
	return sha256.Sum256(statement(domain, chain, b))
}

func verify(key ed25519.PublicKey, domain, chain string, b, sig []byte) (digest [32]byte, ok bool) {
	s := statement(domain, chain, b)
	if len(key) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize || !ed25519.Verify(key, s, sig) {
		return digest, false
	}
	return sha256.Sum256(s), true
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader takes parts off outside bytes; after the first that is not there
// it is bad and gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) number() uint64 {
	n, k := binary.Uvarint(r.b)
	if r.bad || k <= 0 || k > 1 && r.b[k-1] == 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reader) small() int {
	n := r.number()
	if n >= 1<<31 {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) text(limit int) string {
	n := r.number()
	if n > uint64(limit) {
		r.bad = true
		return ""
	}
	return string(r.bytes(int(n)))
}
