// Package hub is the centre of a network: it puts transactions in order, hands
// the ledger's blocks to every site, keeps the texts of studies, and conducts
// runs where nobody else does.
//
// Start from [Service]. The hub sees what a conductor sees: signed facts, masked
// vectors and opened sums; of one site's vector nothing without its masks.
//
// # Not promised
//
// A hub that is gone takes the order of new transactions with it until it comes
// back; runs that are open go on without it, conducted by a member.
package hub
