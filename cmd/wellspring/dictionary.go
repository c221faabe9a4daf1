package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/collect/csv"
	"wellspring/engine/duckdb"
	"wellspring/formula"
	"wellspring/frame"
	"wellspring/frame/draft"
	"wellspring/study"
)

// dictionaries gives every input the dictionary that binds its rows. A flag is
// FILE, for all sites, or NAME=FILE, for one, which comes before the former.
// Inputs that neither names share one that is inferred from their own rows.
func dictionaries(ctx context.Context, flags []string, inputs []input) error {
	all, own, err := dictionaryFiles(flags, inputs)
	if err != nil {
		return err
	}
	read := map[string]frame.Dictionary{}
	var rest []int
	for i, in := range inputs {
		file := all
		if f, ok := own[in.site]; ok {
			file = f
		}
		if file == "" {
			rest = append(rest, i)
			continue
		}
		if read[file] == nil {
			if read[file], err = readDictionary(file); err != nil {
				return err
			}
		}
		inputs[i].dict = read[file]
	}
	return inferRest(ctx, inputs, rest)
}

// dictionaryFiles parts the flags into the file for all sites and those for
// one. What stands before = is a site where it could be one's name: a path
// with a = in it may begin with ./
func dictionaryFiles(flags []string, inputs []input) (all string, own map[ws.SiteID]string, err error) {
	own = map[ws.SiteID]string{}
	for _, v := range flags {
		name, path, given := strings.Cut(v, "=")
		id := ws.SiteID(name)
		if !given || id.Validate() != nil {
			if all != "" {
				return "", nil, usage(ws.T("--dictionary FILE is for all sites and may be given once", "--dictionary FILE 适用于所有站点，只能给出一次"))
			}
			all = v
			continue
		}
		if !slices.ContainsFunc(inputs, func(in input) bool { return in.site == id }) {
			return "", nil, usage(ws.T("--dictionary names the site %s, which has no rows here", "--dictionary 所指的站点 %s 不在本次演练中", id))
		}
		if own[id] != "" {
			return "", nil, usage(ws.T("site %s has two dictionaries", "站点 %s 有两份字典", id))
		}
		own[id] = path
	}
	return all, own, nil
}

func readDictionary(file string) (frame.Dictionary, error) {
	b, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return study.ParseDictionary(b, file)
}

// inferRest drafts one dictionary of the rows of some inputs, for all of them.
func inferRest(ctx context.Context, inputs []input, rest []int) error {
	if len(rest) == 0 {
		return nil
	}
	var some []input
	for _, i := range rest {
		some = append(some, inputs[i])
	}
	d, strays, err := infer(ctx, some)
	for _, i := range rest {
		inputs[i].dict, inputs[i].strays = d, strays
	}
	return err
}

// infer drafts one dictionary of all inputs, CSV and Parquet together, each
// file read once, without regard to the site that a record names.
func infer(ctx context.Context, inputs []input) (frame.Dictionary, map[string]ws.Position, error) {
	opt := inputs[0].opt
	opt.Only = csv.Only{}
	s := draft.New(draft.Options{MinCell: opt.MinCell, Public: opt.Public})
	seen := map[string]bool{}
	for _, in := range inputs {
		if seen[in.path] {
			continue
		}
		seen[in.path] = true
		var err error
		if in.parquet() {
			err = duckdb.SurveyParquet(ctx, in.path, s)
		} else {
			err = csv.Survey(ctx, in.path, opt, s)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return s.Dictionary(), s.Strays(), nil
}

// merged is the one dictionary of a table that holds the rows of all inputs,
// but for the column that names the site: every row gets that from its input.
func merged(inputs []input) (frame.Dictionary, error) {
	var sites []ws.SiteID
	var ds []frame.Dictionary
	for _, in := range inputs {
		sites, ds = append(sites, in.site), append(ds, withoutSite(in.dict))
	}
	return study.MergeDictionaries(sites, ds)
}

func withoutSite(d frame.Dictionary) frame.Dictionary {
	return slices.DeleteFunc(slices.Clone(d), func(c frame.Column) bool { return c.Name == analyze.SiteColumn })
}

// strayed refuses a study that names a column which is no number for the sake of a few values.
func strayed(st *study.Study, inputs []input) error {
	for _, in := range inputs {
		for _, name := range slices.Sorted(maps.Keys(in.strays)) {
			if mentions(st, name) {
				return ws.Errorf(ws.Invalid, "", stray(name)).Located(in.strays[name]).WithHint(ws.T("mend the value, name the texts that mean missing (--na), or declare the column in a dictionary", "请更正该值，用 --na 指明表示缺失的文本，或在字典中声明该列"))
			}
		}
	}
	return nil
}

// tellStrays warns of such columns where there is no study yet.
func tellStrays(c *console, strays map[string]ws.Position) {
	for _, name := range slices.Sorted(maps.Keys(strays)) {
		fmt.Fprintf(c.err, "%s: %s\n", strays[name], stray(name).In(c.lang))
	}
}

func stray(column string) ws.Text {
	return ws.T("column %q holds numbers, but none in this line, and so it is taken for text", "列 %q 均为数字，但此行不是，因此整列被当作文本", column)
}

// mentions reports whether a study names a column.
func mentions(st *study.Study, column string) bool {
	if strings.Contains(st.Data.Filter(), column) {
		return true
	}
	for _, a := range st.All() {
		if slices.Contains(append(a.Variables, a.By, a.Rows, a.Columns, a.Layers, a.Weights), column) {
			return true
		}
		if m, err := formula.Parse(a.Formula); err == nil && slices.Contains(m.Columns(), column) {
			return true
		}
	}
	return false
}
