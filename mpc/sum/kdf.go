package sum

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	ws "wellspring"
)

// hash is SHA-256 over "wellspring/sum/"+label and the parts, each behind its
// length in four bytes, big-endian.
func hash(label string, parts ...[]byte) Digest {
	h := sha256.New()
	h.Write(prefixed(nil, []byte("wellspring/sum/"+label)))
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		h.Write(p)
	}
	return Digest(h.Sum(nil))
}

func prefixed(b, part []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
}

// derive is HKDF-SHA256 without salt, n bytes long, with
// info = "wellspring/sum/" ‖ label ‖ 0 ‖ round ‖ seats, each of two bytes.
func derive(secret []byte, label string, round Digest, n int, seats ...Seat) []byte {
	info := append([]byte("wellspring/sum/"+label+"\x00"), round[:]...)
	for _, s := range seats {
		info = binary.BigEndian.AppendUint16(info, uint16(s))
	}
	out, err := hkdf.Key(sha256.New, secret, nil, string(info), n)
	if err != nil {
		panic(err) // n is under 255·32 for every network
	}
	return out
}

// pairSeed is the seed of the mask that sites i and j share in a round.
func pairSeed(secret []byte, round Digest, i, j Seat) []byte {
	return derive(secret, "pair", round, 32, min(i, j), max(i, j))
}

// selfSeed is the seed of site i's own mask b.
func selfSeed(b []byte, round Digest, i Seat) []byte { return derive(b, "self", round, 32, i) }

// A Check is the first half of a digest that pins a secret of 252 or 256
// uniform bits: whoever holds the secret cannot show another one, and the
// check tells nothing about it.
type Check [16]byte

func seedCheck(seed []byte) Check {
	d := hash("seed", seed)
	return Check(d[:16])
}

// what a share is a share of
const (
	kindSelf byte = 0 // b, which opens a site's own mask
	kindPair byte = 1 // K, which opens its table of pair seeds
)

func shareCheck(round Digest, owner, holder Seat, kind byte, share []byte) Check {
	d := hash("share", round[:], seatBytes(owner), seatBytes(holder), []byte{kind}, share)
	return Check(d[:16])
}

func secretCheck(round Digest, owner Seat, kind byte, secret []byte) Digest {
	return hash("secret", round[:], seatBytes(owner), []byte{kind}, secret)
}

func seatBytes(s Seat) []byte { return binary.BigEndian.AppendUint16(nil, uint16(s)) }

// seal and unseal are AES-256-GCM under a key that is used once, so the nonce
// is zero.
func seal(key, plain []byte) []byte {
	return gcm(key).Seal(nil, make([]byte, 12), plain, nil)
}

func unseal(key, box []byte) ([]byte, bool) {
	plain, err := gcm(key).Open(nil, make([]byte, 12), box, nil)
	return plain, err == nil
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // every key is 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func denied(op string, msg ws.Text) *ws.Error   { return ws.Errorf(ws.Denied, op, msg) }
func invalid(op string, msg ws.Text) *ws.Error  { return ws.Errorf(ws.Invalid, op, msg) }
func diverged(op string, msg ws.Text) *ws.Error { return ws.Errorf(ws.Diverged, op, msg) }
func missing(op string, msg ws.Text) *ws.Error  { return ws.Errorf(ws.Unreachable, op, msg) }
