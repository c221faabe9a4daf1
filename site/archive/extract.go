package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	ws "wellspring"
	"wellspring/disk"
)

// Bounds of an archive.
const (
	maxFiles    = 100_000
	maxManifest = 64 << 20 // bytes
)

// Extract unpacks an archive into dir, which is made or is empty, by keys of which one
// opens it. known says of a name whether it belongs into such a folder; about takes what
// Write was told of the whole, from a folder that is checked and not yet in its place, and may add to it
// or refuse it. On failure nothing is left.
func Extract(path string, keys []age.Identity, dir string, known func(name string) bool, about func(dir string, told json.RawMessage) error) (err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return ws.Errorf(ws.Denied, "", ws.T("the folder is not empty", "文件夹不为空")).Located(ws.Position{File: dir}).
			WithHint(ws.T("restore into a new folder; look what is in this one before you remove it", "请恢复到新文件夹；删除现有文件夹前请先查看其内容"))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return trouble(dir, err)
	}
	in, err := os.Open(path)
	if err != nil {
		return ws.Errorf(ws.Invalid, "", ws.T("the file cannot be read", "无法读取文件")).Located(ws.Position{File: path}).
			WithHint(ws.T("check its name and its owner", "请检查文件名与属主")).Wrap(err)
	}
	defer in.Close() // it was only read
	plain, err := open(path, in, keys)
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return trouble(dir, err)
	}
	tmp, err := os.MkdirTemp(parent, ".restore-*") // mode 0700
	if err != nil {
		return trouble(dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	x := &extraction{path: path, dir: tmp, known: known, got: map[string]listed{}}
	told, err := x.all(plain)
	if err == nil {
		err = about(tmp, told)
	}
	if err == nil {
		err = trouble(dir, errors.Join(syncDirs(tmp), place(tmp, dir)))
	}
	if err != nil {
		return err
	}
	return trouble(dir, disk.SyncDir(parent))
}

// place puts a folder where there is none, or an empty one.
func place(tmp, dir string) error {
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(tmp, dir)
}

// open gives what an archive holds, if one of the keys opens it.
func open(path string, in io.Reader, keys []age.Identity) (io.Reader, error) {
	plain, err := age.Decrypt(in, keys...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, ws.Errorf(ws.Denied, "", ws.T("the backup is encrypted for another key or passphrase", "备份是以另一密钥或口令加密的")).Located(ws.Position{File: path}).
			WithHint(ws.T("give the passphrase file, or the identity of the recipient, that it was made with", "请给出制作备份时所用的口令文件，或接收者对应的身份文件"))
	case err != nil:
		return nil, foreign(path)
	}
	return plain, nil
}

func foreign(path string) error {
	return ws.Errorf(ws.Invalid, "", ws.T("the file is no backup of this program, or was altered or cut", "该文件不是本程序的备份，或已被改动、截断")).Located(ws.Position{File: path}).
		WithHint(ws.T("take another copy of it; nothing was restored", "请改用另一份副本；未恢复任何内容"))
}

// An extraction unpacks one archive into a folder that is not yet in its place.
type extraction struct {
	path, dir string
	known     func(string) bool
	got       map[string]listed
	manifest  *manifest
}

// all unpacks every file and holds them to the manifest.
func (x *extraction) all(plain io.Reader) (json.RawMessage, error) {
	r := tar.NewReader(plain)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil || x.manifest != nil || h.Typeflag != tar.TypeReg || len(x.got) >= maxFiles {
			return nil, foreign(x.path)
		}
		if h.Name == manifestName {
			err = x.readManifest(r, h.Size)
		} else {
			err = x.file(r, h)
		}
		if err != nil {
			return nil, err
		}
	}
	// All that follows is read, since age tells only at the end whether the end is there.
	if n, err := io.Copy(io.Discard, plain); n > 0 || err != nil || x.manifest == nil || !x.complete() {
		return nil, foreign(x.path)
	}
	return x.manifest.About, nil
}

func (x *extraction) readManifest(r io.Reader, size int64) error {
	if size > maxManifest {
		return foreign(x.path)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return foreign(x.path)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	m := new(manifest)
	if d.Decode(m) != nil {
		return foreign(x.path)
	}
	if m.Form != form {
		return ws.Errorf(ws.Invalid, "", ws.T("the backup is of a form that this release does not know", "备份的格式为本版本所不识")).Located(ws.Position{File: x.path}).
			WithHint(ws.T("restore it with the release that made it, or a newer one", "请用制作备份的版本或更新的版本恢复"))
	}
	x.manifest = m
	return nil
}

// complete tells whether the files are those of the manifest.
func (x *extraction) complete() bool {
	for _, l := range x.manifest.Files {
		if x.got[l.Name] != l {
			return false
		}
	}
	return len(x.got) == len(x.manifest.Files)
}

// file unpacks one file, and syncs it.
func (x *extraction) file(r io.Reader, h *tar.Header) error {
	if _, twice := x.got[h.Name]; twice || !x.known(h.Name) || !fs.ValidPath(h.Name) || strings.Contains(h.Name, `\`) {
		return foreign(x.path)
	}
	to := filepath.Join(x.dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return trouble(x.dir, err)
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return trouble(x.dir, err)
	}
	hash := sha256.New()
	read := &reads{Reader: r}
	n, err := io.Copy(io.MultiWriter(f, hash), read)
	if read.failed {
		return errors.Join(foreign(x.path), f.Close())
	}
	if err := errors.Join(err, f.Sync(), f.Close(), os.Chtimes(to, h.ModTime, h.ModTime)); err != nil {
		return trouble(x.dir, err)
	}
	x.got[h.Name] = listed{h.Name, n, hex.EncodeToString(hash.Sum(nil))}
	return nil
}

// reads remembers that reading failed, as opposed to writing.
type reads struct {
	io.Reader
	failed bool
}

func (r *reads) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.failed = r.failed || err != nil && err != io.EOF
	return n, err
}

// syncDirs syncs every folder below one, the innermost first.
func syncDirs(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for _, d := range slices.Backward(dirs) {
		err = errors.Join(err, disk.SyncDir(d))
	}
	return err
}
