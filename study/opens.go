package study

import ws "wellspring"

// opens says, by method, what sums the rounds after the first open; the packages
// of the methods list them in full.
var opens = map[string][]ws.Text{
	"describe": {ws.T("Of each numeric variable, by group: the sum and the sum of squares about the common mean; with bins, the counts of a histogram.",
		"每个数值变量按组的总和、关于共同均值的平方和；若要求分箱，还有直方图的频数。")},
	"quantile": {ws.T("Round by round: how many rows lie in each part of a range that narrows, until it holds no fewer persons than the limit.",
		"逐轮：逐渐收窄的区间各部分中的行数，直至区间内人数不少于下限为止。")},
	"crosstab": {ws.T("The count of every cell, and how many sites have a row in it, or, of a table with layers, in a total of its cells. Cells under the limit are hidden from whoever asks.",
		"每个单元格的频数，以及在其中有记录的站点数；三维表还包括在各合计中有记录的站点数。低于下限的单元格不向请求者显示。")},
	"chisq": {ws.T("The count of every cell, and how many sites have a row in it. Where any cell is under the limit the test is refused.",
		"每个单元格的频数，以及有记录的站点数。任一单元格低于下限时，检验即被拒绝。")},
	"ttest": {ws.T("By group: the sum and the sum of squares of the response, about its mean over all rows.",
		"按组：响应变量关于总体均值的总和与平方和。")},
	"glm": {ws.T("Each round: the sums of products of the terms, the gradient and the deviance, at the present coefficients.",
		"每一轮：在当前系数下各项乘积之和、梯度与偏差。"),
		ws.T("In the first round also the sum of the response and the constant of the likelihood.", "首轮另有响应变量之和与似然的常数项。")},
	"cox": {ws.T("First, by stratum and step of time: how many leave, how many of them with an event, and how many enter.",
		"首先，按分层与时间步：离开人数、其中发生事件的人数、进入人数。"),
		ws.T("Then, each round, by step of time: the weighted sums over those at risk, at the present coefficients.", "随后每一轮，按时间步：在当前系数下风险集的加权和。")},
	"km": {ws.T("By group and step of time: how many leave, how many of them with an event, and how many enter.",
		"按组与时间步：离开人数、其中发生事件的人数、进入人数。")},
	"logrank": {ws.T("By stratum, group and step of time: how many leave, how many of them with an event, and how many enter.",
		"按分层、组与时间步：离开人数、其中发生事件的人数、进入人数。")},
}

// Opens says what sums, over all sites together, a run of the study opens to those
// that take part, in the order of its rounds. One site's own part is never opened.
func (s *Study) Opens() []ws.Text {
	out := []ws.Text{
		ws.T("Round 0, first: how many rows there are, complete and missing, and how many in each level of a factor.", "第 0 轮，首先：总行数、完整行数、缺失行数，以及因子各水平的行数。"),
		ws.T("Round 0, once these pass the limits: the sum and the sum of squares of each numeric term.", "第 0 轮，经上述计数通过限制后：每个数值项的总和与平方和。"),
	}
	seen := map[string]bool{}
	for _, a := range s.All() {
		if !seen[a.Method] {
			seen[a.Method] = true
			out = append(out, opens[a.Method]...)
		}
	}
	return out
}
