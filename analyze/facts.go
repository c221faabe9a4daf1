package analyze

import (
	"slices"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/study"
)

// SiteFacts are what one site publishes and signs before round 0. They come
// from its dictionary and its policy, not from its rows; the times are there
// only where its policy grants them.
type SiteFacts struct {
	Site        ws.SiteID        `json:"site"`
	Institution ws.Institution   `json:"institution"` // that it belongs to
	Columns     frame.Dictionary `json:"columns"`
	Times       []TimeFact       `json:"times,omitempty"`
	Policy      policy.Policy    `json:"policy"`
	// Earlier are the cohorts on which the site answered the asker's group
	// before, or may have.
	Earlier []near.Cohort `json:"earlier,omitempty"`
	// Remembers says that the site keeps the cohorts on which it answers; in a rehearsal, where the
	// asker owns the rows, none does.
	Remembers bool `json:"remembers,omitempty"`
}

// remembers reports whether the sites keep cohorts; all of them do, or none.
func remembers(parts []SiteFacts) (bool, error) {
	for _, p := range parts {
		if p.Remembers != parts[0].Remembers {
			return false, ws.Errorf(ws.Denied, "facts", ws.T("sites %s and %s do not both remember whom they answered", "站点 %s 与 %s 未同时保存答复记录", parts[0].Site, p.Site)).
				WithHint(ws.T("ask their people whether both run the same release", "请向其人员确认双方运行同一版本"))
		}
	}
	return len(parts) > 0 && parts[0].Remembers, nil
}

// Own are the facts without [SiteColumn], which of several sites follows from who
// they are: with it everybody's facts would be as long as there are sites, and all of
// them, which go to everybody, as long as the square of that.
func (f SiteFacts) Own() SiteFacts {
	f.Columns = slices.DeleteFunc(slices.Clone(f.Columns), func(c frame.Column) bool { return c.Name == SiteColumn })
	return f
}

// SiteColumn is the factor that names a row's site. It is in every dataset,
// is constant within a site, and its levels are the sites of the study.
const SiteColumn = "site"

// maxTimes bounds the distinct times of one column over all sites.
const maxTimes = 1 << 20

// MergeFacts joins the facts of all sites, in any order, into the network's.
// The conductor is the institution that conducts; it may have sites of its own.
func MergeFacts(parts []SiteFacts, conductor ws.Institution) (Facts, error) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b SiteFacts) int { return compareSites(a.Site, b.Site) })
	f := Facts{Conductor: conductor}
	var dicts []frame.Dictionary
	var policies []policy.Policy
	var earlier []near.Told
	for i, p := range parts {
		if i > 0 && parts[i-1].Site == p.Site {
			return f, ws.Errorf(ws.Diverged, "facts", ws.T("site %s spoke twice", "站点 %s 重复提交", p.Site))
		}
		if err := p.Policy.Validate(); err != nil {
			return f, ws.At("site "+string(p.Site), err)
		}
		if err := p.Institution.Validate(); err != nil {
			return f, ws.At("site "+string(p.Site), err)
		}
		f.Sites, f.Institutions = append(f.Sites, p.Site), append(f.Institutions, p.Institution)
		policies, earlier = append(policies, p.Policy), append(earlier, near.Told{Site: p.Site, Cohorts: p.Earlier})
		dicts = append(dicts, p.Own().Columns)
		if p.Policy.Review != policy.NoReview {
			f.Reviewers = append(f.Reviewers, Reviewer{p.Site, p.Policy.Review})
		}
	}
	columns, err := study.MergeDictionaries(f.Sites, dicts)
	if err != nil {
		return f, err
	}
	f.Columns = append(columns, siteColumn(parts, f.Sites))
	f.Policy = policy.Strictest(policies...)
	if f.Remembers, err = remembers(parts); err != nil {
		return f, err
	}
	if f.Earlier, err = near.Merge(earlier...); err != nil {
		return f, err
	}
	f.Times, err = mergeTimes(parts)
	return f, err
}

// Speaks reports whether a site speaks for its institution where institutions
// are counted: of the sites of one institution the first does, and none of the
// conductor's. A sum of what these have is a lower bound of the institutions
// that contribute: one whose first site has nobody and whose second has is
// counted short, which makes limits stricter and never laxer. To count it would
// need a product, and not a sum, of what its sites have.
func (f Facts) Speaks(site ws.SiteID) bool {
	i := slices.Index(f.Sites, site)
	return i >= 0 && f.Institutions[i] != f.Conductor && slices.Index(f.Institutions, f.Institutions[i]) == i
}

// Contributors counts the institutions of some sites, the conductor's left out.
func (f Facts) Contributors(sites []ws.SiteID) int {
	if f.pooled() {
		return len(f.origins())
	}
	var of []ws.Institution
	for i, s := range f.Sites {
		if slices.Contains(sites, s) {
			of = append(of, f.Institutions[i])
		}
	}
	return policy.Contributors(f.Conductor, of)
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
