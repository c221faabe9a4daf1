package book

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"os"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/disk/database"
	"wellspring/policy/near"
)

// Patience is how many replies that a question is as good as asked before a group of
// askers may have until a person lets it ask on.
const Patience = 5

const schema = `
CREATE TABLE IF NOT EXISTS cohorts (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	run TEXT NOT NULL, number INTEGER NOT NULL, -- of the cohort within the run
	asker TEXT NOT NULL, dataset TEXT NOT NULL, version INTEGER NOT NULL,
	persons INTEGER NOT NULL, -- over all sites; -1 while unknown
	what TEXT NOT NULL,       -- sites and definition, JSON
	digest BLOB NOT NULL,     -- of what, asker, dataset and version
	size INTEGER NOT NULL,    -- rows here
	rows BLOB NOT NULL,       -- roaring; none where they are steps
	UNIQUE (run, number)
) STRICT;
CREATE INDEX IF NOT EXISTS cohorts_of ON cohorts (asker, dataset);
CREATE INDEX IF NOT EXISTS cohorts_what ON cohorts (digest);
CREATE TABLE IF NOT EXISTS runs ( -- under way
	run TEXT PRIMARY KEY,
	seen INTEGER NOT NULL -- the last cohort that its facts told of
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
	asker TEXT NOT NULL, dataset TEXT NOT NULL, run TEXT NOT NULL,
	PRIMARY KEY (asker, dataset, run)
) STRICT, WITHOUT ROWID;` + steps

// A Book is an open file. Its methods may be called concurrently.
type Book struct{ sql *sql.DB }

// Open opens or makes the file (mode 0600). It fails while another process has
// it open.
func Open(path string) (*Book, error) {
	db, err := database.Open(path)
	if err != nil {
		return nil, trouble("book.Open", err)
	}
	if _, err := db.Exec(schema); err != nil {
		return nil, trouble("book.Open", errors.Join(err, db.Close()))
	}
	return &Book{db}, nil
}

