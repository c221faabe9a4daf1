package review

import (
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// Bounds of the checks; see the package's doc.
const (
	leastDF      = 10   // ACRO's safe_dof_threshold
	fit          = 0.99 // R², or the explained part of the null deviance
	steep        = 10   // of a coefficient on a log scale, or its standard error
	share        = 0.5  // of a sum that one person may carry; policy's max_share
	fewSites     = 3    // policy's min_institutions
	mostAnalyses = 10   // of one study
	mostMarks    = 40   // of one check in one analysis
)

// Check marks a document whose numbers stand under a limit of k persons. The marks
// are in the order of the document.
func Check(d *study.Document, k int64) []Mark {
	c := &checker{doc: d, k: max(k, 1), marks: []Mark{}}
	if n := len(d.All()); n > mostAnalyses {
		c.mark("", 0, "", Many, ws.T("the study has more than %d analyses: look at them together", "研究含超过 %d 个分析：请合并审看", mostAnalyses))
	}
	if len(d.Sites) < fewSites {
		c.mark("", 0, "", FewSites, ws.T("the answer is over fewer than %d sites", "结果来自少于 %d 个站点", fewSites))
	}
	for i, r := range d.All() {
		c.n, c.r, c.seen = i+1, r, map[Code]int{}
		c.result()
	}
	return c.marks
}

// A checker is one document on its way.
type checker struct {
	doc   *study.Document
	k     int64
	n     int // of the analysis, from 1
	r     study.Result
	seen  map[Code]int // marks of the analysis
	marks []Mark
}

// mark sets a mark; of many by one check the last says that there are more.
func (c *checker) mark(t Table, row int, field string, code Code, why ws.Text) {
	m := Mark{Analysis: c.n, ID: c.r.ID, Table: t, Row: row, Field: field, Code: code, Why: why}
	if c.seen != nil {
		if c.seen[code]++; c.seen[code] > mostMarks+1 {
			return
		}
		if c.seen[code] > mostMarks {
			m.Table, m.Row, m.Field, m.Why = "", 0, "", ws.T("more rows are marked for the same reason", "另有多行因同一原因被标记")
		}
	}
	c.marks = append(c.marks, m)
}

func (c *checker) result() {
	if len(c.r.Suppressed) > 0 && c.r.Suppressed[0].Code != study.Reviewed {
		c.mark("", 0, "", Hidden, ws.T("%d entries say that something is hidden: would another answer, or common knowledge, give it back?",
			"有 %d 处注明内容被隐去：其他结果或常识能否还原？", len(c.r.Suppressed)))
	}
	for _, t := range []struct {
		name Table
		rows []study.Row
	}{{Tidy, c.r.Tidy}, {Summary, c.r.Summary}, {Glance, []study.Row{c.r.Glance}}} {
		for i, row := range t.rows {
			c.counts(t.name, i+1, row)
			c.sites(t.name, i+1, row)
			c.spread(t.name, i+1, row)
		}
	}
	for i, row := range c.r.Tidy {
		c.step(i+1, row)
		c.quantile(i+1, row)
		c.coefficient(i+1, row)
	}
	c.model()
	for i, row := range c.r.Audit {
		if w := row.Float("high") - row.Float("low"); w < float64(c.k) {
			c.mark(Audit, i+1, "high", Bounds, ws.T("what is shown leaves fewer than %d values for this hidden count", "由已显示内容可将该隐藏计数限定在不足 %d 个取值之内", c.k))
		}
	}
}

// Fields that count persons or events, and those that say of which group a row is.
var (
	countFields = []string{"n", "count", "records", "nobs", "missing", "events", "nevent", "n_event", "n_censor", "observed"}
	groupFields = []string{"strata", "group", "by", "level"}
)

// counts looks at the numbers of persons of a row.
func (c *checker) counts(t Table, at int, row study.Row) {
	grouped := slices.ContainsFunc(groupFields, func(f string) bool { return row.Text(f) != "" })
	for _, name := range countFields {
		v := row.Float(name)
		switch {
		case v == 0 && (name == "n" || name == "count" || name == "observed"):
			c.mark(t, at, name, Zero, ws.T("an empty cell is shown: it tells something of all persons of its row and column", "显示了空单元格：这透露了其所在行与列全部人员的信息"))
		case !(v >= 1 && v < float64(2*c.k)):
		case grouped && (name == "n" || name == "records" || name == "count"):
			c.mark(t, at, name, SmallGroup, ws.T("the group or level has fewer than %d persons, twice the limit", "该组或水平不足 %d 人，即限值的两倍", 2*c.k))
		default:
			c.mark(t, at, name, NearLimit, ws.T("the count is below %d, twice the limit", "该计数低于 %d，即限值的两倍", 2*c.k))
		}
	}
}

// names reports whether a level, a stratum or a term is that of a site.
func names(text, site string) bool {
	for _, before := range []string{"site", "site)", "site="} {
		if strings.Contains(text, before+site) {
			return true
		}
	}
	return text == site
}

// sites looks for numbers that belong to one site.
func (c *checker) sites(t Table, at int, row study.Row) {
	for _, f := range row {
		text, _ := f.Value.(string)
		if text == "" || f.Name == "method" {
			continue
		}
		if slices.ContainsFunc(c.doc.Sites, func(s ws.SiteID) bool { return names(text, string(s)) }) {
			c.mark(t, at, f.Name, BySite, ws.T("the row is of one site by name", "该行为指明名称的单个站点"))
		}
	}
}

// spread looks at a mean with its standard deviation. If one of n persons carries the
// share s of a sum of numbers of one sign, the spread is least where all others are
// equal, and then
//
//	sd / mean = (n·s − 1)·√n / (n − 1),
//
// so a smaller ratio rules it out, and another does not.
func (c *checker) spread(t Table, at int, row study.Row) {
	n, mean, sd := row.Float("n"), row.Float("mean"), row.Float("sd")
	if n > 2 && mean != 0 && sd/math.Abs(mean) >= float64(float64(n*share-1)*math.Sqrt(n))/(n-1) {
		c.mark(t, at, "sd", Dominance, ws.T("the spread is so wide that one person may carry half of the sum", "离散程度很大，单个人可能占总和的一半"))
	}
}

// step looks at a step of a survival curve.
func (c *checker) step(at int, row study.Row) {
	if v := row.Float("n_risk"); v < float64(2*c.k) {
		c.mark(Tidy, at, "n_risk", FewAtRisk, ws.T("fewer than %d persons are at risk, twice the limit", "风险人数不足 %d，即限值的两倍", 2*c.k))
	}
}

func (c *checker) quantile(at int, row study.Row) {
	p, n := row.Float("prob"), row.Float("n")
	if row.Get("quantile") != nil && float64(n*min(p, 1-p)) < float64(2*c.k) {
		c.mark(Tidy, at, "quantile", ExtremeQuantile, ws.T("fewer than %d persons lie beyond it, twice the limit", "超出该分位数者不足 %d 人，即限值的两倍", 2*c.k))
	}
}

// coefficient looks for what a model says of a group that has its outcome always or never.
func (c *checker) coefficient(at int, row study.Row) {
	log := c.r.Method == "cox" || c.r.Method == "glm" && c.r.Glance.Text("link") != "identity"
	if !log || row.Text("term") == "" {
		return
	}
	for _, name := range []string{"estimate", "std_error"} {
		if math.Abs(row.Float(name)) >= steep {
			c.mark(Tidy, at, name, Separation, ws.T("it is so large that a group may have its outcome always or never", "数值过大，某一组的结局可能全有或全无"))
		}
	}
}

// model looks at a model, or a test, as a whole.
func (c *checker) model() {
	g := c.r.Glance
	df, field, table, row := g.Float("df_residual"), "df_residual", Glance, 1
	switch c.r.Method {
	case "cox":
		df, field = g.Float("nevent")-g.Float("df"), "df"
	case "ttest":
		for i, r := range c.r.Tidy {
			df, field, table, row = r.Float("parameter"), "parameter", Tidy, i+1
		}
	}
	if df < leastDF {
		c.mark(table, row, field, FewDF, ws.T("fewer than %d degrees of freedom are left: the model nearly restates its rows", "剩余自由度不足 %d：模型几乎复述了其数据行", leastDF))
	}
	if g.Float("r_squared") >= fit {
		c.mark(Glance, 1, "r_squared", PerfectFit, fitsTooWell())
	} else if null := g.Float("null_deviance"); null > 0 && g.Float("deviance") <= float64((1-fit)*null) {
		c.mark(Glance, 1, "deviance", PerfectFit, fitsTooWell())
	}
}

func fitsTooWell() ws.Text {
	return ws.T("the model fits nearly perfectly: whoever knows a person's columns knows the outcome", "模型几乎完全拟合：知道某人各列取值者即可知其结局")
}
