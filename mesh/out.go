package mesh

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	ws "wellspring"
)

// credit is how many pieces of a letter may be under way at most before the receiver
// says what has come: 4 MiB, which fills 10 Mbit/s at any delay, and 600 Mbit/s at 50 ms.
const credit = 8

// An outLane is a lane of which this node is the sender; Link.mu guards it.
type outLane struct {
	id   lane
	seq  uint64   // of the last letter sent
	prev [32]byte // its digest
	next uint64   // all before it are acknowledged
	last [32]byte // digest of the letter before next
	open []*outLetter
}

// An outLetter is one that its receiver has not acknowledged.
type outLetter struct {
	h        *header
	head     []byte // its first frame, or of a letter of one piece what stands before that
	body     []byte // the caller's; nil if the head holds it
	n        int    // pieces
	sent     time.Time
	born     time.Time
	wait     time.Duration // until it is sent again
	have     int           // pieces that the receiver has without a gap
	put      int           // next piece to send
	grant    int           // how many pieces beyond have may be under way
	again    []uint32      // pieces to send again
	headDue  bool
	leaving  bool // it is being handed to the carrier, or waits for that
	silent   bool // the peer has not answered in time: no piece goes before it does
	waits    bool // for room in the flight
	over     bool // it is not under way any more
	reported bool
}

// keptSlower is how much more rarely kept letters are sent again at last.
const keptSlower = 40

// Send signs a letter as the next of its lane and sends it. From, Prev and the
// place are set here. It returns once the letter is signed, with Keep saved,
// and has left once; it is then sent again until the receiver acknowledges it, for
// as long as the link lives or, with Keep, as the store does. So delivery is
// at least once; the receiving link drops what it knows. With [Window] letters under
// way Send waits. The body must not change until the letter is acknowledged.
func (l *Link) Send(ctx context.Context, m Letter) error {
	m.From = l.cfg.Self
	if err := m.check(); err != nil {
		return ws.At("mesh.Send", err)
	}
	if _, known := l.cfg.Peer(m.To); !known || m.To == m.From {
		return ws.Errorf(ws.Denied, "mesh.Send", ws.T("%s is no known peer", "%s 不是已知的对端", m.To))
	}
	id := lane{m.To, m.Run, l.start}
	if m.Keep {
		id.session = 0
	}
	list := pieceList(m.Body)
	o, err := l.place(ctx, id, m, list)
	if err != nil {
		return ws.At("mesh.Send", err)
	}
	_ = l.cfg.Carrier.Put(ctx, m.To, o.first(), m.Keep) // what is lost is sent again
	l.mu.Lock()
	defer l.mu.Unlock()
	o.left()
	if o.n > 1 {
		l.courierLocked(m.To, m.Keep).letter(o)
	}
	return nil
}

// place waits for room in the window, then gives the letter its number and signature.
func (l *Link) place(ctx context.Context, id lane, m Letter, list []byte) (*outLetter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := l.outs[id]
	for ; lane != nil && len(lane.open) >= Window && l.fault == nil; lane = l.outs[id] {
		bell := l.bell
		l.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil {
			return nil, stopped(ctx.Err())
		}
	}
	if l.fault != nil {
		return nil, l.fault
	}
	if lane == nil {
		lane = &outLane{id: id, next: 1}
	}
	h := &header{Letter: m, session: id.session, seq: lane.seq + 1, size: uint64(len(m.Body)), list: listDigest(list)}
	h.Prev, h.Body = lane.prev, nil
	encoded := h.encode()
	var err error
	if h.signature, h.digest, err = sign(l.cfg.Key, letterDomain, l.cfg.Chain, encoded); err != nil {
		return nil, err
	}
	o := l.newOutLetter(h, encodeHead(encoded, h.signature, list, nil), m.Body)
	o.leaving = true
	if m.Keep {
		if err := l.cfg.Store.Save(keptName(id, h.seq), o.record()); err != nil {
			return nil, err
		}
	}
	lane.seq, lane.prev = h.seq, h.digest
	lane.open = append(lane.open, o)
	l.outs[id] = lane
	return o, nil
}

func (l *Link) newOutLetter(h *header, head, body []byte) *outLetter {
	now := time.Now()
	return &outLetter{h: h, head: head, body: body, n: pieces(h.size), grant: l.pace.Ahead, sent: now, born: now}
}

// first is the letter's first frame. It is put together each time that it is sent:
// what goes to many has one body, which all their letters share until they are acknowledged.
func (o *outLetter) first() []byte {
	if o.n > 1 {
		return o.head
	}
	return append(slices.Clip(o.head), o.body...)
}

// record is what the store keeps of a letter: its first frame's length, that
// frame, the body if there are more.
func (o *outLetter) record() []byte {
	first := o.first()
	b := binary.AppendUvarint(make([]byte, 0, 8+len(first)+len(o.body)), uint64(len(first)))
	b = append(b, first...)
	if o.n > 1 {
		b = append(b, o.body...)
	}
	return b
}

