package run

import (
	"crypto"
	"io"
	"slices"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/policy/near"
	"wellspring/stat"
	"wellspring/study"
)

// A Gate decides whether this site answers a study: its own verified view of
// the ledger, the steward's approval, the differencing guard. It is asked
// before every round, so that a withdrawal stops the next one.
type Gate interface {
	// Allow returns nil, or why the site refuses; round is −1 before the facts.
	Allow(o *Opening, s *study.Study, round int) error
	// Reveal returns nil, or why the site gives nothing away yet that could open
	// the run's first sum, which is over the vectors of these sites: no epoch may
	// follow from then on.
	Reveal(o *Opening, s *study.Study, sites []ws.SiteID) error
}

// A Journal is where a party's state survives.
type Journal interface {
	// Save makes records durable before it returns, each in place of the former
	// one of its key, in order: after a crash the first of them may be there
	// without the rest.
	Save(records ...Record) error
	// Load returns the record under key; nil if there is none.
	Load(key string) ([]byte, error)
	// Erase removes records, in order; what is not there does no harm.
	Erase(keys ...string) error
}

// Config is what a participant is given. Key signs for the hospital: whoever
// has it can speak for the site.
type Config struct {
	Site        ws.SiteID
	Institution ws.Institution // that the site belongs to
	Key         crypto.Signer  // Ed25519
	Catalog     analyze.Catalog
	Policy      policy.Policy // of the site's dataset
	Gate        Gate
	Rand        io.Reader // secret randomness, 96 bytes an epoch
	// Shared is what the parties that one process plays know together; nil at a
	// site that plays itself alone.
	Shared *Shared
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
// records, one by one, then send the messages, then do the work, then take the
// document, save the last record and erase. Records may be saved together with those
// of the step that the work leads to, if nothing is sent before.
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
	// Answer is what this site has come to, where a person somewhere must release it:
	// as soon as it is known, and once more with the document. A site of which its
	// policy asks that keeps it before the records.
	Answer *Answer
	// Last replaces a record once the document is taken: of the run nothing is
	// kept that is secret.
	Last *Record
	// Erase names records that go.
	Erase []string
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
	digest  [32]byte // of the opening
	study   *study.Study
	params  sum.Params
	party   *sum.Party
	facts   []byte // as they were sent, with signature and advert
	program *analyze.Program
	bound   [32]byte // of the plan that the program is bound to
	adverts []sum.Advert
	state   analyze.State
	round   int
	asked   []sum.Digest // the states of the rounds that are over
	last    sum.Digest   // of the last accepted sum
	members []ws.SiteID  // whose vectors the sums cover; nil before the first
	turn    inRound
	results []study.Result
	audit   []byte    // of the last round, for a conductor that asks again
	asker   ws.SiteID // who conducts, as far as this site has heard
	opened  [2][]byte // certificate and reveals of the last sum that this site opened
	ended   bool
	refusal []byte     // as it was sent
	tomb    *tombstone // of a run that is over; then all else is zero but cfg
	lost    string     // a run that is lost here; likewise
}

// inRound is what a participant has of the round at hand.
type inRound struct {
	tally   *sum.Tally // nil before the round is shared
	asked   bool       // by a conductor, whose state is this site's
	shared  ws.SiteID  // to whom the shares went last
	folding bool
	ring    stat.Ring  // folded, not yet masked
	roster  *rosterIn  // has come, waits for the fold
	masked  []byte     // as it was sent
	on      sum.Digest // the roster that it was masked for
	cert    *sum.Certificate
}

type rosterIn struct {
	roster sum.Roster
	pieces []sum.Piece
}

// NewParticipant waits for an opening.
func NewParticipant(cfg Config) *Participant { return &Participant{cfg: cfg} }

// Step takes one event. An error means that this site ends the run; the output
// then holds its refusal. Only a message that is of another run or of another
// sender than its conductor is an error that changes nothing.
func (p *Participant) Step(e Event) (Output, error) {
	switch {
	case p.tomb != nil:
		return p.buried(e.Message)
	case p.lost != "":
		return p.forgotten(e.Message)
	}
	if m := e.Message; m != nil && m.Step != Open {
		if p.opening == nil && m.Step == End { // of a run that never began here: this site or another refused its opening
			return Output{}, nil
		}
		if late, err := p.stray(m); late || err != nil {
			return Output{}, err
		}
	}
	if e.Message != nil {
		p.asker = e.Message.From
	}
	out, err := p.step(e)
	if err == nil {
		return out, nil
	}
	return p.refuse(e.Message, err), err
}

