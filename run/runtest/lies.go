package runtest

import (
	"bytes"
	"slices"

	ws "wellspring"
	"wellspring/mpc/sum"
	"wellspring/run"
)

// Always is a [Lie.Round]: whatever the round.
const Always = -1

// A Lie bends the messages of one step of one round.
type Lie struct {
	Name  string
	Step  run.Step
	Round int
	To    Whom // those who are lied to
	Bend  func(run.Message) []run.Message
	Kind  ws.Kind // with which an honest party refuses
}

// Whom says to which of a run's sites a conductor lies.
type Whom int

// A conductor lies to all, to the first site in order, or to all but the first.
const (
	All Whom = iota
	First
	Others
)

// Tell gives what goes in place of a message, and whether it is a lie.
func (l Lie) Tell(m run.Message, first ws.SiteID) (out []run.Message, told bool) {
	to := l.To == All || (l.To == First) == (m.To == first)
	if m.Step != l.Step || l.Round != Always && m.Round != l.Round || !to {
		return []run.Message{m}, false
	}
	m.Body = slices.Clone(m.Body)
	return l.Bend(m), true
}

// bent bends one part of a body.
func bent(at int, bend func(b []byte)) func(run.Message) []run.Message {
	return func(m run.Message) []run.Message {
		m.Body = Bend(m.Body, at, bend)
		return []run.Message{m}
	}
}

// twice lets the true message through, and then the bent one.
func twice(bend func(run.Message) []run.Message) func(run.Message) []run.Message {
	return func(m run.Message) []run.Message {
		honest := m
		m.Body = slices.Clone(m.Body)
		return append([]run.Message{honest}, bend(m)...)
	}
}

// instead sends another step, or another round.
func instead(change func(*run.Message)) func(run.Message) []run.Message {
	return func(m run.Message) []run.Message {
		change(&m)
		return []run.Message{m}
	}
}

// A body is what the messages of package sum can do.
type body interface {
	MarshalBinary() ([]byte, error)
	UnmarshalBinary([]byte) error
}

// changed decodes bytes, changes what they say, and encodes it again.
func changed[B body](b []byte, into B, change func(B)) []byte {
	if err := into.UnmarshalBinary(b); err != nil {
		panic(err) // an honest party made it
	}
	change(into)
	out, err := into.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return out
}

func someKey(b []byte) { b[100] ^= 1 }

