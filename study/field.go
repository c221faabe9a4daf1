package study

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	ws "wellspring"
)

// Bounds of what a study file may hold.
const (
	MaxFile     = 1 << 20 // bytes of a study file or a dictionary
	maxAnalyses = 100
	maxItems    = 1000  // of a list
	maxFormula  = 10000 // characters of a formula or a filter
	maxName     = 200   // characters of a column's or a level's name
)

// kind says how a field is written.
type kind uint8

const (
	nameKind    kind = iota // a column
	namesKind               // a list of columns
	textKind                // a formula
	choiceKind              // one of choices
	numberKind              // within lo and hi
	numbersKind             // a list of those
	countKind               // an integer within lo and hi
	flagKind                // true or false
)

// A field describes one argument of an Analysis: the parser, the checks and
// the schema all read this table.
type field struct {
	name    string
	kind    kind
	choices []string
	lo, hi  float64
	open    bool // the bounds themselves are refused
	title   ws.Text
	of      func(*Analysis) any // a pointer to its value
}

var fields = []field{
	{name: "formula", kind: textKind, of: func(a *Analysis) any { return &a.Formula },
		title: ws.T("model formula, as in R", "模型公式，写法同 R")},
	{name: "family", kind: choiceKind, choices: []string{"gaussian", "binomial", "poisson"}, of: func(a *Analysis) any { return &a.Family },
		title: ws.T("distribution of the response", "响应变量的分布族")},
	{name: "link", kind: choiceKind, choices: []string{"identity", "logit", "probit", "cloglog", "log"}, of: func(a *Analysis) any { return &a.Link },
		title: ws.T("link function; the family's own by default", "连接函数，默认取分布族的典型连接")},
	{name: "weights", kind: nameKind, of: func(a *Analysis) any { return &a.Weights },
		title: ws.T("column of prior weights", "先验权重所在的列")},
	{name: "ties", kind: choiceKind, choices: []string{"efron", "breslow"}, of: func(a *Analysis) any { return &a.Ties },
		title: ws.T("how tied event times are handled", "相同事件时间的处理方法")},
	{name: "rho", kind: numberKind, lo: 0, hi: 10, of: func(a *Analysis) any { return &a.Rho },
		title: ws.T("exponent of the G-rho family; 0 is the log-rank test", "G-rho 族的指数，0 即对数秩检验")},
	{name: "variables", kind: namesKind, of: func(a *Analysis) any { return &a.Variables },
		title: ws.T("columns to look at", "要分析的列")},
	{name: "by", kind: nameKind, of: func(a *Analysis) any { return &a.By },
		title: ws.T("factor that splits the rows", "用于分组的因子列")},
	{name: "probs", kind: numbersKind, lo: 0, hi: 1, of: func(a *Analysis) any { return &a.Probs },
		title: ws.T("probabilities of the quantiles", "分位数对应的概率")},
	{name: "bins", kind: countKind, lo: 0, hi: 1000, of: func(a *Analysis) any { return &a.Bins },
		title: ws.T("equal bins of a histogram; 0 gives none", "直方图的等宽分箱数，0 表示不画")},
	{name: "rows", kind: nameKind, of: func(a *Analysis) any { return &a.Rows },
		title: ws.T("factor in the rows of the table", "列联表的行因子")},
	{name: "columns", kind: nameKind, of: func(a *Analysis) any { return &a.Columns },
		title: ws.T("factor in the columns of the table", "列联表的列因子")},
	{name: "layers", kind: nameKind, of: func(a *Analysis) any { return &a.Layers },
		title: ws.T("factor in the layers of a three-way table", "三维列联表的层因子")},
	{name: "correct", kind: flagKind, of: func(a *Analysis) any { return &a.Correct },
		title: ws.T("Yates's correction of a 2×2 table", "2×2 表的 Yates 连续性校正")},
	{name: "var_equal", kind: flagKind, of: func(a *Analysis) any { return &a.VarEqual },
		title: ws.T("pooled variance instead of Welch's", "使用合并方差，而非 Welch 方法")},
	{name: "mu", kind: numberKind, lo: math.Inf(-1), hi: math.Inf(1), of: func(a *Analysis) any { return &a.Mu },
		title: ws.T("mean, or difference of means, under the null hypothesis", "原假设下的均值或均值差")},
	{name: "conf_level", kind: numberKind, lo: 0, hi: 1, open: true, of: func(a *Analysis) any { return &a.ConfLevel },
		title: ws.T("confidence level", "置信水平")},
	{name: "conf_type", kind: choiceKind, choices: []string{"log", "log-log", "plain", "none"}, of: func(a *Analysis) any { return &a.ConfType },
		title: ws.T("scale of a survival curve's intervals", "生存曲线置信区间的尺度")},
	{name: "grid", kind: countKind, lo: 1, hi: 10000, of: func(a *Analysis) any { return &a.Grid },
		title: ws.T("most steps of the time axis where exact times are not granted", "未授权使用精确时间时，时间轴的最多步数")},
}

