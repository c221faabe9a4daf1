package study

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Pair is one number of an answer under limits, beside that of the same rows without any.
type Pair struct {
	ID    string `json:"id,omitempty"` // the analysis, where there are several
	Table string `json:"table"`        // tidy, summary or glance
	Row   Row    `json:"row"`          // what names the row; empty in glance
	Field string `json:"field"`
	// Protected or Exact is nil where the number is not shown.
	Protected *float64 `json:"protected"`
	Exact     *float64 `json:"exact"`
}

// besideTolerance is what two ways to the same number may differ by, of its magnitude.
const besideTolerance = 1e-9

// steps are counts of a curve's step, which on a grid is another than in the exact curve.
var steps = []string{"n_risk", "n_event", "n_censor"}

// naming are the numbers that say which row it is, as texts do.
var naming = []string{"prob", "bin_low", "bin_high"}

// Beside lists the numbers of two answers to one study, the first under limits and
// the second of public rows, that differ, or that one of them does not show. The steps of a
// curve on a grid are held against the exact curve at that time: its last step until then.
func Beside(protected, exact *Document) (out []Pair) {
	var ps []Result
	if protected != nil {
		ps = protected.All()
	}
	for i, e := range exact.All() {
		var p Result // where the whole study was refused
		if i < len(ps) {
			p = ps[i]
		}
		b := besides{id: e.ID}
		b.table("tidy", p.Tidy, e.Tidy, i < len(ps))
		b.table("summary", p.Summary, e.Summary, i < len(ps))
		b.row("glance", nil, p.Glance, e.Glance)
		out = append(out, b.pairs...)
	}
	return out
}

type besides struct {
	id    string
	pairs []Pair
}

// table compares row by row; rows of the exact answer alone come last. Where nothing is protected,
// all are.
func (b *besides) table(name string, protected, exact []Row, answered bool) {
	used := make([]bool, len(exact))
	for _, p := range protected {
		at := match(p, exact)
		var e Row
		if at >= 0 {
			e, used[at] = exact[at], true
		}
		b.row(name, nameOf(p), p, e)
	}
	for i, e := range exact {
		if onCurve := !math.IsNaN(e.Float("time")); !used[i] && !(onCurve && answered) {
			b.row(name, nameOf(e), nil, e)
		}
	}
}

// nameOf is what names a row: its texts, and the numbers that do.
func nameOf(r Row) (out Row) {
	for _, f := range r {
		if _, text := f.Value.(string); text || f.Name == "time" || slices.Contains(naming, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// match finds the row of the same name; of a curve the last one until the time of p. −1 if there is none.
func match(p Row, rows []Row) int {
	at, own := -1, key(p)
	for i, r := range rows {
		if t := r.Float("time"); key(r) == own && (math.IsNaN(t) || t <= p.Float("time")) {
			at = i
			if math.IsNaN(t) {
				return i
			}
		}
	}
	return at
}

func key(r Row) string {
	var parts []string
	for _, f := range nameOf(r) {
		if f.Name != "time" {
			parts = append(parts, fmt.Sprintf("%s=%v", f.Name, f.Value))
		}
	}
	return strings.Join(parts, "\x00")
}

func (b *besides) row(table string, name, protected, exact Row) {
	fields := slices.Clone(protected)
	for _, f := range exact {
		if protected.Get(f.Name) == nil {
			fields = append(fields, f)
		}
	}
	for _, f := range fields {
		if name.Get(f.Name) != nil || name.Get("time") != nil && slices.Contains(steps, f.Name) {
			continue
		}
		p, e := protected.Float(f.Name), exact.Float(f.Name)
		if math.IsNaN(p) && math.IsNaN(e) || math.Abs(p-e) <= besideTolerance*math.Abs(e) || p == e {
			continue
		}
		if name == nil {
			name = Row{}
		}
		b.pairs = append(b.pairs, Pair{ID: b.id, Table: table, Row: name, Field: f.Name, Protected: shown(p), Exact: shown(e)})
	}
}

// shown is nil of a number that is none, or too large for JSON.
func shown(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}
