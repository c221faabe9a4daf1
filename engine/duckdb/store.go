package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sync"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// A Store keeps one site's datasets in one DuckDB file. It implements
// [engine.Store].
type Store struct {
	host  *Host
	owned bool // the host serves this store alone
	path  string
	db    string     // the file's name within DuckDB
	write sync.Mutex // held by the one who loads or freezes

	mu     sync.Mutex
	users  int // calls and scans in progress
	closed bool
}

var _ engine.Store = (*Store)(nil)

// Open opens the store in the file path, or makes it, with its folder. A file
// whose process was killed opens again with all that was durable.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	h, err := OpenHost(filepath.Dir(path), o)
	if err != nil {
		return nil, err
	}
	s, err := h.Store(ctx, filepath.Base(path))
	if err != nil {
		h.Close()
		return nil, err
	}
	s.owned = true
	return s, nil
}

// layout is the version of the tables within a file; an older program refuses
// a newer file.
const layout = 1

// catalogue makes the one table that is not rows. Version 0 is the draft; its
// rows, or a version's, lie in the table t<id>.
const catalogue = `
CREATE TABLE IF NOT EXISTS %[1]s.dataset (
	name       VARCHAR NOT NULL,
	version    BIGINT  NOT NULL,
	id         BIGINT  NOT NULL,
	row_count  BIGINT  NOT NULL,
	dictionary VARCHAR NOT NULL,
	release    VARCHAR NOT NULL,
	layout     BIGINT  NOT NULL)`

func (s *Store) attach(ctx context.Context) error {
	c, err := s.host.in.session()
	if err != nil {
		return err
	}
	defer c.release()
	if err := c.exec(ctx, "ATTACH "+literal(s.path)+" AS "+s.db); err != nil {
		return err
	}
	err = c.exec(ctx, fmt.Sprintf(catalogue, s.db))
	var rows [][]any
	if err == nil {
		rows, err = c.rows(ctx, "SELECT coalesce(max(layout), 0) FROM "+s.db+".dataset")
	}
	if err == nil && rows[0][0].(int64) > layout {
		err = ws.Errorf(ws.Invalid, "duckdb: attach", ws.T("the file was written by a newer program", "文件由更新版本的程序写入")).
			WithHint(ws.T("use that program's release, or a newer one", "请使用该版本或更新版本的程序"))
	}
	if err != nil {
		s.detach()
	}
	return err
}

// detach writes what is still in the log to the file, and closes it.
func (s *Store) detach() error {
	c, err := s.host.in.session()
	if err != nil {
		return err
	}
	defer c.release()
	return c.exec(context.Background(), "DETACH "+s.db)
}

// Close implements [engine.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	last := s.users == 0
	s.mu.Unlock()
	if was || !last {
		return nil
	}
	return s.finish()
}

// finish closes the file, when the last user has left.
func (s *Store) finish() error {
	err := s.detach()
	s.host.dismiss(s)
	if s.owned {
		return errors.Join(err, s.host.Close())
	}
	return err
}

// enter gives a session to a call or a scan, which leaves when it is done.
func (s *Store) enter() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed()
	}
	c, err := s.host.in.session()
	if err == nil {
		s.users++
	}
	return c, err
}

func (s *Store) leave(c *session) {
	c.release()
	s.mu.Lock()
	s.users--
	last := s.closed && s.users == 0
	s.mu.Unlock()
	if last {
		s.finish()
	}
}

// alter runs f alone among loads and freezes, in one transaction.
func (s *Store) alter(ctx context.Context, f func(*session) error) error {
	s.write.Lock()
	defer s.write.Unlock()
	c, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(c)
	return c.within(ctx, func() error { return f(c) })
}

// Load implements [engine.Store].
func (s *Store) Load(ctx context.Context, name ws.Dataset, d frame.Dictionary, rows iter.Seq2[frame.Batch, error]) error {
	op := "duckdb: load " + string(name)
	if err := engine.CheckName(name); err != nil {
		return err
	}
	if err := engine.CheckDictionary(d); err != nil {
		return ws.At(op, err)
	}
	return ws.At(op, s.alter(ctx, func(c *session) error { return s.load(ctx, c, name, d, rows) }))
}

