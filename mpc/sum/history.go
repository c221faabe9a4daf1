package sum

import (
	"slices"

	ws "wellspring"
	"wellspring/stat"
)

// maxEpochs bounds the attempts of a run, and with them how often a corrupt
// site can refuse a coin that it does not like.
const maxEpochs = 64

// A History is what one site must not forget from epoch to epoch of one run:
// over whom sums were opened, and which. It sees to it that all sums of a run
// are over the same sites, since two sums over sets that differ by one site
// tell that site's part. [Party.Close] gives it, the next [NewParty] takes it;
// the zero History begins a run.
type History struct {
	run    string
	past   []gathering
	opened []ws.SiteID // survivors of the run's sums; nil while none can have been opened
	sums   uint32      // how many this site has accepted
	last   Digest      // of the last one
	asked  *Round      // answered by this site and not yet accepted
}

// A gathering is the set of sites of one epoch.
type gathering struct {
	epoch uint32
	sites []ws.SiteID
	alone []bool
}

func gathered(p Params) gathering {
	g := gathering{epoch: p.Epoch}
	for _, m := range p.Sites {
		g.sites, g.alone = append(g.sites, m.ID), append(g.alone, m.Alone)
	}
	return g
}

// Sums is the number of sums that the site has accepted in the run.
func (h History) Sums() uint32 { return h.sums }

// Opened lists the survivors of the run's sums: every further sum must be over
// the same sites, except those whose policy lets them be seen alone. It is nil
// while no sum can have been opened.
func (h History) Opened() []ws.SiteID { return slices.Clone(h.opened) }

// join begins an epoch, or refuses one whose sums, taken with earlier ones,
// would tell one site's part.
func (h *History) join(p Params) error {
	const op = "sum: new epoch"
	switch {
	case h.run != "" && h.run != p.Run:
		return invalid(op, ws.T("the history is of another run", "历史记录属于另一次运行"))
	case len(h.past) > 0 && h.past[len(h.past)-1].epoch >= p.Epoch:
		return denied(op, ws.T("the run has had this epoch", "本次运行已有过该周期"))
	case len(h.past) >= maxEpochs:
		return denied(op, ws.T("a run has at most %d epochs", "一次运行至多有 %d 个周期", maxEpochs))
	}
	now := gathered(p)
	if h.opened != nil {
		if err := h.past[len(h.past)-1].stays(now); err != nil {
			return err
		}
	} else {
		for _, g := range h.past {
			if !slices.Equal(g.sites, now.sites) && len(g.common(now)) < carry(len(g.sites)) {
				return denied(op, ws.T("too few sites of epoch %d go on: its sum could still be opened, and the difference would tell",
					"第 %d 周期留下的站点太少：其和仍可能被打开，两者之差会泄密", g.epoch))
			}
		}
		h.asked = nil // nothing was opened, so the question may change with the sites
	}
	h.run = p.Run
	h.past = append(slices.Clone(h.past), now)
	return nil
}

// agree takes in what the adverts of the epoch say of sums opened before.
func (h *History) agree(p Params, opened Set) error {
	if opened == nil {
		return nil
	}
	if n := len(h.past); n > 1 {
		if err := h.past[n-2].stays(h.past[n-1]); err != nil {
			return err
		}
	}
	if h.opened == nil {
		h.opened = p.ids(opened)
	}
	if s, ok := p.differ(h.claim(p), opened); ok {
		return diverged("sum: advert", ws.T("sites disagree whether site %s is in the sums opened so far", "各站点对已打开的和是否包含站点 %s 说法不一", p.name(s)))
	}
	return nil
}

// stays refuses a set that differs from g by a site that may not be seen alone.
func (g gathering) stays(now gathering) error {
	for i, id := range g.sites {
		if !g.alone[i] && !slices.Contains(now.sites, id) {
			return denied("sum: new epoch", ws.T("a sum over site %s may have been opened; without it the difference would tell its part",
				"含站点 %s 的和可能已被打开；去掉它，两者之差会暴露其数据", id)).WithHint(ws.T("wait for the site, or end the run", "请等待该站点，或结束本次运行"))
		}
	}
	for i, id := range now.sites {
		if !now.alone[i] && !slices.Contains(g.sites, id) {
			return denied("sum: new epoch", ws.T("a sum without site %s may have been opened; with it the difference would tell its part",
				"不含站点 %s 的和可能已被打开；加入它，两者之差会暴露其数据", id))
		}
	}
	return nil
}

func (g gathering) common(now gathering) []ws.SiteID {
	var out []ws.SiteID
	for _, id := range g.sites {
		if slices.Contains(now.sites, id) {
			out = append(out, id)
		}
	}
	return out
}

// claim gives the opened survivors as seats of p, for the site's advert.
func (h *History) claim(p Params) Set {
	if h.opened == nil {
		return nil
	}
	out := newSet(len(p.Sites))
	for _, id := range h.opened {
		if s, ok := p.Seat(id); ok {
			out.put(s)
		}
	}
	return out
}

func (p Params) ids(b Set) []ws.SiteID {
	out := []ws.SiteID{}
	for _, s := range b.Seats() {
		out = append(out, p.name(s))
	}
	return out
}

// answers refuses a round that is not the next one, or not the one that this
// site has begun to answer.
func (h *History) answers(r Round) error {
	const op = "sum: round"
	switch {
	case r.Len < 1 || r.Len > stat.MaxLen:
		return invalid(op, ws.T("a vector has 1 to %d entries", "向量应有 1 到 %d 项", stat.MaxLen))
	case r.Number < h.sums:
		return denied(op, ws.T("round %d was opened; each is answered once", "第 %d 轮已打开；每轮只回答一次", r.Number))
	case r.Number > h.sums:
		return diverged(op, ws.T("this site has not seen the sum before round %d", "本站点尚未见到第 %d 轮之前的和", r.Number))
	case r.Prev != h.last:
		return diverged(op, ws.T("round %d rests on another sum than this site opened", "第 %d 轮所依据的和与本站点打开的不同", r.Number))
	case h.asked != nil && *h.asked != r:
		return diverged(op, ws.T("round %d was asked before with another state", "第 %d 轮曾以另一状态提出过", r.Number))
	}
	return nil
}

// allows refuses survivors other than those of the sums opened before.
func (h *History) allows(p Params, survivors Set) error {
	if h.opened == nil {
		return nil
	}
	if s, ok := p.differ(h.claim(p), survivors); ok {
		return denied("sum: list of survivors", ws.T("it differs by site %s from the sums opened before, and the difference would tell its part",
			"名单与先前打开的和相差站点 %s，两者之差会暴露其数据", p.name(s))).WithHint(ws.T("wait for the site, or end the run", "请等待该站点，或结束本次运行"))
	}
	return nil
}

// accept records an opened sum.
func (h *History) accept(s Sum) error {
	const op = "sum: accept"
	if h.sums == s.Round.Number+1 && h.last == s.Digest {
		return nil
	}
	switch {
	case s.Round.Number != h.sums:
		return diverged(op, ws.T("round %d is not the one that is open", "第 %d 轮不是正在进行的一轮", s.Round.Number))
	case s.Round.Prev != h.last || h.asked != nil && *h.asked != s.Round:
		return diverged(op, ws.T("the sum of round %d is of another state", "第 %d 轮的和属于另一状态", s.Round.Number))
	}
	if h.opened == nil {
		h.opened = slices.Clone(s.Survivors)
	}
	h.sums, h.last, h.asked = h.sums+1, s.Digest, nil
	return nil
}
