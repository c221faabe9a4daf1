package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"strings"
)

// A Key names a value of the state, such as "site/cleveland". It holds no zero
// byte and at most 512 bytes.
type Key string

// bit gives bit i of k, the most significant of each byte first. Behind its end
// a key goes on with zeros; since no key holds a zero byte, no key is the
// beginning of another [LEDGER-TREE.1].
func (k Key) bit(i int) int {
	if i/8 >= len(k) {
		return 0
	}
	return int(k[i/8]>>(7-i%8)) & 1
}

// differ gives the first bit in which two unlike keys differ; -1 for like ones.
func differ(a, b Key) int {
	for i := range max(len(a), len(b)) {
		var x, y byte
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			j := 8 * i
			for (x^y)&0x80 == 0 {
				x, y, j = x<<1, y<<1, j+1
			}
			return j
		}
	}
	return -1
}

// A node is a leaf, or a branch at the first bit in which the keys below it
// differ: a Patricia tree. Its form depends on the set of keys alone, so that
// replicas that came to one state by different ways have one root. Nodes never
// change; a new tree shares all that is not on the way to the new value.
type node struct {
	hash Hash

	bit         int   // of a branch
	left, right *node // of a branch: keys with a 0, with a 1, at bit

	key   Key    // of a leaf
	value []byte // of a leaf: the record in canonical form
	rec   any    // of a leaf: the record itself, a pointer that nobody writes through
}

func (n *node) leaf() bool { return n.left == nil }

func newLeaf(k Key, value []byte, rec any) *node {
	return &node{hash: leafHash(k, sha256.Sum256(value)), key: k, value: value, rec: rec}
}

func newBranch(bit int, left, right *node) *node {
	return &node{hash: branchHash(bit, left.hash, right.hash), bit: bit, left: left, right: right}
}

// leafHash is SHA-256(0 ‖ length of key ‖ key ‖ SHA-256 of value), the length
// being two bytes, big end first [LEDGER-TREE.2].
func leafHash(k Key, value Hash) Hash {
	b := make([]byte, 0, 3+len(k)+len(value))
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(k)))
	b = append(b, k...)
	return sha256.Sum256(append(b, value[:]...))
}

// branchHash is SHA-256(1 ‖ bit ‖ left ‖ right), the bit being two bytes
// [LEDGER-TREE.3].
func branchHash(bit int, left, right Hash) Hash {
	b := make([]byte, 0, 3+2*len(left))
	b = append(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(bit))
	b = append(b, left[:]...)
	return sha256.Sum256(append(b, right[:]...))
}

// emptyRoot is the root of a tree without values, SHA-256(2) [LEDGER-TREE.4].
var emptyRoot = Hash(sha256.Sum256([]byte{2}))

func (n *node) root() Hash {
	if n == nil {
		return emptyRoot
	}
	return n.hash
}

// near gives the leaf to which the bits of k lead: k's own if it is there.
func (n *node) near(k Key) *node {
	for n != nil && !n.leaf() {
		if k.bit(n.bit) == 0 {
			n = n.left
		} else {
			n = n.right
		}
	}
	return n
}

// get gives the leaf of k, or nil.
func (n *node) get(k Key) *node {
	if l := n.near(k); l != nil && l.key == k {
		return l
	}
	return nil
}

// put gives the tree with l in it, in place of a leaf with l's key.
func (n *node) put(l *node) *node {
	if n == nil {
		return l
	}
	return n.insert(l, differ(n.near(l.key).key, l.key))
}

// insert puts l where it leaves the keys that are there at bit d; d < 0 means
// that its key is there already.
func (n *node) insert(l *node, d int) *node {
	if n.leaf() || d >= 0 && d < n.bit {
		switch {
		case d < 0:
			return l
		case l.key.bit(d) == 0:
			return newBranch(d, l, n)
		default:
			return newBranch(d, n, l)
		}
	}
	if l.key.bit(n.bit) == 0 {
		return newBranch(n.bit, n.left.insert(l, d), n.right)
	}
	return newBranch(n.bit, n.left, n.right.insert(l, d))
}

// under lists the leaves whose keys begin with prefix, in byte order.
func (n *node) under(prefix Key) iter.Seq[*node] {
	for n != nil && !n.leaf() && n.bit < 8*len(prefix) {
		if prefix.bit(n.bit) == 0 {
			n = n.left
		} else {
			n = n.right
		}
	}
	return func(yield func(*node) bool) {
		// All keys below n agree up to its bit, so one of them speaks for all.
		if n != nil && strings.HasPrefix(string(n.near(prefix).key), string(prefix)) {
			n.walk(yield)
		}
	}
}

func (n *node) walk(yield func(*node) bool) bool {
	if n.leaf() {
		return yield(n)
	}
	return n.left.walk(yield) && n.right.walk(yield)
}
