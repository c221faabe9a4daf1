package ledger_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	. "wellspring/ledger/ledgertest"
)

// The specification, followed a second time by hand: a signature is over what
// [LEDGER-TX.6] says, and the root of a state is what [LEDGER-TREE.2],
// [LEDGER-TREE.3] and [LEDGER-TREE.4] make of its records.
func TestSpec_Bytes(t *testing.T) {
	n := InMemory(t)
	if want := sha256.Sum256([]byte{2}); n.State().Root() != want {
		t.Error("the root of nothing")
	}
	n.Found()
	tx := n.Sign("operator", n.Institution("x"))
	var fields struct {
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(tx.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	signed := "wellspring/tx\n" + strings.Replace(string(tx.Bytes()), `,"signature":"`+fields.Signature+`"`, "", 1)
	signature, err := hex.DecodeString(fields.Signature)
	key := Public("operator")
	if err != nil || !ed25519.Verify(key[:], []byte(signed), signature) || tx.Digest() != sha256.Sum256([]byte(signed)) {
		t.Error("the signature is over something else")
	}
	if key.ID() != sha256.Sum256(append([]byte("wellspring/key\n"), key[:]...)) {
		t.Error("the id of a key")
	}
	records := map[string][]byte{}
	for k, v := range n.State().Values("") {
		records[string(k)] = v
	}
	if n.State().Root() != rootOf(records, 0) {
		t.Error("the root is another")
	}
}

func bitOf(k string, i int) byte {
	if i/8 >= len(k) {
		return 0
	}
	return k[i/8] >> (7 - i%8) & 1
}

// rootOf follows the definition: no tree is kept, keys are parted bit by bit.
func rootOf(records map[string][]byte, bit int) [32]byte {
	parts := [2]map[string][]byte{{}, {}}
	for k, v := range records {
		if len(records) == 1 {
			b := append([]byte{0}, binary.BigEndian.AppendUint16(nil, uint16(len(k)))...)
			h := sha256.Sum256(v)
			return sha256.Sum256(append(append(b, k...), h[:]...))
		}
		parts[bitOf(k, bit)][k] = v
	}
	for i, side := range parts {
		if len(side) == 0 {
			return rootOf(parts[1-i], bit+1)
		}
	}
	left, right := rootOf(parts[0], bit+1), rootOf(parts[1], bit+1)
	b := append([]byte{1}, binary.BigEndian.AppendUint16(nil, uint16(bit))...)
	return sha256.Sum256(append(append(b, left[:]...), right[:]...))
}
