package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	ws "wellspring"
	"wellspring/study"
)

// CSV writes the rows of a result: broom's names as the header, numbers in
// their shortest form that reads back as the same, nothing for no value. A
// result without rows gives its summary, or the facts of the whole. The text is
// UTF-8 without a byte order mark: awk, Python's csv and Go's encoding/csv would
// read one as part of the first name, and Excel can be told the encoding.
func CSV(w io.Writer, r *study.Result) error {
	rows := r.Tidy
	if len(rows) == 0 {
		rows = r.Summary
	}
	if len(rows) == 0 {
		rows = []study.Row{r.Glance}
	}
	names := fieldsOf(rows)
	if len(names) == 0 {
		return ws.Errorf(ws.Invalid, "csv", ws.T("the result has no rows", "结果中没有行"))
	}
	out := csv.NewWriter(w)
	if err := out.Write(names); err != nil {
		return err
	}
	record := make([]string, len(names))
	for _, row := range rows {
		for i, name := range names {
			record[i] = csvValue(row.Get(name))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvValue(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return ""
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
