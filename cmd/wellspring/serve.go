package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/post/conduct"
	"wellspring/site/events"
	"wellspring/site/vitals"
)

// stopTime bounds how long a node may take to stop.
const stopTime = 15 * time.Second

// serveAll runs the parts of a node, those that are not nil, until ctx is done or one of them fails. A
// part that does not stop in time is left.
func serveAll(ctx context.Context, parts ...func(context.Context) error) error {
	group, inner := errgroup.WithContext(ctx)
	for _, p := range parts {
		if p == nil {
			continue
		}
		group.Go(func() error {
			err := p(inner)
			if err == nil && ctx.Err() == nil {
				err = ws.Errorf(ws.Other, "", ws.T("a part of the node ended by itself", "节点的某个部分自行终止"))
			}
			return err
		})
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	<-inner.Done()
	select {
	case err := <-done:
		if ctx.Err() != nil && ws.KindOf(err) == ws.Stopped {
			return nil
		}
		return err
	case <-time.After(stopTime):
		return ws.Errorf(ws.Other, "", ws.T("the node did not stop within %d seconds", "节点未能在 %d 秒内停止", int(stopTime.Seconds())))
	}
}

// An eventLog is a node's log, and counts for its operator what it tells.
type eventLog struct {
	*events.Log
	c      *console
	form   events.Form
	vitals *vitals.Server // nil before the node is there
	mu     sync.Mutex
	told   map[ledger.RunID]int // the round of each run that was told last
}

// logFlag is how a node writes its log.
func logFlag(f *flagSet) *events.Form {
	form := events.Text
	f.Func("log", "", func(v string) error {
		if form = events.Form(v); form != events.Text && form != events.JSON {
			f.wrong = usage(ws.T("--log is text or json", "--log 须为 text 或 json"))
		}
		return nil
	})
	f.about = append(f.about, flagHelp{"--log text|json", ws.T("the log on stderr: lines for people, or a JSON object a line; default text", "写到 stderr 的日志：供人阅读的文本行，或每行一个 JSON 对象；默认 text")})
	return &form
}

func newEvents(c *console, form events.Form) *eventLog {
	return &eventLog{Log: events.New(c.err, form, c.lang), c: c, form: form, told: map[ledger.RunID]int{}}
}

// report tells of an error that did not end the node.
func (l *eventLog) report(err error) {
	if err == nil || ws.KindOf(err) == ws.Stopped {
		return
	}
	for _, e := range apart(err) {
		l.Trouble(e)
	}
}

// end tells how a node ended and gives back its error, which a log of objects
// holds already: then no line for people follows.
func (l *eventLog) end(err error) error {
	switch {
	case err == nil:
		l.Write(events.Stopped())
	case l.form == events.JSON:
		l.Write(events.Failed(err))
		l.c.logged = true
	}
	return err
}

// apart takes joined errors apart.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// progress tells each round of a run that this node conducts once, and how it ended.
func (l *eventLog) progress(p conduct.Progress) {
	l.mu.Lock()
	last, known := l.told[p.Run]
	ended := p.Document != nil || p.Err != nil
	if ended {
		delete(l.told, p.Run)
	} else {
		l.told[p.Run] = p.Round
	}
	l.mu.Unlock()
	switch {
	case p.Err != nil:
		l.vitals.Ended(p.Err)
		l.Write(events.RunEnded(p.Run, ws.KindOf(p.Err)))
	case ended:
		l.vitals.Ended(nil)
		l.Write(events.RunAnswered(p.Run))
	case !known || last != p.Round:
		l.vitals.Round()
		l.Write(events.RunRound(p.Run, p.Round))
	}
}

// watchLink tells when the connection to the hub comes and goes.
func (l *eventLog) watchLink(ctx context.Context, up func() bool) error {
	clock := time.NewTicker(500 * time.Millisecond)
	defer clock.Stop()
	was, told, since := false, false, time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-clock.C:
		}
		now := up()
		if now != was {
			was, since, told = now, time.Now(), false
			if now {
				l.Write(events.Connected())
			}
		}
		if !now && !told && time.Since(since) > 2*time.Second { // a start is given a moment
			told = true
			l.Write(events.Unconnected())
		}
	}
}
