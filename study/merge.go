package study

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/frame"
)

// MergeDictionaries returns the dictionary that holds at all sites: the columns
// of the first, in its order. Every site must have every column, with the same
// type and unit, but integers at one site and reals at another are reals.
// Levels are those of any site: in ascending order if numeric; else in an
// order that agrees with every site's own, the lower code point first where
// those leave a choice, and in code-point order where they contradict each
// other. Ranges are united. The answer does not depend on the order of sites,
// but for the order of columns and the titles, which are the first site's.
func MergeDictionaries(sites []ws.SiteID, ds []frame.Dictionary) (frame.Dictionary, error) {
	if len(ds) == 0 || len(sites) != len(ds) {
		return nil, ws.At("dictionary", invalid(ws.T("one dictionary a site is wanted", "每个站点应有一份字典")))
	}
	for i, d := range ds {
		if err := CheckDictionary(d); err != nil {
			return nil, ws.At("site "+string(sites[i]), err)
		}
	}
	byName := make([]map[string]frame.Column, len(ds))
	for s, d := range ds {
		byName[s] = make(map[string]frame.Column, len(d))
		for _, c := range d {
			byName[s][c.Name] = c
		}
	}
	if err := sameColumns(sites, byName); err != nil {
		return nil, err
	}
	out := make(frame.Dictionary, len(ds[0]))
	for i, c := range ds[0] {
		versions := make([]frame.Column, len(ds))
		for s := range ds {
			versions[s] = byName[s][c.Name]
		}
		merged, err := mergeColumn(sites, versions)
		if err != nil {
			return nil, err
		}
		out[i] = merged
	}
	return out, nil
}

func sameColumns(sites []ws.SiteID, byName []map[string]frame.Column) error {
	has := map[string]int{}
	for _, columns := range byName {
		for name := range columns {
			has[name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if has[name] == len(sites) {
			continue
		}
		for s, columns := range byName {
			if _, ok := columns[name]; !ok {
				return disagree(sites[s], name, ws.T("the site lacks the column %q, which another site has", "该站点缺少其他站点具有的列 %q", name)).
					WithHint(ws.T("check the spelling of the header, or leave the column out everywhere", "请检查表头拼写，或在所有站点去掉该列"))
			}
		}
	}
	return nil
}

func disagree(site ws.SiteID, column string, msg ws.Text) *ws.Error {
	return ws.Errorf(ws.Invalid, fmt.Sprintf("site %s: column %s", site, column), msg)
}

func mergeColumn(sites []ws.SiteID, versions []frame.Column) (frame.Column, error) {
	c := versions[0]
	lists := make([][]string, len(versions))
	for s, v := range versions {
		switch {
		case v.Type == c.Type:
		case v.Type.Numeric() && c.Type.Numeric():
			c.Type = frame.Real
		default:
			return c, disagree(sites[s], c.Name, ws.T("the type is %s, but %s at site %s", "类型为 %s，而在站点 %[3]s 为 %[2]s", v.Type, c.Type, sites[0])).
				WithHint(ws.T("write the same type in both dictionaries; numbers that are codes are a factor", "请在两份字典中写同一类型；作为编码的数值应为 factor"))
		}
		if v.Unit != c.Unit {
			return c, disagree(sites[s], c.Name, ws.T("the unit is %q, but %q at site %s", "单位为 %q，而在站点 %[3]s 为 %[2]q", v.Unit, c.Unit, sites[0])).
				WithHint(ws.T("convert the values at one site, and write the same UCUM unit in both dictionaries", "请在其中一个站点换算数值，并在两份字典中写同一 UCUM 单位"))
		}
		lists[s] = v.Levels
		c.Other = c.Other || v.Other
		c.Required = c.Required && v.Required
		c.Min, c.Max = min(c.Min, v.Min), max(c.Max, v.Max)
	}
	if c.Type.Numeric() {
		c.Levels = mergeNumbers(lists)
	} else {
		c.Levels = mergeLevels(lists)
	}
	if c.Other {
		c.Levels = slices.DeleteFunc(c.Levels, func(l string) bool { return l == frame.OtherLevel })
	}
	return c, nil
}

// mergeNumbers unites levels by value, each in its shortest spelling.
func mergeNumbers(lists [][]string) []string {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b string) int {
		x, _ := levelNumber(a)
		y, _ := levelNumber(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	return slices.CompactFunc(all, func(a, b string) bool {
		x, _ := levelNumber(a)
		y, _ := levelNumber(b)
		return x == y
	})
}

// mergeLevels unites lists of levels in an order in which each list is in its
// own (Kahn, CACM 5(11), 1962, doi:10.1145/368996.369025).
func mergeLevels(lists [][]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	all = slices.Compact(all)
	after := map[string][]string{} // a level → those that follow it directly
	before := map[string]int{}     // a level → how many edges lead to it
	for _, list := range lists {
		for i := 1; i < len(list); i++ {
			after[list[i-1]] = append(after[list[i-1]], list[i])
			before[list[i]]++
		}
	}
	free := slices.DeleteFunc(slices.Clone(all), func(l string) bool { return before[l] > 0 })
	order := make([]string, 0, len(all))
	for len(free) > 0 {
		l := free[0]
		free = free[1:]
		order = append(order, l)
		for _, next := range after[l] {
			if before[next]--; before[next] == 0 {
				at, _ := slices.BinarySearch(free, next)
				free = slices.Insert(free, at, next)
			}
		}
	}
	if len(order) < len(all) { // a cycle: the sites contradict each other
		return all
	}
	return order
}
