package meshtest

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/mesh"
)

// Hostile is a carrier that treats frames of another one as a hostile broker
// would: it drops, repeats, delays (and so reorders), cuts and forges them, and
// replays old ones. One seed gives one behaviour a frame number.
type Hostile struct {
	mesh.Carrier
	// Rate is the chance of each of the six mischiefs for a frame.
	Rate float64

	mu   sync.Mutex
	dice *rand.Rand
	old  [][]byte
	wg   sync.WaitGroup
}

// NewHostile wraps a carrier.
func NewHostile(c mesh.Carrier, seed uint64, rate float64) *Hostile {
	return &Hostile{Carrier: c, Rate: rate, dice: rand.New(rand.NewPCG(seed, 1))}
}

// Pace is [Hasty].
func (h *Hostile) Pace() mesh.Pace { return Hasty }

// Put implements [mesh.Carrier].
func (h *Hostile) Put(ctx context.Context, to ws.SiteID, frame []byte, keep bool) error {
	frames, late := h.mischief(frame)
	for _, f := range frames {
		if err := h.Carrier.Put(ctx, to, f, keep); err != nil {
			return err
		}
	}
	if late != nil {
		h.wg.Go(func() {
			time.Sleep(30 * time.Millisecond)
			_ = h.Carrier.Put(context.WithoutCancel(ctx), to, late, keep)
		})
	}
	return nil
}

// mischief gives the frames that go in place of one, and one that goes late.
func (h *Hostile) mischief(frame []byte) (now [][]byte, late []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hit := func() bool { return h.dice.Float64() < h.Rate }
	frame = slices.Clone(frame)
	if len(h.old) < 64 {
		h.old = append(h.old, frame)
	}
	switch {
	case hit(): // dropped
	case hit(): // delayed past others
		late = frame
	default:
		now = append(now, frame)
	}
	if hit() {
		now = append(now, frame)
	}
	if hit() {
		now = append(now, h.old[h.dice.IntN(len(h.old))])
	}
	if hit() {
		now = append(now, frame[:h.dice.IntN(len(frame))])
	}
	if hit() {
		forged := slices.Clone(frame)
		forged[h.dice.IntN(len(forged))] ^= 1 << h.dice.IntN(8)
		now = append([][]byte{forged}, now...)
	}
	return now, late
}

// Close implements [mesh.Carrier].
func (h *Hostile) Close() error {
	err := h.Carrier.Close()
	h.wg.Wait()
	return err
}
