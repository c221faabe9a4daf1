package near

import (
	"fmt"
	"maps"
	"math"
	"slices"

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
// persons, once each. A cohort that is made of earlier ones by the definitions, whatever the rows are, is free.
//
// Many answers of which none is near to anybody's value add up to everybody's (I. Dinur, K. Nissim, PODS 2003,
// doi:10.1145/773153.773173). With L Lᵀ = G and e_i the i-th row of E, all of them tell of person i what a regression on
// the cohorts would, in which i has the leverage
//
//	h_i = |L⁻¹ e_i|² + r_i²/|r|²,
//
// the last term by the new answer: the best linear guess of i's value errs by √(1 − h_i) of what it would without them.
// So sites also say whether h_i passes the limit of leverages at somebody to whom the new answer adds more
// than [little]. It is the audit of F. Chin, G. Özsoyoglu (IEEE Trans. Software Eng. 8(6), 1982,
// doi:10.1109/TSE.1982.236161), with a margin.

// A Span is what is to be known of which cohorts: for each of Earlier how many rows it
// has in common with each one before it in the list, and for each of Now with each of
// Earlier.
type Span struct {
	Now     []int      `json:"now"`
	Columns [][]string `json:"columns"` // of each of Now: those that were not told of the same rows before
	Earlier []int      `json:"earlier"`
}

// Bounds of a span: the earlier cohorts, those last asked, and as many of the study itself, of which fewer are held against each other where each
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
func (f finder) span(now []Cohort, left [][]string) (s Span, err error) {
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
		if related > 1 {
			s.Now, s.Columns = append(s.Now, i), append(s.Columns, left[i])
		}
	}
	if len(s.Now) > maxNow {
		return Span{}, tooMany()
	}
	if len(s.Now) == 0 {
		return Span{}, nil
	}
	var before, own []int // a study has no say in which of those before it are left out
	for _, j := range all {
		if !slices.ContainsFunc(s.Columns, func(columns []string) bool { return shares(Definition{Reads: columns}, f.earlier[j].Definition) }) {
			continue
		}
		if f.earlier[j].Run == "" {
			own = append(own, j)
		} else {
			before = append(before, j)
		}
	}
	s.Earlier = slices.Concat(before[max(0, len(before)-most):], own[max(0, len(own)-most):])
	return s, nil
}

// A Rest is what is left of one of a study's cohorts: Left is |r|².
type Rest struct {
	New     int      `json:"new"`
	Left    float64  `json:"left"`
	Weights []Weight `json:"weights"`
	Basis   int      `json:"basis"` // of [Rests]
	Size    int      `json:"size"`  // how many of that it is left of
}

// Rests are those of a study.
type Rests struct {
	List  []Rest  `json:"list,omitempty"`
	Bases []Basis `json:"bases,omitempty"`
}

// A Basis is a largest set of earlier cohorts, each a column was read of, of which none is made of those
// before it, with the Cholesky factor L of their overlaps, row by row.
type Basis struct {
	Of   []int       `json:"of"` // the earlier cohorts
	Root [][]float64 `json:"root"`
}

// little is a share of |r|² below which an answer is not counted as telling of a person: a thousand such
// make one whole.
const little = 1e-3

// Told reports whether an answer tells of a person for whom r_i is r enough to be looked at.
func (r Rest) Told(x float64) bool { return x*x > little*r.Left }

// Leverage is |L⁻¹e|², the leverage of a row in which the vectors have the values e, which are overwritten.
func (b Basis) Leverage(e []float64) float64 {
	b.forward(e)
	return dot(e, e)
}

// Leverage is h_i, where r_i is x and e says in which cohorts of the basis a person is; e is overwritten.
func (r Rest) Leverage(b Basis, e []float64, x float64) float64 {
	return b.Leverage(e) + x*x/r.Left
}

// A Weight is that of an earlier cohort.
type Weight struct {
	Earlier int     `json:"earlier"`
	Weight  float64 `json:"weight"`
}

// most is how much a person has of |r|²: once or twice in what is made of a few cohorts. Where that is [little], there is
// no doubt.
const most = 4

// JudgeSpan reads the overlaps of a span, in its order. It lists the cohorts of which it must be known whose the rest
// is, and gives the reply of [Judge] where there is none.
//
// Cost: a factorisation of |Earlier| rows for each set of columns, and a product for each of Now.
func JudgeSpan(p policy.Policy, d frame.Dictionary, s Span, overlaps []int64, now, earlier []Cohort) (rests Rests, err error) {
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
			if left >= most*max(1/little, float64(p.MinCell)) {
				continue
			}
			rest := Rest{New: i, Left: left, Weights: j.weights(b, weights)}
			switch {
			case combined(d, c.Definition, rest.Weights, earlier):
			case left < slack*float64(c.Persons):
				return Rests{}, replyTo(p, c, earlier[rest.first()])
			default:
				rest.Basis, rest.Size = rests.take(b.whole), len(b.Of)
				rests.List = append(rests.List, rest)
			}
		}
	}
	return rests, nil
}

