package portal_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/analyze/glm"
	"wellspring/analyze/survival"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/hub/hubtest"
	"wellspring/ledger"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh/broker"
	"wellspring/policy"
	"wellspring/portal"
	"wellspring/site/console"
)

// home is the site whose steward looks at the pages.
const home ws.SiteID = "anzhen"

// Names and titles that would be markup if a page did not escape them.
const (
	hostileLevel = `<b onclick="x()">drug & 'more'`
	hostileTitle = `</title><script>alert("1")</script>`
)

// Each site has so many persons of the rare and of the scarce kind: in all there
// are six and nine, under the limit of ten.
const (
	rareOnes   = 2
	scarceOnes = 3
)

// rows are the patients of one site, by a seed.
func rows(t testing.TB, seed uint64) *table.Table {
	t.Helper()
	const n = 80
	r := rand.New(rand.NewPCG(seed, 7))
	age, sick, days := make([]float64, n), make([]float64, n), make([]float64, n)
	arm, kind := make([]int32, n), make([]int32, n)
	for i := range n {
		age[i], days[i], arm[i] = float64(20+r.IntN(60)), float64(1+r.IntN(900)), int32(r.IntN(2))
		if 0.04*age[i]-2+0.5*float64(arm[i])+r.NormFloat64() > 0 {
			sick[i] = 1
		}
		switch {
		case i < rareOnes:
			kind[i] = 1
		case i < rareOnes+scarceOnes:
			kind[i] = 2
		}
	}
	out, err := table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Max: 100, Required: true}, {Name: "arm", Type: frame.Factor, Levels: []string{"placebo", hostileLevel}, Required: true},
		{Name: "days", Type: frame.Integer, Max: 1000, Required: true}, {Name: "kind", Type: frame.Factor, Levels: []string{"common", "rare", "scarce"}, Required: true}, {Name: "sick", Type: frame.Integer, Max: 1, Required: true}},
		[]frame.Values{{Real: age}, {Code: arm}, {Real: days}, {Code: kind}, {Real: sick}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A house is a network of three hospitals and a hub over real TLS, with the
// operator's pages and those of one hospital's steward.
type house struct {
	t        *testing.T
	net      *hubtest.Network
	hub      *console.Client // the operator's
	desk     *console.Client // the steward's
	operator *browser
	steward  *browser
}

func newHouse(t *testing.T) *house { return newHouseOf(t, nil) }

// newHouseOf is one in which answers wait for persons at some sites.
func newHouseOf(t *testing.T, review map[ws.SiteID]policy.Review) *house {
	t.Helper()
	t.Parallel() // it mostly waits
	all := map[ws.SiteID]frame.Source{}
	for i, site := range ledgertest.Sites {
		all[ws.SiteID(site)] = rows(t, uint64(i))
	}
	h := &house{t: t, net: hubtest.Play(t, hubtest.Config{Catalog: analyze.Catalog{describe.Describe(), glm.Method(), survival.KM()},
		Rows: all, Policy: policy.Default(), Review: review, Patience: time.Minute})}
	h.hub, h.desk = h.console(broker.HubSite), h.console(home)
	h.operator = h.serve(portal.Config{Node: h.hub})
	h.steward = h.serve(portal.Config{Node: h.desk, Steward: h.decider(), Reviewer: h.reviewer()})
	return h
}

func (h *house) console(id ws.SiteID) *console.Client {
	dir, err := os.MkdirTemp("", "ws") // a short path, for the socket's sake
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { os.RemoveAll(dir) })
	c, err := h.net.Console(id, dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// decider signs with the key of the steward's institution. Of the peers one is
// pinned, and one with another key than it has.
func (h *house) decider() *portal.Steward {
	dictionary := rows(h.t, 0).Dictionary()
	return &portal.Steward{
		Decide: func(ctx context.Context, q []ledger.Question, v ledger.Verdict) error {
			return h.desk.Decide(ctx, ledgertest.Key("inst-"+string(home)), q, v)
		},
		Pinned: func(id ws.SiteID) (ledger.KeyID, bool) {
			switch id {
			case "ruijin":
				return ledgertest.Public("ruijin").ID(), true
			case "xiehe":
				return ledgertest.Public("somebody else").ID(), true
			}
			return ledger.KeyID{}, false
		},
		Holdings: func() ([]portal.Holding, error) {
			return []portal.Holding{{Dataset: "lab", At: time.Now()},
				{Dataset: hubtest.Dataset, Version: 1, At: time.Now(), Release: ws.Version, Columns: dictionary, Policy: policy.Default()}}, nil
		},
	}
}

// reviewer signs with the key of the steward's institution.
func (h *house) reviewer() *portal.Reviewer {
	return &portal.Reviewer{Outbox: h.desk.Outbox, Draft: h.desk.Draft,
		Review: func(ctx context.Context, d *console.Draft, r console.Ruling) error {
			body, said, err := d.Body(home, r)
			if err != nil {
				return err
			}
			return h.desk.Review(ctx, ledgertest.Key("inst-"+string(home)), body, said)
		}}
}

// serve opens pages to a browser that has come in.
func (h *house) serve(cfg portal.Config) *browser {
	h.t.Helper()
	b := serve(h.t, cfg)
	b.enter()
	return b
}

// submit registers a study, and waits until the steward's node has its text.
func (h *house) submit(text string) ledger.StudyRef {
	h.t.Helper()
	s, digest, err := console.Read([]byte(text))
	if err != nil {
		h.t.Fatal(err)
	}
	body := &ledger.AddStudy{Conductors: []ws.SiteID{broker.HubSite}, Dataset: s.Data.Dataset, Purposes: console.Purposes(s), Study: digest}
	if err := h.hub.AddStudy(h.t.Context(), ledgertest.Key("account wang"), []byte(text), body); err != nil {
		h.t.Fatal(err)
	}
	all, err := h.desk.Studies(h.t.Context(), digest.String()) // which waits for it
	if err != nil || len(all) != 1 || !all[0].Here() {
		h.t.Fatalf("the text has not come: %v, %v", all, err)
	}
	return ledger.StudyRef{Requester: hubtest.Requester, Study: digest}
}

// approve has sites approve a study; all if none is named.
func (h *house) approve(ref ledger.StudyRef, sites ...ws.SiteID) {
	h.t.Helper()
	if sites == nil {
		sites = h.net.Sites
	}
	for _, id := range sites {
		if err := h.net.Decide(h.t.Context(), id, ref, ledger.Approve); err != nil {
			h.t.Fatal(err)
		}
	}
}

// run has the hub answer a study that all have approved.
func (h *house) run(ref ledger.StudyRef) *console.Answer {
	h.t.Helper()
	a, err := h.hub.Run(h.t.Context(), console.Order{StudyRef: ref}, ledgertest.Key("account wang"), func(console.Progress) {})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// A browser is one person at one portal, with its cookies.
type browser struct {
	t      *testing.T
	portal *portal.Portal
	base   string // the portal's origin
	lang   string // as Accept-Language; may be empty
	http   http.Client
}

// serve opens pages on a free port until the test ends, to a browser that has not come in.
func serve(t *testing.T, cfg portal.Config) *browser {
	t.Helper()
	l, err := portal.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Addr = l.Addr().String()
	p, err := portal.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return (&browser{t: t, portal: p, base: "http://" + cfg.Addr}).another()
}

// another is the same address in a browser that has not come in.
func (b *browser) another() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	c := &browser{t: b.t, portal: b.portal, base: b.base}
	c.http = http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return c
}

// enter opens the address that the program printed.
func (b *browser) enter() {
	b.t.Helper()
	if p := b.get(b.portal.URL()); p.status != http.StatusOK {
		b.t.Fatalf("the way in: %d %s", p.status, p.body)
	}
}

// A page is what came, and where from.
type page struct {
	status int
	header http.Header
	body   string
	at     *url.URL
}

// get opens a path, or an address, and follows where it leads.
func (b *browser) get(path string) page {
	b.t.Helper()
	return b.send(http.MethodGet, path, nil, nil)
}

// post sends a form from the portal's own page.
func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.send(http.MethodPost, path, form, map[string]string{"Origin": b.base, "Sec-Fetch-Site": "same-origin"})
}

func (b *browser) send(method, path string, form url.Values, header map[string]string) page {
	b.t.Helper()
	p, err := b.try(method, path, form, header)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *browser) try(method, path string, form url.Values, header map[string]string) (page, error) {
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.lang != "" {
		req.Header.Set("Accept-Language", b.lang)
	}
	for k, v := range header {
		req.Header.Set(k, v)
		if k == "Host" {
			req.Host = v
		}
	}
	resp, err := b.http.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return page{resp.StatusCode, resp.Header, string(body), resp.Request.URL}, err
}

// says fails the test where a page lacks one of the texts.
func (p page) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("%s does not say %q: %s", p.at.Path, text, p.body)
		}
	}
}

// silent fails the test where a page has one of the texts.
func (p page) silent(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(p.body, text) {
			t.Errorf("%s says %q: %s", p.at.Path, text, p.body)
		}
	}
}

// An element is a piece of a page: a tag with its attributes, or text under tags.
type element struct {
	tag  string
	attr map[string]string
	text string // of a text
	own  bool   // inside what is not to be translated, or is a figure
}

// elements reads a page as strictly as XML is read: what is not closed or not
// escaped is an error.
func elements(t *testing.T, p page) (all []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(p.body))
	var own []bool
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s is not well formed: %v: %s", p.at, err, p.body)
		}
		inside := len(own) > 0 && own[len(own)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			e := element{tag: tok.Name.Local, attr: map[string]string{}, own: inside}
			for _, a := range tok.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			all = append(all, e)
			own = append(own, inside || e.attr["translate"] == "no")
		case xml.EndElement:
			own = own[:len(own)-1]
		case xml.CharData:
			all = append(all, element{text: string(tok), own: inside})
		}
	}
}

// pathOf is the page of a study.
func pathOf(ref ledger.StudyRef) string {
	return "/studies/" + string(ref.Requester) + "/" + ref.Study.String()
}
