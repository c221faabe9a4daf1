package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	socket "wellspring/site/console"
)

// Nodes are the processes of a script by name; each script has its own.
var nodes sync.Map // of *process, by work folder and name

// A process is a node that runs for real.
type process struct {
	cmd  *exec.Cmd
	args []string
	log  string
}

// program makes a process of the program in the script's folder.
func program(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := exec.LookPath("wellspring")
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "LANG=en_GB.UTF-8", "LC_ALL=", "HOME="+ts.MkAbs("home"), "TMPDIR="+ts.Getenv("TMPDIR"), "HTTPS_PROXY="+ts.Getenv("HTTPS_PROXY"))
	return cmd
}

func nodeName(ts *testscript.TestScript, name string) string { return ts.MkAbs(name) }

func running(ts *testscript.TestScript, name string) *process {
	p, ok := nodes.Load(nodeName(ts, name))
	if !ok {
		ts.Fatalf("no node %s", name)
	}
	return p.(*process)
}

// serve NAME ARGS...: a node in a process of its own, its stderr in NAME.log, its stdout in NAME.out;
// waits until its console answers. The folder is the last argument.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("serve NAME ARGS...")
	}
	p := &process{args: args[1:], log: ts.MkAbs(args[0] + ".log")}
	start(ts, args[0], p)
	ts.Defer(func() {
		if p, ok := nodes.Load(nodeName(ts, args[0])); ok {
			p.(*process).cmd.Process.Kill() // a script that failed leaves nothing behind
		}
	})
}

func start(ts *testscript.TestScript, name string, p *process) {
	p.cmd = program(ts, p.args)
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	out, err := os.OpenFile(ts.MkAbs(name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	p.cmd.Stdout, p.cmd.Stderr = out, log
	ts.Check(p.cmd.Start())
	ts.Check(errors.Join(log.Close(), out.Close()))
	nodes.Store(nodeName(ts, name), p)
	desk := socket.Dial(ts.MkAbs(p.args[len(p.args)-1]))
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := desk.About(context.Background()); err == nil {
			return
		}
	}
	ts.Fatalf("%s does not answer: %s", name, ts.ReadFile(name+".log"))
}

// found SITE...: a hub and hospitals as processes of their own, each with SITE.csv
// frozen as heart, that have pinned each other; and me.key, a researcher of the
// centre. What network.txtar shows step by step, for scripts about what comes after.
func found(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("found SITE...")
	}
	do := func(words ...string) {
		if out, err := program(ts, words).CombinedOutput(); err != nil {
			ts.Fatalf("%s: %v: %s", strings.Join(words, " "), err, out)
		}
	}
	do("hub", "init", "--dir", "hub", "--name", "asia-heart", "--listen", "127.0.0.1:0")
	serve(ts, false, []string{"hub", "hub", "run", "--dir", "hub"})
	for _, site := range args {
		do("site", "init", "--dir", site, "--site", site, "--institution", "inst-"+site, "--network", "hub/network.json")
		do("hub", "admit", site+"/request.json", "--dir", "hub", "--out", site+".pass")
		do("site", "join", site+".pass", "--dir", site)
		do("site", "load", "heart", site+".csv", "--dir", site, "--dictionary", "dict.yaml")
		serve(ts, false, []string{site, "site", "run", "--dir", site})
		do("site", "dataset", "freeze", "heart", "--dir", site)
	}
	pinAll(ts, false, args)
	do("study", "key", "--network", "hub/network.json", "--out", "me.key")
	do("hub", "requester", "admit", "me.pub", "--dir", "hub")
}

// decide VERDICT STUDY SITE...: sites approve, refuse or withdraw.
func decide(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("decide VERDICT STUDY SITE...")
	}
	for _, site := range args[2:] {
		ends(ts, false, []string{"0", "site", args[0], args[1], "--dir", site})
	}
}

// field FILE NAME VARIABLE: takes a text out of a JSON file.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("field FILE NAME VARIABLE")
	}
	v, ok := at(decode(ts, args[0]), []string{args[1]}).(string)
	if !ok {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Setenv(args[2], v)
}

