package analyze

import (
	"slices"

	"wellspring/formula"
	"wellspring/frame"
	"wellspring/policy"
)

// filter judges the study's row filter against the dictionary, before any row
// is read.
func filter(where string, f Facts) error {
	if where == "" {
		return nil
	}
	parsed, err := frame.ParseFilter(where, f.Columns)
	if err != nil {
		return err
	}
	return f.Policy.Strings("filter", parsed.Texts())
}

// texts judges what a formula has in quotes.
func texts(f *formula.Frame, p policy.Policy) error {
	return p.Strings("formula", f.Model().Texts())
}

// levels judges how many levels the dictionary gives the factors of a frame.
func levels(f *formula.Frame, p policy.Policy) error {
	for i, g := range f.Factors() {
		if siteStrata(f, i) {
			continue
		}
		if err := p.Levels("factor "+g.Name, len(g.Levels)); err != nil {
			return err
		}
	}
	return nil
}

// siteStrata reports whether factor i is the site as a stratum. A sum over such
// strata shows none of them, so a network may have any number of sites.
func siteStrata(f *formula.Frame, i int) bool {
	return f.Factors()[i].Column == SiteColumn && slices.Contains(f.Roles().Strata, i)
}

// judgeDensity judges the levels of each factor against the rows that hold them; where nobody must look like too
// few, all levels that a row may have.
func (g guarded) judgeDensity(t Totals, p policy.Policy) error {
	for i, f := range g.frame.Factors() {
		if siteStrata(g.frame, i) {
			continue
		}
		held := int64(0)
		for l, n := range t.Levels[i] {
			if n > 0 || g.scope.veils && !g.void(partition{factors: []int{i}}, l, n) {
				held++
			}
		}
		if err := p.LevelDensity("factor "+f.Name, held, t.Complete); err != nil {
			return err
		}
	}
	return nil
}
