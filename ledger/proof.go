package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	ws "wellspring"
)

// A Proof shows what a state holds under a key, or that it holds nothing there,
// to whoever has the state's root alone.
//
// Both are the way from the root along the bits of the key. It ends in a leaf.
// If the leaf's key is the one asked for, that is the value; if it is another,
// the key is absent, since it could stand nowhere else [LEDGER-PROOF.1].
type Proof struct {
	form  proofForm
	steps []proofStep // from the root down
	other Key         // the leaf's key, where it is another
	value []byte      // the value, or, of another key's leaf, its SHA-256
}

type proofForm byte

const (
	proofEmpty   proofForm = iota // the state holds nothing at all
	proofPresent                  // the key has the value
	proofAbsent                   // the way of the key ends at another
)

type proofStep struct {
	bit     int
	sibling Hash
}

// prove makes the proof for k in a tree.
func (n *node) prove(k Key) Proof {
	if n == nil {
		return Proof{form: proofEmpty}
	}
	var p Proof
	for !n.leaf() {
		next, sibling := n.left, n.right
		if k.bit(n.bit) == 1 {
			next, sibling = sibling, next
		}
		p.steps = append(p.steps, proofStep{n.bit, sibling.hash})
		n = next
	}
	if n.key == k {
		p.form, p.value = proofPresent, n.value
		return p
	}
	sum := sha256.Sum256(n.value)
	p.form, p.other, p.value = proofAbsent, n.key, sum[:]
	return p
}

// Verify checks the proof against the root of a state and gives what that state
// holds under k: present says whether there is a value. The root must come from
// a source that the caller believes; the proof may come from anybody.
func (p Proof) Verify(root Hash, k Key) (value []byte, present bool, err error) {
	bad := ws.Errorf(ws.Diverged, "ledger: proof", ws.T("the proof does not belong to this state and key", "该证明与此状态及键不符"))
	switch p.form {
	case proofEmpty:
		if root != emptyRoot || len(p.steps) > 0 {
			return nil, false, bad
		}
		return nil, false, nil
	case proofPresent:
		if p.climb(k, leafHash(k, sha256.Sum256(p.value))) != root {
			return nil, false, bad
		}
		return bytes.Clone(p.value), true, nil
	case proofAbsent:
		if len(p.value) != sha256.Size || p.other == k || p.climb(k, leafHash(p.other, Hash(p.value))) != root {
			return nil, false, bad
		}
		return nil, false, nil
	}
	return nil, false, bad
}

// climb gives the root above a leaf. That the bits grow on the way down, and that
// the leaf's own key takes that way, need not be checked: a way to the root of a
// state is one that is in its tree, or a collision of SHA-256.
func (p Proof) climb(k Key, h Hash) Hash {
	for i := len(p.steps) - 1; i >= 0; i-- {
		s := p.steps[i]
		if k.bit(s.bit) == 0 {
			h = branchHash(s.bit, h, s.sibling)
		} else {
			h = branchHash(s.bit, s.sibling, h)
		}
	}
	return h
}

// maxProof bounds a proof: a way has no more steps than a key has bits.
const maxProof = 3 + 8*maxKey*(2+sha256.Size) + 4 + MaxTx

// MarshalBinary gives the bytes of docs/spec/ledger.md [LEDGER-PROOF.2].
func (p Proof) MarshalBinary() ([]byte, error) {
	b := []byte{byte(p.form)}
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.steps)))
	for _, s := range p.steps {
		b = binary.BigEndian.AppendUint16(b, uint16(s.bit))
		b = append(b, s.sibling[:]...)
	}
	switch p.form {
	case proofPresent:
		b = binary.BigEndian.AppendUint32(b, uint32(len(p.value)))
		b = append(b, p.value...)
	case proofAbsent:
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.other)))
		b = append(b, p.other...)
		b = append(b, p.value...)
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote, and nothing else.
func (p *Proof) UnmarshalBinary(b []byte) error {
	bad := malformed(ws.T("the proof is not well formed", "证明格式不正确"))
	if len(b) > maxProof || len(b) < 3 || proofForm(b[0]) > proofAbsent {
		return bad
	}
	q := Proof{form: proofForm(b[0])}
	n := int(binary.BigEndian.Uint16(b[1:]))
	b = b[3:]
	const step = 2 + sha256.Size
	if n > 8*maxKey || len(b) < n*step || q.form == proofEmpty && n > 0 {
		return bad
	}
	for range n {
		q.steps = append(q.steps, proofStep{int(binary.BigEndian.Uint16(b)), Hash(b[2:step])})
		b = b[step:]
	}
	switch q.form {
	case proofPresent:
		if len(b) < 4 || uint64(len(b)-4) != uint64(binary.BigEndian.Uint32(b)) {
			return bad
		}
		q.value, b = bytes.Clone(b[4:]), nil
	case proofAbsent:
		if len(b) < 2 {
			return bad
		}
		k := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; k > maxKey || len(b) != k+sha256.Size {
			return bad
		}
		q.other, q.value, b = Key(b[:k]), bytes.Clone(b[k:]), nil
	}
	if len(b) > 0 {
		return bad
	}
	*p = q
	return nil
}
