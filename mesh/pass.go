package mesh

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"time"

	ws "wellspring"
)

// A Pass is what a node holds to reach a broker: where it is, how to know
// it, by what right, and the names that are the node's own there. The hub issues
// it (mesh/broker); mesh/wire connects with it. It lets nobody sign letters: who
// steals one can read what is sent to the node, and hinder it.
type Pass struct {
	Site ws.SiteID `json:"site"`
	// URLs are tls://host:port, or wss://host[:443]/ through a web server's
	// port; several are members of one cluster.
	URLs []string `json:"urls"`
	// Roots are the certificates, in PEM, of which one must have signed the
	// server's; "" stands for those of the system.
	Roots string `json:"roots,omitempty"`
	// TLSFirst says that the server speaks TLS from the first byte, not after a greeting.
	TLSFirst bool `json:"tls_first,omitempty"`
	// JWT names the node's user at the broker; Seed is that user's secret,
	// empty where the node has made it itself and has yet to put it in.
	JWT  string `json:"jwt"`
	Seed string `json:"seed,omitempty"`

	Inbox string `json:"inbox"` // prefix of the subjects on which answers come
	In    string `json:"in"`    // subject on which frames come that are not stored
	Live  string `json:"live"`  // prefix for frames that are not stored; the receiver's token follows
	// Peer takes the place of Live for receivers other than Hub; "" where Live is for all.
	Peer   string    `json:"peer,omitempty"`
	Hub    ws.SiteID `json:"hub,omitempty"`
	Stored string    `json:"stored"` // prefix for frames that the broker stores
	Next   string    `json:"next"`   // subject that asks for stored frames
}

// LiveTo is the subject of frames to a receiver that are not stored.
func (p Pass) LiveTo(to ws.SiteID) string {
	if p.Peer != "" && to != p.Hub {
		return p.Peer + Token(to)
	}
	return p.Live + Token(to)
}

// Expiry is when the first of the certificates ends by which servers are known; zero
// where they are the system's.
func (p Pass) Expiry() (at time.Time) {
	for rest := []byte(p.Roots); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return at
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err == nil && (at.IsZero() || c.NotAfter.Before(at)) {
			at = c.NotAfter
		}
	}
}

// Token gives a site's name as one token of a subject: itself if it is of
// lower case ASCII letters, digits, '-' and '_', otherwise "x-" and its bytes in hexadecimal.
func Token(s ws.SiteID) string {
	plain := s != "" && !strings.HasPrefix(string(s), "x-")
	for _, c := range []byte(s) {
		plain = plain && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	if plain {
		return string(s)
	}
	return "x-" + hex.EncodeToString([]byte(s))
}
