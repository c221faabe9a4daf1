package portal

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/site/console"
)

//go:embed pages
var files embed.FS

// views are the templates of one language, by page.
type views map[string]*template.Template

// parseViews reads the templates once a language: in them, t takes both.
func parseViews() (map[ws.Lang]views, error) {
	all := map[ws.Lang]views{}
	names, err := files.ReadDir("pages")
	if err != nil {
		return nil, err
	}
	for _, l := range []ws.Lang{ws.English, ws.Chinese} {
		all[l] = views{}
		base, err := template.New("").Funcs(functions(l)).ParseFS(files, "pages/frame.html")
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			name, ok := strings.CutSuffix(n.Name(), ".html")
			if !ok || name == "frame" {
				continue
			}
			t, err := template.Must(base.Clone()).ParseFS(files, "pages/"+n.Name())
			if err != nil {
				return nil, err
			}
			all[l][name] = t
		}
	}
	return all, nil
}

// functions are what templates call.
func functions(l ws.Lang) template.FuncMap {
	say := func(t ws.Text) string { return t.In(l) }
	return template.FuncMap{
		"t":       func(en, zh string, args ...any) string { return say(spoken(en, zh, args)) },
		"say":     say,
		"ago":     func(at time.Time) string { return strings.TrimSpace(say(ago(at))) },
		"span":    func(d time.Duration) string { return strings.TrimSpace(say(span(d))) },
		"stamp":   func(at time.Time) string { return at.Local().Format("2006-01-02 15:04:05") },
		"machine": func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"newest":  func(all []console.Stage) console.Stage { return all[len(all)-1] },
		"short":   func(v any) string { s := fmt.Sprint(v); return s[:min(12, len(s))] },
		"print": func(k ledger.KeyID) [][]string {
			var groups []string
			for g := range slices.Chunk([]byte(k.String()), 4) {
				groups = append(groups, string(g))
			}
			return slices.Collect(slices.Chunk(groups, 4))
		},
		"title":    func(s console.Study) string { return titleIn(s, l) },
		"verdict":  func(v ledger.Verdict) string { return say(v.Describe()) },
		"purpose":  func(p ws.Purpose) string { return purposeIn(p, l) },
		"outcome":  func(s string) string { return say(outcomeText(s)) },
		"standing": func(h console.Held, site ws.SiteID) string { return say(h.Standing(site)) },
		"said":     func(r console.Reviewer) string { return say(r.Describe()) },
		"at":       func(s ledger.StudyRef) string { return studyPath(s) },
	}
}

// spoken is a text of a template; both languages take the same arguments, which a test holds them to.
func spoken(en, zh string, args []any) ws.Text {
	if len(args) == 0 {
		return ws.Text{En: en, Zh: zh}
	}
	return ws.Text{En: fmt.Sprintf(en, args...), Zh: fmt.Sprintf(zh, args...)}
}

// titleIn is a study's title in a language, its name where it has none.
// purposeIn says what a purpose means.
func purposeIn(p ws.Purpose, l ws.Lang) string {
	if t := p.Label(); !t.IsZero() {
		return t.In(l)
	}
	return ws.T("a term that DUO does not have", "DUO 中没有的术语").In(l)
}

func titleIn(s console.Study, l ws.Lang) string {
	other := ws.English
	if l == ws.English {
		other = ws.Chinese
	}
	for _, title := range []string{s.Title[l], s.Title[other], s.Name} {
		if title != "" {
			return title
		}
	}
	return s.Study.String()[:12]
}

// outcomeText says how a run ended.
func outcomeText(s string) ws.Text {
	if s == ledger.OK {
		return ws.T("answered", "已得出结果")
	}
	switch ws.KindNamed(s) {
	case ws.Invalid:
		return ws.T("ended: the question does not fit the data", "已结束：问题与数据不符")
	case ws.Denied:
		return ws.T("ended: not permitted", "已结束：未获许可")
	case ws.Withheld:
		return ws.T("ended: the answer would disclose too much", "已结束：结果会泄露过多信息")
	case ws.Unreachable:
		return ws.T("ended: a site did not answer", "已结束：有站点未应答")
	case ws.Diverged:
		return ws.T("ended: the parties disagreed", "已结束：各方状态不一致")
	case ws.Stopped:
		return ws.T("ended: stopped", "已结束：被终止")
	}
	return ws.T("ended: something went wrong", "已结束：发生错误")
}

func studyPath(r ledger.StudyRef) string {
	return "/studies/" + string(r.Requester) + "/" + r.Study.String()
}

// A page is what the frame around every page needs; Body is the page's own.
type page struct {
	Lang     ws.Lang
	Title    ws.Text
	Name     string // of a study or the like, before the title; not translated
	Path     string // here, with the query
	Section  string // of the navigation
	About    *console.About
	Steward  bool
	Waiting  int           // studies that wait for a decision
	Reload   time.Duration // after which the page loads itself again; 0 for never
	Held     bool          // the person has stopped that
	Reviewer bool
	Outbox   int // answers that wait for a person here
	Body     any
}

// Other is the language to switch to.
func (p *page) Other() ws.Lang {
	if p.Lang == ws.Chinese {
		return ws.English
	}
	return ws.Chinese
}

// Switch is the address of the other language.
func (p *page) Switch() string { return "/language/" + string(p.Other()) + p.back() }

// Hold is the address that stops pages from loading themselves again, or lets them.
func (p *page) Hold() string {
	if p.Held {
		return "/reloading/on" + p.back()
	}
	return "/reloading/off" + p.back()
}

func (p *page) back() string { return "?back=" + url.QueryEscape(p.Path) }

// Seconds is how often the page loads itself again.
func (p *page) Seconds() int { return int(p.Reload.Seconds()) }

// Tag is the language by BCP 47.
func (p *page) Tag() string {
	if p.Lang == ws.Chinese {
		return "zh-Hans"
	}
	return "en"
}

// How often a page comes again while something is under way, and while nothing is.
const (
	often  = 3 * time.Second
	seldom = 20 * time.Second
)

// show writes a page whole, or an error in its place.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, status int, name string, v *page) {
	v.Lang, v.Path, v.Steward, v.Reviewer, v.Held = p.language(r), r.URL.RequestURI(), p.cfg.Steward != nil, p.cfg.Reviewer != nil, p.held(r)
	if r.Method != http.MethodGet {
		v.Path = path.Clean(r.URL.Path)
	}
	if name == "locked" {
		v.Path = "/" // the address may hold a key
	}
	var b bytes.Buffer
	if err := p.views[v.Lang][name].ExecuteTemplate(&b, "frame", v); err != nil {
		http.Error(w, "the page cannot be made 页面无法生成", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Tag())
	h.Set("Vary", "Accept-Language, Cookie")
	if v.Reload > 0 && !v.Held {
		h.Set("Refresh", strconv.Itoa(v.Seconds()))
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who hung up gets nothing
}
