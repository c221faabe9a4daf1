// Package duckdb keeps a site's rows in a DuckDB file, within the process: it
// is the [engine.Store] of a hospital that has no database of its own.
//
// Start from [Open], one store with its own threads and memory, or from
// [OpenHost], one DuckDB that many stores share, a file each. [Parquet] and [SurveyParquet]
// read Parquet files without a store.
//
// # Order
//
// Rows carry their number in a column _row. Scans do not sort: DuckDB keeps the
// order of insertion, and the reader refuses a file whose numbers do not rise.
//
// # Reach
//
// DuckDB is confined to the store's folder, loads no extension, and cannot be
// reconfigured after it was opened. A Parquet file is read by another instance,
// confined to that one file. SQL is built of column numbers and bound
// parameters alone; names and levels of a study or a hospital do not enter it,
// but for a Parquet file's column names and levels, which are quoted.
//
// # Failure
//
// A load is one transaction. A process that is killed leaves a file that opens
// again with all that was committed; space that an unfinished load took is
// used again.
//
// # Not promised
//
// A file belongs to one process at a time. Files are not encrypted, and their
// folder guards them: one that a store makes is its owner's alone, one that is
// there already stays as it is.
package duckdb
