package study

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
	"wellspring/frame"
)

// Bounds of a dictionary.
const (
	maxColumns = 10000
	maxLevels  = 10000
	maxUnit    = 50
)

var types = []string{string(frame.Real), string(frame.Integer), string(frame.Factor), string(frame.Identifier)}

// ParseDictionary reads a dictionary file: a YAML or JSON list of columns, of
// at most MaxFile bytes. Levels may be written without quotes.
func ParseDictionary(b []byte, file string) (frame.Dictionary, error) {
	n, err := parseTree(b, file)
	if err != nil {
		return nil, ws.At("dictionary", err)
	}
	r := newReader(b, file)
	items, err := r.list(n, "columns")
	if err == nil && (len(items) == 0 || len(items) > maxColumns) {
		err = r.bad(n, "columns", ws.T("a dictionary has 1 to %d columns", "字典应有 1 到 %d 列", maxColumns))
	}
	if err != nil {
		return nil, ws.At("dictionary", err)
	}
	d := make(frame.Dictionary, len(items))
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		if d[i], err = r.column(item, indexed("columns", i)); err != nil {
			return nil, ws.At("dictionary", err)
		}
		if seen[d[i].Name] {
			return nil, ws.At("dictionary", r.bad(item, indexed("columns", i), ws.T("the column %q is listed twice", "列 %q 重复", d[i].Name)))
		}
		seen[d[i].Name] = true
	}
	return d, nil
}

func (r *reader) column(n *yaml.Node, path string) (c frame.Column, err error) {
	entries, err := r.object(n, path, []string{"name", "type", "unit", "levels", "other", "min", "max", "required", "title"})
	if err != nil {
		return c, err
	}
	given := map[string]bool{}
	for _, e := range entries {
		given[e.key.Value] = true
		if err := r.columnField(&c, e, path+"."+e.key.Value); err != nil {
			return c, err
		}
	}
	if name, problem := checkColumn(c, given["min"] && given["max"]); problem != nil {
		return c, r.place(strings.TrimSuffix(path+"."+name, "."), problem)
	}
	return c, nil
}

func (r *reader) columnField(c *frame.Column, e entry, path string) (err error) {
	switch e.key.Value {
	case "name":
		c.Name, err = r.text(e.value, path, true)
	case "type":
		var s string
		s, err = r.text(e.value, path, false)
		c.Type = frame.Type(s)
	case "unit":
		c.Unit, err = r.text(e.value, path, true)
	case "levels":
		c.Levels, err = r.texts(e.value, path, true)
	case "other":
		c.Other, err = r.flag(e.value, path)
	case "min":
		c.Min, err = r.number(e.value, path)
	case "max":
		c.Max, err = r.number(e.value, path)
	case "required":
		c.Required, err = r.flag(e.value, path)
	case "title":
		c.Title, err = r.languages(e.value, path)
	}
	return err
}

// CheckDictionary judges a dictionary that was not read from a file, by the
// same rules.
func CheckDictionary(d frame.Dictionary) error {
	seen := make(map[string]bool, len(d))
	for _, c := range d {
		if _, problem := checkColumn(c, true); problem != nil {
			return ws.At("dictionary: column "+clip(c.Name), problem)
		}
		if seen[c.Name] {
			return ws.At("dictionary", invalid(ws.T("the column %q is listed twice", "列 %q 重复", c.Name)))
		}
		seen[c.Name] = true
	}
	return nil
}

// checkColumn names the field at fault.
func checkColumn(c frame.Column, ranged bool) (string, *ws.Error) {
	if e := checkLine(c.Name, maxName); e != nil {
		return "name", e
	}
	if e := checkChoice(string(c.Type), types); e != nil {
		return "type", e
	}
	if e := checkLine(c.Unit, maxUnit); e != nil && c.Unit != "" {
		return "unit", e
	}
	if c.Type.Numeric() {
		return checkNumeric(c, ranged)
	}
	switch {
	case c.Min != 0 || c.Max != 0:
		return "min", invalid(ws.T("only numeric columns have a range", "只有数值列才有取值范围"))
	case c.Type == frame.Identifier && c.Required:
		return "required", invalid(ws.T("the values of an identifier are not looked at", "标识列的取值不会被查看"))
	case c.Type == frame.Identifier && (c.Levels != nil || c.Other || c.Unit != ""):
		return "type", invalid(ws.T("an identifier has neither levels nor unit", "标识列没有水平，也没有单位"))
	}
	return checkLevels(c)
}

