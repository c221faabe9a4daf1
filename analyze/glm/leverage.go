package glm

import (
	"math"

	"wellspring/stat"
	"wellspring/stat/solve"
)

// Leverages are told by R of the round before, which is public, so that a site
// tells of its own rows, in the round that would be the last, whether one passes
// the limit: it costs no round, and a flag in those that may be the last. See
// [analyze.Leverage].

// slack is how far a leverage may pass the limit for the weights that the last
// step has moved: a step of 1e-10 standard errors comes after one of some 1e-5.
const slack = 1e-3

// nearly is the step, in standard errors, after which the next round may be the
// last: Newton's steps do not go from more to nearStep at once. Where they do, as
// in a Poisson model of groups with the identity link, the fit takes one round
// more, since the weights have moved. Those of a linear model never move.
const nearly = 1e-2

// levered reports whether leverages are limited.
func (s *setup) levered() bool { return s.problem.Policy().MaxLeverage < 1 }

// keep leaves R to the next round, over the columns that it sums, if that may
// be the last. Columns that are turned from then on are those of which H would
// be n·I.
func (s *setup) keep(st *state, h []float64, step float64, turned bool) {
	st.Root = nil
	if linear := s.link == link(identity{gaussian{}}); !s.levered() || step > nearly && !linear {
		return
	}
	p := s.design.P()
	if turned || st.Turn == nil {
		st.Root, _ = solve.InverseRoot(h, p)
		return
	}
	st.Root = make([]float64, p*p)
	for i := range p {
		st.Root[i*p+i] = 1 / math.Sqrt(float64(s.totals.Complete))
	}
}

// leverageBlock says at how many sites a row passes the limit.
func leverageBlock() stat.Block { return stat.Block{Name: "leverage", Len: 1, Flag: true} }
