package console

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/policy/review"
	"wellspring/post"
	"wellspring/study"
)

// A Held is an answer that a person of the node's site must release, as it stands.
type Held struct {
	ledger.StudyRef
	Run       ledger.RunID `json:"run"`
	Name      string       `json:"name"` // of the study
	Dataset   ws.Dataset   `json:"dataset"`
	Since     time.Time    `json:"since"`
	Marks     int          `json:"marks"` // while it may still be released
	Reviewers []Reviewer   `json:"reviewers"`
	// Result is the commitment of a closing that fits the answer here; zero where none
	// does: the run is not closed yet, or was closed with another answer. Once it is
	// released nobody looks.
	Result   ledger.Hash `json:"result"`
	Passed   bool        `json:"passed,omitempty"` // it was closed without a word of this site
	Released bool        `json:"released,omitempty"`
}

// A Reviewer is a site whose word an answer waits for, and what it has said.
type Reviewer struct {
	Site    ws.SiteID      `json:"site"`
	Verdict ledger.Verdict `json:"verdict,omitempty"` // empty while it has said nothing
	Parts   []int          `json:"parts,omitempty"`   // that it leaves out
	Words   string         `json:"words,omitempty"`
}

// Own is what the reviewer of a site has said; empty while it has said nothing.
func (h *Held) Own(site ws.SiteID) (r Reviewer) {
	for _, r := range h.Reviewers {
		if r.Site == site {
			return r
		}
	}
	return r
}

// Describe says what a reviewer has said.
func (r Reviewer) Describe() ws.Text {
	switch r.Verdict {
	case ledger.Approve:
		return ws.T("released", "已放行")
	case ledger.Suppress:
		return ws.T("released without analyses %v", "已放行，但隐去分析 %v", r.Parts)
	case ledger.Refuse:
		return ws.T("refused", "已拒绝")
	case ledger.Ask:
		return ws.T("asks before deciding", "决定前提出询问")
	}
	return ws.T("not decided yet", "尚未决定")
}

// Standing says how an answer stands for the reviewer of a site.
func (h *Held) Standing(site ws.SiteID) ws.Text {
	switch {
	case h.Released && h.Own(site).Verdict == "":
		return ws.T("with the requester, without a word of this site: ask whoever conducted", "未经本站点审核即已交给请求者：请询问主持方")
	case h.Released:
		return ws.T("with the requester", "已交给请求者")
	case h.Passed:
		return ws.T("closed without a word of this site: ask whoever conducted", "关闭时未列入本站点的审核：请询问主持方")
	case h.Result.IsZero():
		return ws.T("not closed on the ledger with this answer", "账本上尚无以此结果作出的关闭记录")
	}
	return h.Own(site).Describe()
}

// Waits reports whether the answer waits for the word of a site.
func (h *Held) Waits(site ws.SiteID) bool {
	v := h.Own(site).Verdict
	return !h.Released && !h.Passed && !h.Result.IsZero() && (v == "" || v == ledger.Ask)
}

// A Draft is an answer in the outbox with the marks of its document.
type Draft struct {
	Held
	Document *study.Document
	Noted    []review.Mark
}

// Keep keeps an answer that a person of this site must release.
func (k *Results) Keep(a *Answer) error {
	if !k.Since(a.Run).IsZero() {
		return nil
	}
	return k.Put(a)
}

// runs lists whose answers are kept.
func (k *Results) runs() (out []ledger.RunID) {
	if k == nil {
		return nil
	}
	entries, _ := os.ReadDir(k.dir)
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && runForm.MatchString(id) {
			out = append(out, ledger.RunID(id))
		}
	}
	return out
}

// reviewers tells what the sites have said whose word the answer of a run waits for.
func (s *Server) reviewers(st ledger.State, id ledger.RunID) []Reviewer {
	out := []Reviewer{}
	for _, site := range st.Reviewers(id) {
		r, _ := st.Review(id, site)
		out = append(out, Reviewer{Site: site, Verdict: r.Verdict, Parts: r.Parts, Words: s.node.Words.Of(id, site, r)})
	}
	return out
}

