// Package csv reads the comma-, semicolon- or tab-separated files that
// hospitals export, for the site that holds them, and refuses what it cannot
// read with the line where it stands.
//
// Start from [Open], a strict reader of records; [Infer], which drafts a
// dictionary from the files of all sites together; and [Reader.Load], which
// binds records to a dictionary and yields typed batches. [ReadTable] loads a
// small file, [Split] lists the sites that one file holds.
//
// # Form of a file
//
// The first line names the columns; spaces around a name do not count, and one
// empty name, as R writes before row names, becomes X. A name that is a number is
// refused: a first line that has one is a record, and its values would become names,
// which everybody is told. Every record has as many fields as that line. The delimiter is whichever of comma, semicolon and tab
// the first line has most. A field may stand in double quotes, in which a quote
// is doubled and lines may end; a quote elsewhere, and a NUL byte anywhere, is
// refused. Lines end with LF or CRLF; empty ones are skipped. A record has at
// most [MaxRecord] bytes. A name that ends in .gz is decompressed.
//
// Text is UTF-8, with or without a byte order mark; UTF-16 with one; or
// GB18030, if it is no UTF-8 and reads as Chinese. Other encodings are refused.
//
// A field is missing if it is empty, NA, or one of [Options].Missing, spaces
// around it aside, quoted or not. A number is decimal with a point; in files
// with semicolons it may have a comma instead, but not both in one column. The
// text of a level is kept as it stands, with its spaces.
//
// # Errors
//
// They name file, line and column, and never the value of a field.
//
// # Not promised
//
// A file without a header whose first record holds texts alone reads as one that has a
// header: a person looks at the dictionary before a version is frozen. Dates are texts here, and a thousands separator makes a number a text. What
// type, range and levels a column truly has is the steward's to say: Infer
// drafts, a person edits, and then the dictionary binds.
package csv
