package review

import (
	"fmt"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// A Code is the check that set a mark, for programs.
type Code string

// The checks; see the package's doc.
const (
	NearLimit       Code = "near_limit"
	SmallGroup      Code = "small_group"
	Zero            Code = "zero"
	Hidden          Code = "hidden"
	Bounds          Code = "bounds"
	FewDF           Code = "few_df"
	PerfectFit      Code = "perfect_fit"
	Separation      Code = "separation"
	FewAtRisk       Code = "few_at_risk"
	ExtremeQuantile Code = "extreme_quantile"
	Dominance       Code = "dominance"
	BySite          Code = "by_site"
	FewSites        Code = "few_sites"
	Many            Code = "many"
)

// A Table is one of a result's, by the name of its field.
type Table string

// The tables of a result.
const (
	Tidy    Table = "tidy"
	Summary Table = "summary"
	Glance  Table = "glance"
	Audit   Table = "audit"
)

// A Mark says what to look at, and why. It holds no number of the document.
type Mark struct {
	// Analysis counts the study's analyses from 1; 0 is the study as a whole.
	Analysis int    `json:"analysis"`
	ID       string `json:"id,omitempty"` // of the analysis, where it has one
	Table    Table  `json:"table,omitempty"`
	// Row counts the table's rows from 1; 0 where the mark is of the analysis.
	Row   int     `json:"row,omitempty"`
	Field string  `json:"field,omitempty"`
	Code  Code    `json:"code"`
	Why   ws.Text `json:"why"`
}

// Rows gives the rows of a result's table.
func Rows(r *study.Result, t Table) []study.Row {
	switch t {
	case Tidy:
		return r.Tidy
	case Summary:
		return r.Summary
	case Glance:
		return []study.Row{r.Glance}
	case Audit:
		return r.Audit
	}
	return nil
}

// Place names the row of a mark by the texts in it and, of a curve, by its time, such
// as "sex=f, time 90"; empty where the mark is of no row or its row has no name.
func (m Mark) Place(d *study.Document) string {
	all := d.All()
	if m.Analysis < 1 || m.Analysis > len(all) {
		return ""
	}
	rows := Rows(&all[m.Analysis-1], m.Table)
	if m.Table == Glance || m.Row < 1 || m.Row > len(rows) {
		return ""
	}
	var parts []string
	for _, f := range rows[m.Row-1] {
		switch v := f.Value.(type) {
		case string:
			if f.Name != "method" {
				parts = append(parts, v)
			}
		case float64, int64:
			if slices.Contains([]string{"time", "prob", "bin_low"}, f.Name) {
				parts = append(parts, fmt.Sprintf("%s %v", f.Name, v))
			}
		}
	}
	return strings.Join(parts, ", ")
}

// Of lists the marks of one analysis, counted from 1, or, with 0, of the study as a whole.
func Of(marks []Mark, analysis int) (out []Mark) {
	for _, m := range marks {
		if m.Analysis == analysis {
			out = append(out, m)
		}
	}
	return out
}

// Without gives a document in which the analyses of some places, counted from 1,
// are left out, and say so. What is left must be something.
func Without(d *study.Document, parts []int) (*study.Document, error) {
	out := *d
	out.Results = append([]study.Result(nil), d.Results...)
	left := map[int]bool{}
	for _, n := range parts {
		if n < 1 || n > len(d.All()) {
			return nil, ws.Errorf(ws.Invalid, "review", ws.T("the study has no analysis number %d", "研究中没有第 %d 个分析", n))
		}
		left[n] = true
	}
	if len(left) == len(d.All()) {
		return nil, ws.Errorf(ws.Invalid, "review", ws.T("nothing of the answer would be left", "结果将不剩任何内容")).
			WithHint(ws.T("refuse it instead", "请改为拒绝"))
	}
	for i, r := range out.Results {
		if left[i+1] {
			out.Results[i] = blank(r)
		}
	}
	return &out, nil
}

// blank is a result of which nothing is told but what was asked.
func blank(r study.Result) study.Result {
	return study.Result{ID: r.ID, Method: r.Method, Suppressed: []study.Suppressed{{What: "all", Code: study.Reviewed,
		Why: ws.T("a custodian's reviewer left this analysis out", "数据托管方的审核人隐去了该分析")}}}
}