// outbox lists the answers that wait for a person of this site, or did, the oldest first.
func (s *Server) outbox(w http.ResponseWriter, _ *http.Request) {
	st := s.node.Ledger.State()
	all := []Held{}
	for _, id := range s.node.Outbox.runs() {
		a, err := s.node.Outbox.Answer(id)
		if err != nil {
			reply(w, nil, err)
			return
		}
		if a != nil {
			all = append(all, s.heldOf(st, a))
		}
	}
	slices.SortStableFunc(all, func(a, b Held) int { return a.Since.Compare(b.Since) })
	reply(w, all, nil)
}

func (s *Server) heldOf(st ledger.State, a *Answer) Held {
	rec, _ := st.Run(a.Run)
	on, _ := st.Study(rec.StudyRef)
	h := Held{StudyRef: rec.StudyRef, Run: a.Run, Name: a.Document.Study, Dataset: on.Dataset, Since: s.node.Outbox.Since(a.Run),
		Reviewers: s.reviewers(st, a.Run)}
	for range st.Handovers(a.Run) {
		h.Released = true // then nothing hangs on the rest, and there may be many
		return h
	}
	h.Marks = len(review.Check(a.Document, a.Limit))
	sealed, err := a.seal()
	closed := false
	for _, closing := range st.Closings(a.Run) {
		closed = closed || closing.Outcome == ledger.OK
		if err == nil && closing.Result == ledger.Commit(a.Salt, sealed.Document) {
			h.Result = closing.Result
		}
	}
	h.Passed = closed && !slices.Contains(st.Reviewers(a.Run), s.node.Self)
	return h
}

// A draft is a [Draft] on the socket.
type draft struct {
	Held
	Document json.RawMessage `json:"document"`
	Limit    int64           `json:"limit"`
}

// held gives an answer of the outbox: what would leave.
func (s *Server) held(w http.ResponseWriter, r *http.Request) {
	a, err := s.node.Outbox.Answer(ledger.RunID(r.PathValue("run")))
	if err == nil && a == nil {
		err = invalid(ws.T("no answer of this run waits here", "此处没有该计算的待审核结果")).
			WithHint(ws.T("see: wellspring site outbox --dir DIR", "参见：wellspring site outbox --dir DIR"))
	}
	if err != nil {
		reply(w, nil, err)
		return
	}
	sealed, err := a.seal()
	if err != nil {
		reply(w, nil, err)
		return
	}
	reply(w, draft{s.heldOf(s.node.Ledger.State(), a), sealed.Document, a.Limit}, nil)
}

// words hands what this site's reviewer says to whoever conducted the run.
func (s *Server) words(w http.ResponseWriter, r *http.Request) {
	var said post.Review
	err := readJSON(w, r, maxSmall, &said)
	if err == nil && (s.node.Words == nil || s.node.Reply == nil) {
		err = invalid(ws.T("no answer waits for a person here", "此处没有等待人工审核的结果"))
	}
	if err == nil {
		err = s.node.Words.Put(s.node.Self, said, s.node.Ledger.State().Reviewers(said.Run))
	}
	if err == nil {
		for site, closing := range s.node.Ledger.State().Closings(said.Run) {
			if closing.Outcome == ledger.OK && site != s.node.Self && err == nil {
				err = s.node.Reply(r.Context(), site, said)
			}
		}
	}
	reply(w, struct{}{}, err)
}

// reviewed is what the requester gets of an answer: whole where nobody has to release
// it, nothing before all have who must, and nothing of what one of them leaves out.
func (s *Server) reviewed(a *Answer) (*Answer, error) {
	st := s.node.Ledger.State()
	waits := 0
	for _, r := range s.reviewers(st, a.Run) {
		switch r.Verdict {
		case ledger.Approve, ledger.Suppress:
		case ledger.Refuse:
			return nil, withheld(ws.T("a custodian's reviewer refuses to release the answer", "数据托管方的审核人拒绝放行该结果"), r.Words, ws.T("speak with the custodian, who may decide anew", "请与数据托管方沟通；对方可重新决定"))
		case ledger.Ask:
			return nil, withheld(ws.T("a custodian's reviewer asks before releasing the answer", "数据托管方的审核人在放行结果前提出询问"), r.Words, ws.T("answer the custodian by your own way, then ask again: wellspring study result %s --dir DIR", "请以自己的渠道答复数据托管方，然后再次查询：wellspring study result %s --dir DIR", string(a.Run)))
		default:
			waits++
		}
	}
	if waits > 0 {
		by := ws.T("%d custodians", "%d 个数据托管方", waits)
		if waits == 1 {
			by = ws.T("1 custodian", "1 个数据托管方")
		}
		return nil, withheld(ws.T("the answer waits for review by %s", "结果正等待%s审核", by), "", ws.T("ask again later: wellspring study result %s --dir DIR", "请稍后再次查询：wellspring study result %s --dir DIR", string(a.Run)))
	}
	doc, err := review.Without(a.Document, st.LeftOut(a.Run))
	if err != nil { // between them they leave out all
		return nil, withheld(ws.T("the custodians' reviewers leave nothing of the answer", "数据托管方的审核人隐去了结果的全部内容"), "", ws.T("speak with the custodians", "请与各数据托管方沟通"))
	}
	return &Answer{Run: a.Run, Document: doc, Salt: a.Salt}, nil
}

