package analyze

import (
	"slices"

	"wellspring/policy/near"
	"wellspring/stat"
)

// held reports whether the study is held to earlier ones.
func (p *Program) held() bool { return len(p.cohorts) > 0 && len(p.facts.Earlier) > 0 }

// few answers that the rows are too few. Where the study is held to earlier ones that comes
// when a reply to one that lies near to them would: after one more sum, which is of the same kind and tells
// nothing that matters.
func (p *Program) few(s *progress) {
	s.Few, s.Phase = true, comparing
	s.Near = []near.Ask{{Second: -1}}
}

// compare finds which of the study's cohorts are to be compared with earlier ones.
func (p *Program) compare(s *progress) (err error) {
	s.Phase = moments
	earlier := p.earlier(*s)
	if len(p.cohorts) == 0 || len(earlier) == 0 {
		return nil
	}
	s.Near, s.Span, err = near.Candidates(p.facts.Policy, p.facts.Columns, p.facts.Sites, p.counted(*s), earlier)
	if len(s.Near)+s.Span.Len() > 0 {
		s.Phase = comparing
	}
	return err
}

// earlier are the cohorts that the sites remember, and the study's own where there are others, of several analyses
// or of earlier studies, with which they may add up.
func (p *Program) earlier(s progress) []near.Cohort {
	out := slices.Clone(p.facts.Earlier)
	if !p.facts.Remembers || len(p.parts) < 2 && len(out) == 0 {
		return out
	}
	for _, c := range p.counted(s) {
		if c.Persons >= p.facts.Policy.MinCell {
			out = append(out, c)
		}
	}
	return binsFirst(out)
}

// judgeNear holds the study to earlier ones by what sites gave of their rows.
func (p *Program) judgeNear(s *progress, sum stat.Sum) (err error) {
	pol, earlier := p.facts.Policy, p.earlier(*s)
	if len(s.Rests.List) > 0 {
		err = near.JudgeRests(pol, s.Rests, sum.Reals("shares"), sum.Counts("shares.sites"), sum.Counts("known"), p.counted(*s), earlier)
		s.Rests, s.Phase = near.Rests{}, moments
		return err
	}
	if s.Few {
		return near.Few()
	}
	if len(s.Near) > 0 {
		if err := near.Judge(pol, s.Near, p.gaps(sum), p.counted(*s), earlier); err != nil {
			return err
		}
	}
	if s.Span.Len() > 0 {
		s.Rests, err = near.JudgeSpan(pol, p.facts.Columns, s.Span, sum.Counts("overlaps"), p.counted(*s), earlier)
	}
	if s.Near, s.Span = nil, (near.Span{}); len(s.Rests.List) == 0 {
		s.Phase = moments
	}
	return err
}

// A Stage says how far a study is held to those before it.
type Stage int

const (
	Uncounted Stage = iota // its cohorts are not counted
	Comparing              // they are being compared with earlier ones
	Answered               // they lie near to none before; what is told of them is told
)

// Cohorts gives how far a run is, and, once it is answered, its cohorts with the numbers of
// persons that were counted.
func (p *Program) Cohorts(raw State) ([]near.Cohort, Stage, error) {
	s, err := parse(raw)
	switch {
	case err != nil || s.Phase == counting:
		return nil, Uncounted, err
	case s.Phase == comparing:
		return nil, Comparing, nil
	}
	return p.counted(s), Answered, nil
}
