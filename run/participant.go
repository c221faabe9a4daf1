package run

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"io"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/stat"
	"wellspring/study"
)

// A Gate decides whether this site answers a study: its own verified view of
// the ledger, the steward's approval, the differencing guard. It is asked
// before every round, so that a withdrawal stops the next one.
type Gate interface {
	// Allow returns nil, or why the site refuses; round is −1 before the facts.
	Allow(o *Opening, s *study.Study, round int) error
}

// A Journal is where a party's state survives. Save is durable on return and
// replaces the former record of that key; Load returns nil for none.
type Journal interface {
	Save(key string, b []byte) error
	Load(key string) ([]byte, error)
	Erase(key string) error
}

// Config is what a participant is given. Key signs for the hospital: whoever
// has it can speak for the site.
type Config struct {
	Site    ws.SiteID
	Key     crypto.Signer // Ed25519
	Catalog analyze.Catalog
	Policy  policy.Policy // of the site's dataset
	Gate    Gate
	Rand    io.Reader // secret randomness, 96 bytes an epoch
}

// An Event is what a party is told: a message, or work that was done.
type Event struct {
	Message   *Message
	Published *analyze.SiteFacts // the answer to Output.Publish
	Folded    *Folded            // the answer to Output.Fold
	Failed    error              // the site could not do the work; it ends the run
}

// Folded is a site's own part of a round, before masks; the party gives it up.
type Folded struct {
	Round int
	Ring  stat.Ring
}

// An Output is what a step brings about, to be done in this order: save the
// records, then send the messages, then do the work.
type Output struct {
	Records []Record
	Send    []Message
	// Publish asks the site for its facts; ExactTimes are the columns whose
	// times the study needs.
	Publish *analyze.Needs
	// Fold asks the site to fold its rows for a round.
	Fold *FoldRequest
	// Document is the study's answer, at the end.
	Document *study.Document
}

// A Record goes into the journal.
type Record struct {
	Key   string
	Bytes []byte
}

// A FoldRequest says what is to be folded.
type FoldRequest struct {
	Round   int
	Program *analyze.Program
	State   analyze.State
	Sites   int
}

// A Participant is a member site's half of one run.
type Participant struct {
	cfg     Config
	opening *Opening
	digest  [32]byte
	study   *study.Study
	past    sum.History // of earlier epochs of the run
	params  sum.Params
	party   *sum.Party
	program *analyze.Program
	plan    [][]byte // the signed facts and the adverts that it was bound to
	state   analyze.State
	round   int
	last    sum.Digest // of the last accepted sum
	ring    stat.Ring  // folded, not yet masked
	roster  *rosterIn  // has come, waits for the fold
	tally   *sum.Tally
	cert    *sum.Certificate
	results []study.Result
	audit   []byte // of the last round, for a conductor that asks again
	ended   bool
}

type rosterIn struct {
	roster sum.Roster
	pieces []sum.Piece
}

// NewParticipant waits for an opening.
func NewParticipant(cfg Config) *Participant { return &Participant{cfg: cfg} }

// Step takes one event. An error means that this site ends the run; the output
// then holds its refusal.
func (p *Participant) Step(e Event) (Output, error) {
	out, err := p.step(e)
	if err == nil {
		return out, nil
	}
	p.ended = true
	refusal := Output{}
	if p.opening != nil {
		refusal.Send = []Message{p.message(Refuse, refusalBody(err))}
	}
	return refusal, err
}

func (p *Participant) step(e Event) (Output, error) {
	switch {
	case p.ended:
		return Output{}, ws.Errorf(ws.Denied, "run", ws.T("this site has ended the run", "本站点已结束该计算"))
	case e.Failed != nil:
		return Output{}, e.Failed
	case e.Published != nil:
		return p.publish(*e.Published)
	case e.Folded != nil:
		return p.folded(*e.Folded)
	case e.Message != nil:
		return p.receive(e.Message)
	}
	return Output{}, malformed()
}

