package near

import (
	"cmp"
	"slices"
	"strings"

	ws "wellspring"
	"wellspring/frame"
)

// A Definition says by which rows of a dataset a cohort is made, and what was read
// of them.
type Definition struct {
	// Where is the study's filter.
	Where string `json:"where,omitempty"`
	// Rows is Where with what else a row must have: no missing value in the columns that are
	// read, and the levels of a cell.
	Rows string `json:"rows,omitempty"`
	// Else is what of a cell no filter can say, such as I(age + bmi > 90).
	Else string `json:"else,omitempty"`
	// Reads are the columns of which sums over the cohort are told, sorted, with [Count] where that of its
	// persons is held to that of others.
	Reads []string `json:"reads,omitempty"`
	// Functions are by what sums over the cohort are weighed; of all rows of a row set alone.
	Functions []Function `json:"functions,omitempty"`
}

// Count stands among columns for the number of persons, which is told of every cohort, whatever else
// was read of it. Only those have it that hang on no missing value: who lacks one
// parts nearly each two others.
const Count = ""

// Unknown is the number of persons of a cohort that was not counted, as far as is known.
const Unknown = -1

// A Cohort is one that an asker was answered on, or may have been: what a site's memory tells
// other members of it.
type Cohort struct {
	Run   string `json:"run"`
	Index int    `json:"index"` // among the cohorts of the run
	// Persons over all sites, or Unknown.
	Persons int64       `json:"persons"`
	Sites   []ws.SiteID `json:"sites"` // whose rows were asked, in code-point order
	Definition
	// Moved says that the site that tells of it has another version of the dataset
	// now.
	Moved bool `json:"moved,omitempty"`
	// Lost says that a site whose rows were asked remembers nothing of it.
	Lost bool `json:"lost,omitempty"`
	// Part tells the analyses of one study from each other: of a cohort of the study at hand, which has
	// no Run.
	Part int `json:"-"`
	// After is 1 and the Index of the cohort of the run whose rows it has besides its own: those of bins up to an
	// edge add up. 0 for none.
	After int `json:"-"`
}

// before reports whether a cohort was, or is, answered before another one of the study at
// hand.
func (c Cohort) before(now Cohort) bool { return c.Run != "" || c.Part < now.Part }

// precedes reports whether a cohort is one of those whose sums may give another one's: also of the same
// analysis, of which two cells may be a whole of before, but for one person.
func (c Cohort) precedes(now Cohort) bool { return c.Run != "" || c.Index < now.Index }

// Told is what one site remembers.
type Told struct {
	Site    ws.SiteID
	Cohorts []Cohort
}

// Bounds of what sites tell each other, so that nobody fills another's memory.
const (
	MaxCohorts = 4096 // of one group of askers
	maxAsks    = 1 << 15
	maxFar     = 1 << 12 // comparisons of cohorts whose sizes are far apart
	triedFar   = 1 << 14 // of which it is tried whether they may have persons in common
	maxText    = 1 << 14
	// MaxFunctions bounds those of a row set.
	MaxFunctions = 128
)

// Merge joins what the sites remember, the newest last, in an order that does not depend on
// theirs. Where one knows how many persons a cohort had and another does not, the former
// holds. What not all of its sites tell alike is lost.
func Merge(parts ...Told) ([]Cohort, error) {
	type entry struct {
		Cohort
		sites []ws.SiteID // that tell of it
		age   int         // how many the site that had it last has had since
	}
	var all []entry
	for _, part := range parts {
		if len(part.Cohorts) > MaxCohorts {
			return nil, ws.Errorf(ws.Invalid, "facts", ws.T("a site remembers more than %d cohorts of one group of askers", "某站点记住的同组请求者队列超过 %d 个", MaxCohorts))
		}
		for i, c := range part.Cohorts {
			if !c.formed() {
				return nil, ws.Errorf(ws.Invalid, "facts", ws.T("what a site remembers of a cohort is not well formed", "某站点所记队列的格式不正确"))
			}
			c.Lost = false
			all = append(all, entry{c, []ws.SiteID{part.Site}, len(part.Cohorts) - 1 - i})
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(compare(a.Cohort, b.Cohort), slices.Compare(a.sites, b.sites))
	})
	var out []entry
	for _, c := range all {
		if last := len(out) - 1; last >= 0 && out[last].same(c.Cohort) {
			out[last].Persons = max(out[last].Persons, c.Persons)
			out[last].Moved = out[last].Moved || c.Moved
			out[last].sites, out[last].age = append(out[last].sites, c.sites...), min(out[last].age, c.age)
			continue
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b entry) int { return cmp.Compare(b.age, a.age) })
	var cohorts []Cohort
	for _, c := range out {
		for _, part := range parts {
			c.Lost = c.Lost || slices.Contains(c.Sites, part.Site) && !slices.Contains(c.sites, part.Site)
		}
		cohorts = append(cohorts, c.Cohort)
	}
	return cohorts, nil
}

