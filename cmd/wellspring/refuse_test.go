package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// code N ARGS...: wellspring ends with exit code N; its output can be matched.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("code N ARGS...")
	}
	out, errOut := exits(ts, args[0], append([]string{"--lang", "en"}, args[1:]...))
	ts.Stdout().Write([]byte(out))
	ts.Stderr().Write([]byte(errOut))
}

// exits runs the program within this process and wants its exit code.
func exits(ts *testscript.TestScript, want string, args []string) (out, errOut string) {
	var o, e strings.Builder
	got := run(context.Background(), absolute(ts, args), &o, &e)
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s: %s", got, want, e.String())
	}
	for _, bad := range []string{"panic", "%!", "goroutine"} {
		if strings.Contains(e.String(), bad) {
			ts.Fatalf("stderr holds %q: %s", bad, e.String())
		}
	}
	return o.String(), e.String()
}

// absolute makes the files among the arguments those of the script.
func absolute(ts *testscript.TestScript, args []string) []string {
	var out []string
	for _, a := range args {
		name, path, given := strings.Cut(a, "=")
		if !given {
			name, path = "", a
		}
		if strings.Contains(path, ".") && !strings.HasPrefix(path, "-") {
			path = ts.MkAbs(path)
		}
		if given {
			path = name + "=" + path
		}
		out = append(out, path)
	}
	return out
}

// refuse N ARGS...: wellspring refuses with exit code N, one message and one
// hint in each language, the same as JSON on the last line, and makes no file
// of --out. Both messages and hints, a line each, can then be matched.
func refuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("refuse N ARGS...")
	}
	var all []string
	for lang, lead := range map[string]string{"en": "what to do: ", "zh": "建议："} {
		all = append(all, refusedIn(ts, lang, lead, args[0], args[1:])...)
	}
	ts.Stderr().Write([]byte(strings.Join(all, "\n") + "\n"))
}

// refusedIn is refuse in one language, whose hints begin with lead; it returns
// the lines of message and hint.
func refusedIn(ts *testscript.TestScript, lang, lead, code string, args []string) []string {
	dir := ts.MkAbs("refused")
	ts.Check(os.MkdirAll(dir, 0o755))
	args = append(slices.Clone(args), "--lang", lang, "--json")
	if args[0] == "simulate" {
		args = append(args, "--out", filepath.Join(dir, "o.json"))
	}
	out, errOut := exits(ts, code, args)
	lines := strings.Split(strings.TrimSuffix(errOut, "\n"), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"progress":`) })
	if out != "" || len(lines) != 3 {
		ts.Fatalf("want nothing on stdout, and message, hint and JSON on stderr: %s%s", out, errOut)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		ts.Fatalf("in the folder of --out is %v, %v", left, err)
	}
	var doc struct {
		Error struct {
			Message, Hint map[string]string
		}
	}
	ts.Check(json.Unmarshal([]byte(lines[2]), &doc))
	for l, hint := range doc.Error.Hint {
		if doc.Error.Message[l] == "" || hint == "" || strings.ContainsFunc(hint, han) != (l == "zh") {
			ts.Fatalf("message or hint is not in %s: %s", l, lines[2])
		}
	}
	if lines[0] != "wellspring: "+doc.Error.Message[lang] || lines[1] != lead+doc.Error.Hint[lang] || !strings.ContainsFunc(doc.Error.Message["zh"], han) {
		ts.Fatalf("stderr and its JSON differ: %s", errOut)
	}
	return lines[:2]
}

func han(r rune) bool { return unicode.Is(unicode.Han, r) }

// recode FROM TO HOW: a copy of a file with a byte order mark, with CRLF, in
// GB18030, with a NUL byte at its end, or in UTF-32, which no reader takes.
func recode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("recode FROM TO HOW")
	}
	s := ts.ReadFile(args[0])
	var err error
	switch args[2] {
	case "bom":
		s = "\uFEFF" + s
	case "crlf":
		s = strings.ReplaceAll(s, "\n", "\r\n")
	case "gb18030":
		s, err = simplifiedchinese.GB18030.NewEncoder().String(s)
	case "nul":
		s = strings.TrimSuffix(s, "\n") + "\x00\n"
	case "latin1":
		s = strings.ReplaceAll(s, "é", "\xE9")
	case "xlsx":
		s = "PK\x03\x04" + s
	default:
		ts.Fatalf("there is no way %q", args[2])
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(s), 0o644))
}

// interrupt ARGS...: wellspring, as a process of its own, gets SIGINT once it
// has made its temporary folder; it must end with 130 and leave nothing there.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	program, err := exec.LookPath("wellspring")
	ts.Check(err)
	tmp := ts.Getenv("TMPDIR")
	cmd := exec.Command(program, absolute(ts, args)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "LANG=en_GB.UTF-8", "LC_ALL=")
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	ts.Check(cmd.Start())
	for range 10_000 {
		if made, _ := filepath.Glob(filepath.Join(tmp, "wellspring-*", "*")); len(made) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		ts.Fatalf("exit code %d, want 130: %s", code, errOut.String())
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "wellspring-*")); len(left) > 0 {
		ts.Fatalf("left behind: %v", left)
	}
	ts.Stdout().Write([]byte(out.String()))
	ts.Stderr().Write([]byte(errOut.String()))
}
