package analyze_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/analyzetest"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/policy"
	"wellspring/study"
)

// drugs is a dictionary with a factor of n levels, one of two whose second has
// a name of the given length, and what else a model wants.
func drugs(n, length int) frame.Dictionary {
	d := frame.Dictionary{{Name: "drug", Type: frame.Factor}, {Name: "g", Type: frame.Factor, Levels: []string{"a", strings.Repeat("长", length)}},
		{Name: "y", Type: frame.Real, Min: -1, Max: 100}, {Name: "t", Type: frame.Real, Min: 1, Max: 100}, {Name: "dead", Type: frame.Integer, Max: 1}}
	for i := range n {
		d[0].Levels = append(d[0].Levels, fmt.Sprintf("d%d", i))
	}
	return d
}

// bound binds a study to a dictionary, without a row, at more sites than there
// may be levels.
func bound(t *testing.T, s *study.Study, d frame.Dictionary, p policy.Policy) error {
	t.Helper()
	var sites []analyze.SiteFacts
	for i := range 50 {
		id := fmt.Sprintf("s%02d", i)
		sites = append(sites, analyze.SiteFacts{Site: ws.SiteID(id), Institution: ws.Institution(id), Columns: d, Policy: p})
	}
	f, err := analyze.MergeFacts(sites, "centre")
	if err != nil {
		t.Fatal(err)
	}
	_, err = analyze.New(every, s.WithDefaults(), f)
	return err
}

// The dictionary alone tells that a factor has too many levels, whatever the
// factor is used for; the sites of strata(site) are no such levels.
func TestLevels(t *testing.T) {
	for _, a := range []study.Analysis{
		{Method: "describe", Variables: []string{"drug"}},
		{Method: "describe", Variables: []string{"y"}, By: "drug"},
		{Method: "quantile", Variables: []string{"y"}, By: "drug"},
		{Method: "crosstab", Rows: "drug", Columns: "g"},
		{Method: "chisq", Rows: "g", Columns: "drug"},
		{Method: "ttest", Formula: "y ~ drug"},
		{Method: "glm", Formula: "y ~ t * drug"},
		{Method: "cox", Formula: "Surv(t, dead) ~ y + strata(drug)"},
		{Method: "km", Formula: "Surv(t, dead) ~ drug"},
		{Method: "logrank", Formula: "Surv(t, dead) ~ g + strata(drug)"},
	} {
		if err := bound(t, ask(a), drugs(40, 1), policy.Default()); err != nil {
			t.Errorf("%s, forty levels: %v", a.Method, err)
		}
		err := bound(t, ask(a), drugs(41, 1), policy.Default())
		if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "factor drug") || strings.Contains(err.Error(), "4") {
			t.Errorf("%s, more than forty levels: %v", a.Method, err)
		}
		if err := bound(t, ask(a), drugs(41, 1), policy.Public()); err != nil {
			t.Errorf("%s, no limit: %v", a.Method, err)
		}
	}
	a := study.Analysis{Method: "cox", Formula: "Surv(t, dead) ~ y + strata(site)"}
	if err := bound(t, ask(a), drugs(2, 1), policy.Default()); err != nil {
		t.Errorf("strata(site) at more sites than there may be levels: %v", err)
	}
}

// A long text in quotes is refused wherever it stands in a filter or a formula.
func TestTexts(t *testing.T) {
	for _, text := range []string{"dead = 1 or (y > 2 and g in ('a', '?'))", "g != '?'", "not (g = '?' or y is missing)"} {
		for length, want := range map[int]ws.Kind{80: ws.Other, 81: ws.Withheld} {
			s := where(strings.ReplaceAll(text, "?", strings.Repeat("长", length)), study.Analysis{Method: "describe", Variables: []string{"y"}})
			if err := bound(t, s, drugs(2, length), policy.Default()); ws.KindOf(err) != want {
				t.Errorf("%s with %d characters: %v", text, length, err)
			}
			if err := bound(t, s, drugs(2, length), policy.Public()); err != nil {
				t.Errorf("%s with %d characters, no limit: %v", text, length, err)
			}
		}
	}
	for _, text := range []string{"y ~ I(g == '?')", "y ~ t + relevel(g, ref = '?')", "(g == '?') ~ t", "y ~ I(g %in% c('a', '?'))"} {
		for length, want := range map[int]ws.Kind{80: ws.Other, 81: ws.Withheld} {
			s := ask(study.Analysis{Method: "glm", Formula: strings.ReplaceAll(text, "?", strings.Repeat("长", length))})
			err := bound(t, s, drugs(2, length), policy.Default())
			if ws.KindOf(err) != want || err != nil && !strings.Contains(err.Error(), "max_string") {
				t.Errorf("%s with %d characters: %v", text, length, err)
			}
		}
	}
}

// Levels that hold rows are a third of the rows at most, those of sites left out.
func TestLevelDensity(t *testing.T) {
	rows := func(held int) *table.Table {
		var drug, g []int32
		var y, times, dead []float64
		for i := range 30 {
			drug, g = append(drug, int32(i%held)), append(g, int32(i%2))
			y, times, dead = append(y, float64(i%7)), append(times, float64(1+i%5)), append(dead, float64(i%3%2))
		}
		out, err := table.New(drugs(12, 1), []frame.Values{{Code: drug}, {Code: g}, {Real: y}, {Real: times}, {Real: dead}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	few := policy.Default()
	few.MinCell, few.MinInstitutions = 1, 1
	few.MaxParameters, few.MaxScalars = 1, 1e300
	for _, a := range []study.Analysis{
		{Method: "describe", Variables: []string{"drug"}}, {Method: "describe", Variables: []string{"y"}, By: "drug"},
		{Method: "crosstab", Rows: "g", Columns: "drug"}, {Method: "cox", Formula: "Surv(t, dead) ~ g + strata(drug)"},
	} {
		if _, err := analyzetest.Play(t, every, ask(a), spread(rows(9), 3, 0), few); err != nil {
			t.Errorf("%s, nine levels of thirty rows: %v", a.Method, err)
		}
		_, err := analyzetest.Play(t, every, ask(a), spread(rows(10), 3, 0), few)
		if ws.KindOf(err) != ws.Withheld || !strings.Contains(err.Error(), "factor drug") {
			t.Errorf("%s, ten levels of thirty rows: %v", a.Method, err)
		}
	}
	parts := spread(rows(9), 12, 0)
	site := frame.Column{Name: analyze.SiteColumn, Type: frame.Factor}
	for _, id := range slices.Sorted(maps.Keys(parts)) {
		site.Levels = append(site.Levels, string(id))
	}
	for i, id := range site.Levels {
		part := parts[ws.SiteID(id)].(*table.Table)
		sited, err := part.With(site, frame.Values{Code: slices.Repeat([]int32{int32(i)}, part.Rows())})
		if err != nil {
			t.Fatal(err)
		}
		parts[ws.SiteID(id)] = sited
	}
	a := study.Analysis{Method: "cox", Formula: "Surv(t, dead) ~ y + strata(site)"}
	if _, err := analyzetest.Play(t, every, ask(a), parts, few); err != nil {
		t.Errorf("twelve sites of thirty rows: %v", err)
	}
}
