package run

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/study"
)

// open begins the run, or a new epoch of it. An opening that is known already
// is answered with the same facts.
func (p *Participant) open(m *Message) (Output, error) {
	o, err := readOpening(m.Body)
	if err != nil {
		return Output{}, err
	}
	digest, err := o.Digest()
	if err != nil {
		return Output{}, err
	}
	if m.From != o.Conductor || m.Run != o.Run || m.Epoch != o.Epoch {
		return Output{}, ws.Errorf(ws.Diverged, "open", ws.T("the message and the opening in it name another run or conductor", "消息与其中的开启文件所指的计算或主持方不一致"))
	}
	if p.opening != nil && digest == p.digest {
		return p.known()
	}
	var past sum.History
	if p.party != nil {
		past = p.party.History()
	}
	if err := p.follows(o, past); err != nil {
		return Output{}, err
	}
	s, err := o.study()
	if err != nil {
		return Output{}, err
	}
	if err := p.consents(o); err != nil {
		return Output{}, err
	}
	if err := p.cfg.Gate.Allow(o, s, -1); err != nil {
		return Output{}, err
	}
	return p.begin(o, digest, s, past)
}

// known answers an opening that came before.
func (p *Participant) known() (Output, error) {
	switch {
	case p.refusal != nil:
		return Output{}, ws.Errorf(ws.Denied, "open", ws.T("this site has ended the run", "本站点已结束该计算"))
	case p.ended:
		return Output{}, nil
	case p.facts != nil:
		out := p.message(FactsStep, p.facts)
		out.Round = 0
		return Output{Send: []Message{out}}, nil
	}
	needs, err := p.cfg.Catalog.Needs(p.study)
	return Output{Publish: &needs}, err
}

// follows refuses an opening after which this site may not answer: a second
// one for an epoch, and a new epoch once a sum can have been opened, whose
// difference would tell the part of a site that went.
func (p *Participant) follows(o *Opening, past sum.History) error {
	switch {
	case p.opening == nil:
		return nil
	case o.Run != p.opening.Run || o.Epoch <= p.opening.Epoch:
		return ws.Errorf(ws.Denied, "open", ws.T("the run has been opened already", "该计算已经开启"))
	case p.results != nil || past.Opened() != nil:
		return ws.Errorf(ws.Denied, "open", ws.T("a sum of the run may have been opened; it has no further epoch", "该计算的和可能已被打开，不能再开新的一期")).
			WithHint(ws.T("wait for the lost site, or ask in a run of its own", "请等待失联的站点，或另开一次计算"))
	}
	return nil
}

func (p *Participant) begin(o *Opening, digest [32]byte, s *study.Study, past sum.History) (Output, error) {
	params, err := o.params(digest, s, p.cfg.Shared.known())
	if err != nil {
		return Output{}, err
	}
	needs, err := p.cfg.Catalog.Needs(s)
	if err != nil {
		return Output{}, err
	}
	party, err := sum.NewParty(params, p.cfg.Site, p.cfg.Key, past, p.cfg.Rand)
	if err != nil {
		return Output{}, err
	}
	if p.party != nil {
		p.party.Close()
	}
	*p = Participant{cfg: p.cfg, asker: p.asker, opening: o, digest: digest, study: s, params: params, party: party}
	return Output{Publish: &needs}, nil
}

// consents checks what the opening claims of this site: its institution, under
// another name of which it would count twice, and its policy.
func (p *Participant) consents(o *Opening) error {
	if o.AllowFew && !p.cfg.Policy.FewInstitutions {
		return p.cfg.Policy.Institutions("open", 1)
	}
	for _, m := range o.Members {
		if m.Site == p.cfg.Site && m.Institution != p.cfg.Institution {
			return ws.Errorf(ws.Denied, "open", ws.T("the opening gives this site another institution than its own", "开启文件所列的本站点机构与实际不符"))
		}
		if m.Site == p.cfg.Site && m.Alone && p.cfg.Policy.SiteResults == policy.RefuseSite {
			return ws.Errorf(ws.Denied, "open", ws.T("site_results is refuse here", "本站点的 site_results 为 refuse"))
		}
	}
	return nil
}

// signedFacts is what a site's key signs of its facts.
func signedFacts(opening [32]byte, facts []byte) (d sum.Digest) {
	h := sha256.New()
	h.Write([]byte("wellspring/facts\n"))
	h.Write(opening[:])
	h.Write(facts)
	h.Sum(d[:0])
	return d
}

