package analyze

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/stat"
	"wellspring/study"
)

// A Program is a study bound to the facts of its sites: all its loops, to be
// run in lock step. It never changes after [New].
type Program struct {
	study  *study.Study
	facts  Facts
	parts  []part
	digest [32]byte // of study and facts
	scope  scope

	cohorts []cohort // none where no limit holds
}

// A part is one analysis of the study.
type part struct {
	analysis study.Analysis
	method   Method
	frames   []*formula.Frame
	guarded  []guarded // one a frame
	// weighings hold frames to what was told before over their rows: one a frame, or nil; none where no limit holds.
	weighings []*weighing
}

// New binds s, whose defaults are filled in, to the facts of the sites.
func New(c Catalog, s *study.Study, f Facts) (*Program, error) {
	p := &Program{study: s, facts: f}
	if err := f.Policy.Institutions("study", f.Contributors(f.Sites)); err != nil {
		return nil, err
	}
	if err := filter(s.Data.Where, f); err != nil {
		return nil, ws.At("data.where", err)
	}
	if err := filter(s.Data.Filter(), f); err != nil {
		return nil, ws.At("data.complete_over", err)
	}
	where, err := frame.ParseFilter(s.Data.Filter(), f.Columns)
	if err != nil {
		return nil, err
	}
	p.scope = scope{columns: f.Columns, where: where, veils: f.Policy.Veils()}
	for _, a := range s.All() {
		m, err := c.Lookup(a.Method)
		if err != nil {
			return nil, err
		}
		frames, err := m.Frames(a, f)
		if err != nil {
			return nil, ws.At(a.Label(), err)
		}
		gs, err := guardedFrames(m, a, frames, p.scope, f.Policy)
		if err != nil {
			return nil, ws.At(a.Label(), err)
		}
		p.parts = append(p.parts, part{analysis: a, method: m, frames: frames, guarded: gs})
	}
	if err := p.findCohorts(); err != nil {
		return nil, err
	}
	canonical, err := s.Canonical()
	if err != nil {
		return nil, err
	}
	facts, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "wellspring/program %s\n%d\n", ws.Version, len(canonical))
	h.Write(canonical)
	h.Write(facts)
	h.Sum(p.digest[:0])
	return p, nil
}

// guardedFrames judges what can be judged of frames by the dictionary, and
// finds what round 0 counts and guards of them.
func guardedFrames(m Method, a study.Analysis, frames []*formula.Frame, s scope, p policy.Policy) ([]guarded, error) {
	var out []guarded
	for _, f := range frames {
		for _, judge := range []func(*formula.Frame, policy.Policy) error{texts, levels, bySite, total, truths} {
			if err := judge(f, p); err != nil {
				return nil, err
			}
		}
		g, err := newGuarded(m, f, p)
		if err != nil {
			return nil, err
		}
		g.cuts, g.scope = m.Cuts(a, f), s
		out = append(out, g)
	}
	return out, nil
}

// Needs lists what the analyses of s must know before any row is read.
func (c Catalog) Needs(s *study.Study) (Needs, error) {
	var out Needs
	for _, a := range s.All() {
		m, err := c.Lookup(a.Method)
		if err != nil {
			return out, err
		}
		n, err := m.Needs(a)
		if err != nil {
			return out, ws.At(a.Label(), err)
		}
		out.ExactTimes = append(out.ExactTimes, n.ExactTimes...)
	}
	return out, nil
}

// total refuses, under a cell limit, a function that is not defined in all of
// the dictionary's range: the rows that it leaves out, or fails on, are chosen
// by whoever writes the formula, and may be one.
func total(f *formula.Frame, p policy.Policy) error {
	name, partial := f.Partial()
	if !partial || p.MinCell <= 1 {
		return nil
	}
	return ws.Errorf(ws.Withheld, name, ws.T("it is missing, infinite or not allowed for some values of the dictionary's range, and would tell of single rows", "对字典取值范围内的某些值，它会缺失、无穷大或不被允许，从而透露个别行的情况")).
		WithHint(ws.T("shift the column, as in log(x + 1), or declare a narrower range in the dictionary", "请平移该列，例如 log(x + 1)，或在字典中声明更窄的范围"))
}

// bySite refuses a factor whose levels are sites where a site's own part may
// not be released; strata are summed over and may stay.
func bySite(f *formula.Frame, p policy.Policy) error {
	if p.SiteResults != policy.RefuseSite {
		return nil
	}
	own := slices.Contains(f.Compared(), SiteColumn)
	for i, g := range f.Factors() {
		own = own || g.Column == SiteColumn && !siteStrata(f, i)
	}
	if !own {
		return nil
	}
	return ws.Errorf(ws.Denied, SiteColumn, ws.T("a site's own result is not released under site_results: refuse",
		"site_results 为 refuse 时不得公布单个站点的结果")).
		WithHint(ws.T("use strata(site), or ask the stewards for site_results: coded", "请改用 strata(site)，或请数据管理员许可 site_results: coded"))
}

