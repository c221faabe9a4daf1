package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	ws "wellspring"
)

// python: sets PYTHON to one that has what the Python client's tests need, and puts
// the client where that finds it, as pip installs it. What it needs comes from
// package indexes, so it gets this process's environment, not the script's.
func python(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("python")
	}
	source := filepath.Join(ts.Getenv("CLIENTS"), "python")
	var said strings.Builder
	find := exec.Command(filepath.Join(source, "tests", "venv"))
	find.Stderr = &said
	found, err := find.Output()
	if err != nil {
		ts.Fatalf("%s: %v: %s", find.Path, err, said.String())
	}
	path := strings.TrimSpace(string(found))
	ts.Setenv("PYTHON", path)
	ts.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	ts.Setenv("PYTHONPATH", ts.MkAbs("installed")+":"+filepath.Join(source, "tests"))
	copied := ts.MkAbs("source") // a build writes beside what it builds
	ts.Check(os.CopyFS(copied, os.DirFS(source)))
	install := exec.Command(path, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", ts.MkAbs("installed"), copied)
	install.Dir = ts.MkAbs(".")
	if out, err := install.CombinedOutput(); err != nil {
		ts.Fatalf("pip: %v: %s", err, out)
	}
}

const clientsReadme = "../../clients/README.md"

func TestClientsReadme(t *testing.T) {
	runsAll(t, clientsReadme, inChinese(clientsReadme), "clients.txtar", "snippet", 8)
}

// A client is packed with the program, and has its version.
func TestClientsVersion(t *testing.T) {
	b, err := os.ReadFile("../../clients/python/pyproject.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\nversion = \""+string(ws.Version)+"\"\n") {
		t.Errorf("pyproject.toml does not say version %s", ws.Version)
	}
}

// snippet LANGUAGE LABEL: runs a block of the clients' README as it is written, in the
// script's folder; ! snippet wants it to fail.
func snippet(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("snippet LANGUAGE LABEL")
	}
	blocks, err := blocksOf(clientsReadme)
	ts.Check(err)
	at := slices.IndexFunc(blocks, func(b block) bool { return b.info == args[0]+" run="+args[1] })
	interpreter := map[string]string{"r": "Rscript", "python": ts.Getenv("PYTHON")}[args[0]]
	if at < 0 || interpreter == "" {
		ts.Fatalf("the README has no block %s that could be run", args)
	}
	file := ts.MkAbs("block-" + args[1] + "." + args[0])
	ts.Check(os.WriteFile(file, []byte(blocks[at].text), 0o600))
	if err := ts.Exec(interpreter, file); (err != nil) != neg {
		ts.Fatalf("block %s: %v", args, err)
	}
}

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
