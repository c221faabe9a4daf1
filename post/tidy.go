package post

import (
	"context"

	"wellspring/ledger"
)

// Over reports whether a run has nothing more to be said: the ledger has closed
// it, or does not know it.
func Over(s ledger.State, run string) bool {
	rec, known := s.Run(ledger.RunID(run))
	return !known || rec.Closed
}

// Tidy frees what a node's link holds of runs that the ledger has closed: of
// those before a restart at once, of others when their block comes, and calls
// ended, which may be nil, with each of these. It returns when ctx is done.
func Tidy(ctx context.Context, link Link, l ledger.Ledger, ended func(run string)) error {
	state := l.State()
	for _, run := range link.Runs() {
		if rec, known := state.Run(ledger.RunID(run)); known && rec.Closed {
			link.Finish(run)
		}
	}
	for b, err := range l.Watch(ctx, state.Height()) {
		if err != nil {
			return err
		}
		for _, tx := range b.Txs {
			if c, ok := tx.Body().(*ledger.CloseRun); ok {
				link.Finish(string(c.Run))
				if ended != nil {
					ended(string(c.Run))
				}
			}
		}
	}
	return nil
}
