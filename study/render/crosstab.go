package render

import (
	"fmt"
	"math"
	"slices"

	ws "wellspring"
	"wellspring/study"
)

var (
	counted = ws.T("counts, with the percentage of the row", "频数（占该行的百分比）")
	audited = ws.T("Hidden cells, and what can be inferred of them from what is shown", "隐去的单元格，及由已公布数字可推断出的范围")
)

// A layer is one table of a cross-tabulation: all of it where it has no layers.
type layer struct {
	name  string
	total bool // over all layers
	rows  []study.Row
}

// layersOf parts the cells of a cross-tabulation by layer, the totals over all
// of them last.
func layersOf(r *study.Result) (out []layer) {
	for _, row := range r.Tidy {
		name := row.Text("layer")
		i := slices.IndexFunc(out, func(l layer) bool { return l.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, layer{name: name})
		}
		out[i].rows = append(out[i].rows, row)
	}
	all := layer{total: true}
	for _, row := range r.Summary {
		if row.Get("row") != nil && row.Get("column") != nil {
			all.rows = append(all.rows, row)
		}
	}
	if all.rows != nil {
		out = append(out, all)
	}
	return out
}

// heading says which layer it is; "" where there are none.
func (l layer) heading(lang ws.Lang) string {
	switch {
	case l.total:
		return ws.T("all layers", "各层合计").In(lang)
	case l.name != "":
		return ws.T("layer %s", "层 %s", clean(l.name)).In(lang)
	}
	return ""
}

// title heads the table of the layer in a page.
func (l layer) title(whole string, lang ws.Lang) string {
	if h := l.heading(lang); h != "" {
		return ws.T("%s: %s", "%s：%s", whole, h).In(lang)
	}
	return whole
}

// crosstab prints counts with the percentages of their rows, layer by layer.
func (p *printer) crosstab(r *study.Result) {
	for _, l := range layersOf(r) {
		if h := l.heading(p.lang); h != "" {
			p.line("\n  %s", h)
		}
		p.grid(crossGrid(l.rows))
	}
	if len(r.Tidy) > 0 {
		p.line("  %s", p.say(counted))
	}
}

// crossGrid makes cells a table of two factors.
func crossGrid(rows []study.Row) grid {
	var rowNames, columnNames []string
	cell := map[[2]string]string{}
	for _, r := range rows {
		row, col := r.Text("row"), r.Text("column")
		if !slices.Contains(rowNames, row) {
			rowNames = append(rowNames, row)
		}
		if !slices.Contains(columnNames, col) {
			columnNames = append(columnNames, col)
		}
		s := fixed(r.Float("n"), 0)
		if pc := r.Float("row_percent"); !math.IsNaN(pc) {
			s += fmt.Sprintf(" (%.1f%%)", pc)
		}
		cell[[2]string{row, col}] = s
	}
	if len(rowNames) == 0 {
		return nil
	}
	g := grid{{left: true}}
	for _, row := range rowNames {
		g[0].cells = append(g[0].cells, clean(row))
	}
	for _, col := range columnNames {
		c := column{head: clean(col)}
		for _, row := range rowNames {
			c.cells = append(c.cells, cell[[2]string{row, col}])
		}
		g = append(g, c)
	}
	return g
}

// audit prints what can be inferred of hidden cells.
func (p *printer) audit(rows []study.Row) {
	if len(rows) > 0 {
		p.line("\n  %s", p.say(audited))
		p.rows(rows)
	}
}
