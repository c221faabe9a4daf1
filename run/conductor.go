package run

import (
	"encoding/json"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/stat"
	"wellspring/study"
)

// A Conductor asks, relays and adds. It holds no secret, and nobody takes its
// word: sites check every signature, add the vectors and step themselves. The
// hub conducts, or any member.
type Conductor struct {
	opening *Opening
	self    ws.SiteID // who conducts: whom the opening names, or a member that stands in
	study   *study.Study
	catalog analyze.Catalog
	params  sum.Params
	phase   Step // the step of the sites that is waited for
	whole   bool // the first sum leaves nobody out
	over    bool // an error was returned
	refused ws.SiteID

	facts     map[ws.SiteID][][]byte // facts, signature, advert
	adverts   []sum.Advert
	coins     map[ws.SiteID]sum.Coin
	encaps    map[ws.SiteID][][]byte // by receiver
	epoch     *sum.Epoch
	voters    map[ws.SiteID]bool
	program   *analyze.Program
	state     analyze.State
	last      sum.Digest
	round     int
	present   map[ws.SiteID]bool // not lost
	waiting   map[ws.SiteID]bool // whose answer to the present step is due
	survivors []ws.SiteID        // whose vectors the sums cover; nil before the first is opened
	turn      turn
	early     map[ws.SiteID]Message // shares of the round to come, from sites that have accepted the sum at hand
	results   []study.Result
	positions map[ws.SiteID]*position // of a stand-in
}

// A turn is the round at hand; the key phase has one too.
type turn struct {
	tally   *sum.Tally
	length  int                           // of the vector
	raw     map[Step]map[ws.SiteID][]byte // what sites sent, by step, to be relayed as it came
	shares  map[ws.SiteID][]byte
	pieces  map[ws.SiteID][][]byte // by receiver
	list    sum.List
	votes   []sum.Vote
	reveals []sum.Reveal
	cert    sum.Certificate
	audits  []sum.Audit
	sum     sum.Sum
	next    analyze.State
	sent    []Message
}

func newTurn() turn {
	return turn{raw: map[Step]map[ws.SiteID][]byte{}, shares: map[ws.SiteID][]byte{}, pieces: map[ws.SiteID][][]byte{}}
}

// NewConductor takes an opening that the ledger fixed. Shared is what it knows
// together with parties that its process plays; with nil it checks all anew.
func NewConductor(o *Opening, c analyze.Catalog, shared *Shared) (*Conductor, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := o.study()
	if err != nil {
		return nil, err
	}
	digest, err := o.Digest()
	if err != nil {
		return nil, err
	}
	params, err := o.params(digest, s, shared.known())
	if err != nil {
		return nil, err
	}
	cond := &Conductor{opening: o, self: o.Conductor, study: s, catalog: c, params: params, phase: FactsStep, turn: newTurn(),
		facts: map[ws.SiteID][][]byte{}, coins: map[ws.SiteID]sum.Coin{}, encaps: map[ws.SiteID][][]byte{},
		present: map[ws.SiteID]bool{}, voters: map[ws.SiteID]bool{}, early: map[ws.SiteID]Message{}}
	for _, m := range o.Members {
		cond.present[m.Site] = true
	}
	return cond, cond.params.Validate()
}

// Begin returns the first messages.
func (c *Conductor) Begin() (Output, error) {
	if c.phase == At {
		return c.send(Resume, c.answers, nil), nil
	}
	b, err := json.Marshal(c.opening)
	if err != nil {
		return Output{}, err
	}
	return c.toAll(Open, b), nil
}

// Round returns the round at hand, how many sites are waited for, and how many
// of them have answered its present step.
func (c *Conductor) Round() (round, answered, sites int) {
	return c.round, len(c.turn.raw[c.phase]), len(c.present)
}

// Answered reports whether the study is found to lie near to none before it, so that the
// next of the same askers can be compared with it.
func (c *Conductor) Answered() bool {
	if c.program == nil {
		return false
	}
	_, stage, err := c.program.Cohorts(c.state)
	return err == nil && stage == analyze.Answered
}

