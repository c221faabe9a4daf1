package run

import (
	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/stat"
	"wellspring/study"
)

// advance goes on once every site that is waited for has answered.
func (c *Conductor) advance() (Output, error) {
	if len(c.turn.raw[c.phase]) < c.waited() {
		return Output{}, nil
	}
	switch c.phase {
	case FactsStep:
		return c.settleFacts()
	case CoinStep:
		return c.settleCoins()
	case Pairs:
		return c.ask()
	case SharesStep:
		return c.settleRoster()
	case Contribute:
		return c.settleList()
	case Vote:
		return c.settleVotes()
	case Reveal:
		return c.open()
	case Audit:
		return c.settleAudits()
	}
	return Output{}, nil
}

// waited is how many of the sites that are there must answer the present step:
// voters alone vote and audit.
func (c *Conductor) waited() int {
	if c.phase != Vote && c.phase != Audit || c.epoch == nil {
		return c.still(c.present)
	}
	n := 0
	for _, m := range c.opening.Members {
		if c.votes(m.Site) && c.answers(m.Site) {
			n++
		}
	}
	return n
}

// still counts the sites that are there and take part in the round.
func (c *Conductor) still(present map[ws.SiteID]bool) int {
	n := 0
	for site := range present {
		if c.answers(site) {
			n++
		}
	}
	return n
}

// answers says whether a site is there, and in the list where there is one.
func (c *Conductor) answers(site ws.SiteID) bool {
	seat, ok := c.params.Seat(site)
	return ok && c.present[site] && (c.turn.list.Survivors == nil || c.turn.list.Survivors.Has(seat))
}

func (c *Conductor) votes(site ws.SiteID) bool {
	seat, _ := c.params.Seat(site)
	for _, v := range c.epoch.Voters() {
		if v == seat {
			return true
		}
	}
	return false
}

// settleFacts binds the study and sends everybody's facts.
func (c *Conductor) settleFacts() (Output, error) {
	var parts [][]byte
	for _, m := range c.opening.Members {
		parts = append(parts, c.facts[m.Site]...)
	}
	pl, err := readPlan(c.opening, c.digest, c.study, c.catalog, parts)
	if err != nil {
		return Output{}, err
	}
	c.program, c.state, c.adverts = pl.program, pl.state, pl.adverts
	c.phase = CoinStep
	return c.broadcast(Plan, pack(parts...)), nil
}

func (c *Conductor) settleCoins() (Output, error) {
	var coins []sum.Coin
	for _, m := range c.opening.Members {
		coins = append(coins, c.coins[m.Site])
	}
	var err error
	if c.epoch, err = sum.NewEpoch(c.params, c.adverts, coins); err != nil {
		return Output{}, err
	}
	body, err := packAll(coins)
	c.phase = Pairs
	return c.broadcast(Coins, body), err
}

// ask begins a round.
func (c *Conductor) ask() (Output, error) {
	shape, err := c.program.Ask(c.state)
	if err != nil {
		return Output{}, err
	}
	digest := c.program.Digest(c.state)
	r := sum.Round{Number: uint32(c.round), State: digest, Prev: c.last, Len: shape.Len()}
	c.turn = turn{round: r, tally: c.epoch.Tally(r), raw: map[Step]map[ws.SiteID][]byte{}, pieces: map[ws.SiteID][]sum.Piece{}}
	c.phase = SharesStep
	bodies := map[ws.SiteID][]byte{}
	for _, m := range c.opening.Members {
		var mine []sum.Encaps
		for _, e := range c.encaps {
			if int(e.To) < len(c.params.Sites) && c.params.Sites[e.To].ID == m.Site {
				mine = append(mine, e)
			}
		}
		parts, err := marshalAll(mine)
		if err != nil {
			return Output{}, err
		}
		bodies[m.Site] = pack(append([][]byte{digest[:]}, parts...)...)
	}
	c.encaps = nil
	return c.send(Ask, func(s ws.SiteID) []byte { return bodies[s] }), nil
}

