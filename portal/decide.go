package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/site/console"
)

// A motion is a page that says exactly what will be signed.
type motion struct {
	console.Study
	Act       string
	Verdict   ledger.Verdict
	Questions []ledger.Question
	Signed    string // what the form sends back, so that nothing else is signed
	Chain     ledger.ChainID
	Moved     bool // what would be signed is not what was shown before
}

// motion works out what a verdict would sign.
func (p *Portal) motion(at *visit) (*motion, error) {
	s, err := at.find()
	if err != nil {
		return nil, err
	}
	act := at.r.PathValue("verdict")
	verdict, known := acts[act]
	if !known {
		return nil, ws.Errorf(ws.Invalid, "", ws.T("there is no such page", "没有该页面"))
	}
	m := &motion{Study: *s, Act: act, Verdict: verdict, Chain: at.about.Chain}
	if m.Questions, err = s.Questions(at.about, verdict); err != nil {
		return nil, err
	}
	if !slices.Contains(may(s, at.about), act) {
		return nil, ws.Errorf(ws.Denied, "", ws.T("this was decided already: an approval can be withdrawn, a refusal or withdrawal be followed by an approval", "该项已有决定：批准之后只能撤回，拒绝或撤回之后只能重新批准"))
	}
	m.Signed = fmt.Sprint(m.Questions)
	return m, nil
}

// confirm asks once more.
func (p *Portal) confirm(at *visit) (string, *page, error) {
	m, err := p.motion(at)
	if err != nil {
		return "", nil, err
	}
	return "confirm", m.page(at), nil
}

func (m *motion) page(at *visit) *page {
	title := map[ledger.Verdict]ws.Text{ledger.Approve: ws.T("Approve this study?", "批准该研究？"), ledger.Refuse: ws.T("Refuse this study?", "拒绝该研究？"),
		ledger.Withdraw: ws.T("Withdraw the approval?", "撤回批准？")}[m.Verdict]
	return &page{Title: title, Name: titleIn(m.Study, at.lang), Section: "studies", Body: m}
}

// A deciding is a decision on its way to the ledger, or that came there. Where a
// site's letters are carried by hand this takes long.
type deciding struct {
	Verdict ledger.Verdict
	At      time.Time
	Done    bool
	Err     error
}

// Failure is what went wrong, in a language.
func (d *deciding) Failure(l ws.Lang) failure { return failureOf(d.Err, l) }

func (p *Portal) decidingOn(path string) *deciding {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.deciding[path]; d != nil {
		c := *d
		return &c
	}
	return nil
}

// patience is how long the answer to a form waits for the ledger.
const patience = 8 * time.Second

// decide signs what the confirmation page showed, and nothing else.
func (p *Portal) decide(w http.ResponseWriter, r *http.Request) {
	at, err := p.visit(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	m, err := p.motion(at)
	if err == nil && r.ParseForm() != nil {
		err = ws.Errorf(ws.Invalid, "", ws.T("the form cannot be read", "无法读取表单"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if r.PostForm.Get("signed") != m.Signed {
		m.Moved = true
		v := m.page(at)
		v.About = &at.about
		p.show(w, r, http.StatusConflict, "confirm", v)
		return
	}
	p.sign(w, r, studyPath(m.StudyRef), m.Verdict, func(ctx context.Context) error { return p.cfg.Steward.Decide(ctx, m.Questions, m.Verdict) })
}

// sign has a verdict on what is at a path signed, and leads there.
func (p *Portal) sign(w http.ResponseWriter, r *http.Request, path string, v ledger.Verdict, sign func(context.Context) error) {
	done, err := p.start(path, v, sign)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	select {
	case <-done:
	case <-time.After(patience):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// start signs beside the request: whoever goes away does not take it back.
func (p *Portal) start(path string, v ledger.Verdict, sign func(context.Context) error) (done chan struct{}, err error) {
	d := &deciding{Verdict: v, At: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.deciding[path]; other != nil && !other.Done {
		return nil, ws.Errorf(ws.Denied, "", ws.T("a decision on this is on its way to the ledger already", "对此的一项决定正在登记到账本"))
	}
	p.deciding[path] = d
	ctx := p.ctx
	done = make(chan struct{})
	p.wg.Go(func() {
		defer close(done)
		err := sign(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		d.Done, d.Err = true, err
		var known *ws.Error
		if err != nil && !errors.As(err, &known) {
			d.Err = ws.Errorf(ws.Other, "", ws.T("the decision could not be signed", "无法签署该决定")).Wrap(err)
		}
	})
	return done, nil
}