// Trail is the digest of the last sum that was opened, which hangs on all sums
// before it and on the opening; before the first it is the opening's.
func (c *Conductor) Trail() [32]byte {
	if c.last == (sum.Digest{}) {
		return c.params.Open
	}
	return c.last
}

// Waiting lists the sites whose answer to the present step is due.
func (c *Conductor) Waiting() []ws.SiteID {
	var out []ws.SiteID
	for _, m := range c.opening.Members {
		if c.waiting[m.Site] {
			out = append(out, m.Site)
		}
	}
	return out
}

// Summing reports whether the votes for the run's first sum have come, so that
// what is sent next opens it.
func (c *Conductor) Summing() bool { return c.phase == Reveal && c.round == 0 }

// Masked returns the vector that a site sent in the round at hand, as the
// conductor sees it; nil if it has sent none.
func (c *Conductor) Masked(site ws.SiteID) stat.Ring {
	b := c.turn.raw[Contribute][site]
	var m sum.Masked
	if b == nil || m.UnmarshalBinary(b) != nil {
		return nil
	}
	return m.Vector
}

// Step takes one message of a site. An error ends the run; the output then
// tells the sites. Only a message that is of another run or site is an error
// that changes nothing.
func (c *Conductor) Step(m Message) (Output, error) {
	if m.Run != c.opening.Run || m.Epoch > c.opening.Epoch || !c.member(m.From) {
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run, epoch or site", "消息属于另一计算、期或站点"))
	}
	if c.over || m.Epoch < c.opening.Epoch || !c.present[m.From] {
		return Output{}, nil // late
	}
	out, err := c.step(m)
	if err != nil {
		return c.stop(), err
	}
	return out, nil
}

// Refused names the site whose refusal ended the run, or nobody. It is for
// whoever runs the network; the error, which the asker reads, does not name a
// site whose policy or rows were why.
func (c *Conductor) Refused() ws.SiteID { return c.refused }

func (c *Conductor) member(site ws.SiteID) bool {
	_, ok := c.params.Seat(site)
	return ok
}

// Stop ends the run, because somebody wishes it.
func (c *Conductor) Stop() Output {
	if c.over || c.phase == Done {
		return Output{}
	}
	return c.stop()
}

// stop ends the run without an answer.
func (c *Conductor) stop() Output {
	c.over, c.results = true, nil
	return c.send(End, func(ws.SiteID) bool { return true }, nil)
}

func (c *Conductor) step(m Message) (Output, error) {
	switch {
	case m.Step == Refuse:
		c.refused = m.From
		return Output{}, readRefusal(m.From, m.Body)
	case c.phase == Audit && m.Step == SharesStep && m.Round == c.round+1 && c.answers(m.From):
		if _, known := c.early[m.From]; !known {
			c.early[m.From] = m
		}
		return Output{}, nil
	case m.Step != c.phase || m.Round != c.round && c.phase != At || !c.waiting[m.From]:
		return Output{}, nil // late, or again
	}
	if err := c.answered(m); err != nil {
		return Output{}, err
	}
	return c.advance()
}

// answered takes the answer of a site that is waited for.
func (c *Conductor) answered(m Message) error {
	if err := c.take(m); err != nil {
		return ws.At("site "+string(m.From), err)
	}
	if c.turn.raw[m.Step] == nil {
		c.turn.raw[m.Step] = map[ws.SiteID][]byte{}
	}
	c.turn.raw[m.Step][m.From] = m.Body
	delete(c.waiting, m.From)
	return nil
}

// Bound is the longest body of an answer that is waited for. Shares that come along
// with an audit are bounded alike.
func (c *Conductor) Bound() int64 {
	return int64(max(maxRefusal, bodyBound(c.phase, len(c.opening.Members), c.turn.length)))
}

// Whole has the run's first sum leave out nobody whom the opening names, unless few
// institutions are allowed: a site that is lost before it ends the epoch. Sites of a
// network want it so, since the ledger tells later runs whom a sum was over.
func (c *Conductor) Whole() *Conductor {
	c.whole = !c.opening.AllowFew
	return c
}

