package render

import (
	"fmt"
	"io"
	"strings"

	ws "wellspring"
	"wellspring/study"
)

// Beside writes the numbers that protection costs, each beside the exact one.
func Beside(w io.Writer, pairs []study.Pair, lang ws.Lang) error {
	p := &printer{lang: lang}
	if len(pairs) == 0 {
		p.line("\n%s", p.say(ws.T("Protected and exact: no number differs, and none is missing.", "受保护结果与精确结果：没有数字不同，也没有缺失。")))
		_, err := w.Write(p.Bytes())
		return err
	}
	p.line("\n%s", p.say(ws.T("Protected and exact, %d numbers that differ or are not shown:", "受保护结果与精确结果对照，共 %d 个不同或未显示的数字：", len(pairs))))
	what := column{head: p.say(ws.T("what", "内容")), left: true}
	field := column{head: p.say(ws.T("number", "数字")), left: true}
	protected, exact := column{head: p.say(ws.T("protected", "受保护"))}, column{head: p.say(ws.T("exact", "精确"))}
	for _, pair := range pairs {
		what.cells = append(what.cells, pairName(pair))
		field.cells = append(field.cells, clean(pair.Field))
		protected.cells = append(protected.cells, besideValue(pair.Protected))
		exact.cells = append(exact.cells, besideValue(pair.Exact))
	}
	p.grid(grid{what, field, protected, exact})
	_, err := w.Write(p.Bytes())
	return err
}

func pairName(pair study.Pair) string {
	var parts []string
	if pair.ID != "" {
		parts = append(parts, pair.ID)
	}
	for _, f := range pair.Row {
		value := fmt.Sprint(f.Value)
		if x, ok := f.Value.(float64); ok {
			value = short(x, 6)
		}
		parts = append(parts, f.Name+" "+value)
	}
	if len(pair.Row) == 0 {
		parts = append(parts, pair.Table)
	}
	return clean(strings.Join(parts, ", "))
}

func besideValue(x *float64) string {
	if x == nil {
		return "-"
	}
	return short(*x, 7)
}
