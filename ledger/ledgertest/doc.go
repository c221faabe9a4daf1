// Package ledgertest checks that a Ledger keeps the promises of its interface,
// and plays a small network for whoever tests against one.
//
// An implementation calls [Run]. A test that wants a chain with members, a
// study and approvals on it takes a [Net] and calls [Net.Found].
//
// # Not promised
//
// All keys follow from names. Nothing here may sign anything real.
package ledgertest
