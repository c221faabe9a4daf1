package analyzetest

import (
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// institutions plays a case over five sites of three institutions, one of which
// conducts. Where no limit asks for institutions the answer is the pooled one;
// and whatever the policy, no entry that counts institutions is above the number
// of those that have somebody, the conductor's not counted, and each that counts
// sites is the number of sites that have.
func institutions(t *testing.T, m analyze.Method, c Case, pooled study.Result) {
	parts := Partition(c.Rows, 5, 7)
	cast := Cast{Conductor: "member", Institutions: map[ws.SiteID]ws.Institution{
		"site0": "first", "site1": "second", "site2": "member", "site3": "second", "site4": "first"}}
	pol := c.policy()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: c.study(), parts: parts, policy: pol, cast: cast, workers: 1}
	if err := r.run(); err != nil {
		t.Fatalf("institutions with two sites: %v", err)
	}
	if !c.SitesMatter {
		Same(t, "institutions with two sites", r.results[0], pooled, c.Tolerance)
	}
	silent, err := c.Silent(t, m)
	if err != nil {
		t.Fatalf("all rows at a site that does not speak: %v", err)
	}
	if !c.SitesMatter {
		Same(t, "all rows at a site that does not speak", silent, pooled, c.Tolerance)
	}
	r.policy.MinInstitutions = 3 // so that all is counted that a limit could ask for
	r.rounds, r.results = nil, nil
	r.run() // the limit may end it; what was opened until then is judged
	p, err := r.bind()
	if err != nil {
		t.Fatal(err)
	}
	own, err := r.bindTo(Cast{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.rounds) == 0 {
		t.Fatal("no round was played")
	}
	for _, rd := range r.rounds {
		r.presence(p, own, rd)
	}
}

// Silent plays a case whose rows are all at a site that does not speak for its
// institution. What must be heard of it, a flag, is heard all the same: the
// answer, or the error, is that of the pooled table.
func (c Case) Silent(t testing.TB, m analyze.Method) (study.Result, error) {
	t.Helper()
	names := []ws.SiteID{"site0", "site1"}
	all := make([]int, c.Rows.Rows())
	for i := range all {
		all[i] = i
	}
	pol := c.policy()
	pol.MinInstitutions, pol.FewInstitutions = 1, true
	r := &runner{t: t, catalog: analyze.Catalog{m}, study: c.study(), policy: pol, workers: 1,
		parts: map[ws.SiteID]frame.Source{"site0": withSite(c.Rows.Select(nil), 0, names), "site1": withSite(c.Rows.Select(all), 1, names)},
		cast:  Cast{Institutions: map[ws.SiteID]ws.Institution{"site0": "one", "site1": "one"}}}
	if err := r.run(); err != nil {
		return study.Result{}, err
	}
	return r.results[0], nil
}

// presence compares what a round opened with what each site has, which own
// tells, a program in which every site is an institution.
func (r *runner) presence(p, own *analyze.Program, rd round) {
	shape, err := p.Ask(rd.state)
	if err != nil {
		r.t.Fatal(err)
	}
	sites := make([]int64, shape.Len())
	of := make([][]ws.Institution, shape.Len())
	for _, site := range sortedSites(r.parts) {
		ring, err := own.Fold(r.t.Context(), rd.state, r.parts[site], analyze.FoldOptions{Site: site, Sites: len(r.parts), Workers: 1})
		if err != nil {
			r.t.Fatal(err)
		}
		for i, u := range ring {
			if u != (stat.Uint128{}) {
				sites[i]++
				of[i] = append(of[i], r.cast.institution(site))
			}
		}
	}
	i := 0
	for _, b := range shape {
		for range b.Len {
			opened := int64(rd.sum[i].Lo)
			most := int64(policy.Contributors(r.cast.conductor(), of[i]))
			if b.Presence && (rd.sum[i].Hi != 0 || opened > most) {
				r.t.Errorf("block %s counts %d institutions, and %d contribute", b.Name, opened, most)
			}
			if b.Flag && opened != sites[i] {
				r.t.Errorf("block %s is a flag of %d sites, and %d raise it", b.Name, opened, sites[i])
			}
			i++
		}
	}
}
