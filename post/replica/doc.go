// Package replica is a node's own verified copy of the ledger, where another
// node orders it: every transaction is checked and applied here before it
// counts, and lies in a file of the node's own.
//
// Start from [Replica]; it is a ledger.Ledger whose Submit goes to whoever
// orders and returns once the transaction stands here. [Replica.Take] is given
// the letters about the ledger that come.
//
// # Not promised
//
// That the order is complete: who orders can withhold the newest transactions.
// [Replica.Fresh] says when its head was last known to be this one's.
package replica
