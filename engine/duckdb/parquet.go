package duckdb

import (
	"context"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	ws "wellspring"
	"wellspring/frame"
)

// Parquet yields the rows of a Parquet file, bound to d as
// [engine.Store].LoadParquet says, in the file's order, in batches of
// frame.RunRows rows but for the last; it stops at the first error.
func Parquet(ctx context.Context, d frame.Dictionary, path string) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		err := withParquet(path, func(s *session, path string) error {
			return s.readParquet(ctx, d, path, func(b frame.Batch) bool { return yield(b, nil) })
		})
		if err != nil {
			yield(frame.Batch{}, err)
		}
	}
}

// withParquet calls f with a session for one file. The file comes from outside,
// so it is read in a DuckDB of its own that sees this one file and no store.
func withParquet(path string, f func(s *session, path string) error) (err error) {
	defer func() {
		if err != nil {
			err = (&ws.Error{Op: "parquet", Kind: ws.KindOf(err), Err: err}).Located(ws.Position{File: path})
		}
	}()
	plain, err := plainFile(path)
	if err != nil {
		return err
	}
	o, _ := Options{}.filled()
	in, err := start(o.config(""))
	if err != nil {
		return err
	}
	defer in.close()
	if err := confine(in, "allowed_paths", plain); err != nil {
		return err
	}
	s, err := in.session()
	if err != nil {
		return err
	}
	defer s.release()
	return damaged(f(s, plain))
}

func (s *session) readParquet(ctx context.Context, d frame.Dictionary, path string, yield func(frame.Batch) bool) error {
	sql, types, err := s.parquetQuery(ctx, d, path)
	if err != nil {
		return err
	}
	r, err := s.stream(ctx, sql)
	if err != nil {
		return err
	}
	defer r.close()
	g := &gather{types: types, last: -1, left: math.MaxInt64}
	return g.drain(r, func(b frame.Batch) bool { return yield(spread(d, b)) })
}

// damaged blames the file for what DuckDB could not do with it.
func damaged(err error) error {
	if err == nil || ws.KindOf(err) != ws.Other {
		return err
	}
	return ws.Errorf(ws.Invalid, "", ws.T("this is not a readable Parquet file", "不是可读取的 Parquet 文件")).
		WithHint(ws.T("the file is damaged or of another format: write it again", "文件已损坏或格式不符：请重新导出"))
}

// plainFile refuses what DuckDB would take for a pattern of many files.
func plainFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() || strings.ContainsAny(path, "*?[]{}\x00") {
		return "", ws.Errorf(ws.Invalid, "", ws.T("not a file whose path is free of * ? [ ] { }", "不是普通文件，或路径含有 * ? [ ] { }")).
			WithHint(ws.T("rename the file or its folder", "请重命名该文件或其文件夹"))
	}
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", ws.Errorf(ws.Invalid, "", ws.T("the file cannot be opened", "无法打开文件")).Wrap(err).
			WithHint(ws.T("check the name and the permissions", "请检查文件名与权限"))
	}
	return path, nil
}

// spread puts the columns that were read into the places of d.
func spread(d frame.Dictionary, b frame.Batch) frame.Batch {
	out := frame.Batch{Rows: b.Rows, Columns: make([]frame.Values, len(d))}
	j := 0
	for i, c := range d {
		if c.Type != frame.Identifier {
			out.Columns[i] = b.Columns[j]
			j++
		}
	}
	return out
}

// parquetQuery renders the query that reads all but the identifiers of d, with
// the file's row number first.
func (s *session) parquetQuery(ctx context.Context, d frame.Dictionary, path string) (sql string, types []frame.Type, err error) {
	held, err := s.rows(ctx, describe(path))
	if err != nil {
		return "", nil, err
	}
	columns := []string{"file_row_number"}
	for i, c := range d {
		if c.Type == frame.Identifier {
			continue
		}
		k := slices.IndexFunc(held, func(row []any) bool { return row[0] == c.Name })
		if k < 0 {
			return "", nil, ws.Errorf(ws.Invalid, "column "+c.Name, ws.T("the file has no such column", "文件中没有这一列")).
				WithHint(ws.T("columns are found by their exact names, upper and lower case told apart", "列按名称精确匹配，区分大小写"))
		}
		expr, err := s.parquetColumn(ctx, i, c, held[k][1].(string))
		if err != nil {
			return "", nil, err
		}
		columns, types = append(columns, expr), append(types, c.Type)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM read_parquet(" + literal(path) + ", file_row_number = true)", types, nil
}

// parquetColumn renders one column as DOUBLE, or as INTEGER codes. What is
// none of the levels gets the code after the last: "other", or else refused by
// [engine.Check].
func (s *session) parquetColumn(ctx context.Context, i int, c frame.Column, held string) (string, error) {
	name := identifier(c.Name)
	whole, number, text := parquetType(held)
	switch {
	case c.Type.Numeric() && (number || held == truths):
		return "CAST(" + name + " AS DOUBLE)", nil
	case c.Type == frame.Factor && number && !whole:
		return fmt.Sprintf("CASE WHEN %[1]s IS NULL OR isnan(CAST(%[1]s AS DOUBLE)) THEN NULL ELSE coalesce(list_position(%[2]s, CAST(%[1]s AS DOUBLE)) - 1, %[3]d)::INTEGER END",
			name, numberLevels(c.Levels), len(c.Levels)), nil
	case c.Type == frame.Factor && (whole || text):
		levels := make([]string, len(c.Levels))
		for k, l := range c.Levels {
			levels[k] = literal(l)
		}
		if len(levels) == 0 {
			return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE 0::INTEGER END", name), nil
		}
		err := s.exec(ctx, fmt.Sprintf("CREATE TYPE e%d AS ENUM (%s)", i, strings.Join(levels, ", ")))
		return fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN NULL ELSE coalesce(enum_code(TRY_CAST(CAST(%[1]s AS VARCHAR) AS e%[2]d))::INTEGER, %[3]d) END",
			name, i, len(c.Levels)), err
	}
	return "", ws.Errorf(ws.Invalid, "column "+c.Name, ws.T("the file's type %s cannot be read as %s", "文件中的类型 %s 不能作为 %s 读取", held, string(c.Type)))
}

// truths is DuckDB's type of true and false, which read as 1 and 0 or as texts.
const truths = "BOOLEAN"

// parquetType tells what DuckDB's name of a column's type stands for; none of
// the three is a type that no study can use.
func parquetType(held string) (whole, number, text bool) {
	held, _, _ = strings.Cut(held, "(") // DECIMAL(10,2), ENUM('a', 'b')
	whole = slices.Contains([]string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
		"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}, held)
	number = whole || held == "FLOAT" || held == "DOUBLE" || held == "DECIMAL"
	return whole, number, slices.Contains([]string{"VARCHAR", "ENUM", truths, "DATE"}, held)
}

// identifier quotes a name of a column.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// numberLevels renders the list whose place k, from 1, holds the number that
// level k−1 stands for; NULL, which nothing equals, where it is no number.
func numberLevels(levels []string) string {
	list := make([]string, len(levels))
	for k, l := range levels {
		x, err := strconv.ParseFloat(l, 64)
		if err != nil || frame.LevelOf(x) != l {
			list[k] = "NULL"
			continue
		}
		list[k] = strconv.FormatFloat(x, 'e', -1, 64)
	}
	return "[" + strings.Join(list, ", ") + "]::DOUBLE[]"
}
