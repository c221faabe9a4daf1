// Package near says which row sets lie so near to ones that an asker was
// answered on before that the difference of the answers would be a few persons'.
//
// Start from [Candidates]: of the cohorts of a new study and those of earlier ones, as
// sites remember them, it lists what must be compared; [Distance] is one site's
// part of a comparison, and [Judge] reads the sums. A cohort is compared with each one before it, and [JudgeSpan] holds it to all
// that those of which a column was read add up to, in whatever multiples.
//
// # One reply
//
// A refusal that comes only where 1 to k−1 persons differ tells that they do (K. Kenthapadi, N. Mishra, K. Nissim, "Simulatable Auditing", PODS 2005,
// doi:10.1145/1065167.1065183). So all from 0 to k−1 get one reply; and a
// cohort that is another's by its definition alone, whatever the rows are, is
// that one, and may be asked for again: see [Implied].
//
// # Not promised
//
// More earlier cohorts of a column than [Span] has room for, of which the last asked stay; cohorts of which no column is
// shared, though the persons of all are told; what askers of different groups know together. Nothing here bounds
// what many answers over one row set tell.
package near
