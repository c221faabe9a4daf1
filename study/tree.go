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

// yamlError takes the line out of the YAML library's message.
func yamlError(file string, err error) error {
	msg, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = strings.Replace(msg, m[0], "", 1)
	}
	return badFile(file, line, ws.T("the file is not valid YAML", "文件不是合法的 YAML")).Wrap(errors.New(msg)).
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
