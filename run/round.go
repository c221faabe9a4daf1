package run

import (
	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/stat"
)

// ask begins round m.Round at a site. Its parts are the digest of the state
// that is asked and, in the first round, the encapsulations for this site.
func (p *Participant) ask(m *Message, parts [][]byte) (Output, error) {
	if p.program == nil || len(parts) < 1 {
		return Output{}, malformed()
	}
	encaps, err := readAll[sum.Encaps](parts[1:])
	if err != nil {
		return Output{}, err
	}
	if err := p.party.Join(encaps); err != nil {
		return Output{}, err
	}
	if p.results != nil || m.Round != p.round {
		return Output{}, ws.Errorf(ws.Diverged, "ask", ws.T("round %d is asked, and this site is in round %d", "被询问的是第 %d 轮,而本站点处于第 %d 轮", m.Round, p.round))
	}
	own := p.program.Digest(p.state)
	if string(own[:]) != string(parts[0]) {
		return Output{}, ws.Errorf(ws.Diverged, "ask", ws.T("the state that is asked is not the one that follows from the last sum", "所询问的状态并非由上一轮的和得出"))
	}
	if err := p.cfg.Gate.Allow(p.opening, p.study, p.round); err != nil {
		return Output{}, err
	}
	return p.share()
}

// sumRound names the sum that the state asks for.
func (p *Participant) sumRound() (sum.Round, stat.Shape, error) {
	shape, err := p.program.Ask(p.state)
	if err != nil {
		return sum.Round{}, nil, err
	}
	return sum.Round{Number: uint32(p.round), State: p.program.Digest(p.state), Prev: p.last, Len: shape.Len()}, shape, nil
}

func (p *Participant) share() (Output, error) {
	r, _, err := p.sumRound()
	if err != nil {
		return Output{}, err
	}
	shares, pieces, err := p.party.Share(r)
	if err != nil {
		return Output{}, err
	}
	p.ring, p.roster, p.cert = nil, nil, nil
	p.tally = p.party.Epoch().Tally(r)
	b, err := shares.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	sealed, err := marshalAll(pieces)
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{p.message(SharesStep, pack(append([][]byte{b}, sealed...)...))},
		Fold: &FoldRequest{Round: p.round, Program: p.program, State: p.state, Sites: len(p.opening.Members)}}, err
}

func (p *Participant) folded(f Folded) (Output, error) {
	if f.Round != p.round {
		return Output{}, nil // of a round that is over
	}
	p.ring = f.Ring
	return p.mask()
}

// takeRoster gets whose shares have reached everybody, and the sealed pieces
// for this site.
func (p *Participant) takeRoster(_ *Message, parts [][]byte) (Output, error) {
	if len(parts) < 1 {
		return Output{}, malformed()
	}
	in := &rosterIn{}
	if err := in.roster.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	var err error
	if in.pieces, err = readAll[sum.Piece](parts[1:]); err != nil {
		return Output{}, err
	}
	p.roster = in
	return p.mask()
}

// mask answers the round once its rows are folded and the roster is known. The
// masked vector is a record of its own, saved before it is sent.
func (p *Participant) mask() (Output, error) {
	if p.ring == nil || p.roster == nil {
		return Output{}, nil
	}
	masked, err := p.party.Mask(p.roster.roster, p.roster.pieces, p.ring)
	p.ring = nil
	if err != nil {
		return Output{}, err
	}
	body, err := masked.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	return Output{Records: append(rec, Record{"masked", body}), Send: []Message{p.message(Contribute, body)}}, err
}

// propose gets a list of survivors with all shares and masked vectors, checks
// it against them, and votes.
func (p *Participant) propose(_ *Message, parts [][]byte) (Output, error) {
	if len(parts) < 1 || p.tally == nil {
		return Output{}, malformed()
	}
	var list sum.List
	if err := list.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	shares := len(list.Roster.Seats())
	if len(parts) != 1+shares+len(list.Survivors.Seats()) {
		return Output{}, malformed()
	}
	if err := fill(p.tally, parts[1:1+shares], parts[1+shares:]); err != nil {
		return Output{}, err
	}
	vote, err := p.party.Vote(p.tally, list)
	if err != nil {
		return Output{}, err
	}
	body, err := vote.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{p.message(Vote, body)}}, err
}

// fill puts shares and masked vectors into a tally.
func fill(t *sum.Tally, shares, masked [][]byte) error {
	all, err := readAll[sum.Shares](shares)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := t.AddShares(s); err != nil {
			return err
		}
	}
	vectors, err := readAll[sum.Masked](masked)
	if err != nil {
		return err
	}
	for _, v := range vectors {
		if err := t.AddMasked(v); err != nil {
			return err
		}
	}
	return nil
}

// certify gets the votes, and reveals one kind of share for each site.
func (p *Participant) certify(_ *Message, parts [][]byte) (Output, error) {
	if len(parts) != 1 {
		return Output{}, malformed()
	}
	cert := new(sum.Certificate)
	if err := cert.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	reveal, err := p.party.Reveal(*cert)
	if err != nil {
		return Output{}, err
	}
	p.cert = cert
	body, err := reveal.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{p.message(Reveal, body)}}, err
}

// openSum gets what was revealed; the site adds the vectors itself.
func (p *Participant) openSum(_ *Message, parts [][]byte) (Output, error) {
	if p.tally == nil || p.cert == nil {
		return Output{}, malformed()
	}
	reveals, err := readAll[sum.Reveal](parts)
	if err != nil {
		return Output{}, err
	}
	s, err := p.tally.Open(*p.cert, reveals)
	if err != nil {
		return Output{}, err
	}
	return p.accept(s)
}

// audited gets a sum on the word of the auditors, in networks so large that
// not every site adds all vectors.
func (p *Participant) audited(_ *Message, parts [][]byte) (Output, error) {
	if p.cert == nil || len(parts) < 1 {
		return Output{}, malformed()
	}
	r, shape, err := p.sumRound()
	if err != nil {
		return Output{}, err
	}
	ring, err := stat.ParseRing(parts[0], shape.Len())
	if err != nil {
		return Output{}, err
	}
	audits, err := readAll[sum.Audit](parts[1:])
	if err != nil {
		return Output{}, err
	}
	s, err := p.party.Epoch().Audited(r, *p.cert, ring, audits)
	if err != nil {
		return Output{}, err
	}
	return p.accept(s)
}

// accept takes a sum, computes the next state from it, and signs the sum.
func (p *Participant) accept(s sum.Sum) (Output, error) {
	shape, err := p.program.Ask(p.state)
	if err != nil {
		return Output{}, err
	}
	next, results, err := p.program.Next(p.state, stat.Sum{Shape: shape, Ring: s.Ring, Sites: len(s.Survivors)})
	if err != nil {
		return Output{}, err
	}
	audit, err := p.party.Accept(s)
	if err != nil {
		return Output{}, err
	}
	body, err := audit.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	out := Output{Send: []Message{p.message(Audit, body)}}
	p.audit = body
	p.state, p.results, p.last, p.round = next, results, s.Digest, p.round+1
	p.tally, p.cert, p.roster, p.ring = nil, nil, nil, nil
	out.Records, err = p.record()
	return out, err
}

// again answers a message of the round before, which this site has finished and
// the conductor, after a restart of either, has not.
func (p *Participant) again(m *Message) (Output, error) {
	if m.Step != OpenSum && m.Step != Audited {
		return Output{}, nil
	}
	out := p.message(Audit, p.audit)
	out.Round = m.Round
	return Output{Send: []Message{out}}, nil
}
