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
// Only voters (all sites up to 33) get propose and open-sum, and answer them;
// the others get audited. A site that cannot go on answers with refuse, which
// ends the run for all.
//
// # What a site checks
//
// That its [Gate] lets the study through; that facts are signed by the keys of
// the opening; that the state asked for has the digest of its own next state;
// that a round comes once, and that all sums of a run are over the same sites.
// A voter takes nobody's word for a sum. See docs/security/threat-model.md.
//
// # Restarts and losses
//
// A step that comes again is answered with the same bytes or passed over, so
// after a site's restart the conductor sends its messages again
// ([Conductor.Again]). A lost site ([Conductor.Lose]) is left out if its vector
// has not come in the first round. Before the first sum is opened a new epoch
// may begin without it, from round 0. Afterwards a round that lacks it ends the
// run: no answer is partial.
//
// # The end
//
// Nothing signs the end. A site that has computed the result of the conductor's
// digest wipes its secrets and keeps a tombstone, over which it never answers
// the run again; a site that is told to stop wipes its secrets and keeps its
// history. Whoever keeps journals keeps one a run, and finds it by the run's name.
//
// # Not promised
//
// The package dials nobody, reads no clock and opens no file. That a site's
// rows are true cannot be seen here. A conductor has no journal: if it is lost, a
// member takes its place ([Participant.StandIn]) or, before the first sum, opens
// a new epoch. If a site loses its memory in the very round in which the
// conductor is lost, the run may end.
package run
