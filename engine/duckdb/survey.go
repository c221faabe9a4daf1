package duckdb

import (
	"context"
	"math"
	"strings"
	"unsafe"

	duck "github.com/duckdb/duckdb-go-bindings"

	ws "wellspring"
	"wellspring/frame/draft"
)

// SurveyParquet shows every value of a Parquet file to s, so that a dictionary
// can be drafted by which [Parquet] then reads the file. True and false are 1
// and 0; a column of times, bytes, or of several values a row is an identifier,
// since no study can use it. The file is read once, from beginning to end.
func SurveyParquet(ctx context.Context, path string, s *draft.Survey) error {
	return withParquet(path, func(in *session, plain string) error {
		held, err := in.rows(ctx, describe(plain))
		if err != nil {
			return err
		}
		header := make([]string, len(held))
		for i, h := range held {
			if header[i] = h[0].(string); !draft.Fits(header[i]) {
				return ws.Errorf(ws.Invalid, "columns", ws.T("the name of column %d has control characters or more than %d characters", "第 %d 列的列名含控制字符或超过 %d 个字符", i+1, draft.MaxName)).
					WithHint(ws.T("give the column a short name", "请改用简短的列名"))
			}
		}
		columns, err := s.File(path, header)
		if err != nil {
			return err
		}
		sql, seen, texts := surveyQuery(held, columns)
		if len(seen) == 0 {
			return nil
		}
		r, err := in.stream(ctx, "SELECT "+sql+" FROM read_parquet("+literal(plain)+")")
		if err != nil {
			return err
		}
		defer r.close()
		return showChunks(r, seen, texts)
	})
}

func describe(path string) string {
	return "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(" + literal(path) + "))"
}

// surveyQuery renders the columns that can be used, as DOUBLE or VARCHAR, and
// says of each which it is.
func surveyQuery(held [][]any, columns []*draft.Column) (sql string, seen []*draft.Column, texts []bool) {
	var list []string
	for i, h := range held {
		name, typ := identifier(h[0].(string)), h[1].(string)
		_, number, text := parquetType(typ)
		switch {
		case number || typ == truths:
			list, texts = append(list, "CAST("+name+" AS DOUBLE)"), append(texts, false)
		case text:
			list, texts = append(list, "CAST("+name+" AS VARCHAR)"), append(texts, true)
		default:
			columns[i].Identify()
			continue
		}
		seen = append(seen, columns[i])
	}
	return strings.Join(list, ", "), seen, texts
}

func showChunks(r *stream, columns []*draft.Column, texts []bool) error {
	for {
		n, err := r.next()
		if err != nil || n == 0 {
			return err
		}
		for j, c := range columns {
			if texts[j] {
				showTexts(c, r.chunk, j, n)
				continue
			}
			x, valid := column[float64](r.chunk, j, n)
			for i, v := range x {
				if !held(valid, i) {
					c.Missing()
					continue
				}
				if math.IsInf(v, 0) {
					return ws.Errorf(ws.Invalid, "column "+c.Name(), ws.T("a value is infinite", "存在无穷大的值")).
						WithHint(ws.T("write such values as missing", "请将此类值写为缺失"))
				}
				c.Value(v)
			}
		}
	}
}

func showTexts(c *draft.Column, chunk duck.DataChunk, j, n int) {
	v := duck.DataChunkGetVector(chunk, duck.IdxT(j))
	s := unsafe.Slice((*duck.StringT)(duck.VectorGetData(v)), n)
	var valid []uint64
	if mask := duck.VectorGetValidity(v); mask != nil {
		valid = unsafe.Slice((*uint64)(mask), (n+63)/64)
	}
	for i := range s {
		if held(valid, i) {
			c.Text([]byte(duck.StringTData(&s[i])))
		} else {
			c.Missing()
		}
	}
}

// held reports whether value i is not NULL.
func held(valid []uint64, i int) bool { return valid == nil || valid[i/64]>>(i%64)&1 == 1 }
