// Package release_test holds the release's scripts and units to what they say.
package release_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// run runs a command and returns all that it printed, and its error.
func run(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is run where nothing may go wrong.
func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := run(dir, nil, name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
	return out
}

// absolute is a script of this folder.
func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A release of one archive, and throw-away keys of its maintainers.
type signed struct{ dir, keys, signers string }

func newSigned(t *testing.T) signed {
	s := signed{dir: t.TempDir(), keys: t.TempDir()}
	s.signers = filepath.Join(s.keys, "allowed_signers")
	write(t, filepath.Join(s.dir, "wellspring-0.0.0-linux-amd64.tar.gz"), "an archive")
	write(t, filepath.Join(s.dir, "SHA256SUMS"), must(t, s.dir, "sha256sum", "wellspring-0.0.0-linux-amd64.tar.gz"))
	var allowed strings.Builder
	for _, name := range []string{"ann", "bo", "stranger"} {
		must(t, s.keys, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name)
		if name != "stranger" {
			allowed.WriteString(s.line(t, name, name))
		}
	}
	write(t, s.signers, allowed.String())
	return s
}

// line allows a key under a name.
func (s signed) line(t *testing.T, name, key string) string {
	b, err := os.ReadFile(filepath.Join(s.keys, key+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	return name + ` namespaces="wellspring-release" ` + string(b)
}

func (s signed) sign(t *testing.T, name, key string) {
	t.Helper()
	must(t, s.keys, absolute(t, "sign"), s.dir, name, filepath.Join(s.keys, key))
}

// Two maintainers sign with two keys; nothing less will do.
func TestVerify(t *testing.T) {
	archive := func(s signed) string { return filepath.Join(s.dir, "wellspring-0.0.0-linux-amd64.tar.gz") }
	for _, c := range []struct {
		name, want string // what the refusal says; "" where it holds
		deed       func(t *testing.T, s signed)
	}{
		{"two", "", func(t *testing.T, s signed) { s.sign(t, "ann", "ann"); s.sign(t, "bo", "bo") }},
		{"none", "no signature", func(t *testing.T, s signed) {}},
		{"one", "two maintainers", func(t *testing.T, s signed) { s.sign(t, "ann", "ann") }},
		{"the same key under two names", "two maintainers", func(t *testing.T, s signed) {
			write(t, s.signers, s.line(t, "ann", "ann")+s.line(t, "bo", "ann"))
			s.sign(t, "ann", "ann")
			s.sign(t, "bo", "ann")
		}},
		{"another's name", "does not hold", func(t *testing.T, s signed) { s.sign(t, "ann", "ann"); s.sign(t, "bo", "ann") }},
		{"a stranger", "does not hold", func(t *testing.T, s signed) { s.sign(t, "ann", "ann"); s.sign(t, "stranger", "stranger") }},
		{"signed for another purpose", "does not hold", func(t *testing.T, s signed) {
			s.sign(t, "ann", "ann")
			must(t, s.dir, "ssh-keygen", "-q", "-Y", "sign", "-f", filepath.Join(s.keys, "bo"), "-n", "file", "SHA256SUMS")
			if err := os.Rename(filepath.Join(s.dir, "SHA256SUMS.sig"), filepath.Join(s.dir, "SHA256SUMS.bo.sig")); err != nil {
				t.Fatal(err)
			}
		}},
		{"an altered archive", "was altered", func(t *testing.T, s signed) {
			s.sign(t, "ann", "ann")
			s.sign(t, "bo", "bo")
			write(t, archive(s), "an Archive")
		}},
		{"altered sums", "does not hold", func(t *testing.T, s signed) {
			s.sign(t, "ann", "ann")
			s.sign(t, "bo", "bo")
			write(t, archive(s), "an Archive")
			write(t, filepath.Join(s.dir, "SHA256SUMS"), must(t, s.dir, "sha256sum", filepath.Base(archive(s))))
		}},
		{"an archive beside", "not of this release", func(t *testing.T, s signed) {
			s.sign(t, "ann", "ann")
			s.sign(t, "bo", "bo")
			write(t, filepath.Join(s.dir, "wellspring-0.0.1-linux-amd64.tar.gz"), "an archive")
		}},
		{"no archive", "no archive", func(t *testing.T, s signed) {
			s.sign(t, "ann", "ann")
			s.sign(t, "bo", "bo")
			if err := os.Remove(archive(s)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSigned(t)
			c.deed(t, s)
			out, err := run(s.keys, nil, absolute(t, "verify"), s.dir, s.signers)
			if (err == nil) != (c.want == "") || !strings.Contains(out, c.want) {
				t.Errorf("want %q: %v: %s", c.want, err, out)
			}
		})
	}
}

// The keys that a release is verified by are in the tree; until there are two it
// verifies nothing.
func TestAllowedSigners(t *testing.T) {
	s := newSigned(t)
	s.sign(t, "ann", "ann")
	s.sign(t, "bo", "bo")
	if out, err := run(s.keys, nil, absolute(t, "verify"), s.dir); err == nil {
		t.Errorf("throw-away keys are allowed: %s", out)
	}
}

// exposure is the most that systemd-analyze may say of a unit, of 10.
var exposure = map[string]float64{
	"wellspring-hub.service": 1.2, "wellspring-site@north.service": 1.2,
	"wellspring-relay@north.service": 1.2, "wellspring-inner@north.service": 0.3,
}

// install makes a root with the units where an operator puts them.
func install(t *testing.T, hardened bool) string {
	root := t.TempDir()
	units := filepath.Join(root, "etc/systemd/system")
	write(t, filepath.Join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nwellspring:x:990:990::/:/bin/false\nwellspring-relay:x:991:991::/:/bin/false\n")
	write(t, filepath.Join(root, "etc/group"), "root:x:0:\nwellspring:x:990:\nwellspring-relay:x:991:\nwellspring-exchange:x:992:\n")
	for _, folder := range []string{units, filepath.Join(root, "usr/local/bin"), filepath.Join(root, "usr/lib/systemd")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must(t, root, "cp", "-r", "/usr/lib/systemd/system", "usr/lib/systemd/")
	must(t, ".", "install", "-m", "755", "/bin/true", filepath.Join(root, "usr/local/bin/wellspring"))
	files, err := filepath.Glob("systemd/*.service")
	if err != nil || len(files) != len(exposure) {
		t.Fatalf("%d units, want %d: %v", len(files), len(exposure), err)
	}
	must(t, ".", "cp", append(files, units)...)
	if hardened {
		must(t, ".", "cp", "-r", "systemd/wellspring-.service.d", units)
	}
	return root
}

// Units are sound, and as closed as is stated here.
func TestUnits(t *testing.T) {
	root, open := install(t, true), install(t, false)
	score := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	for unit, most := range exposure {
		if out := must(t, root, "systemd-analyze", "verify", "--root="+root, "--man=no", "--recursive-errors=yes", unit); out != "" {
			t.Errorf("%s: %s", unit, out)
		}
		limit := "--threshold=" + strconv.Itoa(int(most*10))
		out, err := run(root, nil, "systemd-analyze", "security", "--no-pager", "--offline=yes", limit, "--root="+root, unit)
		found := score.FindStringSubmatch(out)
		if err != nil || found == nil {
			t.Errorf("%s: %v: %s", unit, err, out)
			continue
		}
		t.Logf("%s: exposure %s, at most %.1f", unit, found[1], most)
		if out, err := run(root, nil, "systemd-analyze", "security", "--no-pager", "--offline=yes", limit, "--root="+open, unit); err == nil {
			t.Errorf("%s is as closed without its drop-in: the test looks at nothing: %s", unit, out)
		}
	}
}

// What a unit is for stands in it: nothing but the hub may bind a port, and the
// inner part has no network at all.
func TestUnitNetworks(t *testing.T) {
	for unit, want := range map[string][]string{
		"wellspring-site@.service":  {"SocketBindDeny=any", "UMask=0077", "User=wellspring"},
		"wellspring-relay@.service": {"SocketBindDeny=any", "User=wellspring-relay"},
		"wellspring-inner@.service": {"PrivateNetwork=yes", "IPAddressDeny=any", "RestrictAddressFamilies=AF_UNIX", "User=wellspring"},
		"wellspring-hub.service":    {"UMask=0077", "User=wellspring"},
	} {
		b, err := os.ReadFile("systemd/" + unit)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range append(want, "AssertPathExists=/etc/systemd/system/wellspring-.service.d/hardening.conf") {
			if !strings.Contains(string(b), "\n"+line+"\n") {
				t.Errorf("%s lacks %s", unit, line)
			}
		}
	}
}

// The same commit gives the same archive from two folders, with everything in it;
// a glibc that is not the stated one, and a library beside it, are refused. The
// executable is the host's: release/build makes those of a release.
func TestPack(t *testing.T) {
	work := t.TempDir()
	must(t, work, "mkdir", "lib")
	archive := strings.TrimSpace(must(t, work, "g++", "-print-file-name=libstdc++.a"))
	must(t, work, "ln", "-s", archive, "lib/libstdc++.a")
	static := filepath.Join(work, "wellspring")
	must(t, "..", "go", "build", "-buildvcs=false", "-ldflags=-s -w -linkmode=external -extldflags '-static-libgcc -L"+work+"/lib'", "-o", static, "./cmd/wellspring")
	stated := strings.TrimSpace(must(t, ".", "./floor", static))
	if out, err := run(".", nil, "./floor", static, "2.3"); err == nil || !strings.Contains(out, stated) {
		t.Errorf("glibc %s passes for 2.3: %s", stated, out)
	}
	if out, err := run(".", nil, "./floor", "/usr/bin/R", "2.99"); err == nil {
		t.Errorf("a script is no executable: %s", out)
	}
	if out, err := run(".", nil, "./floor", must(t, ".", "sh", "-c", "command -v apt-get | tr -d '\\n'"), "2.99"); err == nil || !strings.Contains(out, "libapt") {
		t.Errorf("a library that is not of glibc passes: %s", out)
	}
	var packed [2][]byte
	for i, folder := range []string{"here", "deeper/there"} {
		clone := filepath.Join(work, folder)
		must(t, "..", "git", "clone", "-q", ".", clone)
		name := strings.TrimSpace(must(t, clone, "release/pack", static, "amd64", stated, filepath.Join(clone, "dist")))
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		packed[i] = b
		if i == 0 {
			checkArchive(t, name)
		}
	}
	if !bytes.Equal(packed[0], packed[1]) {
		t.Error("two folders give two archives")
	}
	t.Logf("%d bytes, glibc %s", len(packed[0]), stated)
}

func checkArchive(t *testing.T, name string) {
	t.Helper()
	held := must(t, ".", "tar", "-tzf", name)
	top := strings.TrimSuffix(filepath.Base(name), ".tar.gz")
	for _, want := range []string{"wellspring", "LICENSE", "README.md", "RELEASE.txt", "modules.txt", "docs/README.md", "licences/go/LICENSE",
		"licences/demo-data/COPYING.GPL-3", "release/systemd/wellspring-site@.service", "release/systemd/wellspring-.service.d/hardening.conf", "release/verify",
		"clients/r/wellspring.R", "clients/python/pyproject.toml", "clients/python/src/wellspring/py.typed"} {
		if !strings.Contains(held, top+"/"+want+"\n") {
			t.Errorf("the archive lacks %s", want)
		}
	}
	modules := must(t, ".", "tar", "-xzOf", name, top+"/modules.txt")
	linked := 0
	for line := range strings.Lines(modules) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "dep" {
			linked++
			if !strings.Contains(held, top+"/licences/"+f[1]+"@"+f[2]+"/") {
				t.Errorf("no licence of %s", f[1])
			}
		}
	}
	if linked < 10 {
		t.Errorf("%d modules are listed", linked)
	}
}

// The offline bundle's folder holds all that a build wants, and nothing is asked of
// a network; release/offline --try builds the whole program.
func TestOffline(t *testing.T) {
	work := t.TempDir()
	folder := filepath.Join(work, "bundle")
	must(t, ".", "./offline", "--tree", folder)
	if out, err := run(".", nil, "./offline", "--tree", folder); err == nil {
		t.Errorf("a folder that is there is written to: %s", out)
	}
	must(t, folder, "sha256sum", "--check", "--quiet", "MANIFEST.sha256")
	listed := must(t, folder, "wc", "-l", "MANIFEST.sha256")
	for _, arch := range []string{"amd64", "arm64"} {
		module := strings.TrimSpace(must(t, "..", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/duckdb/duckdb-go-bindings/lib/linux-"+arch))
		libraries, err := filepath.Glob(filepath.Join(module, "*.a"))
		if err != nil || len(libraries) < 10 {
			t.Fatalf("%d libraries for %s: %v", len(libraries), arch, err)
		}
		for _, library := range libraries {
			must(t, folder, "cmp", library, filepath.Join("vendor/github.com/duckdb/duckdb-go-bindings/lib/linux-"+arch, filepath.Base(library)))
		}
		// Every package of the program and what it imports is found without a network and without a module cache.
		out, err := run(folder, []string{"GOARCH=" + arch, "CGO_ENABLED=1", "GOTOOLCHAIN=local", "GOPROXY=off", "GOFLAGS=-mod=vendor", "GOMODCACHE=" + filepath.Join(work, "none")},
			"unshare", "--map-root-user", "--net", "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/wellspring")
		if err != nil || !strings.Contains(out, "duckdb-go-bindings/lib/linux-"+arch+"\n") || strings.Count(out, "\n") < 50 {
			t.Errorf("%s: %v: %s", arch, err, out)
		}
	}
	must(t, folder, "rm", "vendor/github.com/duckdb/duckdb-go-bindings/alloc.go")
	if out, err := run(".", nil, "./offline", "--try", folder); err == nil || !strings.Contains(out, "alloc.go") {
		t.Errorf("a bundle that lacks a file is built: %v: %s", err, out)
	}
	t.Logf("files: %s", listed)
}