// buried takes a message of a run that is over.
func (p *Participant) buried(m *Message) (Output, error) {
	if m != nil && m.Step == Resume && m.Run == p.tomb.Run && m.Epoch == p.tomb.Epoch {
		return p.tomb.resumed(m, p.cfg.Site), nil
	}
	out, err := p.tomb.after(m)
	if err != nil && m.Step == Open {
		out.Send = []Message{{From: p.cfg.Site, To: m.From, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Step: Refuse, Body: refusalBody(err)}}
	}
	return out, err
}

// stray says whether a message is of an earlier epoch, or none of this run's.
func (p *Participant) stray(m *Message) (late bool, err error) {
	if p.opening == nil || m.Run != p.opening.Run || m.Epoch > p.opening.Epoch || !p.conducts(m.From) {
		return false, ws.Errorf(ws.Diverged, "run", ws.T("the message is of another run, epoch or conductor", "消息属于另一计算、期或主持方"))
	}
	return m.Epoch < p.opening.Epoch, nil
}

// Bound is the longest body of a message, of which the rest is known, that this site
// has a use for.
func (p *Participant) Bound(m Message) int64 {
	switch {
	case m.Step == Open:
		return maxOpening
	case p.tomb != nil || p.opening == nil || !p.conducts(m.From):
		return maxLetter
	}
	length, err := p.length(m.Step)
	if err != nil {
		return maxLetter
	}
	return int64(bodyBound(m.Step, len(p.opening.Members), length))
}

// Opening is the opening that the site has heard; nil before it.
func (p *Participant) Opening() *Opening { return p.opening }

// Cohorts gives how far the study is held to those before it and, once it is answered, its cohorts
// with their sizes, and the least that anybody is told of.
func (p *Participant) Cohorts() (now []near.Cohort, least int64, stage analyze.Stage, err error) {
	if p.program == nil || p.state == nil {
		return nil, 0, analyze.Uncounted, nil
	}
	now, stage, err = p.program.Cohorts(p.state)
	return now, p.program.Facts().Policy.MinCell, stage, err
}

// Refusal is what a site answers to a message of a run that it cannot serve.
func Refusal(from ws.SiteID, m Message, err error) Message {
	return Message{From: from, To: m.From, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Step: Refuse, Body: refusalBody(err)}
}

// conducts reports whether a party may conduct the run: whom the opening names,
// or a member in its place. It is trusted no more than the first was: what was
// answered once is answered the same, or not at all.
func (p *Participant) conducts(from ws.SiteID) bool {
	return from == p.opening.Conductor || p.opening.Key(from) != nil
}

// refuse ends the run at this site: its secrets are wiped, and only an opening
// of a new epoch is heard again.
func (p *Participant) refuse(m *Message, err error) Output {
	if p.refusal == nil {
		p.refusal = refusalBody(err)
	}
	var out Output
	switch {
	case m != nil:
		out.Send = []Message{{From: p.cfg.Site, To: m.From, Run: m.Run, Epoch: m.Epoch, Round: m.Round, Step: Refuse, Body: p.refusal}}
	case p.opening != nil:
		out.Send = []Message{p.message(Refuse, p.refusal)}
	}
	if p.party == nil {
		return out
	}
	p.party.Close()
	if rec, err := p.record(); err == nil {
		out.Records = rec
	}
	return out
}

func (p *Participant) step(e Event) (Output, error) {
	m := e.Message
	switch {
	case m != nil && m.Step == Open:
		return p.open(m)
	case p.refusal != nil && m != nil && m.Step == End:
		return Output{Erase: transient}, nil
	case p.refusal != nil:
		return Output{}, ws.Errorf(ws.Denied, "run", ws.T("this site has ended the run", "本站点已结束该计算"))
	case e.Failed != nil:
		return Output{}, e.Failed
	case e.Published != nil:
		return p.publish(*e.Published)
	case e.Folded != nil:
		return p.folded(*e.Folded)
	case m != nil:
		return p.receive(m)
	}
	return Output{}, malformed()
}

