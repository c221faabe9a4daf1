package study

import (
	"strings"

	ws "wellspring"
	"wellspring/frame"
)

// APIVersion and Kind head every study file.
const (
	APIVersion = "wellspring/v1"
	Kind       = "Study"
)

// A Study is one question to one dataset, as its requester signs it.
type Study struct {
	APIVersion string   `json:"apiVersion" yaml:"apiVersion"`
	Kind       string   `json:"kind" yaml:"kind"`
	Metadata   Metadata `json:"metadata" yaml:"metadata"`
	Purpose    Purpose  `json:"purpose" yaml:"purpose"`
	Data       Data     `json:"data" yaml:"data"`
	// Exactly one of Analysis and Analyses is given.
	Analysis *Analysis  `json:"analysis,omitempty" yaml:"analysis,omitempty"`
	Analyses []Analysis `json:"analyses,omitempty" yaml:"analyses,omitempty"`
}

// Metadata name a study for people.
type Metadata struct {
	Name  string             `json:"name" yaml:"name"`
	Title map[ws.Lang]string `json:"title,omitempty" yaml:"title,omitempty"`
}

// Purpose says under which terms the data are asked for.
type Purpose struct {
	DUO []ws.Purpose `json:"duo,omitempty" yaml:"duo,omitempty"`
}

// Data say which rows are asked.
type Data struct {
	Dataset ws.Dataset `json:"dataset" yaml:"dataset"`
	// Where is a row filter over columns and literals; see frame.ParseFilter.
	Where string `json:"where,omitempty" yaml:"where,omitempty"`
	// CompleteOver are columns in which no row may lack a value, so that several
	// models are over the same rows.
	CompleteOver []string `json:"complete_over,omitempty" yaml:"complete_over,omitempty"`
}

// Filter is the row filter of a study: Where, and what CompleteOver asks.
func (d Data) Filter() string {
	var all []string
	if d.Where != "" {
		all = append(all, "("+d.Where+")")
	}
	for _, column := range d.CompleteOver {
		all = append(all, frame.Filter{Root: &frame.Missing{Column: column, Not: true}}.String())
	}
	if len(d.CompleteOver) == 0 {
		return d.Where
	}
	return strings.Join(all, " and ")
}

// An Analysis is one method with its arguments. Which fields a method takes,
// and their defaults, stand in [Methods]; a field that it does not take is an
// error.
type Analysis struct {
	// ID names the analysis among several; its zero value is "" for a single one.
	ID     string `json:"id,omitempty" yaml:"id,omitempty"`
	Method string `json:"method" yaml:"method"`

	// Formula is R's; for glm, cox, km, logrank and ttest.
	Formula string `json:"formula,omitempty" yaml:"formula,omitempty"`
	// Family is gaussian, binomial or poisson; Link is identity, logit,
	// probit, cloglog or log, the family's own by default.
	Family string `json:"family,omitempty" yaml:"family,omitempty"`
	Link   string `json:"link,omitempty" yaml:"link,omitempty"`
	// Weights names a column of prior weights.
	Weights string `json:"weights,omitempty" yaml:"weights,omitempty"`
	// Ties is efron (default) or breslow.
	Ties string `json:"ties,omitempty" yaml:"ties,omitempty"`
	// Rho is the exponent of the G-rho family in logrank; 0 is the log-rank test.
	Rho float64 `json:"rho,omitempty" yaml:"rho,omitempty"`

	// Variables to describe or to take quantiles of; By splits them by a factor.
	Variables []string `json:"variables,omitempty" yaml:"variables,omitempty"`
	By        string   `json:"by,omitempty" yaml:"by,omitempty"`
	// Probs are the probabilities of quantiles, in [0, 1].
	Probs []float64 `json:"probs,omitempty" yaml:"probs,omitempty"`
	// Bins is the number of equal bins of a histogram over the dictionary's
	// range; 0 gives none.
	Bins int `json:"bins,omitempty" yaml:"bins,omitempty"`
	// Rows and Columns are the two factors of a cross-tabulation or χ² test.
	Rows    string `json:"rows,omitempty" yaml:"rows,omitempty"`
	Columns string `json:"columns,omitempty" yaml:"columns,omitempty"`
	// Layers is the third factor of a cross-tabulation; "" for a two-way table.
	Layers string `json:"layers,omitempty" yaml:"layers,omitempty"`
	// Correct asks for Yates's correction of a 2×2 χ²; true by default, as in R.
	Correct *bool `json:"correct,omitempty" yaml:"correct,omitempty"`
	// VarEqual asks for the pooled-variance t test; false by default, as in R.
	VarEqual *bool `json:"var_equal,omitempty" yaml:"var_equal,omitempty"`
	// Mu is the difference under the null hypothesis of a t test.
	Mu float64 `json:"mu,omitempty" yaml:"mu,omitempty"`

	// ConfLevel is the confidence level, 0.95 by default.
	ConfLevel float64 `json:"conf_level,omitempty" yaml:"conf_level,omitempty"`
	// ConfType of survival curves is log (default), log-log, plain or none.
	ConfType string `json:"conf_type,omitempty" yaml:"conf_type,omitempty"`
	// Grid is the largest number of steps of the time axis where exact times
	// are not granted; 100 by default.
	Grid int `json:"grid,omitempty" yaml:"grid,omitempty"`
}

// All returns the analyses of s, one or several.
func (s *Study) All() []Analysis {
	if s.Analysis != nil {
		return []Analysis{*s.Analysis}
	}
	return s.Analyses
}
