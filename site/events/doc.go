// Package events is all that a node writes into its log: a closed list of
// events, each with its level, its fields and its words in both languages.
//
// A node makes a [Log] by [New] and gives it the events of this package, such as
// [SiteServes]. As [Text] it writes a line for people, as [JSON] an object a line, with
// log/slog: time, level, event, which is the name that stands in list.go, and the event's
// fields. Names and fields do not change from release to release; some come.
//
// # What a log may hold
//
// Names of sites, which stand on the ledger, ids of runs, digests of studies, numbers
// of rounds and blocks, kinds of errors, addresses at which the node itself listens. Of
// an error it holds the sentence that stands in the program's source; of what is filled in there
// only names of sites and institutions and spans of time, and "…" for all else,
// so that no value of a row, count of persons, name of a column, path or word of a
// study can come into a log. Words that came from another node are left out.
//
// # Not promised
//
// Who reads a log learns how busy a node is, and when.
package events
