package earlier_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/ledger/earlier"
	"wellspring/ledger/ledgertest"
	"wellspring/study"
)

// A desk opens runs on a ledger in memory, as a conductor would, and keeps the texts.
type desk struct {
	t     *testing.T
	net   ledgertest.Net
	sites []string
	texts map[ledger.Hash]*study.Study
	n     int
}

// newDesk makes a network of institutions inst-a, inst-b, …, each with a site.
func newDesk(t *testing.T, institutions int) *desk {
	d := &desk{t: t, net: ledgertest.InMemory(t), texts: map[ledger.Hash]*study.Study{}}
	d.net.Must("operator", d.net.Genesis())
	d.net.Must("operator", d.net.Institution("centre"))
	d.net.Must("centre", d.net.Site("hub"))
	d.net.Must("centre", d.net.Requester("wang"))
	for i := range institutions {
		id := string(rune('a' + i))
		d.sites = append(d.sites, id)
		d.net.Must("operator", d.net.Institution("inst-"+id))
		d.net.Must("inst-"+id, d.net.Site(id))
		d.net.Must("inst-"+id, d.net.Version(id, 1))
	}
	return d
}

// study registers one, which all approve on all versions.
func (d *desk) study(name, formula string, versions int) (ledger.Hash, *study.Study) {
	d.t.Helper()
	s := (&study.Study{APIVersion: study.APIVersion, Kind: study.Kind, Metadata: study.Metadata{Name: name}, Data: study.Data{Dataset: "heart"},
		Analysis: &study.Analysis{Method: "glm", Formula: formula}}).WithDefaults()
	text, err := s.Digest()
	if err != nil {
		d.t.Fatal(err)
	}
	digest, err := ledger.ParseHash(text)
	if err != nil {
		d.t.Fatal(err)
	}
	d.texts[digest] = s
	d.net.Must("account wang", &ledger.AddStudy{Study: digest, Dataset: "heart", Purposes: []ws.Purpose{"DUO:0000037"}, Conductors: []ws.SiteID{"hub"}})
	for _, site := range d.sites {
		for v := range versions {
			q := ledger.Question{StudyRef: ledger.StudyRef{Requester: ledgertest.Account("wang"), Study: digest}, Release: ws.Version, Site: ws.SiteID(site), Version: v + 1}
			d.net.Must("inst-"+site, ledgertest.Decide(q, ledger.Approve))
		}
	}
	return digest, s
}

// open opens a run, whatever anybody says to it; marked as summed if it says so.
func (d *desk) open(digest ledger.Hash, conductor string, sites []string, version int, summed bool) earlier.Run {
	d.t.Helper()
	d.n++
	r := earlier.Run{ID: ledgertest.RunID(fmt.Sprint(d.n)), Digest: digest, Study: d.texts[digest], Conductor: ws.SiteID(conductor)}
	body := &ledger.OpenRun{StudyRef: ledger.StudyRef{Requester: ledgertest.Account("wang"), Study: digest}, Conductor: r.Conductor, Epoch: 1, Opening: ledgertest.Hash("opening"), Release: ws.Version, Run: r.ID}
	for _, s := range sites {
		r.Sites = append(r.Sites, ws.SiteID(s))
		body.Members = append(body.Members, ledger.Member{Key: ledgertest.Public(s), Site: ws.SiteID(s), Version: version})
	}
	d.net.Must(conductor, body)
	if summed {
		d.mark(r)
	}
	return r
}

func (d *desk) mark(r earlier.Run) {
	d.net.Must(string(r.Conductor), &ledger.MarkSum{Run: r.ID, Epoch: 1})
}

func (d *desk) text(h ledger.Hash) (*study.Study, error) { return d.texts[h], nil }

func (d *desk) allow(r earlier.Run) error {
	return earlier.Guard{State: d.net.State(), Texts: d.text, Least: 3}.Allow(r)
}

func (d *desk) refused(what string, r earlier.Run, says string) {
	d.t.Helper()
	if err := d.allow(r); ws.KindOf(err) != ws.Denied || !strings.Contains(err.Error(), says) || ws.HintOf(err).IsZero() {
		d.t.Errorf("%s: %v, want denied with %q and a hint", what, err, says)
	}
}

func (d *desk) allowed(what string, r earlier.Run) {
	d.t.Helper()
	if err := d.allow(r); err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
}

