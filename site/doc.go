// Package site is a hospital's node: it receives its parts, serves the rounds
// of a study, and lets nothing out but what package run says.
//
// Start from [Node]. It is given its rows, its key, its policy and its journal;
// it reads the rows when a round asks, saves before it sends, and opens no port.
//
// # Not promised
//
// This release has no steward's console and no network: messages come from
// whoever calls Handle.
package site
