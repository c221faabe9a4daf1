package sum

import (
	"slices"

	ws "wellspring"
	"wellspring/stat"
)

// A Tally gathers the public messages of one round, for whoever conducts and
// for every voter: none of them takes another's word for a sum. It holds no
// secret, and takes messages in any order. It keeps the vectors that it is
// given and does not change them. One goroutine at a time uses it.
type Tally struct {
	epoch  *Epoch
	round  Round
	digest Digest
	shares []*entry[Shares] // by seat
	masked []*entry[Masked]
	roster *Roster // as this tally proposed it; a voter's has none
	list   *List   // likewise
	opened *Sum
}

// An entry is a checked message and what names it.
type entry[M any] struct {
	m      M
	digest Digest
}

// Tally begins a round's.
func (e *Epoch) Tally(r Round) *Tally {
	n := len(e.params.Sites)
	return &Tally{epoch: e, round: r, digest: e.Digest(r), shares: make([]*entry[Shares], n), masked: make([]*entry[Masked], n)}
}

func (t *Tally) name(s Seat) ws.SiteID { return t.epoch.params.name(s) }

// AddShares takes a site's shares.
func (t *Tally) AddShares(m Shares) error {
	const op = "sum: shares"
	if int(m.From) >= len(t.shares) {
		return invalid(op, ws.T("a message from a seat that is not there", "消息来自不存在的席位"))
	}
	k := len(t.epoch.ring.neighbours[m.From])
	switch {
	case m.Round != t.digest:
		return diverged(op, ws.T("the shares of site %s are of another round or state", "站点 %s 的分享属于另一轮或另一状态", t.name(m.From)))
	case len(m.Edges) != k || len(m.Holders) != k+1 || len(m.Table) != 32*k+sealOverhead:
		return invalid(op, ws.T("the shares of site %s have not the right form", "站点 %s 的分享格式有误", t.name(m.From)))
	}
	d := m.Digest()
	if old := t.shares[m.From]; old != nil && old.digest != d {
		return t.twice(op, m.From)
	}
	t.shares[m.From] = &entry[Shares]{m, d}
	return nil
}

// AddMasked takes a site's masked vector, if its ledger key signed it. The
// caller must not change the vector any more.
//
// Cost: SHA-256 over the vector and one signature.
func (t *Tally) AddMasked(m Masked) error {
	const op = "sum: masked vector"
	switch {
	case int(m.From) >= len(t.masked):
		return invalid(op, ws.T("a message from a seat that is not there", "消息来自不存在的席位"))
	case m.Round != t.digest:
		return diverged(op, ws.T("the vector of site %s is of another round or state", "站点 %s 的向量属于另一轮或另一状态", t.name(m.From)))
	case t.roster != nil && m.Roster != t.roster.Digest():
		return diverged(op, ws.T("site %s masked its vector for another roster", "站点 %s 按另一名册加了掩码", t.name(m.From)))
	case len(m.Vector) != t.round.Len:
		return invalid(op, ws.T("the vector of site %s has not the length of its round", "站点 %s 的向量长度与本轮不符", t.name(m.From)))
	}
	d := maskedSigned(m, VectorDigest(m.Vector))
	if !t.epoch.params.verify(m.From, d, m.Sig) {
		return denied(op, ws.T("the vector of site %s is not signed by its ledger key", "站点 %s 的向量未经其账本密钥签名", t.name(m.From)))
	}
	if old := t.masked[m.From]; old != nil && old.digest != d {
		return t.twice(op, m.From)
	}
	t.masked[m.From] = &entry[Masked]{m, d}
	return nil
}

func (t *Tally) twice(op string, s Seat) error {
	return diverged(op, ws.T("site %s sent two unlike messages", "站点 %s 发出两份不一致的消息", t.name(s)))
}

// Roster proposes the sites whose shares are here. The first proposal stands.
// The caller sees to it that their pieces are here too.
func (t *Tally) Roster() (Roster, error) {
	if t.roster != nil {
		return *t.roster, nil
	}
	sites := newSet(len(t.shares))
	for s, m := range t.shares {
		if m != nil {
			sites.put(Seat(s))
		}
	}
	if len(sites.Seats()) < t.epoch.Quorum() || !t.epoch.ring.holds(sites) {
		return Roster{}, missing("sum: roster", ws.T("too few sites have shared", "完成分享的站点太少"))
	}
	t.roster = &Roster{Round: t.digest, Sites: sites}
	return *t.roster, nil
}

// List proposes the survivors: the sites of this tally's roster whose vectors
// are here. The first proposal stands.
func (t *Tally) List() (List, error) {
	const op = "sum: list of survivors"
	if t.list != nil {
		return *t.list, nil
	}
	if t.roster == nil {
		return List{}, diverged(op, ws.T("no roster was proposed", "尚未提出名册"))
	}
	l := List{Round: t.digest, Roster: t.roster.Sites, Survivors: newSet(len(t.masked))}
	for s, m := range t.masked {
		if m != nil && t.roster.Sites.Has(Seat(s)) {
			l.Survivors.put(Seat(s))
		}
	}
	l.Bodies = t.bodies(l)
	if err := t.Check(l); err != nil {
		return List{}, err
	}
	t.list = &l
	return l, nil
}

