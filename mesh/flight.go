package mesh

import "time"

// maxFlight bounds the pieces of long letters that are on their way to all peers
// together, 180 MiB: a broker in this process holds them until their receivers have
// read them. It binds where more than [maxFlight]/[credit] peers are sent long letters at a time
// and take as much as they can.
const maxFlight = 384

// A flight counts the pieces that are on their way, and keeps the letters that wait
// until there is room. Link.mu guards it.
type flight struct {
	pieces  int
	waiting []*outLetter
}

// room tells whether one more piece of a letter may go; if not, the letter waits.
func (f *flight) room(o *outLetter) bool {
	if f.pieces < maxFlight {
		return true
	}
	if !o.waits {
		o.waits = true
		f.waiting = append(f.waiting, o)
	}
	return false
}

// flying is how many pieces of a letter count as on their way. Those of a kept
// letter go one by one, and a peer that is silent has lost what was sent.
func (o *outLetter) flying() int {
	if o.n == 1 || o.h.Keep || o.silent {
		return 0
	}
	return o.put - o.have
}

// landed accounts for a letter of which before pieces were on their way, and sends on
// what waited for them.
func (l *Link) landed(o *outLetter, before int) {
	l.flight.pieces += o.flying() - before
	l.takeOff()
}

// gone is landed of a letter that is no more under way.
func (l *Link) gone(o *outLetter) {
	l.flight.pieces -= o.flying()
	o.over = true
	l.takeOff()
}

// takeOff sends as many waiting letters on as there is room for pieces.
func (l *Link) takeOff() {
	for room := maxFlight - l.flight.pieces; room > 0 && len(l.flight.waiting) > 0; {
		o := l.flight.waiting[0]
		l.flight.waiting[0] = nil
		l.flight.waiting = l.flight.waiting[1:]
		o.waits, o.sent = false, time.Now()
		if !o.over {
			l.courierLocked(o.h.To, false).letter(o)
			room--
		}
	}
}
