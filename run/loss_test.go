package run_test

import (
	"fmt"
	"slices"
	"testing"

	ws "wellspring"
	"wellspring/run"
	"wellspring/study"
)

// A site is lost when a step of round r would reach it, in networks of 4 to 7.
// Before its first vector is sent the run goes on without it; with a vector in
// a first sum that is not opened the epoch ends; later the run ends, unless the
// last sum can still be opened. There is never a partial answer.
func TestLose(t *testing.T) {
	const rounds = 3 // of the study: counts, moments, histogram and moments
	for n := 4; n <= 7; n++ {
		for round := range rounds {
			for _, step := range []run.Step{run.Open, run.Plan, run.Coins, run.Ask, run.RosterStep, run.Propose, run.Certify, run.OpenSum, run.End} {
				if round > 0 && slices.Contains([]run.Step{run.Open, run.Plan, run.Coins}, step) || step == run.End && round != rounds-1 {
					continue
				}
				t.Run(fmt.Sprintf("%d sites, %s %d", n, step, round), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t, describeStudy(), n)
					gone := w.sites[1]
					at := round
					if step == run.End {
						at = rounds
					}
					w.before = func(m run.Message) {
						if m.To == gone && m.Step == step && m.Round == at {
							w.lose(gone)
						}
					}
					w.play()
					w.judgeLoss(gone, step, round == rounds-1, round == 0)
				})
			}
		}
	}
}

func (w *world) judgeLoss(gone ws.SiteID, step run.Step, last, first bool) {
	w.t.Helper()
	all := w.sites
	rest := slices.DeleteFunc(slices.Clone(all), func(s ws.SiteID) bool { return s == gone })
	var sites []ws.SiteID // in the answer; nil for none
	switch {
	case first && (step == run.Ask || step == run.RosterStep):
		sites = rest
	case last && (step == run.Propose || step == run.Certify || step == run.OpenSum || step == run.End):
		sites = all
	}
	if !w.lost[gone] {
		w.t.Fatal("the site was never lost")
	}
	if sites == nil {
		w.failed(ws.Unreachable)
		return
	}
	w.answered()
	if !slices.Equal(w.doc.Sites, sites) {
		w.t.Errorf("the document names %v, want %v", w.doc.Sites, sites)
	}
}

// Where the first sum must be whole, a site that is lost before it ends the epoch;
// later nothing is other than else.
func TestLose_Whole(t *testing.T) {
	for _, step := range []run.Step{run.Ask, run.RosterStep, run.Propose, run.Certify, run.OpenSum} {
		w := newWorld(t, describeStudy(), 5)
		w.c.Whole()
		w.before = func(m run.Message) {
			if m.To == w.sites[1] && m.Step == step && m.Round == 0 {
				w.lose(m.To)
			}
		}
		w.play().failed(ws.Unreachable)
	}
	w := newWorld(t, describeStudy(), 5)
	w.opening.AllowFew = true
	w.c.Whole()
	w.before = func(m run.Message) {
		if m.To == w.sites[1] && m.Step == run.Ask && m.Round == 0 {
			w.lose(m.To)
		}
	}
	if w.play(); w.doc == nil && ws.KindOf(w.err) == ws.Unreachable {
		t.Error("where few are allowed a lost site ends the epoch")
	}
}

// What a run without the lost site gives is what its sites alone give.
func TestLose_Answer(t *testing.T) {
	w := newWorld(t, glmStudy(), 5)
	w.before = func(m run.Message) {
		if m.To == "site0003" && m.Step == run.RosterStep {
			w.lose("site0003")
		}
	}
	w.play().answered()
	without := newWorld(t, glmStudy(), 5)
	without.before = func(m run.Message) {
		if m.To == "site0003" && m.Step == run.Ask {
			without.lose("site0003")
		}
	}
	without.play().answered()
	if a, b := documentBytes(t, w.doc), documentBytes(t, without.doc); a != b {
		t.Error("a site that is lost before and after its shares leaves two answers")
	}
	i := slices.IndexFunc(w.doc.Result.Glance, func(f study.Field) bool { return f.Name == "nobs" })
	if i < 0 || fmt.Sprint(w.doc.Result.Glance[i].Value) != fmt.Sprint(30+31+32+34) {
		t.Errorf("the answer counts %v", w.doc.Result.Glance)
	}
}

// More than ⌈n/3⌉−1 losses: no answer.
func TestLose_TooMany(t *testing.T) {
	for n := 4; n <= 7; n++ {
		for losses := range 4 {
			w := newWorld(t, describeStudy(), n)
			w.before = func(m run.Message) {
				if m.Step == run.RosterStep && m.Round == 0 {
					for _, site := range w.sites[:losses] {
						w.lose(site)
					}
				}
			}
			w.play()
			if losses <= (n+2)/3-1 {
				w.answered()
			} else {
				w.failed(ws.Unreachable)
			}
		}
	}
}

// A site that contributed is lost while another has not: the other is waited for.
func TestLose_WaitsForTheOthers(t *testing.T) {
	w := newWorld(t, describeStudy(), 7)
	var held []run.Message
	w.bend = func(m run.Message) []run.Message {
		if m.Round == 2 && m.Step == run.Contribute && m.From == "site0006" && held == nil {
			held = append(held, m)
			return nil
		}
		return []run.Message{m}
	}
	w.play()
	if w.doc != nil || held == nil {
		t.Fatal("nothing was held back")
	}
	w.lose("site0000")
	if len(w.queue) != 0 || w.err != nil {
		t.Fatalf("the conductor goes on without site0006: %v", w.err)
	}
	w.queue = held
	w.pump().answered()
}

// After a loss that ended the epoch, a new one without the site answers; after
// a sum was opened it is refused.
func TestEpochs(t *testing.T) {
	for _, c := range []struct {
		step  run.Step
		round int
		works bool
	}{
		{run.Plan, 0, true}, {run.Coins, 0, true}, {run.Propose, 0, true}, {run.Certify, 0, false}, {run.Ask, 1, false}, {run.Propose, 1, false},
	} {
		t.Run(fmt.Sprint(c.step, c.round), func(t *testing.T) {
			w := newWorld(t, describeStudy(), 5)
			w.before = func(m run.Message) {
				if m.To == "site0004" && m.Step == c.step && m.Round == c.round {
					w.lose("site0004")
				}
			}
			w.play().failed(ws.Unreachable)
			for _, h := range w.hosts {
				h.restore() // the history is in the journal
			}
			w.before = nil
			w.open(2, w.sites[:4])
			w.play()
			if !c.works {
				w.failed(ws.Denied)
				return
			}
			w.answered()
			if !slices.Equal(w.doc.Sites, w.sites[:4]) {
				t.Errorf("the document names %v", w.doc.Sites)
			}
		})
	}
}
