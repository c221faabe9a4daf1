// Package table keeps the rows of a small dataset in memory and answers
// queries over them: for tests, files that fit in memory, and rehearsals.
//
// Start from [New], which makes a [Table], a frame.Source; [Table.Select]
// takes some of its rows, as a partition over sites does.
//
// # Not promised
//
// There are no versions, and no bounds on memory: an engine has both.
package table
