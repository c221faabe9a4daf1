package policy

import (
	"math/bits"
	"slices"
	"strings"

	ws "wellspring"
)

// A Part is one site's vector in a sum.
type Part struct {
	Site        ws.SiteID
	Institution ws.Institution
}

// A Sum says whose vectors a sum is of, and which institution counts nowhere,
// since it conducts.
type Sum struct {
	Parts     []Part
	Conductor ws.Institution
}

// Least is how many institutions must stand behind a sum, and behind whatever
// comes of sums that are added and subtracted; 1 means no limit.
func (p Policy) Least() int {
	if p.FewInstitutions {
		return int(p.MinInstitutions)
	}
	return max(3, int(p.MinInstitutions))
}

// Bounds of the sums of one question that are judged together. With no more rows
// than maxSums every minor of the matrix below is under the modulus, so that ranks
// are those over the rationals.
const (
	maxSums = 32
	maxWork = 1 << 27
)

// Differences refuses sums of one question, the one that is asked for first, that, added and subtracted in whatever
// multiples, would leave the part of fewer institutions than least. The sum over
// sites S less that over S without one is the simplest; of three sums, of which
// no two differ by few, the first and second less the third may tell one too.
//
// With a row for each sum and a column for each site, 1 where the sum has the
// site's vector, what can be had is the row space. It holds a vector of the sites
// of some institutions alone if the rank falls when their columns are taken out.
func Differences(op string, least int, sums ...Sum) error {
	if least <= 1 || len(sums) < 2 {
		return nil
	}
	m := incidence(sums)
	if len(m.rows) < 2 {
		return nil // all over the same sites
	}
	few := m.few(least)
	if len(m.rows) > maxSums || choose(len(few), least-1) > maxWork/(len(m.rows)*len(m.rows)*len(m.columns)) {
		return ws.Errorf(ws.Denied, op, ws.T("the question was summed over too many sets of sites to judge what another would tell", "该问题已在过多不同的站点组合上求和，无法判断再求一次会透露什么")).
			WithHint(ws.T("ask over one of the sets that were summed: %s; see: wellspring study show", "请在已求和的某一站点组合上提问：%s；参见：wellspring study show", former(sums)))
	}
	whole := m.rank(nil)
	for _, some := range subsets(few, least-1) {
		if m.rank(some) < whole {
			return ws.Errorf(ws.Denied, op, ws.T("the question was summed over other sites before; the answers together would tell the part of %s", "该问题曾在另一组站点上求和；几次结果合在一起会透露 %s 的部分", m.told(some, whole))).
				WithHint(ws.T("ask over the same sites as before (%s), or over some that differ by at least %d institutions; see: wellspring study show", "请在此前的站点（%s）上提问，或在至少相差 %d 家机构的站点上提问；参见：wellspring study show", former(sums), least))
		}
	}
	return nil
}

// Bounds of what a hint names: sets, and sites of each.
const (
	namedSets  = 3
	namedSites = 16
)

