// Package roll is what the nodes of a network tell each other of themselves when
// somebody looks at the list of members: which release of the program each runs
// and, from the hub, which every member can hear, when it last heard each.
//
// Start from [Roll]. [Roll.Call] gives what is known and asks for news, without
// waiting for it; [Roll.Take] is given the letters that come. Where nobody looks
// no letter goes.
//
// # Not promised
//
// What a node says of itself is its own word, and what the hub says of others is
// the hub's: nothing is decided by it. A node remembers nothing over a restart.
package roll
