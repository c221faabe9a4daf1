package engine

import (
	"context"
	"testing"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/frame/table"
)

func people(t *testing.T) frame.Source {
	t.Helper()
	d := frame.Dictionary{{Name: "age", Type: frame.Integer, Max: 120}, {Name: "mrn", Type: frame.Identifier}}
	tb, err := table.New(d, []frame.Values{{Real: []float64{18, 65, 40}}, {}})
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func failure(src frame.Source, q frame.Query) (failed error) {
	for _, err := range src.Scan(context.Background(), q) {
		failed = err
	}
	return failed
}

// A column that cannot be added makes every read Invalid.
func TestWithConstant_Refused(t *testing.T) {
	site := frame.Column{Name: "site", Type: frame.Factor, Levels: []string{"va"}}
	open := site
	open.Other = true
	for _, c := range []struct {
		col   frame.Column
		level string
		want  ws.Kind
	}{
		{site, "va", ws.Other}, // no error
		{open, "ohio", ws.Other},
		{site, "ohio", ws.Invalid},
		{frame.Column{Name: "age", Type: frame.Factor, Levels: []string{"va"}}, "va", ws.Invalid},
		{frame.Column{Name: "site", Type: frame.Real, Levels: []string{"va"}}, "va", ws.Invalid},
		{frame.Column{Name: "site", Type: frame.Identifier, Levels: []string{"va"}}, "va", ws.Invalid},
	} {
		src := WithConstant(people(t), c.col, c.level)
		err := failure(src, frame.Query{Columns: []string{"age"}})
		_, err2 := src.Distinct(context.Background(), "age")
		if (err != nil) != (c.want == ws.Invalid) || ws.KindOf(err) != c.want || ws.KindOf(err2) != c.want {
			t.Errorf("%v at level %q: %v, %v; want %v", c.col, c.level, err, err2, c.want)
		}
	}
}

// Where the constant alone decides that no row passes, src is not asked, and
// yet refuses what it would have refused.
func TestWithConstant_Queries(t *testing.T) {
	src := WithConstant(people(t), frame.Column{Name: "site", Type: frame.Factor, Levels: []string{"va", "ohio"}}, "va")
	for _, c := range []struct {
		q    frame.Query
		want ws.Kind
	}{
		{frame.Query{Columns: []string{"site", "height"}, Where: "site = 'ohio'"}, ws.Invalid},
		{frame.Query{Columns: []string{"site", "mrn"}, Where: "site = 'ohio'"}, ws.Denied},
		{frame.Query{Columns: []string{"site"}, Where: "site = 'paris'"}, ws.Invalid},
		{frame.Query{Columns: []string{"site"}, Where: "site = 'ohio' and mrn is missing"}, ws.Denied},
	} {
		if err := failure(src, c.q); ws.KindOf(err) != c.want {
			t.Errorf("%v: %v, want %v", c.q, err, c.want)
		}
	}
	if _, err := src.Distinct(context.Background(), "site"); ws.KindOf(err) != ws.Invalid {
		t.Errorf("distinct levels: %v, want invalid", err)
	}
	if got, err := src.Distinct(context.Background(), "age"); len(got) != 3 || err != nil {
		t.Errorf("distinct ages: %v, %v", got, err)
	}
}
