// Package wellspring holds the words that every other room uses: who takes
// part, what is asked for and why, and how a failure is told in two languages.
//
// Start from [SiteID], [Text] and [Error]. The package imports nothing of ours
// and computes nothing.
//
// # Two languages
//
// What a person may read is a [Text], which has an English and a Chinese
// version. Both are constant formats; their verbs take names and positions
// (a column, a site, a line), never the value of a row.
//
// # Not promised
//
// Identifiers are checked for form, not for existence: that a site is a member
// is known to the ledger alone.
package wellspring
