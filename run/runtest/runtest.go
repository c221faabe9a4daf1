// Package runtest takes the messages of a run apart and puts them together again,
// for tests in which somebody lies. It knows the form of bodies (docs/spec/run.md)
// from the outside, so that it tests that too.
package runtest

import (
	"encoding/binary"
	"slices"
)

// Parts are those of a message's body, each with its length before it; nil where
// the body has not that form.
func Parts(b []byte) (out [][]byte) {
	for len(b) > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return nil
		}
		out = append(out, b[k:k+int(n)])
		b = b[k+int(n):]
	}
	return out
}

// Join undoes Parts.
func Join(list ...[]byte) []byte {
	var b []byte
	for _, p := range list {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return b
}

// Bend gives a copy of a body of which one part is bent; at counts from the end
// where it is negative. A body without parts, as of an end without answer, stays.
func Bend(body []byte, at int, bend func([]byte)) []byte {
	list := Parts(slices.Clone(body))
	if len(list) == 0 {
		return body
	}
	if at < 0 {
		at += len(list)
	}
	bend(list[at])
	return Join(list...)
}

// FlipLast changes the last bit.
func FlipLast(b []byte) { b[len(b)-1] ^= 1 }
