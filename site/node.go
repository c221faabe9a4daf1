package site

import (
	"context"
	"errors"
	"runtime"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/run"
	"wellspring/study"
)

// A Node serves one run at one site. One goroutine at a time uses it.
type Node struct {
	cfg         run.Config
	rows        frame.Source
	journal     run.Journal
	participant *run.Participant
	broken      error // the journal refused; nothing may be sent any more
	settled     bool  // the memory knows that the study lies near to none before
	// Memory is what the site remembers of its askers; nil where it need not.
	Memory Memory
	// Keep is given the answer of a run that a person here must release; nil where
	// nobody can. What it was given before it may be given again.
	Keep func(*run.Answer) error
	// Workers fold rows; one a core by default.
	Workers int
}

// A Memory is what a site remembers, for one run, of the cohorts on which it answered the asker and
// colleagues.
type Memory interface {
	analyze.Memory
	// Earlier lists the cohorts before the run. It refuses an asker whom a person
	// must let ask on.
	Earlier() ([]near.Cohort, error)
	// Answered keeps the run's cohorts, as they were counted, but for those of
	// fewer persons than least, of which nobody is told.
	Answered(now []near.Cohort, least int64) error
	// Forget takes out the run's cohorts if none was answered.
	Forget() error
	// Replied counts a reply that the question is as good as asked before.
	Replied() error
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
// the last message of a run, of which the journal then keeps a tombstone: a
// node over it never answers the run again.
//
// After an error this site has ended the run, and the messages hold its
// refusal; except that one of the kind Stopped, of a context that is done,
// leaves the run as it was: a node over the same journal takes it up again.
func (n *Node) Handle(ctx context.Context, m run.Message) ([]run.Message, *study.Document, error) {
	send, doc, err := n.handle(ctx, run.Event{Message: &m})
	if err != nil {
		return send, nil, ws.At("site "+string(n.cfg.Site), err)
	}
	return send, doc, nil
}

// handle saves once, when all is done that a message asks for: until then nothing has
// left, and after a crash the message comes again.
func (n *Node) handle(ctx context.Context, event run.Event) ([]run.Message, *study.Document, error) {
	var send []run.Message
	var records []run.Record
	for {
		out, refused := n.participant.Step(event)
		records = append(records, out.Records...)
		send = append(send, out.Send...)
		if refused != nil {
			if err := n.unanswered(refused); err != nil {
				refused = errors.Join(refused, err)
			}
			return n.saved(records, out.Send, refused)
		}
		if err := n.settle(event); err != nil {
			return n.saved(records, nil, err)
		}
		next, err := n.work(ctx, out)
		switch {
		case err != nil && ctx.Err() != nil:
			return n.saved(records, send, ws.Errorf(ws.Stopped, "work", ws.T("stopped", "已停止")).Wrap(ctx.Err()))
		case err != nil:
			next = &run.Event{Failed: err}
		case next == nil:
			if err := n.hold(out.Answer); err != nil { // first: once the run is over in the journal it comes no more
				return nil, nil, err
			}
			if err := n.save(records); err != nil {
				return nil, nil, err
			}
			return send, out.Document, n.forget(out)
		}
		event = *next
	}
}

// hold keeps an answer that waits for a person of this site.
func (n *Node) hold(a *run.Answer) error {
	if a == nil || n.Keep == nil || !slices.Contains(a.Reviewers, n.cfg.Site) {
		return nil
	}
	return n.Keep(a)
}

// settle tells the memory what the study is answered on, before anything that rests on it is
// sent; or that it is not.
func (n *Node) settle(event run.Event) error {
	if n.Memory == nil || n.settled {
		return nil
	}
	now, least, stage, err := n.participant.Cohorts()
	ended := event.Message != nil && event.Message.Step == run.End
	switch {
	case err != nil:
		return err
	case stage == analyze.Answered:
		n.settled = true
		return n.Memory.Answered(now, least)
	case ended && stage == analyze.Comparing: // the conductor read the sum before this site did
		return replied(n.Memory)
	case ended:
		return n.Memory.Forget()
	}
	return nil
}

// unanswered tells the memory of a refusal.
func (n *Node) unanswered(why error) error {
	if n.Memory == nil || n.settled {
		return nil
	}
	return Unanswered(n.Memory, why)
}

// Unanswered tells a memory that its run was refused before anything was answered of its cohorts.
func Unanswered(m Memory, why error) error {
	if near.Replied(why) {
		return replied(m)
	}
	return m.Forget()
}

func replied(m Memory) error {
	if err := m.Replied(); err != nil {
		return err
	}
	return m.Forget()
}

// saved ends handle with err, if the journal takes the records.
func (n *Node) saved(records []run.Record, send []run.Message, err error) ([]run.Message, *study.Document, error) {
	if broken := n.save(records); broken != nil {
		return nil, nil, broken
	}
	return send, nil, err
}

// save makes records durable, in order, of each key the last. Once the journal has
// refused, the node is of no use: its memory is ahead of what a restart would know.
func (n *Node) save(records []run.Record) error {
	var last []run.Record
	for i, r := range records {
		if !slices.ContainsFunc(records[i+1:], func(later run.Record) bool { return later.Key == r.Key }) {
			last = append(last, r)
		}
	}
	if n.broken == nil && len(last) > 0 {
		n.broken = n.journal.Save(last...)
	}
	return n.broken
}

// forget leaves of a run that has ended here what must not be forgotten: a
// tombstone or, where it was stopped, its history; secrets go.
func (n *Node) forget(out run.Output) error {
	if out.Last != nil {
		if err := n.save([]run.Record{*out.Last}); err != nil {
			return err
		}
	}
	if len(out.Erase) == 0 {
		return nil
	}
	return n.journal.Erase(out.Erase...)
}

// work does what an output asks for and returns the event that tells of it.
func (n *Node) work(ctx context.Context, out run.Output) (*run.Event, error) {
	switch {
	case out.Publish != nil:
		facts, err := n.facts(ctx, *out.Publish)
		return &run.Event{Published: facts}, err
	case out.Fold != nil:
		ring, err := out.Fold.Program.Fold(ctx, out.Fold.State, n.rows, analyze.FoldOptions{Site: n.cfg.Site, Sites: out.Fold.Sites, Workers: n.Workers, Memory: n.memory()})
		return &run.Event{Folded: &run.Folded{Round: out.Fold.Round, Ring: ring}}, err
	}
	return nil, nil
}

// memory is nil, and no interface of nothing, where there is none.
func (n *Node) memory() analyze.Memory {
	if n.Memory == nil {
		return nil
	}
	return n.Memory
}

func (n *Node) facts(ctx context.Context, needs analyze.Needs) (*analyze.SiteFacts, error) {
	f := &analyze.SiteFacts{Site: n.cfg.Site, Institution: n.cfg.Institution, Policy: n.cfg.Policy}
	return f, Publish(ctx, f, n.rows, n.Memory, needs)
}

// Publish completes a site's facts, which say who it is and under which policy its rows are: with the dictionary, what it
// remembers of the asker where a limit holds, and the distinct times of the columns that the study needs where the policy grants them.
func Publish(ctx context.Context, f *analyze.SiteFacts, rows frame.Source, m Memory, needs analyze.Needs) (err error) {
	f.Remembers = m != nil
	if f.Columns = rows.Dictionary(); m != nil && f.Policy.MinCell > 1 {
		if f.Earlier, err = m.Earlier(); err != nil {
			return err
		}
	}
	if !f.Policy.Grants(policy.ExactTimes) {
		return nil
	}
	seen := map[string]bool{}
	for _, column := range needs.ExactTimes {
		if seen[column] {
			continue
		}
		seen[column] = true
		values, err := rows.Distinct(ctx, column)
		if err != nil {
			return err
		}
		f.Times = append(f.Times, analyze.TimeFact{Column: column, Values: values})
	}
	return nil
}
