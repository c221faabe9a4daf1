// Package conduct drives a run's conductor over a network: it opens the run on
// the ledger, passes messages, gives up on a site that stays silent, and ends the
// run on the ledger with its outcome. The hub conducts, or any member.
//
// Start from [Desk]. [Desk.Open] begins a run, [Desk.StandIn] takes one over
// whose conductor is gone; [Desk.Take] is given whatever sites send.
//
// # Not promised
//
// A desk remembers nothing over a restart: a member stands in for what it left.
package conduct
