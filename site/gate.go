package site

import (
	"crypto/ed25519"
	"time"

	ws "wellspring"
	"wellspring/ledger"
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
	// Institutions is how many of them the dataset's policy wants behind what is
	// shown; where it is more than one, a study is asked under one conductor, or
	// under such as leave the same institution uncounted.
	Institutions int64
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
	if err := g.counted(state, o, s.Data.Dataset); err != nil {
		return err
	}
	return g.members(state, o)
}

// Reveal implements run.Gate.
func (g *Gate) Reveal(o *run.Opening) error {
	return g.Ledger.State().MayReveal(ledger.RunID(o.Run), o.Epoch)
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

// counted refuses a study that was summed before with another institution left
// uncounted, since it conducted: other cells are hidden then and other steps of
// time joined, and what one answer shows takes the cover off what the other hides.
func (g *Gate) counted(state ledger.State, o *run.Opening, d ws.Dataset) error {
	if g.Institutions <= 1 {
		return nil
	}
	present, _ := state.Run(ledger.RunID(o.Run))
	now, _ := state.Epoch(ledger.RunID(o.Run), o.Epoch)
	for id, asked := range state.Runs(d) {
		if asked.Study != present.Study || id == ledger.RunID(o.Run) {
			continue
		}
		rec, _ := state.Run(id)
		before, _ := state.Epoch(id, rec.Epoch)
		if rec.Summed && uncounted(state, before) != uncounted(state, now) {
			return ws.Errorf(ws.Denied, "open", ws.T("the study was answered with %s as its conductor; with another one other institutions count, and the difference of the two answers would tell of few", "该研究曾由 %s 主持并作答；换一个主持方，计入的机构就不同，两次结果之差会透露少数人的情况", before.Conductor)).
				WithHint(ws.T("ask for it where it was conducted; see: wellspring study result, wellspring study run --conductor", "请在当时的主持方处提问；参见：wellspring study result、wellspring study run --conductor"))
		}
	}
	return nil
}

// uncounted is the institution of an epoch's members that does not count since it
// conducts; "" where the conductor's has none.
func uncounted(state ledger.State, e ledger.Epoch) ws.Institution {
	conductor, _ := state.Site(e.Conductor)
	for _, m := range e.Members {
		if s, _ := state.Site(m.Site); s.Institution == conductor.Institution {
			return conductor.Institution
		}
	}
	return ""
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