func (p *Participant) publish(f analyze.SiteFacts) (Output, error) {
	if p.party == nil || p.facts != nil {
		return Output{}, malformed()
	}
	if len(p.opening.Members) > 1 {
		f = f.Own()
	}
	b, err := json.Marshal(f)
	if err != nil {
		return Output{}, ws.Errorf(ws.Other, "facts", ws.T("the facts cannot be written", "无法写出站点信息")).Wrap(err)
	}
	if len(b) > maxFacts {
		return Output{}, ws.Errorf(ws.Invalid, "facts", ws.T("the facts are too long", "站点信息过长")).
			WithHint(ws.T("use fewer levels, or round the times", "请减少水平数，或将时间取整"))
	}
	signed := signedFacts(p.digest, b)
	sig, err := p.cfg.Key.Sign(nil, signed[:], crypto.Hash(0))
	if err != nil {
		return Output{}, ws.Errorf(ws.Other, "facts", ws.T("the key does not sign", "密钥无法签名")).Wrap(err)
	}
	advert, err := p.party.Advert().MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	p.facts = pack(b, sig, advert)
	rec, err := p.record()
	return Output{Records: append([]Record{p.stamped("facts", p.facts)}, rec...), Send: []Message{p.message(FactsStep, p.facts)}}, err
}

// A plan is the facts and adverts of all sites, three parts a site in the
// order of the opening: facts, signature, advert.
type plan struct {
	program *analyze.Program
	state   analyze.State
	adverts []sum.Advert
}

// readPlan checks every signature and binds the study.
func readPlan(o *Opening, p sum.Params, s *study.Study, c analyze.Catalog, parts [][]byte) (*plan, error) {
	if len(parts) != 3*len(o.Members) {
		return nil, malformed()
	}
	out := &plan{}
	var facts []analyze.SiteFacts
	for i, m := range o.Members {
		f, advert, err := readFacts(m, p, parts[3*i], parts[3*i+1], parts[3*i+2])
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
		out.adverts = append(out.adverts, advert)
	}
	merged, err := analyze.MergeFacts(facts, o.Institution)
	if err != nil {
		return nil, err
	}
	if out.program, err = analyze.New(c, s, merged); err != nil {
		return nil, err
	}
	out.state, err = out.program.Start()
	return out, err
}

func readFacts(m Member, p sum.Params, body, sig, advert []byte) (f analyze.SiteFacts, a sum.Advert, err error) {
	if !p.Signatures.Verify(m.Key, signedFacts(p.Open, body), sig) {
		return f, a, ws.Errorf(ws.Denied, "facts", ws.T("the facts of site %s are not signed by its key", "站点 %s 的信息未经其密钥签名", m.Site))
	}
	if err := json.Unmarshal(body, &f); err != nil || f.Site != m.Site || f.Institution != m.Institution {
		return f, a, ws.Errorf(ws.Invalid, "facts", ws.T("the facts of site %s are not well formed", "站点 %s 的信息格式不正确", m.Site))
	}
	return f, a, a.UnmarshalBinary(advert)
}

// takePlan binds the study to one set of facts and keys, and to no other.
func (p *Participant) takePlan(m *Message, parts [][]byte) (Output, error) {
	if p.facts == nil {
		return Output{}, malformed()
	}
	digest := sha256.Sum256(m.Body)
	if p.program != nil && digest != p.bound {
		return Output{}, ws.Errorf(ws.Diverged, "plan", ws.T("a second plan for one epoch", "同一期出现第二份计划"))
	}
	if p.program != nil {
		return p.coin(nil)
	}
	pl, err := p.cfg.Shared.read(p.opening, p.params, p.study, p.cfg.Catalog, m.Body, parts)
	if err != nil {
		return Output{}, err
	}
	p.program, p.state, p.adverts, p.bound = pl.program, pl.state, pl.adverts, digest
	return p.coin([]Record{p.stamped("plan", m.Body)})
}

// coin reveals this site's share of the public coin.
func (p *Participant) coin(records []Record) (Output, error) {
	coin, err := p.party.Coin(p.adverts)
	if err != nil {
		return Output{}, err
	}
	b, err := coin.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	out := p.message(CoinStep, b)
	out.Round = 0
	rec, err := p.record()
	return Output{Records: append(records, rec...), Send: []Message{out}}, err
}

func (p *Participant) takeCoins(parts [][]byte) (Output, error) {
	if p.program == nil {
		return Output{}, malformed()
	}
	coins, err := readAll[sum.Coin](parts)
	if err != nil {
		return Output{}, err
	}
	epoch, err := sum.NewEpoch(p.params, p.adverts, coins)
	if err != nil {
		return Output{}, err
	}
	encaps, err := p.party.Encaps(epoch)
	if err != nil {
		return Output{}, err
	}
	body, err := packAll(encaps)
	if err != nil {
		return Output{}, err
	}
	out := p.message(Pairs, body)
	out.Round = 0
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{out}}, err
}
