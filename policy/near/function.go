package near

import (
	"cmp"
	"slices"

	ws "wellspring"
	"wellspring/formula"
	"wellspring/frame"
)

// A Function is a number of a row by which sums of other columns are weighed: a product, or how much it changes with
// one of its columns.
type Function struct {
	Product []formula.Number `json:"product"`
	Of      string           `json:"of,omitempty"`
	Reads   []string         `json:"reads"` // the columns of which such sums are told, sorted
}

// Same reports whether two functions are one, whatever is read.
func (f Function) Same(o Function) bool { return f.Of == o.Of && slices.Equal(f.Product, o.Product) }

func (f Function) compare(o Function) int {
	return cmp.Or(slices.CompareFunc(f.Product, o.Product, compareNumbers), cmp.Compare(f.Of, o.Of), slices.Compare(f.Reads, o.Reads))
}

func compareNumbers(a, b formula.Number) int {
	return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Part, b.Part))
}

// size is the length of all names.
func (f Function) size() int {
	n := len(f.Of)
	for _, x := range f.Product {
		n += len(x.Text)
	}
	for _, column := range f.Reads {
		n += len(column)
	}
	return n
}

// Join adds functions to others, each once, with all columns that are read of it.
func Join(into []Function, more ...Function) []Function {
	for _, f := range more {
		f.Product = slices.Clone(f.Product)
		slices.SortFunc(f.Product, compareNumbers)
		at := slices.IndexFunc(into, f.Same)
		if at < 0 {
			at, into = len(into), append(into, Function{Product: f.Product, Of: f.Of})
		}
		reads := slices.Concat(into[at].Reads, f.Reads)
		slices.Sort(reads)
		into[at].Reads = slices.Compact(reads)
	}
	return into
}

// Weighed lists the functions by which sums over a cohort were weighed before, by those of earlier ones
// that it is by its definition, over the same rows. What one site alone tells is none: its text would be computed at all.
func Weighed(d frame.Dictionary, sites []ws.SiteID, c Definition, earlier []Cohort) (out []Function) {
	f := finder{sites: sites}
	for _, e := range earlier {
		if len(e.Functions) > 0 && f.standing(e) && !e.Lost && Implied(d, c, Term{e.Definition, 1}) {
			out = Join(out, e.Functions...)
		}
	}
	return out
}
