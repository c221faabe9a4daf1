package frame

import (
	"context"
	"iter"
	"slices"

	ws "wellspring"
)

// RunRows is the number of rows that are folded and encoded together.
const RunRows = 65536

// A Type says how a column's values are read.
type Type string

const (
	Real       Type = "real"       // a float64
	Integer    Type = "integer"    // a float64 without fraction
	Factor     Type = "factor"     // one of Levels
	Identifier Type = "identifier" // names a person or a record; no study may use it
)

// Numeric reports whether values are numbers.
func (t Type) Numeric() bool { return t == Real || t == Integer }

// A Column is what a site's steward has published of a column: it comes from
// the dictionary, not from the rows.
type Column struct {
	Name string `json:"name" yaml:"name"`
	Type Type   `json:"type" yaml:"type"`
	// Unit is a UCUM code such as "mg/dL"; sites must agree on it.
	Unit string `json:"unit,omitempty" yaml:"unit,omitempty"`
	// Levels of a factor, in order; for a numeric column the values that
	// factor() may use, in ascending order.
	Levels []string `json:"levels,omitempty" yaml:"levels,omitempty"`
	// Other says that a value outside Levels is read as the level "other";
	// without it such a value is an error at its site.
	Other bool `json:"other,omitempty" yaml:"other,omitempty"`
	// Min and Max bound a numeric column, inclusive; both are required there.
	Min float64 `json:"min" yaml:"min"`
	Max float64 `json:"max" yaml:"max"`
	// Required says that no row lacks a value: one that does is an error at its
	// site. Who has a value is then no secret, and needs no guarding.
	Required bool `json:"required,omitempty" yaml:"required,omitempty"`
	// Title is what a person reads; optional.
	Title map[ws.Lang]string `json:"title,omitempty" yaml:"title,omitempty"`
}

// OtherLevel is the level that stands for all that a dictionary does not name.
const OtherLevel = "other"

// A Dictionary is the list of a dataset's columns.
type Dictionary []Column

// Lookup finds a column by its name.
func (d Dictionary) Lookup(name string) (Column, bool) {
	i := slices.IndexFunc(d, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return d[i], true
}

// A Query asks for some columns of the rows that a filter lets through.
type Query struct {
	Columns []string `json:"columns"`
	Where   string   `json:"where,omitempty"` // see [ParseFilter]
	// Places asks for where each row stands; see [Batch].
	Places bool `json:"-"`
}

// Values are one column's values in a batch: Real of a numeric column, NaN
// where missing; Code of a factor, the index in Levels, −1 where missing.
// (A level "other" has the index len(Levels).)
type Values struct {
	Real []float64
	Code []int32
}

// A Batch is a stretch of rows, its columns in the order of the query. Its
// receiver owns it.
type Batch struct {
	Rows    int
	Columns []Values
	// Places are where the rows stand among all of the version's, from 0 and
	// ascending; nil where the query did not ask for them.
	Places []uint32
}

// A Source is one site's rows of one dataset version. Its methods may be
// called concurrently.
type Source interface {
	// Dictionary returns the columns as the steward published them.
	Dictionary() Dictionary

	// Scan yields the rows of q, in the engine's fixed order, in batches of
	// RunRows rows but for the last, and stops at the first error. An unknown
	// column is Invalid; a row outside its dictionary is Invalid and never
	// printed.
	Scan(ctx context.Context, q Query) iter.Seq2[Batch, error]

	// Distinct returns the distinct values of a numeric column in ascending
	// order, missing ones left out. Callers check that policy grants it.
	Distinct(ctx context.Context, column string) ([]float64, error)
}