func (p *Participant) receive(m *Message) (Output, error) {
	if m.Step == Open {
		return p.open(m)
	}
	if p.opening == nil || m.Run != p.opening.Run || m.Epoch != p.opening.Epoch || m.From != p.opening.Conductor {
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run, epoch or conductor", "消息属于另一计算、期或主持方"))
	}
	parts, err := unpack(m.Body, 4*MaxSites+8)
	if err != nil {
		return Output{}, err
	}
	steps := map[Step]func(*Message, [][]byte) (Output, error){
		Plan: p.takePlan, Coins: p.takeCoins, Ask: p.ask, RosterStep: p.takeRoster,
		Propose: p.propose, Certify: p.certify, OpenSum: p.openSum, Audited: p.audited, End: p.end,
	}
	step, ok := steps[m.Step]
	if !ok {
		return Output{}, malformed()
	}
	if p.program != nil && m.Round == p.round-1 && m.Step != End {
		return p.again(m)
	}
	return step(m, parts)
}

func (p *Participant) message(s Step, body []byte) Message {
	return Message{From: p.cfg.Site, To: p.opening.Conductor, Run: p.opening.Run, Epoch: p.opening.Epoch, Round: p.round, Step: s, Body: body}
}

// open begins the run, or a new epoch of it.
func (p *Participant) open(m *Message) (Output, error) {
	o := new(Opening)
	if err := json.Unmarshal(m.Body, o); err != nil {
		return Output{}, malformed()
	}
	if err := o.Validate(); err != nil {
		return Output{}, err
	}
	if p.opening != nil && (o.Run != p.opening.Run || o.Epoch <= p.opening.Epoch) {
		return Output{}, ws.Errorf(ws.Denied, "open", ws.T("the run has been opened already", "该计算已经开启"))
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
	if p.party != nil {
		p.past = p.party.Close()
	}
	digest, err := o.Digest()
	if err != nil {
		return Output{}, err
	}
	*p = Participant{cfg: p.cfg, opening: o, digest: digest, study: s, past: p.past}
	p.params = o.params(digest)
	if p.party, err = sum.NewParty(p.params, p.cfg.Site, p.cfg.Key, p.past, p.cfg.Rand); err != nil {
		return Output{}, err
	}
	needs, err := p.cfg.Catalog.Needs(s)
	if err != nil {
		return Output{}, err
	}
	return Output{Publish: &needs}, nil
}

// consents checks what the opening claims of this site's own policy.
func (p *Participant) consents(o *Opening) error {
	if o.AllowFew && !p.cfg.Policy.FewSites {
		return p.cfg.Policy.Sites("open", 1)
	}
	for _, m := range o.Members {
		if m.Site == p.cfg.Site && m.Alone && p.cfg.Policy.SiteResults == policy.RefuseSite {
			return ws.Errorf(ws.Denied, "open", ws.T("site_results is refuse here", "本站点的 site_results 为 refuse"))
		}
	}
	return nil
}

// signedFacts is what a site's key signs of its facts.
func signedFacts(opening [32]byte, facts []byte) []byte {
	d := sha256.Sum256(append(append([]byte("wellspring/facts\n"), opening[:]...), facts...))
	return d[:]
}

func (p *Participant) publish(f analyze.SiteFacts) (Output, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return Output{}, err
	}
	sig, err := p.cfg.Key.Sign(nil, signedFacts(p.digest, b), crypto.Hash(0))
	if err != nil {
		return Output{}, ws.Errorf(ws.Other, "facts", ws.T("the key does not sign", "密钥无法签名")).Wrap(err)
	}
	advert, err := p.party.Advert().MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	if err != nil {
		return Output{}, err
	}
	return Output{Records: rec, Send: []Message{p.message(FactsStep, pack(b, sig, advert))}}, nil
}

// A plan is the facts and adverts of all sites, three parts a site in the
// order of the opening: facts, signature, advert.
type plan struct {
	program *analyze.Program
	state   analyze.State
	adverts []sum.Advert
}

