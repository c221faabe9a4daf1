package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
)

// maxDepth bounds the nesting of a JSON file; no valid one comes near.
const maxDepth = 32

var bom = []byte("\xef\xbb\xbf")

// parseTree reads YAML, or JSON, into a tree whose nodes know their places.
func parseTree(b []byte, file string) (*yaml.Node, error) {
	switch {
	case len(b) > MaxFile:
		return nil, badFile(file, 0, ws.T("the file has more than %d bytes", "文件超过 %d 字节", MaxFile))
	case !utf8.Valid(b):
		return nil, badFile(file, 0, ws.T("the file is not UTF-8 text", "文件不是 UTF-8 文本")).
			WithHint(ws.T("save it as UTF-8", "请以 UTF-8 编码保存"))
	}
	b = bytes.TrimPrefix(b, bom)
	if json.Valid(b) { // YAML would refuse some of JSON's escapes
		return newJSONTree(b, file).parse(0)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, badFile(file, 0, ws.T("the file is empty", "文件为空"))
	} else if err != nil {
		return nil, yamlError(file, err)
	}
	if err := d.Decode(&more); err == nil {
		return nil, badFile(file, more.Line, ws.T("the file holds more than one document", "文件含有多个文档"))
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(file, err)
	}
	return doc.Content[0], nil
}

func badFile(file string, line int, msg ws.Text) *ws.Error {
	return invalid(msg).Located(ws.Position{File: file, Line: line})
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlFaults are what the YAML library says, as far as people meet it, and what it means.
var yamlFaults = []struct {
	says  string
	means ws.Text
}{
	{"mapping values are not allowed", ws.T("a second colon in one line, or a line that is indented too far", "一行中有第二个冒号，或某行缩进过多")},
	{"did not find expected key", ws.T("a line that is indented otherwise than its neighbours", "某行的缩进与相邻各行不同")},
	{"did not find expected '-' indicator", ws.T("a list in which a line has no '-'", "列表中某行缺少“-”")},
	{"could not find expected ':'", ws.T("a name without a colon", "名称之后缺少冒号")},
	{"found character that cannot start any token", ws.T("a tab, or a sign that wants quotes", "有制表符，或有须加引号的符号")},
	{"found a tab character", ws.T("a tab where blanks are wanted", "应使用空格之处有制表符")},
	{"found unexpected end of stream", ws.T("quotes that are not closed", "引号未闭合")},
	{"did not find expected ',' or", ws.T("brackets that are not closed, or a comma that is missing", "括号未闭合，或缺少逗号")},
	{"found unknown escape character", ws.T("a backslash that means nothing", "反斜杠用法不正确")},
	{"unknown anchor", ws.T("a reference to what is not there", "引用了不存在的内容")},
	{"control characters are not allowed", ws.T("a character that is no text", "有非文本字符")},
	{"invalid", ws.T("bytes that are no UTF-8", "有不是 UTF-8 的字节")},
}

// yamlError takes the line out of the YAML library's message, and says in words what it means.
func yamlError(file string, err error) error {
	line := 0
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	msg := ws.T("the file is not valid YAML", "文件不是合法的 YAML")
	for _, f := range yamlFaults {
		if strings.Contains(err.Error(), f.says) {
			msg = ws.T("the file is not valid YAML: %s", "文件不是合法的 YAML：%s", f.means)
			break
		}
	}
	return badFile(file, line, msg).
		WithHint(ws.T("check the indentation, the quotes, and the space after each colon", "请检查缩进、引号，以及冒号后的空格"))
}

// A jsonTree turns JSON that is known to be valid into YAML nodes.
type jsonTree struct {
	file string
	src  []byte
	d    *json.Decoder
	// The place up to which src has been counted.
	offset, line, column int
}

func newJSONTree(b []byte, file string) *jsonTree {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return &jsonTree{file: file, src: b, d: d, line: 1, column: 1}
}

// next returns the next token and a node at its place.
func (j *jsonTree) next() (json.Token, *yaml.Node, error) {
	start := int(j.d.InputOffset())
	for start < len(j.src) && strings.IndexByte(" \t\r\n,:", j.src[start]) >= 0 {
		start++
	}
	for j.offset < start {
		r, n := utf8.DecodeRune(j.src[j.offset:])
		j.offset += n
		j.column++
		if r == '\n' {
			j.line, j.column = j.line+1, 1
		}
	}
	t, err := j.d.Token()
	return t, &yaml.Node{Kind: yaml.ScalarNode, Line: j.line, Column: j.column}, err
}

func (j *jsonTree) parse(depth int) (*yaml.Node, error) {
	t, n, err := j.next()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, badFile(j.file, n.Line, ws.T("the file is nested more than %d levels deep", "文件嵌套超过 %d 层", maxDepth))
	}
	switch v := t.(type) {
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if v == '{' {
			n.Kind = yaml.MappingNode
		}
		return n, j.children(n, depth)
	case string:
		n.Tag, n.Value, n.Style = "!!str", v, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", v.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	default:
		n.Tag = "!!null"
	}
	return n, nil
}

// children appends keys and values, or items, and takes the closing bracket.
func (j *jsonTree) children(n *yaml.Node, depth int) error {
	for j.d.More() {
		child, err := j.parse(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, child)
	}
	_, _, err := j.next()
	return err
}
