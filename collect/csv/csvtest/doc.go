// Package csvtest gives tests their rows: [Read] a CSV file as a table, and
// [Shared] finds real data that are not part of the project.
//
// # Not promised
//
// Nothing here is for use outside tests: every column is read as public.
package csvtest
