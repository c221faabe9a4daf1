// Package mesh carries signed letters between the nodes of a network over
// wires that nobody trusts.
//
// A node opens a [Link] over a [Carrier], gives [Letter]s to [Link.Send] and
// takes [Delivery]s from [Link.Receive]. A carrier moves frames and promises
// nothing: package mesh/wire carries them over NATS, mesh/folder through two
// folders. Package mesh/broker runs the server in the middle, and
// mesh/meshtest checks that a link over any carrier keeps what follows.
//
// # Promises
//
// Each letter is signed by its sender over chain, sender, receiver, run,
// epoch, round, attempt, label, place in its lane, digest of the letter before
// it, and body. A lane is what one sender has for one receiver in one run: one
// for letters that its node keeps over a restart, one for the others.
//
// Between two honest nodes that stay up every letter is delivered once and in
// the order of its lane, whatever the carrier reorders, drops, repeats,
// delays, replays, cuts or invents, as long as it lets something through. What
// it lets nothing through of is reported by the peer's name after
// [Pace.Patience]: [Link.Receive] returns an error and may be called again.
//
// Over a crash of the sender, letters sent with Keep are in its store and go
// out again with the same bytes; others are gone, and whoever sent them repeats
// them from its own journal (package run does). Over a crash of the receiver,
// what it had not acknowledged comes again. An acknowledgement of a kept letter
// is durable when [Delivery.Ack] returns, of others within [Pace.Tick].
//
// # Bounds
//
// A frame has at most 512 KiB, a body at most what [Config.Limit] says of its
// label. A peer may have [Window] letters under way in a lane, [openLetters] of
// them longer than a frame. What is not signed by a known peer is dropped and counted.
//
// # Not promised
//
// Order between lanes. Secrecy: a body is readable by whoever carries it.
// That a peer which signs two letters for one place is honest: it is reported,
// and that lane is closed.
//
// docs/spec/mesh.md gives the bytes.
package mesh
