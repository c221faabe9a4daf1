// Package solve gives the linear algebra and the special functions with which
// the next state of an analysis is computed from a sum, to the same bits on
// every machine.
//
// Start from [Factor] for linear systems, from [NormalSF], [TSF],
// [ChiSquareSF] and [FSF] for p-values, from [TQuantile] for intervals, and from
// [Ranges] for what sums tell of whole numbers.
//
// # Determinism
//
// Every product is written float64(a*b), which forbids fusing, so that amd64
// and arm64 give the same bits; exp and log are our own; nothing here uses
// assembly. Golden digests and a test that reads the source hold the package
// to it. A package that computes a next state keeps the same rule.
//
// # Accuracy
//
// [Exp], [Log], [Expm1], [Log1p]: within one unit in the last place of the
// rounded answer. The others, over the tested grids and down to 1e-300, within
// two (5e-16): they run in double length, and each tail is computed as such.
// Upper tails (SF) are not 1 − CDF.
//
// # Not promised
//
// Speed: a fold may use anything, a next step only this. A tail costs 3 to 40
// µs, more for shapes above 1e4, and memory traffic on large matrices is not
// thought of.
package solve
