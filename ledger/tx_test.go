package ledger_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
)

// everyKind gives one transaction of each kind, as they came onto a chain.
func everyKind(tb testing.TB) []ledger.Tx {
	tb.Helper()
	var txs []ledger.Tx
	n := ledgertest.InMemory(tb)
	submit := n.Submit
	n.Submit = func(tx ledger.Tx) error {
		txs = append(txs, tx)
		return submit(tx)
	}
	n.Found()
	n.Must("hub", ledgertest.Open("s", "r", 1, ledgertest.Sites...))
	n.Must("hub", &ledger.MarkSum{Epoch: 1, Run: ledgertest.RunID("r")})
	n.Must("hub", closing("r", 1, ledger.OK))
	n.Must("hub", release("r"))
	n.Must("hub", ledgertest.Open("s", "reviewed", 1, ledgertest.Sites...))
	n.Must("hub", &ledger.MarkSum{Epoch: 1, Run: ledgertest.RunID("reviewed")})
	n.Must("hub", reviewed("reviewed", "xiehe"))
	n.Must("inst-xiehe", review("reviewed", "xiehe", ledger.Suppress, 1, 3))
	n.Must("operator", &ledger.SetRule{Key: ledgertest.Public("operator 2"), Possession: n.Possession(ledger.ByOperator, "", "operator 2"), Rule: "operator"})
	kinds := map[ledger.Kind]ledger.Tx{}
	var out []ledger.Tx
	for _, tx := range txs {
		if _, seen := kinds[tx.Body().Kind()]; !seen {
			out = append(out, tx)
		}
		kinds[tx.Body().Kind()] = tx
	}
	if len(out) != 13 {
		tb.Fatalf("%d kinds", len(out))
	}
	return out
}

// [LEDGER-TX.1]: one transaction, one spelling.
//
// [LEDGER-TX.4]
func TestDecodeTx_Strict(t *testing.T) {
	for _, tx := range everyKind(t) {
		raw := string(tx.Bytes())
		again, err := ledger.DecodeTx([]byte(raw))
		if err != nil || again.Digest() != tx.Digest() || !bytes.Equal(again.Bytes(), tx.Bytes()) {
			t.Fatalf("%s: %v", tx.Body().Kind(), err)
		}
		kind := string(tx.Body().Kind())
		for name, bad := range map[string]string{
			"space":           strings.Replace(raw, `,"chain"`, `, "chain"`, 1),
			"trailing":        raw + " ",
			"two":             raw + raw,
			"unknown field":   strings.Replace(raw, `,"chain"`, `,"cain":1,"chain"`, 1),
			"unknown in body": strings.Replace(raw, `"body":{`, `"body":{"a":1,`, 1),
			"repeated":        strings.Replace(raw, `"body":{`, `"seq":1,"body":{`, 1),
			"missing":         strings.Replace(raw, `"author":"`+tx.Author().String()+`",`, "", 1),
			"capitals":        strings.Replace(raw, `"chain"`, `"Chain"`, 1),
			"escape":          strings.Replace(raw, `"kind":"`+kind, `"kind":"\u00`+hex.EncodeToString([]byte(kind[:1]))+kind[1:], 1),
			"null body":       raw[:strings.Index(raw, `"body":`)] + `"body":null` + raw[strings.Index(raw, `,"chain"`):],
			"float":           strings.Replace(raw, `"seq":`, `"seq":0.5e0,"x":`, 1),
			"unknown kind":    strings.Replace(raw, `"kind":"`+kind, `"kind":"future`, 1),
			"another kind":    strings.Replace(raw, `"kind":"`+kind, `"kind":"`+map[bool]string{true: "sum", false: "genesis"}[kind == "genesis"], 1),
			"seq 0":           replaceSeq(raw, "0"),
			"seq too large":   replaceSeq(raw, "9007199254740992"),
			"upper hex":       strings.Replace(raw, tx.Author().String(), strings.ToUpper(tx.Author().String()), 1),
			"half":            raw[:len(raw)/2],
			"empty":           "",
			"large":           raw + strings.Repeat(" ", ledger.MaxTx),
			"deep":            strings.Repeat("[", 100000),
		} {
			if bad == raw {
				t.Fatalf("%s: %s changes nothing", kind, name)
			}
			if _, err := ledger.DecodeTx([]byte(bad)); ws.KindOf(err) != ws.Invalid {
				t.Errorf("%s: %s: %v", kind, name, err)
			}
		}
	}
}

func replaceSeq(raw, seq string) string {
	i := strings.LastIndex(raw, `"seq":`) + len(`"seq":`)
	return raw[:i] + seq + raw[strings.LastIndex(raw, `,"signature"`):]
}

