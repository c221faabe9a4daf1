package ledger

import (
	ws "wellspring"
)

// An Event says which value of the state a transaction of what kind has written.
type Event struct {
	Kind Kind
	Key  Key
}

// Apply gives the state after t, or the reason why t does not hold and the state
// stays as it is. It is a function of its arguments alone: no clock, no chance,
// no order of a map, no float. Signature, author, number and chain are checked
// each time. The height stays; see [State.AtHeight].
//
// Errors are Invalid for what can never hold, as malformed or out of order, and
// Denied for what the signer may not do, or not yet.
func Apply(s State, t Tx) (State, []Event, error) {
	if t.IsZero() {
		return s, nil, malformed(ws.T("there is no transaction", "没有交易内容"))
	}
	st := &step{s: s, tx: t}
	err := st.admit()
	if err == nil {
		err = t.body.apply(st)
	}
	if err != nil {
		return s, nil, ws.At("transaction "+string(t.body.Kind()), err)
	}
	author := *get[Registered](st.s.tree, KeyKey(t.author))
	author.Seq = t.seq
	if err := st.write(KeyKey(t.author), &author); err != nil {
		return s, nil, err
	}
	return st.s, st.events, nil
}

// A step is one transaction on its way into the state.
type step struct {
	s      State
	tx     Tx
	author Registered
	events []Event
}

// admit checks what all kinds have in common.
func (st *step) admit() error {
	chain, begun := st.s.Chain()
	g, genesis := st.tx.body.(*Genesis)
	if genesis != !begun {
		if begun {
			return denied(ws.T("the chain has its genesis already", "该链已有创世交易"))
		}
		return denied(ws.T("the chain has no genesis yet", "该链尚无创世交易"))
	}
	if genesis {
		st.author = Registered{Holder: ByOperator, Key: g.Operator}
	} else {
		if st.tx.chain != chain.ID {
			return denied(ws.T("the transaction is for another chain", "该交易属于另一条链"))
		}
		var known bool
		if st.author, known = st.s.Key(st.tx.author); !known {
			return denied(ws.T("the author's key is not on the chain", "链上没有作者的密钥"))
		}
	}
	if err := st.tx.verify(st.author.Key); err != nil {
		return err
	}
	if st.author.Retired {
		return denied(ws.T("the author's key is retired", "作者的密钥已停用"))
	}
	return st.inTurn()
}

// inTurn refuses a transaction that was there before, or that would come before
// its time: numbers of a key go up by one [LEDGER-TX.2].
func (st *step) inTurn() error {
	next := st.author.Seq + 1
	switch {
	case st.tx.seq < next:
		return invalid(ws.T("a transaction of this number by this key is on the chain already", "链上已有此密钥的该序号交易")).
			WithHint(ws.T("number it %d and sign it again, if it is not the same one", "如非同一交易，请改用序号 %d 并重新签名", next))
	case st.tx.seq > next:
		return invalid(ws.T("an earlier transaction of this key is missing", "缺少此密钥的较早交易")).
			WithHint(ws.T("submit number %d first", "请先提交序号 %d", next))
	}
	return nil
}

// CheckSignature reports whether t is signed by a key that the state knows,
// retired or not. A store asks before it tells anybody that t is on the chain.
func (s State) CheckSignature(t Tx) error {
	if t.IsZero() {
		return malformed(ws.T("there is no transaction", "没有交易内容"))
	}
	author, known := s.Key(t.author)
	if !known {
		return denied(ws.T("the author's key is not on the chain", "链上没有作者的密钥"))
	}
	return t.verify(author.Key)
}

// put writes a record and tells of it.
func (st *step) put(k Key, rec any) error {
	st.events = append(st.events, Event{st.tx.body.Kind(), k})
	return st.write(k, rec)
}

func (st *step) write(k Key, rec any) error {
	b, err := canonical(rec)
	if err != nil {
		return err
	}
	if len(k) > maxKey {
		return malformed(ws.T("the names are too long together", "各名称合计过长"))
	}
	st.s.tree = st.s.tree.put(newLeaf(k, b, rec))
	return nil
}

// governs holds the author to the rule by which institutions are admitted: today
// the operator's key. A rule of two thirds will count votes here, and nowhere else.
func (st *step) governs() error {
	chain, _ := st.s.Chain()
	if st.author.Holder == ByOperator && st.tx.author == chain.RuleKey {
		return nil
	}
	return denied(ws.T("only the operator may do this", "仅运营方可执行此操作"))
}

// institution gives the institution that signs.
func (st *step) institution() (ws.Institution, error) {
	i := ws.Institution(st.author.Name)
	if st.author.Holder != ByInstitution {
		return "", denied(ws.T("only an institution's own key may do this", "仅机构自身的密钥可执行此操作"))
	}
	return i, st.s.standingInstitution(i)
}

// site gives the site that signs.
func (st *step) site() (ws.SiteID, error) {
	id := ws.SiteID(st.author.Name)
	if st.author.Holder != BySite {
		return "", denied(ws.T("only a site's own key may do this", "仅站点自身的密钥可执行此操作"))
	}
	_, err := st.s.standingSite(id)
	return id, err
}

// requester gives the account that signs.
func (st *step) requester() (Account, error) {
	a := Account(st.author.Name)
	if st.author.Holder != ByRequester {
		return "", denied(ws.T("only a requester's own key may do this", "仅请求者自身的密钥可执行此操作"))
	}
	_, err := st.s.standingRequester(a)
	return a, err
}

// ownSite holds the author to the institution of a site.
func (st *step) ownSite(id ws.SiteID) error {
	by, err := st.institution()
	if err != nil {
		return err
	}
	site, err := st.s.standingSite(id)
	if err != nil {
		return err
	}
	if site.Institution != by {
		return denied(ws.T("site %s belongs to another institution", "站点 %s 属于其他机构", id))
	}
	return nil
}

// register puts a key on the chain that was never there.
func (st *step) register(holder Holder, name string, key PublicKey, possessed Signature) error {
	chain, _ := st.s.Chain()
	if _, known := st.s.Key(key.ID()); known {
		return denied(ws.T("the key is on the chain already; a key has one holder for ever", "该密钥已在链上；密钥永远只属于一个持有者"))
	}
	if !key.verify(possession(chain.ID, holder, name), possessed) {
		return denied(ws.T("the key's holder has not signed for it", "密钥持有者未作持有签名"))
	}
	return st.write(KeyKey(key.ID()), &Registered{Holder: holder, Key: key, Name: name})
}

// retire ends a key.
func (st *step) retire(id KeyID) error {
	rec, known := st.s.Key(id)
	if !known {
		return denied(ws.T("the key is not on the chain", "链上没有该密钥"))
	}
	rec.Retired = true
	return st.write(KeyKey(id), &rec)
}

// replace registers a key and retires the one before it.
func (st *step) replace(holder Holder, name string, old KeyID, key PublicKey, possessed Signature) error {
	if err := st.register(holder, name, key, possessed); err != nil {
		return err
	}
	return st.retire(old)
}
