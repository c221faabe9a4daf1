package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/study"
)

// A Study is one on the ledger, as a node sees it.
type Study struct {
	ledger.StudyRef
	Name       string             `json:"name,omitempty"` // of the text
	Title      map[ws.Lang]string `json:"title,omitempty"`
	Dataset    ws.Dataset         `json:"dataset"`
	Purposes   []ws.Purpose       `json:"purposes"`
	Conductors []ws.SiteID        `json:"conductors"`
	// Text is the canonical study; empty where it is not here, or says another
	// dataset or other purposes than the ledger.
	Text      json.RawMessage `json:"text,omitempty"`
	Decisions []Decision      `json:"decisions"`
	Runs      []Run           `json:"runs"`
}

// A Decision is a custodian's standing verdict.
type Decision struct {
	Site    ws.SiteID      `json:"site"`
	Version int            `json:"version"`
	Release ws.Release     `json:"release"`
	Verdict ledger.Verdict `json:"verdict"`
}

// A Run is one of a study.
type Run struct {
	Run       ledger.RunID `json:"run"`
	Epoch     int          `json:"epoch"`
	Conductor ws.SiteID    `json:"conductor"`
	Sites     []ws.SiteID  `json:"sites"`
	Versions  []int        `json:"versions"` // of the dataset, at each of Sites
	Closed    bool         `json:"closed"`
	Outcome   string       `json:"outcome,omitempty"`   // as the conductor, or who stood in, closed it
	Kept      time.Time    `json:"kept,omitzero"`       // since when its answer is at this node; zero if it is not
	Reviewers []Reviewer   `json:"reviewers,omitempty"` // whose word its answer waits for, or did
	Stages    []Stage      `json:"stages,omitempty"`    // where it is under way at this node, as conductor or as site
}

// Newest is the run whose answer came last to this node; nil if none is here.
func (s *Study) Newest() (r *Run) {
	for i := range s.Runs {
		if kept := s.Runs[i].Kept; !kept.IsZero() && (r == nil || kept.After(r.Kept)) {
			r = &s.Runs[i]
		}
	}
	return r
}

// Here reports whether the node has the text, and it says what the ledger does.
func (s *Study) Here() bool { return len(s.Text) > 0 }

// studies lists what matches ?study=, a name or the beginning of a digest; all without.
// For what is named and not here the ledger is brought up to date, and it is waited for a
// while, since transaction and text come on ways of their own; and so is the ledger, where
// the node has just started.
func (s *Server) studies(w http.ResponseWriter, r *http.Request) {
	which := r.URL.Query().Get("study")
	found := s.match(s.node.Ledger.State(), which)
	if len(found) == 0 && which != "" && s.node.Newest != nil {
		ctx, cancel := context.WithTimeout(r.Context(), catchUp)
		_ = s.node.Newest(ctx) // without it what is here is waited for
		cancel()
		found = s.match(s.node.Ledger.State(), which)
	}
	lacks := func() bool {
		return s.node.Fresh != nil && s.node.Fresh().IsZero() || which != "" && !slices.ContainsFunc(found, func(f Study) bool { return f.Here() })
	}
	for until := time.Now().Add(arrival); lacks() && time.Now().Before(until); {
		select {
		case <-time.After(20 * time.Millisecond):
			found = s.match(s.node.Ledger.State(), which)
		case <-r.Context().Done():
			return
		}
	}
	reply(w, found, nil)
}

func (s *Server) match(st ledger.State, which string) []Study {
	found := []Study{}
	for ref, rec := range st.Studies() {
		wanted := which == "" || len(which) >= 8 && strings.HasPrefix(ref.Study.String(), strings.TrimPrefix(which, "sha256:"))
		if name, read := s.names.Load(ref.Study); !wanted && read && name != which {
			continue
		}
		v := Study{StudyRef: ref, Dataset: rec.Dataset, Purposes: rec.Purposes, Conductors: rec.Conductors}
		s.describe(&v)
		if wanted || which == v.Name {
			found = append(found, v)
		}
	}
	s.tell(st, found)
	return found
}

// tell adds what was decided on studies, and how their runs went.
func (s *Server) tell(st ledger.State, found []Study) {
	at := map[ledger.StudyRef]*Study{}
	on := map[ws.Dataset]bool{}
	for i := range found {
		at[found[i].StudyRef], on[found[i].Dataset] = &found[i], true
	}
	for site := range st.Sites() {
		for q, d := range st.Decisions(site) {
			if v := at[q.StudyRef]; v != nil {
				v.Decisions = append(v.Decisions, Decision{Site: site, Version: q.Version, Release: q.Release, Verdict: d.Verdict})
			}
		}
	}
	for d := range on {
		for id, asked := range st.Runs(d) {
			if v := at[asked.StudyRef]; v != nil {
				v.Runs = append(v.Runs, s.runOf(st, asked.StudyRef, id))
			}
		}
	}
}

