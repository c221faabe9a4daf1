// Package frame describes rows without holding them: columns, the dictionary
// that binds them, the queries that analyses ask, and the batches in which a
// site's engine answers.
//
// Start from [Source], which engines implement and analyses read, and from
// [Column], what a steward publishes of a column.
//
// # Order
//
// Rows come in the engine's fixed order, the order in which they were loaded,
// in batches of exactly [RunRows] rows but for the last. Analyses fold batch by
// batch, so cores, chunks and machines cannot change a byte of the answer.
//
// # Not promised
//
// The package does no I/O and knows no SQL.
package frame
