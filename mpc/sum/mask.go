package sum

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"wellspring/stat"
)

// chunk is how many bytes of a mask are expanded at a time. Keystream, zeros
// and the stretch of the vector (3 × 4 KiB) stay in a 32 KiB first-level
// cache; 8 KiB was slower on vectors past the second level.
const chunk = 4096

var zeros [chunk]byte

// A mask is PRG(seed), to be added or subtracted.
type mask struct {
	stream cipher.Stream
	minus  bool
}

// expand returns PRG(seed): the keystream of AES-256-CTR under the seed from a
// zero counter, 16 bytes an entry, little-endian. AES-128 is a quarter faster
// but falls short of the strength of ML-KEM-768.
func expand(seed []byte, minus bool) mask {
	block, err := aes.NewCipher(seed)
	if err != nil {
		panic(err) // every seed is 32 bytes
	}
	return mask{cipher.NewCTR(block, make([]byte, aes.BlockSize)), minus}
}

// pairMask is site i's side of the mask that it shares with j: the lower seat
// adds what the higher subtracts.
func pairMask(seed []byte, i, j Seat) mask { return expand(seed, i > j) }

// accumulate adds vectors and masks into v, mod 2^128.
//
// Shapes: the vectors and masks are as long as v.
// Cost:   one pass over v and each vector, 16 bytes of AES-CTR an entry and mask.
func accumulate(v stat.Ring, vectors []stat.Ring, masks []mask) {
	buf := make([]byte, chunk)
	for at := 0; at < len(v); at += chunk / 16 {
		end := min(at+chunk/16, len(v))
		part, key := v[at:end], buf[:16*(end-at)]
		for _, o := range vectors {
			part.Add(o[at:end])
		}
		for _, m := range masks {
			m.stream.XORKeyStream(key, zeros[:len(key)])
			if m.minus {
				subBytes(part, key)
			} else {
				addBytes(part, key)
			}
		}
	}
}

// addBytes adds the entries in b, 16 bytes each, into v. Four at a time is a
// third faster: the compiler drops the bounds checks of a full block.
func addBytes(v stat.Ring, b []byte) {
	for len(v) >= 4 && len(b) >= 64 {
		x, y := b[:64:64], v[:4:4]
		addEntry(&y[0], binary.LittleEndian.Uint64(x[0:]), binary.LittleEndian.Uint64(x[8:]))
		addEntry(&y[1], binary.LittleEndian.Uint64(x[16:]), binary.LittleEndian.Uint64(x[24:]))
		addEntry(&y[2], binary.LittleEndian.Uint64(x[32:]), binary.LittleEndian.Uint64(x[40:]))
		addEntry(&y[3], binary.LittleEndian.Uint64(x[48:]), binary.LittleEndian.Uint64(x[56:]))
		v, b = v[4:], b[64:]
	}
	for i := range v {
		addEntry(&v[i], binary.LittleEndian.Uint64(b[16*i:]), binary.LittleEndian.Uint64(b[16*i+8:]))
	}
}

func subBytes(v stat.Ring, b []byte) {
	for len(v) >= 4 && len(b) >= 64 {
		x, y := b[:64:64], v[:4:4]
		subEntry(&y[0], binary.LittleEndian.Uint64(x[0:]), binary.LittleEndian.Uint64(x[8:]))
		subEntry(&y[1], binary.LittleEndian.Uint64(x[16:]), binary.LittleEndian.Uint64(x[24:]))
		subEntry(&y[2], binary.LittleEndian.Uint64(x[32:]), binary.LittleEndian.Uint64(x[40:]))
		subEntry(&y[3], binary.LittleEndian.Uint64(x[48:]), binary.LittleEndian.Uint64(x[56:]))
		v, b = v[4:], b[64:]
	}
	for i := range v {
		subEntry(&v[i], binary.LittleEndian.Uint64(b[16*i:]), binary.LittleEndian.Uint64(b[16*i+8:]))
	}
}

func addEntry(u *stat.Uint128, lo, hi uint64) {
	var c uint64
	u.Lo, c = bits.Add64(u.Lo, lo, 0)
	u.Hi, _ = bits.Add64(u.Hi, hi, c)
}

func subEntry(u *stat.Uint128, lo, hi uint64) {
	var c uint64
	u.Lo, c = bits.Sub64(u.Lo, lo, 0)
	u.Hi, _ = bits.Sub64(u.Hi, hi, c)
}

// VectorDigest is SHA-256 over the entries, 16 bytes each, little-endian.
// SHA-512 is slower wherever the processor knows SHA-256.
func VectorDigest(v stat.Ring) Digest {
	h := sha256.New()
	buf := make([]byte, 0, chunk)
	for len(v) > 0 {
		m := min(len(v), chunk/16)
		buf, _ = v[:m].AppendBinary(buf[:0]) // it cannot fail
		h.Write(buf)
		v = v[m:]
	}
	return Digest(h.Sum(nil))
}
