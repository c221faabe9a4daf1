package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	ws "wellspring"
)

// A Result answers one analysis, in the vocabulary of R's broom.
type Result struct {
	ID     string `json:"id,omitempty"` // the analysis, where there are several
	Method string `json:"method"`
	Tidy   []Row  `json:"tidy"` // a row a coefficient, curve step, cell or statistic
	// Summary has a record a group: strata of km (strata, records, events,
	// median, conf_low, conf_high), groups of logrank (group, n, observed,
	// expected), bars of a histogram (variable, bin_low, bin_high, count).
	Summary []Row `json:"summary,omitempty"`
	// Glance is the analysis as a whole; of glm it names family and link.
	Glance Row `json:"glance"`
	// Audit has a record a hidden cell of a table: row, column and layer (a total
	// lacks what it is over), and what can be inferred of its count from what is
	// shown: it lies from low to high, and has both, or, of a three-way table,
	// met_low and met_high, in tables that agree with what is shown.
	Audit      []Row        `json:"audit,omitempty"`
	Suppressed []Suppressed `json:"suppressed"`
	Notes      []ws.Text    `json:"notes"`
}

// A Suppressed entry says what is left out and why, without a number.
type Suppressed struct {
	What string  `json:"what"`
	Code Code    `json:"code"`
	Why  ws.Text `json:"why"`
}

// A Code is the reason of a suppression, for programs.
type Code string

const (
	Few       Code = "few"       // too few persons or institutions
	Influence Code = "influence" // one person carries too large a share
	Outcome   Code = "outcome"   // a mean of two values that counts few
	Linked    Code = "linked"    // it would give another hidden part away
	FollowUp  Code = "follow_up" // times past which too few are at risk
	Joined    Code = "joined"    // not shown by itself, but counted with others
	Missing   Code = "missing"   // a small number of missing rows
	Reviewed  Code = "reviewed"  // a custodian's reviewer left it out
)

// A Document is a study's released answer: the file result.json.
type Document struct {
	Study       string      `json:"study"`
	StudyDigest string      `json:"study_digest"`
	Sites       []ws.SiteID `json:"sites"`
	Rounds      int         `json:"rounds"`
	// Exactly one of the two: a study with one analysis has its result's
	// fields in the document itself.
	*Result
	Results []Result `json:"results,omitempty"`
}

// A Row is one record of a table, its fields in reading order. A field is a
// float64 (NaN and ±Inf are null in JSON), an int64, a bool or a string.
type Row []Field

// A Field is a name, in snake case, with its value.
type Field struct {
	Name  string
	Value any
}

// Set appends a field, or replaces the one of that name.
func (r *Row) Set(name string, value any) {
	for i := range *r {
		if (*r)[i].Name == name {
			(*r)[i].Value = value
			return
		}
	}
	*r = append(*r, Field{name, value})
}

// Get returns a field's value, or nil.
func (r Row) Get(name string) any {
	for _, f := range r {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Float returns a field as a number; NaN if it is missing or not a number.
func (r Row) Float(name string) float64 {
	switch v := r.Get(name).(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case int:
		return float64(v)
	}
	return math.NaN()
}

// Text returns a field as a string; "" if it is missing or no string.
func (r Row) Text(name string) string {
	s, _ := r.Get(name).(string)
	return s
}

// MarshalJSON writes an object, its fields in order.
func (r Row) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return nil, err
		}
		value := f.Value
		if x, ok := value.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
			value = nil
		}
		v, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, in its order; a number with
// neither point nor exponent becomes an int64, but a float64 beyond 2^53; null
// becomes NaN. Repeated and nested fields are refused.
func (r *Row) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return badRow(ws.T("a row is a JSON object", "一行须为 JSON 对象"))
	}
	*r = (*r)[:0]
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return badRow(ws.T("a row is not valid JSON", "一行不是合法的 JSON")).Wrap(err)
		}
		key, ok := name.(string)
		if !ok || seen[key] {
			return badRow(ws.T("a row has a field twice", "一行中有重复的字段"))
		}
		seen[key] = true
		value, err := scalar(d)
		if err != nil {
			return err
		}
		*r = append(*r, Field{key, value})
	}
	if _, err := d.Token(); err != nil {
		return badRow(ws.T("a row is not valid JSON", "一行不是合法的 JSON")).Wrap(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRow(ws.T("something follows the row", "行后有多余内容"))
	}
	return nil
}

// maxExact bounds the integers that a float64 holds without a gap.
const maxExact = 1 << 53

// scalar takes one value of a row.
func scalar(d *json.Decoder) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, badRow(ws.T("a row is not valid JSON", "一行不是合法的 JSON")).Wrap(err)
	}
	switch v := t.(type) {
	case json.Delim:
		return nil, badRow(ws.T("a field of a row is neither a number, a text nor true or false", "行中的字段不是数值、文本或真假值"))
	case json.Number:
		if n, err := v.Int64(); err == nil && -maxExact <= n && n <= maxExact && v != "-0" {
			return n, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, badRow(ws.T("a number is out of range", "数值超出范围"))
		}
		return f, nil
	case nil:
		return math.NaN(), nil
	}
	return t, nil
}

func badRow(msg ws.Text) *ws.Error { return ws.Errorf(ws.Invalid, "study.Row", msg) }
