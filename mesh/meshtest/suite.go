package meshtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/mesh"
)

// A Network opens carriers of one network. Open may be called again for a
// site whose former carrier is closed; what was put for it with keep, and not done, then comes again.
type Network struct {
	Open func(t *testing.T, site ws.SiteID) mesh.Carrier
	// Keeps says that frames put with keep survive both ends' absence.
	Keeps bool
}

// The nodes that the suite plays; a network must know them.
const (
	Hub   ws.SiteID = "hub"
	SiteA ws.SiteID = "site-a"
	SiteB ws.SiteID = "医院b"
)

// Chain is the chain's name in the suite.
const Chain = "meshtest"

// limit bounds how long any test of the suite may take.
const limit = 60 * time.Second

// Keys holds the signing keys of the suite's nodes.
type Keys map[ws.SiteID]ed25519.PrivateKey

// NewKeys draws them.
func NewKeys(t testing.TB, sites ...ws.SiteID) Keys {
	k := Keys{}
	for _, s := range sites {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k[s] = priv
	}
	return k
}

// Config is a link's configuration for a node over a carrier; labels "big"
// may have 64 MiB, others 1 MiB, and "unknown" is refused.
func (k Keys) Config(site ws.SiteID, c mesh.Carrier) mesh.Config {
	return mesh.Config{Chain: Chain, Self: site, Key: k[site], Carrier: c,
		Peer: func(s ws.SiteID) (ed25519.PublicKey, bool) {
			p, ok := k[s]
			if !ok {
				return nil, false
			}
			return p.Public().(ed25519.PublicKey), true
		},
		Limit: func(label string) int64 {
			switch label {
			case "unknown":
				return 0
			case "big":
				return 64 << 20
			}
			return 1 << 20
		}}
}

// Link opens a node's link and closes it when the test ends.
func (k Keys) Link(t testing.TB, cfg mesh.Config) *mesh.Link {
	t.Helper()
	l, err := mesh.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Run tests links over the networks that open returns. Every carrier's test calls it.
func Run(t *testing.T, open func(t *testing.T) Network) {
	t.Run("order", func(t *testing.T) { testOrder(t, open(t)) })
	t.Run("bodies", func(t *testing.T) { testBodies(t, open(t)) })
	t.Run("kept", func(t *testing.T) { testKept(t, open(t)) })
	t.Run("new-key", func(t *testing.T) { testNewKey(t, open(t)) })
	t.Run("receiver-restarts", func(t *testing.T) { testReceiverRestarts(t, open(t)) })
	t.Run("hostile", func(t *testing.T) { testHostile(t, open(t)) })
}

func timeout(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), limit)
	t.Cleanup(stop)
	return ctx
}

// Receive takes the next letter or fails the test.
func Receive(t testing.TB, ctx context.Context, l *mesh.Link) *mesh.Delivery {
	t.Helper()
	d, err := l.Receive(ctx)
	if err != nil {
		t.Fatalf("receive: %v (counts %+v)", err, l.Counts())
	}
	return d
}

func send(t testing.TB, ctx context.Context, l *mesh.Link, m mesh.Letter) {
	t.Helper()
	if m.Label == "" {
		m.Label = "small"
	}
	if err := l.Send(ctx, m); err != nil {
		t.Fatal(err)
	}
}

