// Package rehearsal plays a whole network in one process: every site is a real
// node with its own rows, key and journal, and the hub conducts; only the wire
// is missing, messages are passed in memory.
//
// [Run] plays one study.
//
// # Not promised
//
// Sites share a process, so nothing here keeps them from each other: it shows
// the protocol, and is no deployment.
package rehearsal
