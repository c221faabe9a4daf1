// Package journal keeps what a party of a run must not forget: its state, and
// the masked vector that it has sent.
//
// [Dir] keeps each record in a file of one folder, [Memory] in the process.
// Both are a run.Journal.
//
// # Durability
//
// Save writes a new file, syncs it, renames it over the old one and syncs the
// folder, so that after power loss a record is the old one or the new one and
// whole. A checksum tells a torn file.
//
// # Not promised
//
// Records hold the secrets of an epoch until they are erased; the folder's
// permissions (0700) and the disk's encryption guard them, nothing here does.
package journal
