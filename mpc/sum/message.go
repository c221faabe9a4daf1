package sum

import (
	"wellspring/stat"
)

// An Advert opens a site's part in an epoch.
type Advert struct {
	From   Seat
	Key    []byte // its fresh public key for [Encaps], X-Wing
	Coin   Digest // pins the share of the public coin that [Coin] reveals
	Opened Set    // the survivors of sums that this site helped to open in this run; nil if none
	Sig    Signature
}

// A Coin reveals a site's share of the public coin, once all adverts are
// known. It is checked against the advert and so not signed.
type Coin struct {
	From  Seat
	Share Digest
}

// An Encaps gives two neighbours their secret for the epoch.
type Encaps struct {
	From, To Seat
	Enc      []byte // an HPKE encapsulation to the advert's key
	Sig      Signature
}

// Shares is the public part of what a site shares in a round. It is not
// signed: [Masked] pins it for survivors, and for the others each entry is
// pinned by the survivors' own checks.
type Shares struct {
	From    Seat
	Round   Digest
	Self    Digest       // pins b
	Pair    Digest       // pins K
	Table   []byte       // the seeds shared with each neighbour, under K
	Edges   []Check      // pins each of these seeds; neighbours in ascending order
	Holders []ShareCheck // pins each share; holders (neighbours and the site itself) in ascending order
}

// A ShareCheck pins the two shares that a holder has of a site.
type ShareCheck struct{ Self, Pair Check }

// A Piece is what one holder gets: its shares of b and K, sealed.
type Piece struct {
	From, To Seat
	Round    Digest
	Box      []byte
}

// A Roster says whose shares have reached everybody. It is a proposal by
// whoever conducts.
type Roster struct {
	Round Digest
	Sites Set
}

// Digest names a roster.
func (m Roster) Digest() Digest { return hash("roster", m.Round[:], m.Sites) }

// Masked is a site's vector under masks.
type Masked struct {
	From   Seat
	Round  Digest
	Roster Digest
	Shares Digest // of this site's own Shares
	Vector stat.Ring
	Sig    Signature
}

// A List says which vectors a sum covers. It is a proposal by whoever
// conducts; a quorum of votes makes it a [Certificate].
type List struct {
	Round     Digest
	Roster    Set
	Survivors Set
	Bodies    Digest // of the Shares of the roster and the Masked of the survivors
}

// Digest names a list.
func (m List) Digest() Digest {
	return hash("list", m.Round[:], m.Roster, m.Survivors, m.Bodies[:])
}

// A Vote is a voter's only one in a round.
type Vote struct {
	From Seat
	List Digest
	Sig  Signature
}

// A Certificate is a list that a quorum of the voters signed. No other list of
// its round can have one while fewer than a third of the voters are corrupt.
type Certificate struct {
	List  List
	Votes []Vote
}

// A Reveal gives, for the site itself and each neighbour on the roster in
// ascending order, one share: of b if that peer survived, of K if it did not.
// The checks in [Shares] pin each, so it is not signed.
type Reveal struct {
	From   Seat
	List   Digest
	Shares [][32]byte
}

// An Audit is a site's signature on a sum that it opened.
type Audit struct {
	From Seat
	Sum  Digest
	Sig  Signature
}

// MarshalBinary gives the bytes of the message.
func (m Advert) MarshalBinary() ([]byte, error) {
	b := append(appendSeat([]byte{tagAdvert}, m.From), m.Key...)
	b = appendList(append(b, m.Coin[:]...), m.Opened)
	return append(b, m.Sig[:]...), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Advert) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagAdvert)
	*m = Advert{From: d.seat(), Key: d.fixed(keySize), Coin: d.digest(), Opened: d.set(), Sig: d.signature()}
	return d.done("advert")
}

// MarshalBinary gives the bytes of the message.
func (m Coin) MarshalBinary() ([]byte, error) {
	return append(appendSeat([]byte{tagCoin}, m.From), m.Share[:]...), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Coin) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagCoin)
	*m = Coin{From: d.seat(), Share: d.digest()}
	return d.done("coin")
}

// MarshalBinary gives the bytes of the message.
func (m Encaps) MarshalBinary() ([]byte, error) {
	b := append(appendSeat(appendSeat([]byte{tagEncaps}, m.From), m.To), m.Enc...)
	return append(b, m.Sig[:]...), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Encaps) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagEncaps)
	*m = Encaps{From: d.seat(), To: d.seat(), Enc: d.fixed(encSize), Sig: d.signature()}
	return d.done("encapsulation")
}