// formed reports whether what a site tells of a cohort keeps the bounds.
func (c Cohort) formed() bool {
	text := len(c.Where) + len(c.Rows) + len(c.Else)
	for _, f := range c.Functions {
		text += f.size()
	}
	return text <= maxText && len(c.Functions) <= MaxFunctions && len(c.Reads) <= maxText && c.Persons >= Unknown && c.Run != ""
}

func compare(a, b Cohort) int {
	return cmp.Or(strings.Compare(a.Run, b.Run), cmp.Compare(a.Index, b.Index), strings.Compare(a.Rows, b.Rows), strings.Compare(a.Where, b.Where),
		strings.Compare(a.Else, b.Else), slices.Compare(a.Reads, b.Reads), slices.CompareFunc(a.Functions, b.Functions, Function.compare), slices.Compare(a.Sites, b.Sites), cmp.Compare(b.Persons, a.Persons))
}

// same reports whether two sites speak of one cohort.
func (c Cohort) same(o Cohort) bool {
	known := c.Persons == Unknown || o.Persons == Unknown || c.Persons == o.Persons
	c.Persons = o.Persons
	return known && compare(c, o) == 0
}

// shares reports whether a column is read of all.
func shares(ds ...Definition) bool {
	return slices.ContainsFunc(ds[0].Reads, func(column string) bool { return readOf(column, ds[1:]) })
}

// readOf reports whether a column is read of all of some.
func readOf(column string, of []Definition) bool {
	return !slices.ContainsFunc(of, func(d Definition) bool { return !slices.Contains(d.Reads, column) })
}

// A Term is a cohort in a sum, with its sign.
type Term struct {
	Definition
	Sign int // 1 or −1
}

// Implied reports whether a cohort is the sum of others, each with its sign, in
// whatever rows the dictionary allows: then it tells nothing that they did
// not. It tries every way in which a row can stand to the filters. What is not
// sure, or would take too many, is false.
func Implied(d frame.Dictionary, c Definition, terms ...Term) bool {
	all, known := parse(d, append([]Term{{c, -1}}, terms...))
	if !known || len(terms) > 1 && c.Else != "" {
		return false
	}
	if len(terms) == 1 && terms[0].Sign == 1 && all[0].String() == all[1].String() {
		return true
	}
	grid, ok := gridOf(d, all)
	return ok && grid.every(func(in []bool) bool {
		left := 0
		for i, t := range terms {
			if in[i+1] {
				left += t.Sign
			}
		}
		return in[0] == (left == 1) && (left == 0 || left == 1)
	})
}

// disjoint reports whether no row can be in both of two cohorts.
func disjoint(d frame.Dictionary, a, b Definition) bool {
	both, known := parse(d, []Term{{a, 1}, {b, 1}})
	if !known {
		return false
	}
	grid, ok := newGrid(d, both)
	return ok && grid.every(func(in []bool) bool { return !in[0] || !in[1] })
}

// parse reads the filters of cohorts; not known are those of which what no filter says
// differs.
func parse(d frame.Dictionary, terms []Term) (filters []frame.Filter, known bool) {
	for _, t := range terms {
		f, err := frame.ParseFilter(t.Rows, d)
		if err != nil || t.Else != terms[0].Else {
			return nil, false
		}
		filters = append(filters, f)
	}
	return filters, true
}

// apart leaves out of filters the conditions that all of them have, and that speak of no column
// of which anything else is said: rows without these are in none.
func apart(filters []frame.Filter) []frame.Filter {
	var lists [][]frame.Node
	for _, f := range filters {
		lists = append(lists, conditions(f.Root))
	}
	text := func(n frame.Node) string { return frame.Filter{Root: n}.String() }
	common := func(n frame.Node) bool {
		return !slices.ContainsFunc(lists, func(l []frame.Node) bool {
			return !slices.ContainsFunc(l, func(o frame.Node) bool { return text(o) == text(n) })
		})
	}
	var said []string
	for _, l := range lists {
		for _, n := range l {
			if !common(n) {
				said = append(said, frame.Filter{Root: n}.Columns()...)
			}
		}
	}
	idle := func(n frame.Node) bool {
		return common(n) && !slices.ContainsFunc(frame.Filter{Root: n}.Columns(), func(c string) bool { return slices.Contains(said, c) })
	}
	out := make([]frame.Filter, len(filters))
	for i, l := range lists {
		l = slices.DeleteFunc(slices.Clone(l), idle)
		switch len(l) {
		case 0:
		case 1:
			out[i].Root = l[0]
		default:
			out[i].Root = &frame.And{Nodes: l}
		}
	}
	return out
}

func conditions(n frame.Node) []frame.Node {
	switch n := n.(type) {
	case nil:
		return nil
	case *frame.And:
		return n.Nodes
	}
	return []frame.Node{n}
}
