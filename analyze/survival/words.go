package survival

import (
	ws "wellspring"
	"wellspring/policy"
	"wellspring/study"
)

func coarseNote(steps int) ws.Text {
	return ws.T("exact times are not granted: times stand at the ends of at most %d equal steps over the dictionary's range, merged until events and censorings in a step number none or at least the cell limit; the answer is that of the pooled table with times grouped so, and whoever is censored in a step counts as at risk to its end, so that survival is estimated too high, the more so the longer the step",
		"未许可精确时间：时间取自数据字典范围内至多 %d 个等长时间步的终点，相邻步合并至每步的事件数与删失数为零或不低于最小单元限制；结果等同于将合并表的时间同样分组后的结果；步内删失者计为在险至该步终点，因此生存率估计偏高，步越长偏差越大", steps)
}

func tail(what string) study.Suppressed {
	if what == "" {
		what = "late times"
	}
	return study.Suppressed{What: what, Why: ws.T("after the last time beyond which enough persons and institutions are still at risk, follow-up is cut off",
		"在其后仍有足够人数与机构在险的最后一个时间点之后，不再使用随访数据")}
}

// judgeOutcomes refuses a study of n persons of whom too few have an event, or
// too few have none: the result tells both numbers.
func judgeOutcomes(op string, pol policy.Policy, n, events, sites int64) error {
	if pol.Hidden(events, sites) || pol.Hidden(n-events, pol.MinSites) {
		return withheldEvents(op)
	}
	return nil
}

func withheldEvents(op string) error {
	return ws.Errorf(ws.Withheld, op, ws.T("too few persons or institutions have an event, or have none", "发生事件或未发生事件的人数或机构数过少"))
}

func noEvents(op string) error {
	return ws.Errorf(ws.Invalid, op, ws.T("no events: nobody's event is observed", "没有事件：未观察到任何人发生事件")).
		WithHint(ws.T("check how the event is coded, for example Surv(time, status == 2)", "请检查事件的编码，例如 Surv(time, status == 2)"))
}