// MarshalBinary gives the bytes of the message.
func (m Shares) MarshalBinary() ([]byte, error) {
	b := append(appendSeat([]byte{tagShares}, m.From), m.Round[:]...)
	b = append(append(b, m.Self[:]...), m.Pair[:]...)
	b = appendLen(appendList(b, m.Table), len(m.Edges))
	for _, c := range m.Edges {
		b = append(b, c[:]...)
	}
	b = appendLen(b, len(m.Holders))
	for _, h := range m.Holders {
		b = append(append(b, h.Self[:]...), h.Pair[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads exactly one message.
func (m *Shares) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagShares)
	*m = Shares{From: d.seat(), Round: d.digest(), Self: d.digest(), Pair: d.digest(), Table: d.list(32*maxNeighbours + sealOverhead)}
	for range d.length(maxNeighbours, 16) {
		m.Edges = append(m.Edges, d.check())
	}
	for range d.length(maxNeighbours+1, 32) {
		m.Holders = append(m.Holders, ShareCheck{d.check(), d.check()})
	}
	return d.done("shares")
}

// Digest names the message.
func (m Shares) Digest() Digest {
	b, _ := m.MarshalBinary() // it cannot fail
	return hash("shares", b)
}

// MarshalBinary gives the bytes of the message.
func (m Piece) MarshalBinary() ([]byte, error) {
	b := appendSeat(appendSeat([]byte{tagPiece}, m.From), m.To)
	return append(append(b, m.Round[:]...), m.Box...), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Piece) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagPiece)
	*m = Piece{From: d.seat(), To: d.seat(), Round: d.digest(), Box: d.fixed(boxSize)}
	return d.done("piece")
}

// MarshalBinary gives the bytes of the message.
func (m Roster) MarshalBinary() ([]byte, error) {
	return appendList(append([]byte{tagRoster}, m.Round[:]...), m.Sites), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Roster) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagRoster)
	*m = Roster{Round: d.digest(), Sites: d.set()}
	return d.done("roster")
}

// MarshalBinary gives the bytes of the message, 16 an entry and 167 more.
func (m Masked) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 16*len(m.Vector)+256)
	b = append(appendSeat(append(b, tagMasked), m.From), m.Round[:]...)
	b = append(append(b, m.Roster[:]...), m.Shares[:]...)
	b, err := m.Vector.AppendBinary(appendU32(b, uint32(len(m.Vector))))
	return append(b, m.Sig[:]...), err
}

// UnmarshalBinary reads exactly one message.
func (m *Masked) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagMasked)
	*m = Masked{From: d.seat(), Round: d.digest(), Roster: d.digest(), Shares: d.digest(), Vector: d.vector(), Sig: d.signature()}
	return d.done("masked vector")
}

func (m List) appendTo(b []byte) []byte {
	b = appendList(appendList(append(b, m.Round[:]...), m.Roster), m.Survivors)
	return append(b, m.Bodies[:]...)
}

func (d *decoder) survivors() List {
	return List{Round: d.digest(), Roster: d.set(), Survivors: d.set(), Bodies: d.digest()}
}

// MarshalBinary gives the bytes of the message.
func (m List) MarshalBinary() ([]byte, error) { return m.appendTo([]byte{tagList}), nil }

// UnmarshalBinary reads exactly one message.
func (m *List) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagList)
	*m = d.survivors()
	return d.done("list of survivors")
}

func (m Vote) appendTo(b []byte) []byte {
	return append(append(appendSeat(b, m.From), m.List[:]...), m.Sig[:]...)
}

func (d *decoder) vote() Vote { return Vote{From: d.seat(), List: d.digest(), Sig: d.signature()} }

// MarshalBinary gives the bytes of the message.
func (m Vote) MarshalBinary() ([]byte, error) { return m.appendTo([]byte{tagVote}), nil }

// UnmarshalBinary reads exactly one message.
func (m *Vote) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagVote)
	*m = d.vote()
	return d.done("vote")
}

// MarshalBinary gives the bytes of the message.
func (m Certificate) MarshalBinary() ([]byte, error) {
	b := appendLen(m.List.appendTo([]byte{tagCertificate}), len(m.Votes))
	for _, v := range m.Votes {
		b = v.appendTo(b)
	}
	return b, nil
}

// UnmarshalBinary reads exactly one message.
func (m *Certificate) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagCertificate)
	*m = Certificate{List: d.survivors()}
	for range d.length(maxVoters, 2+32+64) {
		m.Votes = append(m.Votes, d.vote())
	}
	return d.done("certificate")
}

// MarshalBinary gives the bytes of the message.
func (m Reveal) MarshalBinary() ([]byte, error) {
	b := append(appendSeat([]byte{tagReveal}, m.From), m.List[:]...)
	b = appendLen(b, len(m.Shares))
	for _, s := range m.Shares {
		b = append(b, s[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads exactly one message.
func (m *Reveal) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagReveal)
	*m = Reveal{From: d.seat(), List: d.digest()}
	for range d.length(maxNeighbours+1, 32) {
		m.Shares = append(m.Shares, d.digest())
	}
	return d.done("reveal")
}

// MarshalBinary gives the bytes of the message.
func (m Audit) MarshalBinary() ([]byte, error) {
	b := append(appendSeat([]byte{tagAudit}, m.From), m.Sum[:]...)
	return append(b, m.Sig[:]...), nil
}

// UnmarshalBinary reads exactly one message.
func (m *Audit) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagAudit)
	*m = Audit{From: d.seat(), Sum: d.digest(), Sig: d.signature()}
	return d.done("audit")
}
