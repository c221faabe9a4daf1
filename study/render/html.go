package render

import (
	"bytes"
	"fmt"
	"html"
	"io"

	ws "wellspring"
	"wellspring/study"
)

// HTML writes the tables of a result, then the facts of the whole, as parts of a
// page: tables with captions and heads, in a region that scrolls where a screen
// is narrow. A histogram's bars are its figure's. The same in the same language
// gives the same bytes, and they are well-formed XML.
func HTML(w io.Writer, r *study.Result, lang ws.Lang) error {
	p := &page{lang: lang}
	title := titleOf(r, lang)
	switch r.Method {
	case "km":
		shown := someSteps(r.Tidy)
		p.table(title, gridOf(r.Summary, lang))
		steps := ws.T("Steps of the curves", "曲线各步").In(lang)
		fmt.Fprintf(p, "<details><summary>%s</summary>\n", html.EscapeString(steps)) // the figure shows them
		p.table(steps, gridOf(shown, lang))
		if len(shown) < len(r.Tidy) {
			p.note(stepsShown(shown, r.Tidy))
		}
		p.WriteString("</details>\n")
	case "crosstab":
		for _, l := range layersOf(r) {
			p.table(l.title(title, lang), crossGrid(l.rows))
		}
		p.note(counted)
	case "cox":
		p.table(title, gridOf(withHazardRatio(r.Tidy), lang))
	case "describe":
		p.table(title, gridOf(r.Tidy, lang))
		p.table(ws.T("Histogram", "直方图").In(lang), gridOf(r.Summary, lang))
	default:
		p.table(title, gridOf(r.Tidy, lang))
		p.table(ws.T("Groups", "各组").In(lang), gridOf(r.Summary, lang))
	}
	p.glance(r.Glance)
	p.table(audited.In(lang), gridOf(r.Audit, lang))
	_, err := w.Write(p.Bytes())
	return err
}

// A page collects markup.
type page struct {
	bytes.Buffer
	lang ws.Lang
}

func (p *page) note(t ws.Text) {
	fmt.Fprintf(p, "<p class=\"note\">%s</p>\n", html.EscapeString(t.In(p.lang)))
}

// table writes a grid; what its first column holds heads the rows where it is text.
func (p *page) table(caption string, g grid) {
	p.noted(caption, g, func(int, int) string { return "" })
}

// noted is table with markup behind the text of a cell, of whose row and column it is.
func (p *page) noted(caption string, g grid, note func(row, column int) string) {
	if len(g) == 0 || len(g[0].cells) == 0 {
		return
	}
	caption = html.EscapeString(caption)
	fmt.Fprintf(p, "<div class=\"scroll\" role=\"group\" aria-label=\"%s\" tabindex=\"0\"><table class=\"figures\">\n<caption>%s</caption>\n<thead><tr>", caption, caption)
	for _, c := range g {
		if c.head == "" {
			p.WriteString("<td></td>")
			continue
		}
		fmt.Fprintf(p, "<th scope=\"col\"%s>%s</th>", side(c), html.EscapeString(c.head))
	}
	p.WriteString("</tr></thead>\n<tbody>\n")
	for i := range g[0].cells {
		p.WriteString("<tr>")
		for j, c := range g {
			tag := "td"
			if j == 0 && c.left && c.cells[i] != "" {
				tag = `th scope="row"`
			}
			fmt.Fprintf(p, "<%s%s translate=\"no\">%s%s</%s>", tag, side(c), html.EscapeString(c.cells[i]), note(i, j), tag[:2])
		}
		p.WriteString("</tr>\n")
	}
	p.WriteString("</tbody></table></div>\n")
}

func side(c column) string {
	if c.left {
		return ""
	}
	return ` class="number"`
}

// glance writes the facts of the whole analysis.
func (p *page) glance(r study.Row) {
	if len(r) == 0 {
		return
	}
	p.WriteString("<dl class=\"glance\">\n")
	for _, name := range fieldsOf([]study.Row{r}) {
		value, mark := glanceValue(name, r.Get(name)), ` translate="no"`
		if b, ok := r.Get(name).(bool); ok {
			value, mark = yes(b).In(p.lang), ""
		}
		fmt.Fprintf(p, "<div><dt>%s</dt><dd%s>%s</dd></div>\n", html.EscapeString(heading(name, p.lang)), mark, html.EscapeString(value))
	}
	p.WriteString("</dl>\n")
}

func yes(b bool) ws.Text {
	if b {
		return ws.T("yes", "是")
	}
	return ws.T("no", "否")
}
