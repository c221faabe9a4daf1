package site

import (
	"context"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/run"
)

// renew takes up a node that was restored from a backup. Its former life may have
// answered runs that are open, with secrets and for survivors of which nothing is known
// here. So it hears once where the ledger stands, not earlier than now, and writes down
// that it answers no run that is open there; until then it answers none at all.
func (s *Service) renew(ctx context.Context) error {
	if _, err := s.cfg.Replica.Newest(ctx, s.cfg.Replica.State().Height(), true); err != nil {
		if ctx.Err() != nil {
			return nil // it is asked again at the next start
		}
		return err
	}
	lost, err := s.bury()
	if err == nil {
		err = s.cfg.Restored(s.cfg.Replica.State().Height())
	}
	if err != nil {
		return err
	}
	close(s.renewed)
	for _, m := range lost { // their conductors need not wait: what they send again is refused
		s.report(s.send(ctx, m))
	}
	return nil
}

// bury writes down of every open run with this site's datasets that it is lost here.
func (s *Service) bury() (back []run.Message, err error) {
	state := s.cfg.Replica.State()
	for d := range state.Datasets(s.cfg.Self) {
		for id := range state.Runs(d) {
			rec, _ := state.Run(id)
			e, _ := state.Epoch(id, rec.Epoch)
			if _, member := e.Member(s.cfg.Self); rec.Closed || !member {
				continue
			}
			tomb, err := run.Lost(string(id))
			if err == nil {
				err = s.cfg.Journals.Run(string(id)).Save(tomb)
			}
			if err != nil {
				return nil, err
			}
			back = append(back, run.Message{From: s.cfg.Self, To: e.Conductor, Run: string(id), Epoch: rec.Epoch, Step: post.Back})
		}
	}
	return back, nil
}

// known waits a while until a restored node has heard where the ledger stands.
func (s *Service) known(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.waiting())
	defer cancel()
	select {
	case <-s.renewed:
		return nil
	case <-ctx.Done():
		return ws.Errorf(ws.Unreachable, "site", ws.T("this site was restored from a backup, and has not heard yet where the ledger stands", "本站点由备份恢复，尚未获知账本的最新状态")).
			WithHint(ws.T("check its connection to the hub, and run the study again", "请检查其与枢纽的连接，然后重新运行该研究"))
	}
}

// blocks gives the hub what this site holds of the ledger, where a hub that was restored
// from a backup asks for what it has lost; beside the loop that takes letters, since many blocks
// fill the window, and one request at a time: others come again.
func (s *Service) blocks(ctx context.Context, m post.Mark) {
	select {
	case s.asked <- struct{}{}:
	default:
		return
	}
	s.wg.Go(func() {
		defer func() { <-s.asked }()
		s.report(post.Answer(m, s.cfg.Replica, func(at *ledger.Height, end ledger.Height) ([]byte, error) {
			return post.Pack(at, end, func(h ledger.Height) ([]byte, error) {
				b, err := post.NextBlock(ctx, s.cfg.Replica, h-1)
				if err != nil {
					return nil, err
				}
				return post.BlockBody(b)
			})
		}, func(label string, body []byte) error {
			return s.cfg.Link.Send(ctx, mesh.Letter{To: s.cfg.Replica.Hub(), Run: post.Ledger, Label: label, Body: body})
		}))
	})
}
