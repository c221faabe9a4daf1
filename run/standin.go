package run

import (
	"encoding/json"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/study"
)

// A conductor holds no secret, so any member can take its place: everything that
// a conductor has, it has from the sites, which answer what they have answered
// before with the same bytes. The stand-in first asks where everybody is
// (resume). Sites are at most one round apart, since a round is asked only when
// all have accepted the sum of the one before; whoever is behind gets that sum's
// certificate and reveals from one who is ahead, and opens it itself.

// position is what a site answers to resume. Only State and what follows it of
// the stand-in's own site is used; of others, where they are and, if they are
// ahead, what brings the stand-in there.
type position struct {
	Joined  bool            `json:"joined"` // has all pair secrets, so that rounds can be asked
	Over    bool            `json:"over"`   // holds the answer, and has forgotten the rest
	State   json.RawMessage `json:"state,omitempty"`
	Last    sum.Digest      `json:"last"`
	Members []ws.SiteID     `json:"members,omitempty"`
	Results []study.Result  `json:"results,omitempty"`
	Cert    []byte          `json:"cert,omitempty"`    // of the round before
	Reveals []byte          `json:"reveals,omitempty"` // as open-sum brought them

	round  int
	caught bool // was brought here by what another site had
}

// StandIn makes p's site the conductor of p's run, whose own conductor is gone.
// [Conductor.Begin] then asks all sites, this one too, where they are. It is
// Unreachable if the run has not come to its rounds: then no sum was opened, and
// a new epoch may begin. Where not every site is a voter (past 33 sites) nobody
// can stand in.
func (p *Participant) StandIn() (*Conductor, error) {
	if p.tomb != nil || p.ended || p.refusal != nil || p.opening == nil || p.program == nil || p.party == nil || !p.party.Joined() {
		return nil, noRounds()
	}
	epoch := p.party.Epoch()
	if len(epoch.Voters()) < len(p.opening.Members) {
		return nil, ws.Errorf(ws.Unreachable, "stand in", ws.T("in a network of so many sites not every site holds what it takes to conduct", "站点数过多时，并非每个站点都具备主持所需的材料")).
			WithHint(ws.T("wait for the conductor, or ask in a run of its own", "请等待主持方，或另开一次计算"))
	}
	c := &Conductor{opening: p.opening, study: p.study, catalog: p.cfg.Catalog, params: p.params, self: p.cfg.Site,
		epoch: epoch, program: p.program, adverts: p.adverts, phase: At, turn: newTurn(), present: map[ws.SiteID]bool{}, voters: map[ws.SiteID]bool{}, early: map[ws.SiteID]Message{}, positions: map[ws.SiteID]*position{}}
	for _, m := range p.opening.Members {
		c.present[m.Site], c.voters[m.Site] = true, true
	}
	return c, nil
}

// MayConduct judges whether the run's members, without the institution of p's
// site, are as many as a sum needs that this site opens in a new epoch.
func (p *Participant) MayConduct() error {
	if p.opening == nil || p.opening.AllowFew {
		return nil
	}
	var of []ws.Institution
	for _, m := range p.opening.Members {
		of = append(of, m.Institution)
	}
	return p.cfg.Policy.Institutions("stand in", policy.Contributors(p.cfg.Institution, of))
}

func noRounds() error {
	return ws.Errorf(ws.Unreachable, "stand in", ws.T("the run has not come to its rounds, or is over at this site", "该计算尚未进入各轮，或在本站点已结束")).
		WithHint(ws.T("open a new epoch", "请开启新的一期"))
}

// position answers where this site is.
func (p *Participant) position() (Output, error) {
	if p.party == nil {
		return Output{}, malformed()
	}
	at := position{Joined: p.party.Joined() || p.ended, Over: p.ended, State: json.RawMessage(p.state), Last: p.last, Members: p.members, Results: p.results, Cert: p.opened[0], Reveals: p.opened[1]}
	b, err := json.Marshal(at)
	if err != nil {
		return Output{}, ws.Errorf(ws.Other, "resume", ws.T("the state cannot be written", "无法写出状态")).Wrap(err)
	}
	return Output{Send: []Message{p.message(At, pack(b))}}, nil
}

// resumed answers it for a run that is over here.
func (t *tombstone) resumed(m *Message, site ws.SiteID) Output {
	b, err := json.Marshal(position{Joined: true, Over: true})
	if err != nil {
		return Output{}
	}
	return Output{Send: []Message{{From: site, To: m.From, Run: t.Run, Epoch: t.Epoch, Round: t.Rounds, Step: At, Body: pack(b)}}}
}

func (c *Conductor) takePosition(m Message) error {
	parts, err := unpack(m.Body, 1)
	if err != nil || len(parts) != 1 || m.Round < 0 {
		return malformed()
	}
	at := new(position)
	if json.Unmarshal(parts[0], at) != nil {
		return malformed()
	}
	at.round, at.caught = m.Round, c.positions[m.From] != nil
	c.positions[m.From] = at
	return nil
}

// settlePositions goes on from where the sites are, once the stand-in's own
// site is there too.
func (c *Conductor) settlePositions() (Output, error) {
	own := c.positions[c.self]
	if own == nil {
		return Output{}, lostLate(c.self)
	}
	ahead := own
	for _, m := range c.opening.Members {
		at := c.positions[m.Site]
		if at == nil {
			continue
		}
		if !at.Joined {
			return Output{}, noRounds()
		}
		if at.Over {
			delete(c.present, m.Site)
		}
		if at.round > ahead.round && !at.Over {
			ahead = at
		}
	}
	if ahead != own {
		return c.catchUp(own, ahead)
	}
	return c.takeUp(own)
}

// catchUp brings the stand-in's own site to the round of one that is ahead, and
// asks it again where it is.
func (c *Conductor) catchUp(own, ahead *position) (Output, error) {
	if ahead.round != own.round+1 || own.caught {
		return Output{}, ws.Errorf(ws.Diverged, "stand in", ws.T("the sites are more than one round apart", "各站点相差超过一轮"))
	}
	message := func(s Step, body []byte) Message {
		return Message{From: c.self, To: c.self, Run: c.opening.Run, Epoch: c.opening.Epoch, Round: own.round, Step: s, Body: body}
	}
	c.round = ahead.round
	c.waiting = map[ws.SiteID]bool{c.self: true}
	return Output{Send: []Message{message(Certify, pack(ahead.Cert)), message(OpenSum, ahead.Reveals), message(Resume, nil)}}, nil
}

// takeUp asks the voters once more for the audits of the last sum that was
// opened, which brings in whoever is one round behind, and goes on from there;
// where none was opened it asks the first round.
func (c *Conductor) takeUp(own *position) (Output, error) {
	if own.round > 0 && own.Members == nil {
		return Output{}, malformed()
	}
	c.state, c.last, c.survivors, c.round = analyze.State(own.State), own.Last, own.Members, own.round
	if own.round == 0 {
		return c.ask()
	}
	for _, site := range own.Members {
		if !c.present[site] && (c.positions[site] == nil || !c.positions[site].Over) {
			return Output{}, lostLate(site)
		}
	}
	c.round--
	c.results = own.Results
	c.turn = newTurn()
	c.turn.sum.Digest, c.turn.next = own.Last, c.state
	c.phase = Audit
	reopen := c.send(Certify, c.answers, func(ws.SiteID) []byte { return pack(own.Cert) })
	out := c.send(OpenSum, c.answers, func(ws.SiteID) []byte { return own.Reveals })
	out.Send = append(reopen.Send, out.Send...)
	if len(c.waiting) == 0 {
		return c.advance()
	}
	return out, nil
}
