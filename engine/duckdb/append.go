package duckdb

import (
	"context"
	"fmt"
	"iter"
	"strings"

	duck "github.com/duckdb/duckdb-go-bindings"

	"wellspring/engine"
	"wellspring/frame"
)

// create gives the statement that makes a table of rows. Columns are named by
// their place in the dictionary, c0, c1, ..., since a name that a hospital
// chose may differ from another in case alone, which SQL does not see. Numbers
// are DOUBLE and levels their INTEGER codes, NULL where missing; _row counts
// the rows from 0 in the order of loading.
func create(table string, d frame.Dictionary) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + table + " (_row BIGINT NOT NULL")
	for i, c := range d {
		switch {
		case c.Type == frame.Factor:
			fmt.Fprintf(&b, ", c%d INTEGER", i)
		case c.Type.Numeric():
			fmt.Fprintf(&b, ", c%d DOUBLE", i)
		}
	}
	b.WriteString(")")
	return b.String()
}

// An inserter writes batches to a table, chunk by chunk.
type inserter struct {
	app   duck.Appender
	chunk duck.DataChunk
	d     frame.Dictionary
	rows  int64 // so far
	held  int   // bytes that DuckDB has not put into the table yet
}

// flushBytes bounds what an appender holds back: by itself it would hold
// 204,800 rows, however many columns they have.
const flushBytes = 16 << 20

// appendRows checks and writes all rows and returns how many there were.
func (s *Store) appendRows(ctx context.Context, c *session, id int64, d frame.Dictionary, rows iter.Seq2[frame.Batch, error]) (int64, error) {
	a := &inserter{d: d}
	defer a.destroy()
	if duck.AppenderCreateExt(c.conn, s.db, "main", fmt.Sprintf("t%d", id), &a.app) != duck.StateSuccess {
		return 0, a.fault()
	}
	a.chunk = newChunk(d)
	for b, err := range rows {
		if err == nil {
			err = stopped(ctx)
		}
		if err == nil {
			err = engine.Check(d, b)
		}
		if err == nil {
			err = a.add(b)
		}
		if err != nil {
			return 0, err
		}
	}
	if err := stopped(ctx); err != nil {
		return 0, err
	}
	if duck.AppenderClose(a.app) != duck.StateSuccess {
		return 0, a.fault()
	}
	return a.rows, nil
}

func newChunk(d frame.Dictionary) duck.DataChunk {
	types := []duck.LogicalType{duck.CreateLogicalType(duck.TypeBigInt)}
	for _, c := range d {
		switch {
		case c.Type == frame.Factor:
			types = append(types, duck.CreateLogicalType(duck.TypeInteger))
		case c.Type.Numeric():
			types = append(types, duck.CreateLogicalType(duck.TypeDouble))
		}
	}
	defer func() {
		for i := range types {
			duck.DestroyLogicalType(&types[i])
		}
	}()
	return duck.CreateDataChunk(types)
}

func (a *inserter) add(b frame.Batch) error {
	for from := 0; from < b.Rows; from += chunkRows {
		to := min(from+chunkRows, b.Rows)
		a.fill(b, from, to)
		if duck.AppendDataChunk(a.app, a.chunk) != duck.StateSuccess {
			return a.fault()
		}
		a.rows += int64(to - from)
		a.held += (to - from) * 8 * (len(a.d) + 1)
		if a.held >= flushBytes {
			if duck.AppenderFlush(a.app) != duck.StateSuccess {
				return a.fault()
			}
			a.held = 0
		}
	}
	return nil
}

func (a *inserter) fill(b frame.Batch, from, to int) {
	duck.DataChunkReset(a.chunk)
	putRow(a.chunk, 0, to-from, a.rows)
	j := 1
	for i, c := range a.d {
		switch {
		case c.Type == frame.Factor:
			putCode(a.chunk, j, b.Columns[i].Code[from:to])
		case c.Type.Numeric():
			putReal(a.chunk, j, b.Columns[i].Real[from:to])
		default:
			continue
		}
		j++
	}
	duck.DataChunkSetSize(a.chunk, duck.IdxT(to-from))
}

func (a *inserter) fault() error { return fault("duckdb: append", duck.AppenderError(a.app)) }

func (a *inserter) destroy() {
	duck.DestroyDataChunk(&a.chunk)
	if a.app.Ptr != nil {
		duck.AppenderClear(a.app) // what was not closed must not be written now
		duck.AppenderDestroy(&a.app)
	}
}
