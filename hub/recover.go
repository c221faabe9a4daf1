package hub

import (
	"context"
	"errors"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/post/replica"
)

// reminder is how often a member that is waited for is named.
const reminder = 30 * time.Second

// Recover brings the ledger of a hub that was restored from a backup up to what its
// members hold: each is asked for the blocks that the hub lacks, which are checked and applied as
// a site checks the hub's. Nothing is ordered meanwhile, since a block that is
// made anew in the place of one that members hold would part the network for good.
//
// It returns when every member has answered, and refuses two that hold different
// blocks for one place. A member that is left out must hold nothing that the others lack.
func (s *Service) Recover(ctx context.Context, members []ws.SiteID) (ledger.Height, error) {
	chain, _ := s.cfg.Ledger.State().Chain()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	of := map[ws.SiteID]*replica.Replica{}
	for _, m := range members {
		of[m] = replica.New(replica.Config{Self: s.cfg.Self, Hub: m, Own: s.cfg.Ledger, Send: s.cfg.Link.Send, Genesis: chain.Genesis})
	}
	var letters, asking sync.WaitGroup
	letters.Go(func() {
		cancel(s.cfg.Link.Each(ctx, func(d *mesh.Delivery) {
			err := s.recovered(ctx, of[d.From], d)
			if ws.KindOf(err) == ws.Diverged {
				cancel(err)
			}
			s.report(errors.Join(err, d.Ack()))
		}, s.report))
	})
	var mu sync.Mutex
	waiting := map[ws.SiteID]bool{}
	for m, r := range of {
		waiting[m] = true
		asking.Go(func() {
			if _, err := r.Newest(ctx, 0, true); err != nil {
				cancel(err)
			}
			mu.Lock()
			delete(waiting, m)
			mu.Unlock()
		})
	}
	done := make(chan struct{})
	go func() { asking.Wait(); close(done) }()
	clock := time.NewTicker(reminder)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			mu.Lock()
			for m := range waiting {
				s.report(waitsFor(m))
			}
			mu.Unlock()
			continue
		case <-done:
		}
		err := context.Cause(ctx)
		if errors.Is(err, context.Canceled) {
			err = ws.Errorf(ws.Stopped, "recover", ws.T("stopped", "已停止"))
		}
		cancel(nil)
		letters.Wait()
		return s.cfg.Ledger.State().Height(), err
	}
}

func waitsFor(m ws.SiteID) error {
	return ws.Errorf(ws.Unreachable, "recover", ws.T("this hub was restored from a backup, and waits for what site %s holds of the ledger", "本枢纽由备份恢复，正等待站点 %s 给出其持有的账本", m)).
		WithHint(ws.T("have its node started; if it is gone for good: wellspring hub run --without %s", "请启动该节点；若其已永久失效：wellspring hub run --without %s", m))
}

// recovered takes a letter while the hub recovers: blocks, heads and texts of studies count, who wants
// something ordered is told to come again, and the rest is of runs that are lost here.
func (s *Service) recovered(ctx context.Context, r *replica.Replica, d *mesh.Delivery) error {
	switch {
	case r != nil && (d.Label == post.Blocks || d.Label == post.Head):
		_, err := r.Take(ctx, d)
		return err
	case d.Label == post.Study:
		b, err := d.Bytes()
		if err == nil && s.cfg.Study != nil {
			s.cfg.Study(b)
		}
		return err
	case d.Label == post.Submit:
		b, err := d.Bytes()
		if err != nil {
			return err
		}
		tx, err := ledger.DecodeTx(b)
		if err != nil {
			return err
		}
		busy := ws.T("the hub was restored from a backup, and takes back the ledger from its members", "枢纽由备份恢复，正从各成员取回账本")
		return s.send(ctx, d.From, post.Receipt, post.JSON(post.Fate{Digest: tx.Digest(), Kind: ws.Unreachable.String(), Msg: busy, Hint: ws.T("try again in a while", "请稍后重试")}))
	}
	return nil
}
