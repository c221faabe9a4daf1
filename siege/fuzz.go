package siege

import (
	"context"
	"errors"

	"wellspring/analyze"
	"wellspring/policy"
	"wellspring/policy/attack"
)

// worldSeed is that of the world in which random strategies are played.
const worldSeed = 1

// Fuzz plays the strategies of seeds from to to − 1, without masks, against networks in all four states of the target: there
// or not, with the bit or without.
func Fuzz(ctx context.Context, c analyze.Catalog, p policy.Policy, guarded bool, from, to uint64) (t attack.Tally, err error) {
	var nets [2][2]attack.Target
	open := OpenPlain(c)
	for there := range nets {
		for hiv := range nets[there] {
			w := attack.NewWorld(worldSeed, hiv == 1)
			if there == 0 {
				w = w.Without()
			}
			n, done, e := open(w, p, guarded)
			if e != nil {
				return t, e
			}
			defer func() { err = errors.Join(err, done()) }()
			nets[there][hiv] = n
		}
	}
	return attack.Fuzz(ctx, nets, attack.NewWorld(worldSeed, true), from, to)
}
