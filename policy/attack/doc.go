// Package attack has the published ways of learning about one person from answers about many, each
// as a program that asks a network studies as anybody may, and a fuzzer that asks at random.
//
// Start from [All], the attacks, and [Run], which plays them against networks that a
// caller opens: with the guard off each must succeed, with it on none may, but for those that say which
// known limit lets them; what does all the same, as far as is known, is called open. [Fuzz] plays random strategies.
//
// # The world
//
// A [World] is a table of 500 persons over four hospitals, one of whom is the target. The
// attacker knows the target's age, sex, ward and body mass index, which nobody else has together, and is
// after a number, hdl, and a bit, hiv.
//
// # What counts
//
// A number counts as found where a guess is within 1e-6 of it, relatively. Bits are fair coins, thrown anew in
// [Replicas] worlds; guesses count as found where so many right ones would come of guessing with a probability under 1 %.
//
// # Not promised
//
// An attack that fails shows that this program fails, not that nobody can do better. What sums say of
// everybody, and so of the target too, is no attack.
package attack
