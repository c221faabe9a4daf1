package disk_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"wellspring/disk"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// A file is replaced whole, with its mode, and nothing is left beside it.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for i, parts := range [][][]byte{{[]byte("a longer text")}, {[]byte("a"), []byte("b")}, nil} {
		mode := os.FileMode(0o600 + 0o44*(i%2))
		if err := disk.Write(path, mode, parts...); err != nil {
			t.Fatal(err)
		}
		var want string
		for _, p := range parts {
			want += string(p)
		}
		got, err := os.ReadFile(path)
		info, bad := os.Stat(path)
		if err != nil || bad != nil || string(got) != want || info.Mode().Perm() != mode {
			t.Errorf("%q, mode %v, %v, %v; want %q, %v", got, info.Mode(), err, bad, want, mode)
		}
	}
	if err := disk.WriteLoose(path, 0o600, []byte("loose")); err != nil {
		t.Fatal(err)
	}
	if all := names(t, dir); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
}

// Whoever fails in the middle leaves the former file, and nothing else.
func TestWriteWith_Fails(t *testing.T) {
	dir := t.TempDir()
	path, full := filepath.Join(dir, "file"), errors.New("full")
	if err := disk.Write(path, 0o600, []byte("former")); err != nil {
		t.Fatal(err)
	}
	err := disk.WriteWith(path, 0o600, func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		return errors.Join(err, full)
	})
	if got, _ := os.ReadFile(path); !errors.Is(err, full) || string(got) != "former" || len(names(t, dir)) != 1 {
		t.Errorf("%v, %q, %v", err, got, names(t, dir))
	}
	if err := disk.Write(filepath.Join(dir, "none", "file"), 0o600); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
}

// Those who write at one time do not mix.
func TestWrite_Concurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var wg sync.WaitGroup
	for i := range byte(16) {
		wg.Go(func() {
			b := make([]byte, 1<<16)
			for j := range b {
				b[j] = 'a' + i
			}
			if err := disk.Write(path, 0o600, b); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 1<<16 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for _, c := range b {
		if c != b[0] {
			t.Fatal("two files were mixed")
		}
	}
}

func TestFree(t *testing.T) {
	free, size, err := disk.Free(t.TempDir())
	if err != nil || free == 0 || free > size {
		t.Errorf("%d of %d bytes are free, %v", free, size, err)
	}
	if _, _, err := disk.Free(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("the disk of no folder")
	}
}
