// Package survival compares and models times to an event over all sites as one
// table would: Cox's proportional hazards model, Kaplan–Meier curves and the
// log-rank test.
//
// Start from [Cox], [KM] and [LogRank], the methods "cox", "km" and "logrank"
// of study files. Answers are those of R's survival fitted to convergence.
//
// # Time
//
// Where every dataset grants exact times, the network's steps are the distinct
// times that the sites have published. After the last time beyond which k
// persons, from enough institutions, are still at risk, follow-up is cut off,
// and later events are not counted anywhere.
//
// Without that grant the steps end at the (i/n)² parts of the dictionary's
// range, fixed beforehand, n being what the study's grid asks for but no more
// than the budget pays for: an analysis has an equal share of what round 0 left
// of the study's scalars; km and logrank spend it on the grid, cox a fifth. Then
//
//   - steps are joined with those after them, and at the end with those before,
//     until the events in each number none or at least k, from enough
//     institutions; so do those who enter, and the difference of neighbours too;
//   - censorings are joined by themselves in the same way, and spread over
//     their steps at a constant rate a person at risk. Where both steps are the
//     same that is the life table's n − c/2. Numbers at risk are estimates;
//   - whoever enters in a step is at risk in all of it;
//   - a curve tells one row a step, and medians lie on straight lines between
//     rows. The log-rank test tells no number of a step, so it takes censorings
//     at the grid's own steps; the events of a step come one after the other,
//     in each group evenly. Cox's model takes them as tied.
//
// The answer is that of the pooled table under the same limits. Its distance to
// the exact one is held to bounds in coarse_test.go, under the default policy on
// 228 patients dealt to four sites and on 137 at their four hospitals: survival
// at the ends of steps within 0.05 of Kaplan and Meier's (0.15 in groups of
// forty), the log-rank statistic within a tenth, Cox's coefficients within 0.6
// standard errors by Efron's rule and one by Breslow's, which so many ties draw
// to 0. The likelihood of grouped times (Prentice and Gloeckler 1978) would be
// without that error, but has a parameter a step.
//
// The steps of a curve are joined for its group, those of a test or a model for
// its stratum. Times are equal if their bits are.
//
// The time may be its column in another unit, a·column + b with a above 0 by
// numbers and + - * / alone: the sites then publish the column's distinct times,
// and every party works out the same bits of a·column + b from them; the steps of
// the column's range are those of the time's. Any other function of columns is
// refused as a time.
//
// # Who is left out
//
// Nobody, since totals or another table of the same study would tell of them.
// Groups of a curve or a test, and levels of a model, are refused by name when
// too few persons are in them, have an event, or have none. Strata that are too
// small to have steps of their own count as one stratum, if need be with the
// smallest one that is not, or all do; the result names them.
//
// # Cox's model
//
// With η = X·β + offset, w = e^η, and the risk set R of a time with d events,
// the log partial likelihood, its gradient and its information are
//
//	ℓ = Σ_events η − Σ_times d·ln S₀         S₀ = Σ_R w
//	U = Σ_events x − Σ_times d·S₁/S₀         S₁ = Σ_R w·x
//	I = Σ_times d·(S₂/S₀ − S₁·S₁ᵀ/S₀²)       S₂ = Σ_R w·x·xᵀ
//
// by Breslow's rule; by Efron's the k-th of d tied events sees the sums less
// k/d of those over the tied events. Newton's steps go from 0, are halved while
// ℓ falls or some η exceeds 30 above its mean, and end at 1e-10 standard errors.
// Columns are centred and scaled by the public constants of round 0.
//
// Where ℓ only approaches its supremum, λ² = Uᵀ·I⁻¹·U dwindles while steps do
// not: that is an error that names the terms, never an answer.
//
// # What each round opens
//
// Counting round, of km, logrank and cox: by stratum, group and step, how many
// leave, how many of them with an event, and, in (start, stop] data, how many
// enter; by stratum and group the number of institutions and, under a limit on
// institutions, of those with somebody at risk by time (exact times), or with
// an event and with a censoring by nodes of a binary tree over the steps (grid;
// by stratum for logrank and cox); of cox, under a limit, the events of each
// level. KM and the log-rank test need no more.
//
// Cox, each round after it, on exact times: S₀, S₁ and S₂ (upper triangle) of
// every stratum and event step, on the persons at risk; for Efron's rule, where
// d ≥ 2, the same over the tied events if these are k or more, else over the
// others at risk; whether some η was out of range at a site; and, once, the sum
// of x and of the offset over all events. On a grid S₂ is left out, and a second
// round at the same point opens Σ (a·S₂ − b·T₂) over all steps, with public a
// and b. Two neighbouring steps differ by sums over k events and over all
// censorings of a step. Cost: p²/2 products a row.
//
// On a grid there are no more event steps than three evaluations can open, or
// four if that leaves six: those of fewest events are joined. The last Newton
// step that the budget pays for, if shorter than a tenth of a standard error, is
// taken without looking again; else the model is refused.
//
// # Strata within sites
//
// If strata() names the column site, every stratum lies within one site, which
// works it out alone with its own exact times: no grant is needed. Each round
// of cox then opens ℓ, U and I, summed over all strata, in the first one also
// the number of events, in all and by level; logrank opens, by group and over all strata, persons,
// events, observed and expected events and their covariance. A site keeps sums
// a distinct time in memory, not rows: at most 1 GiB.
//
// # Not promised
//
// Whether enough leave, or anybody enters, in a coarse step shows in where steps end. Collinear
// columns are refused by name, where R would drop them. Groups are
// labelled without the blanks with which survfit pads levels. Weights, robust
// variances and time-dependent coefficients are not there.
package survival
