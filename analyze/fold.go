package analyze

import (
	"context"
	"errors"
	"slices"
	"sync"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/stat"
)

// FoldOptions say how a site folds its rows.
type FoldOptions struct {
	Site    ws.SiteID      // whose rows these are; presence counts institutions by it
	Sites   int            // how many sites the sum is over, for the ring's limit
	Workers int            // goroutines that fold; default 1
	Rows    func(rows int) // told how many more rows were read; may be nil
	Memory  Memory         // of the cohorts that the site answers on; nil where the asker owns the rows
}

// Fold reads a site's rows once and returns its part of the vector that s asks
// for, ready to be masked: encoded run by run, presence marked, and entries
// that rest on too few persons put to zero.
//
// Cost: one scan; memory of one batch a worker and one vector a worker.
func (p *Program) Fold(ctx context.Context, raw State, src frame.Source, o FoldOptions) (stat.Ring, error) {
	s, err := parse(raw)
	if err != nil {
		return nil, err
	}
	ps, err := p.pieces(s)
	if err != nil {
		return nil, err
	}
	shape, err := p.shape(s, ps)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.facts.Sites, o.Site) {
		return nil, ws.Errorf(ws.Other, "fold", ws.T("the rows are of no site of the study", "数据行不属于该研究的任何站点"))
	}
	if s.Phase == comparing {
		return p.distances(s, shape, o)
	}
	var seen *collector
	if s.Phase == counting && o.Memory != nil && len(p.cohorts) > 0 {
		seen = p.collect()
		seen.watch(ps)
	}
	sc := newScan(ps, shape, max(o.Sites, 1))
	sc.limited = p.facts.Policy.MinCell > 1
	q := frame.Query{Columns: sc.columns, Where: p.study.Data.Filter(), Places: seen != nil}
	ring, err := sc.run(ctx, src, q, o)
	if err != nil {
		return nil, err
	}
	if seen != nil {
		if err := p.remember(seen, o.Memory); err != nil {
			return nil, err
		}
	}
	shape.MarkPresence(ring, p.facts.Speaks(o.Site))
	if p.facts.pooled() {
		if err := p.countOrigins(ctx, sc, ring, src, q, o); err != nil {
			return nil, err
		}
	}
	shape.Suppress(ring, p.facts.Policy.MinCell)
	return ring, nil
}

// A scan folds one pass over the rows into one ring.
type scan struct {
	pieces  []piece
	offset  []int   // of each piece in the ring
	view    [][]int // of each piece: where its columns stand in the batch
	shape   stat.Shape
	columns []string // the union of all
	sites   int
	limited bool   // a cell limit holds
	chains  []Fold // of the pieces that carry from batch to batch, else nil
}

func newScan(ps []piece, shape stat.Shape, sites int) *scan {
	sc := &scan{pieces: ps, shape: shape, sites: sites, chains: make([]Fold, len(ps))}
	at := 0
	var lists [][]string
	for _, pc := range ps {
		sc.offset = append(sc.offset, at)
		at += pc.ask.Shape.Len()
		lists = append(lists, pc.ask.Query.Columns)
	}
	sc.columns, sc.view = unite(lists)
	return sc
}

// again is the same scan before any row.
func (sc *scan) again() *scan {
	out := *sc
	out.chains = make([]Fold, len(sc.pieces))
	return &out
}

func (sc *scan) run(ctx context.Context, src frame.Source, q frame.Query, o FoldOptions) (stat.Ring, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan frame.Batch)
	rings := make([]stat.Ring, max(o.Workers, 1))
	var wg sync.WaitGroup
	for w := range rings {
		rings[w] = make(stat.Ring, sc.shape.Len())
		wg.Go(func() {
			for b := range batches {
				if err := sc.add(rings[w], b); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := sc.read(ctx, src, q, batches, o.Rows)
	close(batches)
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause // the first failure, not what it brought about
	}
	if err != nil {
		return nil, stopped(err)
	}
	return sc.finish(rings)
}

func (sc *scan) read(ctx context.Context, src frame.Source, q frame.Query, out chan<- frame.Batch, rows func(int)) error {
	for b, err := range src.Scan(ctx, q) {
		if err != nil {
			return err
		}
		if err := sc.chain(b); err != nil {
			return err
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if rows != nil {
			rows(b.Rows)
		}
	}
	return ctx.Err()
}

// chain feeds the accumulators that need every row in order.
func (sc *scan) chain(b frame.Batch) error {
	for i, pc := range sc.pieces {
		if !pc.ask.Chain {
			continue
		}
		if err := sc.start(i); err != nil {
			return err
		}
		if err := sc.fold(i, sc.chains[i], b); err != nil {
			return err
		}
	}
	return nil
}

func (sc *scan) start(i int) (err error) {
	if sc.chains[i] == nil {
		sc.chains[i], err = sc.pieces[i].fold()
	}
	return err
}

func (sc *scan) fold(i int, f Fold, b frame.Batch) error {
	return sc.ofRows(f.Add(project(b, sc.view[i])))
}

// ofRows makes a refusal that hangs on what rows hold one that names no site, where a cell
// limit holds: the asker wrote the formula, and one row may bring the refusal about.
func (sc *scan) ofRows(err error) error {
	if sc.limited && ws.KindOf(err) == ws.Invalid {
		return &ws.Error{Kind: ws.Withheld, Err: err}
	}
	return err
}

// add folds one batch into a worker's ring.
func (sc *scan) add(ring stat.Ring, b frame.Batch) error {
	for i, pc := range sc.pieces {
		if pc.ask.Chain {
			continue
		}
		f, err := pc.fold()
		if err != nil {
			return err
		}
		if err := sc.fold(i, f, b); err != nil {
			return err
		}
		if err := sc.encode(ring, i, f); err != nil {
			return err
		}
	}
	return nil
}

func (sc *scan) encode(ring stat.Ring, i int, f Fold) error {
	v, err := f.Vector()
	if err == nil {
		shape := sc.pieces[i].ask.Shape
		err = shape.Encode(ring[sc.offset[i]:sc.offset[i]+shape.Len()], v, sc.sites)
	}
	return sc.ofRows(err)
}

// finish adds the workers' rings and the chained folds, and checks the total.
func (sc *scan) finish(rings []stat.Ring) (stat.Ring, error) {
	total := rings[0]
	for _, r := range rings[1:] {
		total.Add(r)
	}
	for i, pc := range sc.pieces {
		if !pc.ask.Chain {
			continue
		}
		if err := sc.start(i); err != nil {
			return nil, err
		}
		if err := sc.encode(total, i, sc.chains[i]); err != nil {
			return nil, err
		}
	}
	return total, sc.ofRows(sc.shape.Encode(total, make(stat.Vector, len(total)), sc.sites))
}

// stopped gives a cancelled scan its kind.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return ws.Errorf(ws.Stopped, "scan", ws.T("stopped", "已停止")).Wrap(err)
	}
	return err
}
