// Package near says which row sets lie so near to ones that an asker was
// answered on before that the difference of the answers would be a few persons'.
//
// Start from [Candidates]: of the cohorts of a new study and those of earlier ones, as
// sites remember them, it lists what must be compared; [Distance] is one site's
// part of a comparison, and [Judge] reads the sums. A cohort is compared with each one before it, and with the sum and the difference
// of each two.
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
// Three cohorts and more that add up to another one, but for a few persons, are not looked for; nor what askers of different
// groups know together. Nothing here bounds what many honest answers tell in sum.
package near
