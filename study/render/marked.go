package render

import (
	"fmt"
	"io"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// Marked writes every table of a result as it stands in the file, row by row, each
// number with links to the remarks of which refs gives the numbers: on the same page
// they have the ids mark-N. Tables are named by their fields, and rows count from 1.
// Nothing is left out or rearranged, for whoever must see just what would leave.
func Marked(w io.Writer, r *study.Result, lang ws.Lang, refs func(table string, row int, field string) []int) error {
	p := &page{lang: lang}
	for _, t := range []struct {
		name    string
		caption string
		rows    []study.Row
	}{{"tidy", titleOf(r, lang), r.Tidy}, {"summary", ws.T("Groups", "各组").In(lang), r.Summary},
		{"glance", ws.T("The analysis as a whole", "分析整体").In(lang), []study.Row{r.Glance}}, {"audit", audited.In(lang), r.Audit}} {
		fields := fieldsOf(t.rows)
		p.noted(t.caption, gridOf(t.rows, lang), func(row, column int) string {
			var b strings.Builder
			for _, n := range refs(t.name, row+1, fields[column]) {
				fmt.Fprintf(&b, ` <a class="ref" href="#mark-%d">[%d]</a>`, n, n)
			}
			return b.String()
		})
	}
	_, err := w.Write(p.Bytes())
	return err
}
