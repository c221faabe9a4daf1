package mesh

import (
	"context"
	"time"

	ws "wellspring"
)

// A Carrier moves frames between nodes. It may lose, repeat, reorder, delay
// and change them. Its methods may be called concurrently, Take by one
// goroutine at a time.
type Carrier interface {
	// Put hands over one frame of at most [MaxFrame] bytes; the frame is not
	// kept after it returns. With keep it returns once the frame is
	// where it survives the sender's end. An error means that the frame may be lost,
	// and is no reason to give up: the link sends again.
	Put(ctx context.Context, to ws.SiteID, frame []byte, keep bool) error

	// Take waits for the next frame. An error other than ctx's ends the link.
	Take(ctx context.Context) (Parcel, error)

	// Pace says how fast this carrier is.
	Pace() Pace

	// Close frees what the carrier holds. Take and Put return after it.
	Close() error
}

// A Renewer is a carrier that tells when it has a new connection: what was on
// its way over the old one is likely lost, and the link sends it again at once.
type Renewer interface {
	Renewed() <-chan struct{}
}

// A Parcel is a frame as it came.
type Parcel struct {
	Frame []byte
	// Done says that the carrier need not bring the frame again; may be nil.
	// It may be called from any goroutine, also after Close.
	Done func()
}

// Pace is the rhythm of a link over a carrier.
type Pace struct {
	Tick     time.Duration // how often a link looks for what is overdue
	Note     time.Duration // how long an acknowledgement may wait for others
	Resend   time.Duration // until a letter is sent again; doubled each time
	Slowest  time.Duration // longest time between two resends
	Patience time.Duration // until a peer whose letters do not come whole, or do not arrive, is reported
	Ahead    int           // how many pieces of a letter go before its receiver grants any
}

// Quick is the pace of a network.
var Quick = Pace{Tick: 50 * time.Millisecond, Note: 100 * time.Millisecond, Resend: 300 * time.Millisecond, Slowest: 15 * time.Second, Patience: 2 * time.Minute, Ahead: 2}

func (p Pace) filled() Pace {
	for _, f := range []struct {
		to *time.Duration
		by time.Duration
	}{{&p.Tick, Quick.Tick}, {&p.Note, Quick.Note}, {&p.Resend, Quick.Resend}, {&p.Slowest, Quick.Slowest}, {&p.Patience, Quick.Patience}} {
		if *f.to <= 0 {
			*f.to = f.by
		}
	}
	if p.Ahead <= 0 {
		p.Ahead = Quick.Ahead
	}
	return p
}