// bodies names the messages behind a list; those that are not here count as zero.
func (t *Tally) bodies(l List) Digest {
	var parts [][]byte
	for _, s := range l.Roster.Seats() {
		if m := t.shares[s]; m != nil {
			parts = append(parts, m.digest[:])
		}
	}
	for _, s := range l.Survivors.Seats() {
		if m := t.masked[s]; m != nil {
			parts = append(parts, m.digest[:])
		}
	}
	return hash("bodies", parts...)
}

// Check bears a list out against the messages that are here: nobody's vector
// is left out, all were masked for this roster, and every two neighbours of
// whom one survived derived the same seed.
func (t *Tally) Check(l List) error {
	for s, m := range t.masked {
		if m != nil && l.Survivors.fits(len(t.masked)) && !l.Survivors.Has(Seat(s)) {
			return denied("sum: list of survivors", ws.T("the list leaves out site %s, whose vector is here", "名单遗漏了站点 %s，而其向量已在此处", t.name(Seat(s))))
		}
	}
	return t.check(l)
}

// check is Check for a list that has its certificate: a vector that came late
// does not undo it.
func (t *Tally) check(l List) error {
	const op = "sum: list of survivors"
	if l.Round != t.digest {
		return diverged(op, ws.T("the list is of another round or state", "名单属于另一轮或另一状态"))
	}
	if err := t.epoch.checkList(l); err != nil {
		return err
	}
	roster := Roster{Round: l.Round, Sites: l.Roster}.Digest()
	for s := range t.masked {
		if err := t.checkSite(l, roster, Seat(s)); err != nil {
			return err
		}
	}
	if err := t.checkEdges(l); err != nil {
		return err
	}
	if t.bodies(l) != l.Bodies {
		return diverged(op, ws.T("the list is of other messages than those that are here", "名单所依据的消息与此处所见不同"))
	}
	return nil
}

func (t *Tally) checkSite(l List, roster Digest, s Seat) error {
	const op = "sum: list of survivors"
	shares, masked := t.shares[s], t.masked[s]
	switch {
	case l.Roster.Has(s) && shares == nil:
		return missing(op, ws.T("nothing from site %s yet", "尚未收到站点 %s 的消息", t.name(s)))
	case !l.Survivors.Has(s):
		return nil
	case masked == nil:
		return missing(op, ws.T("no vector from site %s yet", "尚未收到站点 %s 的向量", t.name(s)))
	case masked.m.Roster != roster:
		return diverged(op, ws.T("site %s masked its vector for another roster", "站点 %s 按另一名册加了掩码", t.name(s)))
	case masked.m.Shares != shares.digest:
		return diverged(op, ws.T("site %s signed other shares than those that are here", "站点 %s 签署的分享与此处所见不同", t.name(s)))
	}
	return nil
}

func (t *Tally) checkEdges(l List) error {
	for _, i := range l.Survivors.Seats() {
		for at, j := range t.epoch.ring.neighbours[i] {
			if !l.Roster.Has(j) || l.Survivors.Has(j) && j < i {
				continue
			}
			back, _ := slices.BinarySearch(t.epoch.ring.neighbours[j], i)
			if t.shares[i].m.Edges[at] != t.shares[j].m.Edges[back] {
				return diverged("sum: list of survivors", ws.T("sites %s and %s derived unlike seeds", "站点 %s 与 %s 推导出不同的种子", t.name(i), t.name(j)))
			}
		}
	}
	return nil
}

// Certify joins a list and votes for it into a certificate. Votes that do not
// count are passed over.
func (t *Tally) Certify(l List, votes []Vote) (Certificate, error) {
	c := Certificate{List: l}
	d := l.Digest()
	seen := newSet(len(t.masked))
	for _, v := range votes {
		if len(c.Votes) < t.epoch.VoteQuorum() && int(v.From) < len(t.masked) && !seen.Has(v.From) && t.epoch.checkVote(v, d, l.Survivors) == nil {
			seen.put(v.From)
			c.Votes = append(c.Votes, v)
		}
	}
	if len(c.Votes) < t.epoch.VoteQuorum() {
		return Certificate{}, missing("sum: certificate", ws.T("too few votes", "票数不足"))
	}
	return c, nil
}

