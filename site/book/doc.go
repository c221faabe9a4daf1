// Package book is a site's memory of the cohorts on which it answered each group of askers: a SQLite file
// in the site's folder, with the rows of each cohort as a compressed bitmap (roaring).
//
// Start from [Open]; [Book.Run] is the memory of one run, as package site wants
// it. A cohort stands in the book before anything is answered of it, and is taken out only
// where the study was refused before any answer. It stays when a study is deleted or a dataset
// has a new version.
//
// The file tells which rows a study was about; it is as secret as the rows.
package book
