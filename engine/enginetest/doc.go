// Package enginetest checks that a row store keeps the promises of
// [engine.Store]. Every implementation calls [Run] from its own tests.
//
// The oracle is a plain table in memory: what the suite loads, it expects back
// row by row, and filters are judged by [frame.Filter.Matcher].
package enginetest
