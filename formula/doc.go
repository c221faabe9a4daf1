// Package formula turns R's model formulas into the columns of a design
// matrix, without ever seeing a row of more than one batch.
//
// [Parse] reads the text into a [Model]. [Bind] ties a model to a dictionary
// and gives a [Frame]: which columns to read and which variables come of them.
// After round 0 has counted levels and moments, [Frame.Design] gives the
// [Design], whose columns are named, ordered, centred and scaled alike at
// every site.
//
// # Language
//
// + : * - / ^ %in% ( ) I() factor() as.factor() relevel(x, ref = "b") offset()
// strata() Surv() log() log2() log10() exp() sqrt() abs() poly() ns(); an
// intercept unless -1 or +0. Terms are those of R's terms.formula, in its
// order. Contrasts are treatment contrasts; a factor in a term whose margin is
// missing is coded by all its levels, as in R. Names with dots need no quotes,
// letters are Unicode's; other names stand in backquotes. A column of type
// factor is a factor; factor() makes one of a numeric column with levels.
//
// Arithmetic is for I(), for functions and for the left side. A text has at
// most 10,000 characters and expands to at most 1,000 terms of 256 variables.
//
// # Comparisons
//
// == != < <= > >= and %in% c(...) are true or false of a row: as the event of
// Surv or as a response, Surv(time, status == 2), cause == "stroke", they are 1
// and 0; I(age >= 65) as a term is a factor with the levels FALSE and TRUE, as
// R has it; within arithmetic, I((age > 50) * bmi), they are 1 and 0 again.
// [Frame.Truths] and [Frame.Nested] tell them to whoever counts their groups.
// x %in% c(1, 3) is false where x is missing; any other comparison is missing.
//
// The time of Surv is a column, or one in another unit, such as time/365.25 or
// I((day + 1)/30): see [Model.TimeColumn] and [Frame.Times].
//
// # Missing values
//
// A row counts only if no variable of the formula is missing, those behind a
// minus included, as with R's na.omit. The logarithm or root of a negative
// number is missing, and so is a follow-up that stops before it starts. An
// infinite value is an error.
//
// # Polynomials and splines
//
// The variables of poly(x, d) are z, z², ..., z^2d, where z is x brought from
// the dictionary's range to [−1, 1]; their sums in [Moments] are all that the
// orthogonal polynomials take. Those are orthogonal over the complete rows:
// R's are so over all rows that have x, before other columns' missing values
// are looked at. ns() is R's, once both kinds of knots are stated.
//
// # Not promised
//
// Random effects, smooths, functions of a person's own, and a dot for all
// other columns are not there. Names of arguments are not abbreviated.
package formula