// phases of a program.
const (
	counting  = "counts"
	comparing = "near"
	moments   = "moments"
	judging   = "judging"
	looping   = "loop"
)

// progress is the public state of a whole program.
type progress struct {
	Phase  string      `json:"phase"`
	Round  int         `json:"round"`
	Opened int64       `json:"opened"` // scalars opened so far, but for comparisons
	Parts  []partState `json:"parts"`
	// Few says that the rows are too few for an answer; see [Program.few].
	Few bool `json:"few,omitempty"`
	// Near are the comparisons with earlier cohorts that the next sum makes.
	Near []near.Ask `json:"near,omitempty"`
	Span near.Span  `json:"span,omitzero"`
	// Rests are what is left of cohorts beyond earlier ones, whose shares the next sum counts.
	Rests near.Rests `json:"rests,omitzero"`
}

type partState struct {
	Totals []Totals      `json:"totals"`
	State  State         `json:"state,omitempty"`
	Result *study.Result `json:"result,omitempty"`
}

// Start returns the state before round 0.
func (p *Program) Start() (State, error) {
	s := progress{Phase: counting}
	for range p.parts {
		s.Parts = append(s.Parts, partState{Totals: []Totals{}})
	}
	return json.Marshal(s)
}

// Digest is what parties compare: SHA-256 over the digest of the study and the
// facts, and the state.
func (p *Program) Digest(s State) [32]byte {
	h := sha256.New()
	h.Write([]byte("wellspring/state"))
	h.Write(p.digest[:])
	h.Write(s)
	var d [32]byte
	h.Sum(d[:0])
	return d
}

// ID is the digest of the study and the facts.
func (p *Program) ID() [32]byte { return p.digest }

// Study returns the study that was bound.
func (p *Program) Study() *study.Study { return p.study }

// Facts returns the facts that it was bound to.
func (p *Program) Facts() Facts { return p.facts }

func parse(raw State) (progress, error) {
	var s progress
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, ws.Errorf(ws.Invalid, "program", ws.T("the state cannot be read", "无法读取状态")).Wrap(err)
	}
	return s, nil
}

func (p *Program) problem(i int, s progress) *Problem {
	return &Problem{Analysis: p.parts[i].analysis, Where: p.study.Data.Filter(), Facts: p.facts,
		Frames: p.parts[i].frames, Totals: s.Parts[i].Totals, Scalars: p.share(s), guarded: p.parts[i].guarded}
}

// share is what each analysis may open in its loop's rounds, so that all of
// them keep within the budget.
func (p *Program) share(s progress) float64 {
	if s.Phase != looping {
		return 0
	}
	rows, columns := p.used(s)
	left := float64(p.facts.Policy.MaxScalars * float64(rows) * float64(columns))
	for i, part := range p.parts {
		for j, g := range part.guarded {
			t := s.Parts[i].Totals[j]
			left -= float64(g.countShape().Len() + g.momentShape(t).Len() + g.judgeShape(t).Len())
		}
	}
	return left / float64(len(p.parts))
}

// A piece is what one accumulator contributes to a round's vector.
type piece struct {
	prefix string
	ask    Ask
	fold   func() (Fold, error)
	at     [2]int // part and frame, of round 0
	aside  bool   // it hangs on what was asked before
}

// pieces lists the accumulators of the round that s asks for.
func (p *Program) pieces(s progress) ([]piece, error) {
	if len(s.Parts) != len(p.parts) {
		return nil, ws.Errorf(ws.Invalid, "program", ws.T("the state belongs to another study", "该状态属于另一项研究"))
	}
	if s.Phase == comparing { // by what sites remember, and by no row
		return []piece{{ask: Ask{Shape: p.nearShape(s)}}}, nil
	}
	var out []piece
	for i, part := range p.parts {
		if s.Parts[i].Result != nil {
			continue
		}
		prob := p.problem(i, s)
		if s.Phase == looping {
			ask, err := part.method.Ask(prob, s.Parts[i].State)
			if err != nil {
				return nil, ws.At(part.analysis.Label(), err)
			}
			state := s.Parts[i].State
			out = append(out, piece{prefix: fmt.Sprintf("%d/", i), ask: ask,
				fold: func() (Fold, error) { return part.method.Fold(prob, state) }})
			continue
		}
		for j, g := range part.guarded {
			pc := piece{prefix: fmt.Sprintf("%d.%d/", i, j), ask: Ask{Query: prob.Query(g.frame)}, at: [2]int{i, j}}
			pc.ask.Shape, pc.fold = g.zero(s, prob, j)
			if s.Phase == counting || pc.ask.Shape.Len() > 0 {
				out = append(out, pc)
			}
			if pc, ok := p.weighs(s, prob, i, j); ok {
				out = append(out, pc)
			}
		}
	}
	return out, nil
}

