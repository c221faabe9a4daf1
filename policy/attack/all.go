package attack

import ws "wellspring"

// All lists the attacks.
func All() []Attack {
	return []Attack{
		{ID: "leave-one-out", Title: ws.T("leave-one-out mean", "留一均值"), Source: denning, run: leaveOneOut},
		{ID: "duplicated-row", Title: ws.T("duplicated row", "重复行"), run: duplicatedRow},
		{ID: "indicator", Title: ws.T("multiplication by an indicator", "乘以示性变量"), run: indicator},
		{ID: "repeated-subsets", Title: ws.T("repeated subsets: three parts and the whole", "重复子集：三个部分与整体"), Source: denning, run: repeatedSubsets},
		{ID: "cells-and-whole", Title: ws.T("repeated subsets: two cells of one study and a whole of before", "重复子集：同一研究的两个单元与此前的整体"), Source: denning, run: cellsAndWhole},
		{ID: "linear-system", Title: ws.T("repeated subsets: a linear system of overlapping halves", "重复子集：相互重叠之半数的线性方程组"), Source: dinur, run: linearSystem},
		{ID: "reconstruction", Title: ws.T("repeated subsets: as many random halves as there are unknown sums", "重复子集：随机半数的问题，与未知之和同样多"), Source: dinur, run: reconstruction},
		{ID: "counts", Title: ws.T("repeated subsets: counts of rows with the bit, each told beside another column", "重复子集：具有该位之行的计数，每次随不同的列公布"), Bit: true, run: countsBeside},
		{ID: "tracker", Title: ws.T("tracker: a padded count", "追踪器：加衬的计数"), Source: denning, Bit: true, run: tracker},
		{ID: "binary-search", Title: ws.T("binary search on a filter", "对筛选条件的二分查找"), run: binarySearch},
		{ID: "saturated-glm", Title: ws.T("saturated GLM by identifiers", "以标识变量构成的饱和 GLM"), run: saturated},
		{ID: "near-empty-strata", Title: ws.T("near-empty strata", "几乎为空的层"), run: nearEmpty},
		{ID: "order-statistics", Title: ws.T("rank and order statistics", "秩与次序统计量"), run: orderStatistics},
		{ID: "covariance", Title: ws.T("covariance with a chosen vector", "与选定向量的协方差"), run: covariance},
		{ID: "many-models", Title: ws.T("covariances with many chosen vectors over one row set", "同一行集上与许多选定向量的协方差"), Source: dinur, run: manyModels},
		{ID: "start-values", Title: ws.T("model inversion by chosen start values (here an offset: a study has no start values)", "以选定初值反演模型（此处用 offset：研究文件没有初值）"), run: startValues},
		{ID: "colleagues", Title: ws.T("colluding requesters of one institution", "同一机构的请求者合谋"), run: colleagues},
		{ID: "two-institutions", Title: ws.T("colluding requesters of two institutions", "两家机构的请求者合谋"), run: twoInstitutions,
			Limit: ws.T("nobody holds one institution to what another was answered", "一家机构不受另一家所得结果的约束")},
		{ID: "colluding-site", Title: ws.T("a site that colludes with the asker", "与请求者合谋的站点"), run: colludingSite},
		{ID: "versions", Title: ws.T("version to version", "版本之间的差异"), run: versions},
		{ID: "refusals", Title: ws.T("error-message oracle: which refusal comes first", "错误信息预言机：先出现哪种拒绝"), Bit: true, run: refusals},
		{ID: "histograms", Title: ws.T("bins of two histograms, between whose edges is nobody but the target", "两个直方图的分组边界之间只有目标一人"), Bit: true, run: histograms},
		{ID: "curve-grids", Title: ws.T("steps of two curves, between whose ends is nobody but the target", "两条曲线的步之间只有目标一人"), Bit: true, Open: true, run: curveGrids},
		{ID: "rescaled-bit", Title: ws.T("a count in disguise: the mean of twice a bit", "伪装的计数：某位两倍的均值"), Bit: true, run: rescaled},
		{ID: "known-size", Title: ws.T("the number of rows is known from elsewhere", "行数由别处得知"), Bit: true, run: knownSize,
			Limit: ws.T("no question told it, and sites hold askers to what questions told", "该数并非由任何问题得知，而站点只以已答之问题约束请求者")},
		{ID: "empty-or-one", Title: ws.T("error-message oracle: a level of nobody, or of one", "错误信息预言机：无人的水平，还是一人的水平"), Bit: true, run: emptyOrOne},
		{ID: "verdict", Title: ws.T("suppression as an oracle: a mean of nought is told, one of a single person is not", "以隐去为预言机：为零的均值会公布，出自一人的则不会"), Bit: true, run: verdict},
		{ID: "rounds", Title: ws.T("timing oracle: the number of rounds, and whether anything is hidden", "时序预言机：轮数，以及是否有内容被隐去"), Bit: true, run: rounds},
	}
}

// Publications.
const (
	// Trackers and linear systems of sums and counts.
	denning = "D. E. Denning, P. J. Denning, M. D. Schwartz, \"The Tracker: A Threat to Statistical Database Security\", ACM TODS 4(1), 1979, doi:10.1145/320064.320069"
	dinur   = "I. Dinur, K. Nissim, \"Revealing Information while Preserving Privacy\", PODS 2003, doi:10.1145/773153.773173"
)
