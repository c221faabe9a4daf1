package glm

import (
	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/stat"
)

// stretch is the number of rows whose design is laid out at once: with 21
// columns 84 KiB, which stays in a core's cache.
const stretch = 512

// An accumulator folds rows at one state.
type accumulator struct {
	*setup
	state  state
	p      int
	h, u   []float64 // upper triangle of H in p×p, and U
	fit    float64
	counts float64 // log-likelihood of binomial with prior weights
	out    [2]float64
	heavy  float64           // rows of too large a leverage
	lever  *analyze.Leverage // nil in a round that tells none
	null   [3]float64        // H, U and D of the null model
	once   [3]float64        // Σw, Σw(y−c), constant
	used   float64

	x, y, w, offset []float64
	rows            rows
	nulls           rows
}

func newFold(s *setup, st state) *accumulator {
	p := s.design.P()
	a := &accumulator{setup: s, state: st, p: p, h: make([]float64, p*p), u: make([]float64, p),
		x: make([]float64, stretch*p), y: make([]float64, stretch), w: make([]float64, stretch),
		offset: make([]float64, stretch), rows: newRows(), nulls: newRows()}
	if st.Root != nil {
		a.lever = analyze.NewLeverage(st.Root, p, s.problem.Policy().MaxLeverage*(1+slack))
	}
	return a
}

func newRows() rows {
	return rows{eta: make([]float64, stretch), weight: make([]float64, stretch), score: make([]float64, stretch)}
}

// Add folds a batch.
func (a *accumulator) Add(b frame.Batch) error {
	v, err := a.frame.Eval(b)
	if err != nil {
		return err
	}
	if a.state.Rounds == 0 {
		if err := a.check(v); err != nil {
			return err
		}
	}
	for from := 0; from < v.Rows; from += stretch {
		a.add(v, from, min(from+stretch, v.Rows))
	}
	return nil
}

// check refuses responses and weights that the model has no place for.
func (a *accumulator) check(v formula.Values) error {
	if a.success == nil {
		for _, y := range v.Numeric[a.roles.Response][:v.Rows] {
			if !a.accepts(y, a.weighted()) {
				return a.refuse()
			}
		}
	}
	if !a.weighted() {
		return nil
	}
	for _, w := range v.Numeric[a.roles.Weights][:v.Rows] {
		if w < 0 {
			return ws.Errorf(ws.Invalid, "weights "+a.frame.Numeric()[a.roles.Weights].Name,
				ws.T("a prior weight is negative", "存在负的先验权重"))
		}
	}
	return nil
}

// refuse says what a response may be.
func (s *setup) refuse() error {
	op := "response " + s.response
	switch {
	case s.family == family(binomial{}):
		return ws.Errorf(ws.Invalid, op, ws.T("a binomial response is 0 or 1, or with prior weights a share between them",
			"binomial 的因变量须为 0 或 1；若有先验权重，可为两者之间的比例")).
			WithHint(ws.T("recode the response, or declare it a factor of two levels", "请重新编码因变量，或将其声明为两个水平的因子"))
	case s.family == family(poisson{}):
		return ws.Errorf(ws.Invalid, op, ws.T("a poisson response is not negative", "poisson 的因变量不得为负"))
	}
	return ws.Errorf(ws.Invalid, op, ws.T("with the log link a response is above 0", "使用 log 连接函数时，因变量须大于 0"))
}

// add folds the rows [from, to), at most stretch of them.
func (a *accumulator) add(v formula.Values, from, to int) {
	n := to - from
	a.load(v, from, to)
	offset := a.offset[:n]
	r := &a.rows
	r.eta, r.weight, r.score = r.eta[:n], r.weight[:n], r.score[:n]
	a.design.Fill(v, from, to, a.x)
	if a.state.Beta == nil {
		a.start(r, offset, a.mean())
	} else {
		predict(r.eta, a.x, a.state.Beta, offset)
		a.evaluate(r)
	}
	if a.state.Rounds == 0 {
		a.addOnce(r)
	}
	if a.state.Turn != nil {
		turnRows(a.x[:n*a.p], a.state.Turn, a.p)
	}
	if a.lever != nil {
		a.heavy += a.lever.Above(a.x[:n*a.p], r.weight)
	}
	addGram(a.h, a.x, r.weight, a.p)
	addScore(a.u, a.x, r.score, a.p)
	a.fit += r.deviance
	a.counts += r.likelihood
	if r.invalid {
		a.out[0]++
	}
	if !a.state.Null.Done {
		a.addNull(offset)
	}
}

// load puts response, weights and offset of the rows into a.rows and a.offset.
func (a *accumulator) load(v formula.Values, from, to int) {
	if a.success == nil {
		a.rows.y = divided(a.y, v.Numeric[a.roles.Response][from:to], a.units.y)
	} else {
		a.rows.y = a.y[:to-from]
		for i, code := range v.Factor[a.roles.ResponseFactor][from:to] {
			a.rows.y[i] = 0
			if a.success[code] {
				a.rows.y[i] = 1
			}
		}
	}
	if a.weighted() {
		a.rows.w = divided(a.w, v.Numeric[a.roles.Weights][from:to], a.units.w)
	}
	clear(a.offset)
	for _, k := range a.roles.Offset {
		for i, o := range v.Numeric[k][from:to] {
			a.offset[i] += o / a.units.y
		}
	}
}

// divided returns x/unit, in room where that is not x itself.
func divided(room, x []float64, unit float64) []float64 {
	if unit == 1 {
		return x
	}
	room = room[:len(x)]
	for i, v := range x {
		room[i] = v / unit
	}
	return room
}

func (a *accumulator) addOnce(r *rows) {
	centre := a.mean()
	for i, y := range r.y {
		w := 1.0
		if r.w != nil {
			w = r.w[i]
		}
		if w == 0 {
			continue
		}
		a.used++
		a.once[0] += w
		a.once[1] += w * (y - centre)
		if r.w != nil || a.family == family(poisson{}) { // else the constant is 0
			a.once[2] += a.family.constant(y, w)
		}
	}
}

func (a *accumulator) addNull(offset []float64) {
	r := &a.nulls
	r.y, r.w = a.rows.y, a.rows.w
	r.eta, r.weight, r.score = r.eta[:len(offset)], r.weight[:len(offset)], r.score[:len(offset)]
	for i, o := range offset {
		r.eta[i] = a.state.Null.Eta + o
	}
	a.evaluate(r)
	for i := range r.eta {
		a.null[0] += r.weight[i]
		a.null[1] += r.score[i]
	}
	a.null[2] += r.deviance
	if r.invalid {
		a.out[1]++
	}
}

// Vector returns the sums in the order of the shape.
func (a *accumulator) Vector() (stat.Vector, error) {
	var out stat.Vector
	for i := range a.p {
		out = append(out, a.h[i*a.p+i:(i+1)*a.p]...)
	}
	out = append(append(out, a.u...), a.fit)
	if a.counted() {
		out = append(out, a.counts)
	}
	if a.restricted() {
		out = append(out, a.out[:]...)
	}
	if a.lever != nil {
		out = append(out, a.heavy)
	}
	if !a.state.Null.Done {
		out = append(out, a.null[:]...)
	}
	if a.state.Rounds == 0 {
		out = append(out, a.once[:]...)
		if a.weighted() {
			out = append(out, a.used)
		}
	}
	return out, nil
}
