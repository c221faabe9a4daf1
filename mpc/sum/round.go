package sum

import (
	"slices"

	"filippo.io/edwards25519"

	ws "wellspring"
	"wellspring/stat"
)

// Share begins a round: it returns what everybody may see of this site's
// shares, and a sealed piece for each neighbour. Asked again, it gives the
// same bytes.
//
// Shapes: k+1 holders, t coefficients a secret ([sizes]).
// Cost:   about 160·k bytes and 2·t·k products mod ℓ.
// Leaks:  nothing to fewer than t holders.
func (p *Party) Share(r Round) (Shares, []Piece, error) {
	const op = "sum: share"
	if p.stage != joined {
		return Shares{}, nil, notJoined(op, p.stage)
	}
	if err := p.history.answers(r); err != nil {
		return Shares{}, nil, err
	}
	if p.history.opened != nil && !p.params.Sites[p.self].Alone && !p.history.claim(p.params).Has(p.self) {
		return Shares{}, nil, denied(op, ws.T("the run has opened sums without this site; one with it would tell its part", "本次运行已打开不含本站点的和；再加入会暴露本站点数据"))
	}
	if p.turn == nil || p.turn.round != r {
		p.turn = &turn{round: r, digest: p.epoch.Digest(r)}
		p.history.asked = &r
	}
	m, pieces := p.deal(p.turn.digest)
	p.turn.shares = m.Digest()
	return m, pieces, nil
}

func notJoined(op string, s stage) error {
	if s == closed {
		return closedError(op)
	}
	return diverged(op, ws.T("the key phase of the epoch is not over", "本周期的密钥阶段尚未完成"))
}

// ready refuses a step for which no round has begun.
func (p *Party) ready(op string) error {
	if p.stage != joined {
		return notJoined(op, p.stage)
	}
	if p.turn == nil {
		return diverged(op, ws.T("no round has begun at this site", "本站点尚未开始任何一轮"))
	}
	return nil
}

// deal derives the secrets b and K of a round, their shares and the table of
// pair seeds. It is a function of the root and the round alone, so that no
// restart can send two sets of shares.
func (p *Party) deal(round Digest) (Shares, []Piece) {
	b := polynomial(p.root[:], round, kindSelf, p.epoch.t)
	k := polynomial(p.root[:], round, kindPair, p.epoch.t)
	m := Shares{From: p.self, Round: round,
		Self: secretCheck(round, p.self, kindSelf, b[0].Bytes()),
		Pair: secretCheck(round, p.self, kindPair, k[0].Bytes())}
	var pieces []Piece
	var table []byte
	for i, to := range p.epoch.ring.neighbours[p.self] {
		seed := pairSeed(p.secrets[i], round, p.self, to)
		table = append(table, seed...)
		m.Edges = append(m.Edges, seedCheck(seed))
		plain := append(shareOf(b, to), shareOf(k, to)...)
		key := derive(p.secrets[i], "piece", round, 32, p.self, to)
		pieces = append(pieces, Piece{From: p.self, To: to, Round: round, Box: seal(key, plain)})
	}
	m.Table = seal(derive(k[0].Bytes(), "table", round, 32, p.self), table)
	for _, h := range p.epoch.holders(p.self) {
		m.Holders = append(m.Holders, ShareCheck{
			Self: shareCheck(round, p.self, h, kindSelf, shareOf(b, h)),
			Pair: shareCheck(round, p.self, h, kindPair, shareOf(k, h)),
		})
	}
	return m, pieces
}

// holders lists those who hold shares of s: its neighbours and itself,
// ascending.
func (e *Epoch) holders(s Seat) []Seat {
	near := e.ring.neighbours[s]
	at, _ := slices.BinarySearch(near, s)
	return slices.Insert(slices.Clone(near), at, s)
}

