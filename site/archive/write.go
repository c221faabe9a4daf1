package archive

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	ws "wellspring"
	"wellspring/disk"
)

// form names the form of an archive, and its version.
const form = "wellspring/backup/1"

// manifestName is that of the last file.
const manifestName = "MANIFEST.json"

// An Entry is a file of the archive: a name with slashes, and its bytes.
type Entry struct {
	Name string
	// Open gives the bytes, and how many they are: of a file that grows, those that
	// count now.
	Open func() (io.ReadCloser, int64, time.Time, error)
}

// FromFile is a file of a folder.
func FromFile(dir, name string) Entry {
	return Entry{name, func() (io.ReadCloser, int64, time.Time, error) {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, 0, time.Time{}, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, 0, time.Time{}, errors.Join(err, f.Close())
		}
		return f, info.Size(), info.ModTime(), nil
	}}
}

// A manifest is the last file of an archive.
type manifest struct {
	Form  string          `json:"form"`
	About json.RawMessage `json:"about"`
	Files []listed        `json:"files"`
}

type listed struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Write makes an archive at path, where there is no file yet, of entries in their order,
// and syncs it. It gives the archive's size.
func Write(path string, to []age.Recipient, about any, entries []Entry) (size int64, err error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, ws.Errorf(ws.Denied, "", ws.T("there is a file already", "该处已有文件")).Located(ws.Position{File: path}).
			WithHint(ws.T("choose another name, such as one with the date", "请另选名称，例如带日期的名称"))
	}
	if err := disk.WriteWith(path, 0o600, func(w io.Writer) error { return fill(w, to, about, entries) }); err != nil {
		return 0, trouble(path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, trouble(path, err)
	}
	return info.Size(), nil
}

func fill(out io.Writer, to []age.Recipient, about any, entries []Entry) error {
	m := manifest{Form: form}
	var err error
	if m.About, err = json.Marshal(about); err != nil {
		return err
	}
	sealed, err := age.Encrypt(out, to...)
	if err != nil {
		return err
	}
	w := tar.NewWriter(sealed)
	for _, e := range entries {
		l, err := add(w, e)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, l)
	}
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := w.WriteHeader(header(manifestName, int64(len(b)), time.Time{})); err != nil {
		return err
	}
	_, err = w.Write(b)
	return errors.Join(err, w.Close(), sealed.Close())
}

func header(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at}
}

func add(w *tar.Writer, e Entry) (l listed, err error) {
	in, size, at, err := e.Open()
	if err != nil {
		return l, err
	}
	defer in.Close() // it was only read
	if err := w.WriteHeader(header(e.Name, size, at)); err != nil {
		return l, err
	}
	hash := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, hash), in, size); err != nil {
		return l, err
	}
	return listed{e.Name, size, hex.EncodeToString(hash.Sum(nil))}, nil
}

// trouble is what a disk refuses; errors with words of ours stay.
func trouble(path string, err error) error {
	if err == nil || len(ws.Sentences(err)) > 0 {
		return err
	}
	return ws.Errorf(ws.Other, "", ws.T("it cannot be written, or what goes into it not read", "无法写入，或无法读取其内容")).Located(ws.Position{File: path}).
		WithHint(ws.T("check the disk's room and the owner of the folders", "请检查磁盘空间与文件夹属主")).Wrap(err)
}
