package csv

import (
	"context"
	"io"
	"maps"
	"slices"

	ws "wellspring"
)

// maxSites bounds the sites of one file.
const maxSites = 10000

// Split lists the sites that a file holds by a column that names them, in
// code-point order. Reading the file again with Options.Only{column, site}
// gives one site's records. A record that names no site, or one that
// [ws.SiteID.Validate] refuses, is Invalid. It ends with ctx, as Stopped.
func Split(ctx context.Context, path, column string, opt Options) ([]ws.SiteID, error) {
	r, err := Open(path, opt)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	at := r.Index(column)
	if at < 0 {
		return nil, r.lacks(column)
	}
	sites := map[ws.SiteID]bool{}
	for n := 0; ; n++ {
		if err := stopped(ctx, n); err != nil {
			return nil, err
		}
		fields, err := r.Read()
		if err == io.EOF {
			return slices.Sorted(maps.Keys(sites)), nil
		}
		if err != nil {
			return nil, err
		}
		field := trim(fields[at])
		if sites[ws.SiteID(field)] {
			continue
		}
		if r.Missing(field) {
			return nil, r.fault(ws.T("column %q names no site for this record", "该记录的列 %q 未给出站点", column)).
				WithHint(ws.T("name the site, or leave the record out", "请补上站点名，或去掉该记录"))
		}
		site := ws.SiteID(field)
		if err := site.Validate(); err != nil {
			return nil, r.fault(ws.T("column %q holds what cannot name a site", "列 %q 的取值不能作为站点名", column)).Wrap(err)
		}
		if sites[site] = true; len(sites) > maxSites {
			return nil, r.fault(ws.T("column %q names more than %d sites", "列 %q 给出的站点超过 %d 个", column, maxSites))
		}
	}
}
