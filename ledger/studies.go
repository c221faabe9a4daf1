package ledger

import (
	ws "wellspring"
)

func (b *AddVersion) apply(st *step) error {
	if err := st.ownSite(b.Site); err != nil {
		return err
	}
	next := st.s.Latest(b.Site, b.Dataset) + 1
	if b.Version != next {
		return invalid(ws.T("versions of a dataset go up by one and never change", "数据集版本逐一递增且不可更改")).
			WithHint(ws.T("the next version is %d", "下一个版本为 %d", next))
	}
	if err := st.put(DatasetKey(b.Site, b.Dataset), &Dataset{Latest: b.Version}); err != nil {
		return err
	}
	return st.put(VersionKey(b.Site, b.Dataset, b.Version), &Version{Commitment: b.Commitment})
}

func (b *AddStudy) apply(st *step) error {
	by, err := st.requester()
	if err != nil {
		return err
	}
	for _, c := range b.Conductors {
		if _, err := st.s.standingSite(c); err != nil {
			return err
		}
	}
	k := StudyKey(StudyRef{Requester: by, Study: b.Study})
	if _, known := st.s.Value(k); known {
		return denied(ws.T("this requester has registered the study already", "该请求者已登记此研究"))
	}
	return st.put(k, &Study{Conductors: b.Conductors, Dataset: b.Dataset, Purposes: b.Purposes})
}

func (b *Decide) apply(st *step) error {
	if err := st.ownSite(b.Site); err != nil {
		return err
	}
	study, known := st.s.Study(b.StudyRef)
	if !known {
		return denied(ws.T("the study is not on the chain", "链上没有该研究"))
	}
	if _, known := st.s.Version(b.Site, study.Dataset, b.Version); !known {
		return denied(ws.T("the site has no such version of the study's dataset", "该站点没有研究所用数据集的此版本"))
	}
	rec, _ := st.s.Decision(b.Question)
	if !follows(rec.Verdict, b.Verdict) {
		return denied(ws.T("the decision does not follow from the standing one: an approval is withdrawn, a refusal or withdrawal is followed by an approval",
			"该决定与现有决定不衔接：批准之后只能撤回，拒绝或撤回之后只能重新批准"))
	}
	return st.put(DecisionKey(b.Question), &Decision{Number: rec.Number + 1, Verdict: b.Verdict})
}

// follows reports whether a verdict may come after the standing one, which is
// empty at first.
func follows(standing, next Verdict) bool {
	switch next {
	case Approve:
		return standing != Approve
	case Refuse:
		return standing == ""
	default:
		return standing == Approve
	}
}

// Approved refuses unless the institution of the site has approved this very
// question, nothing of it has been withdrawn, ended or suspended since, and the
// dataset version is there.
func (s State) Approved(q Question) error {
	if _, err := s.standingSite(q.Site); err != nil {
		return err
	}
	study, known := s.Study(q.StudyRef)
	if !known {
		return denied(ws.T("the study is not on the chain", "链上没有该研究")).
			WithHint(ws.T("its requester submits it first", "请由请求者先行提交"))
	}
	if _, err := s.standingRequester(q.Requester); err != nil {
		return err
	}
	if _, known := s.Version(q.Site, study.Dataset, q.Version); !known {
		return denied(ws.T("the site has no such version of the study's dataset", "该站点没有研究所用数据集的此版本"))
	}
	rec, _ := s.Decision(q)
	switch rec.Verdict {
	case Approve:
		return nil
	case Refuse:
		return denied(ws.T("site %s has refused the study", "站点 %s 已拒绝该研究", q.Site)).
			WithHint(ws.T("speak with its steward; only a new approval changes it", "请与其数据管理员沟通；须重新批准方可进行"))
	case Withdraw:
		return denied(ws.T("site %s has withdrawn its approval of the study", "站点 %s 已撤回对该研究的批准", q.Site)).
			WithHint(ws.T("speak with its steward; only a new approval changes it", "请与其数据管理员沟通；须重新批准方可进行"))
	}
	return denied(ws.T("site %s has not approved the study for version %d of the dataset and release %s", "站点 %s 尚未批准该研究使用数据集版本 %d 与程序版本 %s", q.Site, q.Version, q.Release)).
		WithHint(ws.T("its steward decides on the site's own console", "请由其数据管理员在站点自己的控制台上作出决定"))
}

// Withdrawn reports whether the approval of a question has been taken back.
func (s State) Withdrawn(q Question) bool {
	rec, _ := s.Decision(q)
	return rec.Verdict == Withdraw
}
