package analyze

import (
	"slices"

	"wellspring/formula"
	"wellspring/frame"
)

// A Joint reads several frames from one scan: its query asks for the union of
// their columns.
type Joint struct {
	frames []*formula.Frame
	where  string
	union  []string
	views  [][]int
}

// Joint joins all frames of a problem.
func (p *Problem) Joint() *Joint {
	j := &Joint{frames: p.Frames, where: p.Where}
	var lists [][]string
	for _, f := range p.Frames {
		lists = append(lists, f.Columns())
	}
	j.union, j.views = unite(lists)
	return j
}

// Query asks for all columns that the frames need.
func (j *Joint) Query() frame.Query { return frame.Query{Columns: j.union, Where: j.where} }

// Eval computes frame i's variables of a batch of Query.
func (j *Joint) Eval(i int, b frame.Batch) (formula.Values, error) {
	return j.frames[i].Eval(project(b, j.views[i]))
}

// unite returns the sorted union of lists of columns, and where in it the
// columns of each list stand.
func unite(lists [][]string) (union []string, views [][]int) {
	for _, l := range lists {
		union = append(union, l...)
	}
	slices.Sort(union)
	union = slices.Compact(union)
	for _, l := range lists {
		view := make([]int, len(l))
		for i, c := range l {
			view[i], _ = slices.BinarySearch(union, c)
		}
		views = append(views, view)
	}
	return union, views
}

// project returns some columns of a batch.
func project(b frame.Batch, view []int) frame.Batch {
	v := frame.Batch{Rows: b.Rows, Columns: make([]frame.Values, len(view)), Places: b.Places}
	for k, at := range view {
		v.Columns[k] = b.Columns[at]
	}
	return v
}
