package console

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/study"
)

// A Task is a run that a node is to conduct: members in code-point order.
type Task struct {
	Ref     ledger.StudyRef
	Study   *study.Study
	Members []ledger.Member
	Few     bool // every member's policy allows few institutions
}

// An Answer is what a run ends with.
type Answer struct {
	Run      ledger.RunID
	Document *study.Document
	Salt     ledger.Salt // of the commitments on the ledger
	// Closing commits to the answer and is not on the ledger yet; nil once it is. Until
	// then the answer is given to nobody.
	Closing *ledger.CloseRun
	// Limit is the cell limit of an answer in the outbox, by which it is marked.
	Limit int64
}

// Progress says how far a run is.
type Progress struct {
	Run      ledger.RunID `json:"run"`
	Epoch    int          `json:"epoch"`
	Round    int          `json:"round"`
	Answered int          `json:"answered"`
	Sites    int          `json:"sites"`
}

// An Order asks a node to conduct a run of a study. Its signature is the
// requester's over [Order.Message], with a challenge of the node.
type Order struct {
	ledger.StudyRef
	// Sites are those that take part; none stands for all that have the dataset.
	Sites     []ws.SiteID      `json:"sites,omitempty"`
	Few       bool             `json:"few,omitempty"`
	Challenge string           `json:"challenge"`
	Signature ledger.Signature `json:"signature"`
}

// Message is what the requester signs: domain, chain, node, and the order without its signature.
func (o Order) Message(chain ledger.ChainID, node ws.SiteID) []byte {
	o.Signature = ledger.Signature{}
	b, err := json.Marshal(o)
	if err != nil { // its fields always marshal
		panic(err)
	}
	return append([]byte("wellspring/order\n"+string(chain)+"\n"+string(node)+"\n"), b...)
}

func (o *Order) sign(chain ledger.ChainID, node ws.SiteID, key crypto.Signer) error {
	b, err := key.Sign(rand.Reader, o.Message(chain, node), crypto.Hash(0))
	if err == nil {
		copy(o.Signature[:], b)
	}
	return err
}

// A Stage is one round of a run: how far it came, and since when it is under way.
// Of a run that another conducts it has no Sites.
type Stage struct {
	Progress
	Since time.Time `json:"since"`
}

// maxStages bounds the rounds of a run that are remembered, the newest last.
const maxStages = 200

// running is a run under way at this node.
type running struct {
	progress chan Progress
	stop     context.CancelFunc
	stages   []Stage
}

// note remembers the newest of each round; what comes late is passed over.
func (r *running) note(p Progress) {
	if last := len(r.stages) - 1; last >= 0 {
		was := &r.stages[last]
		switch cmp.Or(cmp.Compare(p.Epoch, was.Epoch), cmp.Compare(p.Round, was.Round)) {
		case 0:
			was.Progress = p
			return
		case -1:
			return
		}
	}
	if len(r.stages) == maxStages {
		r.stages = r.stages[1:]
	}
	r.stages = append(r.stages, Stage{p, time.Now().UTC()})
}

// maxServed bounds the runs of others of which rounds are remembered.
const maxServed = 64

// Served notes a round that this node's site has answered of a run that another
// conducts; how many others have, that one knows.
func (s *Server) Served(id ledger.RunID, epoch, round int) {
	state := s.node.Ledger.State()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.served[id]
	if r == nil {
		for other := range s.served {
			if rec, known := state.Run(other); !known || rec.Closed {
				delete(s.served, other)
			}
		}
		if len(s.served) >= maxServed {
			return
		}
		r = &running{}
		s.served[id] = r
	}
	r.note(Progress{Run: id, Epoch: epoch, Round: round})
}

// stages are the rounds of a run that is under way here, or that is not closed
// and this node's site answers.
func (s *Server) stages(ref ledger.StudyRef, id ledger.RunID, closed bool) []Stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.runs[ref]; r != nil && len(r.stages) > 0 && r.stages[len(r.stages)-1].Run == id {
		return slices.Clone(r.stages)
	}
	if r := s.served[id]; r != nil && !closed {
		return slices.Clone(r.stages)
	}
	return nil
}

// Tell says how far a run of a study is; it never waits.
func (s *Server) Tell(ref ledger.StudyRef, p Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.runs[ref]; r != nil {
		r.note(p)
		select {
		case r.progress <- p:
		default: // whoever reads is slow; the next one says more
		}
	}
}

// Bounds of challenges.
const (
	challengeTime = time.Minute
	maxChallenges = 1024
)

