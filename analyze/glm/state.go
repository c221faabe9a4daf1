package glm

import (
	"math"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/stat"
	"wellspring/stat/solve"
)

// A state is what is public between two rounds.
type state struct {
	// Beta are the coefficients of the centred and scaled columns at which the
	// round evaluates; none in a first round that starts from R's first guess.
	Beta []float64 `json:"beta,omitempty"`
	// Prev is where the step to Beta began, and Deviance what was there.
	Prev     []float64 `json:"prev,omitempty"`
	Deviance float64   `json:"deviance"`
	Step     float64   `json:"step"` // largest entry of the step to Beta
	Steps    int       `json:"steps"`
	Halvings int       `json:"halvings"` // of the present step
	Rounds   int       `json:"rounds"`
	Flat     int       `json:"flat"` // steps on end that neither shrank nor gained
	Null     nullState `json:"null"`

	// Turn makes the columns orthogonal where they are nearly collinear; see
	// [turning]. None in the first round.
	Turn []float64 `json:"turn,omitempty"`

	// Root is R of the round before, by which this one tells leverages. None in the first round, after a step that was taken back, and
	// where no leverage is limited.
	Root []float64 `json:"root,omitempty"`

	// What the first round opened.
	Used     int64   `json:"used"`     // rows of positive weight
	Weight   float64 `json:"weight"`   // Σw
	Constant float64 `json:"constant"` // of the log-likelihood
}

// A nullState is the fit of the intercept and the offset alone, or of the
// offset alone where the model has no intercept.
type nullState struct {
	Eta      float64 `json:"eta"`
	Done     bool    `json:"done"`
	Invalid  bool    `json:"invalid"` // no mean of the family at Eta
	Deviance float64 `json:"deviance"`
}

// A setup is what follows from the problem alone, made anew in every step.
type setup struct {
	model
	problem  *analyze.Problem
	frame    *formula.Frame
	totals   analyze.Totals
	design   *formula.Design
	roles    formula.Roles
	response string
	success  []bool // of each level of a factor response
	units    units
	bounds   bounds
}

// units are powers of two by which a fold divides, so that sums are of the
// order of the number of rows: the response and the offset of a linear model,
// and prior weights but those of binomial, which are counts. In these units
// stand the state and the sums; only the result is without them.
type units struct{ y, w float64 }

// unit is a power of two next to x, 1 if x is not above 0.
func unit(x float64) float64 {
	if !(x > 0) {
		return 1
	}
	_, e := math.Frexp(x)
	return math.Ldexp(1, max(min(e, 500), -500))
}

// bounds of magnitudes, for fraction bits.
type bounds struct {
	weight, y, offset float64
	column            float64   // largest of columns
	columns           []float64 // of the design
}

// enough caps the bound of a column, whose standard deviation is about 1; a
// larger value that made a sum overflow is refused when it is encoded.
const enough = 1 << 20

func newSetup(p *analyze.Problem) (*setup, error) {
	f := p.Frames[0]
	d, err := f.Design(p.Totals[0].Moments)
	if err != nil {
		return nil, err
	}
	s := &setup{problem: p, frame: f, totals: p.Totals[0], design: d, roles: f.Roles()}
	if s.model, err = newModel(p.Analysis.Family, p.Analysis.Link, s.largestMean()); err != nil {
		return nil, err
	}
	s.measure()
	s.bound()
	if i := s.roles.ResponseFactor; i >= 0 {
		s.response = f.Factors()[i].Name
		s.success, err = successes(s.response, s.totals.Levels[i])
		return s, err
	}
	s.response = f.Numeric()[s.roles.Response].Name
	return s, nil
}

