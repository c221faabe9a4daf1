// Package render shows results to people: as aligned tables on a terminal, as
// CSV for other programs, and as figures that stand in a paper.
//
// Start from [Table], [CSV] and [SVG].
//
// # Figures
//
// A figure is one self-contained SVG file in either language: Kaplan–Meier
// curves with confidence bands, censoring marks and the numbers at risk under
// the axis; forest plots of models, ratios on a logarithmic axis; histograms;
// quantile boxes. It has a title and a description in words for those who
// cannot see it, colours that most colour-blind readers can tell apart, and
// no script. The same result gives the same bytes.
//
// # Not promised
//
// Nothing is computed here but what a figure needs: a table shows rounded
// numbers, and the file result.json and the CSV have them all.
package render
