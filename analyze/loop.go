package analyze

import (
	"bytes"
	"encoding/json"
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/stat"
	"wellspring/study"
)

// Needs is what an analysis must know before any row is read.
type Needs struct {
	// ExactTimes are the columns whose distinct values the sites publish
	// where every dataset grants exact times.
	ExactTimes []string
}

// Facts are what sites have published and signed, merged over the sites.
type Facts struct {
	Sites        []ws.SiteID      `json:"sites"`        // in code-point order
	Institutions []ws.Institution `json:"institutions"` // of each site
	Conductor    ws.Institution   `json:"conductor"`    // that of whoever conducts
	Columns      frame.Dictionary `json:"columns"`
	Times        []TimeFact       `json:"times,omitempty"`
	Policy       policy.Policy    `json:"policy"` // the strictest of all
	// Earlier are the cohorts that the sites remember of the asker's group.
	Earlier []near.Cohort `json:"earlier,omitempty"`
	// Remembers says that the sites keep cohorts, so that those of a study can be held against
	// each other.
	Remembers bool `json:"remembers,omitempty"`
	// Reviewers are the sites at which a person releases answers, in order.
	Reviewers []Reviewer `json:"reviewers,omitempty"`
}

// A Reviewer is a site whose policy has answers wait for a person.
type Reviewer struct {
	Site ws.SiteID     `json:"site"`
	Of   policy.Review `json:"of"` // which answers
}

// A TimeFact holds the distinct values of a column over all sites, ascending.
type TimeFact struct {
	Column string    `json:"column"`
	Values []float64 `json:"values"`
}

// ExactTimes returns the distinct values of a column, and whether they are known.
func (f Facts) ExactTimes(column string) ([]float64, bool) {
	for _, t := range f.Times {
		if t.Column == column {
			return t.Values, true
		}
	}
	return nil, false
}

// Totals are what round 0 counted of one row set.
type Totals struct {
	Rows  int64 // after the filter, complete or not
	Sites int64 // institutions with a complete row, as far as they are counted; see [Facts.Speaks]
	formula.Moments
	LevelSites [][]int64 // the same by factor and level
	// Crossed counts the cells of the sets of factors that guards join, and
	// Guards judges the guards; both where a limit holds.
	Crossed []Crossed     `json:",omitempty"`
	Guards  []GuardTotals `json:",omitempty"`
	// Truths counts the cells of the frame's comparisons, and Ones the rows in which a column of two values
	// has the larger; where a limit holds.
	Truths []int64 `json:",omitempty"`
	Ones   []int64 `json:",omitempty"`
	// Weighed are the products of functions that are held to each other, until they are judged.
	Weighed []float64 `json:",omitempty"`
	// Cuts counts the bins of each cut, by the cells of its factors.
	Cuts []Crossed `json:",omitempty"`
}

// A Crossed holds the persons and the institutions behind each cell of two
// factors or more, the last factor's levels running fastest, or of a cut.
type Crossed struct{ Persons, Sites []int64 }

// A GuardTotals is what was opened of a guard, cell by cell. The moments are
// forgotten once they are judged.
type GuardTotals struct {
	Sum     []float64 `json:",omitempty"`
	SumSq   []float64 `json:",omitempty"`
	Verdict []Verdict `json:",omitempty"`
}

// A Problem is all that is public when round 1 begins. Loops read it and never
// change it.
type Problem struct {
	Analysis study.Analysis
	Where    string // the study's row filter
	Facts    Facts
	Frames   []*formula.Frame // as the loop's Frames returned them
	Totals   []Totals         // one a frame
	guarded  []guarded        // one a frame
	// Scalars is how many scalars the loop's rounds may open: an equal share,
	// among the study's analyses, of what round 0 left of the budget.
	Scalars float64
}

// Policy is the policy of the study's datasets.
func (p *Problem) Policy() policy.Policy { return p.Facts.Policy }

// Query asks for the rows of a frame.
func (p *Problem) Query(f *formula.Frame) frame.Query {
	return frame.Query{Columns: f.Columns(), Where: p.Where}
}

