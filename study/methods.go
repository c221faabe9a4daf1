package study

import (
	"slices"

	ws "wellspring"
)

// A Method is what may be asked, and with which fields of an [Analysis].
type Method struct {
	Name  string
	Title ws.Text
	// Required fields; exactly one of OneOf where that is not empty; Optional.
	Required, OneOf, Optional []string
	// Default holds what is filled in where nothing is given. The link of a
	// glm is its family's own instead.
	Default Analysis
}

// Methods lists what may be asked, in the order in which people learn it.
var Methods = []Method{
	{Name: "describe", Title: ws.T("Description", "描述统计"),
		Required: []string{"variables"}, Optional: []string{"by", "bins"}},
	{Name: "quantile", Title: ws.T("Quantiles", "分位数"),
		Required: []string{"variables"}, Optional: []string{"probs", "by"},
		Default: Analysis{Probs: []float64{0.25, 0.5, 0.75}}},
	{Name: "crosstab", Title: ws.T("Cross-tabulation", "列联表"),
		Required: []string{"rows", "columns"}, Optional: []string{"layers"}},
	{Name: "chisq", Title: ws.T("Chi-squared test", "卡方检验"),
		Required: []string{"rows", "columns"}, Optional: []string{"correct"},
		Default: Analysis{Correct: flag(true)}},
	{Name: "ttest", Title: ws.T("t test", "t 检验"),
		OneOf: []string{"formula", "variables"}, Optional: []string{"mu", "var_equal", "conf_level"},
		Default: Analysis{VarEqual: flag(false), ConfLevel: 0.95}},
	{Name: "glm", Title: ws.T("Generalised linear model", "广义线性模型"),
		Required: []string{"formula"}, Optional: []string{"family", "link", "weights", "conf_level"},
		Default: Analysis{Family: "gaussian", ConfLevel: 0.95}},
	{Name: "cox", Title: ws.T("Cox proportional hazards model", "Cox 比例风险模型"),
		Required: []string{"formula"}, Optional: []string{"ties", "conf_level", "grid"},
		Default: Analysis{Ties: "efron", ConfLevel: 0.95, Grid: 100}},
	{Name: "km", Title: ws.T("Kaplan–Meier curves", "Kaplan–Meier 生存曲线"),
		Required: []string{"formula"}, Optional: []string{"conf_type", "conf_level", "grid"},
		Default: Analysis{ConfType: "log", ConfLevel: 0.95, Grid: 100}},
	{Name: "logrank", Title: ws.T("Log-rank test", "对数秩检验"),
		Required: []string{"formula"}, Optional: []string{"rho", "grid"},
		Default: Analysis{Grid: 100}},
}

// links gives each family of a glm its links, its own first.
var links = []struct {
	family string
	links  []string
}{
	{"gaussian", []string{"identity", "log"}},
	{"binomial", []string{"logit", "probit", "cloglog", "log"}},
	{"poisson", []string{"log", "identity"}},
}

func linksOf(family string) []string {
	for _, l := range links {
		if l.family == family {
			return l.links
		}
	}
	return nil
}

func flag(b bool) *bool { return &b }

// MethodNamed finds a method.
func MethodNamed(name string) (Method, bool) {
	i := slices.IndexFunc(Methods, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Method{}, false
	}
	return Methods[i], true
}

func methodNames() []string {
	names := make([]string, len(Methods))
	for i, m := range Methods {
		names[i] = m.Name
	}
	return names
}

// Fields lists the fields that m takes besides id and method.
func (m Method) Fields() []string { return slices.Concat(m.Required, m.OneOf, m.Optional) }

// Takes reports whether field, named as in a study file, may be given with m.
func (m Method) Takes(field string) bool {
	return field == "id" || field == "method" || slices.Contains(m.Fields(), field)
}

// WithDefaults returns a copy of s in which every field that a method takes
// and that was not given has its default.
func (s *Study) WithDefaults() *Study {
	c := *s
	if s.Analysis != nil {
		a := s.Analysis.WithDefaults()
		c.Analysis = &a
	}
	if s.Analyses != nil {
		c.Analyses = make([]Analysis, len(s.Analyses))
		for i, a := range s.Analyses {
			c.Analyses[i] = a.WithDefaults()
		}
	}
	return &c
}

// WithDefaults returns a with its method's defaults where nothing was given.
func (a Analysis) WithDefaults() Analysis {
	m, _ := MethodNamed(a.Method)
	for _, f := range fields {
		if value := f.of(&a); f.isZero(value) {
			f.copy(value, f.of(&m.Default))
		}
	}
	if own := linksOf(a.Family); a.Method == "glm" && a.Link == "" && own != nil {
		a.Link = own[0]
	}
	return a
}
