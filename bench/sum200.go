package main

import (
	"context"
	"encoding"
	"fmt"
	"slices"
	"time"

	"wellspring/mpc/sum"
	"wellspring/stat"
)

// A bill is what one round costs one site.
type bill struct {
	messages, bytes int
	work            time.Duration
}

// A meter plays one round over a network and keeps every site's bill.
type meter struct {
	net     *network
	round   sum.Round
	bills   []bill
	tally   *sum.Tally
	voter   []bool
	pieces  [][]sum.Piece
	roster  sum.Roster
	list    sum.List
	cert    sum.Certificate
	reveals []sum.Reveal
	sum     sum.Sum
}

// proveSum200 plays a round over 50, 100 and 200 sites. Sites that are no
// voters are compared: the bench of voters, who add all vectors for the others,
// grows with the network and is shown apart.
func proveSum200(_ context.Context, scale float64, r *Report) error {
	n := scaled(10_000, scale, 100)
	var first, last bill
	var k0, k1 float64
	for _, sites := range []int{50, 100, 200} {
		net, err := newNetwork(sites)
		if err != nil {
			return err
		}
		m := &meter{net: net, round: firstRound(n), bills: make([]bill, sites), voter: make([]bool, sites)}
		took, err := timed(m.play)
		if err != nil {
			return err
		}
		k1 = float64(len(net.epoch.Neighbours(0)))
		last = m.typical(false)
		if sites == 50 {
			k0, first = k1, last
		}
		m.report(r, sites, k1, last, took)
	}
	grows := func(a, b float64) float64 { return b / a }
	neighbours := k1 / k0
	messages := grows(float64(first.messages), float64(last.messages))
	bytes := grows(float64(first.bytes), float64(last.bytes))
	work := grows(first.work.Seconds(), last.work.Seconds())
	r.Peer = "the same round over 50 and 100 sites, in the same run"
	r.add("from 50 to 200 sites: neighbours grow by", neighbours, "times")
	r.add("from 50 to 200 sites: messages grow by", messages, "times")
	r.add("from 50 to 200 sites: bytes grow by", bytes, "times")
	r.add("from 50 to 200 sites: time grows by", work, "times")
	// shares of secrets cost neighbours × threshold, and the threshold is half
	// the neighbours, so time may grow with their square
	r.Holds = messages <= 1.1*neighbours && bytes <= 1.1*neighbours && work <= 1.1*neighbours*neighbours
	return nil
}

func (m *meter) report(r *Report, sites int, neighbours float64, b bill, took float64) {
	at := fmt.Sprintf("%d sites: ", sites)
	bench := m.typical(true)
	r.add(at+"neighbours of a site", neighbours, "")
	r.add(at+"messages of a site", float64(b.messages), "")
	r.add(at+"bytes of a site", float64(b.bytes), "B")
	r.add(at+"time of a site", b.work.Seconds(), "s")
	r.add(at+"voters", float64(len(m.net.epoch.Voters())), "")
	r.add(at+"bytes of a voter", float64(bench.bytes), "B")
	r.add(at+"time of a voter", bench.work.Seconds(), "s")
	r.add(at+"whole round, all sites on this machine", took, "s")
}

// typical is the median bill of the sites that are voters, or are not.
func (m *meter) typical(voter bool) bill {
	var messages, bytes, work []float64
	for i, b := range m.bills {
		if m.voter[i] == voter {
			messages, bytes, work = append(messages, float64(b.messages)), append(bytes, float64(b.bytes)), append(work, float64(b.work))
		}
	}
	return bill{int(median(messages)), int(median(bytes)), time.Duration(median(work))}
}

// carry puts a message on the bills of the sites that send or receive it.
func (m *meter) carry(msg encoding.BinaryMarshaler, sites ...sum.Seat) error {
	b, err := msg.MarshalBinary()
	if err != nil {
		return err
	}
	for _, s := range sites {
		m.bills[s].messages++
		m.bills[s].bytes += len(b)
	}
	return nil
}

// work puts what a site computes on its bill.
func (m *meter) work(site int, f func() error) error {
	start := time.Now()
	err := f()
	m.bills[site].work += time.Since(start)
	return err
}

func (m *meter) play() error {
	for _, s := range m.net.epoch.Voters() {
		m.voter[s] = true
	}
	m.tally = m.net.epoch.Tally(m.round)
	shares, err := m.share()
	if err != nil {
		return err
	}
	wire, err := m.mask()
	if err != nil {
		return err
	}
	tallies, err := m.vote(shares, wire)
	if err != nil {
		return err
	}
	if err := m.reveal(); err != nil {
		return err
	}
	return m.open(tallies)
}

