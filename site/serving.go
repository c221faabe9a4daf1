package site

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/engine"
	"wellspring/frame"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/run"
	"wellspring/study"
)

// A serving is one run that this site answers. Its jobs are done one by one.
type serving struct {
	s    *Service
	id   string
	from ws.SiteID // who began it
	jobs chan job
	due  int // jobs that are given and not done; Service.mu guards it
	node *Node
}

// A job is a letter, a message from this site's own desk, or something to do
// with the node between messages; one that is empty asks whether the run is over.
type job struct {
	delivery *mesh.Delivery
	message  *run.Message
	do       func(*Node, error) // error: there is no node
}

// Bounds of the runs that a site answers at one time, of those among them that one
// peer speaks of and the ledger does not know, or not yet, and of the letters of a
// run that wait.
const (
	maxServing = 256
	maxUnknown = 8
	maxJobs    = 64
)

// letter gives a letter from a conductor to the goroutine of its run. One that is of
// no use is dropped, and its sender named: the loop that takes letters must not wait
// for any of them.
func (s *Service) letter(ctx context.Context, d *mesh.Delivery) {
	err := s.welcome(d)
	if err == nil && !s.serve(ctx, d.Run, job{delivery: d}) {
		err = ws.Errorf(ws.Unreachable, "site", ws.T("too many letters of one run wait", "同一计算的待处理信件过多"))
	}
	if err != nil {
		s.report(errors.Join(asked(post.Bare(d), err), d.Ack()))
	}
}

