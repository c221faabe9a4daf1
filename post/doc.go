// Package post is what the nodes of a network say to each other: the messages
// of runs, the blocks of the ledger, and the texts of studies, each as a letter
// of the mesh.
//
// [Letter] and [Message] turn a run's messages into letters and back; [Limit]
// bounds what may come in, label by label.
//
// # Not promised
//
// The mesh says who wrote a letter; what a letter says is judged by its reader.
package post
