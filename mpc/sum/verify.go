package sum

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
)

// remembered bounds the signatures that a process remembers, half of them
// recent: 32 bytes each in a map, under 4 MiB in all.
const remembered = 1 << 16

// good holds signatures that were found good, by a digest of key, message and
// signature. A site meets the votes of a certificate twice a round; a process
// that plays many sites meets every signature once a site.
var good signatures

// signatures are two generations of a set: when the younger is full the elder
// is forgotten.
type signatures struct {
	mu             sync.Mutex
	younger, elder map[Digest]bool
}

// Verify is [ed25519.Verify] of a message of 32 bytes, which remembers what it
// found good; all three are public. A key of the wrong length verifies nothing.
func Verify(key ed25519.PublicKey, d Digest, sig []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize {
		return false
	}
	b := make([]byte, 0, ed25519.PublicKeySize+len(d)+ed25519.SignatureSize)
	name := Digest(sha256.Sum256(append(append(append(b, key...), d[:]...), sig...)))
	if good.has(name) {
		return true
	}
	ok := ed25519.Verify(key, d[:], sig)
	if ok {
		good.put(name)
	}
	return ok
}

func (s *signatures) has(d Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.younger[d] || s.elder[d]
}

func (s *signatures) put(d Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.younger == nil || len(s.younger) >= remembered/2 {
		s.younger, s.elder = make(map[Digest]bool), s.younger
	}
	s.younger[d] = true
}
