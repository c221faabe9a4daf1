package hubtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/file"
)

// Restore ends a site without a word and brings it back as from its oldest backup, one
// of an empty folder. The error, if not nil, is what kept it from being started.
func (w *Network) Restore(ctx context.Context, id ws.SiteID) error {
	w.Kill(id)
	if err := os.RemoveAll(filepath.Join(w.cfg.Dir, string(id))); err != nil {
		return err
	}
	return w.start(ctx, id, func(ledger.Height) error { return nil })
}

// Rewind ends the hub without a word, and puts an older copy in the place of its ledger.
func (w *Network) Rewind(ctx context.Context, to ledger.Height) error {
	w.KillHub()
	old, err := file.Open(filepath.Join(w.cfg.Dir, "older"))
	if err != nil {
		return err
	}
	for b, err := range w.File.Watch(ctx, 0) {
		if err == nil {
			_, err = old.Submit(ctx, b.Txs[0])
		}
		if err != nil {
			return err
		}
		if b.Height == to {
			break
		}
	}
	if err := errors.Join(w.File.Close(), old.Close(), os.RemoveAll(filepath.Join(w.cfg.Dir, "ledger")), os.Rename(filepath.Join(w.cfg.Dir, "older"), filepath.Join(w.cfg.Dir, "ledger"))); err != nil {
		return err
	}
	w.File, err = file.Open(filepath.Join(w.cfg.Dir, "ledger"))
	return err
}

// Recover starts the hub as after a backup was restored.
func (w *Network) Recover(ctx context.Context) error {
	c, err := w.newHub()
	if err != nil {
		return err
	}
	if _, err := c.service.Recover(ctx, w.Sites); err != nil {
		return errors.Join(err, c.link.Close())
	}
	w.run(c)
	return nil
}

// State is what a site holds of the ledger.
func (w *Network) State(id ws.SiteID) ledger.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[id].ledger.State()
}
