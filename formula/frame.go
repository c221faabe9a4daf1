package formula

import (
	"wellspring/frame"
)

// A Numeric is a numeric variable of a bound formula: a column, or a function
// of columns, such as "log(chol)".
type Numeric struct {
	Name string // as R prints it
	// Column is the column of the dictionary that it is as it stands; "" of a function.
	Column string
	// Lo and Hi bound the variable, by interval arithmetic from the
	// dictionary; ±Inf where the function has no bound there.
	Lo, Hi float64
	// Whole says that every value is a whole number: a column declared so, or
	// a comparison.
	Whole bool
}

// Two reports whether x is a column that has two values by the dictionary, such as 0 and 1,
// or 1 and 2: its mean is a count.
func (x Numeric) Two() bool { return x.Column != "" && x.Whole && x.Hi-x.Lo == 1 }

// A Factored is a factor variable of a bound formula, such as "factor(group)".
type Factored struct {
	Name   string   // as R prints it
	Levels []string // in order, the reference first
	// Column is the column of the dictionary that it reads; "" of a comparison
	// such as I(age >= 65), whose levels are FALSE and TRUE.
	Column string
}

// A Values holds the variables of one batch. Rows of which any variable is
// missing are left out, as R's na.omit does.
type Values struct {
	Rows    int         // complete rows
	Numeric [][]float64 // [variable][row]
	Factor  [][]int32   // [variable][row], index in Levels
	Kept    []int32     // which rows of the batch these are, ascending; nil for all
}

// Roles say which variables of a frame are not terms: indices into
// Frame.Numeric (−1 where absent) and Frame.Factors.
type Roles struct {
	Response int // numeric response
	// ResponseFactor is the factor response of a binomial model (first level
	// is failure), or the group of a formula such as "y ~ g" is a term, not this.
	ResponseFactor int
	Time, Event    int   // of Surv(time, event); Event is 1 or TRUE for an event: see Bind
	Start          int   // of Surv(start, stop, event)
	Offset         []int // numeric, to be added up
	Strata         []int // factors, whose combinations are the strata
	Weights        int   // numeric
}

// Bind ties m to a dictionary. weights names a column of prior weights, or "".
// It refuses unknown columns, identifiers, a factor without levels and a
// numeric function of a factor, each with its place in the formula.
//
// Event of Surv: a numeric column whose dictionary range is within [0, 1]
// counts as is; one within [1, 2] counts 2 as the event, as R's survival does;
// a factor with the levels FALSE and TRUE counts TRUE. Any other needs a
// comparison, "status == 2" or status == "dead".
func Bind(m *Model, d frame.Dictionary, weights string) (*Frame, error) {
	return bind(m, d, weights)
}

// Columns returns the columns to read, sorted and without repeats.
func (f *Frame) Columns() []string { return f.columns }

// Numeric returns the numeric variables.
func (f *Frame) Numeric() []Numeric { return f.numeric }

// Factors returns the factor variables.
func (f *Frame) Factors() []Factored { return f.factors }

// Compared returns the factor columns that a comparison turns into a number,
// such as status == "dead"; they are not among the factors.
func (f *Frame) Compared() []string { return f.compared }

// Roles returns which variables are not terms.
func (f *Frame) Roles() Roles { return f.roles }

// Model returns the formula that was bound.
func (f *Frame) Model() *Model { return f.model }

// Eval computes the variables of a batch whose columns are those of
// f.Columns(), in that order. It may be called concurrently.
func (f *Frame) Eval(b frame.Batch) (Values, error) { return f.eval(b) }

// Moments are what round 0 counted of a frame's complete rows: exact counts by
// level, and sum and sum of squares by numeric variable. Sum[i] and SumSq[i]
// are of Frame.Numeric()[i], Levels[i] of Frame.Factors()[i]; the powers of
// poly(x, d) are variables like any other.
type Moments struct {
	Complete int64     // complete rows
	Sum      []float64 // by numeric variable
	SumSq    []float64 // by numeric variable
	Levels   [][]int64 // [factor][level]
}

// Design gives the design matrix's columns. Levels without a row drop, as in
// R, and the first level that is left is the reference; a row of a dropped
// level would read as one of the reference. Each column is centred (if the
// model has an intercept) and scaled by public constants that come from m.
//
// It is Invalid if no row is complete, if a factor keeps fewer than two levels,
// and, in a model with an intercept, if a numeric variable does not vary.
func (f *Frame) Design(m Moments) (*Design, error) { return f.design(m) }

// Names returns the columns' names as R prints them, "(Intercept)" first if
// there is one.
func (d *Design) Names() []string { return d.names }

// P is the number of columns.
func (d *Design) P() int { return len(d.names) }

// Intercept reports whether the first column is the intercept.
func (d *Design) Intercept() bool { return d.intercept }

// Bound returns, for each column, a bound of its magnitude after centring and
// scaling, from the dictionary's ranges and the sums of squares: for choosing
// fraction bits. It is finite.
func (d *Design) Bound() []float64 { return d.bound }

// Fill writes the centred and scaled design of rows [from, to) of v into x,
// row after row, P numbers each. v comes from the same frame's Eval. It may be
// called concurrently.
func (d *Design) Fill(v Values, from, to int, x []float64) { d.fill(v, from, to, x) }

// Unscale takes coefficients and their covariance (p×p, row after row) of the
// centred and scaled columns back to the columns as R has them. cov may be nil.
func (d *Design) Unscale(beta, cov []float64) (b, c []float64) { return d.unscale(beta, cov) }

// Products reports, for each column, whether it is a product of two variables
// or more: its Support is that of the variables, not of the rows where they meet.
func (d *Design) Products() []bool {
	out := make([]bool, len(d.columns))
	for i, c := range d.columns {
		out[i] = len(c.atoms) > 1
	}
	return out
}

// Support returns, for each column, the number of persons behind it: for a
// column that holds for some levels only, the smallest count of its levels.
func (d *Design) Support() []int64 { return d.support }
