package render

import (
	ws "wellspring"
	"wellspring/study"
)

// headings are what people read over a column; the names of fields are broom's.
var headings = map[string]ws.Text{
	"id": ws.T("analysis", "分析"), "strata": ws.T("stratum", "分层"), "group": ws.T("group", "组"),
	"variable": ws.T("variable", "变量"), "by": ws.T("group", "分组"), "level": ws.T("level", "水平"),
	"row": ws.T("row", "行"), "column": ws.T("column", "列"), "layer": ws.T("layer", "层"), "term": ws.T("term", "项"), "time": ws.T("time", "时间"),
	"n_risk": ws.T("at risk", "风险人数"), "n_event": ws.T("events", "事件数"), "n_censor": ws.T("censored", "删失数"),
	"bin_low": ws.T("from", "下限"), "bin_high": ws.T("to", "上限"), "count": ws.T("count", "频数"),
	"n": ws.T("n", "例数"), "nobs": ws.T("n", "例数"), "records": ws.T("n", "例数"), "missing": ws.T("missing", "缺失"),
	"row_percent": ws.T("row %", "行 %"), "column_percent": ws.T("column %", "列 %"), "percent": ws.T("%", "%"),
	"low": ws.T("at least", "至少"), "high": ws.T("at most", "至多"), "met_low": ws.T("least met", "已知可取最小"), "met_high": ws.T("most met", "已知可取最大"),
	"proportion": ws.T("proportion", "比例"),
	"events":     ws.T("events", "事件数"), "nevent": ws.T("events", "事件数"), "observed": ws.T("observed", "观察数"),
	"expected": ws.T("expected", "期望数"), "prob": ws.T("probability", "概率"), "quantile": ws.T("quantile", "分位数"),
	"mean": ws.T("mean", "均值"), "sd": ws.T("SD", "标准差"), "median": ws.T("median", "中位数"),
	"estimate": ws.T("estimate", "估计值"), "estimate1": ws.T("first mean", "第一组均值"), "estimate2": ws.T("second mean", "第二组均值"),
	"std_error": ws.T("std. error", "标准误"), "statistic": ws.T("statistic", "统计量"), "p_value": ws.T("p value", "P 值"),
	"parameter": ws.T("df", "自由度"), "df": ws.T("df", "自由度"), "df_residual": ws.T("residual df", "残差自由度"),
	"conf_low": ws.T("conf. low", "置信下限"), "conf_high": ws.T("conf. high", "置信上限"),
	"logLik": ws.T("log likelihood", "对数似然"), "deviance": ws.T("deviance", "偏差"), "null_deviance": ws.T("null deviance", "零模型偏差"),
	"r_squared": ws.T("R squared", "决定系数"), "adj_r_squared": ws.T("adjusted R squared", "调整决定系数"),
	"sigma": ws.T("residual SD", "残差标准差"), "dispersion": ws.T("dispersion", "离散参数"),
	"iterations": ws.T("iterations", "迭代次数"), "converged": ws.T("converged", "已收敛"), "method": ws.T("method", "方法"),
	"family": ws.T("family", "分布族"), "link": ws.T("link", "连接函数"),
	hazardRatio: ws.T("hazard ratio", "风险比"),
}

// hazardRatio is a column that tables of Cox models have and results do not.
const hazardRatio = "exp(estimate)"

func heading(field string, l ws.Lang) string {
	if t, ok := headings[field]; ok {
		return clean(t.In(l))
	}
	return clean(field)
}

// titleOf heads a result: its method and, among several, its name.
func titleOf(r *study.Result, l ws.Lang) string {
	title := methodTitle(r.Method, l)
	if r.ID == "" {
		return title
	}
	return ws.T("%s: %s", "%s：%s", clean(r.ID), title).In(l)
}

func methodTitle(name string, l ws.Lang) string {
	if m, ok := study.MethodNamed(name); ok {
		return m.Title.In(l)
	}
	return clean(name)
}
