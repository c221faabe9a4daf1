package replica_test

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/post/replica"
)

func open(t *testing.T) *file.Ledger {
	t.Helper()
	l, err := file.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// blocks are the bodies of all blocks of a ledger.
func blocks(t *testing.T, l *file.Ledger) (out [][]byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for b, err := range l.Watch(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		body, err := post.BlockBody(b)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, body); b.Height == l.State().Height() {
			return out
		}
	}
	return out
}

// first is the genesis.
func first(t *testing.T, all [][]byte) ledger.Tx {
	t.Helper()
	_, raw, _, err := post.ReadBlock(all[0])
	if err != nil {
		t.Fatal(err)
	}
	tx, err := ledger.DecodeTx(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func letter(from ws.SiteID, label string, body []byte) *mesh.Delivery {
	return &mesh.Delivery{Letter: mesh.Letter{From: from, To: "xiehe", Run: post.Ledger, Label: label, Body: body}}
}

// A replica takes blocks that follow and hold, from whoever orders and nobody
// else, asks for what is missing, and knows when it is the newest.
func TestReplica(t *testing.T) {
	order, own := open(t), open(t)
	net := ledgertest.On(t, order)
	net.Found()
	all := blocks(t, order)
	genesis := first(t, all)
	var sent []mesh.Letter
	r := replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: genesis.Digest(),
		Send: func(_ context.Context, l mesh.Letter) error { sent = append(sent, l); return nil }})
	take := func(d *mesh.Delivery) error {
		_, err := r.Take(t.Context(), d)
		return err
	}
	if known, err := r.Take(t.Context(), letter("ruijin", post.Blocks, all[0])); known || err != nil || own.State().Height() != 0 {
		t.Errorf("a block from another member: %v, %v", known, err)
	}
	if err := take(letter("hub", post.Blocks, all[2])); err != nil || len(sent) != 1 || sent[0].Label != post.Since {
		t.Errorf("a block too early: %v, sent %v", err, sent)
	}
	for i := range all {
		for range 2 { // a block that comes again changes nothing
			if err := take(letter("hub", post.Blocks, all[i])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if own.State().Root() != order.State().Root() {
		t.Fatal("the replica has another root")
	}
	state := order.State()
	if err := take(letter("hub", post.Head, post.JSON(post.Mark{Height: state.Height(), Root: ledger.Hash{1}}))); ws.KindOf(err) != ws.Diverged || !r.Fresh().IsZero() {
		t.Errorf("another root at the same height: %v, fresh %v", err, r.Fresh())
	}
	if err := take(letter("hub", post.Head, post.JSON(post.Mark{Height: state.Height(), Root: state.Root()}))); err != nil || time.Since(r.Fresh()) > time.Minute {
		t.Errorf("the newest head: %v, fresh %v", err, r.Fresh())
	}
	forged := append([]byte(nil), all[len(all)-1]...)
	_, k := binary.Uvarint(forged)
	forged[k+7]++ // the next height
	if err := take(letter("hub", post.Blocks, forged)); err != nil {
		t.Errorf("a transaction that stands already: %v", err) // its digest is known: it changes nothing
	}
	if own.State().Root() != order.State().Root() {
		t.Error("a repeated transaction changed the replica")
	}
	for _, bad := range [][]byte{{}, {1, 2}, append([]byte{10, 0, 0, 0, 0, 0, 0, 0, byte(len(all) + 1)}, "{}"...), all[0][:len(all[0])-1]} {
		if err := take(letter("hub", post.Blocks, bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A letter brings many blocks: those that follow are taken, and what lies behind a
// gap or one that is cut is not.
func TestReplica_Batch(t *testing.T) {
	order := open(t)
	ledgertest.On(t, order).Found()
	all := blocks(t, order)
	genesis := first(t, all)
	gap := append(slices.Concat(all[:3]...), slices.Concat(all[4:]...)...)
	whole := slices.Concat(all...)
	for _, c := range []struct {
		body []byte
		want int
		asks int
		kind ws.Kind
	}{{whole, len(all), 0, ws.Other}, {gap, 3, 1, ws.Other}, {whole[:len(whole)-1], len(all) - 1, 0, ws.Invalid}} {
		own, asks := open(t), 0
		r := replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: genesis.Digest(), Send: func(_ context.Context, l mesh.Letter) error {
			asks++
			return nil
		}})
		if _, err := r.Take(t.Context(), letter("hub", post.Blocks, c.body)); ws.KindOf(err) != c.kind {
			t.Errorf("%v, want %v", err, c.kind)
		}
		if h := own.State().Height(); int(h) != c.want || asks != c.asks {
			t.Errorf("height %d, want %d; asked %d times", h, c.want, asks)
		}
	}
}

// The longest transaction fits the letters that carry it, also behind others:
// an opening of a thousand members is longer than most.
func TestLimit(t *testing.T) {
	if post.Limit(post.Submit) < ledger.MaxTx || post.Limit(post.Blocks) < post.Batch+ledger.MaxTx+8+binary.MaxVarintLen32 {
		t.Error("the ledger takes longer transactions than letters may carry")
	}
}

// A replica that has pinned another genesis takes nothing.
func TestReplica_Genesis(t *testing.T) {
	order, own := open(t), open(t)
	ledgertest.On(t, order).Found()
	r := replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: ledgertest.Hash("pinned"), Send: func(context.Context, mesh.Letter) error { return nil }})
	if _, err := r.Take(t.Context(), letter("hub", post.Blocks, blocks(t, order)[0])); ws.KindOf(err) != ws.Diverged || own.State().Height() != 0 {
		t.Errorf("%v, height %d", err, own.State().Height())
	}
}

// Submit returns once the transaction stands here, with the refusal of whoever
// orders, or when nobody answers.
func TestReplica_Submit(t *testing.T) {
	order, own := open(t), open(t)
	net := ledgertest.On(t, order)
	net.Found()
	all := blocks(t, order)
	genesis := first(t, all)
	var r *replica.Replica
	silent := false
	r = replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: genesis.Digest(), Send: func(ctx context.Context, l mesh.Letter) error {
		if l.Label != post.Submit || silent {
			return nil
		}
		tx, err := ledger.DecodeTx(l.Body)
		if err != nil {
			return err
		}
		go func() {
			fate := post.Fate{Digest: tx.Digest()}
			receipt, err := order.Submit(ctx, tx)
			if err != nil {
				fate.Kind, fate.Msg = ws.KindOf(err).String(), ws.T("no", "不")
			} else {
				fate.Height = receipt.Height
				r.Take(ctx, letter("hub", post.Blocks, blocks(t, order)[receipt.Height-1]))
			}
			r.Take(ctx, letter("hub", post.Receipt, post.JSON(fate)))
		}()
		return nil
	}})
	for _, b := range all {
		if _, err := r.Take(t.Context(), letter("hub", post.Blocks, b)); err != nil {
			t.Fatal(err)
		}
	}
	receipt, err := r.Submit(t.Context(), net.Sign("inst-xiehe", net.Version("xiehe", 2)))
	if err != nil || r.State().Height() < receipt.Height || r.State().Latest("xiehe", "heart") != 2 {
		t.Errorf("%+v, %v", receipt, err)
	}
	if _, err := r.Submit(t.Context(), net.Sign("inst-ruijin", net.Version("xiehe", 3))); ws.KindOf(err) != ws.Denied {
		t.Errorf("another's dataset: %v", err)
	}
	silent = true
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Submit(ctx, net.Sign("inst-xiehe", net.Version("xiehe", 3))); ws.KindOf(err) != ws.Unreachable {
		t.Errorf("nobody answers: %v", err)
	}
}

// The newest head is one that answers this very request: a head that was sent
// before, or one that knows less than is here already, does not count.
func TestReplica_Newest(t *testing.T) {
	order, own := open(t), open(t)
	ledgertest.On(t, order).Found()
	all := blocks(t, order)
	state := order.State()
	sent := make(chan post.Mark, 4)
	r := replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: first(t, all).Digest(), Send: func(_ context.Context, l mesh.Letter) error {
		if m, err := post.ReadMark(&mesh.Delivery{Letter: l}); err == nil && m.Nonce != "" {
			sent <- m
		}
		return nil
	}})
	take := func(label string, body []byte) {
		if _, err := r.Take(t.Context(), letter("hub", label, body)); err != nil {
			t.Error(err)
		}
	}
	type answer struct {
		height ledger.Height
		err    error
	}
	came := make(chan answer, 1)
	go func() {
		h, err := r.Newest(t.Context(), 3, true)
		came <- answer{h, err}
	}()
	asked := <-sent
	if !asked.Texts || asked.Height != 0 {
		t.Errorf("asked %+v", asked)
	}
	take(post.Blocks, slices.Concat(all[:4]...))
	take(post.Head, post.JSON(post.Mark{Height: 4, Root: own.State().Root()}))
	take(post.Head, post.JSON(post.Mark{Height: 4, Root: own.State().Root(), Nonce: "another"}))
	take(post.Head, post.HeadOf(state, asked.Nonce))
	select {
	case a := <-came:
		t.Errorf("the newest is %d, %v, and the ledger here has %d", a.height, a.err, own.State().Height())
	case <-time.After(50 * time.Millisecond):
	}
	take(post.Blocks, slices.Concat(all[4:]...))
	if a := <-came; a.err != nil || a.height != state.Height() || own.State().Root() != state.Root() {
		t.Errorf("the newest is %d, %v", a.height, a.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		h, err := r.Newest(ctx, state.Height(), false)
		came <- answer{h, err}
	}()
	asked = <-sent
	take(post.Head, post.JSON(post.Mark{Height: 4, Root: ledger.Hash{1}, Nonce: asked.Nonce}))
	cancel()
	if a := <-came; ws.KindOf(a.err) != ws.Unreachable {
		t.Errorf("a lower head counts: %d, %v", a.height, a.err)
	}
}

// Another block in the place of one that is here is named, and not taken.
func TestReplica_TwoFutures(t *testing.T) {
	order, other, own := open(t), open(t), open(t)
	net := ledgertest.On(t, order)
	net.Found()
	all := blocks(t, order)
	for _, b := range all[:len(all)-1] {
		_, raw, _, err := post.ReadBlock(b)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := ledger.DecodeTx(raw)
		if err == nil {
			_, err = other.Submit(t.Context(), tx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ledgertest.On(t, other).Must("inst-xiehe", ledgertest.On(t, other).Version("xiehe", 2))
	r := replica.New(replica.Config{Self: "xiehe", Hub: "hub", Own: own, Genesis: first(t, all).Digest(), Send: func(context.Context, mesh.Letter) error { return nil }})
	if _, err := r.Take(t.Context(), letter("hub", post.Blocks, slices.Concat(all...))); err != nil {
		t.Fatal(err)
	}
	was := own.State().Root()
	future := blocks(t, other)
	if _, err := r.Take(t.Context(), letter("hub", post.Blocks, future[len(future)-1])); ws.KindOf(err) != ws.Diverged || own.State().Root() != was {
		t.Errorf("%v", err)
	}
}
