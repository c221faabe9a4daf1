package near

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	ws "wellspring"
	"wellspring/frame"
	"wellspring/policy"
)

// An Ask is one comparison: of a cohort of the study at hand with one of
// earlier ones, or with the sum or difference of two. Numbers are indices into both lists.
type Ask struct {
	New   int `json:"new"`
	First int `json:"first"`
	// Second is added to First, or taken off; −1 where there is none.
	Second int `json:"second"`
	Sign   int `json:"sign,omitempty"`
	// Far says that the numbers of persons differ by k or more: then only whose the rows are that differ is asked.
	Far bool `json:"far,omitempty"`
}

// Candidates lists what must be compared before a study is answered over some
// sites: now are its cohorts, of known size, earlier those that the sites remember, as
// [Merge] gives them, and those of the study itself, each of which is held to those of analyses before its own. With single comparisons comes what must be known to hold cohorts to all that earlier ones add up
// to. Of comparisons of two those of which sizes fit are listed that
// were read of one column, or whose filters differ; and of the others, that are far, the newest that were read of one
// column. With three, only those of which sizes fit. What is implied by definitions over the same
// sites and versions is not, nor what an earlier cohort of the same rows has told together with
// the others already: all columns that are read of all of them.
//
// Cost: |now| · |earlier| · log |earlier|, and a trial of definitions for each that fits.
func Candidates(p policy.Policy, d frame.Dictionary, sites []ws.SiteID, now, earlier []Cohort) ([]Ask, Span, error) {
	f := finder{k: p.MinCell, dict: d, sites: sites, earlier: earlier, wheres: map[[2]string]bool{}}
	for i := range earlier {
		if earlier[i].Persons != Unknown {
			f.bySize = append(f.bySize, i)
		}
	}
	slices.SortFunc(f.bySize, func(a, b int) int {
		return cmp.Or(cmp.Compare(earlier[a].Persons, earlier[b].Persons), cmp.Compare(a, b))
	})
	var out, far []Ask
	left := make([][]string, len(now)) // of each cohort that is told of, what was not told before
	for i, c := range now {
		f.twins = f.same(c)
		if !f.shown(c) {
			continue
		}
		if left[i] = f.untold(c); len(f.twins) > 0 && len(left[i]) == 0 { // it can tell nothing new
			continue
		}
		out = append(out, f.single(i, c)...)
		out = append(out, f.pairs(i, c)...)
		far = append(far, f.far(i, c)...)
		if len(out) > maxAsks {
			return nil, Span{}, tooMany()
		}
	}
	span, err := f.span(now, left)
	return append(out, f.newest(now, far)...), span, err
}

type finder struct {
	k       int64
	dict    frame.Dictionary
	sites   []ws.SiteID
	earlier []Cohort
	bySize  []int // indices into earlier, of known size, ascending
	wheres  map[[2]string]bool
	twins   []Cohort // earlier ones that are the new one by definition, of the same rows
}

// standing reports whether an earlier cohort is of the same rows as one of that definition would
// be now.
func (f finder) standing(e Cohort) bool { return !e.Moved && slices.Equal(e.Sites, f.sites) }

// shown reports whether anybody is told of a cohort.
func (f finder) shown(c Cohort) bool { return c.Persons == Unknown || c.Persons >= f.k }

// same lists the earlier cohorts that a new one is by its definition, of the same rows.
func (f finder) same(c Cohort) (out []Cohort) {
	for _, e := range f.earlier {
		if e.before(c) && e.Persons == c.Persons && f.standing(e) && Implied(f.dict, c.Definition, Term{e.Definition, 1}) {
			out = append(out, e)
		}
	}
	return out
}

// untold are the columns that were not read of the same rows before.
func (f finder) untold(c Cohort) []string {
	left := c.Reads
	for _, e := range f.twins {
		left = slices.DeleteFunc(slices.Clone(left), func(column string) bool { return slices.Contains(e.Reads, column) })
	}
	return left
}

// told reports whether one earlier cohort is of the new one's rows, and all was read of it that the new one has
// in common with others: what the new one and the others tell together, that one and they have told.
func (f finder) told(c Cohort, others ...Definition) bool {
	for _, e := range f.twins {
		if !slices.ContainsFunc(c.Reads, func(column string) bool {
			return !slices.Contains(e.Reads, column) && readOf(column, others)
		}) {
			return true
		}
	}
	return false
}

// counted reports whether two cohorts have enough persons each to differ by as many where they have none
// in common.
func (f finder) counted(c, e Cohort) bool { return c.Persons >= f.k && e.Persons >= f.k }

func (f finder) single(i int, c Cohort) (out []Ask) {
	for j, e := range f.earlier {
		if !e.before(c) {
			continue
		}
		if f.apart(c, e) || !shares(c.Definition, e.Definition) && f.oneFilter(c, e) {
			continue
		}
		if f.told(c, e.Definition) {
			continue
		}
		if !f.standing(e) || !Implied(f.dict, c.Definition, Term{e.Definition, 1}) && !(f.counted(c, e) && disjoint(f.dict, c.Definition, e.Definition)) {
			out = append(out, Ask{New: i, First: j, Second: -1})
		}
	}
	return out
}

// apart reports whether the numbers of persons alone say that two cohorts differ by k or more.
func (f finder) apart(c, e Cohort) bool {
	return c.Persons != Unknown && e.Persons != Unknown && max(c.Persons-e.Persons, e.Persons-c.Persons) >= f.k
}

