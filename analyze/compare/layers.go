package compare

import (
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/formula"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// axes are the numbers of levels of a table with layers; false if it has none.
func axes(f *formula.Frame) (a policy.Axes, ok bool) {
	if len(f.Factors()) != len(a) {
		return a, false
	}
	for d, g := range f.Factors() {
		a[d] = len(g.Levels)
	}
	return a, true
}

// overs name the blocks that count institutions in the totals over each factor.
var overs = [3]string{"sites over rows", "sites over columns", "sites over layers"}

// over adds cells up over index d.
func over(a policy.Axes, cells []float64, d int) []float64 {
	b := a
	b[d] = 1
	out := make([]float64, b[0]*b[1]*b[2])
	for n, v := range cells {
		c := [3]int{n / (a[1] * a[2]), n / a[2] % a[1], n % a[2]}
		c[d] = 0
		out[(c[0]*b[1]+c[1])*b[2]+c[2]] += v
	}
	return out
}

// A stacked is an opened three-way table with what policy lets be shown of it.
type stacked struct {
	names  [3]string   // of the factors, as the study has them
	levels [3][]string // of each, all
	axes   policy.Axes // of all levels
	counts []int64     // of all levels, with totals
	policy.Box
	missed [3][]bool // as of a table
}

func openBox(p *analyze.Problem, sum stat.Sum) stacked {
	f, t := p.Frames[0], p.Totals[0]
	a, _ := axes(f)
	o := stacked{names: [3]string{p.Analysis.Rows, p.Analysis.Columns, p.Analysis.Layers}, axes: a,
		counts: a.WithTotals(sum.Counts("cells"))}
	for d, g := range f.Factors() {
		o.levels[d] = g.Levels
	}
	cells, behind := sum.Counts("sites"), [3][]int64{}
	for d, name := range overs {
		behind[d] = sum.Counts(name)
	}
	sites := make([]int64, a.Len())
	for at := range sites {
		c := a.Cell(at)
		switch a.Totals(c) {
		case 0:
			sites[at] = cells[(c[0]*a[1]+c[1])*a[2]+c[2]]
		case 1:
			sites[at] = institutions(a, c, behind)
		case 2:
			for d, i := range c {
				if i < a[d] {
					sites[at] = t.LevelSites[d][i]
				}
			}
		default:
			sites[at] = t.Sites
		}
	}
	o.Box = p.Policy().Box(a, o.counts, sites)
	for d, shown := range o.Levels {
		o.missed[d] = missed(p, d, func(l int) bool { return slices.Contains(shown, l) })
	}
	return o
}

// institutions looks up those behind a total over one index.
func institutions(a policy.Axes, c [3]int, behind [3][]int64) int64 {
	for d, i := range c {
		if i == a[d] {
			a[d], c[d] = 1, 0
			return behind[d][(c[0]*a[1]+c[1])*a[2]+c[2]]
		}
	}
	return 0
}

// stack makes the result of a three-way table. Shares are those of the row and
// the column in the layer.
func stack(p *analyze.Problem, o stacked) (*study.Result, error) {
	total := o.Counts[o.Axes.At([3]int(o.Axes))]
	if total == 0 {
		return nil, ws.Errorf(ws.Withheld, "table", ws.T("every level has too few persons or institutions", "每个水平的人数或机构数均过少"))
	}
	r := &study.Result{Suppressed: []study.Suppressed{}, Notes: []ws.Text{}}
	whole := o.leaveOut(r)
	for at := range o.Counts {
		c := o.Axes.Cell(at)
		switch {
		case o.Axes.Totals(c) > 1:
			continue
		case o.Hidden[at]:
			suppress(r, o.where(c))
		}
		row := append(o.place(c), study.Field{Name: "n", Value: o.shown(c)})
		if o.Axes.Totals(c) == 0 {
			r.Tidy = append(r.Tidy, append(row, study.Field{Name: "row_percent", Value: o.share(c, 1)}, study.Field{Name: "column_percent", Value: o.share(c, 0)}))
		} else {
			r.Summary = append(r.Summary, append(row, study.Field{Name: "percent", Value: o.percent(c, [3]int(o.Axes))}))
		}
	}
	for d := range o.names {
		o.totals(r, d)
	}
	r.Glance = study.Row{{Name: "nobs", Value: total}}
	if whole {
		r.Glance.Set("missing", p.Totals[0].Rows-p.Totals[0].Complete)
	}
	o.audit(r)
	return r, nil
}

// totals adds a summary row for each level of factor d.
func (o stacked) totals(r *study.Result, d int) {
	for i := range o.Axes[d] {
		c := [3]int(o.Axes)
		c[d] = i
		r.Summary = append(r.Summary, study.Row{{Name: "variable", Value: o.names[d]}, {Name: "level", Value: o.level(d, i)},
			{Name: "n", Value: o.shown(c)}, {Name: "percent", Value: o.percent(c, [3]int(o.Axes))}})
	}
}

// level names the level of factor d that is the i-th shown.
func (o stacked) level(d, i int) string { return o.levels[d][o.Levels[d][i]] }

// place names a cell by its levels; a total lacks what it is over.
func (o stacked) place(c [3]int) (row study.Row) {
	for d, name := range [3]string{"row", "column", "layer"} {
		if c[d] < o.Axes[d] {
			row = append(row, study.Field{Name: name, Value: o.level(d, c[d])})
		}
	}
	return row
}

// where names a cell by its factors and their levels.
func (o stacked) where(c [3]int) string {
	var out []string
	for d, name := range o.names {
		if c[d] < o.Axes[d] {
			out = append(out, name+" = "+o.level(d, c[d]))
		}
	}
	return strings.Join(out, ", ")
}

// shown is a count, or NaN where it is hidden.
func (o stacked) shown(c [3]int) any {
	at := o.Axes.At(c)
	if o.Hidden[at] {
		return math.NaN()
	}
	return o.Counts[at]
}

// share is a cell's percentage of its total over index d.
func (o stacked) share(c [3]int, d int) float64 {
	of := c
	of[d] = o.Axes[d]
	return o.percent(c, of)
}

// percent is NaN where either is hidden, or there is nobody.
func (o stacked) percent(c, of [3]int) float64 {
	at, total := o.Axes.At(c), o.Axes.At(of)
	if o.Hidden[at] || o.Hidden[total] || o.Counts[total] == 0 {
		return math.NaN()
	}
	return percent(o.Counts[at], o.Counts[total])
}

// leaveOut notes the levels that are not in the table though somebody may have
// them, and reports whether there are none.
func (o stacked) leaveOut(r *study.Result) bool {
	for d, name := range o.names {
		for i, missed := range o.missed[d] {
			if missed {
				suppress(r, name+" = "+o.levels[d][i])
			}
		}
	}
	return wholly(r)
}

// audit says of each hidden cell and total what can be inferred.
func (o stacked) audit(r *study.Result) {
	for _, b := range o.Audit() {
		row := append(o.place(b.Cell), study.Field{Name: "low", Value: b.Low}, study.Field{Name: "high", Value: b.High})
		if b.Met {
			row = append(row, study.Field{Name: "met_low", Value: b.Least}, study.Field{Name: "met_high", Value: b.Most})
		}
		r.Audit = append(r.Audit, row)
	}
	if len(r.Audit) > 0 {
		r.Notes = append(r.Notes, ws.T("audit: by what is shown, no hidden count is below low (at least) or above high (at most); met_low and met_high are the smallest and the largest in tables that were found to agree with all that is shown, so that where they equal low and high nobody can tell more; where a count is below the limit, what it can be spans at least the limit",
			"审计：由已公布的数字，隐去的频数不会小于 low（至少）或大于 high（至多）；met_low 与 met_high 是在已找到的、与全部公布数字相符的表中的最小与最大值，若与 low、high 相等，则无人能推断出更多；凡低于限制的频数，其可能取值的跨度不小于该限制"))
	}
}
