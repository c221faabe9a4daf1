package portal

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/policy/review"
	"wellspring/site/console"
	"wellspring/study"
	"wellspring/study/render"
)

func outboxPath(id ledger.RunID) string { return "/outbox/" + string(id) }

// heldBack counts the answers that wait for a person of the site.
func (p *Portal) heldBack(ctx context.Context, site ws.SiteID) (n int, err error) {
	if p.cfg.Reviewer == nil {
		return 0, nil
	}
	all, err := p.cfg.Reviewer.Outbox(ctx)
	for _, h := range all {
		if h.Waits(site) {
			n++
		}
	}
	return n, err
}

// A shelf is the outbox, apart by what asks for a person.
type shelf struct {
	Waiting, Rest []console.Held
	Site          ws.SiteID
}

func (p *Portal) outbox(at *visit) (string, *page, error) {
	all, err := p.cfg.Reviewer.Outbox(at.r.Context())
	if err != nil {
		return "", nil, err
	}
	s := shelf{Site: at.about.Site}
	for _, h := range all {
		if h.Waits(s.Site) {
			s.Waiting = append(s.Waiting, h)
		} else {
			s.Rest = append(s.Rest, h)
		}
	}
	slices.Reverse(s.Rest) // the newest first
	s.Rest = s.Rest[:min(len(s.Rest), perPage)]
	return "outbox", &page{Title: ws.T("Answers to release", "待放行的结果"), Section: "outbox", Body: s, Reload: seldom}, nil
}

// An offer is what would leave, with what to look at.
type offer struct {
	*console.Draft
	Study    *console.Study // nil where its text is not here
	Own      console.Reviewer
	Site     ws.SiteID
	Whole    []remark
	Parts    []offered
	Deciding *deciding
	May      bool // something can be signed
}

// An offered is one analysis, each of its tables as it stands, and the remarks on it.
type offered struct {
	Place  int // from 1
	ID     string
	Method ws.Text
	Tables template.HTML
	Marks  []remark
	Out    bool // some reviewer leaves it out
	study.Result
}

// A remark is a mark with the number by which its place refers to it.
type remark struct {
	review.Mark
	N     int
	Where string
}

func (p *Portal) offer(at *visit) (string, *page, error) {
	d, err := p.cfg.Reviewer.Draft(at.r.Context(), ledger.RunID(at.r.PathValue("run")))
	if err != nil {
		return "", nil, err
	}
	v := &offer{Draft: d, Own: d.Own(at.about.Site), Site: at.about.Site, Deciding: p.decidingOn(outboxPath(d.Run))}
	_, _, refused := d.Body(v.Site, console.Ruling{Verdict: ledger.Refuse})
	v.May = refused == nil
	for i, s := range at.studies {
		if s.StudyRef == d.StudyRef {
			v.Study = &at.studies[i]
		}
	}
	all := remarks(d)
	for _, m := range all {
		if m.Analysis == 0 {
			v.Whole = append(v.Whole, m)
		}
	}
	for i, r := range d.Document.All() {
		part, err := offeredPart(i+1, r, all, at.lang)
		if err != nil {
			return "", nil, err
		}
		for _, other := range d.Reviewers {
			part.Out = part.Out || slices.Contains(other.Parts, i+1)
		}
		v.Parts = append(v.Parts, part)
	}
	made := &page{Title: ws.T("What would leave", "将要交出的内容"), Name: d.Name, Section: "outbox", Body: v}
	if v.Deciding != nil && !v.Deciding.Done {
		made.Reload = often
	}
	return "offer", made, nil
}

// remarks numbers the marks of a document.
func remarks(d *console.Draft) (out []remark) {
	for i, m := range d.Noted {
		out = append(out, remark{m, i + 1, m.Place(d.Document)})
	}
	return out
}

// offeredPart writes one analysis. Tables are markup of package render, which escapes
// all that it is given.
func offeredPart(place int, r study.Result, all []remark, l ws.Lang) (offered, error) {
	m, _ := study.MethodNamed(r.Method)
	v := offered{Place: place, ID: r.ID, Method: m.Title, Result: r}
	type cell struct {
		table, field string
		row          int
	}
	refs := map[cell][]int{}
	for _, k := range all {
		if k.Analysis == place {
			v.Marks = append(v.Marks, k)
			refs[cell{string(k.Table), k.Field, k.Row}] = append(refs[cell{string(k.Table), k.Field, k.Row}], k.N)
		}
	}
	var b bytes.Buffer
	err := render.Marked(&b, &r, l, func(table string, row int, field string) []int { return refs[cell{table, field, row}] })
	v.Tables = template.HTML(b.String())
	return v, err
}