// take is the place of a basis among those of the rests.
func (r *Rests) take(b *basis) int {
	if b.place < 0 {
		b.place, r.Bases = len(r.Bases), append(r.Bases, b.Basis)
	}
	return b.place
}

// Share sums min(1, k r_i²/|r|²) over rows, given how often each value of r occurs among them.
func (r Rest) Share(k int64, values map[float64]int64) float64 {
	sum := 0.0
	for _, v := range slices.Sorted(maps.Keys(values)) { // in one order, for the same bytes each time
		sum += float64(values[v]) * math.Min(1, float64(k)*v*v/r.Left)
	}
	return sum
}

// sure is how many times k |r|² must be for nobody to have a k-th of it: a person has no more than most.
const sure = most

// WholeRows is how many whole rows a share is at least, of a rest of which fewer than 4k are left: one has a quarter or
// more.
func WholeRows(share float64) float64 { return math.Floor(sure * share * (1 + slack)) }

// JudgeRests reads the sums of the shares, of how many institutions have any, and of how many sites have somebody of
// whom all answers would tell too much.
func JudgeRests(p policy.Policy, rests Rests, shares []float64, institutions, known []int64, now, earlier []Cohort) error {
	for i, r := range rests.List {
		few := r.Left < float64(sure*p.MinCell) && (shares[i] < float64(p.MinCell)-half || p.Hidden(p.MinCell, institutions[i]))
		if few || known[i] > 0 {
			return replyTo(p, now[r.New], earlier[r.first()])
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

// A basis is one under way.
type basis struct {
	Basis
	name  string // what tells it from others
	at    []int  // places in the span's Earlier
	whole *basis // of which it is the first part
	place int    // of a whole one among those of rests; −1 for none
}

func (j spanJudge) basis(column string, now Cohort) *basis {
	var of []int
	for a, e := range j.span.Earlier {
		if slices.Contains(j.earlier[e].Reads, column) {
			of = append(of, a)
		}
	}
	if len(of) == 0 || !j.earlier[j.span.Earlier[of[0]]].precedes(now) {
		return nil
	}
	name := fmt.Sprint(of)
	whole := j.bases[name]
	if whole == nil {
		whole = &basis{place: -1}
		whole.Basis = NewBasis(len(of), dependent, func(i, k int) float64 { return j.overlap(of[i], of[k]) })
		for i, a := range whole.Of {
			whole.at, whole.Of[i] = append(whole.at, of[a]), j.span.Earlier[of[a]]
		}
		j.bases[name] = whole
	}
	n := 0 // cohorts of the study come last, by their place in it
	for n < len(whole.Of) && j.earlier[whole.Of[n]].precedes(now) {
		n++
	}
	return &basis{Basis: whole.First(n), name: fmt.Sprint(name, n), at: whole.at[:n], whole: whole}
}

// First are the first n vectors of a basis.
func (b Basis) First(n int) Basis { return Basis{b.Of[:n], b.Root[:n]} }

// NewBasis takes of n vectors, of which gram gives the products, each of which those before leave more than a share
// of its square.
func NewBasis(n int, share float64, gram func(i, k int) float64) (b Basis) {
	for i := range n {
		row := make([]float64, len(b.Of), len(b.Of)+1)
		for at, k := range b.Of {
			row[at] = gram(i, k)
		}
		b.forward(row)
		if left := gram(i, i) - dot(row, row); left > share*gram(i, i) {
			b.Of, b.Root = append(b.Of, i), append(b.Root, append(row, math.Sqrt(left)))
		}
	}
	return b
}

// forward solves L y = g in place.
func (b Basis) forward(g []float64) {
	for i := range g {
		g[i] = (g[i] - dot(b.Root[i][:i], g[:i])) / b.Root[i][i]
	}
}

// project gives the weights of least squares, and r² of a cohort of n persons with those overlaps.
func (b Basis) project(g []float64, n float64) (weights []float64, left float64) {
	b.forward(g)
	left = n - dot(g, g)
	weights = g
	for i := len(weights) - 1; i >= 0; i-- { // Lᵀ w = y
		for k := i + 1; k < len(weights); k++ {
			weights[i] -= float64(b.Root[k][i] * weights[k])
		}
		weights[i] /= b.Root[i][i]
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
			out = append(out, Weight{b.Of[i], w})
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
