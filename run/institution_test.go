package run_test

import (
	"strings"
	"testing"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/engine"
	"wellspring/frame"
	"wellspring/mpc/sum"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/run/runtest"
)

// strict is a world whose policies ask for three institutions, and who belongs
// to which.
func strict(t *testing.T, n int, of map[ws.SiteID]ws.Institution) *world {
	t.Helper()
	w := newWorld(t, describeStudy(), n)
	for i, m := range w.opening.Members {
		h := w.hosts[m.Site]
		h.cfg.Policy.FewInstitutions, h.cfg.Policy.MinInstitutions = false, 3
		if other, ok := of[m.Site]; ok {
			h.cfg.Institution, w.opening.Members[i].Institution = other, other
		}
		h.p = run.NewParticipant(h.cfg)
	}
	return w
}

// reopen makes the conductor anew, after the opening was changed.
func (w *world) reopen() *world {
	w.t.Helper()
	var err error
	if w.c, err = run.NewConductor(w.opening, catalog, nil); err != nil {
		w.t.Fatal(err)
	}
	return w
}

// A run is over three institutions or more, the conductor's not counted, also
// when one is lost; then nothing is opened.
func TestInstitutions(t *testing.T) {
	two := map[ws.SiteID]ws.Institution{"site0000": "one", "site0001": "one"}
	for name, c := range map[string]struct {
		sites     int
		of        map[ws.SiteID]ws.Institution
		conductor ws.Institution
		lose      ws.SiteID
		works     bool
	}{
		"four sites of three":                  {4, two, "centre", "", true},
		"three sites of two":                   {3, two, "centre", "", false},
		"the conductor's is the third":         {3, nil, "hospital of site0002", "", false},
		"the conductor's two and two others":   {4, two, "one", "", false},
		"the conductor's two and three others": {5, two, "one", "", true},
		"a second site is lost":                {4, two, "centre", "site0001", true},
		"the third institution is lost":        {4, two, "centre", "site0003", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := strict(t, c.sites, c.of)
			w.opening.Institution = c.conductor
			w.reopen()
			proposed := false
			w.before = func(m run.Message) {
				proposed = proposed || m.Step == run.Propose
				if m.Step == run.Ask && m.Round == 0 && c.lose != "" {
					w.lose(c.lose)
				}
			}
			w.play()
			if c.works {
				w.answered()
				return
			}
			w.failed(ws.Denied)
			if proposed || !strings.Contains(w.err.Error(), "fewer than three institutions") {
				t.Errorf("proposed %v, error %v", proposed, w.err)
			}
		})
	}
}

// A conductor that proposes survivors of too few institutions is refused by the
// sites, whatever it thinks itself.
func TestInstitutions_Propose(t *testing.T) {
	w := strict(t, 4, map[ws.SiteID]ws.Institution{"site0000": "one", "site0001": "one"})
	w.reopen()
	w.bend = func(m run.Message) []run.Message {
		if m.Step != run.Propose || m.To != "site0000" {
			return []run.Message{m}
		}
		list := runtest.Parts(clone(m).Body)
		var l sum.List
		if err := l.UnmarshalBinary(list[0]); err != nil {
			t.Fatal(err)
		}
		l.Survivors[0] &^= 8 // site0003
		list[0], _ = l.MarshalBinary()
		m.Body = runtest.Join(list[:len(list)-1]...)
		return []run.Message{m}
	}
	w.play().failed(ws.Denied)
	if err := w.hosts["site0000"].refused; err == nil || !strings.Contains(err.Error(), "fewer than three institutions") {
		t.Errorf("the site ends with %v", err)
	}
}

// A site whose facts name another institution than the opening ends the run.
func TestInstitutions_Facts(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	w.hosts["site0001"].cfg.Institution = "elsewhere" // its participant keeps to the opening
	w.play().failed(ws.Invalid)
	if !strings.Contains(w.err.Error(), "facts of site site0001") {
		t.Errorf("the error reads %q", w.err)
	}
}

// What a site's policy or rows forbid reaches the asker without the site's
// name; what is wrong with its files, with it.
func TestRefusal_Names(t *testing.T) {
	for _, kind := range []ws.Kind{ws.Withheld, ws.Denied, ws.Invalid, ws.Other} {
		w := newWorld(t, describeStudy(), 4)
		w.before = func(m run.Message) {
			if m.To == "site0002" && m.Step == run.Ask && m.Round == 1 {
				out, _ := w.hosts[m.To].p.Step(run.Event{Failed: ws.Errorf(kind, "influence of age", ws.T("no", "否"))})
				w.queue = append(w.queue, out.Send...)
			}
		}
		w.play().failed(kind)
		named := strings.Contains(w.err.Error(), "site0002")
		if private := kind == ws.Withheld || kind == ws.Denied; named == private || !strings.Contains(w.err.Error(), "influence of age") {
			t.Errorf("%v: the asker reads %q", kind, w.err)
		}
		if w.c.Refused() != "site0002" {
			t.Errorf("the conductor takes it for a refusal of %q", w.c.Refused())
		}
	}
}

// The few are allowed by every policy, or a run of two institutions is denied.
func TestInstitutions_Few(t *testing.T) {
	w := newWorld(t, describeStudy(), 3)
	for i, m := range w.opening.Members {
		h := w.hosts[m.Site]
		h.cfg.Institution, w.opening.Members[i].Institution = "one", "one"
		h.cfg.Policy = policy.Public()
		h.p = run.NewParticipant(h.cfg)
	}
	w.opening.AllowFew = true
	w.reopen().play().answered()
}

// The column that names a row's site follows from the opening. It is not in the
// facts of any of several sites, which would otherwise be as long as their list.
func TestFacts_SiteColumn(t *testing.T) {
	w := newWorld(t, describeStudy(), 4)
	var levels []string
	for _, m := range w.opening.Members {
		levels = append(levels, string(m.Site))
	}
	for id, h := range w.hosts {
		h.rows = engine.WithConstant(h.rows, frame.Column{Name: analyze.SiteColumn, Type: frame.Factor, Levels: levels}, string(id))
	}
	n := 0
	w.before = func(m run.Message) {
		if m.Step != run.Plan {
			return
		}
		for i, facts := range runtest.Parts(m.Body) {
			if i%3 == 0 && strings.Contains(string(facts), `"name":"site"`) {
				t.Errorf("in the plan for %s: %s", m.To, facts)
			}
		}
		n++
	}
	w.play().answered()
	if n != 4 {
		t.Errorf("%d sites got a plan", n)
	}
}