func (c *Conductor) settleRoster() (Output, error) {
	roster, err := c.turn.tally.Roster()
	if err != nil {
		return Output{}, err
	}
	head, err := roster.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	c.phase = Contribute
	bodies := map[ws.SiteID][]byte{}
	for site, pieces := range c.turn.pieces {
		parts, err := marshalAll(pieces)
		if err != nil {
			return Output{}, err
		}
		bodies[site] = pack(append([][]byte{head}, parts...)...)
	}
	return c.send(RosterStep, func(s ws.SiteID) []byte {
		if b := bodies[s]; b != nil {
			return b
		}
		return pack(head)
	}), nil
}

// settleList proposes the survivors. Voters get all shares and vectors.
func (c *Conductor) settleList() (Output, error) {
	list, err := c.turn.tally.List()
	if err != nil {
		return Output{}, err
	}
	head, err := list.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	c.turn.list = list
	parts := [][]byte{head}
	for _, seat := range list.Roster.Seats() {
		shares, err := unpack(c.turn.raw[SharesStep][c.params.Sites[seat].ID], MaxSites+1)
		if err != nil {
			return Output{}, err
		}
		parts = append(parts, shares[0])
	}
	for _, seat := range list.Survivors.Seats() {
		parts = append(parts, c.turn.raw[Contribute][c.params.Sites[seat].ID])
	}
	c.phase = Vote
	return c.toVoters(c.broadcast(Propose, pack(parts...)), true), nil
}

// toVoters keeps the messages to voters, or those to the others.
func (c *Conductor) toVoters(o Output, voters bool) Output {
	var out Output
	for _, m := range o.Send {
		if c.votes(m.To) == voters && c.answers(m.To) {
			out.Send = append(out.Send, m)
		}
	}
	return out
}

func (c *Conductor) settleVotes() (Output, error) {
	var err error
	if c.turn.cert, err = c.turn.tally.Certify(c.turn.list, c.turn.votes); err != nil {
		return Output{}, err
	}
	b, err := c.turn.cert.MarshalBinary()
	c.phase = Reveal
	return c.send(Certify, func(ws.SiteID) []byte { return pack(b) }), err
}

// open adds the vectors, as every voter does, and computes the next state.
func (c *Conductor) open() (Output, error) {
	var err error
	if c.turn.sum, err = c.turn.tally.Open(c.turn.cert, c.turn.reveals); err != nil {
		return Output{}, err
	}
	shape, err := c.program.Ask(c.state)
	if err != nil {
		return Output{}, err
	}
	next, results, err := c.program.Next(c.state, stat.Sum{Shape: shape, Ring: c.turn.sum.Ring, Sites: len(c.turn.sum.Survivors)})
	if err != nil {
		return Output{}, err
	}
	c.turn.next, c.results = next, results
	body, err := packAll(c.turn.reveals)
	c.phase = Audit
	return c.toVoters(c.broadcast(OpenSum, body), true), err
}

// settleAudits goes on to the next round, or to the end. Sites that are no
// voters get the sum with the voters' signatures first.
func (c *Conductor) settleAudits() (Output, error) {
	ring, err := c.turn.sum.Ring.AppendBinary(nil)
	if err != nil {
		return Output{}, err
	}
	audits, err := marshalAll(c.turn.audits)
	if err != nil {
		return Output{}, err
	}
	out := c.toVoters(c.broadcast(Audited, pack(append([][]byte{ring}, audits...)...)), false)
	c.state, c.last = c.turn.next, c.turn.sum.Digest
	c.round++
	var more Output
	if c.results != nil {
		more, err = c.finish()
	} else {
		more, err = c.ask()
	}
	out.Send = append(out.Send, more.Send...)
	out.Document = more.Document
	return out, err
}

func (c *Conductor) finish() (Output, error) {
	doc, digest, err := document(c.opening, c.study, c.round, c.results)
	if err != nil {
		return Output{}, err
	}
	c.phase = Done
	out := c.broadcast(End, pack(digest[:]))
	out.Document = doc
	return out, nil
}

// Results returns the results, once there are any.
func (c *Conductor) Results() []study.Result { return c.results }
