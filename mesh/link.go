package mesh

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	ws "wellspring"
)

// Config is all that a link is made of.
type Config struct {
	// Chain is the name of the network's chain; letters of another are refused.
	Chain string
	// Self is this node.
	Self ws.SiteID
	// Key signs with Ed25519. Whoever holds it speaks for the node.
	Key crypto.Signer
	// Peer gives the pinned key of a node, false for a stranger. It may be
	// called concurrently and must be quick.
	Peer func(ws.SiteID) (ed25519.PublicKey, bool)
	// Limit gives the longest body in bytes of letters of a label that come
	// in; 0 refuses the label. It must be quick.
	Limit func(label string) int64
	// Carrier moves frames. The link closes it.
	Carrier Carrier
	// Store is the link's memory over a restart; nil is a new [Memory].
	Store Store
	// Spill is a folder for long bodies, of this link alone; "" keeps them in
	// memory. What a former process left there is removed.
	Spill string
}

// Window is how many letters of a lane may be under way: sent and not acknowledged.
const Window = 64

// openLetters bounds the letters of one peer, longer than a frame, that are
// being put together or wait for the application; those that are the next of
// their lane may be four times as many.
const openLetters = 4

// maxLanes bounds the lanes that a peer may open to a node.
const maxLanes = 512

// A Link is one node's end of the mesh. Its methods may be called concurrently.
type Link struct {
	cfg   Config
	pace  Pace
	start uint64 // session of this process's lanes

	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	bell     chan struct{} // closed and replaced when something changed
	outs     map[lane]*outLane
	ins      map[inKey]*inLane
	letters  map[[32]byte]*inLetter // under way, by digest
	early    []early
	couriers map[courierKey]*courier
	flight   flight
	over     map[string]time.Time // runs that have ended, and when they are forgotten
	ready    []*Delivery
	troubles []error
	seen     map[ws.SiteID]time.Time
	took     map[ws.SiteID]time.Duration // until a peer acknowledged a letter, smoothed
	between  map[ws.SiteID]time.Duration // two pieces of a letter of a peer, smoothed
	usual    time.Duration               // the median of between
	arrivals int                         // of pieces
	counts   Counts
	fault    error
}

// Counts says what came in, for metrics. What is dropped is a sender's or a
// carrier's fault, and harmless.
type Counts struct {
	Frames    uint64 // that came
	Letters   uint64 // delivered
	Resent    uint64 // letters sent again
	Malformed uint64 // dropped: not a frame
	Stray     uint64 // dropped: not for this node, from a stranger, an unknown label, too long
	Forged    uint64 // dropped: signature or hash does not fit
	Repeated  uint64 // dropped: known already
	Late      uint64 // dropped: a piece without its letter, a letter ahead of its window
}

// Open begins a link: letters that the store kept go out again.
func Open(cfg Config) (*Link, error) {
	if cfg.Chain == "" || len(cfg.Chain) > maxChain || cfg.Self.Validate() != nil || cfg.Key == nil || cfg.Peer == nil || cfg.Limit == nil || cfg.Carrier == nil {
		return nil, ws.Errorf(ws.Invalid, "mesh.Open", ws.T("the link's configuration lacks a part", "链路配置缺少某部分"))
	}
	if cfg.Store == nil {
		cfg.Store = NewMemory()
	}
	l := &Link{cfg: cfg, pace: cfg.Carrier.Pace().filled(), bell: make(chan struct{}), outs: map[lane]*outLane{}, ins: map[inKey]*inLane{},
		letters: map[[32]byte]*inLetter{}, couriers: map[courierKey]*courier{}, seen: map[ws.SiteID]time.Time{}, took: map[ws.SiteID]time.Duration{}, between: map[ws.SiteID]time.Duration{}, over: map[string]time.Time{}}
	if err := l.restore(); err != nil {
		return nil, ws.At("mesh.Open", err)
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.wg.Add(2)
	go l.intake()
	go l.watch()
	return l, nil
}

// restore counts the start and reads what the former process left.
func (l *Link) restore() error {
	b, err := l.cfg.Store.Load("starts")
	if err != nil {
		return err
	}
	// The clock keeps sessions rising where the store was lost; the count, where the clock went back.
	l.start = uint64(time.Now().UnixMicro())
	if len(b) == 8 {
		l.start = max(l.start, binary.BigEndian.Uint64(b)+1)
	}
	if err := l.cfg.Store.Save("starts", binary.BigEndian.AppendUint64(nil, l.start)); err != nil {
		return err
	}
	if err := errors.Join(l.restoreIns(), l.restoreOuts()); err != nil {
		return err
	}
	if l.cfg.Spill == "" {
		return nil
	}
	if err := os.MkdirAll(l.cfg.Spill, 0o700); err != nil {
		return storeTrouble(err)
	}
	old, _ := filepath.Glob(filepath.Join(l.cfg.Spill, "letter-*"))
	for _, f := range old {
		_ = os.Remove(f)
	}
	return nil
}

// Receive waits for the next letter. Letters of a lane come in order; the
// next may be received before the former is acknowledged. An error of kind
// Diverged or Unreachable names a peer whose letters are in disorder or do not
// come; it is reported once, and Receive may be called again. After Close, or
// when the carrier has ended, the error is of kind Stopped.
func (l *Link) Receive(ctx context.Context) (*Delivery, error) {
	for {
		l.mu.Lock()
		bell := l.bell
		switch {
		case len(l.troubles) > 0:
			err := l.troubles[0]
			l.troubles = l.troubles[1:]
			l.mu.Unlock()
			return nil, err
		case len(l.ready) > 0:
			d := l.ready[0]
			l.ready[0] = nil
			l.ready = l.ready[1:]
			l.mu.Unlock()
			return d, nil
		case l.fault != nil:
			defer l.mu.Unlock()
			return nil, l.fault
		}
		l.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
			return nil, stopped(ctx.Err())
		}
	}
}

