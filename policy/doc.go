// Package policy says what a site may reveal: the limits of a dataset, the
// leaves that its steward grants, and the judgement of every sum before it is
// opened.
//
// Start from [Policy] and its two presets: [Default], under which the product
// runs, and [Public], for rows that anyone may read. Sites merge their policies
// with [Strictest], so one hospital's caution binds the study.
//
// # Limits
//
// A masked sum is judged on its total: at least MinCell persons, at least
// MinInstitutions contributing institutions. An institution counts once, however many
// sites it has, and the conductor's own does not count, since it would know the
// rest by taking its part off; its persons do. A model may not have more parameters than
// a share of its rows, no person may carry more than a share of an opened
// moment, and a run may not open more scalars than a share of the cells that
// it read.
//
// Where a limit holds and empty cells are hidden, nobody and too few are told alike, in all that is
// judged by counts; see [Policy.Few].
//
// Tables of counts are shown with cells left out: [Policy.Table] for two factors,
// [Policy.Box] for three; their audits say what can be inferred.
//
// # Not promised
//
// Differences between two studies are looked at by their sites and columns alone
// ([Differences], [Same]), not by their rows; and what a
// released number means to somebody who knows more than the network is beyond
// any limit.
package policy