// newModel pairs a family with a link. y bounds the response.
func newModel(name, over string, y float64) (model, error) {
	families := map[string]family{"gaussian": gaussian{}, "binomial": binomial{}, "poisson": poisson{}}
	own := map[string]string{"gaussian": "identity", "binomial": "logit", "poisson": "log"}
	f, ok := families[name]
	if !ok {
		return model{}, ws.Errorf(ws.Invalid, "model", ws.T("unknown family %q; there are gaussian, binomial and poisson",
			"未知的分布族 %q；可用的有 gaussian、binomial 和 poisson", name))
	}
	if over == "" {
		over = own[name]
	}
	switch {
	case over == "identity" && name != "binomial":
		return model{f, identity{f}}, nil
	case over == "log":
		return model{f, logarithm{f, (1 << 20) * math.Max(y, 1)}}, nil
	case over == "logit" && name == "binomial":
		return model{f, logit{}}, nil
	case over == "probit" && name == "binomial":
		return model{f, probit{}}, nil
	case over == "cloglog" && name == "binomial":
		return model{f, cloglog{}}, nil
	}
	return model{}, ws.Errorf(ws.Invalid, "model", ws.T("family %s has no link %q", "分布族 %s 没有连接函数 %q", name, over))
}

// successes tells success from failure among the levels of a factor response
// that hold rows: the first is failure, as in R.
func successes(name string, counts []int64) ([]bool, error) {
	out := make([]bool, len(counts))
	held := 0
	for i, n := range counts {
		if n > 0 {
			out[i] = held > 0
			held++
		}
	}
	switch {
	case held == 1:
		return nil, constantResponse(name)
	case held != 2:
		return nil, ws.Errorf(ws.Invalid, "response "+name,
			ws.T("a factor response has two levels", "因子型因变量须恰有两个水平"))
	}
	return out, nil
}

func constantResponse(name string) error {
	return ws.Errorf(ws.Invalid, "response "+name, ws.T("the response is the same in all complete rows", "因变量在所有完整行中取值相同")).
		WithHint(ws.T("check the filter, and the rows that missing values leave", "请检查筛选条件，以及剔除缺失后剩余的行"))
}

// measure chooses the units.
func (s *setup) measure() {
	n := float64(s.totals.Complete)
	s.units = units{1, 1}
	if s.link == link(identity{gaussian{}}) {
		s.units.y = unit(math.Sqrt(s.totals.SumSq[s.roles.Response] / n))
	}
	if s.weighted() && s.family != family(binomial{}) {
		s.units.w = unit(s.totals.Sum[s.roles.Weights] / n)
	}
}

// largestMean bounds a numeric response.
func (s *setup) largestMean() float64 {
	if s.roles.Response < 0 {
		return 1
	}
	return s.magnitude(s.roles.Response)
}

// bound takes, for each magnitude, the smaller of what the dictionary and what
// the sums of round 0 allow.
func (s *setup) bound() {
	s.bounds = bounds{weight: 1, y: s.largestMean() / s.units.y, columns: slices.Clone(s.design.Bound())}
	for i, b := range s.bounds.columns {
		s.bounds.columns[i] = math.Max(math.Min(b, enough), 1)
		s.bounds.column = math.Max(s.bounds.column, s.bounds.columns[i])
	}
	if i := s.roles.Weights; i >= 0 {
		s.bounds.weight = s.magnitude(i) / s.units.w
	}
	for _, i := range s.roles.Offset {
		s.bounds.offset += s.magnitude(i) / s.units.y
	}
}

// magnitude bounds a numeric variable: one value's square is at most the sum
// of squares.
func (s *setup) magnitude(i int) float64 {
	v := s.frame.Numeric()[i]
	m := math.Max(math.Abs(v.Lo), math.Abs(v.Hi))
	return math.Max(math.Min(m, 1.001*math.Sqrt(math.Max(s.totals.SumSq[i], 0))), 0x1p-900)
}

// mean is the mean of the response over all rows, unweighted, in its unit.
func (s *setup) mean() float64 {
	n := float64(s.totals.Complete)
	if s.success == nil {
		return s.totals.Sum[s.roles.Response] / n / s.units.y
	}
	var k int64
	for i, yes := range s.success {
		if yes {
			k += s.totals.Levels[s.roles.ResponseFactor][i]
		}
	}
	return float64(k) / n
}

func (s *setup) weighted() bool { return s.roles.Weights >= 0 }

// counted reports whether the likelihood has to be summed up beside the
// deviance.
func (s *setup) counted() bool { return s.weighted() && s.family == family(binomial{}) }

// restricted reports whether the link can leave the range of μ.
func (s *setup) restricted() bool {
	switch s.link.(type) {
	case identity:
		return s.family == family(poisson{})
	case logarithm:
		return s.family == family(binomial{})
	}
	return false
}

