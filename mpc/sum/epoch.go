package sum

import (
	"bytes"
	"slices"

	ws "wellspring"
	"wellspring/stat"
)

// An Epoch is what all sites of an epoch agreed on in its key phase: the keys,
// the coin, the graph and the voters. It holds no secret, does not change, and
// may be shared.
type Epoch struct {
	params     Params
	adverts    Digest   // of all adverts
	coin       Digest   // drawn by all sites together
	transcript Digest   // of adverts and coin; all else hangs on it
	keys       [][]byte // by seat; nil in an epoch read back from a party's state
	opened     Set      // survivors of earlier sums of the run, as the adverts claim; nil if none
	ring       *ring
	voters     []Seat // ascending
	t          int    // shares that open a secret
}

// NewEpoch checks every advert and coin, one of each site in any order, and
// derives the graph and the voters.
//
// Cost: n signatures checked; 1.4 KB a site.
func NewEpoch(p Params, adverts []Advert, coins []Coin) (*Epoch, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	adverts, digest, err := gather(p, adverts)
	if err != nil {
		return nil, err
	}
	coins, err = bySeat(p, "coin", coins, func(m Coin) Seat { return m.From })
	if err != nil {
		return nil, err
	}
	e := &Epoch{params: p, adverts: digest}
	pd := p.Digest()
	parts := [][]byte{digest[:]}
	for i, a := range adverts {
		switch {
		case !p.verify(a.From, a.signed(pd), a.Sig):
			return nil, denied("sum: advert", ws.T("the key of site %s is not signed by its ledger key", "站点 %s 的密钥未经其账本密钥签名", p.name(a.From)))
		case hash("coin share", coins[i].Share[:]) != a.Coin:
			return nil, diverged("sum: coin", ws.T("site %s reveals another coin than it pinned", "站点 %s 揭示的随机数与其承诺不符", p.name(a.From)))
		}
		if e.opened, err = p.mergeOpened(e.opened, a.Opened); err != nil {
			return nil, err
		}
		e.keys = append(e.keys, a.Key)
		parts = append(parts, coins[i].Share[:])
	}
	e.settle(hash("coin", parts...))
	return e, nil
}

// settle derives what the coin decides.
func (e *Epoch) settle(coin Digest) {
	n := len(e.params.Sites)
	_, t, a := sizes(n)
	e.coin, e.t = coin, t
	e.transcript = hash("transcript", e.adverts[:], coin[:])
	e.ring = newRing(n, coin)
	e.voters = slices.Clone(e.ring.order[:a])
	slices.Sort(e.voters)
}

// gather puts adverts in order and names the whole.
func gather(p Params, adverts []Advert) ([]Advert, Digest, error) {
	adverts, err := bySeat(p, "advert", adverts, func(m Advert) Seat { return m.From })
	if err != nil {
		return nil, Digest{}, err
	}
	pd := p.Digest()
	parts := [][]byte{pd[:]}
	for _, a := range adverts {
		if len(a.Key) != keySize || a.Opened != nil && (!a.Opened.fits(len(p.Sites)) || a.Opened.Seats() == nil) {
			return nil, Digest{}, invalid("sum: advert", ws.T("the advert of site %s has not the right form", "站点 %s 的公告格式有误", p.name(a.From)))
		}
		d := a.signed(pd)
		parts = append(parts, d[:])
	}
	return adverts, hash("adverts", parts...), nil
}

// signed is what the ledger key signs.
func (m Advert) signed(params Digest) Digest {
	return hash("advert", params[:], seatBytes(m.From), m.Key, m.Coin[:], m.Opened)
}

type message interface{ MarshalBinary() ([]byte, error) }

// bySeat orders messages that every site must have sent once.
func bySeat[M message](p Params, what string, list []M, from func(M) Seat) ([]M, error) {
	out := make([]M, len(p.Sites))
	seen := newSet(len(p.Sites))
	for _, m := range list {
		s := from(m)
		switch {
		case int(s) >= len(out):
			return nil, invalid("sum: "+what, ws.T("a message from a seat that is not there", "消息来自不存在的席位"))
		case !seen.Has(s):
			out[s] = m
			seen.put(s)
		case !same(out[s], m):
			return nil, diverged("sum: "+what, ws.T("site %s sent two unlike messages", "站点 %s 发出两份不一致的消息", p.name(s)))
		}
	}
	for s := range out {
		if !seen.Has(Seat(s)) {
			return nil, missing("sum: "+what, ws.T("nothing from site %s yet", "尚未收到站点 %s 的消息", p.name(Seat(s))))
		}
	}
	return out, nil
}