// A second study takes one institution off the first: under its name or another,
// on another version, and also where both were opened before either was summed.
func TestAllow(t *testing.T) {
	d := newDesk(t, 9)
	one, _ := d.study("one", "ill ~ age + bmi", 1)
	for _, s := range d.sites {
		d.net.Must("inst-"+s, d.net.Version(s, 2))
	}
	two, _ := d.study("two", "ill ~ bmi + age", 2)
	third, _ := d.study("third", "ill ~ age", 1)
	both := d.open(two, "hub", d.sites[:5], 1, false) // under way at the same time
	first := d.open(one, "hub", d.sites[:6], 1, true)
	d.allowed("a run that is marked, and another that is not", first)
	d.refused("the other, before it reveals", both, "the part of inst-f")
	d.mark(both)
	d.refused("both marked", first, "the part of inst-f")

	d = newDesk(t, 9)
	one, _ = d.study("one", "ill ~ age + bmi", 1)
	for _, s := range d.sites {
		d.net.Must("inst-"+s, d.net.Version(s, 2))
	}
	two, _ = d.study("two", "ill ~ bmi + age", 2)
	third, _ = d.study("third", "ill ~ age", 1)
	d.open(one, "hub", d.sites[:6], 1, true)
	d.allowed("again", d.open(one, "hub", d.sites[:6], 1, false))
	d.allowed("again in other words", d.open(two, "hub", d.sites[:6], 1, false))
	d.allowed("again on another version", d.open(two, "hub", d.sites[:6], 2, false))
	d.refused("one less", d.open(one, "hub", d.sites[:5], 1, false), "the part of inst-f")
	d.refused("one less, in other words", d.open(two, "hub", d.sites[:5], 1, false), "the part of inst-f")
	d.refused("one less, on another version", d.open(two, "hub", d.sites[:5], 2, false), "the part of inst-f")
	d.refused("two more", d.open(one, "hub", d.sites[:8], 1, false), "the part of inst-g, inst-h")
	d.allowed("three more", d.open(one, "hub", d.sites[:9], 1, false))
	d.allowed("another question", d.open(third, "hub", d.sites[:5], 1, false))
	d.refused("by a member", d.open(one, "b", d.sites[:6], 1, false), "answered with hub as its conductor")
	d.refused("by a member, in other words", d.open(two, "b", d.sites[:6], 1, false), "answered with hub as its conductor")

	desk := earlier.Guard{State: d.net.State(), Texts: d.text, Least: 3}
	if err := desk.Sets(d.open(one, "b", d.sites[:6], 1, false)); err != nil {
		t.Errorf("a desk that does not know the policies, of another conductor: %v", err)
	}
	if err := desk.Sets(d.open(one, "b", d.sites[:5], 1, false)); ws.KindOf(err) != ws.Denied {
		t.Errorf("a desk that does not know the policies, of other sites: %v", err)
	}
	forgotten := d.texts[one]
	delete(d.texts, one)
	d.refused("other sites, and nobody knows what was asked", d.open(third, "hub", d.sites[:5], 1, false), "its text is not here")
	d.allowed("the same sites, and nobody knows what was asked", d.open(third, "hub", d.sites[:6], 1, false))
	d.texts[one] = forgotten
	if err := (earlier.Guard{State: d.net.State(), Texts: d.text, Least: 1}).Allow(d.open(one, "b", d.sites[:5], 1, false)); err != nil {
		t.Errorf("without limit: %v", err)
	}
	broken := ws.Errorf(ws.Diverged, "studies", ws.T("altered", "被改动"))
	texts := func(ledger.Hash) (*study.Study, error) { return nil, broken }
	if err := (earlier.Guard{State: d.net.State(), Texts: texts, Least: 3}).Allow(d.open(third, "hub", d.sites[:5], 1, false)); ws.KindOf(err) != ws.Diverged {
		t.Errorf("a text that was altered: %v", err)
	}
}

// Over random sequences of runs, in several wordings, on several versions, some
// opened at one time: no two that were answered differ by one or two institutions.
func TestAllow_Sequences(t *testing.T) {
	luck := rand.New(rand.NewPCG(7, 8))
	answered, refused := 0, 0
	for range 20 {
		d := newDesk(t, 8)
		for _, s := range d.sites {
			d.net.Must("inst-"+s, d.net.Version(s, 2))
		}
		var wordings []ledger.Hash
		for i, f := range []string{"ill ~ age + bmi", "ill ~ bmi + age", "bmi ~ ill * age"} {
			h, _ := d.study(fmt.Sprint("s", i), f, 2)
			wordings = append(wordings, h)
		}
		var open, done []earlier.Run
		for range 25 {
			if len(open) > 0 && luck.IntN(2) == 0 { // reveals, or does not
				r := open[0]
				open = open[1:]
				d.mark(r)
				if d.allow(r) == nil {
					done = append(done, r)
				}
				continue
			}
			var sites []string
			for _, s := range d.sites {
				if luck.IntN(4) > 0 {
					sites = append(sites, s)
				}
			}
			if len(sites) < 3 {
				continue
			}
			r := d.open(wordings[luck.IntN(3)], "hub", sites, 1+luck.IntN(2), false)
			if d.allow(r) != nil {
				refused++
				continue
			}
			open = append(open, r)
		}
		answered += len(done)
		for i := range done {
			for j := range i {
				n := 0
				for _, s := range d.sites {
					if slices.Contains(done[i].Sites, ws.SiteID(s)) != slices.Contains(done[j].Sites, ws.SiteID(s)) {
						n++
					}
				}
				if n == 1 || n == 2 {
					t.Fatalf("%v and %v were answered", done[i].Sites, done[j].Sites)
				}
			}
		}
	}
	if answered < 20 || refused < 20 {
		t.Errorf("%d answered, %d refused: the test tries nothing", answered, refused)
	}
}