// Open adds the survivors' vectors and takes their masks off:
//
//	Σ_{i∈U} x_i = Σ_{i∈U} (y_i − PRG(b_i)) + Σ_{j∈A∖U} Σ_{i∈U} ± PRG(s_ij)
//
// where U are the survivors and A the roster. A tally opens one list. Reveals
// come in any order; shares that their owner did not pin are passed over.
//
// Cost:  a pass over each vector and a mask for each survivor and for each of
// its lost neighbours; t² products mod ℓ for each site.
// Leaks: the sum.
func (t *Tally) Open(c Certificate, reveals []Reveal) (Sum, error) {
	if err := t.epoch.certify(t.digest, c); err != nil {
		return Sum{}, err
	}
	if err := t.check(c.List); err != nil {
		return Sum{}, err
	}
	d := c.List.Digest()
	if t.opened != nil {
		if t.opened.list != d {
			return Sum{}, diverged("sum: open", ws.T("this round was opened over another list", "本轮已按另一名单打开"))
		}
		return *t.opened, nil
	}
	masks, err := t.masks(c.List, t.sort(c.List, d, reveals))
	if err != nil {
		return Sum{}, err
	}
	total := make(stat.Ring, t.round.Len)
	var vectors []stat.Ring
	for _, s := range c.List.Survivors.Seats() {
		vectors = append(vectors, t.masked[s].m.Vector)
	}
	accumulate(total, vectors, masks)
	sum := t.epoch.newSum(t.round, c.List, total)
	t.opened = &sum
	return sum, nil
}

// shown are the shares of one site's secret that its checks bear out.
type shown struct {
	holders []Seat
	shares  [][]byte
}

// sort hands each share of the reveals to its owner, by seat.
func (t *Tally) sort(l List, list Digest, reveals []Reveal) []shown {
	out := make([]shown, len(t.masked))
	seen := newSet(len(t.masked))
	for _, r := range reveals {
		if r.List != list || !l.Survivors.Has(r.From) || seen.Has(r.From) {
			continue
		}
		seen.put(r.From)
		at := 0
		for _, owner := range t.epoch.holders(r.From) {
			if !l.Roster.Has(owner) {
				continue
			}
			if at < len(r.Shares) && t.pinned(l, owner, r.From, r.Shares[at][:]) {
				out[owner].holders = append(out[owner].holders, r.From)
				out[owner].shares = append(out[owner].shares, r.Shares[at][:])
			}
			at++
		}
	}
	return out
}

// pinned reports whether a share is the one that its owner pinned.
func (t *Tally) pinned(l List, owner, holder Seat, share []byte) bool {
	at, ok := slices.BinarySearch(t.epoch.holders(owner), holder)
	if !ok {
		return false
	}
	checks := t.shares[owner].m.Holders[at]
	if l.Survivors.Has(owner) {
		return shareCheck(l.Round, owner, holder, kindSelf, share) == checks.Self
	}
	return shareCheck(l.Round, owner, holder, kindPair, share) == checks.Pair
}

// masks lists all that stands between the vectors and their sum.
func (t *Tally) masks(l List, shown []shown) ([]mask, error) {
	var out []mask
	var w weighing
	for _, s := range l.Roster.Seats() {
		if !l.Survivors.Has(s) && !t.touches(l, s) {
			continue
		}
		secret, err := t.join(l, s, shown[s], &w)
		if err != nil {
			return nil, err
		}
		if l.Survivors.Has(s) {
			out = append(out, expand(selfSeed(secret, l.Round, s), true))
			continue
		}
		lost, err := t.lostMasks(l, s, secret)
		if err != nil {
			return nil, err
		}
		out = append(out, lost...)
	}
	return out, nil
}

// touches reports whether a lost site shares a mask with a survivor.
func (t *Tally) touches(l List, lost Seat) bool {
	return slices.ContainsFunc(t.epoch.ring.neighbours[lost], l.Survivors.Has)
}

// join gives one site's secret back from t shares: b of a survivor, K of a
// lost site.
func (t *Tally) join(l List, s Seat, from shown, w *weighing) ([]byte, error) {
	const op = "sum: open"
	need := t.epoch.t
	if len(from.holders) < need {
		return nil, missing(op, ws.T("too few shares of site %s were revealed", "站点 %s 被揭示的分享太少", t.name(s)))
	}
	kind, want := kindSelf, t.shares[s].m.Self
	if !l.Survivors.Has(s) {
		kind, want = kindPair, t.shares[s].m.Pair
	}
	secret, ok := combine(w.of(from.holders[:need]), from.shares[:need])
	if !ok || secretCheck(l.Round, s, kind, secret) != want {
		return nil, diverged(op, ws.T("the shares that site %s dealt do not fit together", "站点 %s 分发的分享互不相符", t.name(s)))
	}
	return secret, nil
}

// lostMasks undoes, in the survivors' vectors, the masks that they share with
// a lost site.
func (t *Tally) lostMasks(l List, lost Seat, secret []byte) ([]mask, error) {
	bad := diverged("sum: open", ws.T("the table of site %s does not hold the seeds that it pinned", "站点 %s 的种子表与其承诺不符", t.name(lost)))
	table, ok := unseal(derive(secret, "table", l.Round, 32, lost), t.shares[lost].m.Table)
	if !ok {
		return nil, bad
	}
	var out []mask
	for at, i := range t.epoch.ring.neighbours[lost] {
		seed := table[32*at : 32*at+32]
		if !l.Survivors.Has(i) {
			continue
		}
		if seedCheck(seed) != t.shares[lost].m.Edges[at] {
			return nil, bad
		}
		out = append(out, pairMask(seed, lost, i)) // the opposite sign of i's
	}
	return out, nil
}
