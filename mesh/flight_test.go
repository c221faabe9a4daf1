package mesh

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"
	"time"

	ws "wellspring"
)

// A sink is a carrier that counts the pieces that are put, and loses them.
type sink struct {
	tap
	mu     sync.Mutex
	pieces map[ws.SiteID]int
}

func (s *sink) Put(_ context.Context, to ws.SiteID, f []byte, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces[to] += btoi(f[0] == dataFrame)
	return nil
}

// put is how many pieces were put, once there are at least so many and none has come
// for a while.
func (s *sink) put(t *testing.T, least int) (n int) {
	t.Helper()
	end := time.Now().Add(time.Minute)
	for last, same := -1, 0; same < 20 || n < least; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d pieces were put, not %d", n, least)
		}
		s.mu.Lock()
		n = 0
		for _, k := range s.pieces {
			n += k
		}
		s.mu.Unlock()
		if same++; n != last {
			last, same = n, 0
		}
	}
	return n
}

// [MESH-16]: of long letters to many peers so many pieces are on their way and no more; the next
// go when a peer says what it has, or has been silent for too long.
func TestLink_Flight(t *testing.T) {
	peers := maxFlight/ahead + 12
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprint("silent: ", silent), func(t *testing.T) {
			resend := time.Minute
			if silent {
				resend = time.Second
			}
			pub, key, _ := ed25519.GenerateKey(nil)
			s := &sink{tap: tap{in: make(chan []byte, 16), pace: Pace{Tick: 5 * time.Millisecond, Resend: resend, Slowest: time.Minute}}, pieces: map[ws.SiteID]int{}}
			l, err := Open(Config{Chain: "chain", Self: "hub", Key: key, Carrier: s, Limit: func(string) int64 { return 64 << 20 },
				Peer: func(ws.SiteID) (ed25519.PublicKey, bool) { return pub, true }})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			body := make([]byte, ahead*piece)
			for i := range peers {
				if err := l.Send(t.Context(), Letter{To: ws.SiteID(fmt.Sprint("p", i)), Run: "r", Label: "plan", Body: body}); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.put(t, maxFlight+btoi(silent)); n > maxFlight && !silent {
				t.Errorf("%d pieces were put, with room for %d", n, maxFlight)
			}
			n := &note{From: "p0", To: "hub", run: "r", session: l.start, next: 1, seq: 1, have: uint32(ahead)}
			sig, _, err := sign(key, noteDomain, "chain", n.encode())
			if err != nil {
				t.Fatal(err)
			}
			s.in <- encodeNoteFrame(n.encode(), sig)
			if n := s.put(t, maxFlight+ahead*btoi(!silent)); n > maxFlight+ahead && !silent {
				t.Errorf("then %d pieces were put", n)
			}
			if l.Forget("r"); l.flight.pieces != 0 {
				t.Errorf("%d pieces are counted of letters that are gone", l.flight.pieces)
			}
		})
	}
}