// welcome refuses letters of a run from whoever has no part in it, and of more runs
// that are not on the ledger here than one peer can have begun just now.
func (s *Service) welcome(d *mesh.Delivery) error {
	state := s.cfg.Replica.State()
	if rec, known := state.Run(ledger.RunID(d.Run)); known {
		e, _ := state.Epoch(ledger.RunID(d.Run), rec.Epoch)
		if _, member := e.Member(d.From); !member && d.From != e.Conductor {
			return ws.Errorf(ws.Denied, "site", ws.T("site %s takes no part in the run", "站点 %s 未参与该计算", d.From))
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id, v := range s.serving {
		if _, known := state.Run(ledger.RunID(id)); !known && v.from == d.From && id != d.Run {
			n++
		}
	}
	if n >= maxUnknown {
		return ws.Errorf(ws.Denied, "site", ws.T("site %s speaks of more than %d runs that the ledger does not know", "站点 %s 提到超过 %d 个账本中没有的计算", d.From, maxUnknown))
	}
	return nil
}

// serve gives a job to the goroutine of its run; false if it was a letter, and there
// is no room for it.
func (s *Service) serve(ctx context.Context, id string, j job) bool {
	s.mu.Lock()
	v := s.serving[id]
	if v == nil && s.ctx != nil && len(s.serving) < maxServing {
		v = &serving{s: s, id: id, jobs: make(chan job, maxJobs)}
		if j.delivery != nil {
			v.from = j.delivery.From
		}
		s.serving[id] = v
		s.wg.Add(1)
		go v.run(s.ctx)
	}
	full := v == nil || j.delivery != nil && v.due >= maxJobs
	if !full {
		v.due++
	}
	s.mu.Unlock()
	if full {
		if v == nil {
			s.report(ws.Errorf(ws.Unreachable, "site", ws.T("more than %d runs at one time", "同时进行的计算超过 %d 个", maxServing)))
		}
		return false
	}
	select {
	case v.jobs <- j:
	case <-ctx.Done():
		s.mu.Lock()
		v.due--
		s.mu.Unlock()
	}
	return true
}

// closed has the goroutine of a run, if there is one, look whether it is over.
func (s *Service) closed(id string) {
	s.mu.Lock()
	_, there := s.serving[id]
	ctx := s.ctx
	s.mu.Unlock()
	if there {
		s.serve(ctx, id, job{})
	}
}

func (v *serving) run(ctx context.Context) {
	defer v.s.wg.Done()
	for {
		select {
		case j := <-v.jobs:
			v.s.report(v.job(ctx, j))
			if v.leave() {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// leave ends the serving of a run that the ledger has closed, or does not know.
// What comes of it later is answered from the journal.
func (v *serving) leave() bool {
	v.s.mu.Lock()
	v.due--
	over := v.due == 0 && post.Over(v.s.cfg.Replica.State(), v.id)
	if over {
		delete(v.s.serving, v.id)
	}
	v.s.mu.Unlock()
	if over {
		v.s.cfg.Link.Finish(v.id)
	}
	return over
}

func (v *serving) job(ctx context.Context, j job) error {
	if j.delivery == nil && j.message == nil && j.do == nil {
		return nil
	}
	if j.do != nil {
		err := v.begin(ctx)
		j.do(v.node, err)
		return nil
	}
	if j.message != nil {
		return v.handle(ctx, *j.message)
	}
	err := v.letter(ctx, j.delivery)
	if ctx.Err() == nil {
		err = errors.Join(err, j.delivery.Ack())
	}
	return err
}

// letter answers a message that came. Its body is read once the run is known, and if
// it can be of use: whoever may write to a site could fill its memory.
func (v *serving) letter(ctx context.Context, d *mesh.Delivery) error {
	m := post.Bare(d)
	if err := v.begin(ctx); err != nil {
		return v.refused(ctx, m, err)
	}
	if d.Size > v.node.participant.Bound(m) {
		return v.refused(ctx, m, post.TooLong(d))
	}
	m, err := post.Message(d)
	if err != nil {
		return err
	}
	return v.handle(ctx, m)
}

// refused tells whoever asked, and names them to whoever runs this site.
func (v *serving) refused(ctx context.Context, m run.Message, err error) error {
	return errors.Join(asked(m, ws.At("site "+string(v.s.cfg.Self), err)), v.s.send(ctx, run.Refusal(v.s.cfg.Self, m, err)))
}

// asked says whose message an error is about.
func asked(m run.Message, err error) error {
	if err == nil {
		return nil
	}
	return ws.Errorf(ws.KindOf(err), "run "+m.Run+", "+string(m.Step), ws.T("a message from %s is refused", "来自 %s 的消息被拒绝", m.From)).Wrap(err)
}

// handle answers one message. The node has saved what it must before anything
// is sent, and the letter is acknowledged after that.
func (v *serving) handle(ctx context.Context, m run.Message) error {
	if err := v.begin(ctx); err != nil {
		return v.refused(ctx, m, err)
	}
	v.freshen(ctx)
	if m.Step == run.Certify && m.Round == 0 {
		v.await(ctx, func(s ledger.State) bool {
			rec, _ := s.Run(ledger.RunID(v.id))
			return rec.Closed || s.MayReveal(ledger.RunID(v.id), m.Epoch) == nil
		})
	}
	if m.Step == run.Open {
		v.await(ctx, func(s ledger.State) bool { // an epoch follows none that was summed, or closed
			rec, _ := s.Run(ledger.RunID(v.id))
			return rec.Epoch >= m.Epoch || rec.Summed || rec.Closed
		})
	}
	out, _, err := v.node.Handle(ctx, m)
	for _, o := range out {
		if err := v.s.send(ctx, o); err != nil {
			return err
		}
	}
	if err == nil && m.Step != run.End && v.s.cfg.Served != nil {
		v.s.cfg.Served(ledger.RunID(v.id), m.Epoch, m.Round)
	}
	return asked(m, err)
}

// await gives the ledger here time to catch up with what the message rests on;
// if it does not, the gate refuses.
func (v *serving) await(ctx context.Context, wanted func(ledger.State) bool) {
	ctx, cancel := context.WithTimeout(ctx, v.s.cfg.waiting())
	defer cancel()
	_ = v.s.cfg.Replica.Until(ctx, wanted)
}

// freshen gives whoever orders the ledger time to say that the view here is the
// newest, which after a start is not known yet; if it does not, the gate refuses.
func (v *serving) freshen(ctx context.Context) {
	for until := time.Now().Add(v.s.cfg.waiting()); time.Since(v.s.cfg.Replica.Fresh()) > v.s.cfg.maxAge() && time.Now().Before(until); {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
}

// keptRows bounds the bytes of rows that are kept in memory of each run that is answered.
const keptRows = 1 << 20

// begin makes the node, on the version of the dataset that the ledger fixed.
func (v *serving) begin(ctx context.Context) error {
	if v.node != nil {
		return nil
	}
	if err := v.s.known(ctx); err != nil {
		return err
	}
	cfg := v.s.cfg
	id := ledger.RunID(v.id)
	v.await(ctx, func(s ledger.State) bool { _, known := s.Run(id); return known })
	state := cfg.Replica.State()
	rec, known := state.Run(id)
	epoch, _ := state.Epoch(id, rec.Epoch)
	member, in := epoch.Member(cfg.Self)
	on, _ := state.Study(rec.StudyRef)
	if !known || !in {
		return ws.Errorf(ws.Denied, "site", ws.T("the ledger names no run of this id in which this site takes part", "账本中没有本站点参与的该编号的计算"))
	}
	rows, pol, err := cfg.Data(ctx, on.Dataset, member.Version)
	if err != nil {
		return err
	}
	first, _ := state.Epoch(id, 1) // the sites of later epochs are some of these, and have declared the same levels
	rows = engine.Kept(engine.WithConstant(rows, siteColumn(first.Members), string(cfg.Self)), keptRows)
	gate := &Gate{Site: cfg.Self, Ledger: cfg.Replica, Fresh: cfg.Replica.Fresh, Pinned: cfg.Pinned, Least: pol.Least(), Texts: cfg.Texts, MaxAge: cfg.maxAge()}
	journal := cfg.Journals.Run(v.id)
	if err := v.s.room(journal); err != nil {
		return err
	}
	v.node, err = NewNode(run.Config{Site: cfg.Self, Institution: cfg.Institution, Key: cfg.Key, Catalog: cfg.Catalog, Policy: pol, Gate: gate, Rand: rand.Reader, Shared: cfg.Shared},
		rows, journal)
	if err == nil && cfg.Keep != nil {
		v.node.Keep = func(a *run.Answer) error { return cfg.Keep(id, a) }
	}
	if err == nil && cfg.Memory != nil {
		asker, _ := state.Requester(rec.Requester)
		v.node.Memory = cfg.Memory(v.id, asker.Institution, on.Dataset, member.Version)
	}
	return err
}

// room refuses a run of which the journal knows nothing, where the disk is nearly full.
func (s *Service) room(j run.Journal) error {
	if s.cfg.Room == nil {
		return nil
	}
	known, err := j.Load("state")
	if err != nil || known != nil {
		return err
	}
	return s.cfg.Room()
}

// siteColumn is the factor whose levels are the sites of a run.
func siteColumn(members []ledger.Member) frame.Column {
	c := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor}
	for _, m := range members {
		c.Levels = append(c.Levels, string(m.Site))
	}
	return c
}

// StandIn conducts a run, that this site answers, in place of a conductor that is
// gone, to its end.
func (s *Service) StandIn(ctx context.Context, id ledger.RunID) (*conduct.Outcome, error) {
	type taken struct {
		c       *run.Conductor
		opening *run.Opening
		may     error // why no new epoch may be conducted here
		err     error
	}
	got := make(chan taken, 1)
	begun := s.serve(ctx, string(id), job{do: func(n *Node, err error) {
		if err != nil {
			got <- taken{err: err, may: err}
			return
		}
		c, err := n.participant.StandIn()
		got <- taken{c, n.participant.Opening(), n.participant.MayConduct(), err}
	}})
	if !begun {
		return nil, ws.Errorf(ws.Unreachable, "stand in", ws.T("this site answers too many runs at one time", "本站点同时应答的计算过多"))
	}
	var t taken
	select {
	case t = <-got:
	case <-ctx.Done():
		return nil, ws.Errorf(ws.Stopped, "stand in", ws.T("stopped", "已停止")).Wrap(ctx.Err())
	}
	rec, _ := s.cfg.Replica.State().Run(id)
	if t.may != nil && !rec.Summed { // told before the ledger is: another may stand in, or the conductor come back
		return nil, t.may
	}
	if t.err != nil {
		return s.reopen(ctx, id, rec, t.opening, t.err)
	}
	out, err := s.desk.StandIn(ctx, id, t.c)
	if out == nil && ws.KindOf(err) == ws.Unreachable && !rec.Summed {
		return s.reopen(ctx, id, rec, t.opening, err)
	}
	return out, err
}

// reopen opens a new epoch where no sum was opened.
func (s *Service) reopen(ctx context.Context, id ledger.RunID, rec ledger.Run, o *run.Opening, why error) (*conduct.Outcome, error) {
	if rec.Summed || rec.Closed || o == nil {
		return nil, why
	}
	st, err := study.Parse(o.Study, "study")
	if err != nil {
		return nil, err
	}
	e, _ := s.cfg.Replica.State().Epoch(id, rec.Epoch)
	var members []conduct.Member
	for i, m := range e.Members {
		members = append(members, conduct.Member{Member: m, Alone: i < len(o.Members) && o.Members[i].Alone})
	}
	return s.desk.Reopen(ctx, id, st.WithDefaults(), members, o.AllowFew)
}

// Alone reports whether a policy lets a site's own part be seen.
func Alone(p policy.Policy) bool { return p.SiteResults != policy.RefuseSite }
