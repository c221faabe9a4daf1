package ledger

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	ws "wellspring"
)

// Bounds on everything that comes from outside [LEDGER-TX.4].
const (
	MaxTx         = 384 << 10 // bytes of a transaction; an opening, and a closing, of MaxMembers fits
	maxSmall      = 8 << 10   // bytes of any other transaction
	MaxMembers    = 1024      // sites of a run
	MaxEpoch      = 1024      // epochs of a run
	MaxVersion    = 1<<31 - 1 // of a dataset at a site
	MaxSeq        = 1<<53 - 1 // transactions of one key; the largest integer of RFC 8785
	maxPurposes   = 32
	maxConductors = 16
	maxParts      = 256 // analyses that a review leaves out
	maxPart       = 1 << 16
	maxName       = 64  // characters
	maxKey        = 512 // bytes of a key of the state
)

// A Hash is a SHA-256, as 64 small hex digits where it is text.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h names nothing.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText gives small hex digits.
func (h Hash) MarshalText() ([]byte, error) { return toHex(h[:]), nil }

// UnmarshalText reads what MarshalText wrote, and nothing else.
func (h *Hash) UnmarshalText(b []byte) error { return fromHex(h[:], b) }

// ParseHash reads 64 small hex digits, which may follow "sha256:" as in the
// digest of a study.
func ParseHash(s string) (h Hash, err error) {
	return h, h.UnmarshalText([]byte(strings.TrimPrefix(s, "sha256:")))
}

// A PublicKey is an Ed25519 public key of the suite "intl".
type PublicKey [32]byte

// MarshalText gives small hex digits.
func (p PublicKey) MarshalText() ([]byte, error) { return toHex(p[:]), nil }

// UnmarshalText reads what MarshalText wrote, and nothing else.
func (p *PublicKey) UnmarshalText(b []byte) error { return fromHex(p[:], b) }

// A Signature is an Ed25519 signature.
type Signature [64]byte

// MarshalText gives small hex digits.
func (s Signature) MarshalText() ([]byte, error) { return toHex(s[:]), nil }

// UnmarshalText reads what MarshalText wrote, and nothing else.
func (s *Signature) UnmarshalText(b []byte) error { return fromHex(s[:], b) }

func toHex(b []byte) []byte { return hex.AppendEncode(nil, b) }

// fromHex fills out with small hex digits, of which there must be twice as many.
func fromHex(out, text []byte) error {
	if len(text) != 2*len(out) || strings.ContainsAny(string(text), "ABCDEF") {
		return malformed(ws.T("a hash, key or signature is small hex digits of its full length", "摘要、密钥或签名须为完整长度的小写十六进制"))
	}
	if _, err := hex.Decode(out, text); err != nil {
		return malformed(ws.T("a hash, key or signature is small hex digits of its full length", "摘要、密钥或签名须为完整长度的小写十六进制"))
	}
	return nil
}

// An Account stands for a person at an institution: 16 random bytes in hex. Who
// it is stands in that institution's own erasable directory, never here.
type Account string

// A RunID names one run, for ever: 16 random bytes in hex, so that nobody can
// take a name that another will want.
type RunID string

// A Category says what kind of body an institution is.
type Category string

// The categories of institutions.
const (
	Hospital   Category = "hospital"
	University Category = "university"
	Institute  Category = "institute" // a national research institute
	Company    Category = "company"
	Authority  Category = "authority"
	Centre     Category = "centre" // a data centre or hub
)

func (c Category) check() error {
	switch c {
	case Hospital, University, Institute, Company, Authority, Centre:
		return nil
	}
	return malformed(ws.T("an institution's category is hospital, university, institute, company, authority or centre",
		"机构类别须为 hospital、university、institute、company、authority 或 centre"))
}

// A Jurisdiction is a country by its ISO 3166-1 code of two capitals, such as CN.
type Jurisdiction string

func (j Jurisdiction) check() error {
	if len(j) == 2 && j[0] >= 'A' && j[0] <= 'Z' && j[1] >= 'A' && j[1] <= 'Z' {
		return nil
	}
	return malformed(ws.T("a jurisdiction is an ISO 3166 code of two capitals, such as CN", "法域须为两个大写字母的 ISO 3166 代码，例如 CN"))
}

// checkName holds a name of an institution, site or dataset to a set of
// characters that never changes: tables of Unicode do, and replicas built with
// unlike ones would disagree. CJK ideographs have one form only, so no two
// names look the same for want of normalisation [LEDGER-TX.5].
func checkName(what ws.Text, s string) error {
	n := 0
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r >= 0x4E00 && r <= 0x9FFF
		if !letter && (n == 0 || !strings.ContainsRune("._-", r)) {
			n = maxName
		}
		n++
	}
	if n >= 1 && n <= maxName && utf8.ValidString(s) {
		return nil
	}
	return malformed(ws.T("the name of %s has 1 to %d letters (ASCII or Chinese), digits, '.', '_' or '-', and begins with a letter or digit",
		"%s的名称由 1 到 %d 个字母（ASCII 或汉字）、数字、“.”、“_”或“-”组成，并以字母或数字开头", what, maxName))
}

var (
	theInstitution = ws.T("an institution", "机构")
	theSite        = ws.T("a site", "站点")
	theDataset     = ws.T("a dataset", "数据集")
)

func checkRandom(what ws.Text, s string) error {
	var b [16]byte
	if fromHex(b[:], []byte(s)) == nil && b != [16]byte{} {
		return nil
	}
	return malformed(ws.T("%s is 32 small hex digits of 16 random bytes", "%s须为 16 个随机字节的 32 位小写十六进制", what))
}

func (a Account) check() error { return checkRandom(ws.T("an account", "账户"), string(a)) }
func (r RunID) check() error   { return checkRandom(ws.T("a run's id", "计算编号"), string(r)) }

// checkHash refuses the zero hash, which names nothing.
func checkHash(what ws.Text, h Hash) error {
	if !h.IsZero() {
		return nil
	}
	return malformed(ws.T("%s is missing", "缺少%s", what))
}

func malformed(msg ws.Text) error { return ws.Errorf(ws.Invalid, "ledger", msg) }

func denied(msg ws.Text) *ws.Error { return ws.Errorf(ws.Denied, "ledger", msg) }

func invalid(msg ws.Text) *ws.Error { return ws.Errorf(ws.Invalid, "ledger", msg) }
