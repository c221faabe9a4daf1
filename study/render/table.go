package render

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

const (
	lineWidth  = 100 // columns that running text takes
	mostSteps  = 10  // steps of a survival curve that a table shows
	barColumns = 30  // length of the longest bar of a histogram
)

// Table writes a document for a terminal: what was asked of whom, then each
// result with its rows, its summary, and what was left out and why.
func Table(w io.Writer, doc *study.Document, lang ws.Lang) error {
	p := &printer{lang: lang}
	p.line("%s", clean(doc.Study))
	p.line("%s", p.origin(doc))
	for _, r := range doc.All() {
		p.result(&r)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// A printer collects lines.
type printer struct {
	bytes.Buffer
	lang ws.Lang
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

func (p *printer) say(t ws.Text) string { return t.In(p.lang) }

func (p *printer) origin(doc *study.Document) string {
	names := make([]string, len(doc.Sites))
	for i, s := range doc.Sites {
		names[i] = clean(string(s))
	}
	list := strings.Join(names, ", ")
	if len(names) > 8 {
		list = strings.Join(names[:8], ", ") + ", ..."
	}
	digest := doc.StudyDigest[:min(len(doc.StudyDigest), len("sha256:")+12)]
	return p.say(ws.T("%d sites (%s), %d rounds, %s", "%d 个站点（%s），%d 轮，%s", len(names), list, doc.Rounds, clean(digest)))
}

func (p *printer) result(r *study.Result) {
	p.line("\n%s", titleOf(r, p.lang))
	switch r.Method {
	case "km":
		p.rows(r.Summary)
		p.curves(r.Tidy)
	case "crosstab":
		p.crosstab(r)
	case "cox":
		p.rows(withHazardRatio(r.Tidy))
	case "describe":
		p.rows(r.Tidy)
		p.histogram(r.Summary)
	default:
		p.rows(r.Tidy)
		p.rows(r.Summary)
	}
	p.glance(r.Glance)
	p.audit(r.Audit)
	p.remarks(r)
}

// rows prints records as a table with a column a field.
func (p *printer) rows(rows []study.Row) {
	if g := gridOf(rows, p.lang); len(g) > 0 {
		p.grid(g)
	}
}

// gridOf makes records a table with a column a field.
func gridOf(rows []study.Row, lang ws.Lang) (g grid) {
	for _, field := range fieldsOf(rows) {
		values := make([]any, len(rows))
		left := true
		for i, r := range rows {
			values[i] = r.Get(field)
			if _, ok := values[i].(string); !ok && values[i] != nil {
				left = false
			}
		}
		g = append(g, column{head: heading(field, lang), cells: cells(field, values), left: left})
	}
	return g
}

// fieldsOf lists the fields of rows, each once, in reading order.
func fieldsOf(rows []study.Row) []string {
	var names []string
	seen := map[string]bool{}
	for _, r := range rows {
		for _, f := range r {
			if !seen[f.Name] {
				seen[f.Name] = true
				names = append(names, f.Name)
			}
		}
	}
	rank := func(name string) int {
		if name == hazardRatio {
			name = "estimate" // it stands behind it
		}
		if i := slices.Index(study.Vocabulary, name); i >= 0 {
			return i
		}
		return len(study.Vocabulary)
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// A column of a table. Text stands left, numbers right.
type column struct {
	head  string
	cells []string
	left  bool
}

type grid []column

func (p *printer) grid(g grid) {
	p.WriteByte('\n')
	rule := make([]string, len(g))
	widths := make([]int, len(g))
	for j, c := range g {
		widths[j] = displayWidth(c.head)
		for _, s := range c.cells {
			widths[j] = max(widths[j], displayWidth(s))
		}
		rule[j] = strings.Repeat("-", widths[j])
	}
	p.record(g, widths, func(c column) string { return c.head })
	p.line("  %s", strings.Join(rule, "  "))
	for i := range g[0].cells {
		p.record(g, widths, func(c column) string { return c.cells[i] })
	}
}

func (p *printer) record(g grid, widths []int, of func(column) string) {
	parts := make([]string, len(g))
	for j, c := range g {
		parts[j] = pad(of(c), widths[j], c.left)
	}
	p.line("%s", strings.TrimRight("  "+strings.Join(parts, "  "), " "))
}

// withHazardRatio adds exp(estimate) after the estimate.
func withHazardRatio(rows []study.Row) []study.Row {
	out := make([]study.Row, len(rows))
	for i, r := range rows {
		for _, f := range r {
			out[i] = append(out[i], f)
			if f.Name == "estimate" {
				out[i] = append(out[i], study.Field{Name: hazardRatio, Value: math.Exp(r.Float("estimate"))})
			}
		}
	}
	return out
}

// curves prints some steps of each stratum, spread over its events.
func (p *printer) curves(rows []study.Row) {
	shown := someSteps(rows)
	p.rows(shown)
	if len(shown) < len(rows) {
		p.line("  %s", p.say(stepsShown(shown, rows)))
	}
}

func stepsShown(shown, rows []study.Row) ws.Text {
	return ws.T("%d of %d steps; the CSV has all of them", "共 %[2]d 步，此处列出 %[1]d 步，CSV 中有全部", len(shown), len(rows))
}

// someSteps are steps of each stratum, spread over its events.
func someSteps(rows []study.Row) (shown []study.Row) {
	for _, s := range strata(rows) {
		steps := slices.DeleteFunc(slices.Clone(s.rows), func(r study.Row) bool { return !(r.Float("n_event") > 0) })
		n := min(len(steps), mostSteps)
		for i := range n {
			at := i
			if n > 1 {
				at = i * (len(steps) - 1) / (n - 1)
			}
			shown = append(shown, steps[at])
		}
	}
	return shown
}

// A stratum is a curve with its name.
type stratum struct {
	name string
	rows []study.Row
}

// strata parts rows by stratum, in the order in which strata first appear.
func strata(rows []study.Row) []stratum {
	var out []stratum
	index := map[string]int{}
	for _, r := range rows {
		name := r.Text("strata")
		i, ok := index[name]
		if !ok {
			i = len(out)
			index[name] = i
			out = append(out, stratum{name: name})
		}
		out[i].rows = append(out[i].rows, r)
	}
	return out
}

// histogram prints bins with bars.
func (p *printer) histogram(rows []study.Row) {
	most := 0.0
	for _, r := range rows {
		if c := r.Float("count"); finite(c) {
			most = max(most, c)
		}
	}
	with := make([]study.Row, len(rows))
	for i, r := range rows {
		n := 0
		if c := r.Float("count"); finite(c) && c > 0 {
			n = int(math.Ceil(barColumns * (c / most)))
		}
		with[i] = append(slices.Clone(r), study.Field{Name: " ", Value: strings.Repeat("#", n)})
	}
	p.rows(with)
}

// glance prints the facts of the whole analysis, as many a line as fit.
func (p *printer) glance(r study.Row) {
	var lines []string
	for _, name := range fieldsOf([]study.Row{r}) {
		fact := heading(name, p.lang) + " " + glanceValue(name, r.Get(name))
		last := len(lines) - 1
		if last >= 0 && displayWidth(lines[last])+3+displayWidth(fact) <= lineWidth {
			lines[last] += "   " + fact
			continue
		}
		lines = append(lines, fact)
	}
	if len(lines) > 0 {
		p.WriteByte('\n')
	}
	for _, l := range lines {
		p.line("  %s", l)
	}
}

func glanceValue(name string, v any) string {
	if x, ok := v.(float64); ok && name != "p_value" {
		return short(x, 7)
	}
	return cells(name, []any{v})[0]
}

// remarks prints what is left out, and the notes.
func (p *printer) remarks(r *study.Result) {
	if len(r.Suppressed) > 0 {
		p.line("\n  %s", p.say(ws.T("Left out:", "未予发布：")))
	}
	for _, s := range r.Suppressed {
		p.line("  - %s: %s", clean(s.What), clean(s.Why.In(p.lang)))
	}
	if len(r.Notes) > 0 {
		p.line("\n  %s", p.say(ws.T("Notes:", "说明：")))
	}
	for _, n := range r.Notes {
		p.line("  - %s", clean(n.In(p.lang)))
	}
}