// withheld says why an answer is not given, in the reviewer's words where there are any.
func withheld(why ws.Text, words string, hint ws.Text) error {
	err := ws.Errorf(ws.Withheld, "", why)
	if words != "" {
		err = err.Wrap(ws.Errorf(ws.Withheld, "", ws.T("“%s”", "“%s”", words)))
	}
	return err.WithHint(hint)
}

// Outbox lists the answers that wait for a person of the node's site, or did.
func (c *Client) Outbox(ctx context.Context) (all []Held, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/outbox", nil, &all)
}

// Draft gives an answer of the outbox, with its marks.
func (c *Client) Draft(ctx context.Context, id ledger.RunID) (*Draft, error) {
	var d draft
	if err := c.ask(ctx, http.MethodGet, "/v1/outbox/"+url.PathEscape(string(id)), nil, &d); err != nil {
		return nil, err
	}
	doc, err := study.ParseDocument(d.Document)
	if err != nil {
		return nil, err
	}
	return &Draft{d.Held, doc, review.Check(doc, d.Limit)}, nil
}

// A Ruling is what a reviewer says of an answer.
type Ruling struct {
	Verdict ledger.Verdict
	Parts   []int  // analyses left out, counted from 1
	Reason  string // words for whoever asked; may be empty
}

// Body is what a ruling signs. Words are named by a salted commitment; post hands
// them over.
func (d *Draft) Body(site ws.SiteID, r Ruling) (*ledger.ReviewResult, *post.Review, error) {
	switch {
	case d.Released:
		return nil, nil, ws.Errorf(ws.Denied, "", ws.T("the result was released already", "该结果已经发布"))
	case d.Passed:
		return nil, nil, ws.Errorf(ws.Denied, "", ws.T("the run was closed without a word of this site", "该计算关闭时未列入本站点的审核")).
			WithHint(ws.T("ask whoever conducted it; the requester may have the answer", "请询问主持方；请求者可能已得到结果"))
	case d.Result.IsZero():
		return nil, nil, ws.Errorf(ws.Diverged, "", ws.T("no closing of the run on the ledger fits the answer that this node has computed", "账本上没有与本节点所算结果相符的关闭记录")).
			WithHint(ws.T("if the run is not closed yet, wait; else release nothing, and ask whoever conducted it", "若计算尚未关闭，请稍候；否则不要放行，并询问主持方"))
	}
	body := &ledger.ReviewResult{Parts: slices.Clone(r.Parts), Result: d.Result, Run: d.Run, Site: site, Verdict: r.Verdict}
	if body.Parts == nil {
		body.Parts = []int{}
	}
	if r.Verdict == ledger.Suppress {
		left := r.Parts
		for _, other := range d.Reviewers {
			if other.Site != site {
				left = append(slices.Clone(left), other.Parts...)
			}
		}
		if _, err := review.Without(d.Document, left); err != nil {
			return nil, nil, err
		}
	}
	if r.Reason == "" {
		return body, nil, nil
	}
	said := &post.Review{Run: d.Run, Text: r.Reason}
	var err error
	if said.Salt, err = ledger.NewSalt(rand.Reader); err != nil {
		return nil, nil, err
	}
	body.Reason = ledger.Commit(said.Salt, []byte(said.Text))
	return body, said, said.Check()
}

// Review signs a ruling with an institution's key, puts it on the ledger, and hands
// its words to whoever conducted.
func (c *Client) Review(ctx context.Context, key crypto.Signer, body *ledger.ReviewResult, said *post.Review) error {
	if err := c.Do(ctx, key, body); err != nil || said == nil {
		return err
	}
	_, err := send[struct{}](ctx, c, "/v1/outbox/words", said)
	return err
}
