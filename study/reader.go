package study

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	ws "wellspring"
)

// A reader takes values out of a tree, strictly, and remembers their places.
type reader struct {
	file   string
	src    []byte
	places map[string]place // by path, such as "analyses[1].formula"
}

func newReader(b []byte, file string) *reader {
	return &reader{file: file, src: bytes.TrimPrefix(b, bom), places: map[string]place{}}
}

// A place is where a value stands.
type place struct {
	ws.Position
	value string // of a scalar
}

func (r *reader) at(n *yaml.Node) ws.Position {
	return ws.Position{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *reader) bad(n *yaml.Node, path string, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, path, msg).Located(r.at(n))
}

// accept refuses what could hide or multiply content.
func (r *reader) accept(n *yaml.Node, path string) error {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return r.bad(n, path, ws.T("anchors and aliases are not taken", "不接受锚点与别名")).
			WithHint(ws.T("write the value out, and put quotes around text that begins with & or *", "请直接写出该值；以 & 或 * 开头的文本须加引号"))
	case n.Style&yaml.TaggedStyle != 0:
		return r.bad(n, path, ws.T("explicit tags are not taken", "不接受显式标签"))
	}
	r.places[path] = place{r.at(n), n.Value}
	return nil
}

// An entry is one key of an object with its value.
type entry struct {
	key   *yaml.Node
	value *yaml.Node
}

// object returns the entries of a mapping by key, in the file's order.
func (r *reader) object(n *yaml.Node, path string, known []string) ([]entry, error) {
	if err := r.accept(n, path); err != nil {
		return nil, err
	}
	if n.Kind != yaml.MappingNode {
		return nil, r.bad(n, path, ws.T("keys with values are wanted here", "此处应为键值对"))
	}
	entries := make([]entry, 0, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			e := r.bad(key, path, ws.T("unknown key %q", "未知的键 %q", clip(key.Value)))
			return nil, didYouMean(e, key.Value, known)
		case slices.ContainsFunc(entries, func(e entry) bool { return e.key.Value == key.Value }):
			return nil, r.bad(key, path, ws.T("the key %q is given twice", "键 %q 重复", key.Value))
		}
		entries = append(entries, entry{key, value})
	}
	return entries, nil
}

// list returns the items of a sequence.
func (r *reader) list(n *yaml.Node, path string) ([]*yaml.Node, error) {
	if err := r.accept(n, path); err != nil {
		return nil, err
	}
	if n.Kind != yaml.SequenceNode {
		return nil, r.bad(n, path, ws.T("a list is wanted here", "此处应为列表")).
			WithHint(ws.T("write [a, b], also for one item", "请写成 [a, b] 的形式，只有一项时也一样"))
	}
	return n.Content, nil
}

// text returns a string. A number, a date or a word such as true must be
// quoted, unless loose allows a scalar to be read as it is written.
func (r *reader) text(n *yaml.Node, path string, loose bool) (string, error) {
	if err := r.accept(n, path); err != nil {
		return "", err
	}
	tag := n.ShortTag()
	if n.Kind != yaml.ScalarNode || tag == "!!null" || tag != "!!str" && !loose {
		return "", r.bad(n, path, ws.T("text is wanted here", "此处应为文本")).
			WithHint(ws.T("put it in quotes", "请加引号"))
	}
	return n.Value, nil
}

// octal is read in different ways by different readers of YAML.
var octal = regexp.MustCompile(`^[-+]?0[0-9]`)

func (r *reader) number(n *yaml.Node, path string) (float64, error) {
	if err := r.accept(n, path); err != nil {
		return 0, err
	}
	tag := n.ShortTag()
	if n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float") {
		if x, err := strconv.ParseFloat(n.Value, 64); err == nil && !octal.MatchString(n.Value) {
			return x, nil
		}
	}
	return 0, r.bad(n, path, ws.T("a number is wanted here", "此处应为数值"))
}

func (r *reader) flag(n *yaml.Node, path string) (bool, error) {
	if err := r.accept(n, path); err != nil {
		return false, err
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		return false, r.bad(n, path, ws.T("true or false is wanted here", "此处应为 true 或 false"))
	}
	return strings.EqualFold(n.Value, "true"), nil
}

// texts returns a list of strings.
func (r *reader) texts(n *yaml.Node, path string, loose bool) ([]string, error) {
	items, err := r.list(n, path)
	out := make([]string, len(items))
	for i, item := range items {
		if out[i], err = r.text(item, indexed(path, i), loose); err != nil {
			return nil, err
		}
	}
	return out, err
}

func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// languages returns a text by language.
func (r *reader) languages(n *yaml.Node, path string) (map[ws.Lang]string, error) {
	entries, err := r.object(n, path, []string{string(ws.English), string(ws.Chinese)})
	if err != nil {
		return nil, err
	}
	out := make(map[ws.Lang]string, len(entries))
	for _, e := range entries {
		at := path + "." + e.key.Value
		s, err := r.text(e.value, at, false)
		if err != nil {
			return nil, err
		}
		if problem := checkText(s, maxName); problem != nil {
			return nil, r.place(at, problem)
		}
		out[ws.Lang(e.key.Value)] = s
	}
	return out, nil
}

// place puts a path and its place in front of a problem.
func (r *reader) place(path string, problem *ws.Error) error {
	e := problem.Located(ws.Position{File: r.file})
	e.Op = path
	for at := path; at != ""; {
		if p, ok := r.places[at]; ok {
			return e.Located(p.Position)
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	if p, ok := r.places[""]; ok {
		return e.Located(p.Position)
	}
	return e
}

// inside returns the place of a character, counted from 1, of the text at
// path. ok is false where the source writes that text in another way, with
// escapes or over several lines; then it is the place of the whole text.
func (r *reader) inside(path string, character int) (at ws.Position, ok bool) {
	p := r.places[path]
	lines := strings.Split(string(r.src), "\n")
	if character < 1 || p.Line < 1 || p.Line > len(lines) {
		return p.Position, false
	}
	line := []rune(lines[p.Line-1])
	for quote := range 2 { // a quote may stand before the text
		from := p.Column - 1 + quote
		if from <= len(line) && strings.HasPrefix(string(line[from:]), p.value) {
			p.Column += quote + character - 1
			return p.Position, true
		}
	}
	return p.Position, false
}
