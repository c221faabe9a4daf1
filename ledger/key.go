package ledger

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"io"

	"filippo.io/edwards25519"

	ws "wellspring"
)

// A KeyID names a public key: SHA-256("wellspring/key\n" ‖ key). People compare
// it out of band.
type KeyID = Hash

// ID names the key.
func (p PublicKey) ID() KeyID {
	return sha256.Sum256(append([]byte("wellspring/key\n"), p[:]...))
}

// PublicOf gives the public key of a signer, which must be Ed25519.
func PublicOf(signer crypto.Signer) (p PublicKey, err error) {
	pub, ok := signer.Public().(ed25519.PublicKey)
	if !ok || len(pub) != len(p) {
		return p, malformed(ws.T("the signer has no Ed25519 key", "签名器没有 Ed25519 密钥"))
	}
	copy(p[:], pub)
	return p, p.check()
}

// check refuses a key that is no point of prime order. Under one of small order
// anybody's bytes verify, so that its holder could deny whatever it has signed
// [LEDGER-KEY.1]. No point of prime order has a second encoding, so keys that
// differ in a bit differ.
func (p PublicKey) check() error {
	bad := malformed(ws.T("a public key is not an Ed25519 key of prime order", "公钥不是素数阶的 Ed25519 密钥"))
	point, err := new(edwards25519.Point).SetBytes(p[:])
	if err != nil {
		return bad
	}
	one, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		return bad
	}
	identity := edwards25519.NewIdentityPoint()
	minusOne := edwards25519.NewScalar().Negate(one) // the integer ℓ−1
	last := new(edwards25519.Point).ScalarMult(minusOne, point)
	if point.Equal(identity) == 1 || last.Add(last, point).Equal(identity) != 1 { // ℓ·P = 0
		return bad
	}
	return nil
}

// verify holds as crypto/ed25519 does: the equation without cofactor, S < ℓ.
func (p PublicKey) verify(message []byte, s Signature) bool {
	return ed25519.Verify(p[:], message, s[:])
}

// sign asks a signer, which may be a device, and checks what it gave.
func sign(signer crypto.Signer, message []byte) (s Signature, err error) {
	p, err := PublicOf(signer)
	if err != nil {
		return s, err
	}
	b, err := signer.Sign(rand.Reader, message, crypto.Hash(0))
	if err != nil {
		return s, ws.Errorf(ws.Other, "ledger", ws.T("the signer refused", "签名器拒绝签名")).Wrap(err)
	}
	if len(b) != len(s) || !p.verify(message, Signature(b)) {
		return s, ws.Errorf(ws.Other, "ledger", ws.T("the signer gave a signature that does not verify", "签名器给出的签名无法验证"))
	}
	return Signature(b), nil
}

// A Holder says whose key a key is.
type Holder string

// The holders of keys. A key has one holder for ever, also after its rotation.
const (
	ByOperator    Holder = "operator"
	ByInstitution Holder = "institution"
	BySite        Holder = "site"
	ByRequester   Holder = "requester"
)

// Possession proves that whoever registers a key holds it: without it, a member
// could register another's key and so bar it [LEDGER-KEY.2]. The signature is
// over "wellspring/possession\n" ‖ chain ‖ "\n" ‖ holder ‖ "\n" ‖ name.
func Possession(chain ChainID, holder Holder, name string, signer crypto.Signer) (Signature, error) {
	return sign(signer, possession(chain, holder, name))
}

func possession(chain ChainID, holder Holder, name string) []byte {
	return []byte("wellspring/possession\n" + string(chain) + "\n" + string(holder) + "\n" + name)
}

// A Salt hides what a commitment is to.
type Salt [32]byte

// NewSalt draws a salt from random.
func NewSalt(random io.Reader) (s Salt, err error) {
	if _, err := io.ReadFull(random, s[:]); err != nil {
		return Salt{}, ws.Errorf(ws.Other, "ledger", ws.T("there is no randomness", "没有可用的随机数")).Wrap(err)
	}
	return s, nil
}

// MarshalText gives small hex digits.
func (s Salt) MarshalText() ([]byte, error) { return toHex(s[:]), nil }

// UnmarshalText reads what MarshalText wrote, and nothing else.
func (s *Salt) UnmarshalText(b []byte) error { return fromHex(s[:], b) }

// Commit is the commitment to bytes that are computed from data:
// SHA-256(salt ‖ b). Without the salt, a digest of one count can be guessed
// [LEDGER-COMMIT.1].
func Commit(salt Salt, b []byte) Hash {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(b)
	return Hash(h.Sum(nil))
}
