package run

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/study"
)

// MaxSites bounds the members of a run.
const MaxSites = 1024

// maxEpoch bounds the epochs of a run; mpc/sum has its own, smaller bound.
const maxEpoch = 1 << 16

// An Opening is what the ledger fixes before any row is read. Its digest stands
// in every key, mask and signature of the run.
type Opening struct {
	Chain     string     `json:"chain"` // the network's name
	Run       string     `json:"run"`   // unique on the chain
	Epoch     int        `json:"epoch"` // from 1; a new one has new keys, and perhaps fewer sites
	Release   ws.Release `json:"release"`
	Conductor ws.SiteID  `json:"conductor"` // may be a member
	// Institution is that of the conductor: the member's, where a member
	// conducts. Limits do not count it, whatever sites it has.
	Institution ws.Institution `json:"institution"`
	Members     []Member       `json:"members"` // in code-point order
	// AllowFew says that every member's policy allows sums over fewer than three
	// institutions, the conductor's not counted.
	AllowFew bool            `json:"allow_few"`
	Study    json.RawMessage `json:"study"` // in canonical form
}

// A Member is a site of an institution, with the key by which its ledger signs.
type Member struct {
	Site        ws.SiteID         `json:"site"`
	Institution ws.Institution    `json:"institution"`
	Key         ed25519.PublicKey `json:"key"`
	// Alone says that the site's policy lets its own part be seen, so that a
	// run may go on without it after a sum was opened.
	Alone bool `json:"alone"`
}

// Digest identifies the opening.
func (o *Opening) Digest() ([32]byte, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(append([]byte("wellspring/open\n"), b...)), nil
}

// Sites lists the members' names.
func (o *Opening) Sites() []ws.SiteID {
	out := make([]ws.SiteID, len(o.Members))
	for i, m := range o.Members {
		out[i] = m.Site
	}
	return out
}

// Key returns a member's key, or nil.
func (o *Opening) Key(site ws.SiteID) ed25519.PublicKey {
	i := slices.IndexFunc(o.Members, func(m Member) bool { return m.Site == site })
	if i < 0 {
		return nil
	}
	return o.Members[i].Key
}

// readOpening reads an opening from outside.
func readOpening(b []byte) (*Opening, error) {
	o := new(Opening)
	if len(b) > maxOpening || json.Unmarshal(b, o) != nil {
		return nil, malformed()
	}
	return o, o.Validate()
}

// Validate refuses an opening that no run could follow.
func (o *Opening) Validate() error {
	bad := func(msg ws.Text) error { return ws.Errorf(ws.Invalid, "opening", msg) }
	if o.Run == "" || len(o.Run) > 128 || o.Chain == "" || len(o.Chain) > 128 || o.Epoch < 1 || o.Epoch > maxEpoch {
		return bad(ws.T("run, chain or epoch is not well formed", "计算编号、链名或期号格式不正确"))
	}
	if o.Release != ws.Version {
		return ws.Errorf(ws.Diverged, "opening", ws.T("the run is of release %s, this site is of %s", "该计算的版本为 %s，本站点为 %s", o.Release, ws.Version)).
			WithHint(ws.T("bring all sites to the same release", "请将所有站点升级到同一版本"))
	}
	if len(o.Members) == 0 || len(o.Members) > MaxSites {
		return bad(ws.T("a run has 1 to %d sites", "一次计算须有 1 到 %d 个站点", MaxSites))
	}
	if err := errors.Join(o.Conductor.Validate(), o.Institution.Validate()); err != nil {
		return ws.At("opening: conductor", err)
	}
	for i, m := range o.Members {
		if err := errors.Join(m.Site.Validate(), m.Institution.Validate()); err != nil {
			return ws.At("opening: member", err)
		}
		if m.Site == o.Conductor && m.Institution != o.Institution {
			return bad(ws.T("the conductor is a member, and of another institution than it conducts for", "主持方为成员站点，但其机构与主持机构不符"))
		}
		if len(m.Key) != ed25519.PublicKeySize {
			return bad(ws.T("site %s has no valid key", "站点 %s 没有有效的密钥", m.Site))
		}
		if i > 0 && o.Members[i-1].Site >= m.Site {
			return bad(ws.T("sites are not in order, or one stands twice", "站点未按顺序排列或有重复"))
		}
	}
	return nil
}

// study reads the study that the opening carries.
func (o *Opening) study() (*study.Study, error) {
	s, err := study.Parse(o.Study, "study")
	if err != nil {
		return nil, err
	}
	return s.WithDefaults(), nil
}

// params are the parameters of the epoch's secure sums. The study enters in its
// canonical form, whatever its bytes in the opening.
func (o *Opening) params(digest [32]byte, s *study.Study, known *sum.Signatures) (sum.Params, error) {
	canonical, err := s.Canonical()
	if err != nil {
		return sum.Params{}, err
	}
	p := sum.Params{Suite: sum.Intl, Chain: o.Chain, Run: o.Run, Epoch: uint32(o.Epoch), Open: digest, AllowFew: o.AllowFew, Signatures: known,
		Protocol: sha256.Sum256(append([]byte("wellspring/protocol "+string(o.Release)+"\n"), canonical...))}
	for _, m := range o.Members {
		p.Sites = append(p.Sites, sum.Member{ID: m.Site, Key: m.Key, Alone: m.Alone})
	}
	return p, nil
}
