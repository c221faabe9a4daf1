package main

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/policy"
	"wellspring/policy/attack"
	"wellspring/siege"
)

// proveAttack plays random strategies with the guard on, and as many as it takes with it off.
func proveAttack(ctx context.Context, scale float64, r *Report) error {
	r.Peer = "the same strategies with the guard off, in the same run"
	n := scaled(1_000, scale, 100)
	off, err := strategies(ctx, policy.Public(), false, min(n, 1000))
	if err != nil {
		return err
	}
	on, err := strategies(ctx, policy.Default(), true, n)
	if err != nil {
		return err
	}
	r.add("off: strategies", float64(off.Strategies), "")
	r.Holds = off.First > 0
	if r.Holds {
		r.Holds = r.atMost("off: the first that finds the value", float64(off.First), 100, "th strategy")
	}
	r.add("off: find the value, target there", 100*share(off.Values, off), "%")
	r.add("off: the best attacker's advantage on membership", off.Best().Estimate, "")
	r.add("on: strategies", float64(on.Strategies), "")
	r.add("on: studies", float64(on.Studies), "")
	r.add("on: answered", float64(on.Answered), "")
	r.add("on: refused as good as asked before", float64(on.Near), "")
	r.Holds = r.atMost("on: find the value", float64(on.Values), 0, "strategies") && r.Holds
	r.Holds = r.atMost("on: find the bit", float64(on.Bits), 0, "strategies") && r.Holds
	r.Holds = r.atMost("on: find the membership", float64(on.Members), 0, "strategies") && r.Holds
	value := on.Rate(on.Values)
	r.add("on: rate of values, upper end of its interval", value.High, "")
	best := on.Best()
	r.add("on: the best attacker's advantage on membership", best.Estimate, "")
	r.add("on: lower end of its interval", best.Low, "")
	r.add("on: upper end of its interval", best.High, "")
	r.Holds = r.Holds && best.Low <= 0
	if off.Wrong+on.Wrong > 0 {
		return fmt.Errorf("the solver was wrong %d times", off.Wrong+on.Wrong)
	}
	for _, seed := range on.Seeds {
		fmt.Printf("  found with the guard on: strategy %d\n", seed)
	}
	return nil
}

// share is how many of the strategies against a table with the target found something.
func share(found int, t attack.Tally) float64 {
	return float64(found) / float64(max(t.Told[0].With, 1))
}

// strategies plays n of them, on every core.
func strategies(ctx context.Context, p policy.Policy, guarded bool, n int) (attack.Tally, error) {
	c := analyze.Catalog{describe.Describe(), describe.Quantile(), compare.Crosstab(), glm.Method()}
	workers := runtime.GOMAXPROCS(0)
	parts := make([]attack.Tally, workers)
	group, ctx := errgroup.WithContext(ctx)
	for i := range workers {
		group.Go(func() (err error) {
			parts[i], err = siege.Fuzz(ctx, c, p, guarded, uint64(i*n/workers), uint64((i+1)*n/workers))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return attack.Tally{}, err
	}
	var all attack.Tally
	for _, t := range parts {
		all.Join(t)
	}
	return all, nil
}
