package attack

import (
	"context"
	"errors"

	ws "wellspring"
	"wellspring/study"
)

// A Target is a network that may be asked.
type Target interface {
	// Ask has somebody of an institution ask a study, whose defaults are filled in. All that the
	// network says to it is the document or the error.
	Ask(ctx context.Context, asker ws.Institution, s *study.Study) (*study.Document, error)
	// NextVersion freezes a version of the dataset in which the target is no more.
	NextVersion(ctx context.Context) error
}

// An Attack is one way of learning about the target.
type Attack struct {
	ID    string
	Title ws.Text
	// Source is where it was published, if it is known for sure.
	Source string
	// Bit says that it is after hiv, and not after hdl.
	Bit bool
	// Limit says what known limit of the guard lets the attack through; zero where none
	// does.
	Limit ws.Text
	// Open says that the guard does not stop the attack yet, and that it should.
	Open bool
	run  func(*siege) (Finding, error)
}

// Secret is what a guess is of.
type Secret string

const (
	Nothing Secret = ""
	Value   Secret = "hdl"
	Bit     Secret = "hiv"
)

// A Finding is what an attack guesses.
type Finding struct {
	Of    Secret
	Value float64 // of hdl
	Bit   bool    // of hiv
	// Asked is how many studies were asked, and Refused how many of these were refused.
	Asked, Refused int
}

// Run plays the attack. It fails where the network does, not where that refuses.
func (a Attack) Run(ctx context.Context, t Target, k Knowledge) (Finding, error) {
	s := &siege{ctx: ctx, target: t, k: k, asker: "university"}
	f, err := a.run(s)
	f.Asked, f.Refused = s.asked, s.refused
	if errors.Is(err, errGaveUp) {
		return Finding{Asked: s.asked, Refused: s.refused}, nil
	}
	return f, err
}

// errGaveUp says that an attack has nothing to go on with.
var errGaveUp = errors.New("the attack gave up")

func value(x float64) (Finding, error) { return Finding{Of: Value, Value: x}, nil }

func bit(b bool) (Finding, error) { return Finding{Of: Bit, Bit: b}, nil }

// A siege is an attack under way.
type siege struct {
	ctx            context.Context
	target         Target
	k              Knowledge
	asker          ws.Institution
	asked, refused int
	last           error // the refusal of the last study; nil where it was answered
}

// ask asks a study. A document is nil where it was refused.
func (s *siege) ask(where string, analyses ...study.Analysis) (*study.Document, error) {
	s.asked++
	doc, err := s.target.Ask(s.ctx, s.asker, Question(where, analyses...))
	s.last = err
	switch ws.KindOf(err) {
	case ws.Invalid, ws.Denied, ws.Withheld:
		s.refused++
		return nil, nil
	}
	return doc, err
}

// must is ask for an attack that cannot go on without the answer.
func (s *siege) must(where string, analyses ...study.Analysis) (*study.Document, error) {
	doc, err := s.ask(where, analyses...)
	if err == nil && doc == nil {
		err = errGaveUp
	}
	return doc, err
}

// Dataset is what the network calls the rows.
const Dataset ws.Dataset = "attack"

// Question is a study file of analyses on the rows that a filter leaves.
func Question(where string, analyses ...study.Analysis) *study.Study {
	s := &study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: "question"},
		Data: study.Data{Dataset: Dataset, Where: where}}
	if len(analyses) == 1 {
		s.Analysis = &analyses[0]
		return s.WithDefaults()
	}
	for i, a := range analyses {
		a.ID = string(rune('a' + i))
		s.Analyses = append(s.Analyses, a)
	}
	return s.WithDefaults()
}

func describe(by string, columns ...string) study.Analysis {
	return study.Analysis{Method: "describe", Variables: columns, By: by}
}

func gaussian(formula string) study.Analysis {
	return study.Analysis{Method: "glm", Formula: formula, Family: "gaussian"}
}

func crosstab(rows, columns string) study.Analysis {
	return study.Analysis{Method: "crosstab", Rows: rows, Columns: columns}
}

// cell finds the row of a result in which fields have these values.
func cell(r study.Result, fields ...string) (study.Row, bool) {
rows:
	for _, row := range r.Tidy {
		for i := 0; i < len(fields); i += 2 {
			if row.Text(fields[i]) != fields[i+1] {
				continue rows
			}
		}
		return row, true
	}
	return nil, false
}

// sum is n times the mean of a variable in a group, or in all.
func sum(r study.Result, variable, by string) (float64, bool) {
	fields := []string{"variable", variable}
	if by != "" {
		fields = append(fields, "by", by)
	}
	row, ok := cell(r, fields...)
	return row.Float("n") * row.Float("mean"), ok && row.Float("n") > 0
}

// sumOf asks for one sum.
func (s *siege) sumOf(where, variable string) (float64, error) {
	doc, err := s.must(where, describe("", variable))
	if err != nil {
		return 0, err
	}
	x, ok := sum(doc.All()[0], variable, "")
	if !ok {
		return 0, errGaveUp
	}
	return x, nil
}

// count asks how many rows a filter leaves, as a description of a column says it.
func (s *siege) count(where, column string) (float64, error) {
	doc, err := s.must(where, describe("", column))
	if err != nil {
		return 0, err
	}
	row, ok := cell(doc.All()[0], "variable", column)
	if !ok {
		return 0, errGaveUp
	}
	return row.Float("n"), nil
}

// estimate is a coefficient of a model.
func estimate(r study.Result, term string) (float64, bool) {
	row, ok := cell(r, "term", term)
	return row.Float("estimate"), ok
}

func not(where string) string { return "not " + where }
