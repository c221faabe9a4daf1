package sum

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
)

// A signature is good for its own key and message alone, however often it and
// others like it were asked for.
func TestVerify(t *testing.T) {
	key, other := testKey("a"), testKey("b")
	public, stranger := key.Public().(ed25519.PublicKey), other.Public().(ed25519.PublicKey)
	d, e := hash("one"), hash("two")
	sig := ed25519.Sign(key, d[:])
	bent := append([]byte(nil), sig...)
	bent[9] ^= 1
	for range 2 {
		if !Verify(public, d, sig) {
			t.Error("a good signature is refused")
		}
		if Verify(public, e, sig) || Verify(stranger, d, sig) || Verify(public, d, bent) ||
			Verify(public[:31], d, sig) || Verify(public, d, sig[:63]) || Verify(nil, d, nil) {
			t.Error("a bad signature is taken")
		}
	}
}

func TestSignatures_Bounded(t *testing.T) {
	var s signatures
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