func (m *meter) share() (all []sum.Shares, err error) {
	m.pieces = make([][]sum.Piece, len(m.net.parties))
	for i, p := range m.net.parties {
		var s sum.Shares
		var sealed []sum.Piece
		err := m.work(i, func() (err error) { s, sealed, err = p.Share(m.round); return err })
		if err == nil {
			err = m.carry(s, s.From)
		}
		if err == nil {
			err = m.tally.AddShares(s)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		for _, piece := range sealed {
			m.pieces[piece.To] = append(m.pieces[piece.To], piece)
			if err := m.carry(piece, piece.From, piece.To); err != nil {
				return nil, err
			}
		}
	}
	m.roster, err = m.tally.Roster()
	return all, err
}

// mask returns the masked vectors as they go over the wire.
func (m *meter) mask() (wire [][]byte, err error) {
	for i, p := range m.net.parties {
		x := randomRing(uint64(i), m.round.Len)
		var masked sum.Masked
		err := m.work(i, func() (err error) { masked, err = p.Mask(m.roster, m.pieces[i], x); return err })
		if err == nil {
			err = m.carry(m.roster, p.Self())
		}
		if err == nil {
			err = m.carry(masked, p.Self())
		}
		if err == nil {
			err = m.tally.AddMasked(masked)
		}
		if err != nil {
			return nil, err
		}
		b, err := masked.MarshalBinary()
		if err != nil {
			return nil, err
		}
		wire = append(wire, b)
	}
	return wire, nil
}

// vote lets every voter read all messages and sign the list.
func (m *meter) vote(shares []sum.Shares, wire [][]byte) (map[int]*sum.Tally, error) {
	var err error
	if m.list, err = m.tally.List(); err != nil {
		return nil, err
	}
	tallies := map[int]*sum.Tally{}
	var votes []sum.Vote
	for i, p := range m.net.parties {
		if !m.voter[i] {
			continue
		}
		var v sum.Vote
		err := m.work(i, func() (err error) {
			if tallies[i], err = m.net.tally(m.round, shares, wire); err != nil {
				return err
			}
			v, err = p.Vote(tallies[i], m.list)
			return err
		})
		if err != nil {
			return nil, err
		}
		if err := m.carry(v, p.Self()); err != nil {
			return nil, err
		}
		m.proposed(i, shares, wire)
		votes = append(votes, v)
	}
	m.cert, err = m.tally.Certify(m.list, votes)
	return tallies, err
}

// proposed puts on a voter's bill all that it is sent to vote on.
func (m *meter) proposed(voter int, shares []sum.Shares, wire [][]byte) {
	b := &m.bills[voter]
	for _, s := range shares {
		size, _ := s.MarshalBinary() // it went out before, so it cannot fail
		b.bytes += len(size)
	}
	for _, w := range wire {
		b.bytes += len(w)
	}
	b.messages += len(shares) + len(wire)
}

func (m *meter) reveal() error {
	for i, p := range m.net.parties {
		var out sum.Reveal
		err := m.work(i, func() (err error) { out, err = p.Reveal(m.cert); return err })
		if err == nil {
			err = m.carry(m.cert, p.Self())
		}
		if err == nil {
			err = m.carry(out, p.Self())
		}
		if err != nil {
			return err
		}
		m.reveals = append(m.reveals, out)
	}
	return nil
}

// open lets the voters add, and the others take the sum on their audits.
func (m *meter) open(tallies map[int]*sum.Tally) error {
	var audits []sum.Audit
	for i, p := range m.net.parties {
		if !m.voter[i] {
			continue
		}
		var a sum.Audit
		err := m.work(i, func() (err error) {
			if m.sum, err = tallies[i].Open(m.cert, m.reveals); err != nil {
				return err
			}
			a, err = p.Accept(m.sum)
			return err
		})
		if err == nil {
			err = m.carry(a, p.Self())
		}
		for _, out := range m.reveals {
			if err == nil {
				err = m.carry(out, p.Self())
			}
		}
		if err != nil {
			return err
		}
		audits = append(audits, a)
	}
	for i, p := range m.net.parties {
		if m.voter[i] {
			continue
		}
		if err := m.audited(i, p, audits); err != nil {
			return err
		}
	}
	return nil
}

func (m *meter) audited(i int, p *sum.Party, audits []sum.Audit) error {
	var a sum.Audit
	err := m.work(i, func() error {
		s, err := m.net.epoch.Audited(m.round, m.cert, slices.Clone(m.sum.Ring), audits)
		if err == nil {
			a, err = p.Accept(s)
		}
		return err
	})
	if err == nil {
		err = m.carry(a, p.Self())
	}
	if err == nil {
		err = m.carry(opened{m.sum.Ring, audits}, p.Self())
	}
	return err
}

// opened is the sum with all audits, one message to a site that is no voter.
type opened struct {
	ring   stat.Ring
	audits []sum.Audit
}

func (o opened) MarshalBinary() ([]byte, error) {
	b, err := o.ring.AppendBinary(nil)
	for _, a := range o.audits {
		part, err := a.MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = append(b, part...)
	}
	return b, err
}
