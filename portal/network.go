package portal

import (
	"slices"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/site/console"
)

// A member is a site with what this node knows of it.
type member struct {
	console.Peer
	Self, Hub    bool
	Near         bool // heard so lately that it is there
	Unlike       bool // its program is of another release than this node's
	Pinned, Torn bool // compared, and the same or another key
	Datasets     []version
}

type version struct {
	Name   ws.Dataset
	Latest int
}

// A roster is the members of a network, as this node knows them.
type roster struct {
	Members      []member
	Near, Sites  int  // sites that are there, of those that have not ended
	Unsure       bool // the hub has not said lately whom it hears
	SeenByTheHub bool // what is known of sites is the hub's word
	OwnRelease   ws.Release
}

// near is how lately a peer was heard that is there: whoever orders the ledger
// and every site hear each other three times in it.
const near = 75 * time.Second

// asking bounds how long the page waits for the hub's word.
const asking = time.Second

func (p *Portal) network(at *visit) (string, *page, error) {
	if err := p.freshen(at); err != nil {
		return "", nil, err
	}
	r := roster{SeenByTheHub: at.about.Site != at.about.Hub, Unsure: time.Since(at.about.Told) > near}
	for _, peer := range at.about.Peers {
		if peer.Site == at.about.Site {
			r.OwnRelease = peer.Release
		}
	}
	for _, peer := range at.about.Peers {
		m := p.member(at, peer)
		m.Unlike = m.Release != "" && m.Release != r.OwnRelease
		if !m.Ended && !m.Hub {
			r.Sites++
			if m.Near || m.Self {
				r.Near++
			}
		}
		r.Members = append(r.Members, m)
	}
	slices.SortStableFunc(r.Members, func(a, b member) int { return a.rank() - b.rank() })
	return "network", &page{Title: ws.T("Network", "网络"), Section: "network", Body: r, Reload: seldom}, nil
}

// rank puts this node first, then the hub, and who has ended last.
func (m member) rank() int {
	switch {
	case m.Ended:
		return 3
	case m.Self:
		return 0
	case m.Hub:
		return 1
	}
	return 2
}

// freshen waits a moment for the hub's word, which was asked for with the first
// look, where the last one is old.
func (p *Portal) freshen(at *visit) (err error) {
	for until := time.Now().Add(asking); err == nil && time.Since(at.about.Told) > near && time.Now().Before(until); {
		select {
		case <-time.After(asking / 20):
		case <-at.r.Context().Done():
		}
		at.about, err = p.cfg.Node.About(at.r.Context())
	}
	return err
}

func (p *Portal) member(at *visit, peer console.Peer) member {
	m := member{Peer: peer, Self: peer.Site == at.about.Site, Hub: peer.Site == at.about.Hub, Near: time.Since(peer.Seen) < near}
	for d, v := range peer.Latest {
		m.Datasets = append(m.Datasets, version{d, v})
	}
	slices.SortFunc(m.Datasets, func(a, b version) int { return strings.Compare(string(a.Name), string(b.Name)) })
	if p.cfg.Steward != nil && !m.Self && !m.Hub {
		key, pinned := p.cfg.Steward.Pinned(peer.Site)
		m.Pinned, m.Torn = pinned && key == peer.Fingerprint, pinned && key != peer.Fingerprint
	}
	return m
}
