// Package engine says what a site asks of the store that holds its rows: to
// take a dataset in whole or not at all, to freeze it into numbered versions
// that never change, and to read a version back in one fixed order.
//
// Start from [Store]. An implementation lives in a folder under this one and
// passes the suite of engine/enginetest; cmd alone imports it. [Check] is the
// test that every store puts rows to before it takes them, and [WithConstant]
// gives a site's rows a column that is the same in all of them.
//
// # Life of a dataset
//
// Load puts rows into a draft, which nobody can read. Freeze turns the draft
// into version 1, 2, 3, ...; studies name a version, and every round of a study
// reads the same one.
//
// # Rows outside their dictionary
//
// A value that its dictionary does not allow is refused when it is loaded, with
// the name of its column and never with the value, so a version holds none.
//
// # Identifiers
//
// Values of identifier columns do not enter a store: they stay in the
// dictionary, so that naming one is refused by name.
//
// # Not promised
//
// A store does not encrypt its files; whoever reads its disk reads its rows.
package engine
