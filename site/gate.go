package site

import (
	"crypto/ed25519"
	"slices"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/earlier"
	"wellspring/run"
	"wellspring/study"
)

// MaxAge is how old a site's view of the ledger may be when it answers.
const MaxAge = 10 * time.Minute

func (g *Gate) maxAge() time.Duration {
	if g.MaxAge > 0 {
		return g.MaxAge
	}
	return MaxAge
}

// A Gate is what a site of a network checks before each round: its own verified
// view of the ledger, and the keys that it has pinned.
type Gate struct {
	Site   ws.SiteID
	Ledger ledger.Ledger
	// Fresh is when the view was last known to be the newest.
	Fresh func() time.Time
	// Pinned gives the fingerprint of a peer's key that was compared out of
	// band, false where none was; nil pins nobody.
	Pinned func(ws.SiteID) (ledger.KeyID, bool)
	// Least is how many institutions the dataset's policy wants behind a sum, and
	// behind what comes of the sums of several runs; see package earlier.
	Least int
	// Texts gives the studies that this site has; it holds runs to those before them.
	Texts earlier.Texts
	// MaxAge is how old the view may be; 0 for ten minutes. A site in two parts,
	// whose letters take an exchange, needs more.
	MaxAge time.Duration
	// Now is the clock; nil for the system's.
	Now func() time.Time
}

// Allow implements run.Gate.
func (g *Gate) Allow(o *run.Opening, s *study.Study, round int) error {
	if err := g.recent(); err != nil {
		return err
	}
	digest, err := o.Digest()
	if err != nil {
		return err
	}
	state := g.Ledger.State()
	if err := state.MayAnswer(g.Site, ledger.RunID(o.Run), o.Epoch, digest); err != nil {
		return err
	}
	if round >= 0 {
		return nil
	}
	if err := g.question(state, o, s); err != nil {
		return err
	}
	var sites []ws.SiteID
	for _, m := range o.Members {
		sites = append(sites, m.Site)
	}
	if err := g.earlier(state, o, s, sites); err != nil {
		return err
	}
	return g.members(state, o)
}

// Reveal implements run.Gate. Between the opening and now another run of the question
// may have been marked. And where institutions count, the sum must be over all sites
// that the ledger names, save those that may be seen alone: by these the runs after it are judged,
// and a site that only the conductor calls lost would come back in the next.
func (g *Gate) Reveal(o *run.Opening, s *study.Study, sites []ws.SiteID) error {
	state := g.Ledger.State()
	if err := state.MayReveal(ledger.RunID(o.Run), o.Epoch); err != nil {
		return err
	}
	for _, m := range o.Members {
		if g.Least > 1 && !m.Alone && !slices.Contains(sites, m.Site) {
			return ws.Errorf(ws.Denied, "sum", ws.T("the run's first sum would leave out site %s, which the ledger names", "该计算的首次求和会漏掉账本所列的站点 %s", m.Site)).
				WithHint(ws.T("open a new epoch without it", "请在不含该站点的情况下开启新的一期"))
		}
	}
	return g.earlier(state, o, s, sites)
}

// recent refuses a view that may be out of date: an approval could have been
// withdrawn since.
func (g *Gate) recent() error {
	now := time.Now
	if g.Now != nil {
		now = g.Now
	}
	if age := g.maxAge(); now().Sub(g.Fresh()) > age {
		return ws.Errorf(ws.Unreachable, "ledger", ws.T("this site's view of the ledger is older than %v", "本站点的账本视图已超过 %v", age)).
			WithHint(ws.T("check the connection to whoever orders the ledger", "请检查与账本排序方的连接"))
	}
	return nil
}

// question holds the study that is shown to the one on the ledger.
func (g *Gate) question(state ledger.State, o *run.Opening, s *study.Study) error {
	rec, _ := state.Run(ledger.RunID(o.Run))
	on, known := state.Study(rec.StudyRef)
	text, err := s.Digest()
	if err != nil {
		return err
	}
	digest, err := ledger.ParseHash(text)
	if err != nil {
		return err
	}
	if !known || digest != rec.Study || s.Data.Dataset != on.Dataset {
		return ws.Errorf(ws.Diverged, "open", ws.T("the study that is shown is not the one on the ledger", "所示研究与账本上的不是同一项"))
	}
	chain, _ := state.Chain()
	if o.Chain != string(chain.ID) || o.Release != rec.Release {
		return ws.Errorf(ws.Diverged, "open", ws.T("the opening is of another chain or release", "开启信息属于另一条链或另一版本"))
	}
	return nil
}

// earlier holds the run, over the sites whose vectors it sums, to those before it.
func (g *Gate) earlier(state ledger.State, o *run.Opening, s *study.Study, sites []ws.SiteID) error {
	rec, _ := state.Run(ledger.RunID(o.Run))
	return earlier.Guard{State: state, Texts: g.Texts, Least: g.Least}.Allow(earlier.Run{ID: ledger.RunID(o.Run), Digest: rec.Study, Study: s, Conductor: o.Conductor, Sites: sites})
}

// members holds the conductor and the keys of the opening to the ledger and to what was pinned.
func (g *Gate) members(state ledger.State, o *run.Opening) error {
	if on, known := state.Site(o.Conductor); !known || on.Institution != o.Institution { // it says who does not count
		return ws.Errorf(ws.Denied, "open", ws.T("the opening gives the conductor %s another institution than the ledger", "开启信息中主持方 %s 的机构与账本不符", o.Conductor))
	}
	for _, m := range o.Members {
		on, known := state.Site(m.Site)
		if !known || !ed25519.PublicKey(on.Key[:]).Equal(m.Key) || on.Institution != m.Institution {
			return ws.Errorf(ws.Denied, "open", ws.T("the opening gives site %s another key or institution than the ledger", "开启信息中站点 %s 的密钥或机构与账本不符", m.Site))
		}
		if g.Pinned == nil || m.Site == g.Site {
			continue
		}
		pin, ok := g.Pinned(m.Site)
		switch {
		case !ok:
			return ws.Errorf(ws.Denied, "open", ws.T("at site %s nobody has compared the key of site %s", "站点 %s 尚未核对站点 %s 的密钥", g.Site, m.Site)).
				WithHint(ws.T("compare its fingerprint with its people, then: wellspring site pin", "请与对方人员核对指纹，然后执行 wellspring site pin"))
		case pin != on.Key.ID():
			return ws.Errorf(ws.Denied, "open", ws.T("the key of site %s is not the one that was pinned here", "站点 %s 的密钥与本站点所固定的不符", m.Site)).
				WithHint(ws.T("ask its people out of band whether they have a new key", "请通过其他渠道询问对方是否更换了密钥"))
		}
	}
	return nil
}