func fieldNamed(name string) field {
	return fields[slices.IndexFunc(fields, func(f field) bool { return f.name == name })]
}

func (f field) isZero(value any) bool {
	switch v := value.(type) {
	case *string:
		return *v == ""
	case *float64:
		return *v == 0
	case *int:
		return *v == 0
	case **bool:
		return *v == nil
	case *[]string:
		return *v == nil
	default:
		return *(v.(*[]float64)) == nil
	}
}

func (f field) copy(to, from any) {
	switch v := to.(type) {
	case *string:
		*v = *from.(*string)
	case *float64:
		*v = *from.(*float64)
	case *int:
		*v = *from.(*int)
	case **bool:
		*v = *from.(**bool)
	case *[]string:
		*v = slices.Clone(*from.(*[]string))
	case *[]float64:
		*v = slices.Clone(*from.(*[]float64))
	}
}

// check judges a value that was given. item is the place in a list, else −1.
func (f field) check(value any) (item int, problem *ws.Error) {
	switch v := value.(type) {
	case *string:
		return -1, f.checkText(*v)
	case *float64:
		return -1, f.checkNumber(*v)
	case *int:
		return -1, f.checkNumber(float64(*v))
	case *[]string:
		return checkList(*v, f.checkText)
	case *[]float64:
		return checkList(*v, f.checkNumber)
	}
	return -1, nil
}

func checkList[E comparable](list []E, one func(E) *ws.Error) (int, *ws.Error) {
	if len(list) == 0 || len(list) > maxItems {
		return -1, invalid(ws.T("a list of 1 to %d items is wanted", "应为含 1 到 %d 项的列表", maxItems))
	}
	seen := make(map[E]bool, len(list))
	for i, v := range list {
		if e := one(v); e != nil {
			return i, e
		}
		if seen[v] {
			return i, invalid(ws.T("the list has this item twice", "列表中此项重复"))
		}
		seen[v] = true
	}
	return -1, nil
}

func (f field) checkText(s string) *ws.Error {
	switch f.kind {
	case choiceKind:
		return checkChoice(s, f.choices)
	case textKind:
		return checkText(s, maxFormula)
	}
	return checkText(s, maxName)
}

func (f field) checkNumber(x float64) *ws.Error {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return invalid(ws.T("a finite number is wanted", "应为有限数值"))
	case f.kind == countKind && x != math.Trunc(x):
		return invalid(ws.T("a whole number is wanted", "应为整数"))
	case f.open && (x <= f.lo || x >= f.hi):
		return invalid(ws.T("a number between %v and %v is wanted, without the two themselves", "应为 %v 与 %v 之间的数，不含两端", f.lo, f.hi))
	case x < f.lo || x > f.hi:
		return invalid(ws.T("a number from %v to %v is wanted", "应为 %v 到 %v 的数", f.lo, f.hi))
	}
	return nil
}

func checkChoice(s string, choices []string) *ws.Error {
	if slices.Contains(choices, s) {
		return nil
	}
	e := invalid(ws.T("%q is not one of %s", "%q 不在可选值 %s 之中", clip(s), strings.Join(choices, ", ")))
	return didYouMean(e, s, choices)
}

// checkText refuses what is empty, too long, or would not show on a screen.
func checkText(s string, most int) *ws.Error {
	switch {
	case strings.TrimSpace(s) == "":
		return invalid(ws.T("it must not be empty", "不能为空"))
	case utf8.RuneCountInString(s) > most:
		return invalid(ws.T("it has more than %d characters", "超过 %d 个字符", most))
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable):
		return invalid(ws.T("it has control characters or is not UTF-8", "含有控制字符或不是 UTF-8 文本"))
	}
	return nil
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || r == '\u2028' || r == '\u2029'
}

func invalid(msg ws.Text) *ws.Error { return ws.Errorf(ws.Invalid, "", msg) }
