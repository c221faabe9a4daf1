package conduct

import (
	"context"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/run"
	"wellspring/study"
)

// StandIn takes over a run whose conductor is gone, with the conductor that a
// member's participant made.
func (d *Desk) StandIn(ctx context.Context, id ledger.RunID, c *run.Conductor) (*Outcome, error) {
	rec, known := d.cfg.Ledger.State().Run(id)
	if !known {
		return nil, ws.Errorf(ws.Invalid, "stand in", ws.T("there is no such run", "没有该计算"))
	}
	pl := &play{desk: d, id: id, ref: rec.StudyRef, epoch: rec.Epoch, c: c.Whole(), lost: map[ws.SiteID]bool{}}
	doc, err := pl.play(ctx)
	return d.close(ctx, pl, doc, err)
}

// A play is one epoch of a run under way.
type play struct {
	desk  *Desk
	id    ledger.RunID
	ref   ledger.StudyRef
	epoch int
	c     *run.Conductor
	lost  map[ws.SiteID]bool
	told  Progress

	compared func() // once the study is held to those before it; nil from then on
}

// Bounds of how long the sites are told that a run has ended, or is stopped by
// somebody who waits.
const (
	farewell = 10 * time.Second
	lastWord = 2 * time.Second
)

// say sends a run's last messages: it is over whether they are heard or not.
func (p *play) say(ctx context.Context, last []run.Message, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, m := range last {
		_ = p.desk.cfg.Send(ctx, m)
	}
}

// tick is how often silence is looked at.
const tick = 200 * time.Millisecond

// nudge is how long a site is waited for before it is sent again what it has to
// answer: it may have come back from a crash at the very moment when that was on
// its way. Each time it is twice as long, since a long computation is no silence.
// A patient desk has sites whose letters are carried by hand; it is slower.
func (d *Desk) nudge() time.Duration { return max(3*time.Second, d.cfg.Patience/20) }

// play passes messages until the run has its answer or fails. A site that is
// silent for longer than the desk's patience while it is waited for is lost.
func (p *play) play(ctx context.Context) (*study.Document, error) {
	_, _, sites := p.c.Round()
	in := p.desk.enlist(string(p.id), sites)
	defer p.desk.dismiss(string(p.id), in)
	out, err := p.c.Begin()
	clock := time.NewTicker(min(tick, p.desk.cfg.Patience/4))
	defer clock.Stop()
	due := time.Now().Add(p.desk.cfg.Patience)
	wait, again := p.desk.nudge(), time.Now().Add(p.desk.nudge())
	for {
		in.room.Store(p.c.Bound())
		if out.Document != nil || err != nil {
			p.say(ctx, out.Send, farewell)
			p.tell()
			return out.Document, p.end(out.Document, err)
		}
		if err := p.send(ctx, out); err != nil {
			return nil, p.end(nil, err)
		}
		if len(out.Send) > 0 {
			due = time.Now().Add(p.desk.cfg.Patience)
			wait, again = p.desk.nudge(), time.Now().Add(p.desk.nudge())
		}
		p.tell()
		out = run.Output{}
		select {
		case e := <-in.in:
			out, err = p.take(e)
		case <-clock.C:
			if time.Now().After(due) {
				out, err = p.lose()
				due = time.Now().Add(p.desk.cfg.Patience)
			} else if time.Now().After(again) {
				wait *= 2
				again = time.Now().Add(wait)
				if err := p.remind(ctx); err != nil {
					return nil, p.end(nil, err)
				}
			}
		case <-ctx.Done():
			err := ws.Errorf(ws.Stopped, "conduct", ws.T("stopped", "已停止")).Wrap(ctx.Err())
			p.say(context.WithoutCancel(ctx), p.c.Stop().Send, lastWord)
			return nil, p.end(nil, err)
		}
	}
}

func (p *play) take(e event) (run.Output, error) {
	if e.lost != "" {
		p.lost[e.lost] = true
		return p.c.Lose(e.lost)
	}
	if e.message == nil {
		return run.Output{Send: p.c.Again(e.back)}, nil
	}
	out, err := p.c.Step(*e.message)
	if err != nil && len(out.Send) == 0 && ws.KindOf(err) == ws.Diverged {
		return run.Output{}, nil // of another run, epoch or site: it changes nothing
	}
	return out, err
}

// remind sends those that are waited for what they have to answer; whoever has
// had it answers with the same bytes or passes it over.
func (p *play) remind(ctx context.Context) error {
	for _, site := range p.c.Waiting() {
		for _, m := range p.c.Again(site) {
			if err := p.put(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// lose gives up on all that are waited for.
func (p *play) lose() (run.Output, error) {
	var all run.Output
	for _, site := range p.c.Waiting() {
		p.lost[site] = true
		out, err := p.c.Lose(site)
		all.Send = append(all.Send, out.Send...)
		if err != nil || out.Document != nil {
			all.Document = out.Document
			return all, err
		}
	}
	return all, nil
}

// send hands messages out. Before anything that opens the run's first sum, the
// ledger says so, since no epoch may follow from then on.
func (p *play) send(ctx context.Context, out run.Output) error {
	if p.c.Summing() && len(out.Send) > 0 {
		if rec, _ := p.desk.cfg.Ledger.State().Run(p.id); !rec.Summed {
			if err := p.desk.Submit(ctx, &ledger.MarkSum{Run: p.id, Epoch: p.epoch}); err != nil {
				return err
			}
		}
	}
	for _, m := range out.Send {
		if err := p.put(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// put hands one message out. A site that takes no more letters, since it acknowledges
// none, is waited for no longer than one that does not answer.
func (p *play) put(ctx context.Context, m run.Message) error {
	bounded, cancel := context.WithTimeout(ctx, p.desk.cfg.Patience)
	defer cancel()
	err := p.desk.cfg.Send(bounded, m)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		p.lost[m.To] = true
		return ws.Errorf(ws.Unreachable, "run", ws.T("site %s takes no letters", "站点 %s 不接收信件", m.To)).Wrap(err).
			WithHint(ws.T("ask whether its node runs and has a connection", "请确认该节点正在运行且网络连通"))
	}
	return err
}

// end tells whoever watches, and returns err.
func (p *play) end(doc *study.Document, err error) error {
	p.told.Document, p.told.Err = doc, err
	if p.desk.cfg.Progress != nil {
		p.desk.cfg.Progress(p.told)
	}
	return err
}

func (p *play) tell() {
	round, answered, sites := p.c.Round()
	if round != p.told.Round && p.compared != nil && p.c.Answered() {
		p.compared()
		p.compared = nil
	}
	now := Progress{Run: p.id, Ref: p.ref, Epoch: p.epoch, Round: round, Answered: answered, Sites: sites}
	if p.desk.cfg.Progress != nil && now != p.told {
		p.desk.cfg.Progress(now)
	}
	p.told = now
}

// enlist lets messages of a run come in: of each site its answer, and a few more.
func (d *Desk) enlist(id string, sites int) *conducting {
	c := &conducting{in: make(chan event, 64+2*sites), done: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs[id] = c
	return c
}

func (d *Desk) dismiss(id string, c *conducting) {
	close(c.done)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runs[id] == c {
		delete(d.runs, id)
	}
}