// former names the sites of the sums that were before the first, as --sites takes them.
func former(sums []Sum) string {
	var sets []string
	for _, s := range sums[1:] {
		var sites []string
		for _, p := range s.Parts {
			sites = append(sites, string(p.Site))
		}
		slices.Sort(sites)
		if len(sites) > namedSites {
			sites = append(sites[:namedSites], "…")
		}
		if set := strings.Join(sites, ","); !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	if len(sets) > namedSets {
		sets = append(sets[:namedSets], "…")
	}
	return strings.Join(sets, "; ")
}

// told names those of some without whom nothing would be told; where there are
// none it is whoever conducts.
func (m matrix) told(some []ws.Institution, whole int) string {
	for i := 0; i < len(some); {
		if less := slices.Delete(slices.Clone(some), i, i+1); m.rank(less) < whole {
			some = less
		} else {
			i++
		}
	}
	if len(some) == 0 {
		some = m.uncounted
	}
	var out []string
	for _, i := range some {
		out = append(out, string(i))
	}
	return strings.Join(out, ", ")
}

// A matrix has a row for each set of sites and a column for each group of sites
// that are in the same sets, with the institutions of the group that count.
type matrix struct {
	rows    []string   // what tells one set from another
	columns [][]uint64 // by group, an entry a row
	of      [][]ws.Institution

	uncounted []ws.Institution
}

func incidence(sums []Sum) (m matrix) {
	institution := map[ws.SiteID]ws.Institution{}
	var sets []map[ws.SiteID]bool
	for _, s := range sums {
		m.uncounted = append(m.uncounted, s.Conductor)
		set := map[ws.SiteID]bool{}
		var all []string
		for _, p := range s.Parts {
			set[p.Site], institution[p.Site] = true, p.Institution
			all = append(all, string(p.Site))
		}
		slices.Sort(all)
		if row := strings.Join(all, "\x00"); !slices.Contains(m.rows, row) {
			m.rows, sets = append(m.rows, row), append(sets, set)
		}
	}
	slices.Sort(m.uncounted)
	m.uncounted = slices.Compact(m.uncounted)
	group := map[string]int{}
	for site, i := range institution {
		column := make([]uint64, len(sets))
		var key strings.Builder
		for r, set := range sets {
			if set[site] {
				column[r] = 1
			}
			key.WriteByte(byte('0' + column[r]))
		}
		g, known := group[key.String()]
		if !known {
			g = len(m.columns)
			group[key.String()] = g
			m.columns, m.of = append(m.columns, column), append(m.of, nil)
		}
		if !slices.Contains(m.uncounted, i) && !slices.Contains(m.of[g], i) {
			m.of[g] = append(m.of[g], i)
		}
	}
	return m
}

// few lists the institutions of groups that fewer than least make up: only these
// can be told apart.
func (m matrix) few(least int) (out []ws.Institution) {
	for _, of := range m.of {
		if len(of) < least {
			out = append(out, of...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rank is that of the matrix without the groups that only the institutions in
// some, and those that do not count, make up; nil takes none out.
func (m matrix) rank(some []ws.Institution) (rank int) {
	var rows [][]uint64
	for g, column := range m.columns {
		out := some != nil && !slices.ContainsFunc(m.of[g], func(i ws.Institution) bool { return !slices.Contains(some, i) })
		if !out {
			rows = append(rows, slices.Clone(column))
		}
	}
	for at := range m.rows {
		pivot := slices.IndexFunc(rows[rank:], func(r []uint64) bool { return r[at] != 0 })
		if pivot < 0 {
			continue
		}
		rows[rank], rows[rank+pivot] = rows[rank+pivot], rows[rank]
		top := rows[rank]
		over := inverse(top[at])
		for _, r := range rows[rank+1:] {
			if factor := mulMod(r[at], over); factor != 0 {
				for k := at; k < len(r); k++ {
					r[k] = (r[k] + modulus - mulMod(factor, top[k])) % modulus
				}
			}
		}
		if rank++; rank == len(rows) {
			break
		}
	}
	return rank
}

// modulus is the prime 2^61 − 1.
const modulus = 1<<61 - 1

func mulMod(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, rest := bits.Div64(hi, lo, modulus) // hi < modulus, since a and b are
	return rest
}

// inverse is a^(modulus−2), by Fermat.
func inverse(a uint64) uint64 {
	out := uint64(1)
	for e := uint64(modulus - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			out = mulMod(out, a)
		}
		a = mulMod(a, a)
	}
	return out
}

// choose is how many subsets of k of n there are, or maxWork if they are more.
func choose(n, k int) int {
	out := 1
	for i := range min(k, n) {
		if out = out * (n - i) / (i + 1); out > maxWork {
			return maxWork
		}
	}
	return max(out, 1)
}

// subsets lists those of k elements, or all where there are no more.
func subsets(of []ws.Institution, k int) [][]ws.Institution {
	if len(of) <= k {
		return [][]ws.Institution{append([]ws.Institution{}, of...)}
	}
	if k == 0 {
		return [][]ws.Institution{{}}
	}
	var out [][]ws.Institution
	for i := range len(of) - k + 1 {
		for _, rest := range subsets(of[i+1:], k-1) {
			out = append(out, append([]ws.Institution{of[i]}, rest...))
		}
	}
	return out
}