// An Ask is what one round asks of every site.
type Ask struct {
	Shape stat.Shape
	Query frame.Query
	// Chain says that the fold carries from batch to batch, so that one fold
	// sees all rows and they are encoded once.
	Chain bool
}

// A Fold is one accumulator. Add gets batches with the columns of Ask.Query,
// in that order; Vector, called once, returns the vector of Ask.Shape.
type Fold interface {
	Add(frame.Batch) error
	Vector() (stat.Vector, error)
}

// A Loop is one federated analysis: pure functions over its own public state S,
// which must survive JSON unchanged (no maps, no NaN, no Inf).
type Loop[S any] struct {
	// Name is the method of study files.
	Name string
	// Needs names what must be known before any row is read. Optional.
	Needs func(study.Analysis) (Needs, error)
	// Frames binds the analysis to the dictionary: one row set each, whose
	// levels and moments round 0 counts. At least one.
	Frames func(study.Analysis, Facts) ([]*formula.Frame, error)
	// Counts says that the loop rests on counts alone and judges them itself:
	// no moment of its frames is opened, and nothing is guarded.
	Counts bool
	// Guards lists what is judged of a frame before Start, where a limit
	// holds; operands are as formula.Frame.WithOperands gives them. Optional:
	// ModelGuards stand in for it.
	Guards func(f *formula.Frame, operands [][]int) []Guard
	// Cuts lists how the rows of a frame are told bin by bin. Optional: they are not.
	Cuts func(study.Analysis, *formula.Frame) []Cut
	// Start gives the state of round 1. A loop that needs no further round
	// may return a result at once.
	Start func(*Problem) (S, *study.Result, error)
	// Ask is a function of the problem and the state alone, so that their
	// digest covers it.
	Ask func(*Problem, S) (Ask, error)
	// Fold returns one accumulator; several run at the same time.
	Fold func(*Problem, S) (Fold, error)
	// Next is deterministic, errors too: they are public. It uses stat/solve
	// only. A result ends the loop.
	Next func(*Problem, S, stat.Sum) (S, *study.Result, error)
}

// A State is a loop's state in JSON.
type State = json.RawMessage

// A Method is a Loop without its type of state.
type Method interface {
	Name() string
	Needs(study.Analysis) (Needs, error)
	Frames(study.Analysis, Facts) ([]*formula.Frame, error)
	Counts() bool
	Guards(f *formula.Frame, operands [][]int) []Guard
	Cuts(study.Analysis, *formula.Frame) []Cut
	Start(*Problem) (State, *study.Result, error)
	Ask(*Problem, State) (Ask, error)
	Fold(*Problem, State) (Fold, error)
	Next(*Problem, State, stat.Sum) (State, *study.Result, error)
}

// Method hides l's type of state.
func (l Loop[S]) Method() Method { return erased[S]{l} }

type erased[S any] struct{ loop Loop[S] }

func (e erased[S]) Name() string { return e.loop.Name }

func (e erased[S]) Needs(a study.Analysis) (Needs, error) {
	if e.loop.Needs == nil {
		return Needs{}, nil
	}
	return e.loop.Needs(a)
}

func (e erased[S]) Frames(a study.Analysis, f Facts) ([]*formula.Frame, error) {
	return e.loop.Frames(a, f)
}

func (e erased[S]) Counts() bool { return e.loop.Counts }

func (e erased[S]) Guards(f *formula.Frame, operands [][]int) []Guard {
	if e.loop.Guards == nil {
		return ModelGuards(f, operands)
	}
	return e.loop.Guards(f, operands)
}

func (e erased[S]) Cuts(a study.Analysis, f *formula.Frame) []Cut {
	if e.loop.Cuts == nil {
		return nil
	}
	return e.loop.Cuts(a, f)
}

func (e erased[S]) Start(p *Problem) (State, *study.Result, error) {
	return e.pack(e.loop.Start(p))
}

func (e erased[S]) Ask(p *Problem, raw State) (Ask, error) {
	s, err := e.unpack(raw)
	if err != nil {
		return Ask{}, err
	}
	return e.loop.Ask(p, s)
}

func (e erased[S]) Fold(p *Problem, raw State) (Fold, error) {
	s, err := e.unpack(raw)
	if err != nil {
		return nil, err
	}
	return e.loop.Fold(p, s)
}

