package events

import (
	"log/slog"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh/broker"
)

// An Event is something that a node tells of itself. Only the functions of this
// file make one.
type Event struct {
	name   string
	level  slog.Level
	text   ws.Text
	fields []slog.Attr
}

func event(name string, level slog.Level, text ws.Text, fields ...slog.Attr) Event {
	return Event{name, level, text, fields}
}

// The fields that an event may have.
func site(s ws.SiteID) slog.Attr     { return slog.String("site", string(s)) }
func run(r ledger.RunID) slog.Attr   { return slog.String("run", string(r)) }
func digest(h ledger.Hash) slog.Attr { return slog.String("study", h.String()) }
func round(n int) slog.Attr          { return slog.Int("round", n) }
func kind(k ws.Kind) slog.Attr       { return slog.String("kind", k.String()) }
func members(n int) slog.Attr        { return slog.Int("members", n) }
func address(at string) slog.Attr    { return slog.String("address", at) }
func said(name string, t ws.Text) []slog.Attr {
	if t.IsZero() {
		return nil
	}
	return []slog.Attr{slog.String(name, t.In(ws.English))}
}

// HubServes tells that the hub answers, and where.
func HubServes(n int, at string) Event {
	return event("hub_serves", slog.LevelInfo, ws.T("the hub serves %d members at %s", "枢纽为 %d 个成员服务，地址 %s", n, at), members(n), address(at))
}

// SiteServes tells that a site answers.
func SiteServes(s ws.SiteID) Event {
	return event("site_serves", slog.LevelInfo, ws.T("site %s serves", "站点 %s 开始服务", s), site(s))
}

// RelayServes tells that the outer part of a site carries files.
func RelayServes(s ws.SiteID) Event {
	return event("relay_serves", slog.LevelInfo, ws.T("the outer part of site %s carries files", "站点 %s 的外侧部分开始传递文件", s), site(s))
}

// MetricsServed tells where the node's state can be seen.
func MetricsServed(at string) Event {
	return event("metrics_served", slog.LevelInfo, ws.T("metrics at http://%s/metrics", "指标位于 http://%s/metrics", at), address(at))
}

// Stopped tells that the node ended as it was asked to.
func Stopped() Event { return event("stopped", slog.LevelInfo, ws.T("stopped", "已停止")) }

// Failed tells why a node ends, or does not start.
func Failed(err error) Event {
	e := fault("failed", slog.LevelError, err)
	e.text = ws.T("the node ends: %s", "节点终止：%s", e.text)
	e.fields = append(e.fields, said("hint", ws.HintOf(err).Public())...)
	return e
}

// Trouble tells of an error that did not end the node.
func Trouble(err error) Event {
	level := slog.LevelWarn
	if ws.KindOf(err) == ws.Diverged {
		level = slog.LevelError
	}
	return fault("trouble", level, err)
}

// Unwritten tells how many troubles were not written, since there were too many.
func Unwritten(n int) Event {
	return event("troubles_unwritten", slog.LevelWarn, ws.T("%d more troubles were not written", "另有 %d 条异常未写入", n), slog.Int("count", n))
}

func fault(name string, level slog.Level, err error) Event {
	k := ws.KindOf(err)
	words := sentence(err)
	e := event(name, level, ws.T("%s: %s", "%s：%s", k, words), kind(k))
	e.fields = append(e.fields, said("message", words)...)
	return e
}

// sentence is what an error says, as far as a log may say it.
func sentence(err error) ws.Text {
	var out ws.Text
	for _, t := range ws.Sentences(err) {
		switch t = t.Public(); {
		case t.IsZero():
		case out.IsZero():
			out = t
		default:
			out = ws.T("%s: %s", "%s：%s", out, t)
		}
	}
	if out.IsZero() {
		return ws.T("an error without words of this program", "非本程序措辞的错误")
	}
	return out
}

