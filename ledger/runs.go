package ledger

import (
	"slices"

	ws "wellspring"
)

func (b *OpenRun) apply(st *step) error {
	by, err := st.site()
	if err != nil {
		return err
	}
	study, err := b.conducted(st, by)
	if err != nil {
		return err
	}
	rec, known := st.s.Run(b.Run)
	switch {
	case b.Epoch == 1 && known:
		return denied(ws.T("a run of this id was opened before", "已有此编号的计算"))
	case b.Epoch > 1 && !known:
		return denied(ws.T("there is no such run", "没有该计算"))
	case b.Epoch > 1:
		if err := b.mayFollow(st, rec); err != nil {
			return err
		}
	}
	for _, m := range b.Members {
		if err := st.s.standingMember(b.StudyRef, b.Release, m); err != nil {
			return err
		}
	}
	if err := st.put(RunKey(b.Run), &Run{StudyRef: b.StudyRef, Epoch: b.Epoch, Release: b.Release}); err != nil {
		return err
	}
	if err := st.put(EpochKey(b.Run, b.Epoch), &Epoch{Conductor: b.Conductor, Members: b.Members, Opening: b.Opening}); err != nil {
		return err
	}
	return st.put(AskedKey(study.Dataset, b.Run), &Asked{StudyRef: b.StudyRef})
}

// conducted holds the conductor to be the signer, and a member or named by the
// study: whoever conducts sees the opened sums.
func (b *OpenRun) conducted(st *step, by ws.SiteID) (Study, error) {
	study, known := st.s.Study(b.StudyRef)
	if !known {
		return study, denied(ws.T("the study is not on the chain", "链上没有该研究"))
	}
	if by != b.Conductor {
		return study, denied(ws.T("a run is opened by the site that conducts it", "计算须由主持站点开启"))
	}
	member := slices.ContainsFunc(b.Members, func(m Member) bool { return m.Site == by })
	if !member && !slices.Contains(study.Conductors, by) {
		return study, denied(ws.T("site %s is no member of the run, and the study does not name it as a conductor", "站点 %s 不是该计算的成员，研究也未将其列为主持方", by))
	}
	return study, nil
}

// mayFollow holds a later epoch to the run: the same question, the sites of the
// epoch before or fewer, on the same versions, and nothing opened yet.
func (b *OpenRun) mayFollow(st *step, rec Run) error {
	switch {
	case rec.Summed:
		return denied(ws.T("a sum of the run was opened; no epoch may follow", "该计算已打开过求和；不得再开新期")).
			WithHint(ws.T("wait for the lost site, or end the run", "请等待失联站点，或结束该计算"))
	case rec.Closed:
		return denied(ws.T("the run is closed", "该计算已关闭"))
	case rec.StudyRef != b.StudyRef || rec.Release != b.Release:
		return denied(ws.T("the run is of another study or release", "该计算属于另一研究或版本"))
	case b.Epoch != rec.Epoch+1:
		return invalid(ws.T("epochs of a run go up by one", "计算的期号逐一递增"))
	}
	before, _ := st.s.Epoch(b.Run, rec.Epoch)
	for _, m := range b.Members {
		old, known := before.Member(m.Site)
		if !known || old.Version != m.Version {
			return denied(ws.T("site %s, on this version, was not in the epoch before", "上一期中没有站点 %s 或其版本不同", m.Site))
		}
	}
	return nil
}

// standingMember refuses a member that has another key by now, or whose
// approval does not stand.
func (s State) standingMember(study StudyRef, r ws.Release, m Member) error {
	site, err := s.standingSite(m.Site)
	if err != nil {
		return err
	}
	if site.Key != m.Key {
		return denied(ws.T("site %s has another key on the chain", "站点 %s 在链上的密钥与此不同", m.Site))
	}
	return s.Approved(Question{StudyRef: study, Release: r, Site: m.Site, Version: m.Version})
}

// takesPart gives the present epoch of a run, in which the site must conduct or
// be a member.
func (s State) takesPart(r RunID, epoch int, site ws.SiteID) (Run, error) {
	rec, known := s.Run(r)
	if !known {
		return rec, denied(ws.T("there is no such run", "没有该计算"))
	}
	if rec.Epoch != epoch {
		return rec, denied(ws.T("the run is in another epoch", "该计算处于另一期"))
	}
	e, _ := s.Epoch(r, epoch)
	if _, member := e.Member(site); !member && e.Conductor != site {
		return rec, denied(ws.T("site %s takes no part in the run", "站点 %s 未参与该计算", site))
	}
	return rec, nil
}