func checkNumeric(c frame.Column, ranged bool) (string, *ws.Error) {
	switch {
	case !ranged:
		return "", invalid(ws.T("the numeric column %q needs min and max", "数值列 %q 需要 min 与 max", c.Name))
	case math.IsNaN(c.Min+c.Max) || math.IsInf(c.Min, 0) || math.IsInf(c.Max, 0) || c.Min > c.Max:
		return "max", invalid(ws.T("min and max are finite, and min is not above max", "min 与 max 应为有限数，且 min 不大于 max"))
	case c.Type == frame.Integer && (c.Min != math.Trunc(c.Min) || c.Max != math.Trunc(c.Max)):
		return "max", invalid(ws.T("the range of an integer column is whole", "整数列的取值范围应为整数"))
	case c.Other:
		return "other", invalid(ws.T("only a factor has a level for other values", "只有因子列才能把其余取值归入“其他”"))
	}
	last := math.Inf(-1)
	for _, l := range c.Levels {
		x, ok := levelNumber(l)
		if !ok || x <= last || x < c.Min || x > c.Max {
			return "levels", invalid(ws.T("levels of a numeric column are numbers within its range, in ascending order", "数值列的水平应为取值范围内的数，按升序排列"))
		}
		last = x
	}
	return checkLevels(c)
}

var decimal = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

func levelNumber(level string) (float64, bool) {
	x, err := strconv.ParseFloat(level, 64)
	return x, err == nil && decimal.MatchString(level)
}

func checkLevels(c frame.Column) (string, *ws.Error) {
	if len(c.Levels) > maxLevels {
		return "levels", invalid(ws.T("more than %d levels", "水平超过 %d 个", maxLevels))
	}
	seen := make(map[string]bool, len(c.Levels))
	for i, l := range c.Levels {
		path := indexed("levels", i)
		switch {
		case checkLine(l, maxName) != nil:
			return path, checkLine(l, maxName)
		case seen[l]:
			return path, invalid(ws.T("the level %q is listed twice", "水平 %q 重复", clip(l)))
		case c.Other && l == frame.OtherLevel:
			return path, invalid(ws.T("with other: true the level %q is there by itself", "已设 other: true 时，水平 %q 自动存在", l))
		}
		seen[l] = true
	}
	return "", nil
}

// checkLine is checkText for a single line.
func checkLine(s string, most int) *ws.Error {
	if e := checkText(s, most); e != nil {
		return e
	}
	if strings.ContainsAny(s, "\n\r\t") {
		return invalid(ws.T("it must stand on one line", "必须写在一行内"))
	}
	return nil
}

const dictionaryHead = `# The dictionary of a dataset: what its steward publishes of each column. Edit it, then it binds:
# a value outside it is an error at its site. type: real, integer, factor or identifier (never used in a study).
# required: true says that no row lacks a value; then whom a model leaves out for a missing one is no question.
# 数据集的字典：数据管理员公布的各列信息。可先编辑，之后即生效：超出字典的取值会在该站点报错。
# required: true 表示该列无缺失，模型便不会因缺失而排除任何人。
# type 取 real（实数）、integer（整数）、factor（因子）或 identifier（标识，研究中不可使用）。
`

// MarshalDictionary writes a dictionary file for people to edit.
func MarshalDictionary(d frame.Dictionary) ([]byte, error) {
	if err := CheckDictionary(d); err != nil {
		return nil, err
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, c := range d {
		list.Content = append(list.Content, columnNode(c))
	}
	var b bytes.Buffer
	b.WriteString(dictionaryHead)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(list); err != nil {
		return nil, ws.Errorf(ws.Other, "dictionary", ws.T("it cannot be written", "无法写出")).Wrap(err)
	}
	return b.Bytes(), e.Close()
}

// columnNode writes a column on one line where it has no title.
func columnNode(c frame.Column) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, value *yaml.Node) {
		n.Content = append(n.Content, textNode(key), value)
	}
	add("name", textNode(c.Name))
	add("type", textNode(string(c.Type)))
	if c.Unit != "" {
		add("unit", textNode(c.Unit))
	}
	if c.Type.Numeric() {
		add("min", numberNode(c.Min))
		add("max", numberNode(c.Max))
	}
	if c.Levels != nil {
		levels := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, l := range c.Levels {
			levels.Content = append(levels.Content, textNode(l))
		}
		add("levels", levels)
	}
	if c.Other {
		add("other", trueNode())
	}
	if c.Required {
		add("required", trueNode())
	}
	if len(c.Title) > 0 {
		title := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, l := range []ws.Lang{ws.English, ws.Chinese} {
			if t, ok := c.Title[l]; ok {
				title.Content = append(title.Content, textNode(string(l)), textNode(t))
			}
		}
		add("title", title)
	}
	return n
}

func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if slices.Contains([]string{"y", "n", "yes", "no", "on", "off"}, strings.ToLower(s)) {
		n.Style = yaml.DoubleQuotedStyle // older readers take these for true and false
	}
	return n
}

func trueNode() *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
}

func numberNode(x float64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(x, 'g', -1, 64)}
}
