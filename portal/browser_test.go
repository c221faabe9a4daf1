package portal_test

import (
	"testing"

	"wellspring/ledger/ledgertest"
	"wellspring/portal/portaltest"
	"wellspring/post/conduct"
	"wellspring/site/console"
)

// What the walk through the demo does not come to: who has not come in, what is
// not there, markup of others, and a run under way, whose page comes to its
// answer by itself, without a script.
func TestBrowser(t *testing.T) {
	h := newHouse(t)
	b := portaltest.Open(t)
	b.Go(h.operator.base)
	b.Check("locked")
	b.Click("中文")
	b.Says("请使用入口地址")
	b.Check("locked")
	b.Go(h.steward.portal.URL())
	b.Go(h.steward.base + "/nowhere")
	b.Check("nowhere")
	h.submit(hostile)
	b.Go(h.steward.base + "/studies")
	b.Check("hostile")
	h.underWay(b)
	h.flood(60)
	b.Go(h.operator.base + "/studies")
	b.Click("Next")
	b.Says("Page 2 of 2")
	b.Check("many")
}

// underWay holds a run at a round, looks at its page, and lets it go on.
func (h *house) underWay(b *portaltest.Browser) {
	h.t.Helper()
	ref := h.submit(answered)
	h.approve(ref)
	away := h.net.When(3, 0, func(conduct.Progress) { h.net.Kill("xiehe") })
	ended := make(chan error, 1)
	go func() {
		_, err := h.hub.Run(h.t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
		ended <- err
	}()
	<-away
	b.Go(h.operator.portal.URL())
	b.Click("停止刷新")
	b.Click("谁患病")
	b.Await("2/3 个站点已回答")
	b.Check("progress")
	b.Click("English")
	b.Check("progress")
	b.Click("Reload by itself")
	if err := h.net.Start(h.t.Context(), "xiehe"); err != nil {
		h.t.Fatal(err)
	}
	b.Becomes("Read the answer")
	if err := <-ended; err != nil {
		h.t.Fatal(err)
	}
	b.Click("Read the answer")
	b.Says("Left out")
	b.Check("hidden")
}
