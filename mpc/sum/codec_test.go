package sum

import (
	"bytes"
	"encoding"
	"reflect"
	"slices"
	"testing"

	ws "wellspring"
)

// decoders makes one empty message of each tag.
var decoders = map[byte]func() encoding.BinaryUnmarshaler{
	tagAdvert: func() encoding.BinaryUnmarshaler { return new(Advert) }, tagCoin: func() encoding.BinaryUnmarshaler { return new(Coin) },
	tagEncaps: func() encoding.BinaryUnmarshaler { return new(Encaps) }, tagShares: func() encoding.BinaryUnmarshaler { return new(Shares) },
	tagPiece: func() encoding.BinaryUnmarshaler { return new(Piece) }, tagRoster: func() encoding.BinaryUnmarshaler { return new(Roster) },
	tagMasked: func() encoding.BinaryUnmarshaler { return new(Masked) }, tagList: func() encoding.BinaryUnmarshaler { return new(List) },
	tagVote: func() encoding.BinaryUnmarshaler { return new(Vote) }, tagCertificate: func() encoding.BinaryUnmarshaler { return new(Certificate) },
	tagReveal: func() encoding.BinaryUnmarshaler { return new(Reveal) }, tagAudit: func() encoding.BinaryUnmarshaler { return new(Audit) },
	tagHistory: func() encoding.BinaryUnmarshaler { return new(History) },
}

// samples are one honest message of each kind, and a history.
func samples(t testing.TB) []message {
	w := newWorld(t, testParams(4), nil)
	pl := w.start(round0(3))
	pl.lost[3] = inReveal
	if err := pl.all(); err != nil {
		t.Fatal(err)
	}
	audit, err := w.party[0].Accept(pl.sum)
	if err != nil {
		t.Fatal(err)
	}
	a := w.party[0].advert
	a.Opened = setOf(4, 0, 1, 3)
	return []message{w.party[1].advert, a, Coin{From: 2, Share: w.party[2].share}, w.party[0].sent[0], pl.shares[1], pl.pieces[2][0],
		pl.roster, pl.masked[2], pl.list, pl.votes[0], pl.cert, pl.reveals[1], audit, w.party[0].History()}
}

func TestCodec_RoundTrip(t *testing.T) {
	seen := make(map[byte]bool)
	for _, m := range samples(t) {
		b, err := m.MarshalBinary()
		must(t, err)
		seen[b[0]] = true
		back := decoders[b[0]]()
		if err := back.UnmarshalBinary(b); err != nil {
			t.Errorf("%T: %v", m, err)
		}
		if got := reflect.ValueOf(back).Elem().Interface(); !reflect.DeepEqual(got, m) {
			t.Errorf("%T: comes back as %+v, want %+v", m, got, m)
		}
		for cut := range min(len(b), 200) {
			wantKind(t, "a short message", decoders[b[0]]().UnmarshalBinary(b[:cut]), ws.Invalid)
		}
		wantKind(t, "a long message", decoders[b[0]]().UnmarshalBinary(append(b, 0)), ws.Invalid)
	}
	if len(seen) != len(decoders) {
		t.Errorf("%d of %d kinds of message were tried", len(seen), len(decoders))
	}
}

// What a decoder takes is the only form of what it means.
func FuzzMessage(f *testing.F) {
	for _, m := range samples(f) {
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || decoders[b[0]] == nil {
			return
		}
		m := decoders[b[0]]()
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := reflect.ValueOf(m).Elem().Interface().(message).MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%T: other bytes", m)
		}
	})
}