// Lose says that a site does not answer any more. What can be done without it
// is done; otherwise the error is of the kind Unreachable, and ends the run.
//
// A site that is lost before its vector came is left out of the first sum, and
// so of all; see [Conductor.Whole]. One that is lost with its vector in a first sum that is not yet
// opened ends the epoch: nothing was opened, and a new one may begin without
// it. Once a sum was opened, a round that lacks one of its sites ends the run.
func (c *Conductor) Lose(site ws.SiteID) (Output, error) {
	if c.over || c.phase == Done || !c.present[site] {
		return Output{}, nil
	}
	delete(c.present, site)
	delete(c.waiting, site)
	if err := c.bears(site); err != nil {
		return c.stop(), err
	}
	out, err := c.advance()
	if err != nil {
		return c.stop(), err
	}
	return out, nil
}

// bears refuses a loss after which the run cannot come to its answer.
func (c *Conductor) bears(site ws.SiteID) error {
	sent := c.turn.raw[Contribute][site] != nil
	switch c.phase {
	case FactsStep, CoinStep, Pairs:
		return lostEarly(site)
	case SharesStep, Contribute, Vote:
		if c.survivors == nil && (sent || c.whole) {
			return lostEarly(site)
		}
		if c.survivors != nil && !sent {
			return lostLate(site)
		}
	}
	return nil
}

func lostEarly(site ws.SiteID) error {
	return ws.Errorf(ws.Unreachable, "run", ws.T("site %s was lost before a sum was opened", "站点 %s 在任何和被打开之前失联", site)).
		WithHint(ws.T("open a new epoch without it", "请在不含该站点的情况下开启新的一期"))
}

func lostLate(site ws.SiteID) error {
	return ws.Errorf(ws.Unreachable, "run", ws.T("site %s was lost, and is in the sums that were opened", "站点 %s 失联，而其已包含在打开的和中", site)).
		WithHint(ws.T("wait for the site, or ask in a run of its own", "请等待该站点，或另开一次计算"))
}

// take reads one message into what is gathered.
func (c *Conductor) take(m Message) error {
	if len(m.Body) > bodyBound(m.Step, len(c.opening.Members), c.turn.length) {
		return malformed()
	}
	seat, _ := c.params.Seat(m.From)
	switch m.Step {
	case FactsStep:
		parts, err := unpack(m.Body, 3)
		if err != nil || len(parts) != 3 {
			return malformed()
		}
		c.facts[m.From] = parts
		return nil
	case CoinStep:
		var coin sum.Coin
		err := coin.UnmarshalBinary(m.Body)
		c.coins[m.From] = coin
		return its(seat, coin.From, err)
	case Pairs:
		return c.takePairs(seat, m.Body)
	case SharesStep:
		return c.takeShares(m.From, seat, m.Body)
	case Contribute:
		var masked sum.Masked
		err := masked.UnmarshalBinary(m.Body)
		if err := its(seat, masked.From, err); err != nil {
			return err
		}
		return c.turn.tally.AddMasked(masked)
	case Vote:
		v, err := gather(&c.turn.votes, m.Body)
		return agreed(v.List, c.turn.list.Digest(), its(seat, v.From, err))
	case Reveal:
		r, err := gather(&c.turn.reveals, m.Body)
		return agreed(r.List, c.turn.list.Digest(), its(seat, r.From, err))
	case At:
		return c.takePosition(m)
	case Audit:
		a, err := gather(&c.turn.audits, m.Body)
		return agreed(a.Sum, c.turn.sum.Digest, its(seat, a.From, err))
	}
	return malformed()
}

// agreed refuses an answer about another list or sum than was asked. Others' answers
// might do without it, but whoever gives it disagrees with them, or lies.
func agreed(theirs, asked sum.Digest, err error) error {
	if err == nil && theirs != asked {
		return ws.Errorf(ws.Diverged, "message", ws.T("it is about another list or sum than was asked", "其内容针对另一份名单或另一个和"))
	}
	return err
}

