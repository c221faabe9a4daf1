package render

import (
	"math"
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/study"
)

// A coefficient is a row of a forest plot.
type coefficient struct {
	term                   string
	estimate, low, high, p float64
}

// coefficients reads a model's terms; the intercept, on another scale than the
// others, is left out unless it is alone.
func coefficients(r *study.Result) []coefficient {
	var out, intercept []coefficient
	for _, row := range r.Tidy {
		k := coefficient{term: row.Text("term"), estimate: row.Float("estimate"), low: row.Float("conf_low"),
			high: row.Float("conf_high"), p: row.Float("p_value")}
		switch {
		case !finite(k.estimate):
		case k.term == "(Intercept)":
			intercept = append(intercept, k)
		default:
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return intercept
	}
	return out
}

// An effect is what a model's coefficients mean, and on which axis they stand.
type effect struct {
	name, short ws.Text
	ratio       bool // exp(estimate), on a logarithmic axis
}

func effectOf(a study.Analysis) effect {
	switch {
	case a.Method == "cox":
		return effect{ws.T("hazard ratio", "风险比"), ws.T("HR", "HR"), true}
	case a.Family == "binomial" && a.Link == "logit":
		return effect{ws.T("odds ratio", "比值比"), ws.T("OR", "OR"), true}
	case a.Family == "poisson" && a.Link == "log":
		return effect{ws.T("rate ratio", "率比"), ws.T("RR", "RR"), true}
	case a.Family == "binomial" && a.Link == "log":
		return effect{ws.T("risk ratio", "相对危险度"), ws.T("RR", "RR"), true}
	}
	return effect{ws.T("coefficient", "回归系数"), ws.T("estimate", "估计值"), false}
}

// A forestPlot is the layout of a forest plot: terms, intervals, numbers.
type forestPlot struct {
	*canvas
	effect
	rows             []coefficient
	x                scale
	top, bottom      float64
	numbers, pColumn float64 // where the columns of text begin and end
	terms            float64 // width of the terms
}

const (
	forestWidth = 860.0
	forestRow   = 28.0
)

func drawForest(c *canvas, r *study.Result, o Options) {
	p := forestPlot{canvas: c, effect: effectOf(o.Analysis), rows: coefficients(r)}
	c.width = forestWidth
	p.top = c.header(o.Title, p.subtitle(r)) + 8 + forestRow
	p.bottom = p.top + forestRow*float64(len(p.rows))
	c.height = p.bottom + 62
	p.layout()
	p.heads(o)
	for i := range p.rows {
		if i%2 == 0 {
			p.rect(12, p.top+forestRow*float64(i), p.width-24, forestRow, stripe)
		}
	}
	p.axis()
	for i, k := range p.rows {
		p.row(p.top+forestRow*(float64(i)+0.5), k)
	}
	p.tell(o)
}

func (p *forestPlot) subtitle(r *study.Result) string {
	n, e := r.Glance.Float("nobs"), r.Glance.Float("nevent")
	switch {
	case finite(n) && finite(e):
		return p.say(ws.T("n = %s, %s events", "例数 %s，事件数 %s", fixed(n, 0), fixed(e, 0)))
	case finite(n):
		return p.say(ws.T("n = %s", "例数 %s", fixed(n, 0)))
	}
	return ""
}

// value is what is drawn of an estimate.
func (p *forestPlot) value(x float64) float64 {
	if p.ratio {
		return math.Exp(x)
	}
	return x
}

func (p *forestPlot) layout() {
	for _, k := range p.rows {
		p.terms = max(p.terms, textWidth(k.term, textSize))
	}
	p.terms = min(max(p.terms, 60), 260)
	p.pColumn = p.width - 24
	p.numbers = p.pColumn - 62 - 14
	widest := 150.0
	for _, k := range p.rows {
		widest = max(widest, textWidth(p.number(k), textSize))
	}
	lo, hi := p.domain()
	p.x = scale{lo: lo, hi: hi, from: 24 + p.terms + 30, to: p.numbers - min(widest, 240) - 24, log: p.ratio}
}

// domain spans the null value, the estimates, and the intervals as far out as
// twice the largest estimate or four times the median reach of an interval:
// past that an arrow shows that they go on, so that one term without
// information does not flatten all others.
func (p *forestPlot) domain() (lo, hi float64) {
	largest := 0.0
	reach := make([]float64, len(p.rows))
	for i, k := range p.rows {
		reach[i] = math.Abs(k.estimate)
		largest = max(largest, reach[i])
		if finite(k.low) && finite(k.high) {
			reach[i] = max(math.Abs(k.low), math.Abs(k.high))
		}
	}
	slices.Sort(reach)
	limit := max(2*largest, 4*reach[len(reach)/2])
	for _, k := range p.rows {
		lo, hi = min(lo, k.estimate), max(hi, k.estimate)
		if finite(k.low) {
			lo = min(lo, max(k.low, -limit))
		}
		if finite(k.high) {
			hi = max(hi, min(k.high, limit))
		}
	}
	if lo == hi {
		lo, hi = -1, 1
	}
	edge := (hi - lo) * 0.06
	if p.ratio { // exp must stay finite
		return math.Exp(max(lo-edge, -300)), math.Exp(min(hi+edge, 300))
	}
	return lo - edge, hi + edge
}

func (p *forestPlot) heads(o Options) {
	y := p.top - 10
	p.text(24, y, p.say(ws.T("term", "项")), strong)
	p.text(p.numbers, y, p.say(ws.T("%s (%s CI)", "%s（%s 置信区间）", p.short, percent(o.Analysis.ConfLevel))), strong.end())
	p.text(p.pColumn, y, p.say(ws.T("p value", "P 值")), strong.end())
	p.line(12, p.top, p.width-12, p.top, stroke{axisInk, 1, ""})
}

func (p *forestPlot) axis() {
	null := 0.0
	ticks := linearTicks(p.x.lo, p.x.hi, 5)
	title := p.say(p.name)
	if p.ratio {
		null, ticks = 1, logTicks(p.x.lo, p.x.hi)
		title = p.say(ws.T("%s (logarithmic scale)", "%s（对数刻度）", p.name))
	}
	for _, t := range ticks {
		p.line(p.x.at(t), p.top, p.x.at(t), p.bottom, stroke{rule, 1, ""})
		p.line(p.x.at(t), p.bottom, p.x.at(t), p.bottom+5, stroke{axisInk, 1, ""})
		p.text(p.x.at(t), p.bottom+19, tickLabel(t), small.middle())
	}
	p.line(p.x.at(null), p.top, p.x.at(null), p.bottom, stroke{faint, 1.2, "4 3"})
	p.line(p.x.from, p.bottom, p.x.to, p.bottom, stroke{axisInk, 1, ""})
	p.text((p.x.from+p.x.to)/2, p.bottom+41, title, plain.middle())
}

func (p *forestPlot) row(y float64, k coefficient) {
	p.element(`<g><title>%s</title>`, escape(k.term))
	p.text(24, y+4.5, clip(k.term, textSize, p.terms), plain)
	p.interval(y, k)
	x := p.x.at(p.value(k.estimate))
	p.rect(x-4.5, y-4.5, 9, 9, palette[0])
	p.text(p.numbers, y+4.5, p.number(k), plain.end())
	p.text(p.pColumn, y+4.5, pValue(k.p), plain.end())
	p.element(`</g>`)
}

// interval draws the whisker, with an arrow where it leaves the plot.
func (p *forestPlot) interval(y float64, k coefficient) {
	if math.IsNaN(k.low) || math.IsNaN(k.high) {
		return
	}
	s := stroke{palette[0], 1.8, ""}
	end := func(x float64, edge float64, side float64) float64 {
		v := p.value(x)
		if v >= p.x.lo && v <= p.x.hi {
			px := p.x.at(v)
			p.line(px, y-4, px, y+4, s)
			return px
		}
		p.element(`<path d="M%s %sL%s %sL%s %sZ" fill="%s"/>`, at(edge), at(y), at(edge-7*side), at(y-4), at(edge-7*side), at(y+4), palette[0])
		return edge
	}
	p.line(end(k.low, p.x.from, -1), y, end(k.high, p.x.to, 1), y, s)
}

func (p *forestPlot) number(k coefficient) string {
	e, l, h := p.value(k.estimate), p.value(k.low), p.value(k.high)
	d := 2
	if smallest := min(math.Abs(h-l), math.Abs(e)); smallest > 0 && smallest < 0.5 { // enough to tell the limits apart
		d = min(max(2, int(math.Ceil(-math.Log10(smallest)))+1), 5)
	}
	write := func(x float64) string {
		if a := math.Abs(x); finite(x) && (a >= 1e5 || p.ratio && a < 1e-3) {
			return strconv.FormatFloat(x, 'e', 1, 64)
		}
		return fixed(x, d)
	}
	return p.say(ws.T("%s (%s to %s)", "%s（%s 至 %s）", write(e), write(l), write(h)))
}

func (p *forestPlot) tell(o Options) {
	p.describe(ws.T("Forest plot: %s of %d terms with %s confidence intervals.", "森林图：%[2]d 个项的%[1]s及 %[3]s 置信区间。", p.name, len(p.rows), percent(o.Analysis.ConfLevel)))
	for _, k := range p.rows {
		p.describe(ws.T("%s: %s, p %s.", "%s：%s，P 值 %s。", k.term, p.number(k), pValue(k.p)))
	}
}