// far lists the earlier cohorts that differ from c by k persons or more, as all of them but a few may be one
// site's.
func (f finder) far(i int, c Cohort) (out []Ask) {
	for j, e := range f.earlier {
		if e.before(c) && f.apart(c, e) && !e.Moved && !e.Lost && shares(c.Definition, e.Definition) && !f.told(c, e.Definition) {
			out = append(out, Ask{New: i, First: j, Second: -1, Far: true})
		}
	}
	return out
}

// newest are the last maxFar comparisons of cohorts that may have persons in common.
func (f finder) newest(now []Cohort, far []Ask) (out []Ask) {
	slices.SortStableFunc(far, func(a, b Ask) int { return cmp.Compare(b.First, a.First) })
	for _, a := range far[:min(len(far), triedFar)] {
		c, e := now[a.New], f.earlier[a.First]
		if f.counted(c, e) && disjoint(f.dict, c.Definition, e.Definition) {
			continue
		}
		if out = append(out, a); len(out) == maxFar {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b Ask) int { return cmp.Compare(a.New, b.New) }) // each cohort's rows are read once
	return out
}

// oneFilter reports whether two studies chose the same rows: then cohorts of
// which no column is shared differ by who lacks a value alone.
func (f finder) oneFilter(c, e Cohort) bool {
	if !f.standing(e) {
		return false
	}
	key := [2]string{c.Where, e.Where}
	same, known := f.wheres[key]
	if !known {
		same = Implied(f.dict, Definition{Rows: c.Where}, Term{Definition{Rows: e.Where}, 1})
		f.wheres[key] = same
	}
	return same
}

// pairs finds c = a + b and c = a − b, up to fewer than k persons, where the rows themselves cannot be
// held against each other, as [JudgeSpan] does.
func (f finder) pairs(i int, c Cohort) (out []Ask) {
	for _, a := range f.bySize {
		first := f.earlier[a]
		if c.Persons == Unknown || !first.before(c) || !shares(c.Definition, first.Definition) {
			continue
		}
		for _, sign := range []int{1, -1} {
			want := c.Persons - first.Persons // of b
			if sign < 0 {
				want = -want
			}
			for _, b := range f.sized(want) {
				second := f.earlier[b]
				if a == b || sign > 0 && b < a || !second.before(c) || !shares(c.Definition, first.Definition, second.Definition) || f.told(c, first.Definition, second.Definition) {
					continue
				}
				if f.standing(first) && f.standing(second) && !first.Lost && !second.Lost {
					continue
				}
				if out = append(out, Ask{New: i, First: a, Second: b, Sign: sign}); len(out) > maxAsks {
					return out
				}
			}
		}
	}
	return out
}

// sized lists the earlier cohorts whose size is less than k from n.
func (f finder) sized(n int64) []int {
	from, _ := slices.BinarySearchFunc(f.bySize, n-f.k+1, func(i int, n int64) int { return cmp.Compare(f.earlier[i].Persons, n) })
	to := from
	for to < len(f.bySize) && f.earlier[f.bySize[to]].Persons < n+f.k {
		to++
	}
	return f.bySize[from:to]
}

// Distance is how much the rows of c at one site differ from those of a, or, where sign is not 0, from those of a and b
// together (1) or of a without b (−1), a row that is in more than one of them counted as often:
// Σ|c − a ∓ b| over the rows.
func Distance(c, a, b *roaring.Bitmap, sign int) uint64 {
	n := func(x *roaring.Bitmap) uint64 { return x.GetCardinality() }
	if sign == 0 {
		return n(c) + n(a) - 2*c.AndCardinality(a)
	}
	all := roaring.And(a, b).AndCardinality(c)
	if sign > 0 {
		return n(c) + n(a) + n(b) + 2*all - 2*c.AndCardinality(a) - 2*c.AndCardinality(b)
	}
	return n(c) + n(a) + n(b) + 2*all - 2*c.AndCardinality(a) - 2*a.AndCardinality(b)
}

// Least bounds Distance from below by the numbers of rows alone, for rows of
// another version, of which nobody knows which is which.
func Least(c, a, b uint64, sign int) uint64 {
	d := int64(c) - int64(a) - int64(sign)*int64(b)
	return uint64(max(d, -d))
}

// A Gap is how the rows of one comparison differ, over the sites.
type Gap struct {
	// Sites counts at j−1 the sites of which j rows differ; at the last, those of which as many or more do.
	Sites []int64
	// Institutions of whose rows any differ.
	Institutions int64
}

// rows is how many differ, up to a limit by site, and how many of them are not of the site that has most.
func (g Gap) rows() (all, left int64) {
	most := int64(0)
	for j, sites := range g.Sites {
		if all += int64(j+1) * sites; sites > 0 {
			most = int64(j + 1)
		}
	}
	return all, all - most
}

// Judge reads how the rows of the comparisons differ. Where the persons that differ may not be counted, or nobody does,
// there is one reply, which says neither; and so it is where nearly all are one site's, which knows its own, so that
// the others are fewer than half of the limit. Nobody else's at all is no fault: what then
// differs that site knows, and all others may not count. Nor are two cells of one study: a cell may be told of which
// nearly all are one site's.
func Judge(p policy.Policy, asks []Ask, gaps []Gap, now, earlier []Cohort) error {
	for i, a := range asks {
		all, left := gaps[i].rows()
		few := !a.Far && (all == 0 || p.Hidden(all, gaps[i].Institutions))
		e := earlier[a.First]
		if lone := a.Second < 0 && !e.Moved && e.Run != "" && left > 0 && 2*left < p.MinCell; few || lone {
			return replyTo(p, now[a.New], e)
		}
	}
	return nil
}
