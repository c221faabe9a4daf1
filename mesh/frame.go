package mesh

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
)

// MaxFrame is the longest frame in bytes.
const MaxFrame = 512 << 10

// piece is how much of a body a frame carries. The head of the longest letter,
// whose list of pieces has 4370 digests, fits a frame too; a body of at most
// one piece travels in its head.
const piece = 480 << 10

// The first byte of a frame tells its kind.
const (
	headFrame byte = 0xA1 // header, signature, list of pieces, and the body if it is one piece
	dataFrame byte = 0xA2 // letter's digest, number of the piece, piece
	noteFrame byte = 0xA3 // note, signature
)

const dataOverhead = 1 + 32 + 4

// pieces is how many pieces a body has; an empty one has one, of no bytes.
func pieces(size uint64) int { return max(1, int((size+piece-1)/piece)) }

func pieceOf(body []byte, i int) []byte {
	return body[i*piece : min(len(body), (i+1)*piece)]
}

// pieceList gives SHA-256 of each piece, one after the other.
func pieceList(body []byte) []byte {
	n := pieces(uint64(len(body)))
	list := make([]byte, 0, 32*n)
	for i := range n {
		d := sha256.Sum256(pieceOf(body, i))
		list = append(list, d[:]...)
	}
	return list
}

// listDigest binds a body by its pieces: SHA-256(domain ‖ list).
func listDigest(list []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(listDomain))
	h.Write(list)
	return [32]byte(h.Sum(nil))
}

// encodeHead makes the first frame of a letter.
func encodeHead(head, signature, list, body []byte) []byte {
	n := len(head) + len(list) + 80
	if len(list) == 32 {
		n += len(body)
	}
	b := make([]byte, 0, n) // it is held until the letter is acknowledged
	b = append(b, headFrame)
	b = binary.AppendUvarint(b, uint64(len(head)))
	b = append(b, head...)
	b = append(b, signature...)
	b = append(b, list...)
	if len(list) == 32 {
		b = append(b, body...)
	}
	return b
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A head is a decoded first frame, not yet verified.
type head struct {
	*header
	encoded []byte // the header's bytes, which the signature is over
	list    []byte
	body    []byte // of a letter of one piece
}

// decodeHead checks form and the binding of list and body, not the signature.
func decodeHead(b []byte) (*head, bool) {
	r := reader{b: b}
	r.bytes(1)
	n := r.number()
	if n > 4096 {
		return nil, false
	}
	encoded := r.bytes(int(n))
	sig := r.bytes(ed25519.SignatureSize)
	if r.bad {
		return nil, false
	}
	h, ok := decodeHeader(encoded)
	if !ok {
		return nil, false
	}
	h.signature = sig
	k := pieces(h.size)
	list := r.bytes(32 * k)
	if r.bad || listDigest(list) != h.list {
		return nil, false
	}
	switch {
	case k > 1:
		ok = len(r.b) == 0
	default:
		ok = uint64(len(r.b)) == h.size && sha256.Sum256(r.b) == [32]byte(list)
	}
	return &head{header: h, encoded: encoded, list: list, body: r.b}, ok
}

// encodeData makes the frame of piece i of a letter.
func encodeData(digest [32]byte, i int, p []byte) []byte {
	b := make([]byte, dataOverhead, dataOverhead+len(p))
	b[0] = dataFrame
	copy(b[1:], digest[:])
	binary.BigEndian.PutUint32(b[33:], uint32(i))
	return append(b, p...)
}

// A datum is a decoded data frame.
type datum struct {
	digest [32]byte
	index  int
	piece  []byte
}

func decodeData(b []byte) (datum, bool) {
	if len(b) < dataOverhead || len(b) > dataOverhead+piece || b[0] != dataFrame {
		return datum{}, false
	}
	return datum{[32]byte(b[1:33]), int(binary.BigEndian.Uint32(b[33:])), b[dataOverhead:]}, true
}
