package main

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/collect/csv"
	"wellspring/engine"
	"wellspring/engine/duckdb"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/site/rehearsal"
)

// dataset is the name of a simulated site's only dataset.
const dataset = "rows"

// An input is where one simulated site finds its rows.
type input struct {
	site        ws.SiteID
	institution ws.Institution // one of its own where empty
	path        string
	opt         csv.Options
	dict        frame.Dictionary // that binds the rows; see dictionaries
	// strays are columns that would hold numbers but for a few values; see draft.Survey.
	strays map[string]ws.Position
}

func (in input) parquet() bool { return strings.EqualFold(filepath.Ext(in.path), ".parquet") }

// A clinic holds the simulated sites and the folder in which they live: a
// DuckDB file, a key and a journal each.
type clinic struct {
	dir   string
	host  *duckdb.Host
	sites []rehearsal.Site
}

// openClinic makes a folder for the sites, under the system's temporary one.
func openClinic() (*clinic, error) {
	dir, err := os.MkdirTemp("", "wellspring-")
	if err != nil {
		return nil, ws.Errorf(ws.Other, "simulate", ws.T("no temporary folder can be made", "无法创建临时文件夹")).Wrap(err)
	}
	h, err := duckdb.OpenHost(dir, duckdb.Options{MemoryMiB: 256})
	if err != nil {
		return nil, err
	}
	return &clinic{dir: dir, host: h}, nil
}

// close removes the sites with all that they held.
func (c *clinic) close() {
	c.host.Close()
	os.RemoveAll(c.dir)
}

// siteColumn is the factor whose levels are the sites of the inputs.
func siteColumn(inputs []input) frame.Column {
	c := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor}
	for _, in := range inputs {
		c.Levels = append(c.Levels, string(in.site))
	}
	slices.Sort(c.Levels)
	return c
}

// admit loads every input into a site of its own.
func (c *clinic) admit(ctx context.Context, inputs []input, p policy.Policy) error {
	column := siteColumn(inputs)
	for _, in := range inputs {
		src, err := c.load(ctx, in.site, withoutSite(in.dict), []input{in}, nil)
		if err != nil {
			return ws.At("site "+string(in.site), err)
		}
		c.add(in, engine.WithConstant(src, column, string(in.site)), p)
	}
	return nil
}

// pool loads all inputs into one site, each row with the site that it is from.
func (c *clinic) pool(ctx context.Context, inputs []input, p policy.Policy) error {
	column := siteColumn(inputs)
	d, err := merged(inputs)
	if err != nil {
		return err
	}
	d = append(d, column)
	src, err := c.load(ctx, "pooled", d, inputs, &column)
	if err != nil {
		return err
	}
	p.FewInstitutions = true // one table is at one place; what counts institutions counts where its rows are from
	c.add(input{site: "pooled"}, src, p)
	return nil
}

func (c *clinic) add(in input, src frame.Source, p policy.Policy) {
	c.sites = append(c.sites, rehearsal.Site{ID: in.site, Institution: in.institution, Rows: src, Policy: p, Dir: filepath.Join(c.dir, string(in.site))})
}

// load puts the rows of some inputs into one store, frozen; see batches.
func (c *clinic) load(ctx context.Context, id ws.SiteID, d frame.Dictionary, inputs []input, column *frame.Column) (frame.Source, error) {
	if err := os.MkdirAll(filepath.Join(c.dir, string(id)), 0o700); err != nil {
		return nil, ws.Errorf(ws.Other, "simulate", ws.T("the site's folder cannot be made", "无法创建站点文件夹")).Wrap(err)
	}
	store, err := c.host.Store(ctx, string(id)+".duckdb")
	if err != nil {
		return nil, err
	}
	if err := store.Load(ctx, dataset, d, batches(ctx, inputs, d, column)); err != nil {
		return nil, err
	}
	v, err := store.Freeze(ctx, dataset)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, dataset, v)
}

// batches reads the files of some inputs one after the other. Where column is
// given it is the last of d, and is filled with the input's site.
func batches(ctx context.Context, inputs []input, d frame.Dictionary, column *frame.Column) iter.Seq2[frame.Batch, error] {
	if column != nil {
		d = d[:len(d)-1]
	}
	return func(yield func(frame.Batch, error) bool) {
		for _, in := range inputs {
			for b, err := range in.rows(ctx, d) {
				if err == nil && column != nil {
					code := int32(slices.Index(column.Levels, string(in.site)))
					b.Columns = append(b.Columns, frame.Values{Code: slices.Repeat([]int32{code}, b.Rows)})
				}
				if !yield(b, err) || err != nil {
					return
				}
			}
		}
	}
}

// rows reads a file, bound to d.
func (in input) rows(ctx context.Context, d frame.Dictionary) iter.Seq2[frame.Batch, error] {
	if in.parquet() {
		return duckdb.Parquet(ctx, d, in.path)
	}
	return func(yield func(frame.Batch, error) bool) {
		r, err := csv.Open(in.path, in.opt)
		if err != nil {
			yield(frame.Batch{}, err)
			return
		}
		defer r.Close()
		r.Load(d)(yield)
	}
}
