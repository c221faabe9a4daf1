// Package journaltest checks that a journal keeps the promises of run.Journal:
// [Run] those that a process sees, [PowerLoss] those that outlive the power.
package journaltest
