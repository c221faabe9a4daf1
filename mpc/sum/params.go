package sum

import (
	"crypto/ed25519"
	"encoding/binary"
	"slices"

	ws "wellspring"
)

// MaxSites bounds a network: seats, graphs and bitmaps are sized by it.
const MaxSites = 1024

// A Digest is a SHA-256 value.
type Digest [32]byte

// A Suite names the primitives of a network, as its genesis does.
type Suite string

const (
	// Intl is ML-KEM-768 with X25519 (X-Wing), HKDF-SHA256, AES-256 in CTR
	// and GCM mode, SHA-256 and Ed25519.
	Intl Suite = "intl"
	// GM is SM2, SM3 and SM4. [Params.Validate] refuses it so far.
	GM Suite = "gm"
)

// A Seat is a site's position in [Params.Sites], counting from 0.
type Seat uint16

// A Member is one site of an epoch.
type Member struct {
	ID  ws.SiteID
	Key ed25519.PublicKey // the site's ledger key; it signs and does nothing else
	// Alone says that the site's own part may be seen (its site_results
	// policy grants it), so a run may go on without it after a sum was opened.
	Alone bool
}

// Params is what run/open on the ledger fixes for one epoch of a run. Sites
// with unlike Params derive unlike masks, which do not cancel.
type Params struct {
	Suite    Suite
	Chain    string // the network's chain id
	Protocol Digest // of the analysis, its version and the program's release
	Run      string
	Epoch    uint32
	Open     Digest   // of the run/open transaction
	Sites    []Member // in strictly ascending order of ID
	// AllowFew lets one or two sites form a sum. Every member's policy must
	// say so; [Sum.Few] reports it.
	AllowFew bool
	// Signatures is what this process remembers of signatures, and no part of
	// what the ledger fixes: neither [Params.Digest] nor a party's state has it.
	// Nil remembers nothing.
	Signatures *Signatures
}

// Validate refuses parameters with which no sum may be formed.
func (p Params) Validate() error {
	const op = "sum: parameters"
	switch {
	case p.Suite == GM:
		return ws.Errorf(ws.Invalid, op, ws.T("the cipher suite gm is not there yet", "密码套件 gm 尚未提供")).
			WithHint(ws.T("open the network with the suite intl", "请以 intl 套件建立网络"))
	case p.Suite != Intl:
		return ws.Errorf(ws.Invalid, op, ws.T("unknown cipher suite", "未知的密码套件"))
	case p.Chain == "" || len(p.Chain) > 128 || p.Run == "" || len(p.Run) > 128:
		return ws.Errorf(ws.Invalid, op, ws.T("chain and run need names of 1 to 128 bytes", "链与运行的名称须为 1 到 128 字节"))
	case len(p.Sites) == 0 || len(p.Sites) > MaxSites:
		return ws.Errorf(ws.Invalid, op, ws.T("a sum takes 1 to %d sites", "求和需要 1 到 %d 个站点", MaxSites))
	case len(p.Sites) < 3 && !p.AllowFew:
		return ws.Errorf(ws.Denied, op, ws.T("a sum over fewer than three sites shows single sites", "少于三个站点的求和会暴露单个站点")).
			WithHint(ws.T("every member must allow it by its own policy", "须由每个成员的政策分别允许"))
	}
	return p.validateSites(op)
}

func (p Params) validateSites(op string) error {
	keys := make(map[string]bool, len(p.Sites))
	for i, m := range p.Sites {
		if err := m.ID.Validate(); err != nil {
			return ws.At(op, err)
		}
		switch {
		case i > 0 && p.Sites[i-1].ID >= m.ID:
			return ws.Errorf(ws.Invalid, op, ws.T("site %s stands out of order or twice", "站点 %s 次序有误或重复", m.ID))
		case len(m.Key) != ed25519.PublicKeySize || keys[string(m.Key)]:
			return ws.Errorf(ws.Invalid, op, ws.T("site %s needs a ledger key of its own", "站点 %s 须有自己的账本密钥", m.ID))
		}
		keys[string(m.Key)] = true
	}
	return nil
}

// Digest covers all that the ledger fixes.
func (p Params) Digest() Digest {
	parts := [][]byte{[]byte(p.Suite), []byte(p.Chain), p.Protocol[:], []byte(p.Run),
		binary.BigEndian.AppendUint32(nil, p.Epoch), p.Open[:], {bit(p.AllowFew)}}
	for _, m := range p.Sites {
		parts = append(parts, []byte(m.ID), m.Key, []byte{bit(m.Alone)})
	}
	return hash("params", parts...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Seat returns the position of a site.
func (p Params) Seat(id ws.SiteID) (Seat, bool) {
	i, ok := slices.BinarySearchFunc(p.Sites, id, func(m Member, id ws.SiteID) int {
		switch {
		case m.ID < id:
			return -1
		case m.ID > id:
			return 1
		}
		return 0
	})
	return Seat(i), ok
}

// name is for messages to people.
func (p Params) name(s Seat) ws.SiteID {
	if int(s) < len(p.Sites) {
		return p.Sites[s].ID
	}
	return "?"
}

// seats and their sets

// A Set is a bitmap over the seats of an epoch, seat 0 in the lowest bit of
// the first byte. The nil Set holds nobody.
type Set []byte

func newSet(n int) Set { return make(Set, (n+7)/8) }

// Has reports whether s is in the set.
func (b Set) Has(s Seat) bool { return int(s)/8 < len(b) && b[s/8]>>(s%8)&1 == 1 }

func (b Set) put(s Seat) { b[s/8] |= 1 << (s % 8) }

// Seats lists the members in ascending order.
func (b Set) Seats() []Seat {
	var out []Seat
	for s := range 8 * len(b) {
		if b.Has(Seat(s)) {
			out = append(out, Seat(s))
		}
	}
	return out
}

// fits reports whether the set is a bitmap over exactly n seats.
func (b Set) fits(n int) bool {
	return len(b) == (n+7)/8 && (n%8 == 0 || b[len(b)-1]>>(n%8) == 0)
}
