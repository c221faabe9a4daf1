package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// Options say how a figure looks.
type Options struct {
	Lang  ws.Lang
	Title string // over the figure; by default the method's name
	// Analysis is what was asked: a model's family and link decide whether its
	// coefficients are ratios, and the formula names the time axis. A zero one
	// will do.
	Analysis study.Analysis
}

// Drawable reports whether there is a figure for r.
func Drawable(r *study.Result) bool {
	switch r.Method {
	case "km":
		return len(curvesOf(r.Tidy)) > 0
	case "glm", "cox":
		return len(coefficients(r)) > 0
	case "describe":
		return len(histograms(r.Summary)) > 0
	case "quantile":
		return len(boxPanels(r.Tidy)) > 0
	}
	return false
}

// SVG draws r: see [Drawable].
func SVG(w io.Writer, r *study.Result, o Options) error {
	if !Drawable(r) {
		return ws.Errorf(ws.Invalid, "figure", ws.T("there is nothing to draw in a result of %s", "方法 %s 的结果中没有可绘制的内容", r.Method))
	}
	o.Analysis.Method = r.Method
	o.Analysis = o.Analysis.WithDefaults()
	if o.Title == "" {
		o.Title = methodTitle(r.Method, o.Lang)
	}
	c := &canvas{lang: o.Lang}
	switch r.Method {
	case "km":
		drawCurves(c, r, o)
	case "describe":
		drawHistograms(c, r, o)
	case "quantile":
		drawBoxes(c, r, o)
	default:
		drawForest(c, r, o)
	}
	_, err := w.Write(c.file(o.Title))
	return err
}

// Colours: Okabe and Ito's palette, which the colour-blind can tell apart,
// its yellow left out for want of contrast on white.
var palette = []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333"}

// dashes tell curves apart in print; past seven strata colours come again.
var dashes = []string{"", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2"}

const (
	ink       = "#1f2933"
	faint     = "#5f6b76"
	rule      = "#e4e7eb"
	axisInk   = "#9aa5b1"
	stripe    = "#f5f7fa"
	fonts     = "'Source Sans 3','Helvetica Neue',Helvetica,Arial,'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',sans-serif"
	textSize  = 13.0
	smallSize = 12.0
	titleSize = 18.0
)

func color(i int) string { return palette[i%len(palette)] }

func dash(i int) string { return dashes[(i/len(palette)+i)%len(dashes)] }

// A canvas collects the elements of a figure, of which describe tells in words.
type canvas struct {
	lang          ws.Lang
	width, height float64
	body          bytes.Buffer
	words         []string
}

func (c *canvas) say(t ws.Text) string { return t.In(c.lang) }

// describe adds a sentence for those who cannot see the figure.
func (c *canvas) describe(t ws.Text) { c.words = append(c.words, c.say(t)) }

// at writes a coordinate: two decimals are finer than a screen, and the same
// everywhere.
func at(x float64) string {
	s := strconv.FormatFloat(x, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(clean(s))); err != nil {
		return ""
	}
	return b.String()
}

func (c *canvas) element(format string, args ...any) {
	fmt.Fprintf(&c.body, format, args...)
	c.body.WriteByte('\n')
}

func (c *canvas) rect(x, y, w, h float64, fill string) {
	c.element(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`, at(x), at(y), at(w), at(h), fill)
}

// stroke is how a line is drawn.
type stroke struct {
	color string
	width float64
	dash  string
}

func (s stroke) String() string {
	out := fmt.Sprintf(`stroke="%s" stroke-width="%s"`, s.color, at(s.width))
	if s.dash != "" {
		out += fmt.Sprintf(` stroke-dasharray="%s"`, s.dash)
	}
	return out
}

func (c *canvas) line(x1, y1, x2, y2 float64, s stroke) {
	c.element(`<line x1="%s" y1="%s" x2="%s" y2="%s" %s/>`, at(x1), at(y1), at(x2), at(y2), s)
}

// path draws an open line.
func (c *canvas) path(d string, s stroke) {
	c.element(`<path d="%s" fill="none" stroke-linejoin="round" %s/>`, d, s)
}

// A style of text; anchor is start, middle or end.
type style struct {
	size   float64
	color  string
	anchor string
	bold   bool
	turned bool // reads upwards
}

func (c *canvas) text(x, y float64, s string, st style) {
	attributes := ""
	if st.size != textSize {
		attributes += fmt.Sprintf(` font-size="%s"`, at(st.size))
	}
	if st.color != ink {
		attributes += fmt.Sprintf(` fill="%s"`, st.color)
	}
	if st.anchor != "start" {
		attributes += fmt.Sprintf(` text-anchor="%s"`, st.anchor)
	}
	if st.bold {
		attributes += ` font-weight="600"`
	}
	if st.turned {
		attributes += fmt.Sprintf(` transform="rotate(-90 %s %s)"`, at(x), at(y))
	}
	c.element(`<text x="%s" y="%s"%s>%s</text>`, at(x), at(y), attributes, escape(s))
}

var (
	plain  = style{textSize, ink, "start", false, false}
	small  = style{smallSize, faint, "start", false, false}
	strong = style{textSize, ink, "start", true, false}
)

func (s style) middle() style { s.anchor = "middle"; return s }
func (s style) end() style    { s.anchor = "end"; return s }

// textWidth estimates how wide s is: a Latin letter takes a little more than
// half of the size, a Chinese one all of it.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch runeWidth(r) {
		case 1:
			w += 0.56
		case 2:
			w++
		}
	}
	return w * size
}

// clip shortens s to a width.
func clip(s string, size, most float64) string {
	if textWidth(s, size) <= most {
		return s
	}
	r := []rune(s)
	for len(r) > 1 && textWidth(string(r), size)+size > most {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// header draws title and subtitle, and returns the height they take.
func (c *canvas) header(title, subtitle string) float64 {
	c.text(20, 32, clip(title, titleSize, c.width-40), style{titleSize, ink, "start", true, false})
	if subtitle == "" {
		return 48
	}
	c.text(20, 52, clip(subtitle, smallSize, c.width-40), small)
	return 66
}

// file returns the whole figure. Its ids come from its content, so that two
// figures can stand in one page.
func (c *canvas) file(title string) []byte {
	language, space := "en", " "
	if c.lang == ws.Chinese {
		language, space = "zh-Hans", ""
	}
	description := strings.Join(c.words, space)
	sum := sha256.Sum256([]byte(title + description + c.body.String()))
	id := "f" + hex.EncodeToString(sum[:4])
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img" aria-labelledby="%[3]s-title %[3]s-desc" xml:lang="%[4]s" lang="%[4]s" font-family="%[5]s" font-size="%[6]s" fill="%[7]s">`+"\n",
		at(c.width), at(c.height), id, language, fonts, at(textSize), ink)
	fmt.Fprintf(&b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, escape(title), id, escape(description))
	fmt.Fprintf(&b, "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n")
	b.Write(c.body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// finite reports whether x can be drawn.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