func keptName(id lane, seq uint64) string { return fmt.Sprintf("kept.%s.%016x", laneName(id), seq) }

// restoreOuts reads the kept letters; each goes out again at the first tick.
func (l *Link) restoreOuts() error {
	names, err := l.cfg.Store.Names("out.")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := l.restoreOut(name); err != nil {
			return err
		}
	}
	if names, err = l.cfg.Store.Names("kept."); err != nil {
		return err
	}
	for _, name := range names {
		if err := l.restoreLetter(name); err != nil {
			return err
		}
	}
	return nil
}

// restoreOut reads where a lane stood when its receiver last acknowledged.
func (l *Link) restoreOut(name string) error {
	b, err := l.cfg.Store.Load(name)
	if err != nil || b == nil {
		return err
	}
	r := reader{b: b}
	o := &outLane{id: lane{peer: ws.SiteID(r.text(maxSite)), run: r.text(maxRun)}}
	o.next = r.number()
	copy(o.last[:], r.bytes(32))
	if r.bad || len(r.b) > 0 || o.next == 0 {
		return damaged(name)
	}
	o.seq, o.prev = o.next-1, o.last
	l.outs[o.id] = o
	return nil
}

func (l *Link) restoreLetter(name string) error {
	b, err := l.cfg.Store.Load(name)
	if err != nil || b == nil {
		return err
	}
	r := reader{b: b}
	first := r.bytes(int(min(r.number(), MaxFrame+1)))
	h, ok := decodeHead(first)
	if r.bad || !ok || h.From != l.cfg.Self || h.session != 0 {
		return damaged(name)
	}
	// Signed anew: the node may have another key than when it wrote the letter. Under
	// the same key these are the same bytes.
	if h.signature, h.digest, err = sign(l.cfg.Key, letterDomain, l.cfg.Chain, h.encoded); err != nil {
		return err
	}
	first = encodeHead(h.encoded, h.signature, h.list, h.body)
	id := lane{peer: h.To, run: h.Run}
	o := l.outs[id]
	if o == nil {
		o = &outLane{id: id, next: h.seq, last: h.Prev, seq: h.seq - 1, prev: h.Prev}
		l.outs[id] = o
	}
	if h.seq < o.next {
		return l.cfg.Store.Erase(name)
	}
	if h.seq != o.seq+1 || h.Prev != o.prev || !strings.HasPrefix(name, "kept."+laneName(id)) {
		return damaged(name)
	}
	o.seq, o.prev = h.seq, h.digest
	o.open = append(o.open, l.newOutLetter(h.header, first, r.b))
	o.open[len(o.open)-1].sent = time.Time{}
	return nil
}

func damaged(name string) error {
	return ws.Errorf(ws.Diverged, "mesh store", ws.T("record %s is damaged", "记录 %s 已损坏", name)).
		WithHint(ws.T("restore the node from its backup", "请从备份恢复该节点"))
}

// acknowledged takes a receiver's note: what it has need not be sent again,
// what it lacks must.
func (l *Link) acknowledged(n *note) {
	id := lane{n.From, n.run, n.session}
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.outs[id]
	if o == nil || n.next > o.seq+1 {
		return // of a former start of this node, or of none
	}
	if n.next > o.next {
		l.settle(o, n)
	}
	switch {
	case n.seq == 0:
	case n.seq < o.next:
		l.courierLocked(id.peer, false).note(noteKey{id, true})
	default:
		if i := int(n.seq - o.next); i < len(o.open) {
			l.wanted(o.open[i], n)
			l.courierLocked(id.peer, id.kept()).letter(o.open[i])
		}
	}
}

// settle drops the letters that the receiver has acknowledged.
func (l *Link) settle(o *outLane, n *note) {
	k := int(n.next - o.next)
	if n.last != o.open[k-1].h.digest {
		l.report(ws.Errorf(ws.Diverged, "mesh: peer "+string(n.From), ws.T("%s acknowledges another letter than was sent", "%s 确认的信件与发出的不同", n.From)))
		return
	}
	done := o.open[:k]
	l.learn(o.id.peer, time.Since(done[0].born))
	o.next, o.last = n.next, n.last
	for _, x := range done {
		l.gone(x)
	}
	o.open = slices.Clone(o.open[k:])
	if o.id.kept() {
		b := appendText(appendText(nil, string(o.id.peer)), o.id.run)
		b = append(binary.AppendUvarint(b, o.next), o.last[:]...)
		if err := l.cfg.Store.Save("out."+laneName(o.id), b); err != nil {
			l.report(err)
		} else {
			for _, x := range done {
				_ = l.cfg.Store.Erase(keptName(o.id, x.h.seq)) // one that stays is erased at the next start
			}
		}
	}
	l.ring()
}

