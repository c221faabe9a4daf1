package glm

import (
	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// Method is the method "glm" of study files.
func Method() analyze.Method { return loop.Method() }

var loop = analyze.Loop[state]{
	Name:   "glm",
	Frames: frames,
	Start:  begin,
	Ask: func(p *analyze.Problem, st state) (analyze.Ask, error) {
		s, err := newSetup(p)
		if err != nil {
			return analyze.Ask{}, err
		}
		return analyze.Ask{Shape: s.shape(st), Query: p.Query(s.frame)}, nil
	},
	Fold: func(p *analyze.Problem, st state) (analyze.Fold, error) {
		s, err := newSetup(p)
		if err != nil {
			return nil, err
		}
		return newFold(s, st), nil
	},
	Next: func(p *analyze.Problem, st state, sum stat.Sum) (state, *study.Result, error) {
		s, err := newSetup(p)
		if err != nil {
			return st, nil, err
		}
		return s.next(st, sum)
	},
}

// frames binds the formula and refuses what is no response of the family.
func frames(a study.Analysis, f analyze.Facts) ([]*formula.Frame, error) {
	m, err := formula.Parse(a.Formula)
	if err != nil {
		return nil, err
	}
	fr, err := formula.Bind(m, f.Columns, a.Weights)
	if err != nil {
		return nil, err
	}
	if _, err := newModel(a.Family, a.Link, 1); err != nil {
		return nil, err
	}
	r := fr.Roles()
	bad := func(msg, hint ws.Text) error { return ws.Errorf(ws.Invalid, "formula", msg).WithHint(hint) }
	switch {
	case r.Time >= 0:
		return nil, bad(ws.T("Surv() is no response of a glm", "Surv() 不能作为 glm 的因变量"),
			ws.T("use the method cox", "请使用方法 cox"))
	case len(r.Strata) > 0:
		return nil, bad(ws.T("strata() has no meaning in a glm", "strata() 在 glm 中没有意义"),
			ws.T("write factor() for a term of its own", "若要作为一项，请写 factor()"))
	case r.Response < 0 && r.ResponseFactor < 0:
		return nil, bad(ws.T("the formula has no response", "公式没有因变量"),
			ws.T("write response ~ terms", "请写成 因变量 ~ 各项"))
	case r.ResponseFactor >= 0 && a.Family != "binomial":
		return nil, bad(ws.T("a factor is a response of the binomial family only", "因子只能作为 binomial 分布族的因变量"),
			ws.T("choose family: binomial", "请选择 family: binomial"))
	}
	return []*formula.Frame{fr}, within(a, fr, f.Policy)
}

// within refuses, under a cell limit, a response that the dictionary lets be
// what the family has no place for: that a row is so would tell of that row.
func within(a study.Analysis, f *formula.Frame, p policy.Policy) error {
	i := f.Roles().Response
	if p.MinCell <= 1 || i < 0 {
		return nil
	}
	y, weighted := f.Numeric()[i], f.Roles().Weights >= 0
	fits := true
	switch {
	case a.Family == "binomial":
		fits = y.Lo >= 0 && y.Hi <= 1 && (weighted || y.Whole)
	case a.Family == "poisson":
		fits = y.Lo >= 0
	case a.Link == "log":
		fits = y.Lo > 0
	}
	if fits {
		return nil
	}
	return ws.Errorf(ws.Withheld, "response "+y.Name, ws.T("by the dictionary it may take values that the family %s has no place for, and a row that does would be told", "按字典，它可能取到 %s 分布族不允许的值，由此会透露个别行的情况", a.Family)).
		WithHint(ws.T("declare a narrower range, or the type integer, in the dictionary: 0 or 1 for binomial, from 0 for poisson, above 0 for the log link", "请在字典中声明更窄的范围或 integer 类型：binomial 为 0 或 1，poisson 不小于 0，log 连接须大于 0"))
}

// begin judges the model against policy and gives the state of the first round.
func begin(p *analyze.Problem) (state, *study.Result, error) {
	if err := p.JudgeModel(0); err != nil { // before any mistake that depends on a level's or an outcome's being nobody's
		return state{}, nil, err
	}
	s, err := newSetup(p)
	if err != nil {
		return state{}, nil, err
	}
	n, terms := s.totals.Complete, s.design.P()
	if terms == 0 {
		return state{}, nil, ws.Errorf(ws.Invalid, "formula", ws.T("the model has no term", "模型没有任何项"))
	}
	if err := p.Policy().Parameters("model", terms, n); err != nil {
		return state{}, nil, err
	}
	if err := s.events(); err != nil {
		return state{}, nil, err
	}
	st := state{Used: n, Weight: float64(n)}
	if s.design.Intercept() {
		st.Null.Eta = s.link.eta(s.mean())
	}
	if s.rare() {
		st.Beta = make([]float64, terms)
		st.Beta[0] = st.Null.Eta
	}
	return st, nil, nil
}

// rare reports whether to start from the null model: where an outcome is rare
// R's first guess, a mean of 1/4 or 3/4 in every row, lies farther from the
// estimate than nothing does, and steps from it have to be halved many times.
func (s *setup) rare() bool {
	m := s.mean()
	return s.family == family(binomial{}) && s.design.Intercept() && len(s.roles.Offset) == 0 && (m < 0.1 || m > 0.9)
}

// events refuses a response that does not vary, or of which the rarer outcome
// has too few persons.
func (s *setup) events() error {
	if s.success != nil {
		return nil // successes and levels judged it
	}
	n, pol := float64(s.totals.Complete), s.problem.Policy()
	mean := s.totals.Sum[s.roles.Response] / n
	if sq := s.totals.SumSq[s.roles.Response]; sq-float64(n*mean*mean) <= float64(1e-13*sq) && (n > 1 && s.family != family(poisson{}) || mean == 0) {
		return constantResponse(s.response)
	}
	switch s.family.(type) {
	case binomial:
		if mean <= 0 || mean >= 1 {
			return s.refuse()
		}
		if k := s.totals.Sum[s.roles.Response]; !s.weighted() && (pol.Hidden(int64(k), pol.MinInstitutions) || pol.Hidden(int64(n-k), pol.MinInstitutions)) {
			return ws.Errorf(ws.Withheld, "response "+s.response, ws.T("one of the outcomes has too few persons", "某一结局的人数过少"))
		}
	case poisson:
		if mean <= 0 {
			return s.refuse()
		}
	default:
		if s.link != link(identity{gaussian{}}) && mean <= 0 {
			return s.refuse()
		}
	}
	return nil
}