// readPlan checks every signature and binds the study.
func readPlan(o *Opening, digest [32]byte, s *study.Study, c analyze.Catalog, parts [][]byte) (*plan, error) {
	if len(parts) != 3*len(o.Members) {
		return nil, malformed()
	}
	out := &plan{}
	var facts []analyze.SiteFacts
	for i, m := range o.Members {
		f, advert, err := readFacts(m, digest, parts[3*i], parts[3*i+1], parts[3*i+2])
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
		out.adverts = append(out.adverts, advert)
	}
	merged, err := analyze.MergeFacts(facts)
	if err != nil {
		return nil, err
	}
	if out.program, err = analyze.New(c, s, merged); err != nil {
		return nil, err
	}
	out.state, err = out.program.Start()
	return out, err
}

func readFacts(m Member, digest [32]byte, body, sig, advert []byte) (f analyze.SiteFacts, a sum.Advert, err error) {
	if !ed25519.Verify(m.Key, signedFacts(digest, body), sig) {
		return f, a, ws.Errorf(ws.Denied, "facts", ws.T("the facts of site %s are not signed by its key", "站点 %s 的信息未经其密钥签名", m.Site))
	}
	if err := json.Unmarshal(body, &f); err != nil || f.Site != m.Site {
		return f, a, ws.Errorf(ws.Invalid, "facts", ws.T("the facts of site %s are not well formed", "站点 %s 的信息格式不正确", m.Site))
	}
	return f, a, a.UnmarshalBinary(advert)
}

func (p *Participant) takePlan(_ *Message, parts [][]byte) (Output, error) {
	if p.program != nil && !slices.EqualFunc(p.plan, parts, bytes.Equal) {
		return Output{}, ws.Errorf(ws.Diverged, "plan", ws.T("a second plan for one epoch", "同一期出现第二份计划"))
	}
	pl, err := readPlan(p.opening, p.digest, p.study, p.cfg.Catalog, parts)
	if err != nil {
		return Output{}, err
	}
	coin, err := p.party.Coin(pl.adverts)
	if err != nil {
		return Output{}, err
	}
	p.program, p.state, p.plan = pl.program, pl.state, nil
	for _, part := range parts {
		p.plan = append(p.plan, slices.Clone(part))
	}
	b, err := coin.MarshalBinary()
	if err != nil {
		return Output{}, err
	}
	rec, err := p.record()
	if err != nil {
		return Output{}, err
	}
	rec = append([]Record{{"plan", pack(p.plan...)}}, rec...)
	return Output{Records: rec, Send: []Message{p.message(CoinStep, b)}}, nil
}

func (p *Participant) takeCoins(_ *Message, parts [][]byte) (Output, error) {
	if p.program == nil {
		return Output{}, malformed()
	}
	pl, err := p.adverts()
	if err != nil {
		return Output{}, err
	}
	coins, err := readAll[sum.Coin](parts)
	if err != nil {
		return Output{}, err
	}
	epoch, err := sum.NewEpoch(p.params, pl, coins)
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
	rec, err := p.record()
	return Output{Records: rec, Send: []Message{p.message(Pairs, body)}}, err
}

func (p *Participant) adverts() ([]sum.Advert, error) {
	var raw [][]byte
	for i := 2; i < len(p.plan); i += 3 {
		raw = append(raw, p.plan[i])
	}
	return readAll[sum.Advert](raw)
}

// end closes the epoch: its secrets are wiped. The body is the conductor's
// digest of the document, or empty where the run was stopped.
func (p *Participant) end(_ *Message, parts [][]byte) (Output, error) {
	p.party.Close()
	p.ended = true
	rec, err := p.record()
	if err != nil || len(parts) == 0 {
		return Output{Records: rec}, err
	}
	doc, digest, err := document(p.opening, p.study, p.round, p.results)
	if err != nil {
		return Output{}, err
	}
	if string(digest[:]) != string(parts[0]) {
		return Output{}, ws.Errorf(ws.Diverged, "end", ws.T("the conductor holds another result than this site", "主持方的结果与本站点不同"))
	}
	return Output{Records: rec, Document: doc}, nil
}
