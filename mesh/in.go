package mesh

import (
	"encoding/binary"
	"sync"
	"time"

	ws "wellspring"
)

// An inKey names what a node receives of one peer in one run.
type inKey struct {
	peer ws.SiteID
	run  string
	kept bool
}

// An inLane is a lane of which this node is the receiver; Link.mu guards it.
type inLane struct {
	key     inKey
	session uint64
	next    uint64               // the next letter to deliver
	last    [32]byte             // digest of the letter before it
	acked   uint64               // all before it are acknowledged
	ackLast [32]byte             // digest of the letter before acked; zero if not known
	letters map[uint64]*inLetter // from acked on
	gap     time.Time            // since when next is missing though later ones are known
	asked   time.Time            // when it was last asked for
	patient time.Duration        // how long to wait before it is asked for again
	about   uint64               // the letter that the next note speaks of, 0 for none
	ask     bool                 // the next note asks for what that letter lacks
	due     time.Time            // when a note is due; zero for none
	sure    bool                 // acked is what this process itself acknowledged
	broken  bool
	beyond  bool // a letter past the window came
	told    bool // the gap was reported
	dirty   bool // changed since it was saved
	untold  int  // acknowledgements since the last note
	saving  sync.Mutex
}

// An inLetter is under way, or delivered and not acknowledged.
type inLetter struct {
	h         *header
	asm       *assembly
	in        *inLane
	done      []func() // of the frames of a kept letter
	whole     bool     // all its pieces are there
	delivered bool
	acked     bool
	moved     time.Time // when its last new piece came
	grew      time.Time // when have last rose
	have      int       // pieces without a gap, from the first
	granted   int       // its sender may send the pieces before this one
}

// early is a piece that came before its letter.
type early struct {
	datum
	done func()
}

// maxEarly bounds the pieces that wait for their letter: 8 MiB a link.
const maxEarly = 16

func (in *inLane) name() string {
	return "in." + laneName(lane{in.key.peer, in.key.run, uint64(btoi(!in.key.kept))})
}

func (in *inLane) id() lane { return lane{in.key.peer, in.key.run, in.session} }

// saveIn makes durable what was acknowledged of a lane.
func (l *Link) saveIn(in *inLane) error {
	in.saving.Lock() // the newer state is saved after the older
	defer in.saving.Unlock()
	l.mu.Lock()
	if !in.dirty {
		l.mu.Unlock()
		return nil
	}
	in.dirty = false
	b := appendText(appendText(nil, string(in.key.peer)), in.key.run)
	b = binary.AppendUvarint(append(b, byte(btoi(in.key.kept))), in.session)
	b = append(binary.AppendUvarint(b, in.acked), in.ackLast[:]...)
	l.mu.Unlock()
	return l.cfg.Store.Save(in.name(), b)
}

// restoreIns reads what the former process acknowledged.
func (l *Link) restoreIns() error {
	names, err := l.cfg.Store.Names("in.")
	if err != nil {
		return err
	}
	for _, name := range names {
		b, err := l.cfg.Store.Load(name)
		if err != nil {
			return err
		}
		r := reader{b: b}
		in := &inLane{letters: map[uint64]*inLetter{}}
		in.key.peer, in.key.run = ws.SiteID(r.text(maxSite)), r.text(maxRun)
		if f := r.bytes(1); len(f) == 1 {
			in.key.kept = f[0] == 1
		}
		in.session, in.acked = r.number(), r.number()
		copy(in.ackLast[:], r.bytes(32))
		if r.bad || len(r.b) > 0 || in.acked == 0 {
			return damaged(name)
		}
		in.next, in.last = in.acked, in.ackLast
		l.ins[in.key] = in
	}
	return nil
}