// A tally takes any bytes that decode without harm.
func FuzzTally(f *testing.F) {
	p := testParams(3)
	p.Signatures = new(Signatures) // the vectors' are checked once, not at every input
	w := newWorld(f, p, nil)
	pl := w.start(round0(2)).mustAll()
	for _, m := range []message{pl.shares[0], pl.masked[1], pl.cert, pl.reveals[2], pl.list} {
		b, _ := m.MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tally := pl.tallyOf()
		want := pl.sum.Digest
		c, reveals := pl.cert, pl.reveals
		var shares Shares
		var masked Masked
		var cert Certificate
		var reveal Reveal
		var list List
		switch {
		case shares.UnmarshalBinary(b) == nil:
			_ = tally.AddShares(shares)
		case masked.UnmarshalBinary(b) == nil:
			_ = tally.AddMasked(masked)
		case cert.UnmarshalBinary(b) == nil:
			c = cert
		case reveal.UnmarshalBinary(b) == nil:
			reveals = append([]Reveal{reveal}, reveals...)
		case list.UnmarshalBinary(b) == nil:
			_ = tally.Check(list)
		}
		if sum, err := tally.Open(c, reveals); err == nil && sum.Digest != want {
			t.Error("another sum was opened")
		}
	})
}

// A state from a damaged journal, in any phase, is refused or is a party's: it
// answers or refuses every message of the run, and never panics.
func FuzzState(f *testing.F) {
	p := testParams(3)
	p.Signatures = new(Signatures)
	w := newWorld(f, p, nil)
	add := func() { f.Add(w.states()[0]) }
	fresh, err := NewParty(p, p.Sites[0].ID, w.keys[0], History{}, testRand("fresh"))
	must(f, err)
	b, err := fresh.MarshalBinary()
	must(f, err)
	f.Add(b)
	add()
	pl := w.start(round0(2))
	for _, phase := range []func() error{pl.share, pl.mask, pl.vote, pl.reveal, pl.open} {
		must(f, phase())
		add()
	}
	pl.accept()
	add()
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseParty(b, w.keys[0])
		if err != nil {
			return
		}
		if again, err := p.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Error("other bytes")
		}
		_, _ = p.Encaps(w.epoch)
		_ = p.Join(nil)
		_, _, _ = p.Share(pl.round)
		_, _ = p.Mask(pl.roster, pl.pieces[0], slices.Clone(pl.x[0]))
		_, _ = p.Vote(pl.tally, pl.list)
		_, _ = p.Reveal(pl.cert)
		_, _ = p.Accept(pl.sum)
		p.Close()
	})
}

func TestParseParty_AnotherKey(t *testing.T) {
	w := newWorld(t, testParams(3), nil)
	b, err := w.party[0].MarshalBinary()
	must(t, err)
	_, err = ParseParty(b, w.keys[1])
	wantKind(t, "another site's key", err, ws.Invalid)
}

func TestParams_Validate(t *testing.T) {
	for _, c := range []struct {
		what string
		bend func(*Params)
		kind ws.Kind
	}{
		{"gm", func(p *Params) { p.Suite = GM }, ws.Invalid},
		{"no suite", func(p *Params) { p.Suite = "" }, ws.Invalid},
		{"no chain", func(p *Params) { p.Chain = "" }, ws.Invalid},
		{"no run", func(p *Params) { p.Run = "" }, ws.Invalid},
		{"no sites", func(p *Params) { p.Sites = nil }, ws.Invalid},
		{"too many sites", func(p *Params) { p.Sites = make([]Member, MaxSites+1) }, ws.Invalid},
		{"two sites", func(p *Params) { p.Sites = p.Sites[:2] }, ws.Denied},
		{"out of order", func(p *Params) { p.Sites[0], p.Sites[1] = p.Sites[1], p.Sites[0] }, ws.Invalid},
		{"a site twice", func(p *Params) { p.Sites[1] = p.Sites[0] }, ws.Invalid},
		{"a key twice", func(p *Params) { p.Sites[1].Key = p.Sites[0].Key }, ws.Invalid},
		{"a short key", func(p *Params) { p.Sites[1].Key = p.Sites[1].Key[:31] }, ws.Invalid},
		{"a bad name", func(p *Params) { p.Sites[0].ID = "a b" }, ws.Invalid},
	} {
		p := testParams(4)
		c.bend(&p)
		wantKind(t, c.what, p.Validate(), c.kind)
		if p.Digest() == testParams(4).Digest() {
			t.Errorf("%s: the digest does not show it", c.what)
		}
	}
	p := testParams(2)
	if err := p.Validate(); err != nil {
		t.Errorf("two sites that may: %v", err)
	}
}
