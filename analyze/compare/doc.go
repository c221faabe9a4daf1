// Package compare compares groups over all sites as one table would: the t
// test, the χ² test of two factors, and their cross-tabulation.
//
// Start from [TTest], [ChiSquared] and [Crosstab], the methods "ttest", "chisq"
// and "crosstab" of study files. Answers are those of R's t.test, chisq.test
// and table.
//
// # What each round opens
//
// The t test has one round: by group, Σz and Σz², where z is the response about
// its mean over all rows and in units of its standard deviation there (both
// from round 0), so that no digits cancel. Tables have one round: the count of
// every cell, and the number of sites that have a row in it and, with layers, in
// each total over one factor. Counts below the limit are therefore seen by those
// who add, and never by the asker.
//
// # Suppression
//
// A cross-tabulation leaves out levels, and suppresses cells, as
// policy.Policy.Table says, or, with layers, policy.Policy.Box: what is shown does
// not give back what is not. Its result audits that: of each hidden count it says
// the range that follows from what is shown. A χ²
// statistic is a function of all cells, and with the margins it can give a
// small one away, so the test is refused where a level or a cell is hidden, an
// empty one too: that there is nobody would be told by its being given. A t test
// is refused where a group is, or where its response has two values of which a
// group holds few, or one value alone.
//
// # Not promised
//
// Exact and permutation tests are not here, nor are two questions seen
// together: a table before and after one person joined differ by that person.
package compare
