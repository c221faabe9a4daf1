package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/study"
)

// Keys lists the records that a participant keeps in its journal. The state
// holds secrets while the run is under way; at its end it becomes a tombstone.
var Keys = append(slices.Clone(transient), "state")

// A memo is what a participant must remember besides its facts, its plan and
// its masked vector. It is saved several times a round.
type memo struct {
	Opening *Opening        `json:"opening"`
	Party   []byte          `json:"party"`
	State   json.RawMessage `json:"state,omitempty"`
	Round   int             `json:"round"`
	Asked   []sum.Digest    `json:"asked,omitempty"`
	Last    sum.Digest      `json:"last"`
	Members []ws.SiteID     `json:"members,omitempty"`
	Results []study.Result  `json:"results,omitempty"`
	Cert    []byte          `json:"cert,omitempty"`
	Audit   []byte          `json:"audit,omitempty"`
	Opened  [2][]byte       `json:"opened"`
	Asker   ws.SiteID       `json:"asker,omitempty"`
	Ended   bool            `json:"ended,omitempty"`
	Refusal []byte          `json:"refusal,omitempty"`
	// Over and Lost stand alone: the run has come to its end here, or is lost to this site.
	Over *tombstone `json:"over,omitempty"`
	Lost string     `json:"lost,omitempty"`
}

// record gives the state as it must be saved before anything is sent.
func (p *Participant) record() ([]Record, error) {
	party, err := p.party.MarshalBinary()
	if err != nil {
		return nil, err
	}
	m := memo{Opening: p.opening, Party: party, State: p.state, Round: p.round, Asked: p.asked, Last: p.last, Members: p.members,
		Results: p.results, Audit: p.audit, Opened: p.opened, Asker: p.asker, Ended: p.ended, Refusal: p.refusal}
	if p.turn.cert != nil {
		if m.Cert, err = p.turn.cert.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, ws.Errorf(ws.Other, "journal", ws.T("the state cannot be written", "无法写出状态")).Wrap(err)
	}
	return []Record{{"state", b}}, nil
}

// stamped is a record that holds for one opening only: the journal may keep it
// from an earlier epoch.
func (p *Participant) stamped(key string, b []byte) Record {
	return Record{key, append(p.digest[:len(p.digest):len(p.digest)], b...)}
}

// load reads a stamped record; nil if there is none of this opening.
func (p *Participant) load(j Journal, key string) ([]byte, error) {
	b, err := j.Load(key)
	if err != nil || len(b) < len(p.digest) || !bytes.Equal(b[:len(p.digest)], p.digest[:]) {
		return nil, err
	}
	return b[len(p.digest):], nil
}

// Restore gives the participant that a journal holds, or a new one where it
// holds none. The conductor then sends its messages again (see
// [Conductor.Again]) and gets the same bytes.
func Restore(cfg Config, j Journal) (*Participant, error) {
	b, err := j.Load("state")
	if err != nil || b == nil {
		return NewParticipant(cfg), err
	}
	var m memo
	if err := json.Unmarshal(b, &m); err == nil && m.Over != nil && m.Over.valid() {
		return &Participant{cfg: cfg, tomb: m.Over}, nil
	} else if err == nil && m.Lost != "" {
		return &Participant{cfg: cfg, lost: m.Lost}, nil
	} else if err != nil || m.Opening == nil || m.Round < 0 || m.Round != len(m.Asked) {
		return nil, unreadable()
	}
	if err := m.Opening.Validate(); err != nil {
		return nil, err
	}
	p := &Participant{cfg: cfg, opening: m.Opening, state: analyze.State(m.State), round: m.Round, asked: m.Asked, last: m.Last,
		members: m.Members, results: m.Results, audit: m.Audit, opened: m.Opened, asker: m.Asker, ended: m.Ended, refusal: m.Refusal}
	if err := p.reopen(m); err != nil {
		return nil, err
	}
	if p.ended || p.refusal != nil {
		return p, nil
	}
	return p, p.resume(j)
}

func unreadable() error {
	return ws.Errorf(ws.Diverged, "restore", ws.T("the journal cannot be read", "无法读取日志")).
		WithHint(ws.T("restore the site from its backup, or end the run", "请从备份恢复站点，或结束该计算"))
}

// reopen computes again what follows from the opening.
func (p *Participant) reopen(m memo) (err error) {
	if p.digest, err = m.Opening.Digest(); err != nil {
		return err
	}
	if p.study, err = m.Opening.study(); err != nil {
		return err
	}
	if p.params, err = m.Opening.params(p.digest, p.study, p.cfg.Shared.known()); err != nil {
		return err
	}
	if p.party, err = sum.ParseParty(m.Party, p.cfg.Key); err != nil {
		return err
	}
	if m.Cert != nil {
		p.turn.cert = new(sum.Certificate)
		return p.turn.cert.UnmarshalBinary(m.Cert)
	}
	return nil
}

// resume binds the study again and takes up what was under way.
func (p *Participant) resume(j Journal) (err error) {
	if p.facts, err = p.load(j, "facts"); err != nil {
		return err
	}
	b, err := p.load(j, "plan")
	if err != nil || b == nil {
		return err
	}
	parts, err := unpack(b, 3*MaxSites)
	if err != nil {
		return err
	}
	pl, err := p.cfg.Shared.read(p.opening, p.params, p.study, p.cfg.Catalog, b, parts)
	if err != nil {
		return err
	}
	p.program, p.adverts, p.bound = pl.program, pl.adverts, sha256.Sum256(b)
	if p.state == nil {
		p.state = pl.state
	}
	if p.party.Epoch() == nil || p.results != nil {
		return nil
	}
	return p.remask(j)
}

// remask takes up the masked vector, if the journal has that of this round.
func (p *Participant) remask(j Journal) error {
	b, err := j.Load("masked")
	if err != nil || b == nil {
		return err
	}
	var m sum.Masked
	if err := m.UnmarshalBinary(b); err != nil {
		return unreadable()
	}
	r, _, err := p.sumRound()
	if err != nil {
		return err
	}
	if m.Round == p.party.Epoch().Digest(r) {
		p.turn.masked, p.turn.on = b, m.Roster
	}
	return nil
}
