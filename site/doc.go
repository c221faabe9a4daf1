// Package site is a hospital's node: it receives its parts, serves the rounds
// of a study, and lets nothing out but what package run says.
//
// Start from [Node]. It is given its rows, its key, its policy and its journal;
// it reads the rows when a round asks, saves before it sends, and opens no port.
//
// # Not promised
//
// [Node] and [Service] dial nothing and decide nothing: letters come over the link
// that they are given, decisions stand on the ledger.
package site
