package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"errors"

	ws "wellspring"
	"wellspring/disk/database"
	"wellspring/run"
	"wellspring/run/journal"
)

// chunk is how many bytes of a record stand in one row: SQLite bounds a row by
// 10^9 bytes, and a vector may be longer.
const chunk = 1 << 20

const schema = `
CREATE TABLE IF NOT EXISTS records (
	run TEXT NOT NULL, key TEXT NOT NULL, part INTEGER NOT NULL, -- from 0
	bytes BLOB NOT NULL,
	sum BLOB NOT NULL, -- SHA-256 of the whole record
	PRIMARY KEY (run, key, part)
) STRICT, WITHOUT ROWID;`

// A DB is a file of journals. Its methods may be called concurrently.
type DB struct {
	sql                 *sql.DB
	remove, insert, get *sql.Stmt // parsed once: a study saves some forty times
}

// Open opens or makes the file (mode 0600). It fails while another process has
// it open.
func Open(path string) (*DB, error) {
	db, err := database.Open(path)
	if err != nil {
		return nil, trouble("journal.Open", err)
	}
	d := &DB{sql: db}
	if err := d.prepare(); err != nil {
		return nil, trouble("journal.Open", errors.Join(err, db.Close()))
	}
	return d, nil
}

func (d *DB) prepare() (err error) {
	if _, err = d.sql.Exec(schema); err != nil {
		return err
	}
	for _, s := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&d.remove, `DELETE FROM records WHERE run = ? AND key = ?`},
		{&d.insert, `INSERT INTO records (run, key, part, bytes, sum) VALUES (?, ?, ?, ?, ?)`},
		{&d.get, `SELECT bytes, sum FROM records WHERE run = ? AND key = ? ORDER BY part`},
	} {
		if *s.to, err = d.sql.Prepare(s.sql); err != nil {
			return err
		}
	}
	return nil
}

// Close releases the file.
func (d *DB) Close() error { return d.sql.Close() }

// Runs lists the runs that have records, in order.
func (d *DB) Runs() ([]string, error) {
	rows, err := d.sql.Query(`SELECT DISTINCT run FROM records ORDER BY run`)
	if err != nil {
		return nil, trouble("journal.Runs", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, trouble("journal.Runs", err)
		}
		out = append(out, id)
	}
	if err := rows.Err(); err != nil {
		return nil, trouble("journal.Runs", err)
	}
	return out, nil
}

// Run is the journal of one run.
func (d *DB) Run(id string) run.Journal { return records{d, id} }

type records struct {
	*DB
	run string
}

// Save makes records durable, all or none, each in place of the former one of
// its key.
func (r records) Save(list ...run.Record) error {
	return r.change("journal.Save", func(tx *sql.Tx) error {
		for _, rec := range list {
			if err := journal.CheckKey(rec.Key); err != nil {
				return err
			}
			if err := r.put(tx, rec); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r records) put(tx *sql.Tx, rec run.Record) error {
	if _, err := tx.Stmt(r.remove).Exec(r.run, rec.Key); err != nil {
		return err
	}
	sum := sha256.Sum256(rec.Bytes)
	insert := tx.Stmt(r.insert)
	for part, rest := 0, rec.Bytes; part == 0 || len(rest) > 0; part++ {
		n := min(chunk, len(rest))
		b := append(make([]byte, 0, n), rest[:n]...) // never NULL
		if _, err := insert.Exec(r.run, rec.Key, part, b, sum[:]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// Load returns the record under key; nil if there is none.
func (r records) Load(key string) ([]byte, error) {
	if err := journal.CheckKey(key); err != nil {
		return nil, err
	}
	rows, err := r.get.Query(r.run, key)
	if err != nil {
		return nil, trouble("journal.Load", err)
	}
	defer rows.Close()
	var out, want []byte
	for rows.Next() {
		var b sql.RawBytes
		var sum []byte
		if err := rows.Scan(&b, &sum); err != nil {
			return nil, trouble("journal.Load", err)
		}
		if out == nil {
			out = []byte{}
		}
		out, want = append(out, b...), sum
	}
	if err := rows.Err(); err != nil {
		return nil, trouble("journal.Load", err)
	}
	if got := sha256.Sum256(out); out != nil && string(got[:]) != string(want) {
		return nil, journal.Damaged(key)
	}
	return out, nil
}

// Erase removes records, all or none, and overwrites them.
func (r records) Erase(keys ...string) error {
	err := r.change("journal.Erase", func(tx *sql.Tx) error {
		for _, key := range keys {
			if err := journal.CheckKey(key); err != nil {
				return err
			}
			if _, err := tx.Stmt(r.remove).Exec(r.run, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := r.sql.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return trouble("journal.Erase", err)
	}
	return nil
}

func (r records) change(op string, do func(*sql.Tx) error) error {
	err := database.Change(r.sql, do)
	if err == nil || ws.KindOf(err) != ws.Other {
		return err
	}
	return trouble(op, err)
}

func trouble(op string, err error) error {
	return ws.Errorf(ws.Other, op, ws.T("the journal's file refused", "日志文件拒绝操作")).
		WithHint(ws.T("is the disk full, or does another process have the file open?", "磁盘是否已满？文件是否被另一进程打开？")).Wrap(err)
}
