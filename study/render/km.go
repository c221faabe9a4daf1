package render

import (
	"fmt"
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// A curve is one stratum of a Kaplan–Meier estimate, as it is drawn.
type curve struct {
	name                        string
	time, surv, low, high, risk []float64
	censored                    []bool
	records, events, median     float64
	medianLow, medianHigh       float64
}

// curvesOf reads steps, in the order of time; steps without a value are left
// out, for they were withheld.
func curvesOf(rows []study.Row) []curve {
	var out []curve
	for _, s := range strata(rows) {
		k := curve{name: s.name, records: math.NaN(), events: math.NaN(), median: math.NaN(), medianLow: math.NaN(), medianHigh: math.NaN()}
		for _, r := range s.rows {
			t, v := r.Float("time"), r.Float("estimate")
			if !finite(t) || t < 0 || !(v >= 0 && v <= 1) || len(k.time) > 0 && t < k.time[len(k.time)-1] {
				continue
			}
			k.time, k.surv = append(k.time, t), append(k.surv, v)
			k.low, k.high = append(k.low, r.Float("conf_low")), append(k.high, r.Float("conf_high"))
			k.risk, k.censored = append(k.risk, r.Float("n_risk")), append(k.censored, r.Float("n_censor") > 0)
		}
		if len(k.time) > 0 {
			out = append(out, k)
		}
	}
	return out
}

// summarize takes the medians from the records by stratum.
func summarize(curves []curve, summary []study.Row) {
	for i := range curves {
		k := &curves[i]
		at := slices.IndexFunc(summary, func(r study.Row) bool { return r.Text("strata") == k.name })
		if at < 0 {
			continue
		}
		r := summary[at]
		k.records, k.events, k.median = r.Float("records"), r.Float("events"), r.Float("median")
		k.medianLow, k.medianHigh = r.Float("conf_low"), r.Float("conf_high")
	}
}

// label names a curve in the legend and beside the table.
func (k curve) label(c *canvas) string {
	if k.name == "" {
		return c.say(ws.T("all", "全部"))
	}
	return k.name
}

// A curvePlot is the layout of a Kaplan–Meier figure.
type curvePlot struct {
	*canvas
	curves []curve
	x, y   scale
	ticks  []float64
	labels float64 // width of the names beside the table
}

const (
	curveWidth = 780.0
	plotHeight = 340.0
	riskRow    = 20.0
)

func drawCurves(c *canvas, r *study.Result, o Options) {
	p := curvePlot{canvas: c, curves: curvesOf(r.Tidy)}
	summarize(p.curves, r.Summary)
	c.width = curveWidth
	top := c.header(o.Title, p.subtitle(r, o))
	top = p.legend(top)
	p.layout(top + 10)
	p.axes(o)
	p.medians()
	for i, k := range p.curves {
		p.band(i, k)
	}
	for i, k := range p.curves {
		p.steps(i, k)
	}
	p.riskTable(p.y.from + 56)
	p.tell()
}

func (p *curvePlot) subtitle(r *study.Result, o Options) string {
	var parts []string
	if n := r.Glance.Float("nobs"); finite(n) {
		parts = append(parts, p.say(ws.T("n = %s", "例数 %s", fixed(n, 0))))
	}
	if e := r.Glance.Float("nevent"); finite(e) {
		parts = append(parts, p.say(ws.T("%s events", "事件数 %s", fixed(e, 0))))
	}
	if slices.ContainsFunc(p.curves, func(k curve) bool { return slices.ContainsFunc(k.low, finite) }) {
		parts = append(parts, p.say(ws.T("bands: %s confidence interval at each time", "阴影：各时间点的 %s 置信区间", percent(o.Analysis.ConfLevel))))
	}
	if slices.ContainsFunc(p.curves, func(k curve) bool { return slices.Contains(k.censored, true) }) {
		parts = append(parts, p.say(ws.T("ticks: censored", "短竖线：删失")))
	}
	return strings.Join(parts, p.say(ws.T("; ", "；")))
}

// percent writes a level in full, share a result in three digits.
func percent(level float64) string { return short(100*level, 6) + "%" }

func share(x float64) string { return short(100*x, 3) + "%" }

// legend draws a line's colour with its name and median, and returns where it
// ends.
func (p *curvePlot) legend(y float64) float64 {
	x := 20.0
	for i, k := range p.curves {
		s := clip(k.label(p.canvas), textSize, 300)
		if finite(k.median) {
			s += p.say(ws.T(" (median %s)", "（中位 %s）", short(k.median, 5)))
		}
		w := 34 + textWidth(s, textSize) + 26
		if x > 20 && x+w > p.width {
			x, y = 20, y+22
		}
		p.line(x, y+8, x+26, y+8, stroke{color(i), 2.5, dash(i)})
		p.text(x+34, y+12.5, s, plain)
		x += w
	}
	return y + 22
}

func (p *curvePlot) layout(top float64) {
	last := 0.0
	for _, k := range p.curves {
		last = max(last, k.time[len(k.time)-1])
		p.labels = max(p.labels, textWidth(k.label(p.canvas), smallSize))
	}
	if last == 0 {
		last = 1
	}
	p.labels = min(p.labels, 150)
	left := max(72, 36+p.labels+26)
	p.x = scale{lo: 0, hi: last * 1.02, from: left, to: p.width - 28}
	p.y = scale{lo: 0, hi: 1, from: top + plotHeight, to: top}
	p.ticks = linearTicks(0, p.x.hi, 7)
	p.height = p.y.from + 56 + 12 + riskRow*float64(len(p.curves)) + 22
}

func (p *curvePlot) axes(o Options) {
	for _, v := range []float64{0, 0.25, 0.5, 0.75, 1} {
		if v > 0 {
			p.line(p.x.from, p.y.at(v), p.x.to, p.y.at(v), stroke{rule, 1, ""})
		}
		p.text(p.x.from-10, p.y.at(v)+4, percent(v), small.end())
	}
	for _, t := range p.ticks {
		p.line(p.x.at(t), p.y.from, p.x.at(t), p.y.from+5, stroke{axisInk, 1, ""})
		p.text(p.x.at(t), p.y.from+19, tickLabel(t), small.middle())
	}
	p.line(p.x.from, p.y.from, p.x.to, p.y.from, stroke{axisInk, 1, ""})
	middle := plain.middle()
	p.text((p.x.from+p.x.to)/2, p.y.from+39, clip(p.timeTitle(o), textSize, p.x.to-p.x.from), middle)
	middle.turned = true
	p.text(p.x.from-52, (p.y.from+p.y.to)/2, p.say(ws.T("survival probability", "生存概率")), middle)
}

// timeTitle takes the name of the time from a formula such as "Surv(t2, d3) ~ g".
func (p *curvePlot) timeTitle(o Options) string {
	title := p.say(ws.T("time", "时间"))
	_, inside, ok := strings.Cut(o.Analysis.Formula, "Surv(")
	name, _, found := strings.Cut(inside, ",")
	if name = strings.Trim(strings.TrimSpace(name), "`"); !ok || !found || name == "" || strings.Contains(name, "(") || name == "time" {
		return title
	}
	return p.say(ws.T("%s (%s)", "%s（%s）", title, name))
}

// medians leads from one half to where each curve crosses it.
func (p *curvePlot) medians() {
	far := 0.0
	guide := stroke{axisInk, 1, "3 3"}
	for _, k := range p.curves {
		if finite(k.median) && k.median <= p.x.hi {
			p.line(p.x.at(k.median), p.y.at(0.5), p.x.at(k.median), p.y.at(0), guide)
			far = max(far, k.median)
		}
	}
	if far > 0 {
		p.line(p.x.from, p.y.at(0.5), p.x.at(far), p.y.at(0.5), guide)
	}
}

// band draws the confidence limits, which begin at one and end where they have
// no value.
func (p *curvePlot) band(i int, k curve) {
	n := 0
	for n < len(k.time) && finite(k.low[n]) && finite(k.high[n]) {
		n++
	}
	if n == 0 {
		return
	}
	end := k.time[n-1]
	if n < len(k.time) {
		end = k.time[n]
	}
	var d strings.Builder
	fmt.Fprintf(&d, "M%s %s", at(p.x.at(0)), at(p.y.at(1)))
	for j := range n {
		fmt.Fprintf(&d, "H%sV%s", at(p.x.at(k.time[j])), at(p.y.at(unit(k.high[j]))))
	}
	fmt.Fprintf(&d, "H%s", at(p.x.at(end)))
	for j := n - 1; j >= 0; j-- {
		fmt.Fprintf(&d, "V%sH%s", at(p.y.at(unit(k.low[j]))), at(p.x.at(k.time[j])))
	}
	fmt.Fprintf(&d, "V%sZ", at(p.y.at(1)))
	p.element(`<path d="%s" fill="%s" fill-opacity="0.13"/>`, d.String(), color(i))
}

func unit(x float64) float64 { return min(max(x, 0), 1) }

func (p *curvePlot) steps(i int, k curve) {
	var d, ticks strings.Builder
	fmt.Fprintf(&d, "M%s %s", at(p.x.at(0)), at(p.y.at(1)))
	level := 1.0
	for j, t := range k.time {
		x, y := p.x.at(t), p.y.at(k.surv[j])
		fmt.Fprintf(&d, "H%s", at(x))
		if k.surv[j] != level {
			fmt.Fprintf(&d, "V%s", at(y))
			level = k.surv[j]
		}
		if k.censored[j] {
			fmt.Fprintf(&ticks, "M%s %sV%s", at(x), at(y-4.5), at(y+4.5))
		}
	}
	p.path(d.String(), stroke{color(i), 2.2, dash(i)})
	if ticks.Len() > 0 {
		p.path(ticks.String(), stroke{color(i), 1.3, ""})
	}
}

// riskTable writes under each tick how many were still at risk just before it.
func (p *curvePlot) riskTable(y float64) {
	p.text(20, y+8, p.say(ws.T("Number at risk", "风险人数")), strong)
	for i, k := range p.curves {
		base := y + 12 + riskRow*float64(i+1)
		p.rect(20, base-9, 10, 10, color(i))
		p.text(36, base, clip(k.label(p.canvas), smallSize, p.labels), style{smallSize, ink, "start", false, false})
		for _, t := range p.ticks {
			p.text(p.x.at(t), base, k.atRisk(t), style{smallSize, ink, "middle", false, false})
		}
	}
}

func (k curve) atRisk(t float64) string {
	j, _ := slices.BinarySearch(k.time, t)
	if j == len(k.time) {
		return "0"
	}
	return fixed(k.risk[j], 0)
}

// tell says in words what the curves show.
func (p *curvePlot) tell() {
	p.describe(ws.T("Kaplan–Meier curves, %d in all, from time 0 to %s.", "Kaplan–Meier 生存曲线共 %d 条，时间自 0 至 %s。", len(p.curves), short(p.x.hi/1.02, 5)))
	for _, k := range p.curves {
		p.describe(ws.T("%s: %s persons, %s events, median %s (confidence interval %s to %s), %s at the end.",
			"%s：%s 人，%s 个事件，中位生存时间 %s（置信区间 %s 至 %s），末点生存概率 %s。",
			k.label(p.canvas), fixed(k.records, 0), fixed(k.events, 0), short(k.median, 5), short(k.medianLow, 5), short(k.medianHigh, 5), share(k.surv[len(k.surv)-1])))
	}
}
