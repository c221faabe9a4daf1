package describe

import (
	"fmt"
	"math"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/stat"
	"wellspring/study"
)

// A report collects the rows of a result.
type report struct {
	p   *analyze.Problem
	out *study.Result
}

func newReport(p *analyze.Problem) *report {
	return &report{p, &study.Result{Tidy: []study.Row{}, Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}}
}

func (r *report) result() *study.Result {
	var rows int64
	for _, t := range r.p.Totals {
		n := t.Rows
		if r.p.Policy().Hidden(t.Rows-t.Complete, r.p.Policy().MinInstitutions) {
			n = t.Complete // so that few missing rows are not told by subtraction
		}
		rows = max(rows, n)
	}
	r.out.Glance.Set("nobs", rows)
	return r.out
}

// empty refuses an answer of which nothing may be shown.
func (r *report) empty() error {
	if len(r.out.Tidy) > 0 || len(r.out.Suppressed) == 0 {
		return nil
	}
	s := r.out.Suppressed[0]
	return ws.Errorf(ws.Withheld, s.What, s.Why).
		WithHint(ws.T("take logarithms or filter extreme values; merge levels", "请取对数或筛除极端值；合并水平"))
}

func (r *report) suppress(what string, why analyze.Verdict) {
	r.out.Suppressed = append(r.out.Suppressed, why.Suppressed(what))
}

// numeric adds a row a group of variable i: n, mean and the standard deviation
// with divisor n−1, from sums about the mean of round 0:
//
//	mean = c + s·Σz/n,  sd = s·√((Σz² − (Σz)²/n)/(n−1)),  z = (x−c)/s.
func (r *report) numeric(i int, sum stat.Sum) {
	names, n, _ := groups(r.p, i)
	c, s := center(r.p, i)
	z, zz := sum.Reals(fmt.Sprintf("sum%d", i)), sum.Reals(fmt.Sprintf("sumsq%d", i))
	hidden := r.hiddenGroups(i)
	for g, name := range names {
		if n[g] == 0 && !hidden[g] {
			continue
		}
		row := r.row(i, name)
		if hidden[g] {
			why := analyze.TooFew
			if v := r.p.Verdicts(i, 0); v != nil && v[g] != analyze.Shown {
				why = v[g]
			}
			r.suppress(r.label(i, name), why)
			continue
		}
		ng := float64(n[g])
		row.Set("n", n[g])
		if r.p.Analysis.By == "" {
			row.Set("missing", r.p.Totals[i].Rows-r.p.Totals[i].Complete)
		}
		row.Set("mean", c+float64(s*z[g]/ng))
		sd := math.NaN()
		if n[g] > 1 {
			sd = s * math.Sqrt(math.Max(zz[g]-float64(z[g]*z[g])/ng, 0)/(ng-1))
		}
		row.Set("sd", sd)
		r.out.Tidy = append(r.out.Tidy, row)
	}
	for _, c := range cuts(r.p.Analysis, r.p.Frames[i]) {
		r.histogram(i, names, hidden, c.Ends)
	}
}

// hiddenGroups says which groups of variable i may not be shown: those of few,
// those of which one person carries too much, and those whose mean counts few.
func (r *report) hiddenGroups(i int) []bool {
	hidden := hiddenGroups(r.p, i)
	for g, v := range r.p.Verdicts(i, 0) {
		hidden[g] = hidden[g] || v != analyze.Shown
	}
	return hidden
}

func (r *report) row(i int, group string) study.Row {
	row := study.Row{{Name: "variable", Value: r.p.Analysis.Variables[i]}}
	if r.p.Analysis.By != "" {
		row.Set("by", group)
	}
	return row
}

func (r *report) label(i int, group string) string {
	if group == "" {
		return r.p.Analysis.Variables[i]
	}
	return fmt.Sprintf("%s, %s = %s", r.p.Analysis.Variables[i], r.p.Analysis.By, group)
}

// histogram adds a summary row a bin; bins below the limit are merged into the
// next one, so that their counts cannot be had by subtraction.
func (r *report) histogram(i int, names []string, hidden []bool, ends []float64) {
	edges := append([]float64{r.p.Frames[i].Numeric()[0].Lo}, ends...)
	for g, name := range names {
		if hidden[g] {
			continue
		}
		for _, m := range r.p.Bins(i, 0, g) {
			row := r.row(i, name)
			row.Set("bin_low", edges[m.From])
			row.Set("bin_high", edges[m.To])
			row.Set("count", m.Count)
			r.out.Summary = append(r.out.Summary, row)
		}
	}
}

// factor adds a row a level of factor variable i.
func (r *report) factor(i int) {
	t := r.p.Totals[i]
	hidden := r.p.HiddenCells(i, []int{0}, t.Levels[0], t.LevelSites[0])
	for l, name := range r.p.Frames[i].Factors()[0].Levels {
		if hidden[l] {
			r.suppress(fmt.Sprintf("%s = %s", r.p.Analysis.Variables[i], name), analyze.TooFew)
			continue
		}
		row := study.Row{{Name: "variable", Value: r.p.Analysis.Variables[i]}, {Name: "level", Value: name}}
		row.Set("n", t.Levels[0][l])
		row.Set("missing", t.Rows-t.Complete)
		row.Set("proportion", float64(t.Levels[0][l])/float64(t.Complete))
		r.out.Tidy = append(r.out.Tidy, row)
	}
}