// alter FILE FIELD OTHER OUT: the file, with the field of another.
func alter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("alter FILE FIELD OTHER OUT")
	}
	all := decode(ts, args[0]).(map[string]any)
	all[args[1]] = at(decode(ts, args[2]), args[1:2])
	b, err := json.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), b, 0o600))
}

// gone NAME CODE: a node ends by itself, with this code.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("gone NAME CODE")
	}
	p := running(ts, args[0])
	late := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	p.cmd.Wait()
	nodes.Delete(nodeName(ts, args[0]))
	if code := strconv.Itoa(p.cmd.ProcessState.ExitCode()); code != args[1] {
		ts.Fatalf("%s ended with code %s: %s", args[0], code, ts.ReadFile(args[0]+".log"))
	}
}

// halt NAME...: nodes are asked to stop as by Ctrl-C, and end by themselves with code 0.
func halt(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Check(running(ts, name).cmd.Process.Signal(syscall.SIGINT))
	}
	for _, name := range args {
		p := running(ts, name)
		late := time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() })
		p.cmd.Wait()
		late.Stop()
		nodes.Delete(nodeName(ts, name))
		log := ts.ReadFile(name + ".log")
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			ts.Fatalf("%s ended with code %d: %s", name, code, log)
		}
		for _, bad := range []string{"panic", "%!", "goroutine"} {
			if strings.Contains(log, bad) {
				ts.Fatalf("%s's log holds %q: %s", name, bad, log)
			}
		}
	}
}

// crash is kill -9.
func crash(ts *testscript.TestScript, name string) *process {
	p := running(ts, name)
	ts.Check(p.cmd.Process.Kill())
	p.cmd.Wait()
	return p
}

// ends N ARGS...: the program, as a process in the script's folder, ends with code N.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("ends N ARGS...")
	}
	cmd := program(ts, args[1:])
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Run()
	if code := strconv.Itoa(cmd.ProcessState.ExitCode()); code != args[0] {
		ts.Fatalf("exit code %s, want %s: %s", code, args[0], errOut.String())
	}
	heard(ts, args[0], args[1:], out.String()+errOut.String())
	ts.Stdout().Write([]byte(out.String()))
	ts.Stderr().Write([]byte(errOut.String()))
}

