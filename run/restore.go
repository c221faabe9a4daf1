package run

import (
	"encoding/json"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/study"
)

// A memo is what a participant must remember besides its plan.
type memo struct {
	Opening *Opening        `json:"opening"`
	Party   []byte          `json:"party"`
	State   json.RawMessage `json:"state,omitempty"`
	Round   int             `json:"round"`
	Last    sum.Digest      `json:"last"`
	Results []study.Result  `json:"results,omitempty"`
	Cert    []byte          `json:"cert,omitempty"`
	Audit   []byte          `json:"audit,omitempty"`
	Ended   bool            `json:"ended"`
}

// record gives the state as it must be saved before anything is sent.
func (p *Participant) record() ([]Record, error) {
	party, err := p.party.MarshalBinary()
	if err != nil {
		return nil, err
	}
	m := memo{Opening: p.opening, Party: party, State: p.state, Round: p.round, Last: p.last, Results: p.results, Audit: p.audit, Ended: p.ended}
	if p.cert != nil {
		if m.Cert, err = p.cert.MarshalBinary(); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return []Record{{"state", b}}, nil
}

// Restore gives the participant that a journal holds, or a new one where it
// holds none. The conductor then sends the messages of its round again (see
// [Conductor.Again]) and gets the same bytes.
func Restore(cfg Config, j Journal) (*Participant, error) {
	b, err := j.Load("state")
	if err != nil || b == nil {
		return NewParticipant(cfg), err
	}
	var m memo
	if err := json.Unmarshal(b, &m); err != nil || m.Opening == nil {
		return nil, ws.Errorf(ws.Diverged, "restore", ws.T("the journal cannot be read", "无法读取日志"))
	}
	p := &Participant{cfg: cfg, opening: m.Opening, state: analyze.State(m.State), round: m.Round, last: m.Last, results: m.Results, audit: m.Audit, ended: m.Ended}
	if p.digest, err = m.Opening.Digest(); err != nil {
		return nil, err
	}
	if p.study, err = m.Opening.study(); err != nil {
		return nil, err
	}
	p.params = m.Opening.params(p.digest)
	if p.party, err = sum.ParseParty(m.Party, cfg.Key); err != nil {
		return nil, err
	}
	if m.Cert != nil {
		p.cert = new(sum.Certificate)
		if err := p.cert.UnmarshalBinary(m.Cert); err != nil {
			return nil, err
		}
	}
	return p.resume(j)
}

// resume binds the study again and takes up what was under way.
func (p *Participant) resume(j Journal) (*Participant, error) {
	b, err := j.Load("plan")
	if err != nil {
		return nil, err
	}
	if b == nil || p.ended {
		return p, nil
	}
	parts, err := unpack(b, 3*MaxSites)
	if err != nil {
		return nil, err
	}
	pl, err := readPlan(p.opening, p.digest, p.study, p.cfg.Catalog, parts)
	if err != nil {
		return nil, err
	}
	p.program, p.plan = pl.program, parts
	return p, nil
}
