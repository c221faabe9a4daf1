package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	ws "wellspring"
)

// A flagSet reads the flags of one command and explains them in the user's
// language.
type flagSet struct {
	*flag.FlagSet
	c        *console
	synopsis string // as the user types it
	about    []flagHelp
	wrong    error // of a value that a flag refused
}

type flagHelp struct {
	flag string
	text ws.Text
}

// flags makes an empty flag set for a command that is typed as synopsis says.
func flags(synopsis string, c *console) *flagSet {
	f := &flagSet{FlagSet: flag.NewFlagSet("", flag.ContinueOnError), c: c, synopsis: synopsis}
	f.SetOutput(io.Discard) // failures are errors, and help is printed below
	f.Usage = func() {}
	return f
}

// text takes a flag with a value, which help calls placeholder.
func (f *flagSet) text(p *string, name, placeholder string, about ws.Text) {
	f.StringVar(p, name, "", "")
	f.about = append(f.about, flagHelp{"--" + name + " " + placeholder, about})
}

// span takes a flag with a duration between two bounds; what p holds is the default.
func (f *flagSet) span(p *time.Duration, name string, least, most time.Duration, about ws.Text) {
	f.Func(name, "", func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < least || d > most { // what is returned here would be taken for text
			f.wrong = ws.Errorf(ws.Invalid, "", ws.T("--%s wants a time such as 90s, 10m or 3h, from %v to %v", "--%s 须为时长，如 90s、10m 或 3h，介于 %v 与 %v 之间", name, least, most))
		}
		*p = d
		return nil
	})
	f.about = append(f.about, flagHelp{"--" + name + " TIME", about})
}

// list takes a flag that may be given more than once.
func (f *flagSet) list(p *[]string, name, placeholder string, about ws.Text) {
	f.Func(name, "", func(v string) error {
		*p = append(*p, v)
		return nil
	})
	f.about = append(f.about, flagHelp{"--" + name + " " + placeholder, about})
}

// bool takes a flag without a value.
func (f *flagSet) bool(p *bool, name string, about ws.Text) {
	f.BoolVar(p, name, false, "")
	f.about = append(f.about, flagHelp{"--" + name, about})
}

// parse reads args. Where they ask for help it prints that and returns
// [flag.ErrHelp].
func (f *flagSet) parse(args []string) error {
	err := f.Parse(args)
	if err == nil {
		return f.wrong
	}
	if errors.Is(err, flag.ErrHelp) {
		f.help()
		return err
	}
	hint := ws.T("see: wellspring %s --help", "参见：wellspring %s --help", f.name())
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: "); ok {
		return ws.Errorf(ws.Invalid, "", ws.T("there is no flag %s", "没有选项 %s", name)).WithHint(hint)
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: "); ok {
		return ws.Errorf(ws.Invalid, "", ws.T("the flag %s wants a value", "选项 %s 需要一个值", name)).WithHint(hint)
	}
	return ws.Errorf(ws.Invalid, "", ws.T("the command line cannot be read", "无法读取命令行")).WithHint(hint).Wrap(err)
}

// parseMixed is parse where names and files may stand before the flags, or
// among them; package flag wants them last.
func (f *flagSet) parseMixed(args []string) error {
	var options, rest []string
	for i := 0; i < len(args); i++ {
		name, _, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if len(args[i]) < 2 || args[i][0] != '-' {
			rest = append(rest, args[i])
			continue
		}
		options = append(options, args[i])
		if known := f.Lookup(name); known != nil && !given && !isBool(known) && i+1 < len(args) {
			i++
			options = append(options, args[i])
		}
	}
	return f.parse(append(options, rest...))
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// name is the command without what follows it.
func (f *flagSet) name() string {
	var words []string
	for _, w := range strings.Fields(f.synopsis) {
		if strings.ToLower(w) != w || strings.ContainsAny(w[:1], "[-") {
			break
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func (f *flagSet) help() {
	f.c.say(ws.T("Usage: wellspring %s", "用法：wellspring %s", f.synopsis))
	for _, h := range append(f.about, common...) {
		fmt.Fprintf(f.c.out, "  %-28s %s\n", h.flag, h.text.In(f.c.lang))
	}
}

// common are the flags of every command.
var common = []flagHelp{
	{"--lang en|zh", ws.T("the language of messages; that of LANG otherwise", "消息所用语言；默认依 LANG")},
	{"--json", ws.T("for programs: the answer on stdout, progress and a failure on stderr, each a line of JSON", "供程序使用：stdout 给出结果，stderr 给出进度与错误，均为一行 JSON")},
}
