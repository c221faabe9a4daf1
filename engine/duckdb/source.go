package duckdb

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/frame"
)

// A source reads one version. It implements [frame.Source].
type source struct {
	store *Store
	table string
	info  engine.VersionInfo
}

// Dictionary implements [frame.Source].
func (s *source) Dictionary() frame.Dictionary { return slices.Clone(s.info.Dictionary) }

// Scan implements [frame.Source].
func (s *source) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		if err := s.scan(ctx, q, func(b frame.Batch) bool { return yield(b, nil) }); err != nil {
			yield(frame.Batch{}, ws.At("duckdb: scan", err))
		}
	}
}

// scan hands batches to yield until it returns false.
func (s *source) scan(ctx context.Context, q frame.Query, yield func(frame.Batch) bool) error {
	sql, args, types, err := s.query(q)
	if err != nil {
		return err
	}
	c, err := s.store.enter()
	if err != nil {
		return err
	}
	defer s.store.leave(c)
	r, err := c.stream(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer r.close()
	if q.Places && s.info.Rows > math.MaxUint32 {
		return ws.Errorf(ws.Invalid, "rows", ws.T("a version has at most %d rows here", "此处一个版本最多 %d 行", int64(math.MaxUint32)))
	}
	g := &gather{types: types, last: -1, left: s.info.Rows, places: q.Places}
	if q.Where == "" {
		g.want = s.info.Rows
	}
	return g.drain(r, yield)
}

// query renders q. There is no ORDER BY, which would sort: DuckDB keeps the
// order of insertion, and gather checks _row that it did.
func (s *source) query(q frame.Query) (sql string, args []any, types []frame.Type, err error) {
	var b strings.Builder
	b.WriteString("SELECT _row")
	for _, name := range q.Columns {
		i, err := engine.Readable(s.info.Dictionary, name)
		if err != nil {
			return "", nil, nil, err
		}
		fmt.Fprintf(&b, ", c%d", i)
		types = append(types, s.info.Dictionary[i].Type)
	}
	b.WriteString(" FROM " + s.table)
	if q.Where != "" {
		where, bound, err := s.where(q.Where)
		if err != nil {
			return "", nil, nil, err
		}
		b.WriteString(" WHERE " + where)
		args = bound
	}
	return b.String(), args, types, nil
}

// A gather collects chunks into batches.
type gather struct {
	types []frame.Type
	batch frame.Batch
	n     int   // rows in batch
	last  int64 // _row of the row before
	left  int64 // rows that may still come
	want  int64 // rows that must have come in the end; 0 if not known
	done  int64 // rows that have come

	places bool // wanted
}

// drain hands the stream's rows to yield in batches until it returns false.
func (g *gather) drain(r *stream, yield func(frame.Batch) bool) error {
	for {
		n, err := r.next()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		for from := 0; from < n; {
			k, err := g.take(r, from, n)
			if err != nil {
				return err
			}
			from += k
			if g.n == frame.RunRows && !yield(g.emit()) {
				return nil
			}
		}
	}
	if g.done < g.want {
		return errOrder()
	}
	if g.n > 0 {
		yield(g.emit())
	}
	return nil
}

// take copies rows [from, n) of the stream's chunk, or as many as the batch
// has room for, and returns how many those were.
func (g *gather) take(r *stream, from, n int) (int, error) {
	if g.n == 0 {
		g.fresh()
	}
	k := min(n-from, g.room())
	if k == 0 {
		return 0, errOrder()
	}
	rows, _ := column[int64](r.chunk, 0, n)
	for _, row := range rows[from : from+k] {
		if row <= g.last {
			return 0, errOrder()
		}
		g.last = row
		if g.places {
			g.batch.Places = append(g.batch.Places, uint32(row))
		}
	}
	for j, t := range g.types {
		if t == frame.Factor {
			src, valid := column[int32](r.chunk, j+1, n)
			take(g.batch.Columns[j].Code[g.n:g.n+k], src, valid, from, -1)
		} else {
			src, valid := column[float64](r.chunk, j+1, n)
			take(g.batch.Columns[j].Real[g.n:g.n+k], src, valid, from, math.NaN())
		}
	}
	g.n += k
	g.done += int64(k)
	return k, nil
}

// room is the number of rows that the batch can still take.
func (g *gather) room() int { return g.batch.Rows - g.n }

// fresh makes an empty batch that is no larger than the rows that may come.
func (g *gather) fresh() {
	rows := int(min(frame.RunRows, g.left))
	g.batch = frame.Batch{Rows: rows, Columns: make([]frame.Values, len(g.types))}
	for j, t := range g.types {
		if t == frame.Factor {
			g.batch.Columns[j].Code = make([]int32, rows)
		} else {
			g.batch.Columns[j].Real = make([]float64, rows)
		}
	}
}

// emit returns the batch, cut to its rows, and forgets it.
func (g *gather) emit() frame.Batch {
	b := g.batch
	b.Rows = g.n
	for j := range b.Columns {
		v := &b.Columns[j]
		if v.Code != nil {
			v.Code = v.Code[:g.n]
		} else {
			v.Real = v.Real[:g.n]
		}
	}
	g.left -= int64(g.n)
	g.batch, g.n = frame.Batch{}, 0
	return b
}

// errOrder says that rows came back otherwise than they were loaded.
func errOrder() error {
	return ws.Errorf(ws.Diverged, "duckdb: order of rows",
		ws.T("the store's file gives its rows in another order or number than was loaded", "存储文件返回的行序或行数与载入时不符")).
		WithHint(ws.T("the file is damaged or was changed by another program: load the dataset again", "文件已损坏或被其他程序改动：请重新载入数据集"))
}

// Distinct implements [frame.Source].
func (s *source) Distinct(ctx context.Context, column string) ([]float64, error) {
	values, err := s.distinct(ctx, column)
	return values, ws.At("duckdb: distinct", err)
}

func (s *source) distinct(ctx context.Context, name string) ([]float64, error) {
	i, err := engine.Readable(s.info.Dictionary, name)
	if err != nil {
		return nil, err
	}
	if !s.info.Dictionary[i].Type.Numeric() {
		return nil, ws.Errorf(ws.Invalid, "column "+name, ws.T("the column is not numeric", "该列不是数值列"))
	}
	c, err := s.store.enter()
	if err != nil {
		return nil, err
	}
	defer s.store.leave(c)
	r, err := c.stream(ctx, fmt.Sprintf("SELECT DISTINCT c%[1]d FROM %[2]s WHERE c%[1]d IS NOT NULL ORDER BY c%[1]d", i, s.table))
	if err != nil {
		return nil, err
	}
	defer r.close()
	var out []float64
	for {
		n, err := r.next()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		values, _ := column[float64](r.chunk, 0, n)
		out = append(out, values...)
	}
}
