package sum

import (
	"crypto"
	"crypto/ed25519"

	ws "wellspring"
)

// stateVersion is the first byte after the tag of a party's state.
const stateVersion = 1

// MarshalBinary gives the party's state without its ledger key. It holds every
// secret of the epoch: it belongs in the site's own encrypted journal, is
// stored before each message is sent, and removed after [Party.Close].
func (p *Party) MarshalBinary() ([]byte, error) {
	b := appendParams([]byte{tagParty, stateVersion}, p.params)
	b = append(appendSeat(b, p.self), byte(p.stage))
	b = appendHistory(b, p.history)
	for _, d := range []Digest{p.root, p.seed, p.share, p.adverts} {
		b = append(b, d[:]...)
	}
	advert, err := p.advert.MarshalBinary()
	if err != nil {
		return nil, err
	}
	b = appendList(b, advert)
	b = append(b, bit(p.epoch != nil))
	if p.epoch == nil {
		return b, nil
	}
	b = appendList(append(b, p.epoch.coin[:]...), p.epoch.opened)
	b = appendLen(b, len(p.sent))
	for _, m := range p.sent {
		enc, err := m.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = append(b, enc...)
	}
	b = appendLen(b, len(p.secrets))
	for _, s := range p.secrets {
		b = appendList(b, s)
	}
	return appendTurn(b, p.turn), nil
}

// ParseParty reads a party back. Its steps give the bytes that they gave
// before, and refuse what they refused.
func ParseParty(state []byte, key crypto.Signer) (*Party, error) {
	d := decoder{b: state}
	d.tag(tagParty)
	d.bad = d.bad || d.byte() != stateVersion
	p := &Party{params: d.params(), self: d.seat(), stage: stage(d.byte()), history: d.history(), signer: key}
	p.root, p.seed, p.share, p.adverts = d.digest(), d.digest(), d.digest(), d.digest()
	advert := d.list(2 * keySize)
	settled := d.bool()
	if d.bad {
		return nil, d.done("state")
	}
	if err := p.params.Validate(); err != nil {
		return nil, err
	}
	if err := p.advert.UnmarshalBinary(advert); err != nil {
		return nil, err
	}
	if settled {
		d.settled(p)
	}
	if err := d.done("state"); err != nil {
		return nil, err
	}
	if err := p.sound(); err != nil {
		return nil, err
	}
	return p, nil
}

// settled reads what a party has after its key phase began.
func (d *decoder) settled(p *Party) {
	coin := d.digest()
	e := &Epoch{params: p.params, adverts: p.adverts, opened: d.set()}
	e.settle(coin)
	p.epoch = e
	for range d.length(maxNeighbours, 1+2+2+encSize+64) {
		var m Encaps
		d.bad = d.bad || m.UnmarshalBinary(d.take(1+2+2+encSize+64)) != nil
		p.sent = append(p.sent, m)
	}
	for range d.length(maxNeighbours, 2) {
		s := d.list(32)
		d.bad = d.bad || len(s) != 0 && len(s) != 32
		p.secrets = append(p.secrets, s)
	}
	p.turn = d.turn()
}

// sound refuses a state that no party can have.
func (p *Party) sound() error {
	bad := invalid("sum: state", ws.T("no party has this state", "不存在这样的参与方状态"))
	public, ok := p.signer.Public().(ed25519.PublicKey)
	if int(p.self) >= len(p.params.Sites) || !ok || !public.Equal(p.params.Sites[p.self].Key) || p.stage > closed {
		return bad
	}
	if (p.epoch != nil) != (p.stage >= keyed) && p.stage != closed {
		return bad
	}
	if p.stage != keyed && p.stage != joined {
		return nil
	}
	near := p.epoch.ring.neighbours[p.self]
	if len(p.secrets) != len(near) {
		return bad
	}
	masked := p.turn != nil && p.turn.roster != nil
	if masked && (len(p.turn.got) != len(near) || !p.turn.roster.fits(len(p.params.Sites))) {
		return bad
	}
	for i, j := range near {
		if p.stage == joined && len(p.secrets[i]) != 32 || masked && p.turn.roster.Has(j) && len(p.turn.got[i]) != 64 {
			return bad
		}
	}
	return nil
}