func (s *Store) load(ctx context.Context, c *session, name ws.Dataset, d frame.Dictionary, rows iter.Seq2[frame.Batch, error]) error {
	dictionary, err := json.Marshal(d)
	if err != nil {
		return ws.Errorf(ws.Invalid, "dictionary", ws.T("the dictionary cannot be written as JSON", "字典无法写成 JSON")).Wrap(err)
	}
	next, err := c.rows(ctx, "SELECT coalesce(max(id), 0) + 1 FROM "+s.db+".dataset")
	if err != nil {
		return err
	}
	id := next[0][0].(int64)
	if err := c.exec(ctx, create(s.table(id), d)); err != nil {
		return err
	}
	n, err := s.appendRows(ctx, c, id, d, rows)
	if err != nil {
		return err
	}
	old, err := c.rows(ctx, "DELETE FROM "+s.db+".dataset WHERE name = ? AND version = 0 RETURNING id", string(name))
	if err != nil {
		return err
	}
	for _, row := range old {
		if err := c.exec(ctx, "DROP TABLE "+s.table(row[0].(int64))); err != nil {
			return err
		}
	}
	return c.exec(ctx, "INSERT INTO "+s.db+".dataset VALUES (?, 0, ?, ?, ?, ?, ?)",
		string(name), id, n, string(dictionary), string(ws.Version), int64(layout))
}

// LoadParquet implements [engine.Store].
func (s *Store) LoadParquet(ctx context.Context, name ws.Dataset, d frame.Dictionary, path string) error {
	if err := engine.CheckDictionary(d); err != nil {
		return ws.At("duckdb: load "+string(name), err)
	}
	return s.Load(ctx, name, d, Parquet(ctx, d, path))
}

// Freeze implements [engine.Store].
func (s *Store) Freeze(ctx context.Context, name ws.Dataset) (engine.Version, error) {
	var v int64
	err := s.alter(ctx, func(c *session) error {
		rows, err := c.rows(ctx, "SELECT max(version), min(version) FROM "+s.db+".dataset WHERE name = ? HAVING count(*) > 0", string(name))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ws.Errorf(ws.Invalid, "dataset", ws.T("no rows were ever loaded", "尚未载入任何数据")).
				WithHint(ws.T("load the dataset first", "请先载入该数据集"))
		}
		v = rows[0][0].(int64)
		if rows[0][1].(int64) > 0 { // no draft
			return nil
		}
		v++
		return c.exec(ctx, "UPDATE "+s.db+".dataset SET version = ?, release = ? WHERE name = ? AND version = 0",
			v, string(ws.Version), string(name))
	})
	if err != nil {
		return 0, ws.At("duckdb: freeze "+string(name), err)
	}
	return engine.Version(v), nil
}

// Open implements [engine.Store].
func (s *Store) Open(ctx context.Context, name ws.Dataset, v engine.Version) (frame.Source, error) {
	op := fmt.Sprintf("duckdb: open %s version %d", name, v)
	all, ids, err := s.versions(ctx, name)
	if err != nil {
		return nil, ws.At(op, err)
	}
	for i, info := range all {
		if info.Version == v {
			return &source{store: s, table: s.table(ids[i]), info: info}, nil
		}
	}
	return nil, ws.Errorf(ws.Invalid, op, ws.T("there is no such version", "没有这个版本")).
		WithHint(ws.T("freeze the dataset, or name one of its versions", "请先冻结数据集，或指定已有的版本"))
}

// Versions implements [engine.Store].
func (s *Store) Versions(ctx context.Context, name ws.Dataset) ([]engine.VersionInfo, error) {
	all, _, err := s.versions(ctx, name)
	return all, ws.At("duckdb: versions of "+string(name), err)
}

func (s *Store) versions(ctx context.Context, name ws.Dataset) (all []engine.VersionInfo, ids []int64, err error) {
	c, err := s.enter()
	if err != nil {
		return nil, nil, err
	}
	defer s.leave(c)
	rows, err := c.rows(ctx, "SELECT version, id, row_count, dictionary, release FROM "+s.db+
		".dataset WHERE name = ? AND version > 0 ORDER BY version", string(name))
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		info := engine.VersionInfo{
			Version: engine.Version(row[0].(int64)), Rows: row[2].(int64), Release: ws.Release(row[4].(string)),
		}
		if err := json.Unmarshal([]byte(row[3].(string)), &info.Dictionary); err != nil {
			return nil, nil, ws.Errorf(ws.Diverged, "dictionary", ws.T("the stored dictionary is damaged", "存储的字典已损坏")).Wrap(err)
		}
		all, ids = append(all, info), append(ids, row[1].(int64))
	}
	return all, ids, nil
}

// table names the table of rows id.
func (s *Store) table(id int64) string { return fmt.Sprintf("%s.t%d", s.db, id) }
