package run

import (
	"slices"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/stat"
)

// ask begins the round. Its parts are the digest of the state that is asked
// and, in the first round, the encapsulations for this site.
func (p *Participant) ask(parts [][]byte) (Output, error) {
	if len(parts) < 1 {
		return Output{}, malformed()
	}
	if p.results != nil {
		return Output{}, ws.Errorf(ws.Diverged, "ask", ws.T("round %d is asked, and the run has its answer", "被询问的是第 %d 轮，而该计算已有结果", p.round))
	}
	own := p.program.Digest(p.state)
	if string(own[:]) != string(parts[0]) {
		return Output{}, ws.Errorf(ws.Diverged, "ask", ws.T("the state that is asked is not the one that follows from the last sum", "所询问的状态并非由上一轮的和得出"))
	}
	encaps, err := readAll[sum.Encaps](parts[1:])
	if err != nil {
		return Output{}, err
	}
	if err := p.party.Join(encaps); err != nil {
		return Output{}, err
	}
	if err := p.cfg.Gate.Allow(p.opening, p.study, p.round); err != nil {
		return Output{}, err
	}
	first := !p.turn.asked
	p.turn.asked = true
	if first && p.turn.shared == p.asker { // it has them: see [Participant.accept]
		return p.mask()
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

// share sends the round's shares, and asks for the fold unless the vector is
// there already.
func (p *Participant) share() (Output, error) {
	r, _, err := p.sumRound()
	if err != nil {
		return Output{}, err
	}
	shares, pieces, err := p.party.Share(r)
	if err != nil {
		return Output{}, err
	}
	if p.turn.tally == nil {
		p.turn.tally = p.party.Epoch().Tally(r)
	}
	b, err := shares.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	sealed, err := marshalAll(pieces)
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	out := Output{Records: rec, Send: []Message{p.message(SharesStep, pack(append([][]byte{b}, sealed...)...))}}
	p.turn.shared = p.asker
	if p.turn.ring == nil && p.turn.masked == nil && !p.turn.folding {
		p.turn.folding = true
		out.Fold = &FoldRequest{Round: p.round, Program: p.program, State: p.state, Sites: len(p.opening.Members)}
	}
	return out, err
}

func (p *Participant) folded(f Folded) (Output, error) {
	if f.Round != p.round || p.turn.tally == nil || p.turn.masked != nil {
		return Output{}, nil // of a round that is over
	}
	p.turn.ring = f.Ring
	return p.mask()
}

// A site that has come back has forgotten what others sent in the round at hand.
// A message that rests on it is passed over: the conductor, who is told that the
// site is back, sends all of the round again, this message too.

// takeRoster gets whose shares have reached everybody, and the sealed pieces
// for this site. A vector that was masked goes out again as it was.
func (p *Participant) takeRoster(parts [][]byte) (Output, error) {
	if len(parts) < 1 {
		return Output{}, malformed()
	}
	if p.turn.tally == nil {
		return Output{}, nil // forgotten: see above
	}
	in := &rosterIn{}
	if err := in.roster.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	if p.turn.masked != nil {
		if in.roster.Digest() != p.turn.on {
			return Output{}, ws.Errorf(ws.Diverged, "roster", ws.T("the vector was masked for another roster", "向量已按另一名册加掩码"))
		}
		return Output{Send: []Message{p.message(Contribute, p.turn.masked)}}, nil
	}
	var err error
	if in.pieces, err = readAll[sum.Piece](parts[1:]); err != nil {
		return Output{}, err
	}
	p.turn.roster = in
	return p.mask()
}

// mask answers the round once it is asked, its rows are folded and the roster is known. The
// masked vector is a record of its own, after the state that pins it, and is
// saved before it is sent.
func (p *Participant) mask() (Output, error) {
	in := p.turn.roster
	if p.turn.ring == nil || in == nil || !p.turn.asked {
		return Output{}, nil
	}
	masked, err := p.party.Mask(in.roster, in.pieces, p.turn.ring)
	p.turn.ring, p.turn.roster = nil, nil
	if err != nil {
		return Output{}, err
	}
	if p.turn.masked, err = masked.MarshalBinary(); err != nil {
		return Output{}, err
	}
	p.turn.on = masked.Roster
	rec, err := p.record()
	return Output{Records: append(rec, Record{"masked", p.turn.masked}), Send: []Message{p.message(Contribute, p.turn.masked)}}, err
}

// propose gets a list of survivors with all shares and masked vectors, checks
// it against them, and votes.
func (p *Participant) propose(parts [][]byte) (Output, error) {
	if len(parts) < 1 {
		return Output{}, malformed()
	}
	if p.turn.tally == nil {
		return Output{}, nil // forgotten: see above
	}
	var list sum.List
	if err := list.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	if err := p.covers(list.Survivors); err != nil {
		return Output{}, err
	}
	shares := len(list.Roster.Seats())
	if len(parts) != 1+shares+len(list.Survivors.Seats()) {
		return Output{}, malformed()
	}
	if err := fill(p.turn.tally, parts[1:1+shares], parts[1+shares:]); err != nil {
		return Output{}, err
	}
	vote, err := p.party.Vote(p.turn.tally, list)
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

// covers refuses a sum over too few institutions, and one over other sites than the
// sums before it: a run's sums are over the same rows.
func (p *Participant) covers(survivors sum.Set) error {
	sites, err := siteNames(p.params, survivors)
	if err != nil {
		return err
	}
	facts := p.program.Facts()
	if err := facts.Policy.Institutions("sum", facts.Contributors(sites)); err != nil {
		return err
	}
	if p.members != nil && !slices.Equal(p.members, sites) {
		return ws.Errorf(ws.Denied, "sum", ws.T("the sum would be over other sites than the sums before it", "该和所含的站点与之前的和不同"))
	}
	return nil
}

// siteNames lists the sites of a set of seats.
func siteNames(p sum.Params, set sum.Set) ([]ws.SiteID, error) {
	var out []ws.SiteID
	for _, seat := range set.Seats() {
		if int(seat) >= len(p.Sites) {
			return nil, malformed()
		}
		out = append(out, p.Sites[seat].ID)
	}
	return out, nil
}

// voter says whether this site votes and adds the vectors.
func (p *Participant) voter() bool {
	e := p.party.Epoch()
	return e != nil && slices.Contains(e.Voters(), p.party.Self())
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
func (p *Participant) certify(parts [][]byte) (Output, error) {
	if len(parts) != 1 {
		return Output{}, malformed()
	}
	cert := new(sum.Certificate)
	if err := cert.UnmarshalBinary(parts[0]); err != nil {
		return Output{}, err
	}
	if err := p.covers(cert.List.Survivors); err != nil {
		return Output{}, err
	}
	if p.members == nil {
		sites, err := siteNames(p.params, cert.List.Survivors)
		if err != nil {
			return Output{}, err
		}
		if err := p.cfg.Gate.Reveal(p.opening, p.study, sites); err != nil {
			return Output{}, err
		}
	}
	reveal, err := p.party.Reveal(*cert)
	if err != nil {
		return Output{}, err
	}
	p.turn.cert = cert
	body, err := reveal.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{p.message(Reveal, body)}}, err
}

// openSum gets what was revealed; the site adds the vectors itself.
func (p *Participant) openSum(parts [][]byte) (Output, error) {
	if !p.voter() {
		return Output{}, malformed()
	}
	if p.turn.tally == nil || p.turn.cert == nil {
		return Output{}, nil // forgotten: see above
	}
	reveals, err := readAll[sum.Reveal](parts)
	if err != nil {
		return Output{}, err
	}
	s, err := p.turn.tally.Open(*p.turn.cert, reveals)
	if err != nil {
		return Output{}, err
	}
	if p.opened[0], err = p.turn.cert.MarshalBinary(); err != nil {
		return Output{}, err
	}
	p.opened[1] = pack(parts...)
	return p.accept(s)
}

// audited gets a sum on the word of the auditors, in networks so large that
// not every site adds all vectors.
func (p *Participant) audited(parts [][]byte) (Output, error) {
	if p.turn.cert == nil || len(parts) < 1 {
		return Output{}, malformed()
	}
	if p.voter() {
		return Output{}, ws.Errorf(ws.Denied, "sum", ws.T("this site adds the vectors itself, and takes nobody's word for their sum", "本站点自行对向量求和，不接受他人给出的和"))
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
	s, err := p.party.Epoch().Audited(r, *p.turn.cert, ring, audits)
	if err != nil {
		return Output{}, err
	}
	return p.accept(s)
}

// accept takes a sum, computes the next state from it, and signs the sum. What
// the next round begins with goes along: it follows from the sum alone, so the
// conductor need not be waited for, and the rows are folded meanwhile. Nothing is
// masked before the round is asked.
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
	p.audit, p.members = body, s.Survivors
	p.asked = append(p.asked, p.program.Digest(p.state))
	p.state, p.results, p.last, p.round = next, results, s.Digest, p.round+1
	p.turn = inRound{}
	if p.results == nil && p.cfg.Gate.Allow(p.opening, p.study, p.round) == nil {
		early, err := p.share()
		early.Send = append(out.Send, early.Send...)
		return early, err
	}
	if p.results != nil {
		if out.Answer, err = p.answered(); err != nil {
			return Output{}, err
		}
	}
	out.Records, err = p.record()
	return out, err
}