// Each gives take every letter that comes, and report every error that ends
// nothing, until ctx is done, which is no error, or the link is closed.
func (l *Link) Each(ctx context.Context, take func(*Delivery), report func(error)) error {
	for {
		d, err := l.Receive(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && l.ended() == err:
			return err
		case err != nil:
			report(err)
		default:
			take(d)
		}
	}
}

// Flush waits until all that was sent is acknowledged by its receivers.
func (l *Link) Flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		bell, fault, n := l.bell, l.fault, 0
		for _, o := range l.outs {
			n += len(o.open)
		}
		l.mu.Unlock()
		if n == 0 || fault != nil {
			return fault
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return stopped(ctx.Err())
		}
	}
}

// Seen tells when a frame of a peer last came that the peer had signed; zero for never.
func (l *Link) Seen(peer ws.SiteID) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[peer]
}

// Backlog tells of every peer how many letters to it are not acknowledged; of
// those to whom none is, nothing.
func (l *Link) Backlog() map[ws.SiteID]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	by := map[ws.SiteID]int{}
	for id, o := range l.outs {
		if len(o.open) > 0 {
			by[id.peer] += len(o.open)
		}
	}
	return by
}

// Counts returns what has come so far.
func (l *Link) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// Close ends the link and its carrier. Letters not yet acknowledged are kept
// in the store where they were sent with Keep.
func (l *Link) Close() error {
	l.end(stopped(nil))
	l.stop()
	err := l.cfg.Carrier.Close()
	l.wg.Wait()
	l.mu.Lock()
	ins := l.ins
	for _, x := range l.letters {
		x.asm.drop()
	}
	l.mu.Unlock()
	for _, in := range ins {
		err = errors.Join(err, l.saveIn(in))
	}
	return err
}

// end makes every waiting call return.
func (l *Link) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault == nil {
		l.fault = err
	}
	l.ring()
}

// ended is why the link has ended; nil while it has not.
func (l *Link) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// ring wakes whoever waits; the caller holds mu.
func (l *Link) ring() {
	close(l.bell)
	l.bell = make(chan struct{})
}

// maxTroubles bounds the reports that wait for Receive.
const maxTroubles = 1024

func (l *Link) report(err error) {
	if len(l.troubles) < maxTroubles {
		l.troubles = append(l.troubles, err)
	}
	l.ring()
}

func stopped(cause error) error {
	return ws.Errorf(ws.Stopped, "mesh", ws.T("the link is closed, or the call was ended", "链路已关闭或调用已终止")).Wrap(cause)
}

// watch looks every tick for what is overdue.
func (l *Link) watch() {
	defer l.wg.Done()
	t := time.NewTicker(l.pace.Tick)
	defer t.Stop()
	var renewed <-chan struct{} // nil where the carrier does not tell
	if r, ok := l.cfg.Carrier.(Renewer); ok {
		renewed = r.Renewed()
	}
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-renewed:
			l.resendAll()
		case now := <-t.C:
			l.overdueOut(now)
			l.overdueIn(now)
			l.forgetOver(now)
		}
	}
}

// intake takes frames from the carrier, one after the other.
func (l *Link) intake() {
	defer l.wg.Done()
	for {
		p, err := l.cfg.Carrier.Take(l.ctx)
		if err != nil {
			var told *ws.Error
			if !errors.As(err, &told) { // a carrier that ended says why
				err = stopped(err)
			}
			l.end(err)
			return
		}
		done := p.Done
		if done == nil {
			done = func() {}
		}
		l.frame(p.Frame, done)
	}
}

func (l *Link) frame(b []byte, done func()) {
	l.count(func(c *Counts) { c.Frames++ })
	kind := byte(0)
	if len(b) > 0 && len(b) <= MaxFrame {
		kind = b[0]
	}
	switch kind {
	case headFrame:
		l.takeHead(b, done)
		return
	case dataFrame:
		if d, ok := decodeData(b); ok {
			l.takeData(d, done)
			return
		}
	case noteFrame:
		l.takeNote(b)
		done()
		return
	}
	l.count(func(c *Counts) { c.Malformed++ })
	done()
}

func (l *Link) count(f func(*Counts)) {
	l.mu.Lock()
	f(&l.counts)
	l.mu.Unlock()
}
