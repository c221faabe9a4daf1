package main

import (
	"wellspring/analyze"
	"wellspring/analyze/compare"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/analyze/survival"
)

// catalog lists the methods of study files, in the order of study.Methods.
var catalog = analyze.Catalog{
	describe.Describe(), describe.Quantile(),
	compare.Crosstab(), compare.ChiSquared(), compare.TTest(),
	glm.Method(),
	survival.Cox(), survival.KM(), survival.LogRank(),
}
