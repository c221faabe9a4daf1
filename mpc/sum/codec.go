package sum

import (
	"encoding/binary"

	ws "wellspring"
	"wellspring/stat"
)

// Messages and state are bytes of one form only: a tag, then the fields in
// order, integers big-endian, a list behind its length in two bytes. What a
// decoder takes, the encoder gives back byte by byte.
const (
	tagAdvert byte = iota + 1
	tagCoin
	tagEncaps
	tagShares
	tagPiece
	tagRoster
	tagMasked
	tagList
	tagVote
	tagCertificate
	tagReveal
	tagAudit
	tagHistory
	tagParty
)

// bounds that a decoder holds a message to
const (
	maxNeighbours = 128 // above every k of [degrees]
	maxVoters     = 128 // above every a of [benches]
	keySize       = 1216
	encSize       = 1120
	boxSize       = 2*32 + 16
	sealOverhead  = 16
)

// A Signature is Ed25519 by a site's ledger key.
type Signature [64]byte

func appendSeat(b []byte, s Seat) []byte  { return binary.BigEndian.AppendUint16(b, uint16(s)) }
func appendList(b, list []byte) []byte    { return append(appendLen(b, len(list)), list...) }
func appendLen(b []byte, n int) []byte    { return binary.BigEndian.AppendUint16(b, uint16(n)) }
func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// A decoder reads fields until one is bad; then every field is zero.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.b) {
		d.bad = true
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) tag(want byte) {
	if d.byte() != want {
		d.bad = true
	}
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bool() bool {
	v := d.byte()
	d.bad = d.bad || v > 1
	return v == 1
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) seat() Seat {
	b := d.take(2)
	if b == nil {
		return 0
	}
	s := binary.BigEndian.Uint16(b)
	d.bad = d.bad || s >= MaxSites
	return Seat(s)
}

// length reads the length of a list of at most most items of size bytes,
// which must all be there: memory is bounded by the message.
func (d *decoder) length(most, size int) int {
	b := d.take(2)
	if b == nil {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > most || n*size > len(d.b) {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) list(most int) []byte {
	return append([]byte(nil), d.take(d.length(most, 1))...)
}

func (d *decoder) fixed(n int) []byte { return append([]byte(nil), d.take(n)...) }

func (d *decoder) digest() (out Digest) {
	copy(out[:], d.take(len(out)))
	return out
}

func (d *decoder) check() (out Check) {
	copy(out[:], d.take(len(out)))
	return out
}

func (d *decoder) signature() (out Signature) {
	copy(out[:], d.take(len(out)))
	return out
}

func (d *decoder) set() Set { return Set(d.list(MaxSites / 8)) }

func (d *decoder) vector() stat.Ring {
	n := d.u32()
	if n > stat.MaxLen {
		d.bad = true
		return nil
	}
	v, err := stat.ParseRing(d.take(16*int(n)), int(n))
	d.bad = d.bad || err != nil
	return v
}

func (d *decoder) done(what string) error {
	if d.bad || len(d.b) != 0 {
		return invalid("sum: "+what, ws.T("these bytes are no such message", "这些字节不是此类消息"))
	}
	return nil
}
