package replica

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"iter"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post"
)

// Config is what a replica is given.
type Config struct {
	Self, Hub ws.SiteID
	Own       ledger.Ledger // the node's file
	Send      func(context.Context, mesh.Letter) error
	// Genesis is the digest of the genesis that the node has pinned; another is refused.
	Genesis ledger.Hash
}

// A Replica follows whoever orders the ledger. Its methods may be called
// concurrently.
type Replica struct {
	cfg Config

	mu    sync.Mutex
	fresh time.Time
	asked bool                      // for what is new, and no head came since
	heads map[string]chan post.Mark // that answer a request, by its nonce
	lower time.Time                 // since when whoever orders has told of nothing but heads below the one here
	fates map[ledger.Hash]chan post.Fate
}

// New makes a replica of what the node's file holds.
func New(cfg Config) *Replica {
	return &Replica{cfg: cfg, fates: map[ledger.Hash]chan post.Fate{}, heads: map[string]chan post.Mark{}}
}

// Follow asks for what is new; the node calls it at its start, and the replica
// itself whenever a block is missing.
func (r *Replica) Follow(ctx context.Context) error {
	r.mu.Lock()
	r.asked = true
	r.mu.Unlock()
	return r.send(ctx, post.Since, post.JSON(post.Mark{Height: r.cfg.Own.State().Height()}))
}

func (r *Replica) send(ctx context.Context, label string, body []byte) error {
	return r.cfg.Send(ctx, mesh.Letter{From: r.cfg.Self, To: r.cfg.Hub, Run: post.Ledger, Label: label, Body: body})
}

// Bounds of how long an answer to Newest is waited for, before it is asked for again.
const (
	firstWait = 5 * time.Second
	lastWait  = 10 * time.Minute
)

// Newest asks whoever orders for the head, until it comes and the ledger here has
// come to it. The head is no older than the call, however late older letters are; one
// below least, or other than what is here, does not count. texts asks for the texts of all studies too.
func (r *Replica) Newest(ctx context.Context, least ledger.Height, texts bool) (ledger.Height, error) {
	var b [16]byte
	rand.Read(b[:]) // never fails
	nonce, answer := hex.EncodeToString(b[:]), make(chan post.Mark, 1)
	r.mu.Lock()
	r.heads[nonce] = answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.heads, nonce)
		r.mu.Unlock()
	}()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		if err := r.send(ctx, post.Since, post.JSON(post.Mark{Height: r.cfg.Own.State().Height(), Nonce: nonce, Texts: texts})); err != nil {
			return 0, err
		}
		select {
		case m := <-answer:
			if m.Height < least {
				break
			}
			return m.Height, r.Reach(ctx, m.Height)
		case <-time.After(wait):
			continue
		case <-ctx.Done():
		}
		select { // a head that does not count comes again at once
		case <-time.After(wait):
		case <-ctx.Done():
			return 0, unanswered(ctx)
		}
	}
}

func unanswered(ctx context.Context) error {
	return ws.Errorf(ws.Unreachable, "ledger", ws.T("whoever orders the ledger does not answer", "账本排序方未应答")).
		WithHint(ws.T("it is the hub; give the command again when it is back", "排序方即枢纽；请在其恢复后再次执行该命令")).Wrap(ctx.Err())
}

// Hub is who orders.
func (r *Replica) Hub() ws.SiteID { return r.cfg.Hub }

// Fresh is when the head of whoever orders was last the head here.
func (r *Replica) Fresh() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fresh
}

// Take handles a letter about the ledger; it reports whether it was one.
func (r *Replica) Take(ctx context.Context, d *mesh.Delivery) (bool, error) {
	if d.From != r.cfg.Hub {
		return false, nil
	}
	if d.Label == post.Head {
		m, err := post.ReadMark(d)
		if err != nil {
			return true, err
		}
		return true, r.head(ctx, m)
	}
	b, err := d.Bytes()
	if err != nil {
		return false, err
	}
	switch d.Label {
	case post.Blocks:
		return true, r.blocks(ctx, b)
	case post.Receipt:
		return true, r.receipt(b)
	}
	return false, nil
}

// blocks takes blocks one after the other; of what follows one that is missing,
// or does not hold, nothing is taken.
func (r *Replica) blocks(ctx context.Context, b []byte) error {
	for {
		height, tx, rest, err := post.ReadBlock(b)
		if err != nil {
			return err
		}
		switch own := r.cfg.Own.State().Height(); {
		case height > own+1:
			return r.missing(ctx)
		case height == own+1:
			if err := r.block(ctx, height, tx); err != nil {
				return err
			}
		default:
			if err := r.same(ctx, height, tx); err != nil {
				return err
			}
		}
		if b = rest; len(b) == 0 {
			return nil
		}
	}
}

// block takes the one that is next.
func (r *Replica) block(ctx context.Context, height ledger.Height, raw []byte) error {
	tx, err := ledger.DecodeTx(raw)
	if err != nil {
		return err
	}
	if height == 1 && tx.Digest() != r.cfg.Genesis {
		return ws.Errorf(ws.Diverged, "ledger", ws.T("the ledger that comes begins with another genesis than the one that was pinned", "收到的账本与所固定的创世记录不符")).
			WithHint(ws.T("compare the genesis with the operator out of band", "请通过其他渠道与运营方核对创世记录"))
	}
	if _, err := r.cfg.Own.Submit(ctx, tx); err != nil {
		return ws.Errorf(ws.Diverged, "ledger", ws.T("block %d does not hold", "第 %d 个区块不成立", height)).Wrap(err)
	}
	return nil
}

