// Package sqlite keeps the journals of all runs of a party in one SQLite file.
//
// Start from [Open]; [DB.Run] is the run.Journal of one run, [DB.Runs] lists
// those to take up after a restart.
//
// # Durability
//
// A transaction is synced before Save returns (write-ahead log, synchronous =
// FULL), so that after power loss the records of a Save are all there or none.
// A checksum tells a record that the disk spoiled. One process at a time opens
// a file.
//
// # Secrets
//
// Records hold the secrets of an epoch until they are erased. Erase overwrites
// them in the file and empties the log; what the disk keeps of old blocks is
// the concern of its encryption.
//
// # Not promised
//
// Backups made while a run is under way hold its secrets, and a run taken up
// from an old backup could answer a round twice: a restored site ends the runs
// that it finds.
package sqlite
