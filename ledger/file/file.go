package file

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"sync"

	ws "wellspring"
	"wellspring/ledger"
)

// keepStates is of how many heights the states are kept for proofs. Older ones
// are replayed.
const keepStates = 256

// keepBlocks is how many of the newest blocks are kept as they were submitted, for
// all who follow: to read one from the disk decodes and checks it anew.
const keepBlocks = 256

// A Ledger is the ledger of one node. It implements [ledger.Ledger]; [Open]
// makes it.
type Ledger struct {
	mu     sync.Mutex
	disk   disk
	state  ledger.State
	recent []ledger.State // the newest states, this one last
	newest [keepBlocks]ledger.Block
	heads  []int64 // where each block begins, and the end of the last
	known  map[ledger.Hash]ledger.Height
	hash   ledger.Hash   // of the last record
	grown  chan struct{} // closed when a block comes, or the ledger ends
	ended  error         // why nothing more can be submitted
	closed bool
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open brings up the ledger in a folder, which it makes if there is none, and
// holds the folder until Close.
func Open(dir string) (*Ledger, error) {
	d, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	l, err := open(d)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return l, nil
}

func open(d disk) (*Ledger, error) {
	l := &Ledger{disk: d, known: map[ledger.Hash]ledger.Height{}, grown: make(chan struct{})}
	size, err := d.log().Size()
	if err != nil {
		return nil, trouble(err)
	}
	acknowledged, err := readNote(d.note())
	if err != nil {
		return nil, err
	}
	r := &reader{in: d.log(), size: size, ours: true}
	if err := l.replay(r, acknowledged); err != nil {
		return nil, err
	}
	if err := l.mend(r, acknowledged); err != nil {
		return nil, err
	}
	l.state, l.hash = r.state, r.hash
	return l, nil
}

// replay reads all that is whole.
func (l *Ledger) replay(r *reader, acknowledged note) error {
	l.heads = []int64{int64(len(header))}
	l.remember(r.state)
	err := r.replay(func(b ledger.Block, s ledger.State) error {
		if b.Height == acknowledged.height && r.hash != acknowledged.hash {
			return ws.Errorf(ws.Diverged, "ledger file", ws.T("block %d is not the one that was acknowledged", "区块 %d 不是当时确认的区块", b.Height))
		}
		l.heads = append(l.heads, r.end)
		l.known[b.Txs[0].Digest()] = b.Height
		l.remember(s)
		return nil
	})
	if err == nil && r.state.Height() < acknowledged.height {
		err = damaged(r.state.Height() + 1)
	}
	return err
}

// mend cuts a torn end and makes sure that what was read is on the disk: after
// the crash of a process it may be in memory only.
func (l *Ledger) mend(r *reader, acknowledged note) error {
	log := l.disk.log()
	if r.end == 0 { // nothing yet, or torn when it was made
		if _, err := log.WriteAt([]byte(header), 0); err != nil {
			return trouble(err)
		}
		r.end, r.hash = int64(len(header)), origin
	}
	if r.end < r.size {
		torn, err := r.torn()
		if err != nil {
			return err
		}
		if !torn {
			return damaged(r.state.Height() + 1)
		}
	}
	if err := log.Truncate(r.end); err != nil {
		return trouble(err)
	}
	if err := log.Sync(); err != nil {
		return trouble(err)
	}
	if r.state.Height() > acknowledged.height {
		return writeNote(l.disk.note(), note{r.state.Height(), r.hash})
	}
	return nil
}

func (l *Ledger) remember(s ledger.State) {
	l.recent = append(l.recent, s)
	if len(l.recent) >= 2*keepStates {
		l.recent = append([]ledger.State(nil), l.recent[len(l.recent)-keepStates:]...)
	}
}

// Submit makes tx final and durable; see [ledger.Ledger]. Each is a block.
func (l *Ledger) Submit(ctx context.Context, tx ledger.Tx) (ledger.Receipt, error) {
	if ctx.Err() != nil {
		return ledger.Receipt{}, ws.Errorf(ws.Stopped, "ledger", ws.T("stopped", "已停止"))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil {
		return ledger.Receipt{}, l.ended
	}
	if h, known := l.known[tx.Digest()]; known {
		if err := l.state.CheckSignature(tx); err != nil {
			return ledger.Receipt{}, err
		}
		return ledger.Receipt{Digest: tx.Digest(), Height: h}, nil
	}
	next, _, err := ledger.Apply(l.state, tx)
	if err != nil {
		return ledger.Receipt{}, err
	}
	next = next.AtHeight(l.state.Height() + 1)
	rec := record{height: next.Height(), prev: l.hash, root: next.Root(), tx: tx.Bytes()}
	b, hash := rec.bytes()
	if err := l.append(b); err != nil {
		return ledger.Receipt{}, err
	}
	l.state, l.hash = next, hash
	l.heads = append(l.heads, l.tail()+rec.size())
	l.known[tx.Digest()] = next.Height()
	l.remember(next)
	// A note that is late, or lost with the power, only tells less.
	if err := writeNote(l.disk.note(), note{next.Height(), hash}); err != nil {
		l.fail(err)
	}
	l.newest[next.Height()%keepBlocks] = ledger.Block{Height: next.Height(), Txs: []ledger.Tx{tx}, Root: next.Root()}
	close(l.grown)
	l.grown = make(chan struct{})
	return ledger.Receipt{Digest: tx.Digest(), Height: next.Height()}, nil
}

func (l *Ledger) tail() int64 { return l.heads[len(l.heads)-1] }

// append puts a record on the disk. One that was not written whole is cut off
// again. After a failed sync, or a cut that failed, nobody knows what the disk
// holds: the ledger ends, and what to make of the record is told when it is
// opened again.
func (l *Ledger) append(b []byte) error {
	log := l.disk.log()
	_, err := log.WriteAt(b, l.tail())
	if err != nil {
		cut := log.Truncate(l.tail())
		if cut == nil {
			cut = log.Sync()
		}
		if cut != nil {
			return l.fail(errors.Join(err, cut))
		}
		return trouble(err)
	}
	if err := log.Sync(); err != nil {
		return l.fail(err)
	}
	return nil
}

// fail ends the ledger until it is opened anew.
func (l *Ledger) fail(err error) error {
	l.ended = ws.Errorf(ws.Unreachable, "ledger file", ws.T("the ledger's disk failed; whether the last transaction is final is not known", "账本所在磁盘发生故障；最后一笔交易是否生效尚不可知")).
		WithHint(ws.T("see to the disk, open the ledger again, and submit again", "请检查磁盘，重新打开账本并再次提交")).Wrap(err)
	return l.ended
}

// State is the newest state.
func (l *Ledger) State() ledger.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Watch yields blocks; see [ledger.Ledger].
func (l *Ledger) Watch(ctx context.Context, after ledger.Height) iter.Seq2[ledger.Block, error] {
	return func(yield func(ledger.Block, error) bool) {
		for at := after; ; {
			if ctx.Err() != nil {
				return
			}
			b, from, to, grown, err := l.place(at + 1)
			if err != nil {
				yield(ledger.Block{}, err)
				return
			}
			if to == 0 {
				select {
				case <-grown:
				case <-ctx.Done():
				}
				continue
			}
			if b.Txs == nil {
				b, err = l.block(from, to)
			}
			if !yield(b, err) || err != nil {
				return
			}
			at++
		}
	}
}

// place gives a block that is one of the newest, or tells where it lies; to is 0
// where it is yet to come, after grown.
func (l *Ledger) place(h ledger.Height) (b ledger.Block, from, to int64, grown <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return b, 0, 0, nil, ws.Errorf(ws.Stopped, "ledger", ws.T("the ledger was closed", "账本已关闭"))
	}
	if h >= ledger.Height(len(l.heads)) {
		return b, 0, 0, l.grown, nil
	}
	if n := l.newest[h%keepBlocks]; n.Height == h {
		b = n
	}
	return b, l.heads[h-1], l.heads[h], nil, nil
}

// block reads a block that was checked when it was written or replayed.
func (l *Ledger) block(from, to int64) (ledger.Block, error) {
	b := make([]byte, to-from)
	if _, err := l.disk.log().ReadAt(b, from); err != nil && err != io.EOF {
		return ledger.Block{}, trouble(err)
	}
	rec, _, ok := parse(b)
	if !ok {
		return ledger.Block{}, ws.Errorf(ws.Diverged, "ledger file", ws.T("a block was damaged on the disk", "磁盘上的一个区块已损坏"))
	}
	tx, err := ledger.DecodeTx(rec.tx)
	return ledger.Block{Height: rec.height, Txs: []ledger.Tx{tx}, Root: rec.root}, err
}

// Prove makes proofs at once for recent heights, and by replaying for others.
func (l *Ledger) Prove(k ledger.Key, at ledger.Height) (ledger.Proof, error) {
	l.mu.Lock()
	first, now, size := l.recent[0].Height(), l.state.Height(), l.tail()
	var s ledger.State
	if at >= first && at <= now {
		s = l.recent[at-first]
	}
	l.mu.Unlock()
	if at > now {
		return ledger.Proof{}, ws.Errorf(ws.Invalid, "ledger", ws.T("block %d is yet to come", "区块 %d 尚未产生", at))
	}
	if at < first {
		var err error
		if s, err = l.stateAt(at, size); err != nil {
			return ledger.Proof{}, err
		}
	}
	return s.Prove(k), nil
}

var errFound = errors.New("found")

func (l *Ledger) stateAt(h ledger.Height, size int64) (ledger.State, error) {
	var found ledger.State
	if h == 0 {
		return found, nil
	}
	_, err := Read(l.disk.log(), size, func(_ ledger.Block, s ledger.State) error {
		if s.Height() == h {
			found = s
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return found, err
}

// Close lets the folder go. Watches end.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.ended = ws.Errorf(ws.Stopped, "ledger", ws.T("the ledger was closed", "账本已关闭"))
	close(l.grown)
	l.grown = make(chan struct{})
	if err := errors.Join(l.disk.note().Sync(), l.disk.close()); err != nil {
		return trouble(err)
	}
	return nil
}

// A note names the last acknowledged record: height (8) ‖ its hash ‖ SHA-256 of
// both. It is written after the record was synced and not synced itself, so it
// may be old, but never ahead of the log [LEDGER-FILE.5].
type note struct {
	height ledger.Height
	hash   ledger.Hash
}

const noteLen = 8 + 32 + 32

func writeNote(b blob, n note) error {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, noteLen), uint64(n.height))
	out = append(out, n.hash[:]...)
	sum := sha256.Sum256(out)
	if _, err := b.WriteAt(append(out, sum[:]...), 0); err != nil {
		return trouble(err)
	}
	return nil
}

// readNote reads the note; one that is missing or torn tells nothing.
func readNote(b blob) (note, error) {
	raw := make([]byte, noteLen)
	n, err := b.ReadAt(raw, 0)
	if err != nil && err != io.EOF {
		return note{}, trouble(err)
	}
	if n < noteLen || sha256.Sum256(raw[:40]) != [32]byte(raw[40:]) {
		return note{}, nil
	}
	return note{ledger.Height(binary.BigEndian.Uint64(raw)), ledger.Hash(raw[8:40])}, nil
}
