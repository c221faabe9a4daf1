// Package glm fits generalised linear models over all sites as one table would
// give them: gaussian, binomial and poisson, by iteratively reweighted least
// squares (Fisher scoring), with prior weights and offset.
//
// Start from [Method], the method "glm" of study files. Estimates, deviance and
// likelihood are those of R's glm fitted to convergence (epsilon 1e-14).
//
// # Model
//
// η = X·β + offset, μ = g⁻¹(η), Var(y) = φ·V(μ)/w. One round evaluates, at the
// state's β and over all rows,
//
//	H  = Σ W·x·xᵀ              W = w·(dμ/dη)²/V(μ)
//	U  = Σ s·x                 s = w·(y−μ)·(dμ/dη)/V(μ)
//	D  = Σ w·d(y, μ)           the deviance
//
// and the next β is β + H⁻¹·U: an increment, so that errors do not build up.
// The first round starts from R's μ where W does not hang on it, (y+1/2)/2 for logit and probit without prior
// weights and y for a linear model, which a site knows of its own rows; elsewhere from the mean response, which round 0 has
// opened; or, where a binomial outcome is rare, from the null model of that mean. A step that
// raises D, or leaves the range of μ, is halved. X is centred and scaled by the
// public constants of round 0.
//
// Where columns are nearly collinear after the first round, later rounds sum
// over Z = X·Mᵀ, orthogonal columns that the first round's H gives: standard
// errors keep nine digits up to a condition number of 3e5, past which solve
// refuses a column as collinear.
//
// After P. McCullagh and J. A. Nelder, "Generalized Linear Models", 2nd ed.,
// 1989, section 2.5.
//
// # What each round opens
//
// With the family's own link all sums of all rounds follow from X and from Xᵀy, which the estimate tells anyhow: no
// iteration tells more of an outcome. With another link the score weighs y by what hangs on β, and each round tells p
// sums more of it.
//
// Upper triangle of H and U over the p columns; D; until the null model (the
// intercept and the offset alone) has converged its H, U and D; in the first
// round Σw, Σw(y−c) and the constant of the likelihood, and, with prior
// weights, the rows of positive weight; for a binomial model with prior weights
// the likelihood; for links that do not map onto the range of μ, the number of
// sites at which a μ is out of range; where the policy limits leverages, from the
// second round on, the number of sites at which one passes the limit. Cost: p(p+1)/2 products a row and round.
//
// # Inference
//
// Intervals and p values are Wald's: by Student's t with the residual degrees
// of freedom for gaussian, whose dispersion is estimated, by the normal
// distribution otherwise. r_squared of a linear model is the part of
// null_deviance that the terms explain, where an offset explains nothing.
//
// # Separation
//
// Where no finite estimate exists, because terms tell failures from successes
// without error (or a level has only zero counts), Newton's steps stop
// shrinking while the likelihood no longer gains. That is recognised, and is an
// error that names the terms, never an answer. Under a cell limit a model of
// factors alone was refused before, for the level of which too few, or nobody, have an
// outcome; beside a number a level's outcomes are not judged, and this error tells of
// them what the estimate would.
//
// # Not promised
//
// Collinear columns are refused by name, where R would drop them. A binomial
// response with prior weights that do not count trials has the likelihood that
// R gives it, of rounded counts.
package glm
