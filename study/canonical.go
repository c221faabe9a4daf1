package study

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/gowebpki/jcs"

	ws "wellspring"
)

// Canonical gives the bytes that every party signs: s with its defaults, as
// JSON in the form of RFC 8785. A study that Check refuses has none.
func (s *Study) Canonical() ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return canonical("study", s.WithDefaults())
}

// Digest is "sha256:" and the hex digits of the digest of s.Canonical().
func (s *Study) Digest() (string, error) {
	b, err := s.Canonical()
	if err != nil {
		return "", err
	}
	return digestOf(b), nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func canonical(what string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err == nil {
		b, err = jcs.Transform(b)
	}
	if err != nil {
		return nil, ws.Errorf(ws.Invalid, what, ws.T("it has no canonical form", "无法写成规范形式")).Wrap(err)
	}
	return b, nil
}
