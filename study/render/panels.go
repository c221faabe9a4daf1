package render

import (
	"math"
	"slices"

	ws "wellspring"
	"wellspring/study"
)

// A panel is one small plot among several: a variable, or one of its groups.
type panel struct {
	variable, group string
	bars            []bar
}

// A bar is one bin of a histogram.
type bar struct{ low, high, count float64 }

func (b bar) density() float64 { return b.count / (b.high - b.low) }

// histograms reads the bins of each variable and group.
func histograms(rows []study.Row) []panel {
	var out []panel
	index := map[[2]string]int{}
	for _, r := range rows {
		b := bar{r.Float("bin_low"), r.Float("bin_high"), r.Float("count")}
		if !(b.high > b.low) || !finite(b.high-b.low) || !(b.count >= 0) {
			continue
		}
		key := [2]string{r.Text("variable"), r.Text("by")}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, panel{variable: key[0], group: key[1]})
		}
		out[i].bars = append(out[i].bars, b)
	}
	return out
}

func (p panel) title() string {
	if p.group == "" {
		return p.variable
	}
	return p.variable + " | " + p.group
}

// even reports whether all bars are equally wide, so that heights are counts.
func (p panel) even() bool {
	first := p.bars[0].high - p.bars[0].low
	for _, b := range p.bars {
		if math.Abs(b.high-b.low-first) > 1e-9*first {
			return false
		}
	}
	return true
}

const (
	panelWidth  = 280.0
	panelHeight = 230.0
	perRow      = 3
)

func drawHistograms(c *canvas, r *study.Result, o Options) {
	panels := histograms(r.Summary)
	columns := min(len(panels), perRow)
	c.width = max(panelWidth*float64(columns)+20, 420)
	legend := ws.T("height: persons a bin", "柱高：每箱人数")
	if slices.ContainsFunc(panels, func(p panel) bool { return !p.even() }) {
		legend = ws.T("height: persons a bin; bins that were merged stand at their mean", "柱高：每箱人数；合并的箱取各箱平均")
	}
	top := c.header(o.Title, c.say(legend))
	c.height = top + panelHeight*math.Ceil(float64(len(panels))/float64(columns)) + 12
	c.describe(ws.T("Histograms, %d in all.", "直方图共 %d 幅。", len(panels)))
	for i, p := range panels {
		x := 10 + panelWidth*float64(i%columns)
		p.draw(c, x, top+panelHeight*float64(i/columns), i)
		total := 0.0
		for _, b := range p.bars {
			total += b.count
		}
		c.describe(ws.T("%s: %s persons in %d bins from %s to %s.", "%s：%s 人，%d 箱，自 %s 至 %s。", p.title(), fixed(total, 0), len(p.bars),
			short(p.bars[0].low, 5), short(p.bars[len(p.bars)-1].high, 5)))
	}
}

func (p panel) draw(c *canvas, left, top float64, index int) {
	narrow, most := math.Inf(1), 0.0
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, b := range p.bars {
		narrow = min(narrow, b.high-b.low)
		lo, hi = min(lo, b.low), max(hi, b.high)
		most = max(most, b.density())
	}
	most = max(most*narrow, 1e-300) // the tallest bar, in persons a bin
	x := scale{lo: lo, hi: hi, from: left + 48, to: left + panelWidth - 14}
	y := scale{lo: 0, hi: most * 1.05, from: top + panelHeight - 44, to: top + 30}
	c.text(left+48, top+18, clip(p.title(), textSize, panelWidth-62), strong)
	for _, t := range linearTicks(0, y.hi, 4) {
		c.line(x.from, y.at(t), x.to, y.at(t), stroke{rule, 1, ""})
		c.text(x.from-6, y.at(t)+4, tickLabel(t), small.end())
	}
	for _, b := range p.bars {
		h := y.from - y.at(b.density()*narrow)
		w := x.at(b.high) - x.at(b.low)
		c.element(`<g><title>%s</title>`, escape(c.say(ws.T("%s to %s: %s", "%s 至 %s：%s", short(b.low, 5), short(b.high, 5), fixed(b.count, 0)))))
		c.rect(x.at(b.low)+min(0.75, w/4), y.from-h, w-min(1.5, w/2), h, palette[0])
		c.element(`</g>`)
	}
	c.line(x.from, y.from, x.to, y.from, stroke{axisInk, 1, ""})
	for _, t := range linearTicks(lo, hi, 4) {
		c.line(x.at(t), y.from, x.at(t), y.from+5, stroke{axisInk, 1, ""})
		c.text(x.at(t), y.from+19, tickLabel(t), small.middle())
	}
}

