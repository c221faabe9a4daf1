package policy

import (
	"slices"
	"strings"

	"wellspring/formula"
	"wellspring/study"
)

// Same reports whether two studies ask one question, as far as their texts tell:
// some analysis of either reads the same columns of the same dataset. It looks
// neither at names, titles, order or methods nor at the filter, since a study is
// easily worded otherwise, and a filter may leave out nobody, or few.
//
// # Not promised
//
// A column more, which says nothing, makes another question here. Whether two
// cohorts are near each other only the rows can tell.
func Same(a, b *study.Study) bool {
	if a.Data.Dataset != b.Data.Dataset {
		return false
	}
	first := questions(a)
	return slices.ContainsFunc(questions(b), func(q string) bool { return slices.Contains(first, q) })
}

// siteColumn is the same in all rows of a site.
const siteColumn = "site"

// questions lists the sets of columns that the analyses of a study read; of a
// list of variables each counts for itself, and of a table with layers each of the
// two-way tables whose cells are its totals. Weights and groups are left out: the
// sums with them add up to those without.
func questions(s *study.Study) (out []string) {
	for _, a := range s.All() {
		for _, v := range a.Variables {
			out = append(out, v)
		}
		if m, err := formula.Parse(a.Formula); err == nil {
			out = append(out, question(m.Columns()...)...)
			continue
		}
		out = append(out, question(a.Rows, a.Columns, a.Layers)...)
		if a.Layers != "" {
			for _, two := range [][]string{{a.Rows, a.Columns}, {a.Rows, a.Layers}, {a.Columns, a.Layers}} {
				out = append(out, question(two...)...)
			}
		}
	}
	return out
}

// question is the set of some columns, if it has any.
func question(columns ...string) []string {
	columns = slices.DeleteFunc(columns, func(c string) bool { return c == "" || c == siteColumn })
	if len(columns) == 0 {
		return nil
	}
	slices.Sort(columns)
	return []string{strings.Join(columns, "\x00")}
}
