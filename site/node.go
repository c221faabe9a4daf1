package site

import (
	"context"
	"runtime"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/study"
)

// A Node serves one run at one site. One goroutine at a time uses it.
type Node struct {
	cfg         run.Config
	rows        frame.Source
	journal     run.Journal
	participant *run.Participant
	// Workers fold rows; one a core by default.
	Workers int
}

// NewNode takes up what the journal holds, or waits for an opening.
func NewNode(cfg run.Config, rows frame.Source, j run.Journal) (*Node, error) {
	p, err := run.Restore(cfg, j)
	if err != nil {
		return nil, ws.At("site "+string(cfg.Site), err)
	}
	return &Node{cfg: cfg, rows: rows, journal: j, participant: p, Workers: runtime.GOMAXPROCS(0)}, nil
}

// Handle takes one message, does the work that it asks for, and returns the
// messages to send, which are then safe in the journal. The document comes with
// the last message of a run. After an error this site has ended the run, and
// the messages hold its refusal.
func (n *Node) Handle(ctx context.Context, m run.Message) ([]run.Message, *study.Document, error) {
	var send []run.Message
	event := run.Event{Message: &m}
	for {
		out, err := n.participant.Step(event)
		if err != nil {
			return out.Send, nil, ws.At("site "+string(n.cfg.Site), err)
		}
		for _, r := range out.Records {
			if err := n.journal.Save(r.Key, r.Bytes); err != nil {
				return nil, nil, err
			}
		}
		send = append(send, out.Send...)
		next, err := n.work(ctx, out)
		if err != nil {
			return n.fail(err)
		}
		if next == nil {
			return send, out.Document, n.forget(m)
		}
		event = *next
	}
}

// fail tells the participant that the site's own work failed.
func (n *Node) fail(err error) ([]run.Message, *study.Document, error) {
	out, err := n.participant.Step(run.Event{Failed: err})
	return out.Send, nil, ws.At("site "+string(n.cfg.Site), err)
}

// forget erases the records of a run that is over, secrets among them.
func (n *Node) forget(m run.Message) error {
	if m.Step != run.End {
		return nil
	}
	for _, key := range []string{"masked", "plan", "state"} {
		if err := n.journal.Erase(key); err != nil {
			return err
		}
	}
	return nil
}

// work does what an output asks for and returns the event that tells of it.
func (n *Node) work(ctx context.Context, out run.Output) (*run.Event, error) {
	switch {
	case out.Publish != nil:
		facts, err := n.facts(ctx, *out.Publish)
		return &run.Event{Published: facts}, err
	case out.Fold != nil:
		ring, err := out.Fold.Program.Fold(ctx, out.Fold.State, n.rows, analyze.FoldOptions{Sites: out.Fold.Sites, Workers: n.Workers})
		return &run.Event{Folded: &run.Folded{Round: out.Fold.Round, Ring: ring}}, err
	}
	return nil, nil
}

// facts are the dictionary and the policy, and the distinct times of the
// columns that the study needs where the policy grants them.
func (n *Node) facts(ctx context.Context, needs analyze.Needs) (*analyze.SiteFacts, error) {
	f := &analyze.SiteFacts{Site: n.cfg.Site, Columns: n.rows.Dictionary(), Policy: n.cfg.Policy}
	if !n.cfg.Policy.Grants(policy.ExactTimes) {
		return f, nil
	}
	seen := map[string]bool{}
	for _, column := range needs.ExactTimes {
		if seen[column] {
			continue
		}
		seen[column] = true
		values, err := n.rows.Distinct(ctx, column)
		if err != nil {
			return nil, err
		}
		f.Times = append(f.Times, analyze.TimeFact{Column: column, Values: values})
	}
	return f, nil
}