// zero gives what round 0 asks of the rows of g in the phase of s.
func (g guarded) zero(s progress, p *Problem, frame int) (stat.Shape, func() (Fold, error)) {
	switch s.Phase {
	case counting:
		return g.countShape(), func() (Fold, error) { return g.countFold(), nil }
	case moments:
		return g.momentShape(p.Totals[frame]), func() (Fold, error) { return g.momentFold(), nil }
	}
	return g.judgeShape(p.Totals[frame]), func() (Fold, error) {
		return g.judgeFold(p.Totals[frame], p.Policy()), nil
	}
}

// Ask returns the shape of the vector that state s asks of every site, after
// the budget of opened scalars has been judged.
func (p *Program) Ask(raw State) (stat.Shape, error) {
	s, err := parse(raw)
	if err != nil {
		return nil, err
	}
	ps, err := p.pieces(s)
	if err != nil {
		return nil, err
	}
	return p.shape(s, ps)
}

func (p *Program) shape(s progress, ps []piece) (stat.Shape, error) {
	var shape stat.Shape
	for _, pc := range ps {
		shape = append(shape, pc.ask.Shape.Prefixed(pc.prefix)...)
	}
	if err := shape.Validate(); err != nil {
		return nil, err
	}
	if s.Phase != looping {
		return shape, nil
	}
	rows, columns := p.used(s)
	return shape, p.facts.Policy.Scalars("study", s.Opened+int64(shape.Len()), rows, columns)
}

// used returns the rows and the distinct columns that the study reads.
func (p *Program) used(s progress) (rows, columns int64) {
	seen := make(map[string]bool)
	for i, part := range p.parts {
		for j, f := range part.frames {
			if j < len(s.Parts[i].Totals) {
				rows = max(rows, s.Parts[i].Totals[j].Rows)
			}
			for _, c := range f.Columns() {
				seen[c] = true
			}
		}
	}
	return rows, int64(len(seen))
}

// Rounds is how many sums over rows came before a state. The comparison with earlier studies is none of
// them, nor do its numbers, none of which says more of a site than that it reaches the limit, take part of the budget: an
// answer, and the grid of its times, must not hang on what was asked before.
func Rounds(raw State) (int, error) {
	s, err := parse(raw)
	return s.Round, err
}

// Next returns the state after the sum of s's round was opened and, at the end,
// the results. Every party computes it; errors are public and final.
func (p *Program) Next(raw State, sum stat.Sum) (State, []study.Result, error) {
	s, err := parse(raw)
	if err != nil {
		return nil, nil, err
	}
	ps, err := p.pieces(s)
	if err != nil {
		return nil, nil, err
	}
	shape, err := p.shape(s, ps)
	if err != nil {
		return nil, nil, err
	}
	sum.Shape = shape
	if n := asked(ps); n > 0 && s.Phase != comparing {
		s.Opened += n
		s.Round++
	}
	if err := p.after(&s, sum); err != nil {
		return nil, nil, err
	}
	out, err := json.Marshal(s)
	if err != nil {
		return nil, nil, ws.Errorf(ws.Other, "program", ws.T("the state is no JSON", "状态无法写成 JSON")).Wrap(err)
	}
	done := results(s)
	if err := p.linked(s, done); err != nil {
		return nil, nil, err
	}
	return out, done, nil
}

// after takes the sum of one round in, and passes over phases that would ask
// for nothing, since there is no sum of empty vectors.
func (p *Program) after(s *progress, sum stat.Sum) error {
	switch s.Phase {
	case counting:
		if err := p.afterCounts(s, sum); err != nil {
			return err
		}
	case moments:
		p.afterMoments(s, sum)
	case comparing:
		if err := p.judgeNear(s, sum); err != nil {
			return err
		}
	case judging:
		if err := p.afterJudging(s, sum); err != nil {
			return err
		}
	default:
		return p.afterLoop(s, sum)
	}
	if s.Phase == moments && !p.wants(*s) {
		p.afterMoments(s, stat.Sum{Sites: sum.Sites})
	}
	if s.Phase == judging && !p.wants(*s) {
		if err := p.afterJudging(s, stat.Sum{Sites: sum.Sites}); err != nil {
			return err
		}
	}
	if s.Phase == looping {
		return p.begin(s)
	}
	return nil
}

