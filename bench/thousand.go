package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"wellspring/ledger"
	socket "wellspring/site/console"
	"wellspring/study"
)

// proveThousand asks a study of a thousand sites, played by this process, that are
// connected over TLS to a hub in a process of its own; see [crowd] for what is
// played of a site.
func proveThousand(ctx context.Context, scale float64, r *Report) error {
	n := scaled(1000, scale, 40)                 // more than 33, from where not all are neighbours
	f, err := openFleet(ctx, "--patience", "1h") // two cores do the work of all sites in turn
	if err != nil {
		return err
	}
	defer f.close()
	c, err := openCrowd(ctx, f)
	if err != nil {
		return err
	}
	defer c.close()
	admitted, err := timed(func() error { return c.found(ctx, n) })
	if err != nil {
		return err
	}
	a, ref, err := c.ask(ctx, caseStudy("thousand", study.Analysis{Method: "describe", Variables: []string{"age", "pressure"}}))
	if err != nil {
		return err
	}
	connected, err := timed(func() error { return c.start(ctx) })
	if err != nil {
		return errors.Join(append([]error{err}, c.troubles()...)...)
	}
	before, err := accountOf(f.node(hubDir).cmd.Process.Pid)
	if err != nil {
		return err
	}
	var doc *study.Document
	var took, most float64
	most, err = peak(func() (err error) {
		took, err = timed(func() (err error) { doc, err = a.run(ctx, hubDir, ref, watchRounds()); return err })
		return err
	})
	if err != nil {
		return errors.Join(append([]error{err}, c.troubles()...)...)
	}
	hub, err := accountOf(f.node(hubDir).cmd.Process.Pid)
	if err != nil {
		return err
	}
	differs := c.differs(doc)
	if differs != nil {
		fmt.Fprintln(os.Stderr, differs)
	}
	r.Peer = "the means over all rows, added up here"
	r.add("sites, played by one process over connections of their own", float64(n), "")
	r.add("to admit all, with a version of rows each", admitted, "s")
	r.add("to connect all, until each holds the ledger for the newest", connected, "s")
	r.add("rounds", float64(doc.Rounds), "")
	r.add("sites in the answer", float64(len(doc.Sites)), "")
	r.add("answer equals that of all rows to 1e-9", truth(differs == nil), "1 is yes")
	hub.report(r, "hub", before)
	r.add("the process that plays the sites: peak memory", most/(1<<20), "MiB")
	r.Holds = r.atMost("the study, asked to answered", took, 1800, "s")
	r.Holds = r.atMost("hub: peak memory, bounded", hub.peak/(1<<20), 1024, "MiB") && r.Holds
	r.Holds = r.Holds && differs == nil && len(doc.Sites) == n
	return nil
}

// watchRounds tells on stderr when each round began: it takes minutes.
func watchRounds() func(socket.Progress) {
	begun, round, told := time.Now(), -1, time.Time{}
	return func(p socket.Progress) {
		if p.Round != round || time.Since(told) > 10*time.Second {
			round, told = p.Round, time.Now()
			fmt.Fprintf(os.Stderr, "  %4.0f s: round %d, %d of %d\n", time.Since(begun).Seconds(), p.Round, p.Answered, p.Sites)
		}
	}
}

// ask registers the study, which all sites approve.
func (c *crowd) ask(ctx context.Context, s *study.Study) (*asker, ledger.StudyRef, error) {
	a, err := c.fleet.asker(ctx, "hub", hubDir)
	if err != nil {
		return nil, ledger.StudyRef{}, err
	}
	ref, err := a.submit(ctx, s, nil)
	if err == nil {
		c.texts[ref.Study] = s.WithDefaults()
		err = c.approve(ctx, ref)
	}
	return a, ref, err
}

// differs says where the answer is not that of all rows together.
func (c *crowd) differs(doc *study.Document) error {
	if doc.Result == nil || len(doc.Tidy) != len(c.sums) {
		return errors.New("the answer has not a row for each variable")
	}
	for _, row := range doc.Tidy {
		name, _ := row.Get("variable").(string)
		got := row.Float("mean")
		if want := c.sums[name] / c.rows; !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
			return fmt.Errorf("mean of %q: %v, not %v", name, got, want)
		}
	}
	return nil
}
