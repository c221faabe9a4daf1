package mesh

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	ws "wellspring"
	"wellspring/disk"
)

// A Store is what a link remembers over a restart: a few records of some
// dozen bytes a lane, and the letters sent with Keep that are not yet acknowledged.
// Its methods may be called concurrently. Names match [a-z0-9.-]{1,100}.
type Store interface {
	// Save makes a record durable under name, in place of the former one.
	Save(name string, b []byte) error
	// Load returns the record under name, nil if there is none.
	Load(name string) ([]byte, error)
	// Erase removes the record under name, if there is one.
	Erase(name string) error
	// Names lists, in order, the names that begin with prefix.
	Names(prefix string) ([]string, error)
}

// Memory is a Store that ends with the process.
type Memory struct {
	mu      sync.Mutex
	records map[string][]byte
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{records: map[string][]byte{}} }

// Save implements [Store].
func (m *Memory) Save(name string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[name] = slices.Clone(b)
	return nil
}

// Load implements [Store].
func (m *Memory) Load(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records[name]), nil
}

// Erase implements [Store].
func (m *Memory) Erase(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, name)
	return nil
}

// Names implements [Store].
func (m *Memory) Names(prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for n := range m.records {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Dir is a Store in a folder, one file a record: SHA-256, then the bytes.
type Dir struct{ path string }

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,99}$`)

// OpenDir opens or makes the folder, for its owner's eyes alone.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, storeTrouble(err)
	}
	return &Dir{path}, nil
}

// Save implements [Store].
func (d *Dir) Save(name string, b []byte) error {
	if !nameForm.MatchString(name) {
		return storeTrouble(fs.ErrInvalid)
	}
	sum := sha256.Sum256(b)
	if err := disk.Write(filepath.Join(d.path, name), 0o600, sum[:], b); err != nil {
		return storeTrouble(err)
	}
	return nil
}

// Load implements [Store]; a damaged record is an error of kind Diverged.
func (d *Dir) Load(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(d.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, storeTrouble(err)
	}
	if len(b) < sha256.Size || sha256.Sum256(b[sha256.Size:]) != [32]byte(b) {
		return nil, ws.Errorf(ws.Diverged, "mesh store", ws.T("record %s is damaged", "记录 %s 已损坏", name)).
			WithHint(ws.T("restore the node from its backup", "请从备份恢复该节点"))
	}
	return b[sha256.Size:], nil
}

// Erase implements [Store].
func (d *Dir) Erase(name string) error {
	err := os.Remove(filepath.Join(d.path, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storeTrouble(err)
	}
	return nil // not synced: an erased record that comes back is sent again, and refused as known
}

// Names implements [Store].
func (d *Dir) Names(prefix string) ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, storeTrouble(err)
	}
	var names []string
	for _, e := range entries {
		if nameForm.MatchString(e.Name()) && strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func storeTrouble(err error) error {
	return ws.Errorf(ws.Other, "mesh store", ws.T("the store of the mesh cannot be read or written", "无法读写通信存储")).
		WithHint(ws.T("check the disk and the folder's owner", "请检查磁盘与文件夹属主")).Wrap(err)
}

// laneName gives the part of a record's name that stands for a lane.
func laneName(l lane) string {
	h := sha256.New()
	h.Write(appendText(appendText(nil, string(l.peer)), l.run))
	if !l.kept() {
		h.Write([]byte{1})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
