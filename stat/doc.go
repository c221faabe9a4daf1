// Package stat gives the vectors that sites fold their rows into, and the ring
// in which those vectors are added under masks.
//
// A [Shape] says what a vector holds, block by block. A site fills a [Vector]
// of float64, [Shape.Encode] adds it to a [Ring], and whoever holds the sum of
// all rings reads it through [Sum].
//
// # Arithmetic
//
// A number v in a block with f fraction bits is the integer round(v·2^f), ties
// to even, modulo 2^128 in two's complement. Addition is exact and does not
// depend on order. A wrap could not be seen under masks, so Encode refuses
// NaN, Inf, and a total whose magnitude reaches 2^(126−⌈log2 sites⌉).
//
// # Not promised
//
// Nothing here hides anything: masks are the work of mpc/sum.
package stat