// learn notes how long a peer took to acknowledge a letter.
func (l *Link) learn(peer ws.SiteID, took time.Duration) {
	l.took[peer] += (min(took, l.pace.Slowest) - l.took[peer]) / 8
}

// resend is how long a peer is given to acknowledge before a letter is sent again:
// where peer or node is busy it takes long, and letters that are sent again make it longer.
func (l *Link) resend(peer ws.SiteID) time.Duration {
	return min(max(l.pace.Resend, 2*l.took[peer]), l.pace.Slowest)
}

// wanted notes what the receiver has and lacks of a letter. A replayed note
// cannot make a node send a piece more than once in half a resend.
func (l *Link) wanted(o *outLetter, n *note) {
	before := o.flying()
	defer func() { l.landed(o, before) }()
	now := time.Now()
	fresh := now.Sub(o.sent) > l.pace.Resend/2
	o.silent = false
	if int(n.have) >= o.have {
		o.grant = min(int(n.grant), credit)
	}
	if int(n.have) > o.have && int(n.have) <= o.n {
		o.have = int(n.have)
		o.put = max(o.put, o.have)
		o.wait = 0
		fresh = true
	}
	if !fresh || len(n.lacks) == 0 {
		return
	}
	o.sent = now
	o.headDue = n.have == 0
	if int(n.have) < o.have { // its receiver has begun anew; or an old note, which the next one makes good
		o.have, o.put, o.grant = int(n.have), int(n.have), min(int(n.grant), credit)
	}
	for _, i := range n.lacks {
		if o.n > 1 && int(i) < o.put && int(i) < o.n && !slices.Contains(o.again, i) {
			o.again = append(o.again, i)
		}
	}
	if len(n.lacks) == o.grant { // more may be missing than could be asked for
		o.put = min(o.put, max(o.have, int(n.lacks[o.grant-1])+1))
	}
}

// nextFrame gives the next frame of a letter that may go now, nil if none.
func (l *Link) nextFrame(o *outLetter) []byte {
	switch {
	case o.over:
		return nil
	case o.headDue:
		o.headDue = false
		return o.first()
	case o.n == 1:
		return nil
	case len(o.again) > 0:
		i := int(o.again[0])
		o.again = o.again[1:]
		return encodeData(o.h.digest, i, pieceOf(o.body, i))
	case o.h.Keep && o.put < o.n, !o.silent && o.put < min(o.n, o.have+o.grant) && l.flight.room(o):
		before := o.flying()
		o.put++
		l.flight.pieces += o.flying() - before
		o.sent = time.Now()
		return encodeData(o.h.digest, o.put-1, pieceOf(o.body, o.put-1))
	}
	return nil
}

// resendAll makes everything that is under way, and what peers have yet to hear
// of it, due at once.
func (l *Link) resendAll() {
	now := time.Now()
	l.mu.Lock()
	for _, o := range l.outs {
		for _, x := range o.open {
			x.sent = time.Time{}
		}
	}
	for _, in := range l.ins {
		in.due, in.patient = now, 0
		if in.late() {
			in.speak(in.next, true)
		}
	}
	l.mu.Unlock()
	l.overdueOut(now)
	l.overdueIn(now)
}

// overdueOut sends again what was not acknowledged in time, and reports peers
// that have not answered for longer than the pace's patience.
func (l *Link) overdueOut(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, o := range l.outs {
		for _, x := range o.open {
			if x.leaving || now.Sub(x.sent) < max(x.wait, l.resend(id.peer)) {
				continue
			}
			slowest := l.pace.Slowest
			if x.h.Keep { // the broker has it too
				slowest *= keptSlower
			}
			x.wait = min(max(2*x.wait, l.resend(id.peer)), slowest)
			x.sent, x.headDue = now, true // of a long letter the receiver asks for the rest
			if !x.waits {                 // its peer has had nothing to answer
				l.hush(x)
			}
			l.counts.Resent++
			l.courierLocked(id.peer, id.kept()).letter(x)
		}
		if len(o.open) > 0 && !o.open[0].reported && now.Sub(o.open[0].born) > l.pace.Patience && now.Sub(l.seen[id.peer]) > l.pace.Patience {
			o.open[0].reported = true
			l.report(silent(id.peer))
		}
	}
}

// left notes that all that is due of a letter has gone to the carrier: now its receiver
// has to answer in time.
func (o *outLetter) left() { o.leaving, o.sent = false, time.Now() }

// hush takes what is on its way of a letter for lost, until its peer answers: the
// room is for the letters of others.
func (l *Link) hush(o *outLetter) {
	before := o.flying()
	o.silent = true
	l.landed(o, before)
}

func silent(peer ws.SiteID) error {
	return ws.Errorf(ws.Unreachable, "mesh: peer "+string(peer), ws.T("%s does not acknowledge; its letters are sent again until it does", "%s 未确认收信；将持续重发", peer)).
		WithHint(ws.T("ask whether its node runs and has a connection", "请确认该节点正在运行且网络连通"))
}