func same(a, b message) bool {
	x, err1 := a.MarshalBinary()
	y, err2 := b.MarshalBinary()
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// mergeOpened joins what two adverts say about the sums opened so far.
func (p Params) mergeOpened(a, b Set) (Set, error) {
	if a == nil {
		return b, nil
	}
	if b == nil {
		return a, nil
	}
	if s, ok := p.differ(a, b); ok {
		return nil, diverged("sum: advert", ws.T("sites disagree whether site %s is in the sums opened so far", "各站点对已打开的和是否包含站点 %s 说法不一", p.name(s)))
	}
	return a, nil
}

// differ finds a site, not free to be seen alone, that is in one set only.
func (p Params) differ(a, b Set) (Seat, bool) {
	for s, m := range p.Sites {
		if !m.Alone && a.Has(Seat(s)) != b.Has(Seat(s)) {
			return Seat(s), true
		}
	}
	return 0, false
}

func (p Params) verify(s Seat, d Digest, sig Signature) bool {
	return int(s) < len(p.Sites) && p.Signatures.Verify(p.Sites[s].Key, d, sig[:])
}

// Params returns the parameters of the epoch.
func (e *Epoch) Params() Params { return e.params }

// Neighbours lists the sites with whom s shares masks, ascending. Its Encaps,
// Pieces and Reveals are theirs.
func (e *Epoch) Neighbours(s Seat) []Seat { return slices.Clone(e.ring.neighbours[s]) }

// Voters lists the sites who vote on the list of survivors, check every
// vector and open the sum: all of them up to 33, a bench that the coin draws
// in larger networks.
func (e *Epoch) Voters() []Seat { return slices.Clone(e.voters) }

// Quorum is the number of survivors that a sum must have.
func (e *Epoch) Quorum() int { return quorum(len(e.params.Sites)) }

// VoteQuorum is the number of votes that make a certificate.
func (e *Epoch) VoteQuorum() int { return quorum(len(e.voters)) }

// AuditQuorum is the number of like audits on which a site that is no voter
// accepts a sum: one of them is honest.
func (e *Epoch) AuditQuorum() int { return (len(e.voters) + 2) / 3 }

// A Round is one sum of a run.
type Round struct {
	Number uint32 // counts the sums of the run from 0, over all epochs
	State  Digest // of the public state that the round folds
	Prev   Digest // [Sum.Digest] of the last sum, zero in round 0
	Len    int    // entries of the vector
}

// Digest names a round of this epoch. Every seed and share hangs on it.
func (e *Epoch) Digest(r Round) Digest {
	return hash("round", e.transcript[:], appendU32(nil, r.Number), r.State[:], r.Prev[:], appendU32(nil, uint32(r.Len)))
}

// checkList refuses a list that no honest voter signs, whatever it has seen.
func (e *Epoch) checkList(l List) error {
	const op = "sum: list of survivors"
	n := len(e.params.Sites)
	if !l.Roster.fits(n) || !l.Survivors.fits(n) {
		return invalid(op, ws.T("the list names seats that are not there", "名单含不存在的席位"))
	}
	for _, s := range l.Survivors.Seats() {
		if !l.Roster.Has(s) {
			return invalid(op, ws.T("site %s is no survivor: it shared nothing", "站点 %s 未参与分享，不能算作在场", e.params.name(s)))
		}
	}
	if len(l.Survivors.Seats()) < e.Quorum() || !e.ring.holds(l.Survivors) {
		return missing(op, ws.T("too few sites are left for a sum", "剩余站点太少，无法求和"))
	}
	return nil
}

// certify checks a certificate of the round with the given digest.
func (e *Epoch) certify(round Digest, c Certificate) error {
	const op = "sum: certificate"
	if c.List.Round != round {
		return diverged(op, ws.T("it is of another round or state", "它属于另一轮或另一状态"))
	}
	if err := e.checkList(c.List); err != nil {
		return err
	}
	d := c.List.Digest()
	voted := newSet(len(e.params.Sites))
	count := 0
	for _, v := range c.Votes {
		if err := e.checkVote(v, d, c.List.Survivors); err != nil {
			return err
		}
		if !voted.Has(v.From) {
			voted.put(v.From)
			count++
		}
	}
	if count < e.VoteQuorum() {
		return missing(op, ws.T("too few votes", "票数不足"))
	}
	return nil
}

func (e *Epoch) checkVote(v Vote, list Digest, survivors Set) error {
	const op = "sum: vote"
	_, voter := slices.BinarySearch(e.voters, v.From)
	switch {
	case !voter || !survivors.Has(v.From):
		return denied(op, ws.T("site %s has no vote on this list", "站点 %s 对此名单无投票权", e.params.name(v.From)))
	case v.List != list:
		return diverged(op, ws.T("site %s voted for another list", "站点 %s 投票给了另一份名单", e.params.name(v.From)))
	case !e.params.verify(v.From, e.voteSigned(list), v.Sig):
		return denied(op, ws.T("the vote of site %s is not signed by its ledger key", "站点 %s 的投票未经其账本密钥签名", e.params.name(v.From)))
	}
	return nil
}

func (e *Epoch) voteSigned(list Digest) Digest { return hash("vote", e.transcript[:], list[:]) }

func (e *Epoch) auditSigned(sum Digest) Digest { return hash("audit", e.transcript[:], sum[:]) }

func maskedSigned(m Masked, vector Digest) Digest {
	return hash("masked", m.Round[:], seatBytes(m.From), m.Roster[:], m.Shares[:], vector[:])
}

// A Sum is an opened sum. Only [Tally.Open] and [Epoch.Audited] make one.
type Sum struct {
	Round     Round
	Survivors []ws.SiteID // whose vectors it covers
	Ring      stat.Ring
	Digest    Digest // of all that, and of the epoch
	Few       bool   // it covers fewer than three sites

	round, list Digest
	survivors   Set
}

func (e *Epoch) newSum(r Round, l List, v stat.Ring) Sum {
	s := Sum{Round: r, Ring: v, round: e.Digest(r), list: l.Digest(), survivors: l.Survivors}
	for _, i := range l.Survivors.Seats() {
		s.Survivors = append(s.Survivors, e.params.name(i))
	}
	s.Few = len(s.Survivors) < 3
	vector := VectorDigest(v)
	s.Digest = hash("sum", s.round[:], s.list[:], vector[:])
	return s
}

// Audited takes a sum on the word of its auditors, for a site that is no voter
// and so does not see all vectors: [Epoch.AuditQuorum] of the voters on the
// certified list must have signed its digest.
func (e *Epoch) Audited(r Round, c Certificate, v stat.Ring, audits []Audit) (Sum, error) {
	const op = "sum: audit"
	if err := e.certify(e.Digest(r), c); err != nil {
		return Sum{}, err
	}
	if len(v) != r.Len {
		return Sum{}, invalid(op, ws.T("the sum has not the length of its round", "和的长度与本轮不符"))
	}
	s := e.newSum(r, c.List, v)
	signed := newSet(len(e.params.Sites))
	count, other := 0, false
	for _, a := range audits {
		_, voter := slices.BinarySearch(e.voters, a.From)
		if !voter || !c.List.Survivors.Has(a.From) || signed.Has(a.From) {
			continue
		}
		if a.Sum == s.Digest && e.params.verify(a.From, e.auditSigned(a.Sum), a.Sig) {
			signed.put(a.From)
			count++
		}
		other = other || a.Sum != s.Digest
	}
	switch {
	case count >= e.AuditQuorum():
		return s, nil
	case other:
		return Sum{}, diverged(op, ws.T("the auditors signed another sum", "审计站点签署的是另一个和"))
	}
	return Sum{}, missing(op, ws.T("too few audits", "审计签名不足"))
}
