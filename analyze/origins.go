package analyze

import (
	"context"
	"iter"
	"slices"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/stat"
)

// A pooled table is the rows of many sites at one, with SiteColumn saying where
// each is from. Under limits its answer is that of the sites together: what
// counts institutions counts origins, each as an institution of its own.

// pooled reports whether the one site of f holds a pooled table.
func (f Facts) pooled() bool {
	levels := f.origins()
	return len(f.Sites) == 1 && !(len(levels) == 1 && levels[0] == string(f.Sites[0]))
}

// origins lists the levels of SiteColumn.
func (f Facts) origins() []string {
	c, _ := f.Columns.Lookup(SiteColumn)
	return c.Levels
}

// countOrigins puts into the entries of ring that count institutions how many
// origins of a pooled table have any. Cost: a scan an origin.
func (p *Program) countOrigins(ctx context.Context, sc *scan, ring stat.Ring, src frame.Source, q frame.Query, o FoldOptions) error {
	if !slices.ContainsFunc(sc.shape, func(b stat.Block) bool { return b.Presence }) {
		return nil
	}
	counts := make(stat.Ring, len(ring))
	for code := range p.facts.origins() {
		own, err := sc.again().run(ctx, origin{src, int32(code)}, q, FoldOptions{Sites: o.Sites, Workers: o.Workers})
		if err != nil {
			return err
		}
		sc.shape.MarkPresence(own, true)
		counts.Add(own)
	}
	at := 0
	for _, b := range sc.shape {
		if b.Presence {
			copy(ring[at:at+b.Len], counts[at:at+b.Len])
		}
		at += b.Len
	}
	return nil
}

// An origin is the rows of a pooled table that are from one site.
type origin struct {
	frame.Source
	code int32
}

// Scan yields the rows of q that are of the origin.
func (o origin) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	at := slices.Index(q.Columns, SiteColumn)
	asked := at >= 0
	if !asked {
		at = len(q.Columns)
		q.Columns = append(slices.Clone(q.Columns), SiteColumn)
	}
	return func(yield func(frame.Batch, error) bool) {
		for b, err := range o.Source.Scan(ctx, q) {
			if err == nil {
				b, err = o.pick(b, at)
			}
			if err == nil && !asked {
				b.Columns = b.Columns[:at]
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// pick keeps the rows whose column at has the origin's code.
func (o origin) pick(b frame.Batch, at int) (frame.Batch, error) {
	if len(b.Columns[at].Code) != b.Rows {
		return b, ws.Errorf(ws.Other, "origin", ws.T("the site column is no factor", "站点列不是分类变量"))
	}
	out := frame.Batch{Columns: make([]frame.Values, len(b.Columns))}
	for r, code := range b.Columns[at].Code {
		if code != o.code {
			continue
		}
		out.Rows++
		for c, v := range b.Columns {
			if v.Code != nil {
				out.Columns[c].Code = append(out.Columns[c].Code, v.Code[r])
			} else {
				out.Columns[c].Real = append(out.Columns[c].Real, v.Real[r])
			}
		}
	}
	for c, v := range b.Columns { // an empty column keeps its type
		if out.Rows == 0 && v.Code != nil {
			out.Columns[c].Code = []int32{}
		} else if out.Rows == 0 {
			out.Columns[c].Real = []float64{}
		}
	}
	return out, nil
}