func (s *Server) challenge(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for c, until := range s.challenges {
		if now.After(until) {
			delete(s.challenges, c)
		}
	}
	if len(s.challenges) >= maxChallenges {
		reply(w, nil, ws.Errorf(ws.Unreachable, "console", ws.T("too many orders at one time", "同时的请求过多")))
		return
	}
	c := rand.Text()
	s.challenges[c] = now.Add(challengeTime)
	chain, _ := s.node.Ledger.State().Chain()
	reply(w, map[string]string{"challenge": c, "chain": string(chain.ID), "node": string(s.node.Self)}, nil)
}

// ordered checks who gives an order; each challenge is good once.
func (s *Server) ordered(state ledger.State, o Order) error {
	s.mu.Lock()
	until, given := s.challenges[o.Challenge]
	delete(s.challenges, o.Challenge)
	s.mu.Unlock()
	chain, _ := state.Chain()
	rec, known := state.Requester(o.Requester)
	key, _ := state.Key(rec.Key)
	switch {
	case !given || time.Now().After(until):
		return denied(ws.T("the order answers no challenge of this node", "该请求未对应本节点的质询"))
	case !known || rec.Ended || !ed25519.Verify(key.Key[:], o.Message(chain.ID, s.node.Self), o.Signature[:]):
		return denied(ws.T("the order is not signed by the present key of the study's requester", "该请求未由研究请求者的现用密钥签名"))
	}
	return nil
}

// task makes an order's run.
func (s *Server) task(o Order) (Task, error) {
	state := s.node.Ledger.State()
	if err := s.ordered(state, o); err != nil {
		return Task{}, err
	}
	on, known := state.Study(o.StudyRef)
	if !known {
		return Task{}, denied(ws.T("the study is not on the ledger here", "此处账本中没有该研究"))
	}
	text, err := s.node.Texts.Study(o.Study)
	if err != nil {
		return Task{}, err
	}
	if text == nil {
		return Task{}, invalid(ws.T("the text of the study is not here", "此处没有该研究的文本")).
			WithHint(ws.T("submit it here again, or wait until it comes", "请在此重新提交，或等待其送达"))
	}
	t := Task{Ref: o.StudyRef, Study: text, Few: o.Few}
	for id, rec := range state.Sites() {
		latest := state.Latest(id, on.Dataset)
		if !rec.Ended && latest > 0 && (len(o.Sites) == 0 || slices.Contains(o.Sites, id)) {
			t.Members = append(t.Members, ledger.Member{Key: rec.Key, Site: id, Version: approved(state, o.StudyRef, id, latest)})
		}
	}
	if len(t.Members) == 0 || len(o.Sites) > len(t.Members) {
		return t, denied(ws.T("not every site that is asked has a frozen version of dataset %s", "并非每个所问站点都有数据集 %s 的冻结版本", on.Dataset)).
			WithHint(ws.T("each site: wellspring site load, then site dataset freeze", "请各站点执行 wellspring site load 与 site dataset freeze"))
	}
	slices.SortFunc(t.Members, func(a, b ledger.Member) int {
		if a.Site < b.Site {
			return -1
		}
		return 1
	})
	return t, nil
}

// approved is the newest version that a site has approved, or the latest, of
// which the ledger then says what is lacking.
func approved(state ledger.State, ref ledger.StudyRef, site ws.SiteID, latest int) int {
	best := 0
	for q, d := range state.Decisions(site) {
		if q.StudyRef == ref && q.Release == ws.Version && d.Verdict == ledger.Approve {
			best = max(best, q.Version)
		}
	}
	if best == 0 {
		return latest
	}
	return best
}

