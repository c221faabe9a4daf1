package survival

import (
	"math"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/study"
)

// A setup is what a method reads of a problem, the same at every party.
type setup struct {
	problem *analyze.Problem
	frame   *formula.Frame
	totals  analyze.Totals
	roles   formula.Roles
	time    string // the column of the time
	strata  split  // what is summed over
	groups  split  // what is compared
	model   bool   // factors on the right side are terms of a model
	// compared says that the groups of a stratum share its steps.
	compared bool
}

// newSetup reads a problem; byTerms says that the factors on the right side
// are groups to compare, not terms of a model.
func newSetup(p *analyze.Problem, byTerms bool) (*setup, error) {
	f := p.Frames[0]
	s := &setup{problem: p, frame: f, totals: p.Totals[0], roles: f.Roles(), model: !byTerms,
		compared: p.Analysis.Method == "logrank"}
	s.time, _ = f.Model().TimeColumn()
	var err error
	if s.strata, err = newSplit(f, s.roles.Strata); err != nil {
		return nil, err
	}
	s.groups, err = newSplit(f, groupFactors(f, byTerms))
	return s, err
}

func groupFactors(f *formula.Frame, byTerms bool) []int {
	if !byTerms {
		return nil
	}
	strata := make(map[int]bool)
	for _, i := range f.Roles().Strata {
		strata[i] = true
	}
	var out []int
	for i := range f.Factors() {
		if !strata[i] {
			out = append(out, i)
		}
	}
	return out
}

// local reports whether every stratum lies within one site, so that the site
// can work it out alone and send what is summed over strata only.
func (s *setup) local() bool {
	for _, i := range s.strata.factors {
		if s.frame.Factors()[i].Column == analyze.SiteColumn {
			return true
		}
	}
	return false
}

func (s *setup) cells() int { return s.strata.n * s.groups.n }

// A split parts the rows by the combinations of some factors' levels; without
// a factor there is one part.
type split struct {
	factors []int
	sizes   []int
	n       int
}

// maxParts bounds the combinations of levels of one analysis.
const maxParts = 1 << 16

func newSplit(f *formula.Frame, factors []int) (split, error) {
	s := split{factors: factors, n: 1}
	for _, i := range factors {
		size := len(f.Factors()[i].Levels)
		s.sizes = append(s.sizes, size)
		if s.n *= size; s.n > maxParts {
			return s, ws.Errorf(ws.Invalid, "formula", ws.T("more than %d combinations of levels", "水平组合超过 %d 个", maxParts)).
				WithHint(ws.T("name fewer factors", "请减少因子"))
		}
	}
	return s, nil
}

// code returns the part in which row r lies; the first factor varies slowest.
func (s split) code(v formula.Values, r int) int {
	code := 0
	for k, i := range s.factors {
		code = code*s.sizes[k] + int(v.Factor[i][r])
	}
	return code
}

// label names a part as survfit does, such as "factor(group)=1, rx=Lev".
func (s split) label(f *formula.Frame, code int) string {
	parts := make([]string, len(s.factors))
	for k := len(s.factors) - 1; k >= 0; k-- {
		g := f.Factors()[s.factors[k]]
		parts[k] = g.Name + "=" + g.Levels[code%s.sizes[k]]
		code /= s.sizes[k]
	}
	return strings.Join(parts, ", ")
}

// subjects are the complete rows of a batch.
type subjects struct {
	values formula.Values
	start  []float64 // nil unless rows enter late
	stop   []float64
	event  []float64 // 1 or 0
}

// from returns when row r enters.
func (s subjects) from(r int) float64 {
	if s.start == nil {
		return math.Inf(-1)
	}
	return s.start[r]
}

func (s *setup) read(b frame.Batch) (subjects, error) {
	v, err := s.frame.Eval(b)
	if err != nil {
		return subjects{}, err
	}
	out := subjects{values: v, stop: v.Numeric[s.roles.Time], event: v.Numeric[s.roles.Event]}
	if s.roles.Start >= 0 {
		out.start = v.Numeric[s.roles.Start]
	}
	return out, nil
}

// needs asks for the distinct times of the response.
func needs(a study.Analysis) (analyze.Needs, error) {
	m, err := formula.Parse(a.Formula)
	if err != nil {
		return analyze.Needs{}, err
	}
	column, err := timeColumn(m)
	if err != nil {
		return analyze.Needs{}, err
	}
	return analyze.Needs{ExactTimes: []string{column}}, nil
}

func timeColumn(m *formula.Model) (string, error) {
	column, ok := m.TimeColumn()
	if !ok {
		return "", ws.Errorf(ws.Invalid, "formula", ws.T("the left side must be Surv() of a time that is a column, or one in another unit", "公式左侧须为 Surv()，且时间须为一列，或仅换算单位")).
			WithHint(ws.T("write Surv(time, event) ~ terms, or Surv(time/365.25, event); a difference of two columns belongs into the data", "请写成 Surv(时间, 事件) ~ 各项，或 Surv(时间/365.25, 事件)；两列之差请事先写入数据"))
	}
	return column, nil
}

// bindModel binds the formula of a model; its terms are covariates.
func bindModel(a study.Analysis, f analyze.Facts) ([]*formula.Frame, error) {
	return bind(a, f, func(m *formula.Model, d frame.Dictionary) (*formula.Frame, error) { return formula.Bind(m, d, "") })
}

// bindGroups binds the formula of a comparison, whose right side names groups.
func bindGroups(a study.Analysis, f analyze.Facts) ([]*formula.Frame, error) {
	frames, err := bind(a, f, formula.BindGroups)
	if err != nil {
		return nil, err
	}
	fr := frames[0]
	others := len(fr.Numeric()) - 2 // but for time and event
	if fr.Roles().Start >= 0 {
		others--
	}
	if interactions := len(fr.Model().Terms()) - len(groupFactors(fr, true)); interactions != 0 {
		others++
	}
	if others > 0 {
		return nil, ws.Errorf(ws.Invalid, "formula", ws.T("the right side may name groups only", "公式右侧只能写分组变量")).
			WithHint(ws.T("write factors joined by +, or 1 for one group", "请写以 + 连接的因子，或用 1 表示不分组"))
	}
	return frames, nil
}

func bind(a study.Analysis, f analyze.Facts, how func(*formula.Model, frame.Dictionary) (*formula.Frame, error)) ([]*formula.Frame, error) {
	m, err := formula.Parse(a.Formula)
	if err != nil {
		return nil, err
	}
	if _, err := timeColumn(m); err != nil {
		return nil, err
	}
	fr, err := how(m, f.Columns)
	if err != nil {
		return nil, err
	}
	return []*formula.Frame{fr}, nil
}
