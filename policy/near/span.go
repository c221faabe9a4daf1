package near

import (
	"fmt"
	"maps"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
)

// Answers add up: all, less ward a, less ward b, less the rest without one person, is that person. So a
// cohort is held to everything that can be made of those before it. With 1_c for the indicator of its rows, and E for
// those of the earlier cohorts that were read of a column, what its answer tells beyond theirs is
// the sum over what least squares leave of it,
//
//	r = 1_c − E w,  w = G⁺g,  G = EᵀE,  g = Eᵀ1_c,  |r|² = |1_c|² − gᵀw,
//
// of which G and g are numbers of rows that cohorts have in common: sums over the sites. If one person has more
// than a k-th of |r|², the answer is near to that person's value. Where |r|² leaves a doubt the sites are asked, once
// w is known, for the sum of min(1, k r_i²/|r|²), which is k where nobody has more, and d where the difference is d
// persons, once each. A cohort that is made of earlier ones by the definitions, whatever the rows are, is free. That no more
// cohorts can be answered than there are persons follows, as it must (I. Dinur, K. Nissim, PODS 2003,
// doi:10.1145/773153.773173). It is the audit of F. Chin, G. Özsoyoglu (IEEE Trans. Software Eng. 8(6), 1982,
// doi:10.1109/TSE.1982.236161), with a margin.

// A Span is what is to be known of which cohorts: for each of Earlier how many rows it
// has in common with each one before it in the list, and for each of Now with each of
// Earlier.
type Span struct {
	Now     []int      `json:"now"`
	Columns [][]string `json:"columns"` // of each of Now: those that were not told of the same rows before
	Earlier []int      `json:"earlier"`
}

// Bounds of a span: the earlier cohorts, those last asked first, of which fewer are held against each other where each
// has many rows.
const (
	maxSpan   = 256
	largeSpan = 96
	largeRows = 1 << 20
	maxNow    = 1024
)

// Len is the number of overlaps.
func (s Span) Len() int { return len(s.Earlier)*(len(s.Earlier)-1)/2 + len(s.Now)*len(s.Earlier) }

// span finds what must be held to earlier answers; left are the columns of each cohort that were not
// told of the same rows before.
func (f finder) span(now []Cohort, left [][]string) (s Span) {
	var all []int
	most := maxSpan
	for j, e := range f.earlier {
		if !f.standing(e) || e.Lost || e.Persons == Unknown || len(e.Reads) == 0 {
			continue
		}
		if e.Persons > largeRows {
			most = largeSpan
		}
		all = append(all, j)
	}
	for i, c := range now {
		related := 0
		for _, j := range all {
			if f.earlier[j].precedes(c) && shares(Definition{Reads: left[i]}, f.earlier[j].Definition) {
				related++
			}
		}
		if related > 1 && len(s.Now) < maxNow {
			s.Now, s.Columns = append(s.Now, i), append(s.Columns, left[i])
		}
	}
	for _, j := range all {
		if slices.ContainsFunc(s.Columns, func(columns []string) bool { return shares(Definition{Reads: columns}, f.earlier[j].Definition) }) {
			s.Earlier = append(s.Earlier, j)
		}
	}
	if len(s.Earlier) > most {
		s.Earlier = s.Earlier[len(s.Earlier)-most:]
	}
	if len(s.Now) == 0 {
		return Span{}
	}
	return s
}

// A Rest is what is left of one of a study's cohorts: Left is |r|².
type Rest struct {
	New     int      `json:"new"`
	Left    float64  `json:"left"`
	Weights []Weight `json:"weights"`
}

// A Weight is that of an earlier cohort.
type Weight struct {
	Earlier int     `json:"earlier"`
	Weight  float64 `json:"weight"`
}

// sure is how many times k |r|² must be for there to be no doubt: a person counts twice at most in what
// is made of a few cohorts, and so has no more than 4 of it.
const sure = 4

// JudgeSpan reads the overlaps of a span, in its order. It lists the cohorts of which it must be known whose the rest
// is, and gives the reply of [Judge] where there is none.
//
// Cost: a factorisation of |Earlier| rows for each set of columns, and a product for each of Now.
func JudgeSpan(p policy.Policy, d frame.Dictionary, s Span, overlaps []int64, now, earlier []Cohort) (rests []Rest, err error) {
	j := spanJudge{span: s, overlaps: overlaps, earlier: earlier, bases: map[string]*basis{}}
	for at, i := range s.Now {
		c := now[i]
		seen := map[string]bool{}
		for _, column := range s.Columns[at] {
			b := j.basis(column, c)
			if b == nil || seen[b.name] {
				continue
			}
			seen[b.name] = true
			weights, left := b.project(j.with(at, b), float64(c.Persons))
			if left >= float64(sure*p.MinCell) {
				continue
			}
			rest := Rest{New: i, Left: left, Weights: j.weights(b, weights)}
			switch {
			case combined(d, c.Definition, rest.Weights, earlier):
			case left < slack*float64(c.Persons):
				return nil, reply(earlier[rest.first()])
			default:
				rests = append(rests, rest)
			}
		}
	}
	return rests, nil
}

// Share sums min(1, k r_i²/|r|²) over rows, given how often each value of r occurs among them.
func (r Rest) Share(k int64, values map[float64]int64) float64 {
	sum := 0.0
	for _, v := range slices.Sorted(maps.Keys(values)) { // in one order, for the same bytes each time
		sum += float64(values[v]) * math.Min(1, float64(k)*v*v/r.Left)
	}
	return sum
}

// WholeRows is how many whole rows a share is at least: one has a quarter or more, since of a rest fewer than 4k are left.
func WholeRows(share float64) float64 { return math.Floor(sure * share * (1 + slack)) }

