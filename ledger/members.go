package ledger

import (
	"strings"

	ws "wellspring"
)

// maxChainName leaves room for '@' and a digest in the 128 characters of a run's chain.
const maxChainName = 63

func (b *Genesis) apply(st *step) error {
	name := string(st.tx.chain)
	if len(name) > maxChainName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || name == "" {
		return malformed(ws.T("a chain's name has 1 to %d small letters, digits or '-'", "链名由 1 到 %d 个小写字母、数字或“-”组成", maxChainName))
	}
	chain := &Chain{Genesis: st.tx.digest, ID: ChainID(name + "@" + st.tx.digest.String()), Rule: string(ByOperator), RuleKey: b.Operator.ID(), Suite: b.Suite}
	if err := st.put(chainKey, chain); err != nil {
		return err
	}
	return st.write(KeyKey(b.Operator.ID()), &Registered{Holder: ByOperator, Key: b.Operator})
}

func (b *SetRule) apply(st *step) error {
	if err := st.governs(); err != nil {
		return err
	}
	chain, _ := st.s.Chain()
	if err := st.replace(ByOperator, "", chain.RuleKey, b.Key, b.Possession); err != nil {
		return err
	}
	chain.Rule, chain.RuleKey = b.Rule, b.Key.ID()
	return st.put(chainKey, &chain)
}

func (b *SetInstitution) apply(st *step) error {
	rec, known := st.s.Institution(b.Institution)
	if b.Act == Admit {
		return b.admit(st, known)
	}
	if !known {
		return unknown(theInstitution)
	}
	self := st.author.Holder == ByInstitution && ws.Institution(st.author.Name) == b.Institution
	switch b.Act {
	case Rotate:
		if !self || rec.Suspended {
			return denied(ws.T("only the institution's own present key may bring another", "仅机构自身的现用密钥可更换密钥"))
		}
		if err := st.replace(ByInstitution, string(b.Institution), rec.Key, b.Key, b.Possession); err != nil {
			return err
		}
		rec.Key = b.Key.ID()
	case Suspend, Reinstate:
		suspend := b.Act == Suspend
		if err := st.governs(); err != nil && !(suspend && self) {
			return err
		}
		if rec.Suspended == suspend {
			return denied(ws.T("that is so already", "已处于该状态"))
		}
		rec.Suspended = suspend
	}
	return st.put(InstitutionKey(b.Institution), &rec)
}

func (b *SetInstitution) admit(st *step, known bool) error {
	if err := st.governs(); err != nil {
		return err
	}
	if known {
		return taken(theInstitution)
	}
	if err := st.register(ByInstitution, string(b.Institution), b.Key, b.Possession); err != nil {
		return err
	}
	return st.put(InstitutionKey(b.Institution), &Institution{Category: b.Category, Jurisdiction: b.Jurisdiction, Key: b.Key.ID()})
}

func (b *SetSite) apply(st *step) error {
	rec, known := st.s.Site(b.Site)
	if b.Act == Admit {
		by, err := st.institution()
		if err != nil {
			return err
		}
		if known {
			return taken(theSite)
		}
		if err := st.register(BySite, string(b.Site), b.Key, b.Possession); err != nil {
			return err
		}
		return st.put(SiteKey(b.Site), &Site{Institution: by, Key: b.Key})
	}
	if err := st.ownSite(b.Site); err != nil {
		return err
	}
	if b.Act == End {
		rec.Ended = true
		if err := st.retire(rec.Key.ID()); err != nil {
			return err
		}
		return st.put(SiteKey(b.Site), &rec)
	}
	if err := st.replace(BySite, string(b.Site), rec.Key.ID(), b.Key, b.Possession); err != nil {
		return err
	}
	rec.Key = b.Key
	return st.put(SiteKey(b.Site), &rec)
}

func (b *SetRequester) apply(st *step) error {
	by, err := st.institution()
	if err != nil {
		return err
	}
	rec, known := st.s.Requester(b.Account)
	if b.Act == Admit {
		if known {
			return taken(theRequester)
		}
		if err := st.register(ByRequester, string(b.Account), b.Key, b.Possession); err != nil {
			return err
		}
		return st.put(RequesterKey(b.Account), &Requester{Institution: by, Key: b.Key.ID()})
	}
	if _, err := st.s.standingRequester(b.Account); err != nil {
		return err
	}
	if rec.Institution != by {
		return denied(ws.T("the account belongs to another institution", "该账户属于其他机构"))
	}
	if b.Act == End {
		rec.Ended = true
		if err := st.retire(rec.Key); err != nil {
			return err
		}
		return st.put(RequesterKey(b.Account), &rec)
	}
	if err := st.replace(ByRequester, string(b.Account), rec.Key, b.Key, b.Possession); err != nil {
		return err
	}
	rec.Key = b.Key.ID()
	return st.put(RequesterKey(b.Account), &rec)
}

var theRequester = ws.T("a requester's account", "请求者账户")

func unknown(what ws.Text) error {
	return denied(ws.T("%s of this name is not on the chain", "链上没有此名称的%s", what))
}

func taken(what ws.Text) error {
	return denied(ws.T("%s of this name is on the chain already", "链上已有此名称的%s", what))
}

// standingInstitution refuses an institution that is not there or suspended.
func (s State) standingInstitution(i ws.Institution) error {
	rec, known := s.Institution(i)
	if !known {
		return unknown(theInstitution)
	}
	if rec.Suspended {
		return denied(ws.T("institution %s is suspended", "机构 %s 已被暂停", i))
	}
	return nil
}

// standingSite gives a site that is there, not ended, and whose institution stands.
func (s State) standingSite(id ws.SiteID) (Site, error) {
	rec, known := s.Site(id)
	if !known {
		return Site{}, unknown(theSite)
	}
	if rec.Ended {
		return Site{}, denied(ws.T("site %s has ended", "站点 %s 已终止", id))
	}
	return rec, s.standingInstitution(rec.Institution)
}

// standingRequester gives an account that is there, not ended, and whose
// institution stands.
func (s State) standingRequester(a Account) (Requester, error) {
	rec, known := s.Requester(a)
	if !known {
		return Requester{}, unknown(theRequester)
	}
	if rec.Ended {
		return Requester{}, denied(ws.T("the requester's account has ended", "请求者账户已终止"))
	}
	return rec, s.standingInstitution(rec.Institution)
}