// describe adds what the text says.
func (s *Server) describe(v *Study) {
	text, err := s.node.Texts.Study(v.Study)
	if err != nil || text == nil || text.Data.Dataset != v.Dataset || !slices.Equal(Purposes(text), v.Purposes) {
		return
	}
	v.Name, v.Title = text.Metadata.Name, text.Metadata.Title
	s.names.Store(v.Study, v.Name)
	v.Text, _ = text.Canonical() // it has been read from that form
}

// Purposes are those of a study, as the ledger lists them.
func Purposes(s *study.Study) []ws.Purpose {
	p := slices.Clone(s.Purpose.DUO)
	slices.Sort(p)
	return slices.Compact(p)
}

func (s *Server) runOf(st ledger.State, ref ledger.StudyRef, id ledger.RunID) Run {
	rec, _ := st.Run(id)
	e, _ := st.Epoch(id, rec.Epoch)
	closing, own := st.Closing(id, e.Conductor)
	for _, other := range st.Closings(id) {
		if !own { // a stand-in's
			closing = other
		}
		break
	}
	run := Run{Run: id, Epoch: rec.Epoch, Conductor: e.Conductor, Closed: rec.Closed, Outcome: closing.Outcome,
		Kept: s.node.Results.Since(id), Stages: s.stages(ref, id, rec.Closed)}
	if all := s.reviewers(st, id); len(all) > 0 {
		run.Reviewers = all
	}
	for _, m := range e.Members {
		run.Sites, run.Versions = append(run.Sites, m.Site), append(run.Versions, m.Version)
	}
	return run
}

// A submission is a study's text with the requester's transaction.
type submission struct {
	Text json.RawMessage `json:"text"`
	Tx   []byte          `json:"tx"`
}

func (s *Server) addStudy(w http.ResponseWriter, r *http.Request) {
	var sub submission
	if err := readJSON(w, r, maxStudy, &sub); err != nil {
		reply(w, nil, err)
		return
	}
	tx, err := ledger.DecodeTx(sub.Tx)
	if err != nil {
		reply(w, nil, err)
		return
	}
	body, ok := tx.Body().(*ledger.AddStudy)
	text, digest, err := Read(sub.Text)
	switch {
	case err != nil:
	case !ok || body.Study != digest || body.Dataset != text.Data.Dataset || !slices.Equal(body.Purposes, Purposes(text)):
		err = invalid(ws.T("text and transaction are not of one study", "文本与交易不属于同一研究"))
	default:
		err = s.register(r, tx, body.Dataset, digest, sub.Text)
	}
	reply(w, map[string]ledger.Hash{"study": digest}, err)
}

// register puts a study on the ledger, where it is not there yet, keeps its text and spreads it.
func (s *Server) register(r *http.Request, tx ledger.Tx, dataset ws.Dataset, digest ledger.Hash, text []byte) error {
	author, _ := s.node.Ledger.State().Key(tx.Author())
	ref := ledger.StudyRef{Requester: ledger.Account(author.Name), Study: digest}
	if _, there := s.node.Ledger.State().Study(ref); !there {
		if err := s.frozen(r.Context(), dataset); err != nil {
			return err
		}
		if _, err := s.put(r.Context(), tx); err != nil {
			return err
		}
	}
	if _, _, err := s.node.Texts.Put(text, Known(s.node.Ledger)); err != nil {
		return err
	}
	return s.node.Spread(r.Context(), text)
}

// frozen refuses a dataset of which no site has a version, and names those that there are.
func (s *Server) frozen(ctx context.Context, d ws.Dataset) error {
	if s.await(ctx, func(st ledger.State) bool { return slices.Contains(datasets(st), d) }) {
		return nil
	}
	hint := ws.T("no site has frozen a dataset yet", "尚无站点冻结过数据集")
	if all := datasets(s.node.Ledger.State()); len(all) > 0 {
		hint = ws.T("there are: %s", "现有：%s", list(all[:min(maxNamed, len(all))]))
	}
	return invalid(ws.T("no site has a dataset %s", "没有站点拥有数据集 %s", d)).WithHint(hint)
}

// maxNamed bounds the names in a hint.
const maxNamed = 50

// datasets are those of which a site has a frozen version, in order.
func datasets(st ledger.State) (all []ws.Dataset) {
	for id, site := range st.Sites() {
		if site.Ended {
			continue
		}
		for d := range st.Datasets(id) {
			if st.Latest(id, d) > 0 {
				all = append(all, d)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func list[T ~string](all []T) string {
	var words []string
	for _, x := range all {
		words = append(words, string(x))
	}
	return strings.Join(words, ", ")
}

// Known tells which studies a ledger knows now.
func Known(l ledger.Ledger) func(ledger.Hash) bool {
	on := map[ledger.Hash]bool{}
	for ref := range l.State().Studies() {
		on[ref.Study] = true
	}
	return func(h ledger.Hash) bool { return on[h] }
}