func appendParams(b []byte, p Params) []byte {
	b = appendList(appendList(append(appendList(b, []byte(p.Suite)), p.Protocol[:]...), []byte(p.Chain)), []byte(p.Run))
	b = append(append(appendU32(b, p.Epoch), p.Open[:]...), bit(p.AllowFew))
	b = appendLen(b, len(p.Sites))
	for _, m := range p.Sites {
		b = append(append(appendList(b, []byte(m.ID)), m.Key...), bit(m.Alone))
	}
	return b
}

func (d *decoder) params() Params {
	p := Params{Suite: Suite(d.list(16)), Protocol: d.digest(), Chain: string(d.list(128)), Run: string(d.list(128)),
		Epoch: d.u32(), Open: d.digest(), AllowFew: d.bool()}
	for range d.length(MaxSites, 2+32+1) {
		p.Sites = append(p.Sites, Member{ID: d.id(), Key: d.fixed(32), Alone: d.bool()})
	}
	return p
}

func (d *decoder) id() ws.SiteID { return ws.SiteID(d.list(256)) }

// MarshalBinary gives the history for the site's journal.
func (h History) MarshalBinary() ([]byte, error) {
	return appendHistory([]byte{tagHistory}, h), nil
}

// UnmarshalBinary reads exactly one history.
func (h *History) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	d.tag(tagHistory)
	*h = d.history()
	return d.done("history")
}

func appendHistory(b []byte, h History) []byte {
	b = appendLen(appendList(b, []byte(h.run)), len(h.past))
	for _, g := range h.past {
		b = appendLen(appendU32(b, g.epoch), len(g.sites))
		for i, id := range g.sites {
			b = append(appendList(b, []byte(id)), bit(g.alone[i]))
		}
	}
	b = appendLen(b, len(h.opened))
	for _, id := range h.opened {
		b = appendList(b, []byte(id))
	}
	b = append(appendU32(b, h.sums), h.last[:]...)
	b = append(b, bit(h.asked != nil))
	if h.asked != nil {
		b = appendRound(b, *h.asked)
	}
	return b
}

func (d *decoder) history() History {
	h := History{run: string(d.list(128))}
	for range d.length(maxEpochs, 4+2) {
		g := gathering{epoch: d.u32()}
		for range d.length(MaxSites, 2+1) {
			g.sites, g.alone = append(g.sites, d.id()), append(g.alone, d.bool())
		}
		h.past = append(h.past, g)
	}
	for range d.length(MaxSites, 2) {
		h.opened = append(h.opened, d.id())
	}
	h.sums, h.last = d.u32(), d.digest()
	if d.bool() {
		r := d.round()
		h.asked = &r
	}
	return h
}

func appendRound(b []byte, r Round) []byte {
	b = append(appendU32(b, r.Number), r.State[:]...)
	return appendU32(append(b, r.Prev[:]...), uint32(r.Len))
}

func (d *decoder) round() Round {
	return Round{Number: d.u32(), State: d.digest(), Prev: d.digest(), Len: int(d.u32())}
}

func appendTurn(b []byte, t *turn) []byte {
	b = append(b, bit(t != nil))
	if t == nil {
		return b
	}
	b = append(append(appendRound(b, t.round), t.digest[:]...), t.shares[:]...)
	b = append(appendList(b, t.roster), t.masked[:]...)
	b = appendLen(b, len(t.got))
	for _, s := range t.got {
		b = appendList(b, s)
	}
	b = append(b, bit(t.list != nil))
	if t.list != nil {
		b = append(b, t.list[:]...)
	}
	return b
}

func (d *decoder) turn() *turn {
	if !d.bool() {
		return nil
	}
	t := &turn{round: d.round(), digest: d.digest(), shares: d.digest(), roster: d.set(), masked: d.digest()}
	for range d.length(maxNeighbours, 2) {
		s := d.list(64)
		d.bad = d.bad || len(s) != 0 && len(s) != 64
		t.got = append(t.got, s)
	}
	if d.bool() {
		list := d.digest()
		t.list = &list
	}
	return t
}
