package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// begin NAME PATTERN ARGS...: a process without a console, what it prints in
// NAME.log; waits until that matches.
func begin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("begin NAME PATTERN ARGS...")
	}
	p := &process{args: args[2:], log: ts.MkAbs(args[0] + ".log")}
	p.cmd = program(ts, p.args)
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	ts.Check(p.cmd.Start())
	log.Close()
	nodes.Store(nodeName(ts, args[0]), p)
	ts.Defer(func() {
		if _, ok := nodes.Load(nodeName(ts, args[0])); ok {
			p.cmd.Process.Kill()
		}
	})
	says(ts, false, args[:2])
}

// says NAME PATTERN: waits until what a process printed matches.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("says NAME PATTERN")
	}
	wanted := regexp.MustCompile(args[1])
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if wanted.MatchString(ts.ReadFile(args[0] + ".log")) {
			return
		}
	}
	ts.Fatalf("%s does not say %s: %s", args[0], args[1], ts.ReadFile(args[0]+".log"))
}

// carry EVERY FROM TO...: files are carried from one folder to the next until the
// script ends, as a gate or a person with a disk does.
func carry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("carry EVERY FROM TO...")
	}
	every, err := time.ParseDuration(args[0])
	ts.Check(err)
	var ways []string
	for _, a := range args[1:] {
		ts.Check(os.MkdirAll(ts.MkAbs(a), 0o700))
		ways = append(ways, ts.MkAbs(a))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-time.After(every):
			case <-stop:
				return
			}
			for i := 0; i < len(ways); i += 2 {
				files, _ := filepath.Glob(filepath.Join(ways[i], "*.frame"))
				for _, f := range files {
					_ = os.Rename(f, filepath.Join(ways[i+1], filepath.Base(f))) // one that fails is carried the next time
				}
			}
		}
	}()
	ts.Defer(func() { close(stop); <-stopped })
}

// offline NAME: no socket of the process is one of the network; "! offline"
// wants one, which shows that the command would see it.
func offline(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("offline NAME")
	}
	proc := fmt.Sprintf("/proc/%d/", running(ts, args[0]).cmd.Process.Pid)
	open := map[string]bool{}
	files, err := os.ReadDir(proc + "fd")
	ts.Check(err)
	for _, f := range files {
		to, _ := os.Readlink(proc + "fd/" + f.Name())
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			open[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var found []string
	for _, kind := range []string{"tcp", "tcp6", "udp", "udp6"} {
		b, err := os.ReadFile(proc + "net/" + kind)
		if os.IsNotExist(err) {
			continue // a kernel without IPv6
		}
		ts.Check(err)
		for line := range strings.Lines(string(b)) {
			if w := strings.Fields(line); len(w) > 9 && open[w[9]] { // sl local remote st queues tr retrnsmt uid timeout inode
				found = append(found, kind+" "+w[1]+" "+w[2])
			}
		}
	}
	if neg != (len(found) > 0) {
		ts.Fatalf("%s has %d sockets, of the network: %v", args[0], len(open), found)
	}
}
