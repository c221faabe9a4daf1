package near

import (
	"errors"

	ws "wellspring"
	"wellspring/policy"
)

// replyOp marks the replies of this package.
const replyOp = "earlier questions"

// Replied reports whether an error is a reply that a question is as good as an earlier one, or may be.
func Replied(err error) bool {
	for e := (*ws.Error)(nil); errors.As(err, &e); err = e.Err {
		if e.Op == replyOp {
			return true
		}
		if e.Err == nil {
			break
		}
	}
	return false
}

// reply says that a question is as good as an earlier one.
func reply(e Cohort) error {
	if e.Run == "" {
		return ws.Errorf(ws.Withheld, replyOp, ws.T("two analyses of the study, or cells in them, are over rows that differ by none, or by too few", "研究中的两个分析（或其单元）所涉行没有差别，或差别过小")).
			WithHint(ws.T("let both be over the same rows, as by complete_over, or over clearly other ones", "请使两者基于相同的行（例如用 complete_over），或改用明显不同的行"))
	}
	return ws.Errorf(ws.Withheld, replyOp, ws.T("this is as good as asked before, in run %s: the rows that tell the two apart are none, or too few", "本问题与此前的计算 %s 相当：两者所涉行没有差别，或差别过小", e.Run)).
		WithHint(ws.T("use that answer (wellspring study result), ask over the same rows as then, or over clearly other ones; complete_over holds several models to one row set",
			"请使用当时的结果（wellspring study result），或在与当时相同的行上提问，或改用明显不同的行；complete_over 可使多个模型基于同一组行"))
}

// Few says that a question is of too few rows, or as good as an earlier one. That one reply is for both: of
// rows that are so near to earlier ones that a person decides whether they are k or one fewer,
// the asker would learn by the refusal who that is.
func Few() error {
	return ws.Errorf(ws.Withheld, replyOp, ws.T("it rests on too few persons or institutions, or is as good as asked before: the rows that tell the two apart are none, or too few", "所依据的人数或机构数过少，或本问题与此前的计算相当：两者所涉行没有差别，或差别过小")).
		WithHint(ws.T("widen the filter, or ask over the same rows as before", "请放宽筛选条件，或在与此前相同的行上提问"))
}

// tooMany says that a study cannot be held to earlier ones.
func tooMany() error {
	return ws.Errorf(ws.Withheld, "study", ws.T("too many earlier questions lie near to this one, or it has too many cells, to be compared with them", "与本问题相近的既往问题过多，或本问题的单元过多，无法逐一比较")).
		WithHint(ws.T("ask with complete_over and fewer filters, so that several questions are of one cohort; cross fewer factors", "请使用 complete_over 并减少筛选条件，使多个问题基于同一队列；并减少交叉的分类变量"))
}

// Together says that a model tells, with those before over the same rows, too much of somebody's value of a column.
func Together(column string) error {
	return ws.Errorf(ws.Withheld, replyOp, ws.T("with the models asked before over the same rows this one would tell too much of %s of somebody: the terms of all, taken together, have a leverage above max_leverage, or nearly repeat each other", "与此前在相同行上的模型合在一起，本模型会透露某个人的 %s 的过多情况：全部的项合并后，杠杆值超过 max_leverage，或彼此几乎重复", column)).
		WithHint(ws.T("use the same terms as before, or fewer, or ask over clearly other rows", "请使用与此前相同或更少的项，或改用明显不同的行"))
}

// replyTo is the reply for a cohort: the joint one of [Few] where fewer than k persons more or less could make it
// one that may not be told of.
func replyTo(p policy.Policy, c, e Cohort) error {
	if c.Persons < 2*p.MinCell && e.Run != "" {
		return Few()
	}
	return reply(e)
}
