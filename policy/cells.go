package policy

// HiddenCells says which cells of a partition of persons may not be shown,
// given that their total may: those under the limits, and, where that is one
// alone, the smallest other one too, since the total would give it away.
//
// n and sites are the persons and the contributing institutions of each cell, and
// void says in which nobody can be; see [Policy.Few]. Where it is nil, somebody can be in all.
func (p Policy) HiddenCells(n, sites []int64, void []bool) []bool {
	hidden := make([]bool, len(n))
	count, small := 0, int64(0)
	for i := range n {
		if p.Few(n[i], sites[i], void != nil && void[i]) {
			hidden[i] = true
			count++
			small += n[i]
		}
	}
	if count == 0 || count > 1 && small >= p.MinCell {
		return hidden
	}
	next := -1
	for i := range n {
		if !hidden[i] && n[i] > 0 && (next < 0 || n[i] < n[next]) {
			next = i
		}
	}
	if next >= 0 {
		hidden[next] = true
	}
	return hidden
}

// hiddenInTable reports whether a cell of a table, of a row and a column that
// are shown and so hold persons, may not be shown for its own sake.
func (p Policy) hiddenInTable(n, institutions int64) bool {
	return p.Hidden(n, institutions) || n == 0 && p.ZeroCells == HideZeros
}

// A Merged cell stands for the cells From to To−1 of an ordered partition.
type Merged struct {
	From, To int
	Count    int64
}

// MergeCells joins neighbouring cells of an ordered partition until each has
// at least MinCell persons from at least MinInstitutions institutions: a cell that has
// not, an empty one too since the edge of a gap is one person's value, is joined
// with those after it, and, at the end, with the one before. Cells joined have
// as many institutions as their best part. Where no limit holds none is joined.
func (p Policy) MergeCells(n, sites []int64) []Merged {
	var out []Merged
	var open *Merged
	var openSites int64
	for i := range n {
		if open == nil {
			open, openSites = &Merged{From: i}, 0
		}
		open.To = i + 1
		open.Count += n[i]
		openSites = max(openSites, sites[i])
		if p.MinCell <= 1 || open.Count >= p.MinCell && !p.Hidden(open.Count, openSites) {
			out = append(out, *open)
			open = nil
		}
	}
	if open == nil {
		return out
	}
	if len(out) > 0 {
		last := out[len(out)-1] // it is fit to be shown, so the two together are
		out = out[:len(out)-1]
		open.From, open.Count = last.From, open.Count+last.Count
	}
	return append(out, *open)
}
