package analyze

import (
	"slices"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/study"
)

// SiteFacts are what one site publishes and signs before round 0. They come
// from its dictionary and its policy, not from its rows; the times are there
// only where its policy grants them.
type SiteFacts struct {
	Site    ws.SiteID        `json:"site"`
	Columns frame.Dictionary `json:"columns"`
	Times   []TimeFact       `json:"times,omitempty"`
	Policy  policy.Policy    `json:"policy"`
}

// SiteColumn is the factor that names a row's site. It is in every dataset,
// is constant within a site, and its levels are the sites of the study.
const SiteColumn = "site"

// maxTimes bounds the distinct times of one column over all sites.
const maxTimes = 1 << 20

// MergeFacts joins the facts of all sites, in any order, into the network's.
func MergeFacts(parts []SiteFacts) (Facts, error) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b SiteFacts) int { return compareSites(a.Site, b.Site) })
	f := Facts{}
	var dicts []frame.Dictionary
	var policies []policy.Policy
	for i, p := range parts {
		if i > 0 && parts[i-1].Site == p.Site {
			return f, ws.Errorf(ws.Diverged, "facts", ws.T("site %s spoke twice", "站点 %s 重复提交", p.Site))
		}
		if err := p.Policy.Validate(); err != nil {
			return f, ws.At("site "+string(p.Site), err)
		}
		f.Sites = append(f.Sites, p.Site)
		policies = append(policies, p.Policy)
		dicts = append(dicts, slices.DeleteFunc(slices.Clone(p.Columns), func(c frame.Column) bool { return c.Name == SiteColumn }))
	}
	columns, err := study.MergeDictionaries(f.Sites, dicts)
	if err != nil {
		return f, err
	}
	f.Columns = append(columns, siteColumn(parts, f.Sites))
	f.Policy = policy.Strictest(policies...)
	f.Times, err = mergeTimes(parts)
	return f, err
}

// siteColumn gives the levels of SiteColumn: the sites, or, where one site
// holds a pooled table that names its rows' origin, the levels there.
func siteColumn(parts []SiteFacts, sites []ws.SiteID) frame.Column {
	if len(parts) == 1 {
		if own, ok := parts[0].Columns.Lookup(SiteColumn); ok && own.Type == frame.Factor {
			return own
		}
	}
	c := frame.Column{Name: SiteColumn, Type: frame.Factor}
	for _, s := range sites {
		c.Levels = append(c.Levels, string(s))
	}
	return c
}

// mergeTimes joins the distinct times of the columns that every site published.
func mergeTimes(parts []SiteFacts) ([]TimeFact, error) {
	var out []TimeFact
	if len(parts) == 0 {
		return nil, nil
	}
	for _, first := range parts[0].Times {
		t := TimeFact{Column: first.Column}
		known := 0
		for _, p := range parts {
			if own, ok := (Facts{Times: p.Times}).ExactTimes(first.Column); ok {
				known++
				t.Values = append(t.Values, own...)
			}
		}
		if known < len(parts) {
			continue
		}
		slices.Sort(t.Values)
		t.Values = slices.Compact(t.Values)
		if len(t.Values) > maxTimes {
			return nil, ws.Errorf(ws.Invalid, "facts", ws.T("column %s has more than %d distinct times", "列 %s 的不同时间点超过 %d 个", t.Column, maxTimes)).
				WithHint(ws.T("round the times, to days for instance", "请将时间取整，例如取到天"))
		}
		out = append(out, t)
	}
	return out, nil
}

func compareSites(a, b ws.SiteID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
