package engine

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"wellspring/frame"
)

// Kept returns src with a memory for the rows of one query, the last, where they take
// no more than so many bytes: a run asks the same one round after round, of a version
// that never changes, and to an engine each costs more than the rows of a small table.
func Kept(src frame.Source, most int) frame.Source { return &kept{Source: src, most: most} }

type kept struct {
	frame.Source
	most int

	mu      sync.Mutex
	query   string
	batches []frame.Batch // whole; nil where they are not kept
}

// Scan implements [frame.Source].
func (k *kept) Scan(ctx context.Context, q frame.Query) iter.Seq2[frame.Batch, error] {
	if q.Places { // once a run
		return k.Source.Scan(ctx, q)
	}
	name := fmt.Sprintf("%q %q", q.Columns, q.Where)
	k.mu.Lock()
	have := k.batches
	if k.query != name {
		have = nil
	}
	k.mu.Unlock()
	if have == nil {
		return k.keep(name, k.Source.Scan(ctx, q))
	}
	return func(yield func(frame.Batch, error) bool) {
		for _, b := range have {
			if !yield(copyOf(b), nil) {
				return
			}
		}
	}
}

// keep passes rows on, and keeps them once all have come.
func (k *kept) keep(name string, rows iter.Seq2[frame.Batch, error]) iter.Seq2[frame.Batch, error] {
	return func(yield func(frame.Batch, error) bool) {
		all, size := []frame.Batch{}, 0
		for b, err := range rows {
			for _, v := range b.Columns {
				size += 8*len(v.Real) + 4*len(v.Code)
			}
			if err == nil && size <= k.most {
				all = append(all, copyOf(b))
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
		if size > k.most {
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.query, k.batches = name, all
	}
}

// copyOf is a batch of the same rows, which its receiver owns.
func copyOf(b frame.Batch) frame.Batch {
	out := frame.Batch{Rows: b.Rows, Columns: slices.Clone(b.Columns)}
	for i, v := range out.Columns {
		out.Columns[i] = frame.Values{Real: slices.Clone(v.Real), Code: slices.Clone(v.Code)}
	}
	return out
}
