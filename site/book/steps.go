package book

import (
	"bytes"
	"database/sql"

	"github.com/RoaringBitmap/roaring/v2"

	"wellspring/policy/near"
)

// Cohorts that add up, as those up to each edge of a histogram, are kept as what each has beyond
// the one before it: all together take no more room than the rows. Of those between, which nobody was told of, these rows
// stay.
const steps = `
CREATE TABLE IF NOT EXISTS steps (
	run TEXT NOT NULL, number INTEGER NOT NULL, -- of the cohort within the run
	before INTEGER NOT NULL, -- the cohort whose rows it has besides; -1 for none
	rows BLOB NOT NULL,      -- beyond these, roaring
	PRIMARY KEY (run, number)
) STRICT;`

// idleSteps forgets the steps of a run of which no cohort is left.
const idleSteps = `DELETE FROM steps WHERE run = ?1 AND NOT EXISTS (SELECT 1 FROM cohorts WHERE run = ?1 AND length(rows) = 0)`

// addSteps keeps the rows of the cohorts that add up, and gives how many each has in all.
func (r *Run) addSteps(tx *sql.Tx, now []near.Cohort, rows []*roaring.Bitmap) (map[int]int64, error) {
	if _, err := tx.Exec(`DELETE FROM steps WHERE run = ?`, r.run); err != nil {
		return nil, err
	}
	base := map[int]bool{}
	for _, c := range now {
		base[c.After-1] = true
	}
	sizes := map[int]int64{}
	for i, c := range now {
		if c.After == 0 && !base[c.Index] {
			continue
		}
		b, err := rows[i].ToBytes()
		if err != nil {
			return nil, err
		}
		if _, err := tx.Exec(`INSERT INTO steps (run, number, before, rows) VALUES (?, ?, ?, ?)`, r.run, c.Index, c.After-1, b); err != nil {
			return nil, err
		}
		sizes[c.Index] = sizes[c.After-1] + int64(rows[i].GetCardinality())
	}
	return sizes, nil
}

// steps reads the rows of a cohort that has those of others.
func (r *Run) steps(run string, number int) (*roaring.Bitmap, error) {
	parts, err := r.book.sql.Query(`
		WITH RECURSIVE up (before, rows) AS (
			SELECT before, rows FROM steps WHERE run = ?1 AND number = ?2
			UNION ALL SELECT s.before, s.rows FROM up JOIN steps s ON s.run = ?1 AND s.number = up.before)
		SELECT rows FROM up`, run, number)
	if err != nil {
		return nil, err
	}
	defer parts.Close()
	out := roaring.New()
	for parts.Next() {
		var b []byte
		if err := parts.Scan(&b); err != nil {
			return nil, err
		}
		part := roaring.New()
		if _, err := part.ReadFrom(bytes.NewReader(b)); err != nil {
			return nil, err
		}
		out.Or(part)
	}
	return out, parts.Err()
}
