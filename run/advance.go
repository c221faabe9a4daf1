package run

import (
	"slices"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/stat"
)

// advance goes on once every site that is waited for has answered.
func (c *Conductor) advance() (Output, error) {
	if len(c.waiting) > 0 {
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
	case At:
		return c.settlePositions()
	}
	return Output{}, nil
}

// settleFacts binds the study and sends everybody's facts.
func (c *Conductor) settleFacts() (Output, error) {
	var parts [][]byte
	for _, m := range c.opening.Members {
		parts = append(parts, c.facts[m.Site]...)
	}
	pl, err := readPlan(c.opening, c.params, c.study, c.catalog, parts)
	if err != nil {
		return Output{}, err
	}
	c.program, c.state, c.adverts = pl.program, pl.state, pl.adverts
	c.phase = CoinStep
	return c.toAll(Plan, pack(parts...)), nil
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
	for _, seat := range c.epoch.Voters() {
		c.voters[c.params.Sites[seat].ID] = true
	}
	body, err := packAll(coins)
	c.phase = Pairs
	return c.toAll(Coins, body), err
}

// ask begins a round.
func (c *Conductor) ask() (Output, error) {
	for _, site := range c.survivors {
		if !c.present[site] {
			return Output{}, lostLate(site)
		}
	}
	shape, err := c.program.Ask(c.state)
	if err != nil {
		return Output{}, err
	}
	digest := c.program.Digest(c.state)
	c.turn = newTurn()
	c.turn.length = shape.Len()
	c.turn.tally = c.epoch.Tally(sum.Round{Number: uint32(c.round), State: digest, Prev: c.last, Len: shape.Len()})
	c.phase = SharesStep
	out := c.send(Ask, c.answers, func(s ws.SiteID) []byte { return pack(append([][]byte{digest[:]}, c.encaps[s]...)...) })
	c.encaps = nil
	for _, m := range c.opening.Members {
		if e, known := c.early[m.Site]; known && c.waiting[m.Site] && e.Round == c.round {
			if err := c.answered(e); err != nil {
				return Output{}, err
			}
		}
	}
	clear(c.early)
	more, err := c.advance()
	more.Send = append(out.Send, more.Send...)
	return more, err
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
	return c.send(RosterStep, c.answers, func(s ws.SiteID) []byte { return pack(append([][]byte{head}, c.turn.pieces[s]...)...) }), nil
}

// settleList proposes the survivors. Voters get all shares and vectors.
func (c *Conductor) settleList() (Output, error) {
	list, err := c.turn.tally.List()
	if err != nil {
		return Output{}, err
	}
	if err := c.covers(list.Survivors); err != nil {
		return Output{}, err
	}
	head, err := list.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	c.turn.list = list
	parts := [][]byte{head}
	for _, seat := range list.Roster.Seats() {
		parts = append(parts, c.turn.shares[c.params.Sites[seat].ID])
	}
	for _, seat := range list.Survivors.Seats() {
		parts = append(parts, c.turn.raw[Contribute][c.params.Sites[seat].ID])
	}
	c.phase = Vote
	return c.toVoters(Propose, pack(parts...), true), nil
}

// covers refuses a sum that the sites would refuse.
func (c *Conductor) covers(survivors sum.Set) error {
	for _, site := range c.survivors {
		if seat, _ := c.params.Seat(site); !survivors.Has(seat) {
			return lostLate(site)
		}
	}
	sites, err := siteNames(c.params, survivors)
	if err != nil {
		return err
	}
	facts := c.program.Facts()
	return facts.Policy.Institutions("sum", facts.Contributors(sites))
}

func (c *Conductor) settleVotes() (Output, error) {
	var err error
	if c.turn.cert, err = c.turn.tally.Certify(c.turn.list, c.turn.votes); err != nil {
		return Output{}, err
	}
	b, err := c.turn.cert.MarshalBinary()
	c.phase = Reveal
	return c.toAll(Certify, pack(b)), err
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
	c.turn.next, c.results, c.survivors = next, results, c.turn.sum.Survivors
	body, err := packAll(c.turn.reveals)
	c.phase = Audit
	return c.toVoters(OpenSum, body, true), err
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
	out := c.toVoters(Audited, pack(append([][]byte{ring}, audits...)...), false)
	c.state, c.last = c.turn.next, c.turn.sum.Digest
	c.round++
	more, err := c.next()
	if err != nil {
		return Output{}, err
	}
	if c.phase != Done { // a site that comes back in the next round may still wait for this one's sum
		c.turn.sent = append(slices.Clone(out.Send), c.turn.sent...)
	}
	more.Send = append(out.Send, more.Send...)
	return more, nil
}

func (c *Conductor) next() (Output, error) {
	if c.results == nil {
		return c.ask()
	}
	doc, digest, err := document(c.study, c.state, c.survivors, c.results)
	if err != nil {
		return Output{}, err
	}
	c.phase = Done
	out := c.toAll(End, pack(digest[:]))
	out.Document = doc
	return out, nil
}
