package ledger

import ws "wellspring"

// Describe tells a person what it says.
func (b *Genesis) Describe() ws.Text {
	return ws.T("the chain begins, with cipher suite %s; its operator's key is %s", "链创建，密码套件为 %s；运营方密钥为 %s", b.Suite, short(b.Operator.ID()))
}

// Describe tells a person what it says.
func (b *SetRule) Describe() ws.Text {
	return ws.T("institutions are admitted by the operator's new key %s", "改由运营方新密钥 %s 接纳机构", short(b.Key.ID()))
}

// Describe tells a person what it says.
func (b *SetInstitution) Describe() ws.Text {
	switch b.Act {
	case Admit:
		return ws.T("institution %s (%s, %s) is admitted with key %s", "接纳机构 %s（%s，%s），密钥为 %s", b.Institution, b.Category, b.Jurisdiction, short(b.Key.ID()))
	case Rotate:
		return ws.T("institution %s has the new key %s", "机构 %s 更换密钥为 %s", b.Institution, short(b.Key.ID()))
	case Suspend:
		return ws.T("institution %s is suspended", "机构 %s 被暂停", b.Institution)
	}
	return ws.T("institution %s is reinstated", "机构 %s 恢复", b.Institution)
}

// Describe tells a person what it says.
func (b *SetSite) Describe() ws.Text {
	switch b.Act {
	case Admit:
		return ws.T("site %s joins with key %s", "站点 %s 加入，密钥为 %s", b.Site, short(b.Key.ID()))
	case Rotate:
		return ws.T("site %s has the new key %s", "站点 %s 更换密钥为 %s", b.Site, short(b.Key.ID()))
	}
	return ws.T("site %s ends", "站点 %s 终止", b.Site)
}

// Describe tells a person what it says.
func (b *SetRequester) Describe() ws.Text {
	switch b.Act {
	case Admit:
		return ws.T("requester %s has the key %s", "请求者 %s 登记，密钥为 %s", b.Account[:8], short(b.Key.ID()))
	case Rotate:
		return ws.T("requester %s has the new key %s", "请求者 %s 更换密钥为 %s", b.Account[:8], short(b.Key.ID()))
	}
	return ws.T("requester %s ends", "请求者 %s 终止", b.Account[:8])
}

// Describe tells a person what it says.
func (b *AddVersion) Describe() ws.Text {
	return ws.T("site %s, dataset %s: version %d is frozen", "站点 %s 冻结数据集 %s 的版本 %d", b.Site, b.Dataset, b.Version)
}

// Describe tells a person what it says.
func (b *AddStudy) Describe() ws.Text {
	return ws.T("study %s is submitted, on dataset %s, for %v", "提交研究 %s，数据集为 %s，用途为 %v", short(b.Study), b.Dataset, b.Purposes)
}

// Describe says how a custodian has decided; an empty verdict is none yet.
func (v Verdict) Describe() ws.Text {
	switch v {
	case Approve:
		return ws.T("approved", "已批准")
	case Refuse:
		return ws.T("refused", "已拒绝")
	case Withdraw:
		return ws.T("withdrawn", "已撤回")
	case Suppress:
		return ws.T("released in part", "部分放行")
	case Ask:
		return ws.T("asks first", "先行询问")
	}
	return ws.T("undecided", "未决定")
}

// Describe tells a person what it says.
func (b *Decide) Describe() ws.Text {
	verb := ws.T("withdraws its approval of", "撤回批准")
	switch b.Verdict {
	case Approve:
		verb = ws.T("approves", "批准")
	case Refuse:
		verb = ws.T("refuses", "拒绝")
	}
	return ws.T("site %s %s study %s, for version %d of its dataset and release %s", "站点 %s %s研究 %s（数据集版本 %d，程序版本 %s）", b.Site, verb, short(b.Study), b.Version, b.Release)
}

// Describe tells a person what it says.
func (b *OpenRun) Describe() ws.Text {
	return ws.T("site %s opens epoch %d of run %s of study %s, over %d sites", "站点 %s 开启第 %d 期，计算 %s，研究 %s，共 %d 个站点", b.Conductor, b.Epoch, b.Run[:8], short(b.Study), len(b.Members))
}

// Describe tells a person what it says.
func (b *MarkSum) Describe() ws.Text {
	return ws.T("run %s opens its first sum, in epoch %d", "计算 %s 打开首次求和，第 %d 期", b.Run[:8], b.Epoch)
}

// Describe tells a person what it says.
func (b *CloseRun) Describe() ws.Text {
	return ws.T("run %s ends in epoch %d: %s", "计算 %s 于第 %d 期结束：%s", b.Run[:8], b.Epoch, b.Outcome)
}

// Describe tells a person what it says.
func (b *ReviewResult) Describe() ws.Text {
	switch b.Verdict {
	case Approve:
		return ws.T("a reviewer of site %s releases the result of run %s", "站点 %s 的审核人放行计算 %s 的结果", b.Site, b.Run[:8])
	case Suppress:
		return ws.T("a reviewer of site %s releases the result of run %s without analyses %v", "站点 %s 的审核人放行计算 %s 的结果，但隐去分析 %v", b.Site, b.Run[:8], b.Parts)
	case Refuse:
		return ws.T("a reviewer of site %s refuses to release the result of run %s", "站点 %s 的审核人拒绝放行计算 %s 的结果", b.Site, b.Run[:8])
	}
	return ws.T("a reviewer of site %s asks about the result of run %s", "站点 %s 的审核人就计算 %s 的结果提出询问", b.Site, b.Run[:8])
}

// Describe tells a person what it says.
func (b *ReleaseResult) Describe() ws.Text {
	return ws.T("the result of run %s is released to requester %s", "计算 %s 的结果交给请求者 %s", b.Run[:8], b.Requester[:8])
}

// short is enough of a hash to tell it from others on a page.
func short(h Hash) string { return h.String()[:12] }
