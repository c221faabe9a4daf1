package run

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	ws "wellspring"
)

func TestPack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 9).Draw(t, "parts")
		got, err := unpack(pack(list...), len(list))
		if err != nil || !slices.EqualFunc(got, list, bytes.Equal) {
			t.Fatalf("unpacked %v, %v", got, err)
		}
		if _, err := unpack(pack(list...), len(list)-1); len(list) > 0 && ws.KindOf(err) != ws.Invalid {
			t.Fatalf("one part too many: %v", err)
		}
	})
	for _, bad := range [][]byte{{1}, {0x80, 0}, {5, 1, 2}, bytes.Repeat([]byte{0xff}, 12)} {
		if _, err := unpack(bad, 9); ws.KindOf(err) != ws.Invalid {
			t.Errorf("% x: %v", bad, err)
		}
	}
}

// A refusal tells our own words and not those of an engine, which may quote a
// row, nor a place in a file.
func TestRefusal(t *testing.T) {
	err := ws.At("site va", ws.Errorf(ws.Invalid, "column age", ws.T("a value is outside the dictionary", "有取值超出字典")).
		WithHint(ws.T("correct the dictionary", "请更正字典")).Located(ws.Position{File: "patients.csv", Line: 17}).
		Wrap(errors.New("Conversion Error: could not convert string 'Li Lei' to INT32")))
	b := refusalBody(err)
	for _, secret := range []string{"Li Lei", "17", "patients", "Conversion"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the refusal tells %q: %s", secret, b)
		}
	}
	got := readRefusal("va", b)
	if ws.KindOf(got) != ws.Invalid || !strings.Contains(got.Error(), "outside the dictionary") || ws.HintOf(got).Zh != "请更正字典" {
		t.Errorf("read back: %v", got)
	}
	if b := refusalBody(errors.New("Li Lei")); bytes.Contains(b, []byte("Li Lei")) {
		t.Errorf("a fault is told: %s", b)
	}
	if b := refusalBody(ws.Errorf(ws.Invalid, strings.Repeat("x", maxRefusal), ws.T("long", "长"))); len(b) > 4*maxTold || readRefusal("va", b) == nil {
		t.Errorf("a long refusal has %d bytes", len(b))
	}
	if err := readRefusal("va", make([]byte, maxRefusal+1)); ws.KindOf(err) != ws.Invalid {
		t.Errorf("a refusal of too many bytes: %v", err)
	}
}

func TestBodyBound(t *testing.T) {
	for _, s := range []Step{Open, Plan, Coins, Ask, RosterStep, Propose, Certify, OpenSum, Audited, End, FactsStep, CoinStep, Pairs, SharesStep, Contribute, Vote, Reveal, Audit, Refuse} {
		small, large := bodyBound(s, 4, 10), bodyBound(s, MaxSites, 1<<26)
		if small < 1 || small > large || large > maxBody {
			t.Errorf("%s: %d, %d", s, small, large)
		}
	}
	if n := bodyBound(Contribute, 4, 10); n > 200<<10 {
		t.Errorf("ten numbers may come in %d bytes", n)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte{})
	f.Add(pack([]byte("a"), nil, bytes.Repeat([]byte{1}, 200)))
	f.Add([]byte{0x80, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		parts, err := unpack(b, 64)
		if err == nil && !bytes.Equal(pack(parts...), b) {
			t.Error("what unpack takes, pack does not give back")
		}
	})
}

func FuzzReadRefusal(f *testing.F) {
	f.Add(refusalBody(ws.Errorf(ws.Denied, "x", ws.T("no", "否"))))
	f.Add([]byte(`{"kind":"?","msg":{"en":"%s%d"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := readRefusal("va", b); err == nil || err.Error() == "" {
			t.Error("a refusal is no error")
		}
	})
}

func FuzzOpening(f *testing.F) {
	f.Add([]byte(`{"chain":"c","run":"r","epoch":1,"release":"` + string(ws.Version) + `","conductor":"hub","institution":"centre","members":[{"site":"a","institution":"a","key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}],"study":{"kind":"Study"}}`))
	f.Add([]byte(`{"members":null}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := readOpening(b)
		if err != nil {
			return
		}
		if _, err := o.Digest(); err != nil {
			t.Errorf("a valid opening has no digest: %v", err)
		}
		if s, err := o.study(); err == nil {
			if _, err := o.params(sha256.Sum256(b), s, nil); err != nil {
				t.Errorf("a valid opening has no parameters: %v", err)
			}
		}
	})
}
