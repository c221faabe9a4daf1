package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	socket "wellspring/site/console"
	"wellspring/study"
)

// Sizes of the soak at full scale: one hour.
const (
	soakSites   = 5
	soakStudies = 1020
	soakPace    = time.Hour / soakStudies
)

// proveSoak asks a fleet one study after the other for an hour, of every method,
// and looks at what its processes hold: what grows between the second quarter of
// the hour and the last, when all has been asked before, leaks.
func proveSoak(ctx context.Context, scale float64, r *Report) error {
	f, err := openFleet(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	s := &soak{f: f, luck: rand.New(rand.NewPCG(20, 26)), first: map[string]*study.Document{}, ended: map[string]int{}}
	for i := range soakSites {
		s.sites = append(s.sites, fmt.Sprintf("site-%d", i+1))
	}
	if err := f.people(ctx, s.sites, 150); err != nil {
		return err
	}
	if s.asker, err = f.asker(ctx, "site", s.sites[0]); err != nil {
		return err
	}
	n := scaled(soakStudies, scale, len(soakTurns)+1)
	took, err := timed(func() error { return s.run(ctx, n, scale) })
	if err != nil {
		return err
	}
	r.Peer = "none; each figure of the last quarter is held against the second quarter of the same run"
	r.add("sites, a process each, beside the hub", soakSites, "")
	r.add("time", took, "s")
	r.add("studies", float64(n), "")
	for _, t := range soakTurns {
		r.add("of them "+t.name, float64(s.ended[t.name]), "")
	}
	r.add("of these, over before they could be stopped or withdrawn", float64(s.ended[tooLate]), "")
	r.Holds = r.atMost("ended otherwise than they should", float64(len(s.strange)), 0, "")
	for _, err := range s.strange {
		fmt.Fprintln(os.Stderr, err)
	}
	s.judge(r)
	return nil
}

// A soak is a fleet at work.
type soak struct {
	*asker
	f        *fleet
	sites    []string
	luck     *rand.Rand
	first    map[string]*study.Document // answers, by question: all later ones equal them
	ended    map[string]int
	strange  []error
	readings []map[string]reading // by node, over time
}

// A soakTurn is a way for a study to go.
type soakTurn struct {
	name  string
	share int // of all turns
	play  func(s *soak, ctx context.Context, name string) error
}

// tooLate counts the answers of studies that were over before somebody ended them.
const tooLate = "too late"

var soakTurns = []soakTurn{
	{"answered, the hub conducting", 55, func(s *soak, ctx context.Context, name string) error {
		return s.answered(ctx, name, s.question(), hubDir, nil)
	}},
	{"answered, a site conducting", 12, func(s *soak, ctx context.Context, name string) error {
		i := s.luck.IntN(len(siteQuestions))
		return s.answered(ctx, name, siteQuestions[i], s.sites[i], nil)
	}},
	{"answered, a site killed meanwhile and brought back", 5, (*soak).killed},
	{"withheld, for too few persons", 14, (*soak).withheld},
	{"refused, for a limit of the data", 3, (*soak).limited},
	{"refused, since a custodian has not approved", 2, (*soak).unapproved},
	{"withdrawn meanwhile by a custodian", 2, (*soak).withdrawn},
	{"stopped meanwhile by the asker", 7, (*soak).stopped},
}

// run plays n studies at an even pace, each way once before luck decides. A small
// soak does not pace itself.
func (s *soak) run(ctx context.Context, n int, scale float64) error {
	var lots []soakTurn
	for _, t := range soakTurns {
		for range t.share {
			lots = append(lots, t)
		}
	}
	begun := time.Now()
	for i := range n {
		if scale == 1 {
			select {
			case <-time.After(time.Until(begun.Add(time.Duration(i) * soakPace))):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		t := lots[s.luck.IntN(len(lots))]
		if i < len(soakTurns) {
			t = soakTurns[i]
		}
		if err := t.play(s, ctx, fmt.Sprintf("soak-%04d", i)); err != nil {
			s.strange = append(s.strange, fmt.Errorf("study %d, %s: %w", i, t.name, err))
		}
		s.ended[t.name]++
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.read(ctx, i+1); err != nil {
			return err
		}
	}
	return nil
}

// soakQuestions are asked of the hub: every method.
var soakQuestions = []study.Analysis{
	{Method: "describe", Variables: []string{"age", "pressure"}, By: "sex"},
	{Method: "glm", Family: "binomial", Formula: "event ~ age + factor(sex)"},
	{Method: "quantile", Variables: []string{"age", "pressure"}},
	{Method: "cox", Formula: "Surv(time, event) ~ age + factor(sex)"},
	{Method: "crosstab", Rows: "sex", Columns: "event"},
	{Method: "km", Formula: "Surv(time, event) ~ factor(sex)"},
	{Method: "chisq", Rows: "sex", Columns: "event"},
	{Method: "logrank", Formula: "Surv(time, event) ~ factor(sex)"},
	{Method: "ttest", Formula: "pressure ~ factor(sex)"},
	{Method: "glm", Family: "gaussian", Formula: "pressure ~ age + factor(sex)"},
}

// siteQuestions are asked of a site each: a question is asked under one conductor,
// since under another one other institutions count.
var siteQuestions = []study.Analysis{
	{Method: "quantile", Variables: []string{"time"}},
	{Method: "glm", Family: "gaussian", Formula: "time ~ age"},
	{Method: "ttest", Formula: "time ~ factor(sex)"},
	{Method: "glm", Family: "binomial", Formula: "event ~ pressure"},
}

// question draws one for the hub.
func (s *soak) question() study.Analysis { return soakQuestions[s.luck.IntN(len(soakQuestions))] }

// answered asks and wants the answer that the question had before.
func (s *soak) answered(ctx context.Context, name string, q study.Analysis, node string, tell func(socket.Progress)) error {
	ref, err := s.submit(ctx, caseStudy(name, q), s.sites)
	if err != nil {
		return err
	}
	doc, err := s.asker.run(ctx, node, ref, tell)
	if err != nil {
		return fmt.Errorf("%s: %w", q.Method, err)
	}
	key := fmt.Sprint(q)
	if s.first[key] == nil {
		s.first[key] = doc
		return nil
	}
	if err := sameAnswer(doc, s.first[key]); err != nil {
		return fmt.Errorf("%s: %w", q.Method, err)
	}
	return nil
}

// killed takes the last site from the run, which waits until it is back.
func (s *soak) killed(ctx context.Context, name string) error {
	victim, round := s.sites[soakSites-1], s.luck.IntN(2)
	back := make(chan error, 1)
	var once sync.Once
	err := s.answered(ctx, name, s.question(), hubDir, func(p socket.Progress) {
		if p.Epoch > 0 && p.Round >= round {
			once.Do(func() {
				go func() {
					s.f.kill(victim)
					back <- s.f.serve(ctx, victim)
				}()
			})
		}
	})
	once.Do(func() { back <- fmt.Errorf("round %d was not reached", round) })
	return errors.Join(err, <-back)
}

// ends asks and wants the kind of error that the study must end with.
func (s *soak) ends(ctx context.Context, st *study.Study, want ws.Kind, tell func(socket.Progress)) error {
	ref, err := s.submit(ctx, st, s.sites)
	if err != nil {
		return err
	}
	return s.endsSo(ctx, ref, want, tell)
}

func (s *soak) endsSo(ctx context.Context, ref ledger.StudyRef, want ws.Kind, tell func(socket.Progress)) error {
	_, err := s.asker.run(ctx, hubDir, ref, tell)
	switch {
	case err == nil && tell != nil:
		s.ended[tooLate]++
	case err == nil:
		return errors.New("it was answered")
	case ws.KindOf(err) != want:
		return err
	}
	return nil
}

// withheld asks of rows that are too few.
func (s *soak) withheld(ctx context.Context, name string) error {
	st := caseStudy(name, soakQuestions[0])
	st.Data.Where = "age >= 79 & pressure > 140"
	return s.ends(ctx, st, ws.Withheld, nil)
}

// limited asks for what the policy of the data does not allow at all.
func (s *soak) limited(ctx context.Context, name string) error {
	return s.ends(ctx, caseStudy(name, study.Analysis{Method: "describe", Variables: []string{"age"}, By: "site"}), ws.Denied, nil)
}

// unapproved asks what the last site has not decided on.
func (s *soak) unapproved(ctx context.Context, name string) error {
	ref, err := s.submit(ctx, caseStudy(name, s.question()), s.sites[:soakSites-1])
	if err != nil {
		return err
	}
	return s.endsSo(ctx, ref, ws.Denied, nil)
}

// withdrawn has a custodian withdraw once the first sum was opened.
func (s *soak) withdrawn(ctx context.Context, name string) error {
	return s.meanwhile(ctx, name, ws.Denied, func() error {
		_, err := s.f.do(ctx, "site", "withdraw", name, "--dir", s.sites[1])
		return err
	})
}

// stopped has the asker give up.
func (s *soak) stopped(ctx context.Context, name string) error {
	return s.meanwhile(ctx, name, ws.Stopped, func() error {
		err := s.f.desk(hubDir).Stop(ctx, name)
		if ws.KindOf(err) == ws.Invalid { // it is over, which the asker is told as well
			return nil
		}
		return err
	})
}

// meanwhile does something to a long study while it is under way.
func (s *soak) meanwhile(ctx context.Context, name string, want ws.Kind, act func() error) error {
	did := make(chan error, 1)
	var once sync.Once
	err := s.ends(ctx, caseStudy(name, soakQuestions[3]), want, func(p socket.Progress) {
		if p.Epoch > 0 && p.Round > 0 {
			once.Do(func() { go func() { did <- act() }() })
		}
	})
	once.Do(func() { did <- errors.New("the first round was not reached") })
	return errors.Join(err, <-did)
}
