// Package solve gives the linear algebra and the special functions with which
// the next state of an analysis is computed from a sum, to the same bits on
// every machine.
//
// # Determinism
//
// Every product that meets a sum is written float64(a*b), which forbids
// fusing, so that amd64 and arm64 give the same bits; exp and log are our own;
// nothing here uses assembly. Golden digests hold the package to it.
//
// # Not promised
//
// Speed on large matrices: a fold may use anything, a next step only this.
package solve
