package portal

import (
	"regexp"
	"strings"
	"testing"
	"text/template/parse"
)

var narrow = regexp.MustCompile(`\p{Han}[,;:!?(]|[,;:!?]\p{Han}|\(\p{Han}|\p{Han}\)`)

// Every text of a template has both languages, which take the same arguments; a
// Chinese one has Chinese punctuation. Words outside such texts are in no language.
func TestTemplates(t *testing.T) {
	entries, err := files.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".html") {
			continue
		}
		b, err := files.ReadFile("pages/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		tree := parse.New(e.Name())
		tree.Mode = parse.SkipFuncCheck
		trees := map[string]*parse.Tree{}
		if _, err := tree.Parse(string(b), "", "", trees); err != nil {
			t.Fatal(err)
		}
		for _, sub := range trees {
			walk(sub.Root, func(n *parse.CommandNode) {
				if id, ok := n.Args[0].(*parse.IdentifierNode); ok && id.Ident == "t" {
					found++
					checkText(t, e.Name(), n)
				}
			})
		}
		if words := word.FindAllString(untagged(string(b)), -1); words != nil {
			t.Errorf("%s: %q are in no language", e.Name(), words)
		}
	}
	if found < 100 {
		t.Errorf("%d texts found: the test looks for the wrong thing", found)
	}
}

// checkText holds one call of t to its rules.
func checkText(t *testing.T, name string, n *parse.CommandNode) {
	t.Helper()
	if len(n.Args) < 3 {
		t.Errorf("%s: %s lacks a language", name, n)
		return
	}
	var text [2]string
	for i := range text {
		s, ok := n.Args[1+i].(*parse.StringNode)
		if !ok || s.Text == "" {
			t.Errorf("%s: %s: both languages are constants", name, n)
			return
		}
		text[i] = s.Text
		if verbs := strings.Count(s.Text, "%"); verbs != len(n.Args)-3 {
			t.Errorf("%s: %q takes %d arguments and is given %d", name, s.Text, verbs, len(n.Args)-3)
		}
	}
	if strings.Trim(text[0], ": ,;%d") != "" && text[0] == text[1] || narrow.MatchString(text[1]) {
		t.Errorf("%s: %q in Chinese is %q", name, text[0], text[1])
	}
}

var (
	tags     = regexp.MustCompile(`(?s)\{\{.*?\}\}|<code>.*?</code>|<[^>]*>`)
	language = strings.NewReplacer("中文", "", "English", "", "sha256:", "")
	word     = regexp.MustCompile(`\p{Han}+|[A-Za-z]{3,}`)
)

// untagged is what a template says beside its actions, tags and commands, but for
// the names of the languages.
func untagged(s string) string { return language.Replace(tags.ReplaceAllString(s, " ")) }

// walk calls f with every command under a node.
func walk(n parse.Node, f func(*parse.CommandNode)) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, f)
		walk(b.List, f)
		if b.ElseList != nil {
			walk(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, f)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			f(c)
			for _, a := range c.Args {
				walk(a, f)
			}
		}
	case *parse.ActionNode:
		walk(n.Pipe, f)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}
