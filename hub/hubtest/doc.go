// Package hubtest plays a whole network in one process, over real TLS on
// loopback: a broker, a hub with its ledger, and sites with journals, replicas
// and links of their own, each of which can be killed and brought back.
//
// Start from [New]. Everything is as in separate processes but for the process.
package hubtest
