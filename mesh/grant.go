package mesh

import (
	"maps"
	"slices"
	"time"

	ws "wellspring"
)

// grantedPieces is how many pieces of long letters a node lets all its peers together
// have under way to it, 30 MiB: a broker cuts off who leaves too much unread. Each peer
// of whom such letters come has its share, whatever another holds of a larger one.
const grantedPieces = 64

// grant is how many pieces of a letter its sender may have under way: what is left of
// the peer's share. Where there are more peers than pieces, those wait to whom nothing
// comes. The caller holds mu.
func (l *Link) grant(x *inLetter) int {
	held := l.held(x, time.Now())
	x.granted = max(x.granted, x.have+min(credit, leftFor(x.in.key.peer, held))) // what was granted may be under way
	return x.granted - x.have
}

// held tells how many pieces each peer has under way, but those of one letter; of who
// has none, 0. Letters that have not grown for long do not count.
func (l *Link) held(but *inLetter, now time.Time) map[ws.SiteID]int {
	held := map[ws.SiteID]int{}
	if but != nil {
		held[but.in.key.peer] = 0
	}
	for _, y := range l.letters {
		if y != but && y.growing() && now.Sub(y.grew) <= l.pace.Slowest {
			held[y.in.key.peer] += max(y.granted-y.have, 0)
		}
	}
	return held
}

// leftFor is what is left of a peer's share.
func leftFor(peer ws.SiteID, held map[ws.SiteID]int) int {
	if share := grantedPieces / len(held); share > 0 {
		return max(share-held[peer], 0)
	}
	taken := 0
	for _, n := range held {
		taken += btoi(n > 0)
	}
	return btoi(held[peer] == 0 && taken < grantedPieces)
}

// growing tells whether pieces of a letter are yet to come that need a grant. Those
// of a kept letter do not.
func (x *inLetter) growing() bool { return !x.whole && !x.h.Keep }

// nextTurn tells the sender of the letter that has waited longest for a grant that it
// may go on, where others leave room.
func (l *Link) nextTurn() {
	held := l.held(nil, time.Now())
	if len(held) == 0 {
		return
	}
	var first *inLetter
	for _, x := range l.letters {
		if x.growing() && x.granted <= x.have && x.in.about == 0 &&
			(first == nil || x.moved.Before(first.moved)) && leftFor(x.in.key.peer, held) > 0 {
			first = x
		}
	}
	if first != nil {
		l.tell(first)
	}
}

// tell sends a note of a letter at once.
func (l *Link) tell(x *inLetter) {
	x.in.speak(x.h.seq, false)
	l.noteNow(x.in)
}

// patience is how long the next piece of a letter may be under way before it is asked
// for again: where many come at a time each takes long. It goes by what is usual for most
// peers, so that a few slow ones do not make all wait.
func (l *Link) patience(x *inLetter) time.Duration {
	if x.h.Keep { // it goes over a disk, piece after piece
		return 8 * l.pace.Resend
	}
	return max(2*l.pace.Resend, 6*max(l.between[x.in.key.peer], l.usual))
}

// arrived notes that a piece of a letter came.
func (l *Link) arrived(x *inLetter) {
	now, peer := time.Now(), x.in.key.peer
	l.between[peer] += (min(now.Sub(x.moved), l.pace.Slowest) - l.between[peer]) / 8
	if l.arrivals++; l.arrivals%16 == 0 {
		all := slices.Sorted(maps.Values(l.between))
		l.usual = all[len(all)/2]
	}
	x.moved = now
	l.seen[peer] = now
	if x.asm.have > x.have {
		x.have, x.grew = x.asm.have, now
	}
	x.whole = x.asm.whole()
}
