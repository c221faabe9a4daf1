package mesh

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	ws "wellspring"
)

// ahead is how many pieces go ungranted at the pace of a network.
var ahead = Quick.Ahead

// A granted is a peer that sends one letter, of which it sends what it is granted.
type granted struct {
	body   []byte
	digest [32]byte
	sent   int // pieces
	may    int
}

// [MESH-29]: of the long letters of more senders than may have pieces under way, all come, a few
// pieces at a time.
func TestLink_Grant(t *testing.T) {
	const senders = grantedPieces + 20
	pub, key, _ := ed25519.GenerateKey(nil)
	c := &tap{in: make(chan []byte, senders), out: make(chan []byte, 16*senders), pace: Pace{Tick: 5 * time.Millisecond, Resend: time.Minute, Slowest: time.Minute}}
	l, err := Open(Config{Chain: "chain", Self: "hub", Key: key, Carrier: c, Limit: func(string) int64 { return 64 << 20 },
		Peer: func(ws.SiteID) (ed25519.PublicKey, bool) { return pub, true }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	body := make([]byte, 3*piece+1)
	list := pieceList(body)
	peers := map[ws.SiteID]*granted{}
	type frame struct {
		data  []byte
		asked bool // not one of those that a peer sends unasked
	}
	var way []frame // have not arrived
	send := func(p *granted) {
		for ; p.sent < min(p.may, pieces(uint64(len(body)))); p.sent++ {
			way = append(way, frame{encodeData(p.digest, p.sent, pieceOf(p.body, p.sent)), p.sent >= ahead})
		}
	}
	for i := range senders {
		id := ws.SiteID(fmt.Sprint("p", i))
		h := &header{Letter: Letter{From: id, To: "hub", Run: "r", Label: "l"}, session: 1, seq: 1, size: uint64(len(body)), list: listDigest(list)}
		sig, digest, err := sign(key, letterDomain, "chain", h.encode())
		if err != nil {
			t.Fatal(err)
		}
		peers[id] = &granted{body: body, digest: digest, may: ahead}
		c.in <- encodeHead(h.encode(), sig, list, nil)
		send(peers[id])
	}
	begun := time.Now()
	for l.Counts().Letters < senders {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d of %d letters came; %d pieces are under way", l.Counts().Letters, senders, len(way))
		}
		asked := 0
		for _, f := range way {
			if f.asked {
				asked++
			}
		}
		if asked > 2*grantedPieces {
			t.Fatalf("%d pieces that were asked for are under way", asked)
		}
		select {
		case f := <-c.out:
			n, _, _, ok := decodeNoteFrame(f)
			if !ok {
				t.Fatal("a frame that is no note")
			}
			p := peers[n.To]
			p.may = max(p.may, int(n.have+n.grant))
			send(p)
		case <-time.After(time.Millisecond):
			if len(way) > 0 {
				i := rand.IntN(len(way))
				c.in <- way[i].data
				way[i] = way[len(way)-1]
				way = way[:len(way)-1]
			}
		}
	}
}

// A receiver that has lost what had come of a letter is sent all of it again.
func TestLink_GrantAnew(t *testing.T) {
	pub, key, _ := ed25519.GenerateKey(nil)
	s := &sink{tap: tap{in: make(chan []byte, 16), pace: Pace{Tick: 5 * time.Millisecond, Resend: 20 * time.Millisecond, Slowest: time.Minute}}, pieces: map[ws.SiteID]int{}}
	l, err := Open(Config{Chain: "chain", Self: "hub", Key: key, Carrier: s, Limit: func(string) int64 { return 64 << 20 },
		Peer: func(ws.SiteID) (ed25519.PublicKey, bool) { return pub, true }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Send(t.Context(), Letter{To: "one", Run: "r", Label: "plan", Body: make([]byte, 12*piece)}); err != nil {
		t.Fatal(err)
	}
	put := ahead
	for _, said := range []struct {
		have, grant uint32
		lacks       []uint32
		more        int
	}{{2, 8, nil, 8}, {10, 8, nil, 2}, {0, 4, []uint32{0, 1, 2, 3}, 4}, {4, 8, nil, 8}} {
		if n := s.put(t, put); n != put {
			t.Fatalf("%d pieces were put, not %d", n, put)
		}
		n := &note{From: "one", To: "hub", run: "r", session: l.start, next: 1, seq: 1, have: said.have, grant: said.grant, lacks: said.lacks}
		sig, _, err := sign(key, noteDomain, "chain", n.encode())
		if err != nil {
			t.Fatal(err)
		}
		s.in <- encodeNoteFrame(n.encode(), sig)
		put += said.more
	}
	if n := s.put(t, put); n != put {
		t.Fatalf("%d pieces were put, not %d", n, put)
	}
}

// A peer that never sends the first piece of its letters keeps what it was granted, and
// takes nothing from the share of another.
func TestLink_GrantHog(t *testing.T) {
	pub, key, _ := ed25519.GenerateKey(nil)
	c := &tap{in: make(chan []byte, 64), out: make(chan []byte, 1024), pace: Pace{Tick: 5 * time.Millisecond, Resend: time.Minute, Slowest: time.Minute}}
	l, err := Open(Config{Chain: "chain", Self: "hub", Key: key, Carrier: c, Limit: func(string) int64 { return 64 << 20 },
		Peer: func(ws.SiteID) (ed25519.PublicKey, bool) { return pub, true }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	body := make([]byte, 20*piece)
	list := pieceList(body)
	begin := func(from ws.SiteID, run string) [32]byte {
		h := &header{Letter: Letter{From: from, To: "hub", Run: run, Label: "l"}, session: 1, seq: 1, size: uint64(len(body)), list: listDigest(list)}
		sig, digest, err := sign(key, letterDomain, "chain", h.encode())
		if err != nil {
			t.Fatal(err)
		}
		c.in <- encodeHead(h.encode(), sig, list, nil)
		return digest
	}
	told := func() *note {
		select {
		case f := <-c.out:
			n, _, _, _ := decodeNoteFrame(f)
			return n
		case <-time.After(10 * time.Second):
			t.Fatal("no note came")
			return nil
		}
	}
	for i := range 12 {
		c.in <- encodeData(begin("hog", fmt.Sprint("r", i)), 1, pieceOf(body, 1))
		told()
	}
	honest := begin("honest", "r")
	for i, may := 0, ahead; i < pieces(uint64(len(body))); i++ {
		for may <= i {
			if n := told(); n.To == "honest" {
				may = int(n.have + n.grant)
			}
		}
		c.in <- encodeData(honest, i, pieceOf(body, i))
	}
	if d, err := l.Receive(t.Context()); err != nil || d.From != "honest" {
		t.Errorf("%v came, %v", d, err)
	}
}