// eta bounds the linear predictor at b.
func (s *setup) eta(b []float64) float64 {
	sum := s.bounds.offset
	for i, v := range b {
		sum += float64(math.Abs(v) * s.bounds.columns[i])
	}
	return sum
}

// shape lists what the round at st opens.
func (s *setup) shape(st state) stat.Shape {
	p, n := s.design.P(), s.totals.Complete
	w, y, col := s.bounds.weight, s.bounds.y, s.bounds.column
	eta := s.eta(st.Beta)
	if st.Beta == nil { // the link of R's first guess: y, |ln y| ≤ 745, or below 2 + ln(w+1) for binomial
		eta = s.bounds.offset + y + 745 + log2(w+1)
	}
	weight, score := s.link.reach(y, eta)
	first := 0.0
	if st.Beta == nil {
		first = weight * (eta + s.bounds.offset)
	}
	support := s.design.Support()
	if st.Turn != nil { // column i is made of the columns up to i
		col, support = enough, slices.Clone(support)
		for i := 1; i < p; i++ {
			support[i] = min(support[i], support[i-1])
		}
	}
	fit := s.fitBound(eta)
	shape := stat.Shape{
		{Name: "gram", Len: p * (p + 1) / 2, Frac: s.frac(w * weight * col * col), Basis: pairs(support)},
		{Name: "score", Len: p, Frac: s.frac(w * (score + first) * col), Basis: support},
		{Name: "fit", Len: 1, Frac: s.frac(fit), Basis: stat.Repeat(n, 1)},
	}
	if s.counted() {
		shape = append(shape, stat.Block{Name: "likelihood", Len: 1, Frac: s.frac(fit), Basis: stat.Repeat(n, 1)})
	}
	if s.restricted() {
		shape = append(shape, stat.Block{Name: "out of range", Len: 2, Flag: true})
	}
	if st.Root != nil {
		shape = append(shape, leverageBlock())
	}
	if !st.Null.Done {
		at := math.Abs(st.Null.Eta) + s.bounds.offset
		weight, score := s.link.reach(y, at)
		shape = append(shape, stat.Block{Name: "null", Len: 3, Frac: s.frac(max(w*weight, w*score, s.fitBound(at))), Basis: stat.Repeat(n, 3)})
	}
	if st.Rounds == 0 {
		shape = append(shape, s.once()...)
	}
	return shape
}

// once lists what only the first round opens.
func (s *setup) once() stat.Shape {
	n, w, y := s.totals.Complete, s.bounds.weight, s.bounds.y
	// ln w ≥ −745; for poisson and binomial |ln f| stays below (w+y)·(ln(w+y)+2)
	likelihood := 745 + float64(2*(float64(w*(1+y))+1)*(log2(w+y+2)+2))
	shape := stat.Shape{{Name: "moments", Len: 3, Frac: s.frac(max(w, 2*w*y, likelihood)), Basis: stat.Repeat(n, 3)}}
	if s.weighted() {
		shape = append(shape, stat.Block{Name: "used", Len: 1})
	}
	return shape
}

// log2 has the same bits on every processor, as bounds must.
func log2(x float64) float64 { return solve.Log(x) / math.Ln2 }

func (s *setup) frac(bound float64) uint8 { return stat.FracFor(bound, s.totals.Rows) }

// fitBound bounds a row's deviance and log-likelihood where |η| ≤ eta.
func (s *setup) fitBound(eta float64) float64 {
	w, y := s.bounds.weight, s.bounds.y
	switch s.family.(type) {
	case gaussian:
		mu := eta
		if l, ok := s.link.(logarithm); ok {
			mu = l.cap
		}
		return w * (y + mu) * (y + mu)
	case binomial: // −ln μ ≤ 37 for the links that are clamped, |η|+1 for the others
		return 2 * (w + 1) * (eta + 40)
	}
	mu := eta
	if l, ok := s.link.(logarithm); ok {
		mu = l.cap
	}
	return 2 * w * (float64(y*(log2(y+2)+eta+40)) + mu)
}

// pairs gives the basis of the upper triangle: no more persons stand behind a
// product than behind either column.
func pairs(support []int64) []int64 {
	var out []int64
	for i := range support {
		for _, n := range support[i:] {
			out = append(out, min(n, support[i]))
		}
	}
	return out
}
