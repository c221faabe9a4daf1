// Package meshtest checks that a link keeps the promises of package mesh over
// any carrier, honest or hostile.
//
// [Run] is the suite that every carrier's own test calls. [Pipe] is a carrier within the
// process, [Hostile] spoils another carrier's frames from a printed seed.
package meshtest

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/mesh"
)

// A Pipe joins nodes of one process, without a wire.
type Pipe struct {
	mu    sync.Mutex
	boxes map[ws.SiteID]chan []byte
	// Pace of its carriers; zero is the mesh's own.
	Pace mesh.Pace
}

// Join gives a node's end; a node that joins again takes over its box.
func (p *Pipe) Join(site ws.SiteID) mesh.Carrier {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.boxes == nil {
		p.boxes = map[ws.SiteID]chan []byte{}
	}
	if p.boxes[site] == nil {
		p.boxes[site] = make(chan []byte, 4096)
	}
	return &pipeEnd{pipe: p, in: p.boxes[site], done: make(chan struct{})}
}

type pipeEnd struct {
	pipe *Pipe
	in   chan []byte
	once sync.Once
	done chan struct{}
}

func (e *pipeEnd) Put(_ context.Context, to ws.SiteID, frame []byte, _ bool) error {
	e.pipe.mu.Lock()
	box := e.pipe.boxes[to]
	e.pipe.mu.Unlock()
	select {
	case box <- slices.Clone(frame):
	default: // nobody there, or full: lost
	}
	return nil
}

func (e *pipeEnd) Take(ctx context.Context) (mesh.Parcel, error) {
	select {
	case f := <-e.in:
		return mesh.Parcel{Frame: f}, nil
	case <-e.done:
		return mesh.Parcel{}, io.EOF
	case <-ctx.Done():
		return mesh.Parcel{}, ctx.Err()
	}
}

func (e *pipeEnd) Pace() mesh.Pace { return e.pipe.Pace }

func (e *pipeEnd) Close() error {
	e.once.Do(func() { close(e.done) })
	return nil
}

// Hasty is a pace for hostile carriers in tests.
var Hasty = mesh.Pace{Tick: 5 * time.Millisecond, Note: time.Millisecond, Resend: 40 * time.Millisecond, Slowest: 200 * time.Millisecond, Patience: 20 * time.Second}
