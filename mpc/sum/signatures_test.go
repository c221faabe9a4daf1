package sum

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
)

// A signature is good for its own key and message alone, however often it and
// others like it were asked for.
func TestSignatures_Verify(t *testing.T) {
	key, other := testKey("a"), testKey("b")
	public, stranger := key.Public().(ed25519.PublicKey), other.Public().(ed25519.PublicKey)
	d, e := hash("one"), hash("two")
	sig := ed25519.Sign(key, d[:])
	bent := append([]byte(nil), sig...)
	bent[9] ^= 1
	for _, s := range []*Signatures{nil, new(Signatures)} {
		for range 2 {
			if !s.Verify(public, d, sig) {
				t.Error("a good signature is refused")
			}
			if s.Verify(public, e, sig) || s.Verify(stranger, d, sig) || s.Verify(public, d, bent) ||
				s.Verify(public[:31], d, sig) || s.Verify(public, d, sig[:63]) || s.Verify(nil, d, nil) {
				t.Error("a bad signature is taken")
			}
		}
		if s != nil && len(s.younger) != 1 {
			t.Errorf("%d signatures are remembered, want the good one", len(s.younger))
		}
	}
}

// What a process remembers is not what the ledger fixes, and no part of a
// party's state.
func TestSignatures_Outside(t *testing.T) {
	p := testParams(4)
	p.Signatures = new(Signatures)
	if p.Digest() != testParams(4).Digest() {
		t.Error("the digest of the parameters depends on what a process remembers")
	}
	w := newWorld(t, p, nil)
	if n := len(p.Signatures.younger); n < 4 {
		t.Errorf("after a key phase of four sites %d signatures are remembered", n)
	}
	one, plain := w.states()[0], newWorld(t, testParams(4), nil).states()[0]
	if len(one) != len(plain) {
		t.Error("the state of a party holds what its process remembers")
	}
}

func TestSignatures_Bounded(t *testing.T) {
	var s Signatures
	name := func(i int) (d Digest) { binary.BigEndian.PutUint64(d[:], uint64(i)); return d }
	for i := range 3 * remembered {
		s.put(name(i))
		if len(s.younger)+len(s.elder) > remembered {
			t.Fatalf("after %d signatures %d are held", i, len(s.younger)+len(s.elder))
		}
	}
	if !s.has(name(3*remembered-1)) || s.has(name(0)) {
		t.Error("the last is not there, or the first still is")
	}
}