func (e erased[S]) Next(p *Problem, raw State, sum stat.Sum) (State, *study.Result, error) {
	s, err := e.unpack(raw)
	if err != nil {
		return nil, nil, err
	}
	return e.pack(e.loop.Next(p, s, sum))
}

func (e erased[S]) pack(s S, r *study.Result, err error) (State, *study.Result, error) {
	if err != nil {
		return nil, nil, err
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, nil, ws.Errorf(ws.Other, e.loop.Name, ws.T("the state is no JSON", "状态无法写成 JSON")).Wrap(err)
	}
	return raw, r, nil
}

func (e erased[S]) unpack(raw State) (S, error) {
	var s S
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, ws.Errorf(ws.Invalid, e.loop.Name, ws.T("the state cannot be read", "无法读取状态")).Wrap(err)
	}
	return s, nil
}

// A Catalog lists the methods that a program knows.
type Catalog []Method

// Lookup finds a method by its name.
func (c Catalog) Lookup(name string) (Method, error) {
	for _, m := range c {
		if m.Name() == name {
			return m, nil
		}
	}
	return nil, ws.Errorf(ws.Invalid, "study", ws.T("unknown method %q", "未知的方法 %q", name))
}

// Few reports whether nothing may be told of n persons in a cell of a set of a frame's factors, not even that
// there is nobody; see policy.Policy.Few.
func (p *Problem) Few(frame int, factors []int, cell int, n, sites int64) bool {
	return p.Policy().Few(n, sites, p.Void(frame, factors, cell, n))
}

// Void reports whether nobody can be in a cell of a set of a frame's factors, which holds n persons, whatever the
// rows are, by the study's filter and the dictionary; false where it need not be known.
func (p *Problem) Void(frame int, factors []int, cell int, n int64) bool {
	return p.guarded[frame].void(partition{factors: factors}, cell, n)
}

// VoidEvent reports whether, likewise, nobody can have the event of a frame, or nobody can be without.
func (p *Problem) VoidEvent(frame int, has bool) bool { return p.guarded[frame].voidEvent(has) }

// HiddenCells is policy.Policy.HiddenCells of the cells of a set of a frame's factors.
func (p *Problem) HiddenCells(frame int, factors []int, n, sites []int64) []bool {
	return p.Policy().HiddenCells(n, sites, p.guarded[frame].voids(factors, n))
}

// JudgeLevels refuses levels of a frame's factors that rest on too few persons
// or institutions, or on nobody, strata left out: a sum over such a level would speak of
// few. It names the level, never a count.
func (p *Problem) JudgeLevels(frame int) error {
	f, t := p.Frames[frame], p.Totals[frame]
	strata := f.Roles().Strata
	for i, g := range f.Factors() {
		if slices.Contains(strata, i) {
			continue
		}
		for l, name := range g.Levels {
			if p.Few(frame, []int{i}, l, t.Levels[i][l], t.LevelSites[i][l]) {
				return ws.Errorf(ws.Withheld, "factor "+g.Name, ws.T("level %q has too few persons or institutions", "水平 %q 的人数或机构数过少", name)).
					WithHint(ws.T("merge levels, or leave the level out by where, also if nobody has it", "请合并水平，或用 where 排除该水平，即使无人取该水平"))
			}
		}
	}
	return nil
}

// Verdicts returns what was judged of a frame's guard, cell by cell; nil where
// no limit holds.
func (p *Problem) Verdicts(frame, guard int) []Verdict {
	if t := p.Totals[frame]; guard < len(t.Guards) {
		return t.Guards[guard].Verdict
	}
	return nil
}

// JudgeModel refuses a model of which a level or a guard may not be shown. It
// names them, never a count.
func (p *Problem) JudgeModel(frame int) error {
	if err := p.JudgeLevels(frame); err != nil {
		return err
	}
	g := p.guarded[frame]
	for i, one := range g.guards {
		for cell, v := range p.Verdicts(frame, i) {
			if v != Shown && v != Linked { // where a cell is linked, another is hidden for its own sake
				return g.refuse(one, cell, v)
			}
		}
	}
	return nil
}
