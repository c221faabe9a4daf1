package describe

import (
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// Quantile is the method "quantile": R's type 7,
//
//	Q(p) = x₍ⱼ₎ + (h − j)·(x₍ⱼ₊₁₎ − x₍ⱼ₎),  h = (n − 1)p + 1,  j = ⌊h⌋
//
// (Hyndman & Fan 1996, doi:10.1080/00031305.1996.10473566). An order statistic
// is found by a many-way search over counts, all variables, groups and
// probabilities together.
func Quantile() analyze.Method {
	return analyze.Loop[search]{
		Name: "quantile", Frames: quantileFrames, Counts: true, Start: startQuantile, Ask: askQuantile, Fold: foldQuantile, Next: nextQuantile,
	}.Method()
}

// waysOf is how many parts a round splits a bracket into; a round opens as many
// counts for every bracket. 256 finds a float64 within seven rounds; where the
// number of opened scalars is limited, 4 open least for each step down.
func waysOf(p *analyze.Problem) int {
	if p.Policy().Grants(policy.OrderStatistics) {
		return 256
	}
	return 4
}

// search is the state: brackets that still hold a wanted rank.
type search struct {
	Targets []target `json:"targets"`
}

// A target is one order statistic that is looked for. Lo and Hi bound its key,
// inclusive; Below persons have a key under Lo, Inside have one in the bracket.
type target struct {
	Variable int   `json:"variable"`
	Group    int   `json:"group"`
	Rank     int64 `json:"rank"` // from 1
	Lo       int64 `json:"lo"`
	Hi       int64 `json:"hi"`
	Below    int64 `json:"below"`
	Inside   int64 `json:"inside"`
	Done     bool  `json:"done"`
}

func (t target) bracket() target { t.Rank, t.Done = 0, false; return t }

func quantileFrames(a study.Analysis, facts analyze.Facts) ([]*formula.Frame, error) {
	out, err := frames(a, facts)
	if err != nil {
		return nil, err
	}
	for i, f := range out {
		if !numeric(f) {
			return nil, ws.Errorf(ws.Invalid, a.Variables[i], ws.T("%s is a factor and has no quantiles", "%s 为因子，没有分位数", a.Variables[i]))
		}
	}
	return out, nil
}

// key maps numbers to integers in the same order, so that a bracket can be
// halved down to a single float64: the bits of x, the negative ones turned
// over. The keys of a coarse search are steps of the dictionary's range.
func key(x float64) int64 {
	b := int64(math.Float64bits(x + 0)) // −0 becomes 0
	if b < 0 {
		return math.MinInt64 - b
	}
	return b
}

func unkey(k int64) float64 {
	if k < 0 {
		k = math.MinInt64 - k
	}
	return math.Float64frombits(uint64(k))
}

// A scale turns values of a variable into keys.
type scale struct {
	exact     bool
	lo, width float64 // of a coarse search: 2^24 steps over the dictionary's range
}

const steps = 1 << 24

func scaleOf(p *analyze.Problem, i int) scale {
	v := p.Frames[i].Numeric()[0]
	return scale{exact: p.Policy().Grants(policy.OrderStatistics), lo: v.Lo, width: (v.Hi - v.Lo) / steps}
}

func (s scale) key(x float64) int64 {
	if s.exact {
		return key(x)
	}
	if !(s.width > 0) {
		return 0
	}
	return int64(min(max(math.Floor((x-s.lo)/s.width), 0), steps-1))
}

// bounds returns the keys of a variable's range.
func (s scale) bounds(v formula.Numeric) (lo, hi int64) {
	if s.exact {
		return key(v.Lo), key(v.Hi)
	}
	return 0, steps - 1
}

// value returns what a finished bracket says: the number itself, or the middle.
func (s scale) value(t target) float64 {
	if s.exact {
		return unkey(t.Lo)
	}
	return s.lo + float64(s.width*(float64(t.Lo)+float64(t.Hi)+1)/2)
}

// ranks returns the two order statistics of type 7 and the weight of the upper.
func ranks(n int64, prob float64) (j int64, gamma float64) {
	h := float64(float64(n-1) * prob)
	fuzz := 4 * 0x1p-52 // as R does, so that 0.1·10 counts as 1
	lower := math.Floor(h + fuzz)
	gamma = h - lower
	if math.Abs(gamma) < fuzz {
		gamma = 0
	}
	return int64(lower) + 1, gamma
}

func startQuantile(p *analyze.Problem) (search, *study.Result, error) {
	var s search
	for i, f := range p.Frames {
		sc := scaleOf(p, i)
		names, n, _ := groups(p, i)
		hidden := hiddenGroups(p, i)
		lo, hi := sc.bounds(f.Numeric()[0])
		for g := range names {
			if hidden[g] || n[g] == 0 {
				continue
			}
			for _, prob := range p.Analysis.Probs {
				j, gamma := ranks(n[g], clamp(p, prob, n[g]))
				want := []int64{j}
				if gamma > 0 && sc.exact {
					want = append(want, j+1)
				}
				for _, rank := range want {
					s.Targets = append(s.Targets, target{Variable: i, Group: g, Rank: rank, Lo: lo, Hi: hi, Inside: n[g], Done: lo >= hi})
				}
			}
		}
	}
	if s.done() {
		return s, quantileResult(p, s), nil
	}
	return s, nil, nil
}

// clamp keeps a probability k persons away from both ends where a limit holds.
func clamp(p *analyze.Problem, prob float64, n int64) float64 {
	if p.Policy().Grants(policy.OrderStatistics) {
		return prob
	}
	edge := math.Min(float64(p.Policy().MinCell)/float64(n), 0.5)
	return min(max(prob, edge), 1-edge)
}

func (s search) done() bool {
	return !slices.ContainsFunc(s.Targets, func(t target) bool { return !t.Done })
}

// brackets lists the distinct brackets that are still open, in order.
func (s search) brackets() []target {
	var out []target
	seen := make(map[target]bool)
	for _, t := range s.Targets {
		if b := t.bracket(); !t.Done && !seen[b] {
			seen[b] = true
			out = append(out, b)
		}
	}
	return out
}

// part returns in which of the bracket's parts of step keys a key lies.
func (t target) part(k int64, step uint64) int { return int(uint64(k-t.Lo) / step) }

// step is the number of keys in a part: the smallest power of 2 with which
// ways of them cover the bracket, so that parts are dyadic.
func (t target) step(ways int) uint64 {
	span := uint64(t.Hi - t.Lo) // keys less one
	step := uint64(1)
	for span/step >= uint64(ways) {
		step *= 2
	}
	return step
}

func askQuantile(p *analyze.Problem, s search) (analyze.Ask, error) {
	var shape stat.Shape
	for i := range s.brackets() {
		shape = append(shape, stat.Block{Name: fmt.Sprintf("bracket%d", i), Len: waysOf(p)})
	}
	return analyze.Ask{Shape: shape, Query: p.Joint().Query()}, nil
}

type quantileFold struct {
	p        *analyze.Problem
	joint    *analyze.Joint
	brackets []target
	scales   []scale
	counts   stat.Vector
}

func foldQuantile(p *analyze.Problem, s search) (analyze.Fold, error) {
	q := &quantileFold{p: p, joint: p.Joint(), brackets: s.brackets()}
	for i := range p.Frames {
		q.scales = append(q.scales, scaleOf(p, i))
	}
	q.counts = make(stat.Vector, waysOf(p)*len(q.brackets))
	return q, nil
}

func (q *quantileFold) Add(b frame.Batch) error {
	ways := waysOf(q.p)
	for i := range q.p.Frames {
		v, err := q.joint.Eval(i, b)
		if err != nil {
			return err
		}
		keys := make([]int64, v.Rows)
		for r, x := range v.Numeric[0][:v.Rows] {
			keys[r] = q.scales[i].key(x)
		}
		var group []int32
		if q.p.Analysis.By != "" {
			group = v.Factor[len(v.Factor)-1]
		}
		for k, t := range q.brackets {
			if t.Variable == i {
				t.count(keys, group, q.counts[k*ways:(k+1)*ways])
			}
		}
	}
	return nil
}

func (t target) count(keys []int64, group []int32, into []float64) {
	step := t.step(len(into))
	for r, k := range keys {
		if k >= t.Lo && k <= t.Hi && (group == nil || int(group[r]) == t.Group) {
			into[t.part(k, step)]++
		}
	}
}

func (q *quantileFold) Vector() (stat.Vector, error) { return q.counts, nil }

func nextQuantile(p *analyze.Problem, s search, sum stat.Sum) (search, *study.Result, error) {
	index := make(map[target]int)
	for i, b := range s.brackets() {
		index[b] = i
	}
	next := search{Targets: slices.Clone(s.Targets)}
	for i, t := range next.Targets {
		if t.Done {
			continue
		}
		counts := sum.Counts(fmt.Sprintf("bracket%d", index[t.bracket()]))
		if p.Policy().Grants(policy.OrderStatistics) {
			next.Targets[i] = t.narrow(counts)
		} else {
			next.Targets[i] = t.coarsen(counts, p.Policy().MinCell)
		}
		if next.Targets[i].Inside <= 0 {
			return s, nil, ws.Errorf(ws.Diverged, "quantile", ws.T("the counts do not add up to those of round 0", "计数与第 0 轮不符"))
		}
	}
	if next.done() {
		return next, quantileResult(p, next), nil
	}
	return next, nil, nil
}

// narrow goes into the part that holds the rank.
func (t target) narrow(counts []int64) target {
	step := t.step(len(counts))
	for i, c := range counts {
		if t.Rank <= t.Below+c {
			t.Lo += int64(uint64(i) * step)
			t.Hi = min(t.Hi, t.Lo+int64(step-1))
			t.Inside = c
			t.Done = t.Lo == t.Hi
			return t
		}
		t.Below += c
	}
	t.Inside = 0
	return t
}

// coarsen goes into the narrowest dyadic run of parts that holds the rank and
// at least k persons, and ends where no narrower one does.
func (t target) coarsen(counts []int64, k int64) target {
	step := t.step(len(counts))
	deepest := t
	for size := len(counts); size >= 1; size /= 2 {
		below := t.Below
		for i := 0; i < len(counts); i += size {
			var c int64
			for _, x := range counts[i : i+size] {
				c += x
			}
			if t.Rank > below+c {
				below += c
				continue
			}
			if c < k {
				deepest.Done = true
				return deepest
			}
			deepest.Lo = t.Lo + int64(uint64(i)*step)
			deepest.Hi = min(t.Hi, deepest.Lo+int64(uint64(size)*step)-1)
			deepest.Below, deepest.Inside = below, c
			break
		}
	}
	deepest.Done = deepest.Lo == deepest.Hi
	return deepest
}

func quantileResult(p *analyze.Problem, s search) *study.Result {
	r := newReport(p)
	at := 0
	for i := range p.Frames {
		sc := scaleOf(p, i)
		names, n, _ := groups(p, i)
		hidden := hiddenGroups(p, i)
		for g, name := range names {
			if hidden[g] {
				r.suppress(r.label(i, name), analyze.TooFew)
			}
			if hidden[g] || n[g] == 0 {
				continue
			}
			for _, prob := range p.Analysis.Probs {
				_, gamma := ranks(n[g], clamp(p, prob, n[g]))
				value := sc.value(s.Targets[at])
				at++
				if gamma > 0 && sc.exact {
					value += float64(gamma * (sc.value(s.Targets[at]) - value))
					at++
				}
				row := r.row(i, name)
				row.Set("prob", prob)
				row.Set("n", n[g])
				row.Set("quantile", value)
				r.out.Tidy = append(r.out.Tidy, row)
			}
		}
	}
	if !p.Policy().Grants(policy.OrderStatistics) {
		r.out.Notes = append(r.out.Notes, ws.T("order_statistics is not granted: each quantile is the middle of the narrowest bracket that holds the least number of persons allowed",
			"未许可 order_statistics:各分位数为至少包含最小允许人数的最窄区间的中点"))
	}
	return r.result()
}