// Letters of a lane come once and in order, each with the digest of the one
// before it; lanes and directions do not mix.
func testOrder(t *testing.T, n Network) {
	ctx, keys := timeout(t), NewKeys(t, Hub, SiteA, SiteB)
	hub := keys.Link(t, keys.Config(Hub, n.Open(t, Hub)))
	sites := map[ws.SiteID]*mesh.Link{}
	for _, s := range []ws.SiteID{SiteA, SiteB} {
		sites[s] = keys.Link(t, keys.Config(s, n.Open(t, s)))
	}
	const letters = 100
	for s, l := range sites {
		go func() {
			for i := range letters {
				if l.Send(ctx, mesh.Letter{To: Hub, Run: fmt.Sprint("r", i%2), Round: i, Label: "small", Body: []byte(s)}) != nil {
					return
				}
			}
		}()
	}
	next := map[string]int{}
	for range 2 * letters {
		d := Receive(t, ctx, hub)
		key := string(d.From) + d.Run
		if want := 2*next[key] + int(d.Run[1]-'0'); d.Round != want || string(d.Body) != string(d.From) {
			t.Fatalf("from %s run %s: round %d, want %d", d.From, d.Run, d.Round, want)
		}
		if (d.Prev == [32]byte{}) != (next[key] == 0) {
			t.Errorf("%s: letter %d: previous digest %x", key, next[key], d.Prev)
		}
		next[key]++
		if err := d.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	send(t, ctx, hub, mesh.Letter{To: SiteB, Run: "r0", Body: []byte("answer")})
	if d := Receive(t, ctx, sites[SiteB]); d.From != Hub || string(d.Body) != "answer" || d.Ack() != nil {
		t.Errorf("site b got %q of %s", d.Body, d.From)
	}
	for _, l := range sites {
		if err := l.Flush(ctx); err != nil {
			t.Error(err)
		}
		if l.Seen(Hub).IsZero() {
			t.Error("the hub was never seen")
		}
	}
	if hub.Seen(SiteA).IsZero() || !hub.Seen("stranger").IsZero() {
		t.Error("last seen is wrong")
	}
}

// Bodies of every length around a piece come as they were, in memory and spilled.
func testBodies(t *testing.T, n Network) {
	ctx, keys := timeout(t), NewKeys(t, Hub, SiteA)
	cfg := keys.Config(Hub, n.Open(t, Hub))
	cfg.Spill = t.TempDir()
	hub := keys.Link(t, cfg)
	a := keys.Link(t, keys.Config(SiteA, n.Open(t, SiteA)))
	const piece = 480 << 10
	for _, size := range []int{0, 1, piece - 1, piece, piece + 1, 3*piece + 7, 12 << 20} {
		body := make([]byte, size)
		rand.Read(body)
		send(t, ctx, a, mesh.Letter{To: Hub, Run: "r", Label: "big", Body: body})
		d := Receive(t, ctx, hub)
		got, err := d.Bytes()
		if err != nil || !bytes.Equal(got, body) || d.Size != int64(size) {
			t.Fatalf("a body of %d bytes came as %d, %v", size, len(got), err)
		}
		if spilled := d.Body == nil && size > 0; spilled != (size > 4<<20) {
			t.Errorf("a body of %d bytes: spilled %v", size, spilled)
		}
		if err := d.Ack(); err != nil {
			t.Fatal(err)
		}
	}
}

// lasting opens the site on the memory of the one before.
func lasting(t *testing.T, n Network, keys Keys) func() mesh.Config {
	dir := t.TempDir()
	return func() mesh.Config {
		store, err := mesh.OpenDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		c := keys.Config(SiteA, n.Open(t, SiteA))
		c.Store = store
		return c
	}
}

// sendKept sends a short kept letter and a long one, whose body it returns.
func sendKept(t *testing.T, ctx context.Context, from *mesh.Link) (body []byte) {
	body = make([]byte, 1<<20)
	rand.Read(body)
	send(t, ctx, from, mesh.Letter{To: Hub, Run: "r", Round: 1, Keep: true})
	send(t, ctx, from, mesh.Letter{To: Hub, Run: "r", Round: 2, Keep: true, Body: body, Label: "big"})
	return body
}

// A kept letter comes after its sender has ended and begun again with its
// store; where the carrier keeps frames, even while the sender is away.
func testKept(t *testing.T, n Network) {
	ctx, keys := timeout(t), NewKeys(t, Hub, SiteA)
	cfg := lasting(t, n, keys)
	first := keys.Link(t, cfg())
	body := sendKept(t, ctx, first)
	time.Sleep(300 * time.Millisecond)
	first.Close()
	if !n.Keeps {
		first = keys.Link(t, cfg())
	}
	hub := keys.Link(t, keys.Config(Hub, n.Open(t, Hub)))
	one, two := Receive(t, ctx, hub), Receive(t, ctx, hub)
	if got, err := two.Bytes(); one.Round != 1 || two.Round != 2 || !bytes.Equal(got, body) || err != nil {
		t.Fatalf("kept letters came as rounds %d, %d, %v", one.Round, two.Round, err)
	}
	if err := one.Ack(); err != nil {
		t.Fatal(err)
	}
	if err := two.Ack(); err != nil {
		t.Fatal(err)
	}
	if n.Keeps {
		first = keys.Link(t, cfg())
	}
	send(t, ctx, first, mesh.Letter{To: Hub, Run: "r", Round: 3, Keep: true})
	if d := Receive(t, ctx, hub); d.Round != 3 || d.Prev == [32]byte{} || d.Ack() != nil {
		t.Errorf("after the restart round %d came", d.Round)
	}
	if err := first.Flush(ctx); err != nil {
		t.Error(err)
	}
}

// A sender that comes back with another key, which its peers know by then, has its
// kept letters come in their order; what the former key signed is no longer taken.
func testNewKey(t *testing.T, n Network) {
	ctx, keys := timeout(t), NewKeys(t, Hub, SiteA)
	cfg := lasting(t, n, keys)
	first := keys.Link(t, cfg())
	body := sendKept(t, ctx, first)
	first.Close()
	keys[SiteA] = NewKeys(t, SiteA)[SiteA]
	hub := keys.Link(t, keys.Config(Hub, n.Open(t, Hub)))
	second := keys.Link(t, cfg())
	send(t, ctx, second, mesh.Letter{To: Hub, Run: "r", Round: 3, Keep: true})
	for round := 1; round <= 3; round++ {
		d := Receive(t, ctx, hub)
		if b, err := d.Bytes(); d.Round != round || err != nil || round == 2 && !bytes.Equal(b, body) || d.Ack() != nil {
			t.Fatalf("round %d came in place of %d, %v", d.Round, round, err)
		}
	}
	if err := second.Flush(ctx); err != nil {
		t.Error(err)
	}
	if c := hub.Counts(); n.Keeps && c.Forged == 0 {
		t.Errorf("nothing came of the former key: %+v", c)
	}
}

// What a receiver did not acknowledge comes again after its restart, what it
// did does not; a receiver that lost its memory is told where the lane begins.
func testReceiverRestarts(t *testing.T, n Network) {
	ctx, keys := timeout(t), NewKeys(t, Hub, SiteA)
	a := keys.Link(t, keys.Config(SiteA, n.Open(t, SiteA)))
	store := mesh.NewMemory()
	begin := func() *mesh.Link {
		c := keys.Config(Hub, n.Open(t, Hub))
		c.Store = store
		return keys.Link(t, c)
	}
	hub := begin()
	for i := range 6 {
		send(t, ctx, a, mesh.Letter{To: Hub, Run: "r", Round: i, Keep: i%2 == 1})
	}
	want := map[int]bool{}
	for i := range 6 {
		want[i] = true
	}
	for len(want) > 2 { // the first two of either lane are acknowledged
		d := Receive(t, ctx, hub)
		if d.Round < 4 {
			if err := d.Ack(); err != nil {
				t.Fatal(err)
			}
			delete(want, d.Round)
		}
	}
	time.Sleep(200 * time.Millisecond)
	hub.Close()
	hub = begin()
	for len(want) > 0 {
		d := Receive(t, ctx, hub)
		if !want[d.Round] || d.Ack() != nil {
			t.Fatalf("round %d came after the restart", d.Round)
		}
		delete(want, d.Round)
	}
	if err := a.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	hub.Close()
	store = mesh.NewMemory()
	hub = begin()
	for i := 6; i < 8; i++ {
		send(t, ctx, a, mesh.Letter{To: Hub, Run: "r", Round: i, Keep: i%2 == 1})
	}
	for range 2 {
		if d := Receive(t, ctx, hub); d.Round < 6 || d.Ack() != nil {
			t.Fatalf("round %d came to a receiver without memory", d.Round)
		}
	}
}

// A carrier that drops, repeats, reorders, delays, replays, cuts and forges
// cannot keep a letter from coming once, whole and in its place.
func testHostile(t *testing.T, n Network) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			ctx, keys := timeout(t), NewKeys(t, Hub, SiteA)
			a := keys.Link(t, keys.Config(SiteA, NewHostile(n.Open(t, SiteA), seed, 0.1)))
			hub := keys.Link(t, keys.Config(Hub, NewHostile(n.Open(t, Hub), seed+100, 0.1)))
			const letters = 60
			bodies := make([][]byte, letters)
			for i := range bodies {
				bodies[i] = make([]byte, []int{10, 1000, 700 << 10, 3 << 20}[i%4*(i%3/2)])
				rand.Read(bodies[i])
			}
			go func() {
				for i, b := range bodies {
					if a.Send(ctx, mesh.Letter{To: Hub, Run: fmt.Sprint("seed", seed), Round: i, Label: "big", Body: b}) != nil {
						return
					}
				}
			}()
			for i, b := range bodies {
				d := Receive(t, ctx, hub)
				if d.Round != i || !bytes.Equal(d.Body, b) {
					t.Fatalf("letter %d came in place of %d", d.Round, i)
				}
				if err := d.Ack(); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 8 { // kept ones, from the hub
				send(t, ctx, hub, mesh.Letter{To: SiteA, Run: fmt.Sprint("kept", seed), Round: i, Label: "big", Body: make([]byte, i%2*600<<10), Keep: true})
			}
			for i := range 8 {
				if d := Receive(t, ctx, a); d.Round != i || d.Ack() != nil {
					t.Fatalf("kept letter %d came in place of %d", d.Round, i)
				}
			}
			if err := errors.Join(a.Flush(ctx), hub.Flush(ctx)); err != nil {
				t.Fatal(err)
			}
			if c := hub.Counts(); c.Malformed == 0 || c.Forged == 0 || c.Repeated == 0 {
				t.Errorf("the carrier was not hostile: %+v", c)
			}
		})
	}
}
