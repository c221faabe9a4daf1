package mesh

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
)

// sampleHead is a signed head frame from one to two.
func sampleHead(t testing.TB, m Letter, seq uint64) (frame []byte, key ed25519.PrivateKey) {
	key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	list := pieceList(m.Body)
	h := &header{Letter: m, session: 9, seq: seq, size: uint64(len(m.Body)), list: listDigest(list)}
	h.Body = nil
	sig, _, err := sign(key, letterDomain, "chain", h.encode())
	if err != nil {
		t.Fatal(err)
	}
	return encodeHead(h.encode(), sig, list, m.Body), key
}

var sample = Letter{From: "one", To: "two", Run: "run", Epoch: 1, Round: 2, Attempt: 3, Label: "ask", Body: []byte("body")}

// [MESH-1], [MESH-2]: every part of a letter is under its signature.
func TestLetter_Signed(t *testing.T) {
	frame, key := sampleHead(t, sample, 1)
	h, ok := decodeHead(frame)
	if !ok {
		t.Fatal("a genuine head is refused")
	}
	if _, ok := verify(key.Public().(ed25519.PublicKey), letterDomain, "chain", h.encoded, h.signature); !ok {
		t.Fatal("a genuine signature is refused")
	}
	if h.From != "one" || h.To != "two" || h.Run != "run" || h.Epoch != 1 || h.Round != 2 || h.Attempt != 3 || h.Label != "ask" || string(h.body) != "body" {
		t.Errorf("head decoded as %+v", h.Letter)
	}
	for _, c := range []struct{ domain, chain string }{{letterDomain, "other"}, {noteDomain, "chain"}} {
		if _, ok := verify(key.Public().(ed25519.PublicKey), c.domain, c.chain, h.encoded, h.signature); ok {
			t.Errorf("a signature is taken for domain %q chain %q", c.domain, c.chain)
		}
	}
	for i := range frame {
		for bit := range 8 {
			bad := bytes.Clone(frame)
			bad[i] ^= 1 << bit
			if i == 0 {
				continue // another kind of frame
			}
			if h, ok := decodeHead(bad); ok {
				if _, ok := verify(key.Public().(ed25519.PublicKey), letterDomain, "chain", h.encoded, h.signature); ok {
					t.Errorf("byte %d, bit %d may change", i, bit)
				}
			}
		}
		if _, ok := decodeHead(frame[:i]); ok {
			t.Errorf("a head cut at %d is taken", i)
		}
	}
}

func TestLetter_Bounds(t *testing.T) {
	for name, change := range map[string]func(*Letter){
		"run": func(m *Letter) { m.Run = "" }, "long run": func(m *Letter) { m.Run = strings.Repeat("r", maxRun+1) },
		"label": func(m *Letter) { m.Label = strings.Repeat("l", maxLabel+1) }, "round": func(m *Letter) { m.Round = -1 },
		"attempt": func(m *Letter) { m.Attempt = 1 << 31 }, "from": func(m *Letter) { m.From = "a/b" },
	} {
		m := sample
		change(&m)
		if m.check() == nil {
			t.Errorf("%s: out of bounds and taken", name)
		}
		if frame, _ := sampleHead(t, m, 1); frame != nil {
			if _, ok := decodeHead(frame); ok && m.Round >= 0 {
				t.Errorf("%s: decoded", name)
			}
		}
	}
	if frame, _ := sampleHead(t, sample, 0); frame != nil {
		if _, ok := decodeHead(frame); ok {
			t.Error("a letter without place is decoded")
		}
	}
}

// [MESH-5]: the longest head, and every piece, fits a frame.
func TestFrame_Fits(t *testing.T) {
	n := pieces(MaxBody)
	if head := 1 + 2 + 4096 + 64 + 32*n; head > MaxFrame {
		t.Errorf("a head may have %d bytes", head)
	}
	if one := 1 + 2 + 4096 + 64 + 32 + piece; one > MaxFrame || dataOverhead+piece > MaxFrame {
		t.Errorf("a head of one piece may have %d bytes", one)
	}
}

func TestFrame_Data(t *testing.T) {
	b := encodeData([32]byte{1}, 77, []byte("piece"))
	d, ok := decodeData(b)
	if !ok || d.index != 77 || string(d.piece) != "piece" || d.digest != [32]byte{1} {
		t.Errorf("decoded as %+v", d)
	}
	if _, ok := decodeData(make([]byte, MaxFrame+1)); ok {
		t.Error("too long a piece is taken")
	}
}

func FuzzHead(f *testing.F) {
	frame, _ := sampleHead(f, sample, 1)
	f.Add(frame)
	long := sample
	long.Body = make([]byte, piece+1)
	frame, _ = sampleHead(f, long, 3)
	f.Add(frame)
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, ok := decodeHead(b); ok {
			if again := encodeHead(h.encoded, h.signature, h.list, h.body); b[0] == headFrame && !bytes.Equal(again, b) {
				t.Error("two encodings of one head")
			}
		}
	})
}

func FuzzNote(f *testing.F) {
	n := &note{From: "one", To: "two", run: "r", session: 3, next: 9, seq: 10, have: 4, lacks: []uint32{5, 7}}
	f.Add(encodeNoteFrame(n.encode(), make([]byte, 64)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, encoded, sig, ok := decodeNoteFrame(b); ok {
			if !bytes.Equal(encodeNoteFrame(n.encode(), sig), b) || !bytes.Equal(n.encode(), encoded) {
				t.Error("two encodings of one note")
			}
		}
	})
}

func FuzzData(f *testing.F) {
	f.Add(encodeData([32]byte{1}, 77, []byte("piece")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := decodeData(b); ok && !bytes.Equal(encodeData(d.digest, d.index, d.piece), b) {
			t.Error("two encodings of one piece")
		}
	})
}

// A short letter holds little memory while it waits for its acknowledgement: a
// hub has many of them under way, to every site.
func TestHead_Short(t *testing.T) {
	for _, n := range []int{0, 300, piece} {
		body := make([]byte, n)
		if b := encodeHead(make([]byte, 100), make([]byte, 64), pieceList(body), body); cap(b)-len(b) > 1<<10+n/8 {
			t.Errorf("a head of %d bytes holds %d", len(b), cap(b))
		}
	}
}