func (p *Participant) receive(m *Message) (Output, error) {
	if m.Step != End && p.ended && (m.Step != Resume || p.results == nil) {
		return Output{}, nil // late
	}
	length, err := p.length(m.Step)
	if err != nil {
		return Output{}, err
	}
	if m.Round < 0 || len(m.Body) > bodyBound(m.Step, len(p.opening.Members), length) {
		return Output{}, malformed()
	}
	parts, err := unpack(m.Body, 3*MaxSites)
	if err != nil {
		return Output{}, err
	}
	switch m.Step {
	case Plan:
		return p.takePlan(m, parts)
	case Coins:
		return p.takeCoins(parts)
	case End:
		return p.end(parts)
	case Resume:
		return p.position()
	}
	switch {
	case m.Round < p.round:
		return p.again(m, parts)
	case m.Round > p.round:
		return Output{}, ws.Errorf(ws.Diverged, "run", ws.T("round %d is asked, and this site is in round %d", "被询问的是第 %d 轮，而本站点处于第 %d 轮", m.Round, p.round))
	}
	return p.inRound(m.Step, parts)
}

// length is that of the round's vector, for the steps whose bodies hold one.
func (p *Participant) length(s Step) (int, error) {
	if p.program == nil || p.results != nil || s != Propose && s != Audited {
		return 0, nil
	}
	r, _, err := p.sumRound()
	return r.Len, err
}

func (p *Participant) inRound(s Step, parts [][]byte) (Output, error) {
	if p.program == nil {
		return Output{}, malformed()
	}
	switch s {
	case Ask:
		return p.ask(parts)
	case RosterStep:
		return p.takeRoster(parts)
	case Propose:
		return p.propose(parts)
	case Certify:
		return p.certify(parts)
	case OpenSum:
		return p.openSum(parts)
	case Audited:
		return p.audited(parts)
	}
	return Output{}, malformed()
}

func (p *Participant) message(s Step, body []byte) Message {
	return Message{From: p.cfg.Site, To: p.asker, Run: p.opening.Run, Epoch: p.opening.Epoch, Round: p.round, Step: s, Body: body}
}

// again answers a message of a round that this site has finished and the
// conductor, after a restart of either, has not. A state other than the one
// that was answered is refused.
func (p *Participant) again(m *Message, parts [][]byte) (Output, error) {
	switch {
	case m.Step == Ask && (len(parts) < 1 || string(parts[0]) != string(p.asked[m.Round][:])):
		return Output{}, ws.Errorf(ws.Diverged, "ask", ws.T("round %d is over, and was asked before with another state", "第 %d 轮已结束，且此前询问的是另一状态", m.Round))
	case m.Round == p.round-1 && (m.Step == OpenSum || m.Step == Audited):
		out := p.message(Audit, p.audit)
		out.Round = m.Round
		return Output{Send: []Message{out}}, nil
	}
	return Output{}, nil
}

// end closes the epoch: its secrets are wiped. The body is the conductor's
// digest of the document, or empty where the run was stopped. Nothing signs it,
// and nothing needs to: a site forgets a run only when it has come to the same
// answer itself, and then keeps a tombstone. From a run that was stopped it
// keeps its history, so that a conductor who lies about the end gains nothing.
func (p *Participant) end(parts [][]byte) (Output, error) {
	if p.party == nil {
		return Output{}, nil
	}
	if len(parts) > 0 && p.results == nil {
		return Output{}, ws.Errorf(ws.Diverged, "end", ws.T("the conductor holds a result, and this site has none yet", "主持方已有结果，而本站点尚无"))
	}
	if len(parts) > 0 {
		return p.finish(parts[0])
	}
	p.party.Close()
	p.ended = true
	rec, err := p.record()
	return Output{Records: rec, Erase: transient}, err
}

// finish gives the document, if it is the conductor's too.
func (p *Participant) finish(theirs []byte) (Output, error) {
	doc, digest, err := document(p.study, p.state, p.members, p.results)
	if err != nil {
		return Output{}, err
	}
	if !slices.Equal(digest[:], theirs) {
		return Output{}, ws.Errorf(ws.Diverged, "end", ws.T("the conductor holds another result than this site", "主持方的结果与本站点不同"))
	}
	p.party.Close()
	p.ended = true
	rec, err := p.record() // still with the results: a crash must not lose the document
	if err != nil {
		return Output{}, err
	}
	held, err := p.answered()
	if err != nil {
		return Output{}, err
	}
	last, err := p.over(digest)
	return Output{Records: rec, Document: doc, Answer: held, Last: &last, Erase: transient}, err
}