// [LEDGER-TX.1]
func FuzzDecodeTx(f *testing.F) {
	for _, tx := range everyKind(f) {
		f.Add(tx.Bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := ledger.DecodeTx(raw)
		if err != nil {
			if ws.KindOf(err) == ws.Other {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		if !bytes.Equal(tx.Bytes(), raw) {
			t.Error("a transaction has two spellings")
		}
		if tx.Body().Describe().In(ws.Chinese) == "" {
			t.Error("nothing to read")
		}
		if _, _, err := ledger.Apply(ledger.State{}, tx); err == nil && tx.Body().Kind() != "genesis" {
			t.Error("it holds before the genesis")
		}
	})
}

// Names that would be another to people, or to another table of Unicode.
//
// [LEDGER-TX.5]
func TestNames(t *testing.T) {
	n := ledgertest.InMemory(t)
	n.Must("operator", n.Genesis())
	for name, good := range map[string]bool{
		"va": true, "市一院": true, "a.b_c-1": true, strings.Repeat("院", 64): true, strings.Repeat("院", 65): false,
		"": false, "-a": false, "a/b": false, "a b": false, "é": false, "ｖａ": false, "a\x00": false, "..": false, "а": false, "한국": false, "\xff": false,
	} {
		body := n.Institution("key")
		body.Institution = ws.Institution(name)
		body.Possession = n.Possession(ledger.ByInstitution, name, "key")
		_, err := ledger.Sign(n.Chain(), 2, body, ledgertest.Key("operator"))
		if (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// [LEDGER-KEY.1]: keys under which strangers' signatures verify are refused.
func TestKeys_SmallOrder(t *testing.T) {
	identity := edwards25519.NewIdentityPoint().Bytes()
	base := edwards25519.NewGeneratorPoint()
	eight, err := new(edwards25519.Point).SetBytes(mustHex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
	if err != nil {
		t.Fatal(err)
	}
	mixed := new(edwards25519.Point).Add(base, eight).Bytes() // prime order times 8
	none := bytes.Repeat([]byte{7}, 32)
	for name, key := range map[string][]byte{"identity": identity, "order 8": eight.Bytes(), "mixed": mixed, "zero": make([]byte, 32), "no point": none} {
		body := &ledger.Genesis{Nonce: ledgertest.Hash("x"), Operator: ledger.PublicKey(key), Suite: ledger.Intl}
		if _, err := ledger.Sign("test", 1, body, ledgertest.Key("operator")); ws.KindOf(err) != ws.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := &ledger.Genesis{Nonce: ledgertest.Hash("x"), Operator: ledger.PublicKey(base.Bytes()), Suite: ledger.Intl}
	if _, err := ledger.Sign("test", 1, good, ledgertest.Key("operator")); err != nil {
		t.Error(err)
	}
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The encodings that are not canonical, y from p to 2^255−1 with either sign,
// are few, and none is of a point of prime order.
//
// [LEDGER-KEY.1]
func TestKeys_OneEncoding(t *testing.T) {
	points := 0
	for low := 0xed; low <= 0xff; low++ {
		for _, high := range []byte{0x7f, 0xff} {
			key := bytes.Repeat([]byte{0xff}, 32)
			key[0], key[31] = byte(low), high
			if _, err := new(edwards25519.Point).SetBytes(key); err == nil {
				points++
			}
			body := &ledger.Genesis{Nonce: ledgertest.Hash("x"), Operator: ledger.PublicKey(key), Suite: ledger.Intl}
			if _, err := ledger.Sign("test", 1, body, ledgertest.Key("operator")); ws.KindOf(err) != ws.Invalid {
				t.Errorf("%x: %v", key, err)
			}
		}
	}
	if points == 0 {
		t.Error("no point was tried")
	}
}

// liar is a device whose signatures do not verify.
type liar struct{ ed25519.PrivateKey }

func (l liar) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 64), nil
}

func TestSign_BadSigner(t *testing.T) {
	n := ledgertest.InMemory(t)
	if _, err := ledger.Sign("test", 1, n.Genesis(), liar{ledgertest.Key("operator")}); err == nil {
		t.Error("a signature that does not verify is handed on")
	}
}

// [LEDGER-COMMIT.1]
func TestCommit(t *testing.T) {
	salt, err := ledger.NewSalt(bytes.NewReader(bytes.Repeat([]byte{1}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if ledger.Commit(salt, []byte("x")) == ledger.Commit(salt, []byte("y")) || ledger.Commit(salt, []byte("x")) == ledger.Commit(ledger.Salt{}, []byte("x")) {
		t.Error("a commitment does not bind")
	}
	if _, err := ledger.NewSalt(strings.NewReader("short")); err == nil {
		t.Error("a short salt")
	}
}