func (s *Server) run(w http.ResponseWriter, r *http.Request) {
	var o Order
	err := readJSON(w, r, maxSmall, &o)
	var t Task
	if err == nil {
		t, err = s.task(o)
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	s.play(w, r, t.Ref, func(ctx context.Context) (*Answer, error) { return s.node.Conduct(ctx, t) })
}

// release gives what the requester gets of an answer, when the ledger says so, which
// it does once for each node that has conducted the run or taken it over.
func (s *Server) release(ctx context.Context, ref ledger.StudyRef, whole *Answer) (*Answer, error) {
	a, err := s.reviewed(whole)
	if err != nil {
		return nil, err
	}
	return a, s.handOver(ctx, ref, a)
}

func (s *Server) handOver(ctx context.Context, ref ledger.StudyRef, a *Answer) error {
	s.recording.Lock() // whoever asks for the same answer waits, and then finds it released
	defer s.recording.Unlock()
	if _, known := s.node.Ledger.State().Handover(a.Run, s.node.Self); known {
		return nil
	}
	b, err := study.MarshalCanonical(a.Document)
	if err != nil {
		return err
	}
	rec, _ := s.node.Ledger.State().Requester(ref.Requester)
	ctx, cancel := context.WithTimeout(ctx, submitTime+s.node.Delay)
	defer cancel()
	return s.node.Submit(ctx, &ledger.ReleaseResult{Key: rec.Key, Requester: ref.Requester, Result: ledger.Commit(a.Salt, b), Run: a.Run})
}

func (s *Server) standIn(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Run ledger.RunID `json:"run"`
	}
	err := readJSON(w, r, maxSmall, &q)
	rec, known := s.node.Ledger.State().Run(q.Run)
	switch {
	case err != nil:
	case s.node.StandIn == nil:
		err = denied(ws.T("only a member stands in for a conductor", "只有成员可接替主持方")).
			WithHint(ws.T("ask at a site of the run, or end the run: wellspring study stop STUDY", "请在参与该计算的站点上执行，或终止该计算：wellspring study stop STUDY"))
	case !known:
		err = invalid(ws.T("there is no such run", "没有该计算"))
	case rec.Closed:
		err = denied(ws.T("the run is closed", "该计算已关闭"))
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	s.play(w, r, rec.StudyRef, func(ctx context.Context) (*Answer, error) {
		a, err := s.node.Results.Answer(q.Run)
		if err != nil {
			return nil, err
		}
		if a == nil {
			return s.node.StandIn(ctx, q.Run)
		}
		return a, s.finish(ctx, a)
	})
}

// finish puts on the ledger the closing of a kept answer that is not there.
func (s *Server) finish(ctx context.Context, a *Answer) error {
	if a.Closing == nil {
		return nil
	}
	s.recording.Lock()
	defer s.recording.Unlock()
	if _, known := s.node.Ledger.State().Closing(a.Run, s.node.Self); !known {
		ctx, cancel := context.WithTimeout(ctx, submitTime+s.node.Delay)
		defer cancel()
		if err := s.node.Submit(ctx, a.Closing); err != nil {
			return unrecorded(a, err)
		}
	}
	a.Closing = nil
	return s.node.Results.Settle(a)
}

// unrecorded says where an answer is that nobody gets before it is on record.
func unrecorded(a *Answer, why error) error {
	if k := ws.KindOf(why); k != ws.Unreachable && k != ws.Stopped {
		return why
	}
	return ws.Errorf(ws.Unreachable, "ledger", ws.T("the answer of run %s is computed and kept here; it is given out once it is on record, and whoever orders the ledger does not answer", "计算 %s 的结果已得出并保存于此；须登记后方可交付，而账本排序方未应答", string(a.Run))).
		WithHint(ws.T("when the hub is back: wellspring study result %s --dir DIR", "待枢纽恢复后执行：wellspring study result %s --dir DIR", string(a.Run)))
}

// giveUp closes on the ledger the runs that this node conducted before it was
// stopped, and of which it knows nothing more: whoever waits for them shall not.
func (s *Server) giveUp(ctx context.Context, runs []Run) (n int, err error) {
	for _, run := range runs {
		if run.Closed || run.Conductor != s.node.Self {
			continue
		}
		a, err := s.node.Results.Answer(run.Run)
		if err == nil && a != nil { // it has its answer, which is not on record yet
			err = s.finish(ctx, a)
		}
		if err != nil {
			return n, err
		}
		if a != nil {
			n++
			continue
		}
		e, _ := s.node.Ledger.State().Epoch(run.Run, run.Epoch) // of the rounds nothing is known here but what all hang on
		if err := s.node.Submit(ctx, &ledger.CloseRun{Run: run.Run, Epoch: run.Epoch, Outcome: ws.Stopped.String(), Rounds: e.Opening}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// An event is one line of the answer to an order.
type event struct {
	Progress *Progress `json:"progress,omitempty"`
	Answer   *answer   `json:"answer,omitempty"`
	Error    *fault    `json:"error,omitempty"`
}

// An answer is an [Answer] with its document in canonical form.
type answer struct {
	Run      ledger.RunID    `json:"run"`
	Document json.RawMessage `json:"document"`
	Salt     ledger.Salt     `json:"salt"`
	Closing  *closing        `json:"closing,omitempty"`
	Limit    int64           `json:"limit,omitempty"`
}

// A closing is what a [ledger.CloseRun] says beside the answer.
type closing struct {
	Epoch  int         `json:"epoch"`
	Rounds ledger.Hash `json:"rounds"`
	Result ledger.Hash `json:"result"`
	Review []ws.SiteID `json:"review,omitempty"`
}

// ended is the last line of the answer to an order.
func ended(a *Answer, err error) event {
	if err != nil {
		return event{Error: faultOf(err)}
	}
	sealed, err := a.seal()
	if err != nil {
		return event{Error: faultOf(err)}
	}
	return event{Answer: sealed}
}

// seal gives an answer as it is sent and kept, its document in canonical form.
func (a *Answer) seal() (*answer, error) {
	b, err := study.MarshalCanonical(a.Document)
	if err != nil {
		return nil, err
	}
	sealed := &answer{Run: a.Run, Document: b, Salt: a.Salt, Limit: a.Limit}
	if a.Closing != nil {
		sealed.Closing = &closing{a.Closing.Epoch, a.Closing.Rounds, a.Closing.Result, a.Closing.Review}
	}
	return sealed, nil
}

func (a *answer) open() (*Answer, error) {
	doc, err := study.ParseDocument(a.Document)
	if err != nil {
		return nil, err
	}
	opened := &Answer{Run: a.Run, Document: doc, Salt: a.Salt, Limit: a.Limit}
	if a.Closing == nil {
		return opened, nil
	}
	b, err := study.MarshalCanonical(doc) // in the file some characters are escaped
	if err == nil && ledger.Commit(a.Salt, b) != a.Closing.Result {
		err = altered()
	}
	opened.Closing = &ledger.CloseRun{Run: a.Run, Epoch: a.Closing.Epoch, Outcome: ledger.OK, Rounds: a.Closing.Rounds, Result: a.Closing.Result, Review: a.Closing.Review}
	return opened, err
}

// play conducts, telling how far it is, a line each, until the end. Who
// hangs up stops the run.
func (s *Server) play(w http.ResponseWriter, r *http.Request, ref ledger.StudyRef, conduct func(context.Context) (*Answer, error)) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	run := &running{progress: make(chan Progress, 16), stop: cancel}
	s.mu.Lock()
	busy := s.runs[ref] != nil
	if !busy {
		s.runs[ref] = run
	}
	s.mu.Unlock()
	if busy {
		reply(w, nil, denied(ws.T("a run of the study is under way at this node", "本节点正在进行该研究的计算")))
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.runs, ref)
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	line, flush := json.NewEncoder(w), http.NewResponseController(w)
	end := make(chan event, 1)
	go func() {
		a, err := conduct(ctx)
		if a != nil && s.node.Results != nil && s.node.Results.Since(a.Run).IsZero() { // else it was kept before
			if kept := s.node.Results.Put(a); err == nil { // from here on a crash loses it no more: see [Server.result]
				err = kept
			} else if kept == nil {
				err = unrecorded(a, err)
			}
		}
		if err == nil {
			a, err = s.release(ctx, ref, a)
		}
		end <- ended(a, err)
	}()
	for {
		select {
		case p := <-run.progress:
			_ = line.Encode(event{Progress: &p}) // one who hung up ends ctx
			_ = flush.Flush()
		case e := <-end:
			_ = line.Encode(e)
			return
		}
	}
}

// stop ends the runs of a study, or of all that one names, that this node conducts.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Study string `json:"study"`
	}
	if err := readJSON(w, r, maxSmall, &q); err != nil {
		reply(w, nil, err)
		return
	}
	n := 0
	for _, v := range s.match(s.node.Ledger.State(), q.Study) {
		if q.Study == "" {
			break
		}
		s.mu.Lock()
		run := s.runs[v.StudyRef]
		if run != nil {
			run.stop()
			n++
		}
		s.mu.Unlock()
		if run != nil {
			continue
		}
		left, err := s.giveUp(r.Context(), v.Runs)
		if n += left; err != nil {
			reply(w, nil, err)
			return
		}
	}
	if n == 0 {
		reply(w, nil, invalid(ws.T("no run of such a study is under way at this node", "本节点没有正在进行的该研究的计算")).
			WithHint(ws.T("ask the node that conducts it", "请在主持该计算的节点上执行")))
		return
	}
	reply(w, map[string]int{"stopped": n}, nil)
}