// JudgeRests reads the sums of the shares, and of how many institutions have any.
func JudgeRests(p policy.Policy, rests []Rest, shares []float64, institutions []int64, earlier []Cohort) error {
	for i, r := range rests {
		if shares[i] < float64(p.MinCell)-half || p.Hidden(p.MinCell, institutions[i]) {
			return reply(earlier[r.first()])
		}
	}
	return nil
}

// half is less than a person.
const half = 0.5

const (
	slack     = 1e-9 // of rounding, relative to a cohort's persons
	dependent = 1e-6 // below which a cohort adds nothing to those before it
	weightTol = 1e-6
)

type spanJudge struct {
	span     Span
	overlaps []int64
	earlier  []Cohort
	bases    map[string]*basis
}

// overlap is that of two of Earlier, by their places.
func (j spanJudge) overlap(a, b int) float64 {
	if a == b {
		return float64(j.earlier[j.span.Earlier[a]].Persons)
	}
	a, b = max(a, b), min(a, b)
	return float64(j.overlaps[a*(a-1)/2+b])
}

// with gives the overlaps of Now's cohort with those of a basis.
func (j spanJudge) with(now int, b *basis) []float64 {
	n := len(j.span.Earlier)
	row := j.overlaps[n*(n-1)/2+now*n:]
	out := make([]float64, len(b.at))
	for i, a := range b.at {
		out[i] = float64(row[a])
	}
	return out
}

// A basis is a largest set of earlier cohorts, each a column was read of, of which none is made of those
// before it, with the Cholesky factor of their overlaps.
type basis struct {
	name string // what tells it from others
	at   []int  // places in Earlier
	l    [][]float64
}

func (j spanJudge) basis(column string, now Cohort) *basis {
	var of []int
	for a, e := range j.span.Earlier {
		if j.earlier[e].precedes(now) && slices.Contains(j.earlier[e].Reads, column) {
			of = append(of, a)
		}
	}
	if len(of) == 0 {
		return nil
	}
	name := fmt.Sprint(of)
	if b := j.bases[name]; b != nil {
		return b
	}
	b := &basis{name: name}
	for _, a := range of {
		row := make([]float64, len(b.at), len(b.at)+1)
		for i, other := range b.at {
			row[i] = j.overlap(a, other)
		}
		b.forward(row)
		left := j.overlap(a, a) - dot(row, row)
		if left > dependent*math.Max(1, j.overlap(a, a)) {
			b.at, b.l = append(b.at, a), append(b.l, append(row, math.Sqrt(left)))
		}
	}
	j.bases[name] = b
	return b
}

// forward solves L y = g in place.
func (b *basis) forward(g []float64) {
	for i := range g {
		g[i] = (g[i] - dot(b.l[i][:i], g[:i])) / b.l[i][i]
	}
}

// project gives the weights of least squares, and r² of a cohort of n persons with those overlaps.
func (b *basis) project(g []float64, n float64) (weights []float64, left float64) {
	b.forward(g)
	left = n - dot(g, g)
	weights = g
	for i := len(weights) - 1; i >= 0; i-- { // Lᵀ w = y
		for k := i + 1; k < len(weights); k++ {
			weights[i] -= float64(b.l[k][i] * weights[k])
		}
		weights[i] /= b.l[i][i]
	}
	return weights, left
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i] * y[i])
	}
	return sum
}

// weights are those that matter.
func (j spanJudge) weights(b *basis, weights []float64) (out []Weight) {
	for i, w := range weights {
		if math.Abs(w) > weightTol {
			out = append(out, Weight{j.span.Earlier[b.at[i]], w})
		}
	}
	return out
}

// first is the earlier cohort of the largest weight.
func (r Rest) first() int {
	best := Weight{}
	for _, w := range r.Weights {
		if math.Abs(w.Weight) > math.Abs(best.Weight)+weightTol {
			best = w
		}
	}
	return best.Earlier
}

// combined reports whether a cohort is a combination of others by the definitions, in whatever
// rows the dictionary allows.
func combined(d frame.Dictionary, c Definition, weights []Weight, earlier []Cohort) bool {
	all := []Term{{c, -1}}
	for _, w := range weights {
		all = append(all, Term{earlier[w.Earlier].Definition, 1})
	}
	filters, known := parse(d, all)
	if !known || len(weights) == 0 {
		return false
	}
	grid, ok := gridOf(d, filters)
	return ok && grid.every(func(in []bool) bool {
		left := 0.0
		if in[0] {
			left = -1
		}
		for i, w := range weights {
			if in[i+1] {
				left += w.Weight
			}
		}
		return math.Abs(left) < 1e-5
	})
}

// reply says that a question is as good as an earlier one.
func reply(e Cohort) error {
	if e.Run == "" {
		return ws.Errorf(ws.Withheld, replyOp, ws.T("two analyses of the study, or cells in them, are over rows that differ by none, or by too few", "研究中的两个分析（或其单元）所涉行没有差别，或差别过小")).
			WithHint(ws.T("let both be over the same rows, as by complete_over, or over clearly other ones", "请使两者基于相同的行（例如用 complete_over），或改用明显不同的行"))
	}
	return ws.Errorf(ws.Withheld, replyOp, ws.T("this is as good as asked before, in run %s: the rows that tell the two apart are none, or too few", "本问题与此前的计算 %s 相当：两者所涉行没有差别，或差别过小", e.Run)).
		WithHint(ws.T("use that answer (wellspring study result), ask over the same rows as then, or over clearly other ones; complete_over holds several models to one row set",
			"请使用当时的结果（wellspring study result），或在与当时相同的行上提问，或改用明显不同的行；complete_over 可使多个模型基于同一组行"))
}