func (b *MarkSum) apply(st *step) error {
	by, err := st.site()
	if err != nil {
		return err
	}
	rec, err := st.s.takesPart(b.Run, b.Epoch, by)
	if err != nil {
		return err
	}
	if rec.Summed || rec.Closed {
		return denied(ws.T("the run is marked or closed already", "该计算已标记或已关闭"))
	}
	rec.Summed = true
	return st.put(RunKey(b.Run), &rec)
}

func (b *CloseRun) apply(st *step) error {
	by, err := st.site()
	if err != nil {
		return err
	}
	rec, err := st.s.takesPart(b.Run, b.Epoch, by)
	if err != nil {
		return err
	}
	if b.Outcome == OK && !rec.Summed {
		return denied(ws.T("a run without an opened sum has no result", "未打开过求和的计算没有结果"))
	}
	if _, known := st.s.Closing(b.Run, by); known {
		return denied(ws.T("site %s has closed the run already", "站点 %s 已关闭该计算", by))
	}
	e, _ := st.s.Epoch(b.Run, b.Epoch)
	for _, site := range b.Review {
		if _, member := e.Member(site); !member {
			return denied(ws.T("site %s takes no part in the run", "站点 %s 未参与该计算", site))
		}
	}
	rec.Closed = true
	if err := st.put(RunKey(b.Run), &rec); err != nil {
		return err
	}
	return st.put(ClosingKey(b.Run, by), &Closing{Epoch: b.Epoch, Outcome: b.Outcome, Result: b.Result, Review: b.Review, Rounds: b.Rounds})
}

func (b *ReleaseResult) apply(st *step) error {
	by, err := st.site()
	if err != nil {
		return err
	}
	rec, known := st.s.Run(b.Run)
	if !known {
		return denied(ws.T("there is no such run", "没有该计算"))
	}
	closing, _ := st.s.Closing(b.Run, by)
	if closing.Outcome != OK {
		return denied(ws.T("site %s has not closed the run with a result", "站点 %s 未以有结果的方式关闭该计算", by))
	}
	requester, err := st.s.standingRequester(b.Requester)
	if err != nil {
		return err
	}
	if rec.Requester != b.Requester || requester.Key != b.Key {
		return denied(ws.T("a result goes to the present key of the requester who asked", "结果只能交给提出请求者的现用密钥"))
	}
	if err := st.s.reviewed(b.Run, closing.Result, b.Result); err != nil {
		return err
	}
	if _, known := st.s.Handover(b.Run, by); known {
		return denied(ws.T("site %s has released the result already", "站点 %s 已发布该结果", by))
	}
	return st.put(HandoverKey(b.Run, by), &Handover{Key: b.Key, Requester: b.Requester, Result: b.Result})
}

// MayAnswer is what a site asks of its own view of the chain before each round:
// it refuses unless this is the run's present epoch, opened with this digest,
// the run is not closed, the site is a member of it, every member still has
// the key that it was opened with, and neither a member nor the conductor has
// been suspended or has ended.
// Of approvals it asks for the site's own: another's withdrawal stops that
// site, not this one.
func (s State) MayAnswer(site ws.SiteID, r RunID, epoch int, opening Hash) error {
	rec, err := s.takesPart(r, epoch, site)
	if err != nil {
		return err
	}
	e, _ := s.Epoch(r, epoch)
	self, member := e.Member(site)
	switch {
	case !member:
		return denied(ws.T("site %s takes no part in the run", "站点 %s 未参与该计算", site))
	case e.Opening != opening:
		return ws.Errorf(ws.Diverged, "ledger", ws.T("the opening is not the one that the chain fixed", "开启信息与链上所定不符"))
	case rec.Closed:
		return denied(ws.T("the run is closed", "该计算已关闭"))
	}
	if _, err := s.standingSite(e.Conductor); err != nil {
		return err
	}
	for _, m := range e.Members {
		now, err := s.standingSite(m.Site)
		if err != nil {
			return err
		}
		if now.Key != m.Key {
			return denied(ws.T("site %s has another key on the chain", "站点 %s 在链上的密钥与此不同", m.Site))
		}
	}
	return s.standingMember(rec.StudyRef, rec.Release, self)
}

// MayReveal is what a site asks, beside [State.MayAnswer], before it gives away
// anything that could open the run's first sum.
func (s State) MayReveal(r RunID, epoch int) error {
	rec, known := s.Run(r)
	if known && rec.Epoch == epoch && rec.Summed {
		return nil
	}
	return denied(ws.T("the chain does not say yet that the run's first sum is opened", "链上尚未标记该计算的首次求和")).
		WithHint(ws.T("the conductor marks it", "请由主持方进行标记"))
}