// Lies are those of a conductor, about a study that reads the column "age"; each is
// refused by an honest site that it reaches.
var Lies = []Lie{
	{"another state's digest", run.Ask, 1, All, bent(0, FlipLast), ws.Diverged},
	{"different states to different sites", run.Ask, 1, First, bent(0, FlipLast), ws.Diverged},
	{"asked twice, for another state", run.Ask, 1, All, twice(bent(0, FlipLast)), ws.Diverged},
	{"a round that is over, for another state", run.Ask, 2, All, func(m run.Message) []run.Message {
		m.Round = 0
		return bent(0, FlipLast)(m)
	}, ws.Diverged},
	{"a round to come", run.Ask, 1, All, instead(func(m *run.Message) { m.Round++ }), ws.Diverged},
	{"a swapped fact", run.Plan, 0, All, bent(0, func(b []byte) { copy(b[bytes.Index(b, []byte("age")):], "egg") }), ws.Denied},
	{"a swapped key", run.Plan, 0, Others, bent(2, someKey), ws.Denied},
	{"another site's key for one's own", run.Plan, 0, First, bent(2, someKey), ws.Diverged},
	{"a second plan", run.Plan, 0, All, twice(bent(2, someKey)), ws.Diverged},
	{"another coin", run.Coins, 0, First, bent(1, FlipLast), ws.Diverged},
	{"an encapsulation of its own", run.Ask, 0, All, bent(1, func(b []byte) { b[50] ^= 1 }), ws.Denied},
	{"a roster that leaves the site out", run.RosterStep, 0, First, bent(0, FlipLast), ws.Denied},
	{"a vector with δ", run.Propose, 1, First, bent(-1, func(b []byte) { b[len(b)-70] ^= 1 }), ws.Denied},
	{"a vector left out", run.Propose, 1, First, func(m run.Message) []run.Message {
		list := Parts(m.Body)
		list[0] = changed(list[0], new(sum.List), func(l *sum.List) { l.Survivors[0] &^= 8 })
		m.Body = Join(list[:len(list)-1]...)
		return []run.Message{m}
	}, ws.Denied},
	{"a vote forged", run.Certify, 1, All, bent(0, FlipLast), ws.Denied},
	{"too few votes", run.Certify, 1, First, instead(func(m *run.Message) {
		m.Body = Join(changed(Parts(m.Body)[0], new(sum.Certificate), func(c *sum.Certificate) { c.Votes = c.Votes[:2] }))
	}), ws.Unreachable},
	{"too few reveals", run.OpenSum, 1, First, instead(func(m *run.Message) { m.Body = Join(Parts(m.Body)[:2]...) }), ws.Unreachable},
	{"a sum on the conductor's word", run.OpenSum, 1, First, instead(func(m *run.Message) { m.Step, m.Body = run.Audited, Join(make([]byte, 160)) }), ws.Denied},
	{"a body without end", run.Ask, 1, First, instead(func(m *run.Message) { m.Body = make([]byte, 1<<20) }), ws.Invalid},
	{"another result", run.End, Always, First, bent(0, FlipLast), ws.Diverged},
	{"a result before its time", run.Ask, 1, All, instead(func(m *run.Message) { m.Step, m.Body = run.End, Join(make([]byte, 32)) }), ws.Diverged},
}

// SiteLies are those of a site; each ends the run at an honest conductor, with the
// site's name.
var SiteLies = []Lie{
	{"facts that are none", run.FactsStep, 0, All, instead(func(m *run.Message) { m.Body = []byte("facts") }), ws.Invalid},
	{"facts that it did not sign", run.FactsStep, 0, All, bent(0, func(b []byte) { copy(b[bytes.Index(b, []byte("age")):], "egg") }), ws.Denied},
	{"another coin than it promised", run.CoinStep, 0, All, instead(func(m *run.Message) { FlipLast(m.Body) }), ws.Diverged},
	{"a vector too short", run.Contribute, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Masked), func(v *sum.Masked) { v.Vector = v.Vector[:len(v.Vector)-1] })
	}), ws.Invalid},
	{"a vector too long", run.Contribute, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Masked), func(v *sum.Masked) { v.Vector = append(v.Vector, v.Vector[0]) })
	}), ws.Invalid},
	{"a vector that it did not sign", run.Contribute, 1, All, instead(func(m *run.Message) { m.Body[len(m.Body)-70] ^= 1 }), ws.Denied},
	{"the digest of another roster", run.Contribute, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Masked), func(v *sum.Masked) { v.Roster[0] ^= 1 })
	}), ws.Diverged},
	{"a vote for another list", run.Vote, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Vote), func(v *sum.Vote) { v.List[0] ^= 1 })
	}), ws.Diverged},
	{"a share of nothing", run.Reveal, 1, All, instead(func(m *run.Message) { m.Body = m.Body[:len(m.Body)/2] }), ws.Invalid},
	{"a share for another list", run.Reveal, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Reveal), func(r *sum.Reveal) { r.List[0] ^= 1 })
	}), ws.Diverged},
	{"the digest of another sum", run.Audit, 1, All, instead(func(m *run.Message) {
		m.Body = changed(m.Body, new(sum.Audit), func(a *sum.Audit) { a.Sum[0] ^= 1 })
	}), ws.Diverged},
	{"a body without end", run.Vote, 1, All, instead(func(m *run.Message) { m.Body = make([]byte, 1<<20) }), ws.Invalid},
}