// Mask adds the site's masks to its vector x, in place, and signs it:
//
//	y_i = x_i + PRG(b_i) + Σ_{j>i} PRG(s_ij) − Σ_{j<i} PRG(s_ij)   (mod 2^128)
//
// over the neighbours j on the roster (Bonawitz et al. [1], section 4.1). The
// caller gives x up; the message holds it. pieces are those sealed for this
// site, from every neighbour on the roster. Asked again with the same roster
// and x, it gives the same bytes; another x is refused, and spoiled.
//
// Cost:  one pass over x, 16 bytes of AES a neighbour and entry; 16 bytes an
// entry sent, and 169 more.
// Leaks: nothing, while b_i and one s_ij stay closed.
func (p *Party) Mask(r Roster, pieces []Piece, x stat.Ring) (Masked, error) {
	const op = "sum: mask"
	if err := p.ready(op); err != nil {
		return Masked{}, err
	}
	t := p.turn
	switch {
	case r.Round != t.digest:
		return Masked{}, diverged(op, ws.T("the roster is of another round or state", "名册属于另一轮或另一状态"))
	case len(x) != t.round.Len:
		return Masked{}, invalid(op, ws.T("the vector has not the length of its round", "向量长度与本轮不符"))
	case t.roster != nil && !slices.Equal(t.roster, r.Sites):
		return Masked{}, diverged(op, ws.T("the vector was masked for another roster", "向量已按另一名册加掩码"))
	}
	if err := p.checkRoster(r.Sites); err != nil {
		return Masked{}, err
	}
	got := t.got
	if t.roster == nil {
		var err error
		if got, err = p.unsealAll(r.Sites, pieces); err != nil {
			return Masked{}, err
		}
	}
	return p.mask(r, got, x)
}

func (p *Party) checkRoster(sites Set) error {
	const op = "sum: roster"
	switch n := len(p.params.Sites); {
	case !sites.fits(n):
		return invalid(op, ws.T("the roster names seats that are not there", "名册含不存在的席位"))
	case !sites.Has(p.self):
		return denied(op, ws.T("the roster leaves this site out", "名册遗漏了本站点"))
	case len(sites.Seats()) < quorum(n) || !p.epoch.ring.holds(sites):
		return missing(op, ws.T("too few sites are left for a sum", "剩余站点太少，无法求和"))
	}
	return nil
}

func (p *Party) mask(r Roster, got [][]byte, x stat.Ring) (Masked, error) {
	t := p.turn
	b := polynomial(p.root[:], t.digest, kindSelf, p.epoch.t)[0].Bytes()
	masks := []mask{expand(selfSeed(b, t.digest, p.self), false)}
	for i, j := range p.epoch.ring.neighbours[p.self] {
		if r.Sites.Has(j) {
			masks = append(masks, pairMask(pairSeed(p.secrets[i], t.digest, p.self, j), p.self, j))
		}
	}
	accumulate(x, nil, masks)
	m := Masked{From: p.self, Round: t.digest, Roster: r.Digest(), Shares: t.shares, Vector: x}
	signed := maskedSigned(m, VectorDigest(x))
	if t.roster != nil && signed != t.masked {
		return Masked{}, diverged("sum: mask", ws.T("this round was answered with another vector", "本轮已用另一向量作答")).
			WithHint(ws.T("a site that lost its bytes ends the epoch", "丢失原始字节的站点须结束本周期"))
	}
	var err error
	if m.Sig, err = p.sign(signed); err != nil {
		return Masked{}, err
	}
	t.roster, t.masked, t.got = slices.Clone(r.Sites), signed, got
	return m, nil
}

// unsealAll opens the pieces of all neighbours on the roster.
func (p *Party) unsealAll(roster Set, pieces []Piece) ([][]byte, error) {
	const op = "sum: piece"
	near := p.epoch.ring.neighbours[p.self]
	got := make([][]byte, len(near))
	for _, m := range pieces {
		i, ok := slices.BinarySearch(near, m.From)
		if m.To != p.self || !ok || !roster.Has(m.From) {
			continue
		}
		key := derive(p.secrets[i], "piece", p.turn.digest, 32, m.From, p.self)
		plain, ok := unseal(key, m.Box)
		if m.Round != p.turn.digest || !ok || !scalars(plain) {
			return nil, diverged(op, ws.T("the piece of site %s is of another round or state, or spoiled", "站点 %s 的分享属于另一轮或另一状态，或已损坏", p.params.name(m.From)))
		}
		got[i] = plain
	}
	for i, j := range near {
		if roster.Has(j) && got[i] == nil {
			return nil, missing(op, ws.T("no piece from site %s yet", "尚未收到站点 %s 的分享", p.params.name(j)))
		}
	}
	return got, nil
}

// scalars reports whether b is two scalars in canonical form.
func scalars(b []byte) bool {
	if len(b) != 64 {
		return false
	}
	_, err1 := edwards25519.NewScalar().SetCanonicalBytes(b[:32])
	_, err2 := edwards25519.NewScalar().SetCanonicalBytes(b[32:])
	return err1 == nil && err2 == nil
}

