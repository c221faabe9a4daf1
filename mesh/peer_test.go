package mesh

import (
	"context"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	ws "wellspring"
)

// A tap is a carrier whose frames the test makes and reads.
type tap struct {
	in, out chan []byte
	pace    Pace
}

func (c *tap) Put(_ context.Context, _ ws.SiteID, f []byte, _ bool) error {
	select {
	case c.out <- append([]byte(nil), f...):
	default:
	}
	return nil
}

func (c *tap) Take(ctx context.Context) (Parcel, error) {
	select {
	case f := <-c.in:
		return Parcel{Frame: f}, nil
	case <-ctx.Done():
		return Parcel{}, ctx.Err()
	}
}

func (c *tap) Pace() Pace   { return c.pace }
func (c *tap) Close() error { return nil }

// A liar is a known peer, "one", that signs what the test wants.
type liar struct {
	t    *testing.T
	key  ed25519.PrivateKey
	tap  *tap
	link *Link // of "two", who is honest
	prev [32]byte
}

func newLiar(t *testing.T) *liar {
	_, key := sampleHead(t, sample, 1)
	l := &liar{t: t, key: key, tap: &tap{in: make(chan []byte, 1024), out: make(chan []byte, 1024),
		pace: Pace{Tick: 5 * time.Millisecond, Note: time.Millisecond, Resend: 20 * time.Millisecond, Slowest: 40 * time.Millisecond, Patience: 200 * time.Millisecond}}}
	pub := key.Public().(ed25519.PublicKey)
	_, own, _ := ed25519.GenerateKey(nil)
	var err error
	l.link, err = Open(Config{Chain: "chain", Self: "two", Key: own, Carrier: l.tap,
		Peer:  func(s ws.SiteID) (ed25519.PublicKey, bool) { return pub, s == "one" },
		Limit: func(label string) int64 { return int64(64<<20) * int64(btoi(label != "unknown")) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.link.Close() })
	return l
}

func (l *liar) letter(seq, session uint64, prev [32]byte, change func(*Letter)) (frame []byte, digest [32]byte) {
	m := sample
	m.Prev, m.Keep = prev, session == 0
	if change != nil {
		change(&m)
	}
	list := pieceList(m.Body)
	h := &header{Letter: m, session: session, seq: seq, size: uint64(len(m.Body)), list: listDigest(list)}
	sig, digest, err := sign(l.key, letterDomain, "chain", h.encode())
	if err != nil {
		l.t.Fatal(err)
	}
	return encodeHead(h.encode(), sig, list, m.Body), digest
}

func (l *liar) note(n *note) []byte {
	sig, _, err := sign(l.key, noteDomain, "chain", n.encode())
	if err != nil {
		l.t.Fatal(err)
	}
	return encodeNoteFrame(n.encode(), sig)
}

// trouble waits for a report of a kind that names the peer.
func (l *liar) trouble(kind ws.Kind, words string) {
	l.t.Helper()
	ctx, stop := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer stop()
	for {
		d, err := l.link.Receive(ctx)
		if d != nil {
			if err := d.Ack(); err != nil {
				l.t.Fatal(err)
			}
			continue
		}
		if ws.KindOf(err) != kind || !strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), words) {
			l.t.Errorf("reported %v, want %v with %q", err, kind, words)
		}
		return
	}
}

// delivers waits for a letter of a round.
func (l *liar) delivers(round int) {
	l.t.Helper()
	ctx, stop := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer stop()
	d, err := l.link.Receive(ctx)
	if err != nil || d.Round != round {
		l.t.Fatalf("round %d: %+v, %v", round, d, err)
	}
	if err := d.Ack(); err != nil {
		l.t.Fatal(err)
	}
}

// [MESH-10], [MESH-12], [MESH-14]: a peer that contradicts itself is named, and its lane is closed.
func TestLiar(t *testing.T) {
	round := func(n int) func(*Letter) { return func(m *Letter) { m.Round = n } }
	t.Run("two letters for one place", func(t *testing.T) {
		l := newLiar(t)
		a, _ := l.letter(2, 9, [32]byte{1}, nil)
		b, _ := l.letter(2, 9, [32]byte{2}, nil)
		l.tap.in <- a
		l.tap.in <- b
		l.trouble(ws.Diverged, "two letters")
	})
	t.Run("a letter that does not follow", func(t *testing.T) {
		l := newLiar(t)
		a, _ := l.letter(1, 9, [32]byte{}, nil)
		b, _ := l.letter(2, 9, [32]byte{7}, nil)
		l.tap.in <- a
		l.tap.in <- b
		l.trouble(ws.Diverged, "does not follow")
	})
	t.Run("letters passed over", func(t *testing.T) {
		l := newLiar(t)
		a, d := l.letter(1, 9, [32]byte{}, round(1))
		l.tap.in <- a
		l.delivers(1)
		c, _ := l.letter(3, 9, d, nil)
		l.tap.in <- c
		l.tap.in <- l.note(&note{From: "one", To: "two", run: "run", session: 9, base: true, next: 3, last: d})
		l.trouble(ws.Diverged, "passes over")
	})
	t.Run("an unknown label", func(t *testing.T) {
		l := newLiar(t)
		a, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Label = "unknown" })
		l.tap.in <- a
		l.trouble(ws.Diverged, "too long")
	})
	t.Run("a body without end", func(t *testing.T) {
		l := newLiar(t)
		a, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Body = make([]byte, 65<<20) })
		l.tap.in <- a
		l.trouble(ws.Diverged, "too long")
	})
	t.Run("another lane goes on", func(t *testing.T) {
		l := newLiar(t)
		a, _ := l.letter(1, 9, [32]byte{5}, nil)
		l.tap.in <- a
		l.trouble(ws.Diverged, "does not follow")
		b, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Run, m.Round = "other", 4 })
		l.tap.in <- b
		l.delivers(4)
	})
}

