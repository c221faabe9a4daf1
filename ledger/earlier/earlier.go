// Package earlier holds a run that is asked for to the runs of its question that
// the ledger has as summed. Whoever conducts asks [Guard.Sets] before the ledger
// hears of the run; a site asks [Guard.Allow], of its own copy of the ledger, before
// it answers and once more before it gives away anything that opens the run's first sum.
//
// # What is refused
//
// A run whose sum, with sums that were opened, would tell the part of fewer
// institutions than a sum needs ([policy.Differences]); and one under a conductor of
// another institution, since that one's own does not count: other cells are hidden
// then and other steps of time joined, and what one answer shows takes the cover off
// what the other hides. Versions of a dataset are not told apart. A study whose text
// is not here may have asked the same, and is taken to have.
//
// # Not promised
//
// [policy.Same] judges texts, not cohorts. Two runs over the same sites, of which
// one has a new version, tell by how much its rows have changed.
package earlier

import (
	"slices"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/policy"
	"wellspring/study"
)

// Texts gives the text of a study by its digest; nil if it is not here.
type Texts func(ledger.Hash) (*study.Study, error)

// A Guard is what runs are judged by: the ledger as it is here, the texts that are
// here, and how many institutions a sum needs (see [policy.Policy.Least]).
type Guard struct {
	State ledger.State
	Texts Texts
	Least int
}

// A Run is one that is asked for.
type Run struct {
	ID        ledger.RunID // it is not held to itself
	Digest    ledger.Hash  // of the study
	Study     *study.Study
	Conductor ws.SiteID
	Sites     []ws.SiteID
}

// Allow refuses a run for the sake of those before it.
func (g Guard) Allow(r Run) error {
	if err := g.conductor(r); err != nil {
		return err
	}
	return g.Sets(r)
}

// conductor refuses one under which other institutions count than before.
func (g Guard) conductor(r Run) error {
	if g.Least <= 1 {
		return nil
	}
	now := uncounted(g.sum(r.Conductor, r.Sites))
	before, err := g.before(r, func(s policy.Sum) bool { return uncounted(s) != now })
	if err != nil || len(before) == 0 {
		return err
	}
	return ws.Errorf(ws.Denied, "open", ws.T("the question was answered with %s as its conductor; with another one other institutions count, and the difference of the two answers would tell of few", "该问题曾由 %s 主持并作答；换一个主持方，计入的机构就不同，两次结果之差会透露少数人的情况", before[0].conductor)).
		WithHint(ws.T("ask for it where it was conducted; see: wellspring study result, wellspring study run --conductor", "请在当时的主持方处提问；参见：wellspring study result、wellspring study run --conductor"))
}

// Sets refuses a run over sites whose sum, with those that were opened, would tell
// of few. It is all that a conductor can judge that does not know whether the
// datasets' policies let institutions be seen.
func (g Guard) Sets(r Run) error {
	now := g.sum(r.Conductor, r.Sites)
	before, err := g.before(r, func(s policy.Sum) bool { return !slices.Equal(s.Parts, now.Parts) })
	if err != nil {
		return err
	}
	all := []policy.Sum{now}
	for _, b := range before {
		all = append(all, b.Sum)
	}
	return policy.Differences("open", g.Least, all...)
}

// A summed run is one before.
type summed struct {
	policy.Sum
	conductor ws.SiteID
}

// before lists the other runs of the question that the ledger has as summed, of
// those that matter; what others asked need not be known.
func (g Guard) before(r Run, matters func(policy.Sum) bool) (out []summed, err error) {
	for id, asked := range g.State.Runs(r.Study.Data.Dataset) {
		rec, _ := g.State.Run(id)
		if id == r.ID || !rec.Summed || g.Least <= 1 {
			continue
		}
		e, _ := g.State.Epoch(id, rec.Epoch)
		var sites []ws.SiteID
		for _, m := range e.Members {
			sites = append(sites, m.Site)
		}
		sum := g.sum(e.Conductor, sites)
		if !matters(sum) {
			continue
		}
		same, err := r.asks(asked.Study, g.Texts)
		if err != nil {
			return nil, err
		}
		if same {
			out = append(out, summed{sum, e.Conductor})
		}
	}
	return out, nil
}

// asks reports whether a run of the study with that digest asked the same.
func (r Run) asks(digest ledger.Hash, texts Texts) (bool, error) {
	if digest == r.Digest {
		return true, nil
	}
	var text *study.Study
	var err error
	if texts != nil {
		text, err = texts(digest)
	}
	if err == nil && text == nil {
		err = ws.Errorf(ws.Denied, "open", ws.T("study %s was summed over other sites or under another conductor, and its text is not here: it may have asked the same", "研究 %s 曾在另一组站点上或由另一主持方求和，而此处没有其文本：它可能问过同样的问题", digest.String()[:8])).
			WithHint(ws.T("have it submitted once more: wellspring study submit", "请让请求者重新提交：wellspring study submit"))
	}
	return err == nil && policy.Same(text, r.Study), err
}

// sum names parts in the order of the sites.
func (g Guard) sum(conductor ws.SiteID, sites []ws.SiteID) policy.Sum {
	c, _ := g.State.Site(conductor)
	s := policy.Sum{Conductor: c.Institution}
	sites = slices.Clone(sites)
	slices.Sort(sites)
	for _, id := range sites {
		on, _ := g.State.Site(id)
		s.Parts = append(s.Parts, policy.Part{Site: id, Institution: on.Institution})
	}
	return s
}

// uncounted is the institution of a sum's parts that does not count; "" for none.
func uncounted(s policy.Sum) ws.Institution {
	for _, p := range s.Parts {
		if p.Institution == s.Conductor {
			return p.Institution
		}
	}
	return ""
}
