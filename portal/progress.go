package portal

import (
	"slices"
	"time"

	ws "wellspring"
	"wellspring/site/console"
)

// maxShown is how many rounds a page lists, the newest first.
const maxShown = 12

// A progression is a run under way, as far as this node knows.
type progression struct {
	console.Run
	Conducted bool    // by this node
	Rounds    []stage // the newest first
	Earlier   int     // rounds that are not listed
	Ahead     ws.Text // what is known of the time that it will take
}

// A stage is one round, with what it took; 0 where it is under way.
type stage struct {
	console.Stage
	Took time.Duration
}

// newProgression lists the rounds of a run; usual is how many the last run of the same study took, 0 if that is not known.
func newProgression(run console.Run, usual int) *progression {
	g := &progression{Run: run, Conducted: run.Stages[len(run.Stages)-1].Sites > 0}
	for i, s := range run.Stages {
		made := stage{Stage: s}
		if i+1 < len(run.Stages) {
			made.Took = run.Stages[i+1].Since.Sub(s.Since)
		}
		g.Rounds = append(g.Rounds, made)
	}
	slices.Reverse(g.Rounds)
	g.Ahead = ahead(g.Rounds, usual)
	if len(g.Rounds) > maxShown {
		g.Earlier = len(g.Rounds) - maxShown
		g.Rounds = g.Rounds[:maxShown]
	}
	return g
}

// ahead says what is known of the time that a run will take. A study ends when
// its last analysis has converged, so how many rounds it takes only a run before tells.
func ahead(rounds []stage, usual int) ws.Text {
	if len(rounds) < 2 {
		return ws.T("How long it takes is not known yet.", "所需时间尚不可知。")
	}
	newest, first := rounds[0], rounds[len(rounds)-1]
	mean := newest.Since.Sub(first.Since) / time.Duration(len(rounds)-1)
	if left := usual - newest.Round; left > 0 {
		return ws.T("The last run of this study took %d rounds. If this one does, about %s remain.", "该研究上次用了 %d 轮。若本次相同，还需约%s。", usual, span(time.Duration(left)*mean))
	}
	return ws.T("A round takes about %s. How many rounds a study takes is known when it ends.", "每轮约需%s。所需轮数在结束时才能知道。", span(mean))
}

// usual is how many rounds the newest kept answer of a study took; 0 where none is here.
func (p *Portal) usual(at *visit, s *console.Study) int {
	newest := s.Newest()
	if newest == nil {
		return 0
	}
	a, err := p.cfg.Node.Result(at.r.Context(), newest.Run)
	if err != nil {
		return 0 // it is only a guess
	}
	return a.Document.Rounds
}

// span says about how long something takes.
func span(d time.Duration) ws.Text {
	switch {
	case d < 2*time.Second:
		return ws.T("a second", " 1 秒")
	case d < 2*time.Minute:
		return ws.T("%d seconds", " %d 秒", int(d.Seconds()))
	case d < 2*time.Hour:
		return ws.T("%d minutes", " %d 分钟", int(d.Minutes()))
	case d < 48*time.Hour:
		return ws.T("%d hours", " %d 小时", int(d.Hours()))
	default:
		return ws.T("%d days", " %d 天", int(d.Hours()/24))
	}
}

// ago says how long a moment is past.
func ago(at time.Time) ws.Text {
	d := time.Since(at)
	if d < 10*time.Second {
		return ws.T("just now", "刚刚")
	}
	return ws.T("%s ago", "%s前", span(d))
}

// open reports whether a run of a study goes on somewhere.
func open(s *console.Study) bool {
	return slices.ContainsFunc(s.Runs, func(r console.Run) bool { return !r.Closed })
}
