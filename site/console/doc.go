// Package console is how a person at a node speaks to it: plain HTTP with JSON
// over a Unix socket in the node's folder, which only the folder's owner opens.
//
// Start from [New], which serves a [Node], and [Dial], which speaks to one. Keys
// of institutions and requesters stay with whoever calls: a transaction comes
// signed, and an order to run a study is signed over a challenge.
//
// # Not promised
//
// Whoever may open the socket may do all that the node itself may: conduct
// runs whose requester signed for them, stop them, and read what it knows.
package console
