package compare

import (
	"fmt"
	"math"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/stat"
	"wellspring/study"
)

// Crosstab is the method "crosstab": a row a cell with its count and its share
// of its row and column, in its layer where there are layers, and the totals in
// the summary.
func Crosstab() analyze.Method {
	return analyze.Loop[tableState]{Name: "crosstab", Frames: factors, Start: begin, Ask: ask, Fold: foldCells,
		Next: func(p *analyze.Problem, st tableState, sum stat.Sum) (tableState, *study.Result, error) {
			if p.Analysis.Layers != "" {
				r, err := stack(p, openBox(p, sum))
				return st, r, err
			}
			r, err := tabulate(p, open(p, sum))
			return st, r, err
		}}.Method()
}

func tabulate(p *analyze.Problem, o table) (*study.Result, error) {
	rows, columns, total := o.margins()
	if total == 0 {
		return nil, ws.Errorf(ws.Withheld, "table", ws.T("every level has too few persons or institutions", "每个水平的人数或机构数均过少"))
	}
	r := &study.Result{Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	whole := o.leaveOut(r, p.Analysis)
	for i, row := range o.counts {
		for j, n := range row {
			if !o.Rows[i] || !o.Columns[j] {
				continue
			}
			cell := study.Row{{Name: "row", Value: o.rows[i]}, {Name: "column", Value: o.columns[j]}}
			if o.Hidden[i][j] {
				suppress(r, fmt.Sprintf("%s = %s, %s = %s", p.Analysis.Rows, o.rows[i], p.Analysis.Columns, o.columns[j]))
				cell = append(cell, study.Row{{Name: "n", Value: math.NaN()}, {Name: "row_percent", Value: math.NaN()}, {Name: "column_percent", Value: math.NaN()}}...)
			} else {
				cell = append(cell, study.Row{{Name: "n", Value: n}, {Name: "row_percent", Value: percent(n, rows[i])}, {Name: "column_percent", Value: percent(n, columns[j])}}...)
			}
			r.Tidy = append(r.Tidy, cell)
		}
	}
	totals(r, p.Analysis.Rows, o.rows, rows, o.Rows, total)
	totals(r, p.Analysis.Columns, o.columns, columns, o.Columns, total)
	r.Glance = study.Row{{Name: "nobs", Value: total}}
	if whole {
		r.Glance.Set("missing", p.Totals[0].Rows-p.Totals[0].Complete)
	}
	o.audit(r)
	return r, nil
}

// audit says of each hidden cell what can be inferred.
func (o table) audit(r *study.Result) {
	rows, columns := some(o.rows, o.Rows), some(o.columns, o.Columns)
	for _, b := range o.Audit(o.counts) {
		r.Audit = append(r.Audit, study.Row{{Name: "row", Value: rows[b.Cell[0]]}, {Name: "column", Value: columns[b.Cell[1]]},
			{Name: "low", Value: b.Low}, {Name: "high", Value: b.High}})
	}
	if len(r.Audit) > 0 {
		r.Notes = append(r.Notes, ws.T("audit: by what is shown, each hidden count can be as small as low (at least) and as large as high (at most), and no smaller or larger; where a count is below the limit the two lie at least the limit apart",
			"审计：由已公布的数字，每个隐去的频数最小可为 low（至少）、最大可为 high（至多），不会更小或更大；凡低于限制者，两者至少相差该限制"))
	}
}

// some picks the levels that are shown.
func some(levels []string, shown []bool) (out []string) {
	for i, l := range levels {
		if shown[i] {
			out = append(out, l)
		}
	}
	return out
}

func percent(n, of int64) float64 { return 100 * float64(n) / float64(of) }

// totals adds a summary row a level that is shown.
func totals(r *study.Result, variable string, levels []string, n []int64, shown []bool, total int64) {
	for i, level := range levels {
		if shown[i] {
			r.Summary = append(r.Summary, study.Row{{Name: "variable", Value: variable}, {Name: "level", Value: level},
				{Name: "n", Value: n[i]}, {Name: "percent", Value: percent(n[i], total)}})
		}
	}
}

// leaveOut notes the levels that are not in the table though somebody may have
// them, and reports whether there are none.
func (o table) leaveOut(r *study.Result, a study.Analysis) bool {
	for i, missed := range o.missed[0] {
		if missed {
			suppress(r, a.Rows+" = "+o.rows[i])
		}
	}
	for j, missed := range o.missed[1] {
		if missed {
			suppress(r, a.Columns+" = "+o.columns[j])
		}
	}
	return wholly(r)
}

// wholly reports whether nothing is left out so far, and notes it if there is.
func wholly(r *study.Result) bool {
	if len(r.Suppressed) == 0 {
		return true
	}
	r.Notes = append(r.Notes, ws.T("levels below the limit are left out, and the totals are of what is left",
		"低于限制的水平已剔除，合计为剩余部分之和"))
	return false
}

func suppress(r *study.Result, what string) {
	r.Suppressed = append(r.Suppressed, study.Suppressed{What: what, Code: study.Few,
		Why: ws.T("below the cell limit, from too few institutions, or needed to protect such a cell", "低于最小单元限制、来源机构过少，或为保护此类单元格而隐去")})
}
