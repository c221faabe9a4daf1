package mesh

import (
	ws "wellspring"
)

// A courier puts out what is due to one peer, so that neither the intake nor
// another peer waits for a slow wire. Kept letters have one of their own: they wait
// for a disk, and go one after the other, since an inbox holds each whole. Link.mu guards it.
type courier struct {
	link    *Link
	peer    ws.SiteID
	kept    bool
	running bool
	notes   []noteKey
	letters []*outLetter
}

// A noteKey names a lane that a note is due for: as its sender (base) or its receiver.
type noteKey struct {
	id   lane
	base bool
}

// courierLocked returns a courier, made at its first use; the caller holds mu.
func (l *Link) courierLocked(peer ws.SiteID, kept bool) *courier {
	k := courierKey{peer, kept}
	c := l.couriers[k]
	if c == nil {
		c = &courier{link: l, peer: peer, kept: kept}
		l.couriers[k] = c
	}
	return c
}

type courierKey struct {
	peer ws.SiteID
	kept bool
}

func (c *courier) letter(o *outLetter) {
	for _, x := range c.letters {
		if x == o {
			return
		}
	}
	o.leaving = true
	c.letters = append(c.letters, o)
	c.start()
}

func (c *courier) note(k noteKey) {
	for _, x := range c.notes {
		if x == k {
			return
		}
	}
	c.notes = append(c.notes, k)
	c.start()
}

// start runs the courier until nothing is due; the caller holds mu.
func (c *courier) start() {
	if c.running || c.link.fault != nil {
		return
	}
	c.running = true
	c.link.wg.Add(1)
	go c.run()
}

func (c *courier) run() {
	defer c.link.wg.Done()
	for {
		frame, keep := c.next()
		if frame == nil {
			return
		}
		_ = c.link.cfg.Carrier.Put(c.link.ctx, c.peer, frame, keep) // what is lost is sent again
	}
}

// next gives the next frame that is due; nil ends the courier.
func (c *courier) next() (frame []byte, keep bool) {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.fault == nil {
		if len(c.notes) > 0 {
			k := c.notes[0]
			c.notes = c.notes[1:]
			if f := l.noteOf(k); f != nil {
				return f, false
			}
			continue
		}
		if len(c.letters) == 0 {
			break
		}
		o := c.letters[0]
		if f := l.nextFrame(o); f != nil {
			if len(c.letters) > 1 && !c.kept { // letters take turns
				c.letters = append(c.letters[1:], o)
			}
			return f, o.h.Keep
		}
		c.letters = c.letters[1:]
		o.left()
	}
	c.running = false
	return nil, false
}

// noteOf signs what there is to say of a lane.
func (l *Link) noteOf(k noteKey) []byte {
	n := &note{From: l.cfg.Self, To: k.id.peer, run: k.id.run, session: k.id.session, base: k.base}
	if k.base {
		o := l.outs[k.id]
		if o == nil {
			return nil
		}
		n.next, n.last = o.next, o.last
	} else if !l.stateOf(k.id, n) {
		return nil
	}
	encoded := n.encode()
	sig, _, err := sign(l.cfg.Key, noteDomain, l.cfg.Chain, encoded)
	if err != nil {
		l.report(err)
		return nil
	}
	return encodeNoteFrame(encoded, sig)
}