// takeHead verifies a letter's first frame and gives the letter its place.
func (l *Link) takeHead(b []byte, done func()) {
	h, ok := decodeHead(b)
	if !ok {
		l.count(func(c *Counts) { c.Malformed++ })
		done()
		return
	}
	key, known := l.cfg.Peer(h.From)
	if !known || h.To != l.cfg.Self {
		l.count(func(c *Counts) { c.Stray++ })
		done()
		return
	}
	if h.digest, ok = verify(key, letterDomain, l.cfg.Chain, h.encoded, h.signature); !ok {
		l.count(func(c *Counts) { c.Forged++ })
		done()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[h.From] = time.Now()
	if !l.admit(h, done) {
		done()
	}
}

// admit places a verified letter in its lane; false if its frame is of no use.
func (l *Link) admit(h *head, done func()) bool {
	in := l.lane(h.header)
	if in == nil || in.broken {
		l.counts.Repeated++
		return false
	}
	if limit := l.cfg.Limit(h.Label); limit <= 0 || h.size > uint64(limit) {
		l.counts.Stray++
		l.breakLane(in, ws.T("%s sent a letter that is too long, or of a kind unknown here", "%s 发来的信件过长，或类别未知", h.From))
		return false
	}
	if h.seq < in.acked {
		l.counts.Repeated++
		in.owe(time.Now()) // its acknowledgement was lost
		return false
	}
	if h.seq >= in.acked+Window {
		l.counts.Late++
		in.beyond = true
		return false
	}
	if x := in.letters[h.seq]; x != nil {
		l.again(in, x, h)
		return x.h.digest == h.digest && h.Keep && l.hold(x, done)
	}
	if pieces(h.size) > 1 && !l.room(in, h) {
		l.counts.Late++
		return false
	}
	asm, err := newAssembly(h, l.cfg.Spill)
	if err != nil {
		l.report(storeTrouble(err))
		return false
	}
	x := &inLetter{h: h.header, asm: asm, in: in, whole: asm.whole(), granted: l.pace.Ahead, moved: time.Now(), grew: time.Now()}
	in.letters[h.seq] = x
	l.letters[h.digest] = x
	if h.Keep {
		x.done = append(x.done, done)
	} else {
		done()
	}
	l.takeEarly(h.digest)
	l.advance(in)
	return true
}

// hold keeps the carrier's copy of a frame of a kept letter until the letter is
// acknowledged, so that it comes again after a crash.
func (l *Link) hold(x *inLetter, done func()) bool {
	if len(x.done) >= 4*len(x.asm.got)+4 {
		return false
	}
	x.done = append(x.done, done)
	return true
}

// again handles another first frame for a place that is taken.
func (l *Link) again(in *inLane, x *inLetter, h *head) {
	if x.h.digest != h.digest {
		l.breakLane(in, ws.T("%s signed two letters for one place", "%s 为同一位置签署了两封信件", h.From))
		return
	}
	l.counts.Repeated++
	if len(x.asm.got) > 1 && !x.delivered {
		in.speak(h.seq, !x.whole && time.Since(x.moved) > l.patience(x))
	}
}

// lane finds or makes the lane of a letter; nil if the letter is of a former
// start of its sender, or there are too many lanes.
func (l *Link) lane(h *header) *inLane {
	key := inKey{h.From, h.Run, h.Keep}
	in := l.ins[key]
	switch {
	case in == nil:
		n := 0
		for k := range l.ins {
			n += btoi(k.peer == h.From)
		}
		if n >= maxLanes {
			return nil
		}
	case h.session < in.session:
		return nil
	case h.session == in.session:
		return in
	default:
		l.dropLetters(in)
	}
	in = &inLane{key: key, session: h.session, next: 1, acked: 1, letters: map[uint64]*inLetter{}}
	l.ins[key] = in
	return in
}

// dropLetters frees what is under way in a lane, save what was delivered.
func (l *Link) dropLetters(in *inLane) {
	for seq, x := range in.letters {
		delete(l.letters, x.h.digest)
		if !x.delivered {
			x.asm.drop()
		}
		delete(in.letters, seq)
	}
}

// room tells whether a long letter may be put together now. The next of a
// lane has more room than later ones, which could otherwise keep it out for good.
func (l *Link) room(in *inLane, h *head) bool {
	n := 0
	for _, x := range l.letters {
		n += btoi(x.in.key.peer == h.From && len(x.asm.got) > 1)
	}
	if h.seq == in.next {
		return n < 4*openLetters
	}
	return n < openLetters
}

// breakLane closes a lane of a peer that contradicts itself, and says so once.
func (l *Link) breakLane(in *inLane, why ws.Text) {
	if in.broken {
		return
	}
	in.broken = true
	l.dropLetters(in)
	l.report(ws.Errorf(ws.Diverged, "mesh: peer "+string(in.key.peer), why).
		WithHint(ws.T("its node's key may be in two places; ask its steward, and end the run", "其节点密钥可能在两处使用；请联系其管理员并结束该计算")))
}

// advance delivers what is next and whole.
func (l *Link) advance(in *inLane) {
	for !in.broken {
		x := in.letters[in.next]
		if x == nil || !x.whole {
			break
		}
		if x.h.Prev != in.last {
			l.breakLane(in, ws.T("a letter of %s does not follow the one before it", "%s 的信件与其前一封不衔接", in.key.peer))
			return
		}
		in.next++
		in.last = x.h.digest
		in.gap, in.told, in.beyond, in.patient = time.Time{}, false, false, 0
		x.delivered = true
		d := &Delivery{Letter: x.h.Letter, Size: int64(x.h.size), asm: x.asm, link: l, in: in, seq: x.h.seq}
		if x.asm.file == nil {
			d.Body = x.asm.mem
		}
		l.counts.Letters++
		l.ready = append(l.ready, d)
		l.ring()
	}
}

// takeData gives a piece to its letter, or lets it wait for that.
func (l *Link) takeData(d datum, done func()) {
	l.mu.Lock()
	x := l.letters[d.digest]
	if x == nil {
		if len(l.early) >= maxEarly {
			l.early[0].done()
			l.early = l.early[1:]
			l.counts.Late++
		}
		l.early = append(l.early, early{d, done})
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	fresh, ok, err := x.asm.add(d)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.added(x, done, fresh, ok, err)
}

// takeEarly gives a new letter the pieces that came before it.
func (l *Link) takeEarly(digest [32]byte) {
	var rest []early
	for _, e := range l.early {
		if e.digest != digest {
			rest = append(rest, e)
			continue
		}
		x := l.letters[digest]
		fresh, ok, err := x.asm.add(e.datum)
		l.added(x, e.done, fresh, ok, err)
	}
	l.early = rest
}

// added accounts for a piece; the caller holds mu.
func (l *Link) added(x *inLetter, done func(), fresh, ok bool, err error) {
	if !(x.h.Keep && ok && err == nil && !x.acked && l.hold(x, done)) {
		done()
	}
	switch {
	case err != nil:
		if !x.acked {
			l.report(storeTrouble(err))
		}
		return
	case !ok:
		l.counts.Forged++
		return
	case !fresh:
		l.counts.Repeated++
		return
	}
	l.arrived(x)
	if x.granted-x.have <= credit/2 || x.whole {
		l.tell(x)
	}
	l.nextTurn()
	if x.whole {
		l.advance(x.in)
	}
}

// takeNote verifies a note and acts on it.
func (l *Link) takeNote(b []byte) {
	n, encoded, sig, ok := decodeNoteFrame(b)
	if !ok {
		l.count(func(c *Counts) { c.Malformed++ })
		return
	}
	key, known := l.cfg.Peer(n.From)
	if !known || n.To != l.cfg.Self {
		l.count(func(c *Counts) { c.Stray++ })
		return
	}
	if _, ok := verify(key, noteDomain, l.cfg.Chain, encoded, sig); !ok {
		l.count(func(c *Counts) { c.Forged++ })
		return
	}
	l.mu.Lock()
	l.seen[n.From] = time.Now()
	l.mu.Unlock()
	if n.base {
		l.rebase(n)
		return
	}
	l.acknowledged(n)
}

// rebase takes a sender's word for where its lane begins: for a node that
// has lost its memory of what it acknowledged.
func (l *Link) rebase(n *note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	in := l.ins[inKey{n.From, n.run, n.session == 0}]
	if in == nil || in.session != n.session || in.broken || n.next <= in.acked {
		return
	}
	if in.sure || n.next < in.next {
		l.breakLane(in, ws.T("%s passes over letters that were not acknowledged", "%s 跳过了尚未确认的信件", n.From))
		return
	}
	for seq, x := range in.letters {
		if seq < n.next {
			delete(l.letters, x.h.digest)
			delete(in.letters, seq)
			x.asm.drop()
		}
	}
	in.next, in.acked, in.last, in.ackLast = n.next, n.next, n.last, n.last
	in.gap, in.dirty, in.sure = time.Time{}, true, true
	l.advance(in)
}
