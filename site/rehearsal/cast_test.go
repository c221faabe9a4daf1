package rehearsal_test

import (
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/policy"
	"wellspring/site/rehearsal"
)

// limited gives the sites of a network the product's policy, and an institution
// where named.
func limited(t *testing.T, n int, bad map[int]error, of map[ws.SiteID]ws.Institution) []rehearsal.Site {
	t.Helper()
	sites := network(t, n, bad)
	for i := range sites {
		sites[i].Policy = policy.Default()
		sites[i].Institution = of[sites[i].ID]
	}
	return sites
}

// Limits count institutions, of which one may have several sites and one may
// conduct; Enough says the same before any row is there.
func TestRun_Institutions(t *testing.T) {
	two := map[ws.SiteID]ws.Institution{"site1": "one", "site2": "one"}
	centres := map[ws.SiteID]ws.Institution{"site1": rehearsal.Centre}
	for name, c := range map[string]struct {
		sites     int
		of        map[ws.SiteID]ws.Institution
		conductor ws.SiteID
		want      ws.Kind
	}{
		"three":                                   {3, nil, "", ws.Other},
		"three sites of two":                      {3, two, "", ws.Denied},
		"four sites of three":                     {4, two, "", ws.Other},
		"a member conducts for two others":        {3, nil, "site1", ws.Denied},
		"a member conducts for three others":      {4, nil, "site4", ws.Other},
		"one of two sites conducts":               {4, two, "site2", ws.Denied},
		"one of two sites conducts, three more":   {5, two, "site2", ws.Other},
		"the hub's institution has the third":     {3, centres, "", ws.Denied},
		"the hub's institution has one of four":   {4, centres, "", ws.Other},
		"somebody who is no member shall conduct": {4, nil, "elsewhere", ws.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			sites := limited(t, c.sites, nil, c.of)
			o := rehearsal.Options{Catalog: catalog, Conductor: c.conductor}
			got, err := rehearsal.Run(t.Context(), question(), sites, o)
			first := rehearsal.Enough(sites, c.conductor)
			if ws.KindOf(err) != c.want || ws.KindOf(first) != c.want || (err == nil) != (c.want == ws.Other) || (first == nil) != (err == nil) {
				t.Fatalf("run: %v, beforehand: %v; want kind %v", err, first, c.want)
			}
			if err == nil && len(got.Document.Sites) != c.sites {
				t.Errorf("the document names %v", got.Document.Sites)
			}
		})
	}
}

// A site may be called as the hub is, and as its institution is: it counts.
func TestRun_Named(t *testing.T) {
	sites := limited(t, 3, nil, nil)
	sites[0].ID, sites[1].ID = rehearsal.Hub, ws.SiteID(rehearsal.Centre)
	got, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog})
	if err != nil || !slices.Contains(got.Document.Sites, rehearsal.Hub) {
		t.Errorf("error %v", err)
	}
}

// A limit that a site's rows meet, and a policy, reach the asker without the
// site's name; a mistake in its rows comes with it.
func TestRun_Refused(t *testing.T) {
	for kind, text := range map[ws.Kind]string{ws.Withheld: "one person would carry", ws.Denied: "not granted", ws.Invalid: "outside the dictionary"} {
		bad := ws.Errorf(kind, "influence of age", ws.T("one person would carry too much", "单个人所占过大"))
		switch kind {
		case ws.Denied:
			bad.Msg = ws.T("not granted", "未获许可")
		case ws.Invalid:
			bad.Msg = ws.T("outside the dictionary", "超出字典")
		}
		bad = bad.WithHint(ws.T("do something", "请处理"))
		for _, at := range []int{0, 2, 4} {
			sites := limited(t, 5, map[int]error{at: bad}, nil)
			got, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog})
			if got != nil || ws.KindOf(err) != kind || !strings.Contains(err.Error(), text) || ws.HintOf(err).Zh != "请处理" {
				t.Fatalf("error %v of kind %v", err, ws.KindOf(err))
			}
			if named := strings.Contains(err.Error(), string(sites[at].ID)); named != (kind == ws.Invalid) {
				t.Errorf("%v: the asker reads %q", kind, err)
			}
		}
	}
}

// The same of a row that truly carries too much.
func TestRun_Influence(t *testing.T) {
	sites := limited(t, 4, nil, nil)
	rows := sites[1].Rows.(source)
	rows.Table = ages(t, 20, 20, 21, 22, 21, 20, 23, 24, 22, 21, 20, 20, 21, 100)
	for i := range sites {
		if i != 1 {
			s := sites[i].Rows.(source)
			s.Table = ages(t, 20, 21, 20, 22, 21, 20, 20, 21, 22, 20, 21)
			sites[i].Rows = s
		}
	}
	sites[1].Rows = rows
	_, err := rehearsal.Run(t.Context(), question(), sites, rehearsal.Options{Catalog: catalog})
	if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "one person") {
		t.Fatalf("error %v", err)
	}
	if strings.Contains(err.Error(), "site1") || strings.Contains(err.Error(), string(sites[1].ID)) || strings.Contains(err.Error(), "100") {
		t.Errorf("the asker reads %q", err)
	}
}
