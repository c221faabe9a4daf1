package study

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
	"wellspring/frame"
)

// New drafts a study file that runs as it is, with comments that say what to
// change: it guesses from names and ranges which columns are a time, an event
// or an outcome. name becomes the study's and the dataset's, with whatever
// such names cannot hold replaced.
func New(d frame.Dictionary, name string) []byte {
	g := guess(d)
	name = fitName(name)
	var b bytes.Buffer
	fmt.Fprintf(&b, draftHead, APIVersion, Kind, quote(name), quote(name), quote(name), quote(name), columnComment(d))
	b.WriteString("analyses:\n")
	if len(g.numeric) > 0 {
		fmt.Fprintf(&b, draftDescribe, quotedList(g.numeric))
	}
	switch {
	case g.time != "":
		response := "Surv(" + backquote(g.time) + ", " + backquote(g.event) + ")"
		fmt.Fprintf(&b, draftSurvival, quote(response+" ~ "+g.group()), quote(response+" ~ "+g.terms()))
	case g.binary != "":
		fmt.Fprintf(&b, draftGLM, "binomial", quote(backquote(g.binary)+" ~ "+g.terms()))
	case len(g.numeric) > 1:
		g.predictors = slices.DeleteFunc(g.predictors, func(p string) bool { return p == backquote(g.numeric[0]) })
		fmt.Fprintf(&b, draftGLM, "gaussian", quote(backquote(g.numeric[0])+" ~ "+g.terms()))
	case len(g.numeric) == 0 && len(g.factors) > 1:
		fmt.Fprintf(&b, draftTable, quote(g.factors[0]), quote(g.factors[1]))
	case len(g.numeric) == 0:
		fmt.Fprintf(&b, draftDescribe, quotedList(g.other))
	}
	return b.Bytes()
}

const draftHead = `# A study asks one dataset one question. Change what you like, then: wellspring study check FILE
# 一份研究文件就是向一个数据集提出的问题。修改后请运行：wellspring study check FILE
apiVersion: %s
kind: %s
metadata:
  name: %s
  title: {en: %s, zh: %s} # for people / 供人阅读的标题
# purpose: {duo: ["DUO:0000037"]} # the terms under which data are asked for / 数据使用目的（DUO 术语）
data:
  dataset: %s # each site registers its part under this name / 各站点以此名称登记各自的数据
  # where: "age >= 18" # only these rows / 只分析满足条件的行
  # complete_over: [age, sex] # only rows that lack none of these, so that all models are of one cohort / 只分析这些列均无缺失的行，使各模型基于同一队列
# Columns / 列：
%s`

const draftDescribe = `  - id: describe # n, mean and standard deviation / 例数、均值与标准差
    method: describe
    variables: %s
`

const draftSurvival = `  - id: km # survival curves with medians / 生存曲线与中位生存时间
    method: km
    formula: %s
  - id: cox # hazard ratios / 风险比
    method: cox
    formula: %s
    ties: efron # or breslow / 或 breslow
`

const draftGLM = `  - id: glm # a regression; family: gaussian, binomial or poisson / 回归；分布族可取 gaussian、binomial 或 poisson
    method: glm
    family: %s
    formula: %s
`

const draftTable = `  - id: crosstab # a table of counts / 频数列联表
    method: crosstab
    rows: %s
    columns: %s
    # layers: a third factor, a table for each of its levels / 第三个因子，按其每个水平各给一个表
`

// A guessed study: what the columns look like.
type guessed struct {
	numeric, factors, other []string
	time, event, binary     string
	predictors              []string // as they stand in a formula
}

var (
	timeName  = regexp.MustCompile(`(?i)^(t[0-9]*|time.*|.*time|.*days|.*months|os|pfs|dfs|.*survival|stop|.*时间|.*生存期)$`)
	eventName = regexp.MustCompile(`(?i)^(d[0-9]*|status|event|death|dead|died|.*stat|.*status|.*event|cens.*|.*死亡|.*结局|.*事件)$`)
	caseName  = regexp.MustCompile(`(?i)^(y|outcome|case|target|num|disease|dis_.*|.*event|death|died|status|.*结局|.*患病)$`)
)

const (
	mostVariables  = 10
	mostPredictors = 3
)

