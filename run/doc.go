// Package run plays a study: a conductor asks, participants answer, and nobody
// has to trust the one who asks.
//
// Start from [Participant], a member site's half, and [Conductor], the half of
// whoever asks: the hub, or any member. Both are step machines. Step takes one
// [Event], changes the state, and returns the messages to send and the work to
// do; the caller saves the state in a [Journal] before it sends anything.
// After a restart Restore gives the same party again, and the same bytes go out.
//
// # Life of a run
//
//	open      →  the conductor shows what the ledger fixed: study, sites, keys
//	facts     ←  each site publishes dictionary and policy, signed, and a fresh key
//	plan      →  everybody's facts and keys
//	coin      ←  a share of the public coin
//	coins     →  all shares
//	pairs     ←  a secret for each neighbour, encapsulated to its key
//	ask       →  round r: the digest of the state that is asked, secrets relayed
//	shares    ←  shares of this round's masks, sealed for the neighbours
//	roster    →  whose shares are there
//	contribute←  the masked vector
//	propose   →  who is in the sum, the masked vectors, the shares
//	vote      ←  one list a round, signed
//	certify   →  the votes
//	reveal    ←  for each site one kind of share
//	open-sum  →  what was revealed: each site adds the vectors itself,
//	             computes the next state, and answers only its own digest
//	audit     ←  a signature on the sum (audited → past 33 sites, to the rest)
//	end       →  the conductor's digest of the result, which each site has too
//
// # What a site checks
//
// That its [Gate] lets the study through; that facts are signed by the keys of
// the opening; that the state asked for has the digest of its own next state;
// that a round comes once. See docs/security/threat-model.md.
//
// # Not promised
//
// The package dials nobody, reads no clock and opens no file. That a site's
// rows are true cannot be seen here.
package run
