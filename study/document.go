package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"

	ws "wellspring"
)

// MaxDocument bounds a result file, in bytes.
const MaxDocument = 64 << 20

// Vocabulary is the reading order of a row's fields. Canonical JSON sorts them
// by name, so [ParseDocument] puts them back; a field that is not listed keeps
// its place after these.
var Vocabulary = []string{
	"id", "strata", "group", "variable", "by", "level", "row", "column", "layer", "term", "time", "n_risk", "n_event", "n_censor",
	"bin_low", "bin_high", "n", "nobs", "records", "missing", "count", "row_percent", "column_percent", "low", "high", "met_low", "met_high", "percent", "proportion",
	"events", "nevent", "observed", "expected", "prob", "quantile", "mean", "sd", "median", "estimate", "estimate1", "estimate2",
	"std_error", "statistic", "p_value", "parameter", "df", "df_residual", "conf_low", "conf_high",
	"logLik", "deviance", "null_deviance", "AIC", "BIC", "r_squared", "adj_r_squared", "sigma", "dispersion",
	"iterations", "converged", "method",
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// All returns the answers of d, one or several.
func (d *Document) All() []Result {
	if d.Result != nil {
		return []Result{*d.Result}
	}
	return d.Results
}

// MarshalCanonical writes d in the form of RFC 8785: the file result.json.
func MarshalCanonical(d *Document) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	c := *d
	c.Sites = listed(d.Sites)
	if d.Result != nil {
		r := d.Result.listed()
		c.Result = &r
	}
	c.Results = slices.Clone(d.Results)
	for i, r := range c.Results {
		c.Results[i] = r.listed()
	}
	return canonical("result", &c)
}

// MarshalReadable writes d as one line of JSON in which the fields of each row
// stand in the order of [Vocabulary], for programs that show them.
func MarshalReadable(d *Document) ([]byte, error) {
	b, err := MarshalCanonical(d)
	if err != nil {
		return nil, err
	}
	if d, err = ParseDocument(b); err != nil {
		return nil, err
	}
	if b, err = json.Marshal(d); err != nil {
		return nil, badResult(ws.T("it cannot be written", "无法写出")).Wrap(err)
	}
	return b, nil
}

// listed returns r with [] in place of lists that are nil, which JSON would
// write as null.
func (r Result) listed() Result {
	r.Tidy, r.Suppressed, r.Notes = listed(r.Tidy), listed(r.Suppressed), listed(r.Notes)
	return r
}

func listed[E any](s []E) []E {
	if s == nil {
		return []E{}
	}
	return s
}

// ParseDocument reads a result file and refuses what [Document.Validate] does.
func ParseDocument(b []byte) (*Document, error) {
	if len(b) > MaxDocument {
		return nil, badResult(ws.T("the file has more than %d bytes", "文件超过 %d 字节", MaxDocument))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var doc Document
	if err := d.Decode(&doc); err != nil {
		return nil, badResult(ws.T("the file is not a result", "文件不是结果文件")).Wrap(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, badResult(ws.T("something follows the result", "结果之后有多余内容"))
	}
	if err := doc.Validate(); err != nil {
		return nil, err
	}
	for _, r := range doc.All() {
		for _, rows := range r.tables() {
			for _, row := range rows {
				row.order()
			}
		}
	}
	return &doc, nil
}

func (r Row) order() {
	rank := func(f Field) int {
		if i := slices.Index(Vocabulary, f.Name); i >= 0 {
			return i
		}
		return len(Vocabulary)
	}
	slices.SortStableFunc(r, func(a, b Field) int { return rank(a) - rank(b) })
}

func badResult(msg ws.Text) *ws.Error { return ws.Errorf(ws.Invalid, "result", msg) }

// Validate refuses a document that could not be written, or not be read as
// what it is.
func (d *Document) Validate() error {
	switch {
	case checkName(d.Study) != nil:
		return ws.At("result: study", checkName(d.Study))
	case !digestForm.MatchString(d.StudyDigest):
		return badResult(ws.T("study_digest is not a SHA-256 digest", "study_digest 不是 SHA-256 摘要"))
	case d.Rounds < 0:
		return badResult(ws.T("the number of rounds is negative", "轮数为负"))
	case (d.Result == nil) == (len(d.Results) == 0):
		return badResult(ws.T("a document holds either one result or several", "文件应只含一个结果，或一个结果列表"))
	}
	for i, s := range d.Sites {
		if err := s.Validate(); err != nil {
			return ws.At("result: sites", err)
		}
		if slices.Contains(d.Sites[:i], s) {
			return badResult(ws.T("the site %s is listed twice", "站点 %s 重复", s))
		}
	}
	seen := map[string]bool{}
	for _, r := range d.All() {
		if d.Result == nil && (r.ID == "" || seen[r.ID]) {
			return badResult(ws.T("one result among several needs an id of its own", "多个结果中的每一个都须有唯一的 id"))
		}
		seen[r.ID] = true
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) tables() [][]Row { return [][]Row{r.Tidy, r.Summary, {r.Glance}, r.Audit} }

func (r *Result) validate() error {
	if _, ok := MethodNamed(r.Method); !ok {
		return badResult(ws.T("unknown method %q", "未知的方法 %q", clip(r.Method)))
	}
	if r.ID != "" && checkName(r.ID) != nil {
		return ws.At("result: id", checkName(r.ID))
	}
	for _, rows := range r.tables() {
		for _, row := range rows {
			if err := row.validate(); err != nil {
				return err
			}
		}
	}
	for _, s := range r.Suppressed {
		if s.What == "" || s.Code == "" || s.Why.IsZero() {
			return badResult(ws.T("a suppressed entry says what and why", "被隐去的条目须写明内容与原因"))
		}
	}
	return nil
}

// validate refuses values that JSON would change: an integer beyond 2^53 is
// not exact in RFC 8785, whose numbers are doubles.
func (r Row) validate() error {
	seen := make(map[string]bool, len(r))
	for _, f := range r {
		if f.Name == "" || seen[f.Name] {
			return badRow(ws.T("a row has a field twice, or one without a name", "行中字段重复或无名"))
		}
		seen[f.Name] = true
		exact := true
		switch v := f.Value.(type) {
		case float64, bool, string:
		case int:
			exact = -maxExact <= v && v <= maxExact
		case int64:
			exact = -maxExact <= v && v <= maxExact
		default:
			return badRow(ws.T("the field %q is neither a number, a text nor true or false", "字段 %q 不是数值、文本或真假值", clip(f.Name)))
		}
		if !exact {
			return badRow(ws.T("the integer in %q is beyond 2^53", "字段 %q 中的整数超过 2^53", clip(f.Name)))
		}
	}
	return nil
}
