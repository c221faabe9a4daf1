// Package ledger is what the members of a network agree on: who belongs to it,
// whose key is whose, which versions of data there are, who has approved what,
// which runs were opened over which sites, and what was released.
//
// It is a state machine, the same for one node's file and for a consortium
// chain. Start from [Apply], which takes a [State] and a signed [Tx] to the next
// State; [Sign] and [DecodeTx] make transactions, [Ledger] is what a store of
// them promises, and [State.Approved], [State.MayAnswer] and [State.MayReveal]
// are what a site asks before it answers.
//
// # Transactions
//
// A transaction is JSON in the form of RFC 8785, signed with Ed25519. It names
// its chain by the digest of the chain's genesis, its author by a key on the
// chain, and has a number that goes up by one for each key, so that it holds
// once, in its turn, on one chain. docs/spec/ledger.md gives every byte.
//
// # Whose word counts
//
//	genesis, rule          the operator, in file mode
//	institution            the operator admits, suspends, reinstates; the institution
//	                       alone rotates its key, and may suspend itself
//	site, requester        the institution that they belong to
//	dataset, decision      the institution of the site
//	study                  the requester
//	open                   the site that conducts: a member, or one that the study names
//	sum, close, release    a site that conducts or is a member of the run
//
// # The state
//
// All records lie in one Merkle tree over sorted keys, of which [State.Root] is
// the root. Its form depends on the records alone, so that replicas that were
// fed the same transactions, in blocks of whatever size, have the same root. A
// [Proof] shows what is there, or that nothing is, to whoever has the root.
//
// # What is never here
//
// No person's name, no text that a person typed, no hash of an identifier, no
// count. Accounts and run ids are random; what is computed from data stands here
// as [Commit] of it, under a salt that is kept elsewhere. A test walks every
// field of every transaction to hold it to that.
//
// # Not promised
//
// In file mode the operator decides who belongs: an operator that admits bodies
// of its own making can outnumber the honest ones. The state machine knows no
// time; how old a replica's view may be is for its reader to say. It does not
// judge whether two runs over unlike sets of sites give away their difference;
// [State.Runs] lists them for the guard that does.
package ledger