// same refuses a block in the place of another that is here: the order has two futures.
func (r *Replica) same(ctx context.Context, height ledger.Height, raw []byte) error {
	if height == 0 {
		return nil
	}
	own, err := post.NextBlock(ctx, r.cfg.Own, height-1)
	if err != nil {
		return err
	}
	if len(own.Txs) != 1 || !bytes.Equal(own.Txs[0].Bytes(), raw) {
		return ws.Errorf(ws.Diverged, "ledger", ws.T("block %d of %s is another than the one here", "%[2]s 的第 %[1]d 个区块与此处不同", height, r.cfg.Hub)).
			WithHint(goneBack)
	}
	return nil
}

// goneBack says what to do where whoever orders has lost its newest blocks.
var goneBack = ws.T("the hub may run on an old copy of its folder: stop, and call the operator, who restores it with wellspring restore, by which it takes the missing blocks from its members", "枢纽可能运行在文件夹的旧副本上：请停止并联系运营方；应以 wellspring restore 恢复枢纽，由其从各成员取回缺失的区块")

// patience is how long whoever orders may be behind: a head can be overtaken by blocks.
const patience = time.Minute

// behind takes a head below the one here.
func (r *Replica) behind() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch now := time.Now(); {
	case r.lower.IsZero():
		r.lower = now
	case now.Sub(r.lower) > patience:
		r.lower = now // said once in so long
		return ws.Errorf(ws.Diverged, "ledger", ws.T("%s knows less of the ledger than this node", "%s 所知的账本少于本节点", r.cfg.Hub)).WithHint(goneBack)
	}
	return nil
}

// missing asks once for what lies before a block that came too early. The answer,
// which a head ends, brings all of it: asking at each of many such blocks would
// bring it as often.
func (r *Replica) missing(ctx context.Context) error {
	r.mu.Lock()
	asked := r.asked
	r.mu.Unlock()
	if asked {
		return nil
	}
	return r.Follow(ctx)
}

func (r *Replica) head(ctx context.Context, m post.Mark) error {
	r.mu.Lock()
	r.asked = false
	answers := r.heads[m.Nonce]
	r.mu.Unlock()
	own := r.cfg.Own.State()
	if answers != nil && (m.Height != own.Height() || m.Root == own.Root()) {
		select {
		case answers <- m:
		default:
		}
	}
	switch {
	case m.Height > own.Height():
		return r.Follow(ctx)
	case m.Height < own.Height():
		return r.behind()
	case m.Root != own.Root():
		return ws.Errorf(ws.Diverged, "ledger", ws.T("at height %d the ledger here has another root than that of whoever orders", "在高度 %d，本地账本的根与排序方不一致", m.Height))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh, r.lower = time.Now(), time.Time{}
	return nil
}

func (r *Replica) receipt(b []byte) error {
	var f post.Fate
	if json.Unmarshal(b, &f) != nil {
		return ws.Errorf(ws.Invalid, "ledger", ws.T("the receipt is not well formed", "回执格式不正确"))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.fates[f.Digest]; c != nil {
		select {
		case c <- f:
		default:
		}
	}
	return nil
}

// Submit sends a transaction to whoever orders and waits until it stands here.
func (r *Replica) Submit(ctx context.Context, tx ledger.Tx) (ledger.Receipt, error) {
	fate := make(chan post.Fate, 1)
	r.mu.Lock()
	r.fates[tx.Digest()] = fate
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.fates, tx.Digest())
		r.mu.Unlock()
	}()
	if err := r.send(ctx, post.Submit, tx.Bytes()); err != nil {
		return ledger.Receipt{}, err
	}
	select {
	case f := <-fate:
		if f.Kind != "" {
			refused := ws.Errorf(ws.KindNamed(f.Kind), "ledger", f.Msg).WithHint(f.Hint)
			_ = r.Reach(ctx, f.Height) // whoever asks why then sees what the refusal rests on; it stands without, too
			return ledger.Receipt{}, refused
		}
		return ledger.Receipt{Digest: f.Digest, Height: f.Height}, r.Reach(ctx, f.Height)
	case <-ctx.Done():
		return ledger.Receipt{}, unanswered(ctx)
	}
}

// Reach waits until the ledger here has a height.
func (r *Replica) Reach(ctx context.Context, h ledger.Height) error {
	return r.Until(ctx, func(s ledger.State) bool { return s.Height() >= h })
}

// Until waits until the state here is as wanted.
func (r *Replica) Until(ctx context.Context, wanted func(ledger.State) bool) error {
	after := r.cfg.Own.State()
	if wanted(after) {
		return nil
	}
	for _, err := range r.cfg.Own.Watch(ctx, after.Height()) {
		if err != nil {
			return err
		}
		if wanted(r.cfg.Own.State()) {
			return nil
		}
	}
	return ws.Errorf(ws.Unreachable, "ledger", ws.T("the ledger here did not come so far in time", "本地账本未能及时同步到所需状态")).Wrap(ctx.Err())
}

// State is the newest state here.
func (r *Replica) State() ledger.State { return r.cfg.Own.State() }

// Watch yields the blocks here above a height.
func (r *Replica) Watch(ctx context.Context, after ledger.Height) iter.Seq2[ledger.Block, error] {
	return r.cfg.Own.Watch(ctx, after)
}

// Prove proves from the ledger here.
func (r *Replica) Prove(k ledger.Key, at ledger.Height) (ledger.Proof, error) {
	return r.cfg.Own.Prove(k, at)
}
