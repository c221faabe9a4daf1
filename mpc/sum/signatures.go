package sum

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
)

// remembered bounds the signatures that are remembered, half of them recent:
// 32 bytes each in a map, under 4 MiB in all.
const remembered = 1 << 16

// Signatures remembers signatures that were found good, by a digest of key,
// message and signature, all three public. Whoever plays several parties in
// one process shares one among them ([Params.Signatures]), since every site
// meets every other's signatures; a site that plays itself alone meets each vote more
// than once. The nil Signatures checks each one anew. The zero value is empty and ready;
// it may be used concurrently.
type Signatures struct {
	mu             sync.Mutex
	younger, elder map[Digest]bool // when the younger is full the elder is forgotten
}

// Verify is [ed25519.Verify] of a message of 32 bytes. A key of the wrong
// length verifies nothing.
func (s *Signatures) Verify(key ed25519.PublicKey, d Digest, sig []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize {
		return false
	}
	if s == nil {
		return ed25519.Verify(key, d[:], sig)
	}
	b := make([]byte, 0, ed25519.PublicKeySize+len(d)+ed25519.SignatureSize)
	name := Digest(sha256.Sum256(append(append(append(b, key...), d[:]...), sig...)))
	if s.has(name) {
		return true
	}
	ok := ed25519.Verify(key, d[:], sig)
	if ok {
		s.put(name)
	}
	return ok
}

func (s *Signatures) has(d Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.younger[d] || s.elder[d]
}

func (s *Signatures) put(d Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.younger == nil || len(s.younger) >= remembered/2 {
		s.younger, s.elder = make(map[Digest]bool), s.younger
	}
	s.younger[d] = true
}
