package formula

import (
	"slices"

	ws "wellspring"
	"wellspring/frame"
)

func (f *Frame) eval(b frame.Batch) (Values, error) {
	if !f.fits(b) {
		return Values{}, ws.Errorf(ws.Other, "formula.Eval", ws.T("the batch has other columns than the frame asked for", "批次的列与所请求的不一致"))
	}
	base := make([][]float64, len(f.sources))
	for i, s := range f.sources {
		base[i], _ = s.eval(b)
	}
	v := Values{Rows: b.Rows, Numeric: make([][]float64, len(f.numeric)), Factor: make([][]int32, len(f.coders))}
	for i, c := range f.coders {
		var err error
		if v.Factor[i], err = c.code(b); err != nil {
			return Values{}, err
		}
	}
	if keep, all := f.complete(b.Rows, base, v.Factor); !all {
		v.Rows, v.Kept = len(keep), keep
		for i, x := range base {
			base[i] = gather(x, keep)
		}
		for i, x := range v.Factor {
			v.Factor[i] = gather(x, keep)
		}
	}
	return v, f.derive(v, base)
}

// fits guards the engine's promise, so that a broken one is no panic.
func (f *Frame) fits(b frame.Batch) bool {
	if len(b.Columns) != len(f.columns) {
		return false
	}
	for _, s := range f.sources {
		if !s.fits(b) {
			return false
		}
	}
	for _, c := range f.coders {
		if c.expr != nil {
			if !c.expr.fits(b) {
				return false
			}
			continue
		}
		if column := b.Columns[c.ref.at]; c.values != nil && len(column.Real) != b.Rows || c.values == nil && len(column.Code) != b.Rows {
			return false
		}
	}
	return true
}

func (e *expr) fits(b frame.Batch) bool {
	switch {
	case e.op == "column":
		return len(b.Columns[e.ref.at].Real) == b.Rows
	case e.op == "level":
		return len(b.Columns[e.ref.at].Code) == b.Rows
	}
	return (e.a == nil || e.a.fits(b)) && (e.b == nil || e.b.fits(b))
}

// complete returns the rows of which nothing is missing, or that these are all
// rows. A row whose stop does not lie after its start has no follow-up time and
// is missing, as in R.
func (f *Frame) complete(rows int, base [][]float64, factors [][]int32) (keep []int32, all bool) {
	missing := make([]bool, rows)
	for _, x := range base {
		for i, v := range x {
			if v != v {
				missing[i] = true
			}
		}
	}
	for _, x := range factors {
		for i, v := range x {
			if v < 0 {
				missing[i] = true
			}
		}
	}
	if f.roles.Start >= 0 {
		start, stop := f.scalar(f.roles.Start, base), f.scalar(f.roles.Time, base)
		for i := range missing {
			if stop[i] <= start[i] {
				missing[i] = true
			}
		}
	}
	if !slices.Contains(missing, true) {
		return nil, true
	}
	keep = make([]int32, 0, rows)
	for i, m := range missing {
		if !m {
			keep = append(keep, int32(i))
		}
	}
	return keep, false
}

// scalar finds the values of a numeric variable that is its source's number.
func (f *Frame) scalar(numeric int, base [][]float64) []float64 {
	return base[slices.IndexFunc(f.sources, func(s source) bool { return s.first == numeric })]
}

func gather[T any](x []T, keep []int32) []T {
	out := make([]T, len(keep))
	for i, k := range keep {
		out[i] = x[k]
	}
	return out
}

// derive sets v's numeric variables from the sources' numbers of its rows and
// refuses what is infinite, and an event that is neither 0 nor 1.
func (f *Frame) derive(v Values, base [][]float64) error {
	for i, s := range f.sources {
		if s.basis == nil {
			v.Numeric[s.first] = base[i]
		} else {
			out := v.Numeric[s.first : s.first+s.width]
			for k := range out {
				out[k] = make([]float64, v.Rows)
			}
			s.basis.expand(base[i], out)
		}
	}
	for j, x := range v.Numeric {
		for _, u := range x {
			if u-u != 0 {
				return f.infinite(j)
			}
		}
	}
	if f.roles.Event >= 0 {
		for _, u := range v.Numeric[f.roles.Event] {
			if u != 0 && u != 1 {
				return ws.Errorf(ws.Invalid, "formula", ws.T("the event %s is neither 0 nor 1 somewhere", "事件 %s 出现 0 和 1 以外的取值", f.numeric[f.roles.Event].Name)).
					WithHint(ws.T("compare with the event's code, such as status == 2", "请与事件编码比较，如 status == 2"))
			}
		}
	}
	return nil
}

func (f *Frame) infinite(numeric int) error {
	return ws.Errorf(ws.Invalid, "formula", ws.T("%s is infinite in some row", "%s 在某些行中为无穷大", f.numeric[numeric].Name)).
		WithHint(ws.T("log(0) and division by 0 are infinite; add a constant, such as log(x + 1)", "log(0) 和除以 0 会得到无穷大，可加一个常数，如 log(x + 1)"))
}
