// Package elsewhere runs a test of a package as it is built for other
// processors, for what must have the same bits on all of them.
//
// Call [Run] from a test of the package. It costs a build a processor, and the
// test itself under emulation: keep that small.
package elsewhere

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// patience bounds one build, and one run of the test.
const patience = 5 * time.Minute

// A processor is what a test is built for, and what runs it on another.
type processor struct{ name, arch, env, emulator string }

// arm64 has fused multiply-add throughout; amd64 has it from v3 on.
var processors = []processor{
	{"arm64", "arm64", "GOARM64=v8.0", "qemu-aarch64"},
	{"amd64-v1", "amd64", "GOAMD64=v1", "qemu-x86_64"},
	{"amd64-v3", "amd64", "GOAMD64=v3", "qemu-x86_64"},
}

// Run runs the test of that name, and nothing else, of the package in the
// working directory, built without cgo for arm64 and for amd64 without and
// with fused multiply-add. Where a processor is neither there nor emulated it
// skips, but fails in continuous integration, that is where CI is set.
func Run(t *testing.T, test string) {
	if testing.Short() {
		t.Skip("cross-compiles")
	}
	for _, p := range processors {
		t.Run(p.name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				missing(t, p)
			}
			var with []string
			if runtime.GOARCH != p.arch {
				if _, err := exec.LookPath(p.emulator); err != nil {
					missing(t, p)
				}
				with = []string{p.emulator}
			}
			p.run(t, test, with)
		})
	}
}

func missing(t *testing.T, p processor) {
	t.Helper()
	say := t.Skipf
	if os.Getenv("CI") != "" {
		say = t.Fatalf
	}
	say("linux/%s cannot run here, so it is not checked: %s is missing (Debian package qemu-user)", p.arch, p.emulator)
}

func (p processor) run(t *testing.T, test string, with []string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	bin := filepath.Join(t.TempDir(), "elsewhere.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", bin, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+p.arch, "CGO_ENABLED=0", "GOFLAGS=", p.env)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	args := append(with, bin, "-test.run=^"+test+"$", "-test.v", "-test.timeout="+patience.String())
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if bytes.Contains(out, []byte("This program can only be run on")) {
		t.Skipf("this processor cannot run %s", p.env)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+test+" ")) {
		t.Errorf("%s: %v\n%s", p.env, err, out)
	}
}
