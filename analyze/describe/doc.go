// Package describe says what a dataset looks like: counts, means, standard
// deviations, histograms and quantiles, as a whole or by the levels of a factor.
//
// [Describe] and [Quantile] are the methods "describe" and "quantile" of study
// files. Both are exact: they equal the pooled table's answer.
//
// # What each round opens
//
// Describe, round 0: if bins are asked for, the counts of a histogram, by level. Round 1: for each numeric variable,
// by level, the sum and the sum of squares about the mean of round 0. A factor needs no round of its own.
//
// Quantile, each round: for every bracket that still holds a wanted rank, the
// counts of rows in its 256 equal parts (4 where a limit holds). With the leaf order_statistics it ends
// at the two order statistics of R's type 7; without, at the narrowest dyadic
// part of the dictionary's range that holds k persons, whose midpoint is the
// answer.
//
// # Not promised
//
// Minimum and maximum are one person's values and are never given, nor are
// quantiles closer to an end than k persons where a limit k holds.
package describe
