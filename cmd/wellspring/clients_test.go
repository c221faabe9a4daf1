package main

import (
	"slices"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// hold NODE: its process stands still, as on a machine that hangs; ! hold NODE lets it go on.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("hold NODE")
	}
	signal := syscall.SIGSTOP
	if neg {
		signal = syscall.SIGCONT
	}
	ts.Check(running(ts, args[0]).cmd.Process.Signal(signal))
}

// everywhere ARGS...: the program with ARGS at every hospital of the clients' network.
func everywhere(ts *testscript.TestScript, neg bool, args []string) {
	for _, site := range []string{"ohio", "alfred", "vincent", "hahnemann"} {
		cmd := program(ts, slices.Concat(args, []string{"--dir", site}))
		if out, err := cmd.CombinedOutput(); err != nil || neg {
			ts.Fatalf("%s at %s: %v: %s", strings.Join(args, " "), site, err, out)
		}
	}
}