// its refuses what speaks for another site than its sender.
func its(sender, from sum.Seat, err error) error {
	if err == nil && sender != from {
		return ws.Errorf(ws.Invalid, "message", ws.T("it speaks for another site than its sender", "消息以发送者以外的站点名义发出"))
	}
	return err
}

func gather[M any, P interface {
	*M
	UnmarshalBinary([]byte) error
}](into *[]M, b []byte) (m M, err error) {
	if err = P(&m).UnmarshalBinary(b); err == nil {
		*into = append(*into, m)
	}
	return m, err
}

func (c *Conductor) takePairs(seat sum.Seat, body []byte) error {
	parts, err := unpack(body, MaxSites)
	if err != nil {
		return err
	}
	for _, b := range parts {
		var e sum.Encaps
		err := e.UnmarshalBinary(b)
		if err := its(seat, e.From, err); err != nil {
			return err
		}
		if int(e.To) < len(c.params.Sites) {
			to := c.params.Sites[e.To].ID
			c.encaps[to] = append(c.encaps[to], b)
		}
	}
	return nil
}

func (c *Conductor) takeShares(from ws.SiteID, seat sum.Seat, body []byte) error {
	parts, err := unpack(body, MaxSites+1)
	if err != nil || len(parts) < 1 {
		return malformed()
	}
	var shares sum.Shares
	err = shares.UnmarshalBinary(parts[0])
	if err := its(seat, shares.From, err); err != nil {
		return err
	}
	for _, b := range parts[1:] {
		var p sum.Piece
		err := p.UnmarshalBinary(b)
		if err := its(seat, p.From, err); err != nil {
			return err
		}
		if int(p.To) < len(c.params.Sites) {
			to := c.params.Sites[p.To].ID
			c.turn.pieces[to] = append(c.turn.pieces[to], b)
		}
	}
	c.turn.shares[from] = parts[0]
	return c.turn.tally.AddShares(shares)
}

// Again returns what was sent to a site and is not settled, for one that has
// come back and lost what was under way: in the key phase all of it, later the
// messages of the round at hand. What the site has had does no harm.
func (c *Conductor) Again(site ws.SiteID) []Message {
	var out []Message
	for _, m := range c.turn.sent {
		if m.To == site {
			out = append(out, m)
		}
	}
	return out
}

// send sends a step to the sites that are there and are wanted, and waits for
// their answers.
func (c *Conductor) send(s Step, wanted func(ws.SiteID) bool, body func(ws.SiteID) []byte) Output {
	var out Output
	c.waiting = map[ws.SiteID]bool{}
	for _, m := range c.opening.Members {
		if !c.present[m.Site] || !wanted(m.Site) {
			continue
		}
		var b []byte
		if body != nil {
			b = body(m.Site)
		}
		out.Send = append(out.Send, Message{From: c.self, To: m.Site, Run: c.opening.Run,
			Epoch: c.opening.Epoch, Round: c.round, Step: s, Body: b})
		c.waiting[m.Site] = true
	}
	c.turn.sent = append(c.turn.sent, out.Send...)
	return out
}

// toAll sends the same body to every site that takes part.
func (c *Conductor) toAll(s Step, body []byte) Output {
	return c.send(s, c.answers, func(ws.SiteID) []byte { return body })
}

// toVoters sends the same body to the sites that vote, or to the others.
func (c *Conductor) toVoters(s Step, body []byte, voters bool) Output {
	wanted := func(site ws.SiteID) bool { return c.answers(site) && c.voters[site] == voters }
	return c.send(s, wanted, func(ws.SiteID) []byte { return body })
}

// answers says whether a site is there, and in the list where there is one.
func (c *Conductor) answers(site ws.SiteID) bool {
	seat, ok := c.params.Seat(site)
	return ok && c.present[site] && (c.turn.list.Survivors == nil || c.turn.list.Survivors.Has(seat))
}
