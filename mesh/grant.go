package mesh

import "time"

// unasked is how many pieces of a letter go before its receiver has granted any.
const unasked = 2

// grantedPieces is how many pieces of long letters a node lets all its peers together
// have under way to it, 30 MiB: a broker cuts off who leaves too much unread.
const grantedPieces = 64

// grant is how many pieces of a letter its sender may have under way: the letter's
// share of [grantedPieces], of which others may still hold too much. The caller holds mu.
func (l *Link) grant(x *inLetter) int {
	now := time.Now()
	letters, free := 1, grantedPieces
	for _, y := range l.letters {
		if y != x && y.growing() {
			letters++
			free -= y.coming(now, l.pace.Slowest)
		}
	}
	share := max(grantedPieces/letters, 1)
	x.granted = max(x.granted, x.have+min(credit, share, max(free, 0))) // what was granted may be under way
	return x.granted - x.have
}

// growing tells whether pieces of a letter are yet to come that need a grant. Those
// of a kept letter come at its receiver's own request.
func (x *inLetter) growing() bool { return !x.whole && !x.h.Keep }

// coming is how many pieces of a letter may be under way; of one that has not moved
// for so long, none.
func (x *inLetter) coming(now time.Time, long time.Duration) int {
	if now.Sub(x.moved) > long {
		return 0
	}
	return max(x.granted-x.have, 0)
}

// nextTurn tells the sender of the letter that has waited longest for a grant that it
// may go on, where others leave room.
func (l *Link) nextTurn() {
	now := time.Now()
	var first *inLetter
	free := grantedPieces
	for _, x := range l.letters {
		if !x.growing() {
			continue
		}
		free -= x.coming(now, l.pace.Slowest)
		if x.granted <= x.have && (first == nil || x.moved.Before(first.moved)) {
			first = x
		}
	}
	if first != nil && free > 0 {
		l.tell(first)
	}
}

// tell sends a note of a letter at once.
func (l *Link) tell(x *inLetter) {
	x.in.speak(x.h.seq, false)
	x.in.due = time.Time{}
	l.courierLocked(x.in.key.peer, false).note(noteKey{x.in.id(), false})
}

// patience is how long the next piece of a letter may be under way before it is asked
// for again: where many come at a time each takes long.
func (l *Link) patience(x *inLetter) time.Duration {
	if x.h.Keep { // it goes over a disk, piece after piece
		return 8 * l.pace.Resend
	}
	return max(2*l.pace.Resend, 6*l.between)
}

// moves notes that a piece of a letter came.
func (l *Link) moves(x *inLetter, now time.Time) {
	l.between += (min(now.Sub(x.moved), l.pace.Slowest) - l.between) / 8
	x.moved = now
	l.seen[x.in.key.peer] = now
}
