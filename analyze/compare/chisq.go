package compare

import (
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/stat/solve"
	"wellspring/study"
)

// ChiSquared is the method "chisq": Pearson's test of two factors,
//
//	χ² = Σ (|O−E| − c)²/E,  E = row·column/n,  df = (rows−1)(columns−1)
//
// where c is Yates's correction of a 2×2 table, min(1/2, |O−E|) as in R's
// chisq.test, and 0 elsewhere. Levels that no row can have drop; where the policy
// shows that there is nobody, all empty ones. There is no test of a table of which a level or a cell is hidden; a
// hidden cell that is empty does no harm where no limit holds.
func ChiSquared() analyze.Method {
	return analyze.Loop[tableState]{Name: "chisq", Frames: factors, Start: begin, Ask: ask, Fold: foldCells,
		Next: func(p *analyze.Problem, st tableState, sum stat.Sum) (tableState, *study.Result, error) {
			r, err := test(p, open(p, sum))
			return st, r, err
		}}.Method()
}

// test tests o, and lists its counts.
func test(p *analyze.Problem, o table) (*study.Result, error) {
	if err := o.whole(p.Policy()); err != nil {
		return nil, err
	}
	rows, columns, total := o.margins()
	shape := [2]int{held(rows), held(columns)}
	if min(shape[0], shape[1]) < 2 {
		return nil, ws.Errorf(ws.Invalid, "table", ws.T("a factor has one level only in the complete rows", "某个因子在完整行中只有一个水平")).
			WithHint(ws.T("check the filter, and which columns are missing", "请检查筛选条件，以及哪些列有缺失"))
	}
	yates := shape == [2]int{2, 2} && (p.Analysis.Correct == nil || *p.Analysis.Correct)
	r := &study.Result{Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	x2, low := 0.0, math.Inf(1)
	for i, row := range o.counts {
		for j, n := range row {
			if rows[i] == 0 || columns[j] == 0 {
				continue
			}
			e := float64(rows[i]) * float64(columns[j]) / float64(total)
			d := math.Abs(float64(n) - e)
			low = math.Min(low, e)
			if yates {
				d -= correction(o, rows, columns, total)
			}
			x2 += float64(d*d) / e
			var observed any = n
			if o.Hidden[i][j] {
				observed = math.NaN()
				suppress(r, fmt.Sprintf("%s = %s, %s = %s", p.Analysis.Rows, o.rows[i], p.Analysis.Columns, o.columns[j]))
			}
			r.Summary = append(r.Summary, study.Row{{Name: "row", Value: o.rows[i]}, {Name: "column", Value: o.columns[j]},
				{Name: "observed", Value: observed}, {Name: "expected", Value: e}})
		}
	}
	df := (shape[0] - 1) * (shape[1] - 1)
	method := "Pearson's Chi-squared test"
	if yates {
		method += " with Yates' continuity correction"
	}
	if low < 5 {
		r.Notes = append(r.Notes, ws.T("an expected count is below 5: the approximation may be poor", "有期望频数低于 5，近似可能不准确"))
	}
	r.Tidy = []study.Row{{{Name: "statistic", Value: x2}, {Name: "p_value", Value: solve.ChiSquareSF(x2, float64(df))},
		{Name: "parameter", Value: int64(df)}, {Name: "method", Value: method}}}
	r.Glance = study.Row{{Name: "nobs", Value: total}, {Name: "missing", Value: p.Totals[0].Rows - p.Totals[0].Complete}}
	return r, nil
}

// whole refuses a table of which any part is hidden.
func (o table) whole(pol policy.Policy) error {
	left := slices.Contains(o.missed[0], true) || slices.Contains(o.missed[1], true)
	for i, row := range o.counts {
		for j, n := range row {
			if left || o.Rows[i] && o.Columns[j] && o.Hidden[i][j] && (n > 0 || pol.Veils()) {
				return ws.Errorf(ws.Withheld, "table", ws.T("a cell of the table has too few persons or institutions, and the statistic could give it away",
					"列联表中有单元格的人数或机构数过少，统计量可能使其泄露")).
					WithHint(ws.T("merge levels, or filter rows", "请合并水平，或筛选行"))
			}
		}
	}
	return nil
}

func held(margin []int64) int {
	k := 0
	for _, n := range margin {
		if n > 0 {
			k++
		}
	}
	return k
}

// correction is min(1/2, |O−E|) over the cells of a 2×2 table, where |O−E| is
// the same in all four but for rounding.
func correction(o table, rows, columns []int64, total int64) float64 {
	c := 0.5
	for i, row := range o.counts {
		for j, n := range row {
			if rows[i] > 0 && columns[j] > 0 {
				c = math.Min(c, math.Abs(float64(n)-float64(rows[i])*float64(columns[j])/float64(total)))
			}
		}
	}
	return c
}
