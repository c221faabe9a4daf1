package portal

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/site/console"
)

// routes lists the pages.
func (p *Portal) routes() http.Handler {
	mux := p.open()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/studies", http.StatusSeeOther) })
	mux.HandleFunc("GET /network", p.page(p.network))
	mux.HandleFunc("GET /studies", p.page(p.studies))
	mux.HandleFunc("GET /studies/{account}/{study}", p.page(p.study))
	mux.HandleFunc("GET /results/{run}", p.page(p.result))
	mux.HandleFunc("GET /results/{run}/{file}", p.download)
	if p.cfg.Steward != nil {
		mux.HandleFunc("GET /data", p.page(p.data))
		mux.HandleFunc("GET /studies/{account}/{study}/{verdict}", p.page(p.confirm))
		mux.HandleFunc("POST /studies/{account}/{study}/{verdict}", p.decide)
	}
	if p.cfg.Reviewer != nil {
		mux.HandleFunc("GET /outbox", p.page(p.outbox))
		mux.HandleFunc("GET /outbox/{run}", p.page(p.offer))
		mux.HandleFunc("GET /outbox/{run}/{step}", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, outboxPath(ledger.RunID(r.PathValue("run"))), http.StatusSeeOther) // of a form's answer, in the other language
		})
		mux.HandleFunc("POST /outbox/{run}/preview", p.preview)
		mux.HandleFunc("POST /outbox/{run}/sign", p.rule)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, ws.Errorf(ws.Invalid, "", ws.T("there is no such page", "没有该页面")))
	})
	return mux
}

// A visit is one request with what every page asks of the node first.
type visit struct {
	r       *http.Request
	lang    ws.Lang
	about   console.About
	studies []console.Study
}

// A maker makes the body of a page, and names its template.
type maker func(*visit) (name string, v *page, err error)

// page asks the node, lets make do the rest, and shows it.
func (p *Portal) page(make maker) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at, err := p.visit(r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		name, v, err := make(at)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		v.About = &at.about
		for _, s := range at.studies {
			if p.cfg.Steward != nil && waits(s, at.about) {
				v.Waiting++
			}
		}
		v.Outbox, err = p.heldBack(r.Context(), at.about.Site)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		p.show(w, r, http.StatusOK, name, v)
	}
}

func (p *Portal) visit(r *http.Request) (*visit, error) {
	about, err := p.cfg.Node.About(r.Context())
	if err != nil {
		return nil, err
	}
	all, err := p.cfg.Node.Studies(r.Context(), "")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b console.Study) int { return strings.Compare(a.Name, b.Name) })
	return &visit{r: r, lang: p.language(r), about: about, studies: all}, nil
}

// waits reports whether a study waits for a decision of the node's site.
func waits(s console.Study, about console.About) bool {
	return s.Standing(about.Site) == "" && about.Latest(s.Dataset) > 0
}

// A list is the studies, apart by what they ask of the person.
type list struct {
	Waiting, Running, Rest []console.Study
	Site                   ws.SiteID
	Page, Pages            int
}

// perPage bounds the studies that wait, and the others, on one page.
const perPage = 50

func (p *Portal) studies(at *visit) (string, *page, error) {
	l := list{Site: at.about.Site, Page: 1}
	for _, s := range at.studies {
		switch {
		case underWay(s) != nil:
			l.Running = append(l.Running, s)
		case p.cfg.Steward != nil && waits(s, at.about):
			l.Waiting = append(l.Waiting, s)
		default:
			l.Rest = append(l.Rest, s)
		}
	}
	l.Pages = max(1, (max(len(l.Waiting), len(l.Rest))+perPage-1)/perPage)
	if n, err := strconv.Atoi(at.r.URL.Query().Get("page")); err == nil {
		l.Page = min(max(1, n), l.Pages)
	}
	l.Waiting, l.Rest = l.cut(l.Waiting), l.cut(l.Rest)
	return "studies", &page{Title: ws.T("Studies", "研究"), Section: "studies", Body: l, Reload: pace(len(l.Running) > 0)}, nil
}

// cut is what of a list stands on the page.
func (l *list) cut(all []console.Study) []console.Study {
	from := min(len(all), (l.Page-1)*perPage)
	return all[from:min(len(all), from+perPage)]
}

// Before and After are the pages beside this one; 0 for none.
func (l list) Before() int { return l.Page - 1 }

func (l list) After() int {
	if l.Page == l.Pages {
		return 0
	}
	return l.Page + 1
}

// pace is how often a page comes again.
func pace(busy bool) time.Duration {
	if busy {
		return often
	}
	return seldom
}

// underWay is the run of a study that this node conducts or answers now; nil if there is none.
func underWay(s console.Study) *console.Run {
	for i := range s.Runs {
		if len(s.Runs[i].Stages) > 0 {
			return &s.Runs[i]
		}
	}
	return nil
}

// find gives the study that the address names.
func (at *visit) find() (*console.Study, error) {
	for i, s := range at.studies {
		if string(s.Requester) == at.r.PathValue("account") && s.Study.String() == at.r.PathValue("study") {
			return &at.studies[i], nil
		}
	}
	return nil, ws.Errorf(ws.Invalid, "", ws.T("the ledger here knows no such study", "此处账本中没有该研究"))
}

func (p *Portal) data(*visit) (string, *page, error) {
	all, err := p.cfg.Steward.Holdings()
	if err != nil {
		return "", nil, err
	}
	return "data", &page{Title: ws.T("Data of this site", "本站点的数据"), Section: "data", Body: all}, nil
}

// acts are what may be done, by the last part of the address.
var acts = map[string]ledger.Verdict{"approve": ledger.Approve, "refuse": ledger.Refuse, "withdraw": ledger.Withdraw}
