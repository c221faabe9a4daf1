package policy

// HiddenCells says which cells of a partition of persons may not be shown,
// given that their total may: those under the limits, and, where that is one
// alone, the smallest other one too, since the total would give it away.
//
// n and sites are the persons and the contributing institutions of each cell.
func (p Policy) HiddenCells(n, sites []int64) []bool {
	hidden := make([]bool, len(n))
	count, small := 0, int64(0)
	for i := range n {
		if p.Hidden(n[i], sites[i]) {
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

// A Merged cell stands for the cells From to To−1 of an ordered partition.
type Merged struct {
	From, To int
	Count    int64
}

// MergeCells joins neighbouring cells of an ordered partition until each has
// no person or at least MinCell from at least MinSites institutions: a cell
// that may not be shown is joined with those after it, and, at the end, with
// those before it. Cells joined have as many institutions as their best part.
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
		if !p.Hidden(open.Count, openSites) {
			out = append(out, *open)
			open = nil
		}
	}
	if open == nil {
		return out
	}
	for joined := false; len(out) > 0 && !joined; {
		last := out[len(out)-1]
		out = out[:len(out)-1]
		open.From, open.Count = last.From, open.Count+last.Count
		joined = last.Count > 0 // that cell was fit to be shown, so the two together are
	}
	return append(out, *open)
}
