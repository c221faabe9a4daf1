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
// times that the sites have published. From the first time at which fewer than
// k persons or too few institutions are at risk, follow-up is cut off.
//
// Without that grant the steps are equal parts of the dictionary's range, fixed
// beforehand: as many as the study's grid asks for, but no more than rows/k,
// nor than half of the budget of opened scalars pays for (ten at least). Steps
// are joined with those after them, and at the end with those before, until
// events and censorings in each number none or at least k, from enough
// institutions; so do those who leave, and the difference of neighbours too.
// All in a step leave at its end, and enter at its beginning. The answer is
// that of the pooled table with times grouped so, and a note says it.
//
// The steps of a curve are joined for its group, those of a test or a model for
// its stratum. A study of which fewer than k persons have an event, or have
// none, is refused; groups of which that holds are left out, with as many
// others as it takes that totals do not give them away.
//
// Times are equal if their bits are. The time may be its column in another
// unit, a·column + b with a above 0 by numbers and + - * / alone: the sites then
// publish the column's distinct times, and every party works out the same bits
// of a·column + b from them; equal steps of the column's range are equal steps
// of the time's. Any other function of columns is refused as a time.
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
// institutions, by step too: with somebody at risk (exact times), or with an
// event and with a censoring (grid). KM and the log-rank test need no more.
//
// Cox, each round after it: S₀, S₁ and S₂ (upper triangle) of every stratum and
// event step, on the persons at risk; for Efron's rule, where d ≥ 2, the same
// over the tied events if these are k or more, else (exact times only) over the
// others at risk; whether some η was out of range at a site; and, once, the sum
// of x and of the offset over all events. Cost: p²/2 products a row.
//
// # Strata within sites
//
// If strata() names the column site, every stratum lies within one site, which
// works it out alone with its own exact times: no grant is needed. Each round
// of cox then opens ℓ, U and I, summed over all strata, in the first one also
// the number of events; logrank opens, by group and over all strata, persons,
// events, observed and expected events and their covariance. A site keeps sums
// a distinct time in memory, not rows: at most 1 GiB.
//
// # Not promised
//
// Collinear columns are refused by name, where R would drop them. Groups are
// labelled without the blanks with which survfit pads levels. Weights, robust
// variances and time-dependent coefficients are not there.
package survival
