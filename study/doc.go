// Package study gives the two documents that a researcher holds: the study
// file, which asks, and the result, which answers.
//
// Start from [Study], one question with its purpose, data and analyses, and
// [Result], its answer in the vocabulary of R's broom. [Parse] reads a study
// file, [Study.Canonical] gives the bytes that every party signs. A steward's
// dictionary file is read by [ParseDictionary], and [MergeDictionaries] makes
// one of all sites'.
//
// # Canonical form
//
// Documents are hashed in the canonical JSON form of RFC 8785, after defaults
// have been filled in; the digest is written "sha256:" and 64 hex digits.
//
// # Not promised
//
// The package does not know whether a question may be asked: see policy.
package study
