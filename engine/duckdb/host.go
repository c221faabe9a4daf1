package duckdb

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	ws "wellspring"
)

// Options bound what DuckDB takes of the machine.
type Options struct {
	// MemoryMiB bounds DuckDB's buffers, in MiB; default 128, at least 32. A
	// scan holds about one a column. What is larger than the buffers is read
	// from the file again by each scan, at half the speed, and sorts spill to
	// disk. A process grows by this limit and a few batches.
	MemoryMiB int `json:"memory_mib"`
	// Threads that compute in DuckDB, the caller's included; default 2, at
	// most 256. More than there are cores gain nothing.
	Threads int `json:"threads"`
}

func (o Options) filled() (Options, error) {
	if o.MemoryMiB == 0 {
		o.MemoryMiB = 128
	}
	if o.Threads == 0 {
		o.Threads = 2
	}
	if o.MemoryMiB < 32 || o.Threads < 1 || o.Threads > 256 {
		return o, ws.Errorf(ws.Invalid, "duckdb: options",
			ws.T("memory is at least 32 MiB, threads are 1 to 256", "内存至少 32 MiB，线程数为 1 到 256"))
	}
	return o, nil
}

// config are the settings with which every instance starts: nothing is
// fetched or loaded from elsewhere, and a query without ORDER BY keeps the
// order of insertion.
func (o Options) config(temp string) map[string]string {
	return map[string]string{
		"threads":                      strconv.Itoa(o.Threads),
		"max_memory":                   strconv.Itoa(o.MemoryMiB) + "MiB",
		"temp_directory":               temp,
		"preserve_insertion_order":     "true",
		"autoinstall_known_extensions": "false",
		"autoload_known_extensions":    "false",
		"allow_community_extensions":   "false",
		"allow_unsigned_extensions":    "false",
		"allow_persistent_secrets":     "false",
		"checkpoint_threshold":         "16MiB",
	}
}

// A Host is one DuckDB that serves many stores, a file each: threads and
// memory are shared, so that a process can hold the stores of hundreds of
// simulated sites. Its methods may be called concurrently.
type Host struct {
	in     *instance
	dir    string
	mu     sync.Mutex
	made   int             // stores so far, for their names within DuckDB
	stores map[*Store]bool // whose files are open
	closed bool
}

// OpenHost opens a host for the stores in the folder dir, which it makes if
// there is none. DuckDB can then touch no file outside it.
func OpenHost(dir string, o Options) (*Host, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if dir, err = canonical(dir); err != nil {
		return nil, err
	}
	in, err := start(o.config(filepath.Join(dir, ".spill")))
	if err != nil {
		return nil, err
	}
	h := &Host{in: in, dir: dir, stores: map[*Store]bool{}}
	if err := confine(in, "allowed_directories", dir); err != nil {
		in.close()
		return nil, err
	}
	return h, nil
}

// canonical makes dir if need be and returns its one absolute name.
func canonical(dir string) (string, error) {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", ws.Errorf(ws.Unreachable, "duckdb: folder", ws.T("the folder cannot be used", "无法使用该文件夹")).Wrap(err)
	}
	return dir, nil
}

// confine leaves DuckDB one folder or file of the machine, and locks this and
// all other settings for good.
func confine(in *instance, setting, path string) error {
	s, err := in.session()
	if err != nil {
		return err
	}
	defer s.release()
	for _, sql := range []string{
		"SET " + setting + " = [" + literal(path) + "]",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if err := s.exec(context.Background(), sql); err != nil {
			return err
		}
	}
	return nil
}

// literal quotes a string for the few statements that take no parameters.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// opened holds the files that stores of this process have open. The lock that
// DuckDB puts on a file keeps other processes out, but not a second store of
// this one, which would destroy the file.
var opened sync.Map

// Store opens the store in a file of the host's folder, or makes it.
func (h *Host) Store(ctx context.Context, file string) (*Store, error) {
	op := "duckdb: store " + file
	if file == "" || file == "." || file == ".." || strings.ContainsAny(file, "/\\\x00") {
		return nil, ws.Errorf(ws.Invalid, op, ws.T("not the name of a file in the host's folder", "不是该文件夹中的文件名"))
	}
	path := filepath.Join(h.dir, file)
	if _, busy := opened.LoadOrStore(path, true); busy {
		return nil, ws.Errorf(ws.Invalid, op, ws.T("this process has the store open already", "本进程已打开该存储"))
	}
	s, err := h.admit(path)
	if err != nil {
		opened.Delete(path)
		return nil, ws.At(op, err)
	}
	if err := s.attach(ctx); err != nil {
		h.dismiss(s)
		return nil, ws.At(op, err)
	}
	return s, nil
}

func (h *Host) admit(path string) (*Store, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed()
	}
	h.made++
	s := &Store{host: h, path: path, db: "s" + strconv.Itoa(h.made)}
	h.stores[s] = true
	return s, nil
}

// dismiss forgets a store whose file is closed.
func (h *Host) dismiss(s *Store) {
	opened.Delete(s.path)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.stores, s)
	h.end()
}

// end closes DuckDB once nothing needs it. The caller holds mu.
func (h *Host) end() {
	if h.closed && len(h.stores) == 0 {
		h.in.close()
	}
}

// Close closes all stores of the host, and DuckDB once they are closed.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	stores := slices.Collect(maps.Keys(h.stores))
	h.end()
	h.mu.Unlock()
	var errs []error
	for _, s := range stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
