package post

import (
	"context"

	ws "wellspring"
	"wellspring/ledger"
)

// MaxAnswered bounds the blocks that one request is answered with; the rest is
// asked for again.
const MaxAnswered = 1000

// NextBlock gives the block above a height, which is there or comes before ctx is done.
func NextBlock(ctx context.Context, l ledger.Ledger, after ledger.Height) (ledger.Block, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for b, err := range l.Watch(ctx, after) {
		return b, err
	}
	return ledger.Block{}, ws.Errorf(ws.Stopped, "post", ws.T("stopped", "已停止"))
}

// Pack puts the blocks above a height, which it moves on, into the body of one letter:
// up to an end, or as many as it takes. body gives one as it is sent.
func Pack(at *ledger.Height, end ledger.Height, body func(ledger.Height) ([]byte, error)) ([]byte, error) {
	var all []byte
	for *at < end && len(all) < Batch {
		b, err := body(*at + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
		*at++
	}
	return all, nil
}

// Answer sends what a letter of the label [Since] asks for: the blocks above its height, as
// pack makes letters of them, and then the head.
func Answer(m Mark, l ledger.Ledger, pack func(at *ledger.Height, end ledger.Height) ([]byte, error), send func(label string, body []byte) error) error {
	head := l.State().Height()
	for end := min(head, m.Height+MaxAnswered); m.Height < end; {
		body, err := pack(&m.Height, end)
		if err != nil {
			return err
		}
		if err := send(Blocks, body); err != nil {
			return err
		}
	}
	return send(Head, HeadOf(l.State(), m.Nonce))
}

// HeadOf packs the head of a ledger; nonce is that of the request that it answers.
func HeadOf(s ledger.State, nonce string) []byte {
	return JSON(Mark{Height: s.Height(), Root: s.Root(), Nonce: nonce[:min(maxNonce, len(nonce))]})
}

// maxNonce bounds what is given back of a request, in bytes.
const maxNonce = 64

// Texts names the run in which a node sends the texts of studies, whose letters are
// kept over its restarts. A node that came back from a backup does not know which
// letters its former life numbered after it: it numbers those of a life of its own.
func Texts(life string) string {
	if life == "" {
		return Ledger
	}
	return Ledger + "/" + life
}
