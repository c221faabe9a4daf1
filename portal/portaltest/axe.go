package portaltest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The release of axe-core, and the SHA-256 of its script.
const (
	axeVersion = "4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
	axeName    = "package/axe.min.js" // in its archive
	maxAxe     = 4 << 20              // bytes
)

// lacking skips a test for what the machine has not, or fails it where everything
// is to be tried.
func lacking(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("WELLSPRING_SHARED") != "" {
		t.Fatalf("%s is missing, and WELLSPRING_SHARED is set: %v", what, err)
	}
	t.Skipf("%s is missing: %v", what, err)
}

// axe gives axe-core's script: from the user's cache, or by npm into it.
func axe(t *testing.T) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	path := filepath.Join(dir, "wellspring", "axe-core-"+axeVersion+".min.js")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = fetchAxe(t.TempDir()); err != nil {
			lacking(t, "axe-core "+axeVersion, err)
		}
		err = keep(path, b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != axeSum {
		t.Fatalf("%s is not axe-core %s: delete it, and it is fetched again", path, axeVersion)
	}
	return string(b)
}

// keep writes a file whole, since tests of several packages run at one time.
func keep(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "axe-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}

// fetchAxe has npm fetch the package into an empty folder, and takes the script out of it.
func fetchAxe(dir string) ([]byte, error) {
	cmd := exec.Command("npm", "pack", "axe-core@"+axeVersion, "--silent")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w: %s", err, bytes.TrimSpace(out))
	}
	f, err := os.Open(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err != nil {
			return nil, fmt.Errorf("%s in the archive of axe-core: %w", axeName, err)
		}
		if h.Name == axeName {
			return io.ReadAll(io.LimitReader(in, maxAxe))
		}
	}
}
