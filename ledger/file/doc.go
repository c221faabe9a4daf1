// Package file keeps a ledger on one node, in a file to which records are only
// ever added.
//
// [Open] brings the ledger in a folder up by replaying every transaction with
// all its checks; [Read] does the same for a file that somebody hands over.
// docs/spec/ledger.md gives the bytes.
//
// # What survives
//
// A record is on the disk, by fsync, before Submit returns. After a loss of
// power the last record may be torn: one that nobody was told of, and it is cut.
// Records hang together by their hashes, each holds the root of the state after
// it, and a small file beside the log names the last record that was
// acknowledged; so a damaged, missing or exchanged record is an error of kind
// Diverged, never silence. A disk that fails a sync ends the ledger until it is
// opened anew, since nobody can know what such a disk holds.
//
// One process has the folder, by a lock that ends with it.
//
// # Not promised
//
// Whoever may write to the folder and holds the keys can write another history;
// that is what a chain of several members is for. A file that was cut at a
// record's end and lost its companion looks like an earlier day.
package file
