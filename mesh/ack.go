package mesh

import (
	"time"

	ws "wellspring"
)

// owe makes a note due at t at the latest.
func (in *inLane) owe(t time.Time) {
	if in.due.IsZero() || t.Before(in.due) {
		in.due = t
	}
}

// speak makes a note due that tells of one letter, and may ask for what it lacks.
func (in *inLane) speak(seq uint64, ask bool) {
	in.about, in.ask = seq, ask
	in.owe(time.Now())
}

// ack notes that the application has a letter. Of a kept letter it is durable
// before the carrier's copy goes.
func (l *Link) ack(d *Delivery) error {
	l.mu.Lock()
	in := d.in
	x := in.letters[d.seq]
	if x == nil || x.asm != d.asm || x.acked { // acknowledged, or of a lane that was dropped
		l.mu.Unlock()
		d.asm.drop()
		return nil
	}
	x.acked = true
	delete(l.letters, x.h.digest)
	for y := in.letters[in.acked]; y != nil && y.acked; y = in.letters[in.acked] {
		delete(in.letters, in.acked)
		in.acked++
		in.ackLast = y.h.digest
	}
	in.dirty, in.sure = true, true
	done := x.done
	x.done = nil
	l.mu.Unlock()
	d.asm.drop()
	if in.key.kept {
		if err := l.saveIn(in); err != nil {
			return ws.At("mesh.Ack", err)
		}
	}
	for _, f := range done {
		f()
	}
	wait := l.pace.Note
	l.mu.Lock()
	if in.untold++; in.untold >= Window/4 { // its sender waits for room at last
		wait = 0
	}
	in.owe(time.Now().Add(wait))
	l.mu.Unlock()
	time.AfterFunc(wait, func() { l.flushNote(in) })
	return nil
}

// flushNote sends a lane's note if it is still due.
func (l *Link) flushNote(in *inLane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil && !in.due.IsZero() && l.ins[in.key] == in {
		l.noteNow(in)
	}
}

// noteNow has a lane's note sent at once; the caller holds mu.
func (l *Link) noteNow(in *inLane) {
	in.due = time.Time{}
	l.courierLocked(in.key.peer, false).note(noteKey{in.id(), false})
}

// stateOf fills a note with what this node has of a lane; false if it has none.
func (l *Link) stateOf(id lane, n *note) bool {
	in := l.ins[inKey{id.peer, id.run, id.kept()}]
	if in == nil || in.session != id.session {
		return false
	}
	n.next, n.last = in.acked, in.ackLast
	if in.about >= in.acked {
		n.seq = in.about
		if x := in.letters[in.about]; x != nil {
			most := maxLacks
			if x.growing() {
				most = l.grant(x)
			}
			n.grant = uint32(min(most, credit))
			n.have, n.lacks = x.asm.progress(in.ask, most)
		} else {
			n.grant, n.lacks = uint32(l.pace.Ahead), []uint32{0}
		}
	}
	in.about, in.ask, in.untold = 0, false, 0
	return true
}

// overdueIn asks for what is missing, sends notes that are due, saves what
// changed, and reports what does not come.
func (l *Link) overdueIn(now time.Time) {
	l.mu.Lock()
	var save []*inLane
	for _, in := range l.ins {
		if in.dirty && !in.key.kept {
			save = append(save, in)
		}
		if !in.broken {
			l.chase(in, now)
		}
		if !in.due.IsZero() && now.After(in.due) {
			l.noteNow(in)
		}
	}
	l.mu.Unlock()
	for _, in := range save {
		if err := l.saveIn(in); err != nil {
			l.mu.Lock()
			l.report(err)
			l.mu.Unlock()
		}
	}
}

// chase asks for the next letter of a lane, or the rest of it, where it is late.
func (l *Link) chase(in *inLane, now time.Time) {
	x := in.letters[in.next]
	if !in.late() {
		in.gap = time.Time{}
		return
	}
	if in.gap.IsZero() {
		in.gap = now
	}
	since := in.gap
	if x != nil && x.moved.After(since) {
		since = x.moved
	}
	if now.Sub(since) > l.pace.Patience && !in.told {
		in.told = true
		l.report(ws.Errorf(ws.Unreachable, "mesh: peer "+string(in.key.peer),
			ws.T("a letter of %s is missing, though later ones or parts of it came", "%s 的某封信件缺失，尽管其后的信件或部分内容已到", in.key.peer)).
			WithHint(ws.T("whoever carries the letters loses some; they are asked for until they come", "传送方丢失了信件；将持续索取")))
	}
	in.patient = max(in.patient, l.pace.Resend/4)
	if x != nil {
		in.patient = max(in.patient, l.patience(x))
	}
	if now.Sub(since) > in.patient && now.Sub(in.asked) > in.patient {
		in.asked = now
		in.patient = min(2*in.patient, max(l.pace.Slowest, 2*l.pace.Resend))
		in.speak(in.next, true)
	}
}

// late tells whether the next letter, or the rest of it, has yet to come though
// others or parts of it have.
func (in *inLane) late() bool { return in.letters[in.next] != nil || in.ahead() }

// ahead tells whether letters after the next are known.
func (in *inLane) ahead() bool {
	if in.beyond {
		return true
	}
	for seq := range in.letters {
		if seq > in.next {
			return true
		}
	}
	return false
}
