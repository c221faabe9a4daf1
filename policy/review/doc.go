// Package review helps the person who releases a study's answer: [Check] marks what
// to look at in a document, with the reason for each mark, and [Without] makes the
// document that lacks some of its analyses. Both are functions of the document, the
// limit and nothing else, so that whoever conducts and every custodian, who have
// computed the same document, see the same marks.
//
// # What is marked
//
// Limits were kept before there was a document: no check here finds what they forbid.
// A mark says where an output checker would look twice. The checks are those of the
// tradition of ACRO (R. J. Preen, J. Smith, M. Albashir and S. Davy, "ACRO",
// doi:10.5281/zenodo.7273903; R. Preen et al., arXiv:2212.02935) as far as they can be
// made without rows. Its acro/default.yaml has 10 degrees of freedom, 10 at risk and
// zeros that disclose; "The SACRO guide to statistical output checking",
// doi:10.5281/zenodo.10054629, lists the rules by kind of output.
//
//   - near_limit, small_group: a number of persons or events, or of a group, stratum or
//     level, from 1 to 2k−1: few would have to be known to bring it under k.
//   - zero: an empty cell is shown.
//   - hidden, bounds: parts are hidden; what is shown bounds a hidden count to fewer
//     than k values.
//   - few_df: fewer than 10 residual degrees of freedom; of a Cox model, events less terms.
//   - perfect_fit: R² of 0.99 or more, or a deviance of at most a hundredth of the null model's.
//   - separation: a coefficient on a log or logit scale, or its standard error, of 10 or
//     more in magnitude: a unit of the column changes the odds by e¹⁰ or more.
//   - few_at_risk: a step of a survival curve with fewer than 2k at risk.
//   - extreme_quantile: fewer than 2k persons lie beyond it.
//   - dominance: a mean and a standard deviation between which one person may carry
//     half of the sum.
//   - by_site, few_sites: numbers of one site by name; an answer of fewer than three sites.
//   - many: more than ten analyses, which are to be read together.
//
// # Not promised
//
// Rows are not seen: whether one person dominates, or whether two studies together tell
// of few, cannot be told from one document. A document without marks may still tell too
// much, and one with many nothing.
package review
