package main

import (
	"slices"
	"time"
)

// proofs are all claims, in the order in which a reader meets them.
var proofs = []proof{
	{"mask", "expanding a mask and adding it runs at 4 GB/s or more on one core", proveMask},
	{"masked-path", "2^20 elements over 4 sites cost at most twice the same path without masks", provePath},
	{"logistic", "a logistic model of 1,000,000 × 20 at four masked sites takes at most half the time of R's glm on one data frame in memory", proveLogistic},
	{"memory", "a site's memory stays within 300 MiB above idle while it loads and fits 10,000,000 rows", proveMemory},
	{"spindle", "a logistic model of 1,000,000 × 32 over 160 sites, all on one machine, takes less than 15 s", proveSpindle},
	{"sum200", "200 sites finish a sum of 10,000 elements, and what it costs a site grows as its neighbours do", proveSum200},
	{"sum1024", "1,024 sites, the most that a run may have, finish a study whose answer all of them hold", proveSum1024},
	{"latency", "a logistic study of the three CNSIM tables, approved beforehand, is answered over TLS, masked, in under 250 ms", proveLatency},
	{"client", "the same study, from a Python or R program that stays to the answer in its hands, takes under 250 ms", proveClient},
	{"wan", "the same study at 50 ms there and back and 10 Mbit/s up, with stalls and cut connections, is answered in under 5 s", proveWAN},
	{"kill-sweep", "hub and sites are killed at 200 moments of a study, and it ends with the same bytes each time", proveKillSweep},
	{"fifty", "50 sites, a process each, answer a study as one table would, and the hub's memory stays under 1 GiB", proveFifty},
	{"soak", "an hour of mixed studies over real processes leaks no memory, file handles, goroutines or disk", proveSoak},
	{"thousand", "a study of 1,000 sites, played over TLS connections of their own, ends, and the memory of the hub stays under 1 GiB", proveThousand},
	{"suppress", "a table of 10 × 10 × 5 cells, a fourth of them small, is protected and audited in under a second", proveSuppress},
	{"guard", "the guard over earlier questions costs under 5 % of a query on 10,000,000 persons after 1,000 earlier cohorts of mixed sizes, and under 200 MiB", proveGuard},
	{"year", "of a year of ordinary research, over 200 questions of three institutions on lung, UCI heart and CNSIM, the guard over earlier questions refuses under 2 %", proveYear},
	{"attack", "1,000 random strategies against a table of 500 persons find no planted value, bit or membership with the guard on, and a value within 100 with it off", proveAttack},
	{"demo", "the demo ends within 10 s once built", proveDemo},
	{"first-answer", "from cloning to an answer on two CSV files of one's own takes less than 5 minutes", proveFirstAnswer},
}

// scaled is a share of a full size, and at least the given least.
func scaled(full int, scale float64, least int) int {
	return max(int(float64(full)*scale), min(least, full))
}

// timed returns how long f took, in seconds.
func timed(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	if n := len(x); n%2 == 0 {
		return (x[n/2-1] + x[n/2]) / 2
	}
	return x[len(x)/2]
}