// wants reports whether the phase of s asks for anything.
func (p *Program) wants(s progress) bool {
	ps, err := p.pieces(s)
	return err == nil && len(ps) > 0
}

func (p *Program) afterCounts(s *progress, sum stat.Sum) error {
	few := false
	for i, part := range p.parts {
		for j, g := range part.guarded {
			counts := sum.Part(fmt.Sprintf("%d.%d/", i, j))
			t := g.readCounts(counts)
			s.Parts[i].Totals = append(s.Parts[i].Totals, t)
			if err := p.facts.Policy.Rows(part.analysis.Label(), t.Complete, t.Sites); err != nil {
				if !p.held() {
					return err
				}
				few = true
				continue
			}
			if err := g.judgeTruths(part.analysis.Label(), p.facts.Policy, counts); err != nil {
				return err
			}
			if err := g.judgeDensity(t, p.facts.Policy); err != nil {
				return ws.At(part.analysis.Label(), err)
			}
		}
	}
	if few {
		p.few(s)
		return nil
	}
	if err := p.neighbours(*s); err != nil {
		return err
	}
	return p.compare(s)
}

func (p *Program) afterMoments(s *progress, sum stat.Sum) {
	for i, part := range p.parts {
		for j, g := range part.guarded {
			s.Parts[i].Totals[j] = g.readMoments(s.Parts[i].Totals[j], sum.Part(fmt.Sprintf("%d.%d/", i, j)))
			s.Parts[i].Totals[j].Weighed = sum.Part(weighPrefix(i, j)).Reals("gram")
		}
	}
	s.Phase = judging
}

func (p *Program) afterJudging(s *progress, sum stat.Sum) error {
	for i, part := range p.parts {
		for j, g := range part.guarded {
			if w := part.weighing(j); w != nil {
				if err := w.judge(s.Parts[i].Totals[j].Weighed, sum.Part(weighPrefix(i, j)).Counts("heavy")); err != nil {
					return ws.At(part.analysis.Label(), err)
				}
				s.Parts[i].Totals[j].Weighed = nil
			}
			s.Parts[i].Totals[j] = g.readVerdicts(s.Parts[i].Totals[j], sum.Part(fmt.Sprintf("%d.%d/", i, j)), p.facts.Policy)
		}
	}
	s.Phase = looping
	return nil
}

// begin starts every loop.
func (p *Program) begin(s *progress) error {
	for i, part := range p.parts {
		state, result, err := part.method.Start(p.problem(i, *s))
		if err != nil {
			return ws.At(part.analysis.Label(), err)
		}
		s.set(i, part, state, result, p.facts.Policy)
	}
	return nil
}

func (p *Program) afterLoop(s *progress, sum stat.Sum) error {
	for i, part := range p.parts {
		if s.Parts[i].Result != nil {
			continue
		}
		state, result, err := part.method.Next(p.problem(i, *s), s.Parts[i].State, sum.Part(fmt.Sprintf("%d/", i)))
		if err != nil {
			return ws.At(part.analysis.Label(), err)
		}
		s.set(i, part, state, result, p.facts.Policy)
	}
	return nil
}

// missing is what a result calls its number of missing rows.
const missing = "missing"

// hideMissing leaves out a number of missing rows below k: it counts persons
// like any other, and that there is none says of all that they lack nothing, unless none can.
func (t part) hideMissing(r *study.Result, p policy.Policy) {
	hidden := false
	for _, rows := range [][]study.Row{r.Tidy, r.Summary, {r.Glance}} {
		for _, row := range rows {
			of := max(slices.Index(t.analysis.Variables, row.Text("variable")), 0) // each variable of a description has a frame
			for i, f := range row {
				if n, ok := f.Value.(int64); ok && f.Name == missing && p.Few(n, p.MinInstitutions, n == 0 && t.guarded[of].complete()) {
					row[i].Value = math.NaN()
					hidden = true
				}
			}
		}
	}
	if hidden {
		r.Suppressed = append(r.Suppressed, study.Suppressed{What: missing, Code: study.Missing, Why: ws.T("below the cell limit", "低于最小单元限制")})
	}
}

func (s *progress) set(i int, part part, state State, result *study.Result, p policy.Policy) {
	s.Parts[i].State = state
	if result != nil {
		part.hideMissing(result, p)
		result.ID, result.Method = part.analysis.ID, part.analysis.Method
		s.Parts[i].State, s.Parts[i].Result = nil, result
	}
}

// results returns all results once every part has one.
func results(s progress) []study.Result {
	var out []study.Result
	for _, part := range s.Parts {
		if part.Result == nil {
			return nil
		}
		out = append(out, *part.Result)
	}
	return out
}