// [MESH-13]: letters of a former start of the sender are not delivered.
func TestLink_Session(t *testing.T) {
	l := newLiar(t)
	old, d := l.letter(1, 8, [32]byte{}, func(m *Letter) { m.Round = 1 })
	later, _ := l.letter(2, 8, d, func(m *Letter) { m.Round = 2 })
	fresh, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Round = 3 })
	last, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Run, m.Round = "last", 5 })
	for _, f := range [][]byte{old, fresh, later, old, fresh, last} {
		l.tap.in <- f
	}
	l.delivers(1)
	l.delivers(3)
	l.delivers(5)
}

// [MESH-15]: what does not come whole is reported by its sender's name within
// the pace's patience, and is still taken when it comes.
func TestLink_Patience(t *testing.T) {
	l := newLiar(t)
	a, d := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Round = 1 })
	b, _ := l.letter(2, 9, d, func(m *Letter) { m.Round = 2 })
	l.tap.in <- b
	begun := time.Now()
	l.trouble(ws.Unreachable, "is missing")
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("reported after %v", took)
	}
	l.tap.in <- a
	l.delivers(1)
	l.delivers(2)
	if err := l.link.Send(t.Context(), Letter{To: "one", Run: "run", Label: "ask"}); err != nil {
		t.Fatal(err)
	}
	l.trouble(ws.Unreachable, "does not acknowledge")
	if n := l.link.Backlog()["one"]; n != 1 {
		t.Errorf("%d letters wait", n)
	}
}

// [MESH-16]: later long letters cannot keep the next one out.
func TestLink_Room(t *testing.T) {
	l := newLiar(t)
	var heads [][]byte
	var digests [][32]byte
	body := make([]byte, piece+10)
	var prev [32]byte
	for i := range 3 * openLetters {
		f, d := l.letter(uint64(i+1), 9, prev, func(m *Letter) { m.Round, m.Body = i, body })
		heads, digests, prev = append(heads, f), append(digests, d), d
	}
	for i := len(heads) - 1; i >= 0; i-- {
		l.tap.in <- heads[i]
	}
	for i := range heads {
		l.tap.in <- heads[i]
		for p := range 2 {
			l.tap.in <- encodeData(digests[i], p, pieceOf(body, p))
		}
		l.delivers(i)
	}
}

// [MESH-17]: data frames without end, of letters that nobody sent, are bounded.
func TestLink_Flood(t *testing.T) {
	l := newLiar(t)
	for i := range 500 {
		l.tap.in <- encodeData([32]byte{byte(i), byte(i >> 8)}, i, make([]byte, 1000))
	}
	stray, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.From = "stranger" })
	mine, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.To = "three" })
	far, _ := l.letter(1+Window, 9, [32]byte{}, nil)
	for _, f := range [][]byte{stray, mine, far, {}, make([]byte, MaxFrame+1)} {
		l.tap.in <- f
	}
	a, _ := l.letter(1, 9, [32]byte{}, func(m *Letter) { m.Round = 1 })
	l.tap.in <- a
	l.delivers(1)
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	if len(l.link.early) > maxEarly {
		t.Errorf("%d pieces wait", len(l.link.early))
	}
	if c := l.link.counts; c.Stray != 2 || c.Malformed != 2 || c.Late < 484 {
		t.Errorf("counted %+v", c)
	}
}

func TestSend_Refused(t *testing.T) {
	l := newLiar(t)
	for _, to := range []ws.SiteID{"stranger", "two"} {
		if err := l.link.Send(t.Context(), Letter{To: to, Run: "r", Label: "ask"}); ws.KindOf(err) != ws.Denied {
			t.Errorf("to %s: %v", to, err)
		}
	}
	// The window is full: Send waits, and ends with its context.
	for range Window {
		if err := l.link.Send(t.Context(), Letter{To: "one", Run: "r", Label: "ask"}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer stop()
	if err := l.link.Send(ctx, Letter{To: "one", Run: "r", Label: "ask"}); ws.KindOf(err) != ws.Stopped {
		t.Errorf("past the window: %v", err)
	}
	if err := l.link.Forget("r"); err != nil {
		t.Fatal(err)
	}
	if n := l.link.Backlog()["one"]; n != 0 {
		t.Errorf("%d letters of a forgotten run wait", n)
	}
	if err := l.link.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.link.Receive(t.Context()); err == nil {
		t.Error("a closed link receives")
	}
}

// A peer that takes long to acknowledge is given longer before letters are sent
// again; one that is quick, no longer than the pace says; none longer than its slowest.
func TestLink_Learn(t *testing.T) {
	l := &Link{pace: Quick, took: map[ws.SiteID]time.Duration{}}
	for range 100 {
		l.learn("slow", 3*time.Second)
		l.learn("quick", time.Millisecond)
		l.learn("away", time.Hour)
	}
	for peer, want := range map[ws.SiteID]time.Duration{"slow": 6 * time.Second, "quick": Quick.Resend, "away": Quick.Slowest, "new": Quick.Resend} {
		if got := l.resend(peer); got < want-want/100 || got > want {
			t.Errorf("%s: %v, want %v", peer, got, want)
		}
	}
}
