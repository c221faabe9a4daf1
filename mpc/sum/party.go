package sum

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hpke"
	"io"
	"slices"

	ws "wellspring"
)

// stage is how far a party has come in its epoch.
type stage byte

const (
	advertised stage = iota
	coined           // its coin is out, for one set of adverts
	keyed            // the epoch is settled, its encapsulations are out
	joined           // it has a secret with every neighbour
	closed
)

// A Party is one site's secrets and memory in one epoch. Its methods are the
// site's steps; each either changes nothing and fails, or gives a message. The
// caller stores [Party.MarshalBinary] before it sends the message: a party
// read back gives the same bytes again, and none that contradict them. A Party
// is used by one goroutine at a time.
type Party struct {
	params  Params
	self    Seat
	signer  crypto.Signer // not part of the state
	history History
	stage   stage

	root  Digest // from which every secret of every round is derived
	seed  Digest // the private key of the advert; zero once joined
	share Digest // of the coin

	advert  Advert
	adverts Digest   // the set that the coin was revealed for
	epoch   *Epoch   // nil before keyed
	sent    []Encaps // sealing is not repeatable, so the bytes are kept
	secrets [][]byte // with each neighbour, ascending; nil before it is known
	turn    *turn    // the round at hand
}

// A turn is what a party remembers of the round that it is in.
type turn struct {
	round  Round
	digest Digest
	shares Digest   // of the Shares sent
	roster Set      // nil until masked
	masked Digest   // what was signed; pins the masked vector
	got    [][]byte // by neighbour: its shares of b and K, 64 bytes; nil if not on the roster
	list   *Digest  // voted for or acted on
}

// NewParty begins an epoch for one site. The history is that of the run so
// far, from [Party.Close] of its last epoch; key is the site's ledger key,
// Ed25519 with deterministic signatures (RFC 8032); rand gives 96 secret bytes.
func NewParty(p Params, self ws.SiteID, key crypto.Signer, past History, rand io.Reader) (*Party, error) {
	const op = "sum: new party"
	if err := p.Validate(); err != nil {
		return nil, err
	}
	seat, err := seatOf(p, self, key)
	if err != nil {
		return nil, err
	}
	if err := past.join(p); err != nil {
		return nil, err
	}
	party := &Party{params: p, self: seat, signer: key, history: past}
	for _, secret := range []*Digest{&party.root, &party.seed, &party.share} {
		if _, err := io.ReadFull(rand, secret[:]); err != nil {
			return nil, ws.Errorf(ws.Other, op, ws.T("no randomness", "无法取得随机数")).Wrap(err)
		}
	}
	private, err := party.private()
	if err != nil {
		return nil, err
	}
	a := Advert{From: seat, Key: private.PublicKey().Bytes(), Coin: hash("coin share", party.share[:]), Opened: past.claim(p)}
	if a.Sig, err = party.sign(a.signed(p.Digest())); err != nil {
		return nil, err
	}
	party.advert = a
	return party, nil
}

func seatOf(p Params, self ws.SiteID, key crypto.Signer) (Seat, error) {
	const op = "sum: new party"
	seat, ok := p.Seat(self)
	if !ok {
		return 0, denied(op, ws.T("site %s is not in this epoch", "站点 %s 不在本周期内", self))
	}
	if public, ok := key.Public().(ed25519.PublicKey); !ok || !public.Equal(p.Sites[seat].Key) {
		return 0, denied(op, ws.T("this is not the ledger key of site %s", "这不是站点 %s 的账本密钥", self))
	}
	return seat, nil
}

func (p *Party) private() (hpke.PrivateKey, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(p.seed[:])
	if err != nil {
		return nil, ws.Errorf(ws.Other, "sum: key", ws.T("no key from this seed", "无法由此种子生成密钥")).Wrap(err)
	}
	return k, nil
}

func (p *Party) sign(d Digest) (Signature, error) {
	sig, err := p.signer.Sign(nil, d[:], crypto.Hash(0))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Signature{}, ws.Errorf(ws.Other, "sum: sign", ws.T("the ledger key does not sign", "账本密钥无法签名")).Wrap(err)
	}
	return Signature(sig), nil
}

// Self returns the party's seat.
func (p *Party) Self() Seat { return p.self }

// Epoch returns the settled epoch; nil before [Party.Encaps].
func (p *Party) Epoch() *Epoch { return p.epoch }

// Joined reports whether the party has the secrets of all its neighbours and the
// epoch is not over, so that rounds can be asked of it.
func (p *Party) Joined() bool { return p.stage == joined }

// History returns a copy of what the site must not forget.
func (p *Party) History() History { return p.history }

// Advert returns the party's first message.
func (p *Party) Advert() Advert { return p.advert }

// Coin reveals the party's share of the coin for one complete set of adverts,
// and for no other.
func (p *Party) Coin(adverts []Advert) (Coin, error) {
	const op = "sum: coin"
	if p.stage == closed {
		return Coin{}, closedError(op)
	}
	adverts, digest, err := gather(p.params, adverts)
	if err != nil {
		return Coin{}, err
	}
	switch {
	case !same(adverts[p.self], p.advert):
		return Coin{}, diverged(op, ws.T("the adverts hold another key for this site", "公告中本站点的密钥被替换"))
	case p.stage != advertised && digest != p.adverts:
		return Coin{}, diverged(op, ws.T("the coin was revealed for other adverts", "随机数已为另一组公告揭示"))
	}
	p.adverts = digest
	p.stage = max(p.stage, coined)
	return Coin{From: p.self, Share: p.share}, nil
}

