// Package draft infers the dictionary of a dataset from its rows, for the
// steward who then edits it, without keeping rows.
//
// Start from [New] and [Survey.File], which a reader calls for each file before
// it shows every value to the [Column] that it belongs to.
//
// # What is drafted
//
//   - A column is numeric if all its values are numbers at every site; it is an
//     integer if none has a fraction.
//   - Min and Max lie outside the values, on a grid of about a twentieth of
//     their span, so that they show no row's extreme. A column of at most 40
//     integers keeps an extreme that MinCell rows share; one of 0 and 1, or of
//     1 and 2, is [0, 1] or [1, 2].
//   - Levels of a factor stand in code-point order. They are those of at least
//     MinCell rows over all files; if that leaves some out, Other is set. An
//     integer column of at most 40 values has those of MinCell rows as Levels.
//   - A text column of more than 40 values names persons as far as the program
//     can tell: it is an identifier. So is one whose values nearly all differ
//     (95 %) and of which none fills MinCell; and whole numbers of 15 digits,
//     and those that all have 10 digits or more and are more than 40 or nearly
//     all different; and, unless the data are public, more than 40 that count
//     the records: rising through every file, or each from Min to Max once.
//   - A column of which no row lacks a value is Required. That it is says that somebody lacks one, or
//     nobody does, and no more.
//   - A column without a value is real, between 0 and 0.
//
// In Public data, MinCell is 1, and a text column is a factor of up to 1000
// levels unless it has more than 40 and nearly all differ.
//
// # Cost and leakage
//
// A column holds at most 1000 texts of 200 characters, and 41 numbers. Whoever
// sees the dictionary sees what it shows.
package draft
