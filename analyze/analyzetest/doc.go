// Package analyzetest holds every Loop to the promises of package analyze,
// without a line of its own: a Case gives a study and rows, [Run] does the rest.
//
// It checks that any partition of the rows over two to seven sites, tiny and
// empty ones among them, gives the answer of the pooled table; that workers,
// site order and a restart at every round change no byte; that states survive
// JSON; that an institution with two sites is counted once and the conductor's not
// at all; that shapes name their basis; and that the recorded sums of one run
// lead to the recorded states on every architecture.
//
// # Not promised
//
// That the pooled answer is right: each analysis is checked against R by its
// own tests.
package analyzetest