// Encaps settles the epoch and returns an encapsulation for about half of the
// neighbours; the others send theirs here.
//
// Cost: 1.2 KB a neighbour. The encapsulations take their randomness from the
// system, since crypto/hpke has no other source.
func (p *Party) Encaps(e *Epoch) ([]Encaps, error) {
	const op = "sum: encapsulate"
	switch {
	case p.stage == closed:
		return nil, closedError(op)
	case p.stage == advertised || e.adverts != p.adverts:
		return nil, diverged(op, ws.T("the coin was not revealed for these adverts", "随机数不是为这组公告揭示的"))
	case p.stage >= keyed: // the adverts pin the coins, so e is the same epoch
		return p.sent, nil
	}
	history := p.history
	if err := history.agree(p.params, e.opened); err != nil {
		return nil, err
	}
	sent, secrets, err := p.encapsulate(e)
	if err != nil {
		return nil, err
	}
	p.history, p.epoch, p.sent, p.secrets, p.stage = history, e, sent, secrets, keyed
	return sent, nil
}

func (p *Party) encapsulate(e *Epoch) (sent []Encaps, secrets [][]byte, err error) {
	secrets = make([][]byte, len(e.ring.neighbours[p.self]))
	for i, to := range e.ring.neighbours[p.self] {
		if !encapsulates(p.self, to) {
			continue
		}
		m := Encaps{From: p.self, To: to}
		if m.Enc, secrets[i], err = e.encapsulate(p.self, to); err != nil {
			return nil, nil, err
		}
		if m.Sig, err = p.sign(e.encapsSigned(m)); err != nil {
			return nil, nil, err
		}
		sent = append(sent, m)
	}
	return sent, secrets, nil
}

// encapsulates says which of two neighbours does: the lower seat if they
// differ by an odd number, so that every site does for about half of its own.
func encapsulates(from, to Seat) bool { return (from < to) == ((from^to)&1 == 1) }

func (e *Epoch) encapsInfo(from, to Seat) []byte {
	d := hash("encaps", e.transcript[:], seatBytes(from), seatBytes(to))
	return d[:]
}

func (e *Epoch) encapsSigned(m Encaps) Digest {
	return hash("encaps message", e.encapsInfo(m.From, m.To), m.Enc)
}

func (e *Epoch) encapsulate(from, to Seat) (enc, secret []byte, err error) {
	const op = "sum: encapsulate"
	public, err := hpke.MLKEM768X25519().NewPublicKey(e.keys[to])
	if err != nil {
		return nil, nil, invalid(op, ws.T("the key of site %s is malformed", "站点 %s 的密钥格式有误", e.params.name(to)))
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.ExportOnly(), e.encapsInfo(from, to))
	if err == nil {
		secret, err = sender.Export("wellspring/sum/pair", 32)
	}
	if err != nil {
		return nil, nil, invalid(op, ws.T("the key of site %s does not take a secret", "无法向站点 %s 的密钥封装秘密", e.params.name(to)))
	}
	return enc, secret, nil
}

// Join takes the encapsulations that neighbours sent here and wipes the
// private key. It may be given those of others too.
func (p *Party) Join(in []Encaps) error {
	const op = "sum: join"
	switch {
	case p.stage == closed:
		return closedError(op)
	case p.stage < keyed:
		return diverged(op, ws.T("the epoch is not settled yet", "本周期尚未确定"))
	case p.stage >= joined:
		return nil
	}
	private, err := p.private()
	if err != nil {
		return err
	}
	secrets := slices.Clone(p.secrets)
	for _, m := range in {
		i, ok := slices.BinarySearch(p.epoch.ring.neighbours[p.self], m.From)
		if m.To != p.self || !ok || !encapsulates(m.From, p.self) {
			continue
		}
		if secrets[i], err = p.decapsulate(private, m); err != nil {
			return err
		}
	}
	for i, s := range secrets {
		if s == nil {
			return missing(op, ws.T("no secret from site %s yet", "尚未收到站点 %s 的秘密", p.params.name(p.epoch.ring.neighbours[p.self][i])))
		}
	}
	p.secrets, p.stage = secrets, joined
	clear(p.seed[:])
	return nil
}

func (p *Party) decapsulate(private hpke.PrivateKey, m Encaps) ([]byte, error) {
	const op = "sum: join"
	if !p.params.verify(m.From, p.epoch.encapsSigned(m), m.Sig) {
		return nil, denied(op, ws.T("the encapsulation of site %s is not signed by its ledger key", "站点 %s 的封装未经其账本密钥签名", p.params.name(m.From)))
	}
	r, err := hpke.NewRecipient(m.Enc, private, hpke.HKDFSHA256(), hpke.ExportOnly(), p.epoch.encapsInfo(m.From, m.To))
	if err != nil {
		return nil, invalid(op, ws.T("the encapsulation of site %s is malformed", "站点 %s 的封装格式有误", p.params.name(m.From)))
	}
	secret, err := r.Export("wellspring/sum/pair", 32)
	if err != nil {
		return nil, invalid(op, ws.T("the encapsulation of site %s is malformed", "站点 %s 的封装格式有误", p.params.name(m.From)))
	}
	return secret, nil
}

// Close ends the epoch: it wipes the party's secrets, after which every step
// is refused, and returns the history that the next epoch of the run takes.
// Copies that the runtime or a journal made are not reached.
func (p *Party) Close() History {
	clear(p.root[:])
	clear(p.seed[:])
	clear(p.share[:])
	for _, s := range p.secrets {
		clear(s)
	}
	if p.turn != nil {
		for _, s := range p.turn.got {
			clear(s)
		}
	}
	p.secrets, p.turn, p.stage = nil, nil, closed
	return p.history
}

func closedError(op string) error {
	return denied(op, ws.T("the epoch is over at this site", "本站点已结束此周期"))
}