// Connected tells that the wire to the hub stands.
func Connected() Event {
	return event("connected", slog.LevelInfo, ws.T("connected to the hub", "已连接枢纽"))
}

// Unconnected tells that it does not.
func Unconnected() Event {
	return event("unconnected", slog.LevelWarn, ws.T("no connection to the hub; it is tried again and again", "未能连接枢纽；将不断重试"))
}

// RunRound tells that a run which this node conducts is in a round.
func RunRound(r ledger.RunID, n int) Event {
	return event("run_round", slog.LevelInfo, ws.T("run %s is in round %d", "计算 %s 进行到第 %d 轮", short(r), n), run(r), round(n))
}

// RunAnswered tells that such a run has its answer.
func RunAnswered(r ledger.RunID) Event {
	return event("run_answered", slog.LevelInfo, ws.T("run %s has its answer", "计算 %s 已有结果", short(r)), run(r))
}

// RunEnded tells that such a run ended without an answer.
func RunEnded(r ledger.RunID, k ws.Kind) Event {
	return event("run_ended", slog.LevelWarn, ws.T("run %s ended: %s", "计算 %s 结束：%s", short(r), k), run(r), kind(k))
}

// AnswerWaits tells that an answer waits for a person of this site.
func AnswerWaits(r ledger.RunID) Event {
	return event("answer_waits", slog.LevelInfo, ws.T("the answer of run %s waits for review; see: wellspring site outbox %s", "计算 %s 的结果等待审核；参见：wellspring site outbox %s", string(r[:8]), string(r[:8])), run(r))
}

// StudyArrived tells that the text of a study has come, and waits for a decision.
func StudyArrived(h ledger.Hash) Event {
	s := h.String()[:8]
	return event("study_arrived", slog.LevelInfo, ws.T("the text of study %s has come; decide: wellspring site approve %s", "研究 %s 的文本已送达；请决定：wellspring site approve %s", s, s), digest(h))
}

// SiteAdmitted tells that the hub lets a member in.
func SiteAdmitted(s ws.SiteID) Event {
	return event("site_admitted", slog.LevelInfo, ws.T("site %s is admitted", "站点 %s 已获接纳", s), site(s))
}

// SiteEnded tells that the hub lets a site in no more, whose institution ended it.
func SiteEnded(s ws.SiteID) Event {
	return event("site_ended", slog.LevelInfo, ws.T("site %s has ended and is shut out", "站点 %s 已终止，不再接入", s), site(s))
}

// DiskLow tells that too little of the disk is left for a new run.
func DiskLow() Event {
	return event("disk_low", slog.LevelError, ws.T("the disk is nearly full: no new run is begun", "磁盘将满：不再开始新的计算"))
}

// DiskEnough tells that there is room again.
func DiskEnough() Event {
	return event("disk_enough", slog.LevelInfo, ws.T("there is room on the disk again", "磁盘空间已恢复"))
}

// Recovering tells that a hub that came from a backup asks its members for what it lacks of the ledger.
func Recovering(n int) Event {
	return event("recovering", slog.LevelWarn, ws.T("restored from a backup: %d members are asked for the blocks that are missing here", "由备份恢复：正向 %d 个成员索取此处缺失的区块", n), members(n))
}

// Restored tells that a node that came from a backup knows where the ledger stands, and serves.
func Restored(h ledger.Height) Event {
	return event("restored", slog.LevelWarn, ws.T("restored from a backup: the ledger stands at block %d; what was under way before is not taken up", "由备份恢复：账本位于第 %d 个区块；此前进行中的计算不再继续", h), slog.Uint64("height", uint64(h)))
}

// BrokerTrouble tells that the server between the nodes complains, and about what.
func BrokerTrouble(about broker.Part) Event {
	return event("broker_trouble", slog.LevelWarn, ws.T("the server between the nodes complains: %s", "节点之间的消息服务器报告问题：%s", string(about)), slog.String("about", string(about)))
}

func short(r ledger.RunID) string { return string(r[:min(8, len(r))]) }