func guess(d frame.Dictionary) guessed {
	var g guessed
	for _, c := range d {
		switch {
		case c.Type == frame.Identifier:
		case c.Type == frame.Factor:
			g.other = append(g.other, c.Name)
			if n := len(c.Levels); n >= 2 && n <= 10 {
				g.factors = append(g.factors, c.Name)
			}
		case !indicator(c) && len(g.numeric) < mostVariables:
			g.numeric = append(g.numeric, c.Name)
		}
		if c.Type.Numeric() {
			g.other = append(g.other, c.Name)
		}
	}
	g.other = g.other[:min(len(g.other), mostVariables)]
	g.pickOutcome(d)
	g.pickPredictors(d)
	return g
}

// indicator reports whether c looks like 0/1, or 1/2 as R codes an event.
func indicator(c frame.Column) bool {
	return c.Type == frame.Integer && c.Max == c.Min+1 && (c.Min == 0 || c.Min == 1)
}

func (g *guessed) pickOutcome(d frame.Dictionary) {
	for _, c := range d {
		switch {
		case c.Type.Numeric() && g.time == "" && c.Min >= 0 && c.Max > 2 && timeName.MatchString(c.Name):
			g.time = c.Name
		case indicator(c) && g.event == "" && eventName.MatchString(c.Name):
			g.event = c.Name
		}
		if indicator(c) && c.Min == 0 && (g.binary == "" || caseName.MatchString(c.Name)) {
			g.binary = c.Name
		}
	}
	if g.time == "" || g.event == "" {
		g.time, g.event = "", ""
	}
}

// pickPredictors takes columns that are no time and no event.
func (g *guessed) pickPredictors(d frame.Dictionary) {
	for _, c := range d {
		outcome := c.Name == g.binary || timeName.MatchString(c.Name) || eventName.MatchString(c.Name)
		usable := c.Type.Numeric() && c.Min < c.Max || slices.Contains(g.factors, c.Name)
		if usable && !outcome && len(g.predictors) < mostPredictors {
			g.predictors = append(g.predictors, backquote(c.Name))
		}
	}
}

func (g *guessed) terms() string {
	if len(g.predictors) == 0 {
		return "1"
	}
	return strings.Join(g.predictors, " + ")
}

// group is the factor that parts survival curves.
func (g *guessed) group() string {
	if len(g.factors) == 0 {
		return "1"
	}
	return backquote(g.factors[0])
}

var plainName = regexp.MustCompile(`^\p{L}[\p{L}\p{Nd}._]*$`)

// backquote writes a column's name as a formula takes it.
func backquote(name string) string {
	reserved := []string{"TRUE", "FALSE", "NA", "NaN", "Inf", "NULL"}
	if plainName.MatchString(name) && !slices.Contains(reserved, name) {
		return name
	}
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// quote writes text as YAML takes it, without quotes where that is safe.
func quote(s string) string {
	if plain := (&yaml.Node{Kind: yaml.ScalarNode, Value: s}); ws.IsName(s) && plain.ShortTag() == "!!str" {
		return s
	}
	return strconv.Quote(s)
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// columnComment lists the columns, as comments of a width that a screen has.
func columnComment(d frame.Dictionary) string {
	var b strings.Builder
	width := 0
	for _, c := range d {
		word := strings.Map(func(r rune) rune {
			if unprintable(r) || r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, c.Name) + " (" + string(c.Type) + ")"
		n := utf8.RuneCountInString(word) + 2
		if width == 0 || width+n > 100 {
			b.WriteString(strings.Repeat("\n", min(width, 1)) + "#   ")
			width = 0
		} else {
			b.WriteString(", ")
		}
		b.WriteString(word)
		width += n
	}
	b.WriteByte('\n')
	return b.String()
}

var unfit = regexp.MustCompile(`[^\p{L}\p{N}._-]+`)

// fitName makes a name of any text, such as a path's last element.
func fitName(s string) string {
	s = strings.TrimLeft(unfit.ReplaceAllString(strings.ToValidUTF8(s, "-"), "-"), "._-")
	if r := []rune(s); len(r) > 64 {
		s = string(r[:64])
	}
	if !ws.IsName(s) {
		return "study"
	}
	return s
}
