package mesh

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"

	ws "wellspring"
)

// A note is what one end of a lane tells the other about it: from the
// receiver what it has and what it lacks, from the sender where the lane begins
// when the receiver asks for what it has acknowledged long ago. Notes may be lost,
// repeated and replayed: each only moves its reader forward, or makes it
// repeat what it has sent.
type note struct {
	From, To ws.SiteID
	run      string
	session  uint64
	base     bool     // from the lane's sender
	next     uint64   // all letters before it are acknowledged
	last     [32]byte // digest of the letter before next; zero if not known
	seq      uint64   // a letter under way, 0 for none
	have     uint32   // its pieces that came without a gap, from the first
	grant    uint32   // how many pieces after those may be under way
	lacks    []uint32 // missing pieces that are asked for; of a letter not known, piece 0
}

// maxLacks bounds the missing pieces that one note names.
const maxLacks = 256

func (n *note) encode() []byte {
	b := make([]byte, 0, 160+5*len(n.lacks))
	for _, s := range []string{string(n.From), string(n.To), n.run} {
		b = appendText(b, s)
	}
	b = append(b, byte(btoi(n.base)))
	for _, v := range []uint64{n.session, n.next, n.seq, uint64(n.have), uint64(n.grant), uint64(len(n.lacks))} {
		b = binary.AppendUvarint(b, v)
	}
	for _, v := range n.lacks {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return append(b, n.last[:]...)
}

func decodeNote(b []byte) (*note, bool) {
	r := reader{b: b}
	n := &note{From: ws.SiteID(r.text(maxSite)), To: ws.SiteID(r.text(maxSite)), run: r.text(maxRun)}
	if f := r.bytes(1); len(f) == 1 {
		n.base = f[0] == 1
	}
	n.session, n.next, n.seq = r.number(), r.number(), r.number()
	n.have, n.grant = uint32(r.small()), uint32(r.small())
	k := r.number()
	if k > maxLacks {
		return nil, false
	}
	for range k {
		n.lacks = append(n.lacks, uint32(r.small()))
	}
	copy(n.last[:], r.bytes(32))
	if r.bad || len(r.b) > 0 || n.run == "" || n.next == 0 || !bytes.Equal(n.encode(), b) {
		return nil, false
	}
	return n, true
}

func encodeNoteFrame(encoded, sig []byte) []byte {
	b := append(make([]byte, 0, 1+len(sig)+len(encoded)), noteFrame)
	b = append(b, sig...)
	return append(b, encoded...)
}

// decodeNoteFrame checks form only.
func decodeNoteFrame(b []byte) (n *note, encoded, sig []byte, ok bool) {
	if len(b) < 1+ed25519.SignatureSize || b[0] != noteFrame {
		return nil, nil, nil, false
	}
	sig, encoded = b[1:1+ed25519.SignatureSize], b[1+ed25519.SignatureSize:]
	n, ok = decodeNote(encoded)
	return n, encoded, sig, ok
}
