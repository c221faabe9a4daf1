package ledger

import (
	ws "wellspring"
)

// first gives the first error of a list.
func first(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Genesis) check() error {
	if b.Suite != Intl {
		return invalid(ws.T("this release knows the suite %q only", "本版本只支持密码套件 %q", Intl))
	}
	return first(checkHash(ws.T("the nonce", "随机数"), b.Nonce), b.Operator.check())
}

func (b *SetRule) check() error {
	if b.Rule != string(ByOperator) {
		return invalid(ws.T("this release knows the rule %q only", "本版本只支持治理规则 %q", ByOperator))
	}
	return b.Key.check()
}

// checkAct holds an act to those that a body takes, and its key to the acts
// that bring one.
func checkAct(a Act, key PublicKey, possession Signature, acts ...Act) error {
	if !given(a, acts...) {
		return malformed(ws.T("the act is none that this kind of transaction takes", "该类交易不支持此操作"))
	}
	if given(a, Admit, Rotate) {
		return key.check()
	}
	if key != (PublicKey{}) || possession != (Signature{}) {
		return malformed(ws.T("this act brings no key", "此操作不应带有密钥"))
	}
	return nil
}

func (b *SetInstitution) check() error {
	if err := checkName(theInstitution, string(b.Institution)); err != nil {
		return err
	}
	if err := checkAct(b.Act, b.Key, b.Possession, Admit, Rotate, Suspend, Reinstate); err != nil {
		return err
	}
	if b.Act == Admit {
		return first(b.Category.check(), b.Jurisdiction.check())
	}
	if b.Category != "" || b.Jurisdiction != "" {
		return malformed(ws.T("category and jurisdiction are given at admission only", "类别与法域仅在接纳时给出"))
	}
	return nil
}

func (b *SetSite) check() error {
	if err := checkName(theSite, string(b.Site)); err != nil {
		return err
	}
	return checkAct(b.Act, b.Key, b.Possession, Admit, Rotate, End)
}

func (b *SetRequester) check() error {
	if err := b.Account.check(); err != nil {
		return err
	}
	return checkAct(b.Act, b.Key, b.Possession, Admit, Rotate, End)
}

func checkVersion(v int) error {
	if v >= 1 && v <= MaxVersion {
		return nil
	}
	return malformed(ws.T("a version is a number from 1", "版本号须为从 1 开始的整数"))
}

func (b *AddVersion) check() error {
	return first(checkName(theDataset, string(b.Dataset)), checkName(theSite, string(b.Site)), checkVersion(b.Version),
		checkHash(ws.T("the commitment", "承诺值"), b.Commitment))
}

func (b *AddStudy) check() error {
	if b.Conductors == nil {
		b.Conductors = []ws.SiteID{} // null has another canonical form, and is refused for it
	}
	if len(b.Purposes) < 1 || len(b.Purposes) > maxPurposes || len(b.Conductors) > maxConductors || !ordered(b.Purposes) || !ordered(b.Conductors) {
		return malformed(ws.T("a study has 1 to %d purposes and at most %d outside conductors, each list in order", "一项研究须有 1 到 %d 个用途、至多 %d 个外部主持方，且各按顺序排列", maxPurposes, maxConductors))
	}
	for _, p := range b.Purposes {
		if err := p.Validate(); err != nil {
			return err
		}
	}
	for _, c := range b.Conductors {
		if err := checkName(theSite, string(c)); err != nil {
			return err
		}
	}
	return first(checkName(theDataset, string(b.Dataset)), checkHash(theStudy, b.Study))
}

var theStudy = ws.T("the study's digest", "研究的摘要")

func (r StudyRef) check() error {
	return first(checkHash(theStudy, r.Study), r.Requester.check())
}

func (b *Decide) check() error {
	if b.Verdict != Approve && b.Verdict != Refuse && b.Verdict != Withdraw {
		return malformed(ws.T("a verdict is approve, refuse or withdraw", "决定须为 approve、refuse 或 withdraw"))
	}
	return first(b.StudyRef.check(), b.Release.Validate(), checkName(theSite, string(b.Site)), checkVersion(b.Version))
}

func checkEpoch(e int) error {
	if e >= 1 && e <= MaxEpoch {
		return nil
	}
	return malformed(ws.T("an epoch is a number from 1 to %d", "期号须为 1 到 %d 的整数", MaxEpoch))
}

func (b *OpenRun) check() error {
	if len(b.Members) < 1 || len(b.Members) > MaxMembers {
		return malformed(ws.T("a run has 1 to %d sites", "一次计算须有 1 到 %d 个站点", MaxMembers))
	}
	for i, m := range b.Members {
		if i > 0 && b.Members[i-1].Site >= m.Site {
			return malformed(ws.T("sites are not in order, or one stands twice", "站点未按顺序排列或有重复"))
		}
		if err := first(checkName(theSite, string(m.Site)), checkVersion(m.Version)); err != nil {
			return err // the key is compared with the site's, which was checked
		}
	}
	return first(b.StudyRef.check(), checkName(theSite, string(b.Conductor)), checkEpoch(b.Epoch), b.Release.Validate(), b.Run.check(),
		checkHash(ws.T("the opening's digest", "开启信息的摘要"), b.Opening))
}

func (b *MarkSum) check() error { return first(b.Run.check(), checkEpoch(b.Epoch)) }

func (b *CloseRun) check() error {
	if !goodOutcome(b.Outcome) || (b.Outcome == OK) == b.Result.IsZero() {
		return malformed(ws.T("an outcome is ok with a result, or the kind of an error without one", "结局须为带结果的 ok，或不带结果的错误类别"))
	}
	if len(b.Review) > MaxMembers || !ordered(b.Review) || b.Outcome != OK && b.Review != nil {
		return malformed(ws.T("the sites that review a result stand in order, and only with ok", "审核结果的站点须按顺序排列，且仅在结局为 ok 时给出"))
	}
	for _, s := range b.Review {
		if err := checkName(theSite, string(s)); err != nil {
			return err
		}
	}
	return first(b.Run.check(), checkEpoch(b.Epoch), checkHash(ws.T("the root of the rounds", "各轮的根"), b.Rounds))
}

func (b *ReviewResult) check() error {
	if b.Parts == nil {
		b.Parts = []int{} // null has another canonical form, and is refused for it
	}
	switch b.Verdict {
	case Approve, Refuse, Ask, Suppress:
	default:
		return malformed(ws.T("a review approves, suppresses, refuses or asks", "审核结论须为 approve、suppress、refuse 或 ask"))
	}
	if (b.Verdict == Suppress) != (len(b.Parts) > 0) || len(b.Parts) > maxParts {
		return malformed(ws.T("parts are named, at most %d, where and only where some are suppressed", "仅在隐去部分内容时列出相应部分，至多 %d 个", maxParts))
	}
	for i, n := range b.Parts {
		if n < 1 || n > maxPart || i > 0 && b.Parts[i-1] >= n {
			return malformed(ws.T("parts are analyses of the study, counted from 1, in order", "各部分为研究中的分析，从 1 开始编号，按顺序排列"))
		}
	}
	return first(b.Run.check(), checkName(theSite, string(b.Site)), checkHash(ws.T("the result's commitment", "结果的承诺值"), b.Result))
}

func (b *ReleaseResult) check() error {
	return first(b.Run.check(), b.Requester.check(), checkHash(ws.T("the result's commitment", "结果的承诺值"), b.Result),
		checkHash(ws.T("the requester's key", "请求者的密钥"), b.Key))
}