// Vote signs a list of survivors, if this site is a voter and t, its own
// tally of the round, bears the list out. A site votes for one list a round.
func (p *Party) Vote(t *Tally, l List) (Vote, error) {
	const op = "sum: vote"
	if err := p.acts(op, l); err != nil {
		return Vote{}, err
	}
	if _, voter := slices.BinarySearch(p.epoch.voters, p.self); !voter {
		return Vote{}, denied(op, ws.T("this site is no voter of the epoch", "本站点不是本周期的投票者"))
	}
	if t.digest != p.turn.digest {
		return Vote{}, diverged(op, ws.T("the tally is of another round", "汇总属于另一轮"))
	}
	if err := t.Check(l); err != nil {
		return Vote{}, err
	}
	d := l.Digest()
	sig, err := p.sign(p.epoch.voteSigned(d))
	if err != nil {
		return Vote{}, err
	}
	p.turn.list = &d
	return Vote{From: p.self, List: d, Sig: sig}, nil
}

// acts refuses a list that this site may neither vote for nor reveal under.
func (p *Party) acts(op string, l List) error {
	if err := p.ready(op); err != nil {
		return err
	}
	t := p.turn
	switch {
	case l.Round != t.digest:
		return diverged(op, ws.T("the list is of another round or state", "名单属于另一轮或另一状态"))
	case t.list != nil && *t.list != l.Digest():
		return diverged(op, ws.T("a second list of survivors in one round", "同一轮出现第二份名单"))
	case t.roster == nil || !slices.Equal(t.roster, l.Roster):
		return diverged(op, ws.T("the list rests on another roster than this site's vector", "名单所依据的名册与本站点向量的不同"))
	case !l.Survivors.Has(p.self):
		return denied(op, ws.T("the list leaves this site out", "名单遗漏了本站点"))
	}
	if err := p.epoch.checkList(l); err != nil {
		return err
	}
	return p.history.allows(p.params, l.Survivors)
}

// Reveal gives this site's share of b of each peer that survived, and of K of
// each that did not, once a quorum of the voters has signed the list. From
// here on a sum may be opened: the history holds its survivors.
//
// Cost:  k+1 shares of 32 bytes.
// Leaks: with t−1 others, the sum of the survivors' vectors and no more.
func (p *Party) Reveal(c Certificate) (Reveal, error) {
	const op = "sum: reveal"
	if err := p.acts(op, c.List); err != nil {
		return Reveal{}, err
	}
	t := p.turn
	if err := p.epoch.certify(t.digest, c); err != nil {
		return Reveal{}, err
	}
	d := c.List.Digest()
	t.list = &d
	if p.history.opened == nil {
		p.history.opened = p.params.ids(c.List.Survivors)
	}
	return Reveal{From: p.self, List: d, Shares: p.reveal(c.List)}, nil
}

func (p *Party) reveal(l List) (out [][32]byte) {
	near := p.epoch.ring.neighbours[p.self]
	for _, owner := range p.epoch.holders(p.self) {
		switch i, _ := slices.BinarySearch(near, owner); {
		case owner == p.self:
			own := polynomial(p.root[:], l.Round, kindSelf, p.epoch.t)
			out = append(out, [32]byte(shareOf(own, owner)))
		case l.Survivors.Has(owner):
			out = append(out, [32]byte(p.turn.got[i][:32]))
		case l.Roster.Has(owner):
			out = append(out, [32]byte(p.turn.got[i][32:]))
		}
	}
	return out
}

// Accept records a sum, which this site opened by its own [Tally.Open] or took
// by [Epoch.Audited], and signs it. After it the next round may begin.
func (p *Party) Accept(s Sum) (Audit, error) {
	const op = "sum: accept"
	if p.stage != joined {
		return Audit{}, notJoined(op, p.stage)
	}
	switch {
	case s.round != p.epoch.Digest(s.Round):
		return Audit{}, diverged(op, ws.T("the sum is of another epoch", "该和属于另一周期"))
	case p.turn != nil && p.turn.digest == s.round && p.turn.list != nil && *p.turn.list != s.list:
		return Audit{}, diverged(op, ws.T("the sum is over another list of survivors", "该和依据另一份名单"))
	}
	sig, err := p.sign(p.epoch.auditSigned(s.Digest))
	if err != nil {
		return Audit{}, err
	}
	if err := p.history.accept(s); err != nil {
		return Audit{}, err
	}
	return Audit{From: p.self, Sum: s.Digest, Sig: sig}, nil
}
