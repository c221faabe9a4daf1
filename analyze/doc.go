// Package analyze carries every federated analysis by one idea: send a small
// public state; each site folds its own rows into a vector; the network adds
// the vectors; the next state is a function of the sum alone.
//
// An analysis is a [Loop]; its package under this one says, in its doc, which
// sums each round opens. [Program] joins the loops of a study: it counts round
// 0, runs them in lock step with one scan and one sum a round, and applies the
// policy to whatever they ask for.
//
// # Who computes what
//
// [Program.Start], [Program.Ask] and [Program.Next] are pure and deterministic:
// the conductor and every site compute them and compare digests.
// [Program.Fold] reads one site's rows through a frame.Source.
//
// # Rounds
//
// Round 0 opens, for each row set that an analysis names: rows after the
// filter, complete rows, institutions with any, rows and institutions a level,
// and sum and sum of squares a numeric variable. Its counts decide which levels
// exist, what is suppressed, and how columns are centred and scaled. Where a
// limit holds it also counts, sums and judges, cell by cell, each [Guard] that a
// loop names.
//
// # Not promised
//
// This package hides nothing: masks are the work of mpc/sum, and permission is
// checked before by run.
package analyze