// Copy writes the book as it now stands to a new file (mode 0600), while questions go on being answered.
func (b *Book) Copy(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return trouble("book.Copy", err)
	}
	if err := f.Close(); err != nil {
		return trouble("book.Copy", err)
	}
	if _, err := b.sql.Exec(`VACUUM INTO ?`, path); err != nil {
		return trouble("book.Copy", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// Close releases the file.
func (b *Book) Close() error { return b.sql.Close() }

// A Group is whom a site holds to what one of them was answered, as far as one dataset is
// concerned.
type Group struct {
	Asker   ws.Institution `json:"asker"` // of the requesters
	Dataset ws.Dataset     `json:"dataset"`
}

// A Standing says how a group stands at the site.
type Standing struct {
	Group
	Cohorts int  `json:"cohorts"`
	Replies int  `json:"replies"` // "as good as asked before", since a person last let the group ask on
	Held    bool `json:"held"`    // until a person does
}

// Standings lists the groups that the book knows.
func (b *Book) Standings() ([]Standing, error) {
	rows, err := b.sql.Query(`
		SELECT asker, dataset, sum(cohorts), sum(replies) FROM (
			SELECT asker, dataset, count(*) AS cohorts, 0 AS replies FROM cohorts GROUP BY asker, dataset
			UNION ALL SELECT asker, dataset, 0, count(*) FROM replies GROUP BY asker, dataset)
		GROUP BY asker, dataset ORDER BY asker, dataset`)
	if err != nil {
		return nil, trouble("book.Standings", err)
	}
	defer rows.Close()
	var out []Standing
	for rows.Next() {
		var s Standing
		if err := rows.Scan(&s.Asker, &s.Dataset, &s.Cohorts, &s.Replies); err != nil {
			return nil, trouble("book.Standings", err)
		}
		s.Held = s.Replies >= Patience
		out = append(out, s)
	}
	return out, trouble("book.Standings", rows.Err())
}

// Let lets a group ask on: its replies are counted from nothing. Its cohorts
// stay.
func (b *Book) Let(g Group) error {
	_, err := b.sql.Exec(`DELETE FROM replies WHERE asker = ? AND dataset = ?`, g.Asker, g.Dataset)
	return trouble("book.Let", err)
}

// Run is the memory for one run, of a version of the group's dataset.
func (b *Book) Run(run string, self ws.SiteID, g Group, version int) *Run {
	return &Run{book: b, run: run, self: self, group: g, version: version}
}

// A Run is what the book has for one run. One goroutine at a time uses it. It implements site.Memory.
type Run struct {
	book    *Book
	run     string
	self    ws.SiteID
	group   Group
	version int
}

// what is the part of a cohort that is kept as text.
type what struct {
	Sites []ws.SiteID `json:"sites"`
	near.Definition
}

// Earlier lists the cohorts of the group, but for the run's own. It refuses where a
// person must let the group ask on.
func (r *Run) Earlier() ([]near.Cohort, error) {
	var replies int
	if err := r.book.sql.QueryRow(`SELECT count(*) FROM replies WHERE asker = ? AND dataset = ? AND run <> ?`, r.group.Asker, r.group.Dataset, r.run).Scan(&replies); err != nil {
		return nil, trouble("book.Earlier", err)
	}
	if replies >= Patience {
		return nil, ws.Errorf(ws.Denied, "study", ws.T("%d questions of the requester and of colleagues were as good as asked before; a person at this site must let them ask on", "请求者及其同事已有 %d 个问题与此前相当；须由本站点人员放行后方可继续", Patience)).
			WithHint(ws.T("at the site: wellspring site askers --let INSTITUTION --dataset NAME", "在该站点执行：wellspring site askers --let 机构 --dataset 数据集"))
	}
	rows, err := r.book.sql.Query(`SELECT seq, run, number, version, persons, what FROM cohorts WHERE asker = ? AND dataset = ? AND run <> ? ORDER BY seq`, r.group.Asker, r.group.Dataset, r.run)
	if err != nil {
		return nil, trouble("book.Earlier", err)
	}
	defer rows.Close()
	var out []near.Cohort
	var seen int64
	for rows.Next() {
		var c near.Cohort
		var version int
		var text []byte
		var w what
		if err := rows.Scan(&seen, &c.Run, &c.Index, &version, &c.Persons, &text); err != nil {
			return nil, trouble("book.Earlier", err)
		}
		if err := json.Unmarshal(text, &w); err != nil {
			return nil, trouble("book.Earlier", err)
		}
		c.Sites, c.Definition, c.Moved = w.Sites, w.Definition, version != r.version
		out = append(out, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, trouble("book.Earlier", err)
	}
	_, err = r.book.sql.Exec(`INSERT OR REPLACE INTO runs (run, seen) VALUES (?, ?)`, r.run, seen)
	return out, trouble("book.Earlier", err)
}

// Reserve keeps the run's cohorts, of which the sizes are not known yet.
func (r *Run) Reserve(now []near.Cohort, rows []*roaring.Bitmap) error {
	return r.change("book.Reserve", func(tx *sql.Tx) error {
		var other int
		if err := tx.QueryRow(`SELECT count(*) FROM cohorts WHERE asker = ? AND dataset = ? AND run <> ? AND seq > (SELECT coalesce(max(seen), 0) FROM runs WHERE run = ?)`, r.group.Asker, r.group.Dataset, r.run, r.run).Scan(&other); err != nil {
			return err
		}
		if other > 0 {
			return ws.Errorf(ws.Unreachable, "study", ws.T("another question of the requester, or of a colleague, is being answered, and the two are not yet compared", "请求者或其同事的另一问题正在计算中，两者尚未比较")).
				WithHint(ws.T("ask again when it is answered", "请在其完成后重新提问"))
		}
		if _, err := tx.Exec(`DELETE FROM cohorts WHERE run = ?`, r.run); err != nil {
			return err
		}
		sizes, err := r.addSteps(tx, now, rows)
		if err != nil {
			return err
		}
		insert, err := tx.Prepare(`INSERT INTO cohorts (run, number, asker, dataset, version, persons, what, digest, size, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i, c := range now {
			text, err := json.Marshal(what{c.Sites, c.Definition})
			if err != nil {
				return err
			}
			size, inSteps := sizes[c.Index]
			bitmap := []byte{}
			if !inSteps {
				size = int64(rows[i].GetCardinality())
				if bitmap, err = rows[i].ToBytes(); err != nil {
					return err
				}
			}
			if _, err := insert.Exec(r.run, c.Index, r.group.Asker, r.group.Dataset, r.version, near.Unknown, string(text), r.digest(text), size, bitmap); err != nil {
				return err
			}
		}
		return nil
	})
}

// digest tells cohorts that are one apart from others.
func (r *Run) digest(text []byte) []byte {
	b, _ := json.Marshal(struct { // plain data
		Group
		Version int
		What    []byte
	}{r.group, r.version, text})
	sum := sha256.Sum256(b)
	return sum[:]
}

// Answered keeps the sizes of the run's cohorts, once it is found to lie near to none before. What the book
// has already, of the same rows by the same definition, is not kept twice; nor is what nobody was told of: cohorts of less than least
// persons.
func (r *Run) Answered(now []near.Cohort, least int64) error {
	return r.change("book.Answered", func(tx *sql.Tx) error {
		size, err := tx.Prepare(`UPDATE cohorts SET persons = ? WHERE run = ? AND number = ?`)
		if err != nil {
			return err
		}
		defer size.Close()
		for _, c := range now {
			if _, err := size.Exec(c.Persons, r.run, c.Index); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`DELETE FROM cohorts WHERE run = ? AND persons >= 0 AND persons < ?`, r.run, least); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM runs WHERE run = ?`, r.run); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM cohorts WHERE run = ? AND persons >= 0 AND digest IN (SELECT digest FROM cohorts WHERE run <> ? AND persons >= 0)`, r.run, r.run); err != nil {
			return err
		}
		_, err = tx.Exec(idleSteps, r.run)
		return err
	})
}

// Forget takes the run's cohorts out: nothing was answered of them.
func (r *Run) Forget() error {
	return r.change("book.Forget", func(tx *sql.Tx) error {
		for _, forget := range []string{`DELETE FROM cohorts WHERE run = ? AND persons < 0`, `DELETE FROM runs WHERE run = ?`, idleSteps} {
			if _, err := tx.Exec(forget, r.run); err != nil {
				return err
			}
		}
		return nil
	})
}

// Replied counts a reply that the run's question is as good as asked before.
func (r *Run) Replied() error {
	_, err := r.book.sql.Exec(`INSERT OR IGNORE INTO replies (asker, dataset, run) VALUES (?, ?, ?)`, r.group.Asker, r.group.Dataset, r.run)
	return trouble("book.Replied", err)
}

func (r *Run) change(op string, do func(*sql.Tx) error) error {
	err := database.Change(r.book.sql, do)
	if err == nil || ws.KindOf(err) != ws.Other {
		return err
	}
	return trouble(op, err)
}

// named is the run of a cohort: this one, where it names none.
func (r *Run) named(c near.Cohort) string { return cmp.Or(c.Run, r.run) }

// size is how many rows a cohort has here; not known where the book has it not.
func (r *Run) size(of name) (n size, err error) {
	err = r.book.sql.QueryRow(`SELECT size FROM cohorts WHERE run = ? AND number = ?`, of.run, of.number).Scan(&n.rows)
	if errors.Is(err, sql.ErrNoRows) {
		return n, nil
	}
	n.known = err == nil
	return n, err
}

// load reads the rows of a cohort, with the version that they are of; nil where the book
// has it not.
func (r *Run) load(run string, number int) (*roaring.Bitmap, int, error) {
	var version int
	var b []byte
	err := r.book.sql.QueryRow(`SELECT version, rows FROM cohorts WHERE run = ? AND number = ?`, run, number).Scan(&version, &b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if len(b) == 0 {
		rows, err := r.steps(run, number)
		return rows, version, err
	}
	rows := roaring.New()
	if _, err := rows.ReadFrom(bytes.NewReader(b)); err != nil {
		return nil, 0, err
	}
	return rows, version, nil
}

func trouble(op string, err error) error {
	if err == nil {
		return nil
	}
	return ws.Errorf(ws.Other, op, ws.T("the book of cohorts refused", "队列记录文件拒绝操作")).
		WithHint(ws.T("is the disk full, or does another process have the file open?", "磁盘是否已满？文件是否被另一进程打开？")).Wrap(err)
}
