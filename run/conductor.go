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
	digest  [32]byte
	study   *study.Study
	catalog analyze.Catalog
	params  sum.Params
	phase   Step // the step of the sites that is waited for

	facts   map[ws.SiteID][][]byte // facts, signature, advert
	adverts []sum.Advert
	coins   map[ws.SiteID]sum.Coin
	encaps  []sum.Encaps
	epoch   *sum.Epoch
	program *analyze.Program
	state   analyze.State
	last    sum.Digest
	round   int
	present map[ws.SiteID]bool // not lost
	turn    turn
	results []study.Result
}

// A turn is the round at hand.
type turn struct {
	round   sum.Round
	tally   *sum.Tally
	raw     map[Step]map[ws.SiteID][]byte // what sites sent, by step, to be relayed as it came
	pieces  map[ws.SiteID][]sum.Piece     // by receiver
	list    sum.List
	votes   []sum.Vote
	reveals []sum.Reveal
	cert    sum.Certificate
	audits  []sum.Audit
	sum     sum.Sum
	next    analyze.State
	sent    []Message
}

// NewConductor takes an opening that the ledger fixed.
func NewConductor(o *Opening, c analyze.Catalog) (*Conductor, error) {
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
	cond := &Conductor{opening: o, digest: digest, study: s, catalog: c, params: o.params(digest), phase: FactsStep,
		facts: map[ws.SiteID][][]byte{}, coins: map[ws.SiteID]sum.Coin{}, present: map[ws.SiteID]bool{}}
	for _, m := range o.Members {
		cond.present[m.Site] = true
	}
	return cond, cond.params.Validate()
}

// Begin returns the first messages.
func (c *Conductor) Begin() (Output, error) {
	b, err := json.Marshal(c.opening)
	if err != nil {
		return Output{}, err
	}
	return c.broadcast(Open, b), nil
}

// Round returns the round at hand, how many sites are waited for, and how many
// of them have answered its present step.
func (c *Conductor) Round() (round, answered, sites int) {
	return c.round, len(c.turn.raw[c.phase]), len(c.present)
}

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
// tells the sites.
func (c *Conductor) Step(m Message) (Output, error) {
	out, err := c.step(m)
	if err != nil {
		return c.broadcast(End, nil), err
	}
	return out, nil
}

// Lose says that a site does not answer any more. What can be done without it
// is done; otherwise the error is of the kind Unreachable.
func (c *Conductor) Lose(site ws.SiteID) (Output, error) {
	delete(c.present, site)
	if c.phase == FactsStep || c.phase == CoinStep || c.phase == Pairs {
		return c.broadcast(End, nil), ws.Errorf(ws.Unreachable, "run", ws.T("site %s was lost before the epoch was settled", "站点 %s 在本期确定之前失联", site)).
			WithHint(ws.T("open a new epoch without it", "请在不含该站点的情况下开启新的一期"))
	}
	out, err := c.advance()
	if err != nil {
		return c.broadcast(End, nil), err
	}
	return out, nil
}

func (c *Conductor) step(m Message) (Output, error) {
	switch {
	case m.Run != c.opening.Run || m.Epoch != c.opening.Epoch || c.opening.Key(m.From) == nil:
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run, epoch or site", "消息属于另一计算、期或站点"))
	case m.Step == Refuse:
		return Output{}, readRefusal(m.From, m.Body)
	case !c.present[m.From] || m.Step != c.phase:
		return Output{}, nil // late, or again
	}
	if c.turn.raw == nil {
		c.turn.raw = map[Step]map[ws.SiteID][]byte{}
	}
	if c.turn.raw[m.Step] == nil {
		c.turn.raw[m.Step] = map[ws.SiteID][]byte{}
	}
	if c.turn.raw[m.Step][m.From] != nil {
		return Output{}, nil
	}
	if err := c.take(m); err != nil {
		return Output{}, ws.At("site "+string(m.From), err)
	}
	c.turn.raw[m.Step][m.From] = m.Body
	return c.advance()
}

// take reads one message into what is gathered.
func (c *Conductor) take(m Message) error {
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
		return err
	case Pairs:
		parts, err := unpack(m.Body, MaxSites)
		if err != nil {
			return err
		}
		encaps, err := readAll[sum.Encaps](parts)
		c.encaps = append(c.encaps, encaps...)
		return err
	case SharesStep:
		return c.takeShares(m.Body)
	case Contribute:
		var masked sum.Masked
		if err := masked.UnmarshalBinary(m.Body); err != nil {
			return err
		}
		return c.turn.tally.AddMasked(masked)
	case Vote:
		return gather(&c.turn.votes, m.Body)
	case Reveal:
		return gather(&c.turn.reveals, m.Body)
	case Audit:
		return gather(&c.turn.audits, m.Body)
	}
	return malformed()
}

func gather[M any, P interface {
	*M
	UnmarshalBinary([]byte) error
}](into *[]M, b []byte) error {
	var m M
	if err := P(&m).UnmarshalBinary(b); err != nil {
		return err
	}
	*into = append(*into, m)
	return nil
}

func (c *Conductor) takeShares(body []byte) error {
	parts, err := unpack(body, MaxSites+1)
	if err != nil || len(parts) < 1 {
		return malformed()
	}
	var shares sum.Shares
	if err := shares.UnmarshalBinary(parts[0]); err != nil {
		return err
	}
	pieces, err := readAll[sum.Piece](parts[1:])
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if int(p.To) < len(c.params.Sites) {
			to := c.params.Sites[p.To].ID
			c.turn.pieces[to] = append(c.turn.pieces[to], p)
		}
	}
	return c.turn.tally.AddShares(shares)
}

// broadcast sends the same step to every site that is there.
func (c *Conductor) broadcast(s Step, body []byte) Output {
	return c.send(s, func(ws.SiteID) []byte { return body })
}

// Again returns what was sent to a site in the round at hand, for a site that
// has come back and lost what was under way.
func (c *Conductor) Again(site ws.SiteID) []Message {
	var out []Message
	for _, m := range c.turn.sent {
		if m.To == site {
			out = append(out, m)
		}
	}
	return out
}

// send sends a step to every site that is there; a nil body is sent too.
func (c *Conductor) send(s Step, body func(ws.SiteID) []byte) Output {
	var out Output
	for _, m := range c.opening.Members {
		if c.present[m.Site] {
			out.Send = append(out.Send, Message{From: c.opening.Conductor, To: m.Site, Run: c.opening.Run,
				Epoch: c.opening.Epoch, Round: c.round, Step: s, Body: body(m.Site)})
		}
	}
	c.turn.sent = append(c.turn.sent, out.Send...)
	return out
}
