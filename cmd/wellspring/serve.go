package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/post/conduct"
	socket "wellspring/site/console"
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

// An eventLog writes what a node does, a line each, without any data.
type eventLog struct {
	c      *console
	vitals *vitals.Server // counts the same, once it is there
	mu     sync.Mutex
	told   map[ledger.RunID]int // the round of each run that was told last
}

func newEvents(c *console) *eventLog { return &eventLog{c: c, told: map[ledger.RunID]int{}} }

// say tells an event.
func (l *eventLog) say(t ws.Text) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.c.err, "%s %s\n", time.Now().UTC().Format(time.RFC3339), strings.ReplaceAll(t.In(l.c.lang), "\n", " "))
}

// report tells of an error that did not end the node. What is no error of ours
// may hold anything, and is not printed.
func (l *eventLog) report(err error) {
	if err == nil || ws.KindOf(err) == ws.Stopped {
		return
	}
	for _, e := range apart(err) {
		l.say(ws.T("%s: %s", "%s：%s", ws.KindOf(e).String(), ws.Text{En: message(e, ws.English), Zh: message(e, ws.Chinese)}))
	}
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
	id := string(p.Run[:min(8, len(p.Run))])
	switch {
	case p.Err != nil:
		l.vitals.Ended(p.Err)
		l.say(ws.T("run %s ended: %s", "计算 %s 结束：%s", id, ws.KindOf(p.Err).String()))
	case ended:
		l.vitals.Ended(nil)
		l.say(ws.T("run %s has its answer", "计算 %s 已有结果", id))
	case !known || last != p.Round:
		l.vitals.Round()
		l.say(ws.T("run %s is in round %d", "计算 %s 进行到第 %d 轮", id, p.Round))
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
				l.say(ws.T("connected to the hub", "已连接枢纽"))
			}
		}
		if !now && !told && time.Since(since) > 2*time.Second { // a start is given a moment
			told = true
			l.say(ws.T("no connection to the hub; it is tried again and again", "未能连接枢纽；将不断重试"))
		}
	}
}

// tell turns a desk's progress into the console's.
func tell(s *socket.Server, p conduct.Progress) {
	if p.Document == nil && p.Err == nil {
		s.Tell(p.Ref, socket.Progress{Run: p.Run, Epoch: p.Epoch, Round: p.Round, Answered: p.Answered, Sites: p.Sites})
	}
}

// conductAt conducts the console's tasks at a node's desk.
func conductAt(desk *conduct.Desk) func(context.Context, socket.Task) (*socket.Answer, error) {
	return func(ctx context.Context, t socket.Task) (*socket.Answer, error) {
		var members []conduct.Member
		for _, m := range t.Members {
			members = append(members, conduct.Member{Member: m})
		}
		return answerOf(desk.Open(ctx, t.Ref, t.Study, members, t.Few))
	}
}

func answerOf(o *conduct.Outcome, err error) (*socket.Answer, error) {
	if err != nil {
		return nil, err
	}
	return &socket.Answer{Run: o.Run, Document: o.Document, Salt: o.Salt}, nil
}