// reborn is a node that is backed up while it runs, ends by kill -9, loses its folder,
// and comes back from the backup.
func reborn(ts *testscript.TestScript, name string) {
	p := running(ts, name)
	dir, file := p.args[len(p.args)-1], name+".backup"
	_ = os.Remove(ts.MkAbs(file))
	do := func(args ...string) {
		if out, err := program(ts, args).CombinedOutput(); err != nil {
			ts.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	do("backup", "--dir", dir, "--out", file, "--recipient", ts.Getenv("RECIPIENT"))
	crash(ts, name)
	ts.Check(os.RemoveAll(ts.MkAbs(dir)))
	do("restore", file, "--dir", dir, "--identity", "me.age")
	ts.Check(running(ts, "hub").cmd.Process.Signal(syscall.SIGCONT)) // it may have been held
	start(ts, name, p)
}

// midway N ROUND DEED NODE ARGS...: while "study run" with ARGS is in a
// round, NODE is killed and comes back (bounce), the folders being searched meanwhile (search), does not come back (fall), comes back from a backup while the hub is held (reborn), or is held (freeze) while the
// asker presses Ctrl-C; the asker ends with code N. With bounce-hub the run's
// id is left in the file run.
func midway(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("midway N ROUND DEED NODE ARGS...")
	}
	want, round, deed, node := args[0], args[1], args[2], args[3]
	cmd := program(ts, args[4:])
	pipe, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	late := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	said, done := untilRound(ts, pipe, "round "+round+",")
	if done {
		cmd.Wait()
		ts.Fatalf("the run never came to round %s: %s", round, said)
	}
	p := running(ts, node)
	if deed == "reborn" { // the run waits until the node is lost
		ts.Check(running(ts, "hub").cmd.Process.Signal(syscall.SIGSTOP))
	}
	if deed == "freeze" {
		ts.Check(p.cmd.Process.Signal(syscall.SIGSTOP))
		ts.Check(cmd.Process.Signal(syscall.SIGINT))
	} else if deed != "reborn" {
		crash(ts, node)
	}
	rest := make(chan string, 1)
	go func() { b, _ := io.ReadAll(pipe); rest <- string(b) }()
	if deed == "search" {
		search(ts, false, strings.Fields(ts.Getenv("SITES")))
	}
	if deed == "bounce" || deed == "search" {
		select {
		case more := <-rest:
			ts.Fatalf("the run went on without %s: %s%s", node, said, more)
		case <-time.After(300 * time.Millisecond):
		}
	}
	if deed == "freeze" {
		said += <-rest
		ts.Check(p.cmd.Process.Signal(syscall.SIGCONT))
	} else {
		switch deed {
		case "fall":
		case "reborn":
			reborn(ts, node)
		default:
			start(ts, node, p)
		}
		said += <-rest
	}
	cmd.Wait()
	if code := strconv.Itoa(cmd.ProcessState.ExitCode()); code != want {
		ts.Fatalf("exit code %s, want %s: %s\n%s: %s", code, want, said, node, ts.ReadFile(node+".log"))
	}
	if m := regexp.MustCompile(`(?m)^run ([0-9a-f]{32})$`).FindStringSubmatch(said); m != nil {
		ts.Setenv("RUN", m[1])
		ts.Setenv("RUN8", m[1][:8]) // as ledger show names it
	}
	heard(ts, want, args[4:], said)
	ts.Stderr().Write([]byte(said))
}

// untilRound reads lines until one begins with what; done when there are no more.
func untilRound(ts *testscript.TestScript, in io.Reader, what string) (said string, done bool) {
	b := bufio.NewReaderSize(in, 1) // what follows stays in the pipe, but for a few bytes
	for {
		line, err := b.ReadString('\n')
		said += line
		if err != nil {
			return said, true
		}
		if strings.HasPrefix(line, what) {
			return said, false
		}
	}
}

// pinall SITE...: each site pins the others, whose fingerprints it finds at the
// ledger here; in a hospital people compare them by telephone.
func pinAll(ts *testscript.TestScript, neg bool, args []string) {
	form := regexp.MustCompile(`(?m)^(\S+)  .*\n  ([0-9a-f-]{79})$`)
	for _, site := range args {
		out, err := program(ts, []string{"site", "peers", "--dir", site}).Output()
		ts.Check(err)
		found := form.FindAllStringSubmatch(string(out), -1)
		if len(found) != len(args)-1 {
			ts.Fatalf("%s has %d peers: %s", site, len(found), out)
		}
		for _, m := range found {
			if !slices.Contains(args, m[1]) {
				ts.Fatalf("peer %s", m[1])
			}
			ts.Check(program(ts, []string{"site", "pin", m[1], strings.ToUpper(m[2]), "--dir", site}).Run())
		}
	}
}

// private FOLDER...: nobody but its owner reads a node's folder, and its keys.
func private(ts *testscript.TestScript, neg bool, args []string) {
	for _, dir := range args {
		for path, want := range map[string]os.FileMode{".": 0o700, nodeKey: 0o600, institutionKey: 0o600} {
			info, err := os.Stat(filepath.Join(ts.MkAbs(dir), path))
			ts.Check(err)
			if info.Mode().Perm() != want {
				ts.Fatalf("%s/%s has mode %v", dir, path, info.Mode())
			}
		}
	}
}

// fetch NAME PATH: what a node answers to its operator, at the address that its log said last;
// "! fetch" wants it to be unavailable.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("fetch NAME PATH")
	}
	found := regexp.MustCompile(`metrics at http://(\S+)/metrics|"metrics_served","address":"([^"]+)"`).FindAllStringSubmatch(ts.ReadFile(args[0]+".log"), -1)
	if found == nil {
		ts.Fatalf("%s says no address: %s", args[0], ts.ReadFile(args[0]+".log"))
	}
	at := found[len(found)-1]
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get("http://" + at[1] + at[2] + args[1])
	ts.Check(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	ts.Check(err)
	if want := map[bool]int{false: http.StatusOK, true: http.StatusServiceUnavailable}[neg]; r.StatusCode != want {
		ts.Fatalf("%s: %s, want %d: %s", args[1], r.Status, want, b)
	}
	seen(ts, strings.Join(args, " "), string(b))
	ts.Stdout().Write(b)
}