// A box is the quantiles of one group.
type box struct {
	group       string
	prob, value []float64
}

// A boxPanel holds the boxes of one variable on one axis.
type boxPanel struct {
	variable string
	boxes    []box
}

func boxPanels(rows []study.Row) []boxPanel {
	var out []boxPanel
	variables := map[string]int{}
	groups := map[[2]string]int{}
	for _, r := range rows {
		prob, value := r.Float("prob"), r.Float("quantile")
		if !(prob >= 0 && prob <= 1) || !finite(value) {
			continue
		}
		key := [2]string{r.Text("variable"), r.Text("by")}
		i, ok := variables[key[0]]
		if !ok {
			i = len(out)
			variables[key[0]] = i
			out = append(out, boxPanel{variable: key[0]})
		}
		j, ok := groups[key]
		if !ok {
			j = len(out[i].boxes)
			groups[key] = j
			out[i].boxes = append(out[i].boxes, box{group: key[1]})
		}
		b := &out[i].boxes[j]
		b.prob, b.value = append(b.prob, prob), append(b.value, value)
	}
	return out
}

// at returns the quantile of a probability; NaN if it was not asked for.
func (b box) at(prob float64) float64 {
	for i, p := range b.prob {
		if p == prob {
			return b.value[i]
		}
	}
	return math.NaN()
}

const (
	boxWidth = 720.0
	boxRow   = 34.0
)

func drawBoxes(c *canvas, r *study.Result, o Options) {
	panels := boxPanels(r.Tidy)
	c.width = boxWidth
	y := c.header(o.Title, c.say(ws.T("box: quartiles; line: median; dots: the other quantiles asked for", "箱：四分位数；竖线：中位数；圆点：其余所求分位数")))
	labels := 60.0
	for _, p := range panels {
		for _, b := range p.boxes {
			labels = max(labels, textWidth(b.group, textSize))
		}
	}
	labels = min(labels, 220)
	for _, p := range panels {
		y = p.draw(c, y, labels)
	}
	c.height = y + 8
}

func (p boxPanel) draw(c *canvas, top, labels float64) (bottom float64) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, b := range p.boxes {
		for _, v := range b.value {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	edge := (hi - lo) * 0.05
	x := scale{lo: lo - edge, hi: hi + edge, from: 24 + labels + 16, to: c.width - 24}
	c.text(24, top+18, clip(p.variable, textSize, c.width-48), strong)
	top += 28
	bottom = top + boxRow*float64(len(p.boxes))
	for _, t := range linearTicks(x.lo, x.hi, 7) {
		c.line(x.at(t), top, x.at(t), bottom, stroke{rule, 1, ""})
		c.text(x.at(t), bottom+19, tickLabel(t), small.middle())
	}
	for i, b := range p.boxes {
		b.draw(c, x, top+boxRow*(float64(i)+0.5), labels)
		c.describe(ws.T("%s %s: median %s, quartiles %s and %s.", "%s %s：中位数 %s，四分位数 %s 与 %s。", p.variable, b.group,
			short(b.at(0.5), 5), short(b.at(0.25), 5), short(b.at(0.75), 5)))
	}
	c.line(x.from, bottom, x.to, bottom, stroke{axisInk, 1, ""})
	return bottom + 32
}

func (b box) draw(c *canvas, x scale, y, labels float64) {
	c.text(24, y+4.5, clip(b.group, textSize, labels), plain)
	q1, median, q3 := b.at(0.25), b.at(0.5), b.at(0.75)
	line := stroke{palette[0], 1.8, ""}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range b.value {
		lo, hi = min(lo, v), max(hi, v)
	}
	c.line(x.at(lo), y, x.at(hi), y, stroke{palette[0], 1.2, ""})
	if finite(q1) && finite(q3) {
		c.element(`<rect x="%s" y="%s" width="%s" height="18" rx="2" fill="#d6e8f3" %s/>`, at(x.at(q1)), at(y-9), at(max(x.at(q3)-x.at(q1), 1)), line)
	}
	if finite(median) {
		c.line(x.at(median), y-9, x.at(median), y+9, stroke{palette[0], 3, ""})
	}
	for i, v := range b.value {
		if p := b.prob[i]; p != 0.25 && p != 0.5 && p != 0.75 {
			c.element(`<circle cx="%s" cy="%s" r="3.2" fill="%s"/>`, at(x.at(v)), at(y), palette[0])
		}
	}
}
