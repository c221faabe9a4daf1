package ledger

import (
	"slices"

	ws "wellspring"
)

func (b *ReviewResult) apply(st *step) error {
	if err := st.ownSite(b.Site); err != nil {
		return err
	}
	if _, known := st.s.Run(b.Run); !known {
		return denied(ws.T("there is no such run", "没有该计算"))
	}
	closed := false
	for _, closing := range st.s.Closings(b.Run) {
		closed = closed || closing.Outcome == OK && closing.Result == b.Result
	}
	if !closed || !slices.Contains(st.s.Reviewers(b.Run), b.Site) {
		return denied(ws.T("no result of this commitment waits for site %s", "没有该承诺值的结果等待站点 %s 审核", b.Site))
	}
	for range st.s.Handovers(b.Run) {
		return denied(ws.T("the result was released already", "该结果已经发布"))
	}
	rec, _ := st.s.Review(b.Run, b.Site)
	next := Review{Number: rec.Number + 1, Parts: b.Parts, Reason: b.Reason, Result: b.Result, Verdict: b.Verdict}
	if rec.Verdict == next.Verdict && rec.Reason == next.Reason && rec.Result == next.Result && slices.Equal(rec.Parts, next.Parts) {
		return denied(ws.T("the reviewer has said just this already", "审核人已作出相同的结论"))
	}
	return st.put(ReviewKey(b.Run, b.Site), &next)
}

// Reviewers lists the sites at which a person must release the result of a run, in
// code-point order: all that any closing names. Whoever conducted may not leave out
// one by having another close.
func (s State) Reviewers(r RunID) []ws.SiteID {
	var out []ws.SiteID
	for _, closing := range s.Closings(r) {
		out = append(out, closing.Review...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reviewed refuses to release what waits for reviewers before each of them lets it
// go: whole, or, where one leaves out a part, something else than was closed with.
func (s State) reviewed(r RunID, closed, released Hash) error {
	whole, reviewers := true, s.Reviewers(r)
	for _, site := range reviewers {
		if _, err := s.standingSite(site); err != nil {
			return err
		}
		review, _ := s.Review(r, site)
		if !review.Releases(closed) {
			return denied(ws.T("the result waits for a reviewer of site %s", "该结果等待站点 %s 的审核人", site))
		}
		whole = whole && len(review.Parts) == 0
	}
	if len(reviewers) > 0 && whole != (released == closed) {
		return denied(ws.T("what is released is not what the reviewers let go", "所发布的内容与审核人放行的不符"))
	}
	return nil
}

// LeftOut lists the analyses, counted from 1, that reviewers leave out of the result
// of a run, in order.
func (s State) LeftOut(r RunID) []int {
	var out []int
	for _, site := range s.Reviewers(r) {
		review, _ := s.Review(r, site)
		out = append(out, review.Parts...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
