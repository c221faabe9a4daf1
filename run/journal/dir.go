package journal

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	ws "wellspring"
	"wellspring/disk"
	"wellspring/run"
)

// Dir is a journal in a folder, one file a record.
type Dir struct {
	path string
	sync bool
}

var keyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,63}$`)

// OpenDir opens or makes the folder. sync false leaves out fsync, for
// rehearsals whose records nobody needs after a crash.
func OpenDir(path string, sync bool) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, trouble("journal.Open", err)
	}
	return &Dir{path, sync}, nil
}

// Save makes records durable, one after the other.
func (d *Dir) Save(list ...run.Record) error {
	for _, r := range list {
		if err := d.save(r.Key, r.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) save(key string, b []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	write, sum := disk.WriteLoose, sha256.Sum256(b)
	if d.sync {
		write = disk.Write
	}
	if err := write(filepath.Join(d.path, key), 0o600, sum[:], b); err != nil {
		return trouble("journal.Save", err)
	}
	return nil
}

// Load returns the record under key; nil if there is none.
func (d *Dir) Load(key string) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(d.path, key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, trouble("journal.Load", err)
	}
	if len(b) < sha256.Size || sha256.Sum256(b[sha256.Size:]) != [sha256.Size]byte(b) {
		return nil, Damaged(key)
	}
	return b[sha256.Size:], nil
}

// Erase removes records.
func (d *Dir) Erase(keys ...string) error {
	for _, key := range keys {
		if err := d.erase(key); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) erase(key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(d.path, key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return trouble("journal.Erase", err)
	}
	return d.syncDir()
}

// CheckKey refuses what is no key of a record.
func CheckKey(key string) error {
	if keyForm.MatchString(key) {
		return nil
	}
	return ws.Errorf(ws.Invalid, "journal", ws.T("a record's key has 1 to 64 small letters, digits, '.' or '-'",
		"记录的键由 1 到 64 个小写字母、数字、“.”或“-”组成"))
}

// Damaged says that a record is not what was saved.
func Damaged(key string) error {
	return ws.Errorf(ws.Diverged, "journal.Load", ws.T("record %s is damaged", "记录 %s 已损坏", key)).
		WithHint(ws.T("restore the site from its backup, or end the run", "请从备份恢复站点，或结束该计算"))
}

func (d *Dir) syncDir() error {
	if !d.sync {
		return nil
	}
	if err := disk.SyncDir(d.path); err != nil {
		return trouble("journal", err)
	}
	return nil
}

func trouble(op string, err error) error {
	return ws.Errorf(ws.Other, op, ws.T("the journal's disk refused", "日志所在磁盘拒绝操作")).Wrap(err)
}
