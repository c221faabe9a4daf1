package ledger

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// keys draws keys that share beginnings, as those of the state do.
func keys() *rapid.Generator[Key] {
	return rapid.Custom(func(t *rapid.T) Key {
		return Key(rapid.StringMatching(`(a|b|site|site/|study/)[a-c\x01\xff]{0,4}`).Draw(t, "key"))
	})
}

func build(m map[Key]string, order []Key) *node {
	var n *node
	for _, k := range order {
		n = n.put(newLeaf(k, []byte(m[k]), nil))
	}
	return n
}

// [LEDGER-TREE.1]: a tree is its set of keys and values, whatever the order in
// which they came; it lists them in byte order; and older trees stay.
func TestTree_Model(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(keys(), rapid.StringN(0, 4, -1)).Draw(t, "values")
		sorted := slices.Sorted(maps.Keys(m))
		a := build(m, sorted)
		b := build(m, rapid.Permutation(sorted).Draw(t, "order"))
		if a.root() != b.root() {
			t.Fatal("the order of writing shows in the root")
		}
		k := keys().Draw(t, "written again")
		before := a.root()
		c := a.put(newLeaf(k, []byte("new"), nil))
		if c.root() == before || a.root() != before {
			t.Fatal("a write does not show, or shows in an older tree")
		}
		if old, known := m[k]; known && c.put(newLeaf(k, []byte(old), nil)).root() != before {
			t.Fatal("writing back does not give the old root")
		}
		checkLists(t, a, m, sorted)
	})
}

func checkLists(t *rapid.T, n *node, m map[Key]string, sorted []Key) {
	prefix := Key(rapid.SampledFrom([]string{"", "a", "site", "site/", "study/", "zz", "b\xff"}).Draw(t, "prefix"))
	var got, want []Key
	for l := range n.under(prefix) {
		got = append(got, l.key)
		if string(l.value) != m[l.key] {
			t.Fatalf("%q holds %q", l.key, l.value)
		}
	}
	for _, k := range sorted {
		if strings.HasPrefix(string(k), string(prefix)) {
			want = append(want, k)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("under %q: %q, want %q", prefix, got, want)
	}
}

// [LEDGER-PROOF.1]: a proof shows what is there and what is not, and no other
// value, key or root passes with it, nor with its bytes changed.
func TestProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(keys(), rapid.StringN(0, 4, -1)).Draw(t, "values")
		sorted := slices.Sorted(maps.Keys(m))
		n := build(m, sorted)
		k := keys().Draw(t, "asked")
		if len(sorted) > 0 && rapid.Bool().Draw(t, "there") {
			k = rapid.SampledFrom(sorted).Draw(t, "asked")
		}
		b, err := n.prove(k).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var p Proof
		if err := p.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		want, there := m[k]
		got, present, err := p.Verify(n.root(), k)
		if err != nil || present != there || string(got) != want {
			t.Fatalf("%q: %q, %v, %v", k, got, present, err)
		}
		if _, _, err := p.Verify(n.put(newLeaf(k, []byte("other"), nil)).root(), k); err == nil {
			t.Fatal("the proof passes for another state")
		}
		forge(t, n, m, k, b)
	})
}

// forge changes one bit of a proof, and asks it for another key: it must fail,
// or say what is so.
func forge(t *rapid.T, n *node, m map[Key]string, k Key, b []byte) {
	bad := bytes.Clone(b)
	bad[rapid.IntRange(0, len(bad)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	other := keys().Draw(t, "other key")
	for _, c := range []struct {
		b []byte
		k Key
	}{{bad, k}, {b, other}} {
		var p Proof
		if p.UnmarshalBinary(c.b) != nil {
			continue
		}
		value, present, err := p.Verify(n.root(), c.k)
		if want, there := m[c.k]; err == nil && (present != there || string(value) != want) {
			t.Fatalf("%q: forged to %q, %v", c.k, value, present)
		}
	}
}

// [LEDGER-PROOF.2]
func FuzzProof(f *testing.F) {
	n := build(map[Key]string{"a": "1", "ab": "2", "b": "3"}, []Key{"a", "ab", "b"})
	for _, k := range []Key{"a", "ab", "c", ""} {
		b, err := n.prove(k).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Proof
		if p.UnmarshalBinary(b) != nil {
			return
		}
		again, err := p.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Error("a proof has two spellings")
		}
		for k, want := range map[Key]string{"a": "1", "ab": "2", "b": "3", "c": "", "": ""} {
			if value, present, err := p.Verify(n.root(), k); err == nil && (present != (want != "") || string(value) != want) {
				t.Errorf("%q: forged to %q, %v", k, value, present)
			}
		}
	})
}
