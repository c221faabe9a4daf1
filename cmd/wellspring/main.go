// Command wellspring lets hospitals answer one question together, exactly and
// masked, while every hospital keeps its records.
//
//	wellspring demo --once        four real hospitals, three studies, answers as tables
//	wellspring simulate ...       a study on your own files, each file a site
//	wellspring study new|check|dictionary|schema
//	wellspring hub init|admit|run|console|requester
//	wellspring site init|join|run|load|dataset|peers|pin|studies|console|approve|refuse|withdraw|requester
//	wellspring study key|submit|run|result|show|stop
//	wellspring ledger show|export|verify
//	wellspring attack             the published attacks, against a simulated network or a running one
//	wellspring backup|restore     a node's folder in one encrypted file, and back
//	wellspring version
//
// Every command takes --lang en|zh (by default that of LANG) and --json, for
// programs: answers of simulate and study stand on stdout as one line of JSON,
// and stderr has lines {"progress": {...}}, then {"computed": {...}} and {"receipt": {...}} of a run
// on a network, or, as its last line, {"error": {...}}. The exit code tells
// the kind: 0 ok, 1 other, 2 invalid, 3 denied, 4 withheld, 5 unreachable,
// 6 diverged, 130 stopped.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	ws "wellspring"
)

// A console is where a command talks to its user.
type console struct {
	out, err io.Writer
	lang     ws.Lang
	json     bool
	logged   bool // the failure stands in a log of objects, among which no other line may come
}

// say prints one line of text to the user.
func (c *console) say(t ws.Text) { fmt.Fprintln(c.out, t.In(c.lang)) }

// event writes one event to stderr, as a line of JSON.
func (c *console) event(name string, v any) {
	if b, err := json.Marshal(map[string]any{name: v}); err == nil {
		fmt.Fprintln(c.err, string(b))
	}
}

// A command parses its own flags, in the file named after it.
type command struct {
	run   func(ctx context.Context, args []string, c *console) error
	about ws.Text
}

var commands = map[string]command{
	"hub":      {runHub, ws.T("found a network, admit hospitals, run its hub", "建立网络、接纳医院、运行枢纽")},
	"site":     {runSite, ws.T("a hospital's node: join, load data, decide, run", "医院节点：加入网络、载入数据、作出决定、运行")},
	"demo":     {runDemo, ws.T("four real hospitals answer three studies", "四家真实医院共同回答三项研究")},
	"simulate": {runSimulate, ws.T("rehearse a study on your own files, each file a site", "用自己的文件演练一项研究，每个文件为一个站点")},
	"attack":   {runAttack, ws.T("the published attacks on answers, with the guard off and on", "针对结果的已发表攻击，防护关闭与开启各一遍")},
	"ledger":   {runLedger, ws.T("show, export and verify a ledger", "查看、导出并验证账本")},
	"backup":   {runBackup, ws.T("a node's folder in one encrypted file, also while it runs", "将节点文件夹备份为一个加密文件，节点运行时亦可")},
	"restore":  {runRestore, ws.T("a node's folder out of a backup", "由备份恢复节点文件夹")},
	"study":    {runStudy, ws.T("draft and check study files; submit and run studies on a network", "起草与检查研究文件；在网络上提交并运行研究")},
	"version":  {runVersion, ws.T("print the program's version", "显示程序版本")},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of Write, so that temporary folders are removed
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but for signals and the exit; it returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	c := &console{out: out, err: errOut, lang: ws.LangOf(locale())}
	args, err := c.common(args)
	if err == nil {
		err = dispatch(ctx, args, c)
	}
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case ctx.Err() != nil && ws.KindOf(err) == ws.Other:
		err = ws.Errorf(ws.Stopped, "", ws.T("stopped", "已停止")).Wrap(err)
	}
	c.fail(err)
	return ws.KindOf(err).ExitCode()
}

func locale() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// common takes the flags that every command has, wherever they stand.
func (c *console) common(args []string) ([]string, error) {
	var rest []string
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(args[i], "=")
		switch strings.TrimLeft(name, "-") {
		case "json":
			if name == args[i] && strings.HasPrefix(name, "-") {
				c.json = true
				continue
			}
		case "lang":
			if !strings.HasPrefix(name, "-") {
				break
			}
			if !given && i+1 < len(args) {
				i++
				value = args[i]
			}
			if value != string(ws.English) && value != string(ws.Chinese) {
				return nil, usage(ws.T("--lang is en or zh", "--lang 须为 en 或 zh"))
			}
			c.lang = ws.Lang(value)
			continue
		}
		rest = append(rest, args[i])
	}
	return rest, nil
}

func dispatch(ctx context.Context, args []string, c *console) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		printUsage(c)
		return nil
	}
	cmd, ok := commands[strings.TrimPrefix(args[0], "--")]
	if !ok {
		return usage(ws.T("there is no command %q", "没有名为 %q 的命令", args[0]))
	}
	return cmd.run(ctx, args[1:], c)
}

func printUsage(c *console) {
	c.say(ws.T("Wellspring: hospitals answer one question together, exactly and masked.\n\nCommands:", "泉源：多家医院共同回答一个问题，结果精确，数据加掩。\n\n命令："))
	for _, name := range []string{"demo", "simulate", "study", "hub", "site", "ledger", "attack", "backup", "restore", "version"} {
		fmt.Fprintf(c.out, "  wellspring %-9s %s\n", name, commands[name].about.In(c.lang))
	}
	c.say(ws.T("\nBegin with: wellspring demo --once", "\n建议先运行：wellspring demo --once"))
}

func runVersion(_ context.Context, _ []string, c *console) error {
	fmt.Fprintf(c.out, "wellspring %s\n", ws.Version)
	return nil
}

func usage(msg ws.Text) error {
	return ws.Errorf(ws.Invalid, "", msg).WithHint(ws.T("see: wellspring help", "参见：wellspring help"))
}

// fail tells the user what went wrong, where, and what to do.
func (c *console) fail(err error) {
	if !c.logged {
		fmt.Fprintln(c.err, "wellspring:", message(err, c.lang))
		if hint := ws.HintOf(err); !hint.IsZero() {
			fmt.Fprintln(c.err, ws.T("what to do: %s", "建议：%s", hint).In(c.lang))
		}
	}
	if !c.json {
		return
	}
	report := struct {
		Kind    string            `json:"kind"`
		Message map[string]string `json:"message"`
		Hint    *ws.Text          `json:"hint,omitempty"`
		At      string            `json:"at,omitempty"`
	}{Kind: ws.KindOf(err).String(), At: ws.PositionOf(err).String(),
		Message: map[string]string{"en": message(err, ws.English), "zh": message(err, ws.Chinese)}}
	if hint := ws.HintOf(err); !hint.IsZero() {
		report.Hint = &hint
	}
	c.event("error", report)
}

func message(err error, l ws.Lang) string {
	if ws.KindOf(err) == ws.Stopped {
		return ws.T("stopped", "已停止").In(l)
	}
	var e *ws.Error
	if errors.As(err, &e) {
		return e.In(l)
	}
	return ws.Explain(err).In(l)
}