// A ruling is the page that says exactly what will be signed.
type ruling struct {
	*console.Draft
	console.Ruling
	Site   ws.SiteID
	Chain  ledger.ChainID
	Left   []offered // analyses that are left out, without their tables
	Signed string    // what the form sends back, so that nothing else is signed
	Moved  bool
}

// ruling works out what a form would sign.
func (p *Portal) ruling(r *http.Request) (*visit, *ruling, error) {
	at, err := p.visit(r)
	if err != nil {
		return nil, nil, err
	}
	if r.ParseForm() != nil {
		return at, nil, ws.Errorf(ws.Invalid, "", ws.T("the form cannot be read", "无法读取表单"))
	}
	d, err := p.cfg.Reviewer.Draft(r.Context(), ledger.RunID(r.PathValue("run")))
	if err != nil {
		return at, nil, err
	}
	v := &ruling{Draft: d, Site: at.about.Site, Chain: at.about.Chain}
	v.Verdict, v.Reason = ledger.Verdict(r.PostForm.Get("verdict")), r.PostForm.Get("reason")
	if !slices.Contains([]ledger.Verdict{ledger.Approve, ledger.Suppress, ledger.Refuse, ledger.Ask}, v.Verdict) {
		return at, nil, ws.Errorf(ws.Invalid, "", ws.T("choose what to do with the answer", "请选择如何处理该结果"))
	}
	if v.Verdict == ledger.Suppress {
		if v.Ruling.Parts, err = places(r.PostForm["part"], len(d.Document.All())); err != nil {
			return at, nil, err
		}
	}
	if v.Verdict == ledger.Ask && v.Reason == "" {
		return at, nil, ws.Errorf(ws.Invalid, "", ws.T("write what you ask", "请写明要询问的内容"))
	}
	if _, _, err := d.Body(v.Site, v.Ruling); err != nil {
		return at, nil, err
	}
	for i, res := range d.Document.All() {
		if slices.Contains(v.Ruling.Parts, i+1) {
			m, _ := study.MethodNamed(res.Method)
			v.Left = append(v.Left, offered{Place: i + 1, ID: res.ID, Method: m.Title})
		}
	}
	v.Signed = fmt.Sprint(d.Run, d.Result, v.Site, v.Verdict, v.Ruling.Parts, v.Reason)
	return at, v, nil
}

// places reads the analyses that a form names.
func places(names []string, of int) (out []int, err error) {
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || n > of {
			return nil, ws.Errorf(ws.Invalid, "", ws.T("the form cannot be read", "无法读取表单"))
		}
		out = append(out, n)
	}
	if out == nil {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("choose which analyses are left out", "请选择要隐去的分析"))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// preview asks once more; nothing is signed.
func (p *Portal) preview(w http.ResponseWriter, r *http.Request) {
	at, v, err := p.ruling(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, "ruling", v.page(at))
}

func (v *ruling) page(at *visit) *page {
	title := map[ledger.Verdict]ws.Text{ledger.Approve: ws.T("Release this answer?", "放行该结果？"), ledger.Suppress: ws.T("Release what is left?", "放行其余部分？"),
		ledger.Refuse: ws.T("Refuse to release this answer?", "拒绝放行该结果？"), ledger.Ask: ws.T("Ask the requester?", "询问请求者？")}[v.Verdict]
	return &page{Title: title, Name: v.Draft.Name, Section: "outbox", Body: v, About: &at.about}
}

// rule signs what the preview showed, and nothing else.
func (p *Portal) rule(w http.ResponseWriter, r *http.Request) {
	at, v, err := p.ruling(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if r.PostForm.Get("signed") != v.Signed {
		v.Moved = true
		p.show(w, r, http.StatusConflict, "ruling", v.page(at))
		return
	}
	p.sign(w, r, outboxPath(v.Run), v.Verdict, func(ctx context.Context) error { return p.cfg.Reviewer.Review(ctx, v.Draft, v.Ruling) })
}
