package mesh

import (
	"slices"
	"time"
)

// lingering is how long the lanes of a run that is over stay: until both ends
// have heard the last letters, and what acknowledges them.
func (p Pace) lingering() time.Duration { return max(time.Minute, 4*p.Slowest) }

// Finish says that a run is over. Its lanes are forgotten, as by [Link.Forget],
// when its last letters have had time to arrive; what comes of it later opens
// lanes anew, until Finish is called again. A link whose runs are never
// finished grows with them, and at last takes no letter of a new one.
func (l *Link) Finish(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lanesOf(run) {
		l.over[run] = time.Now().Add(l.pace.lingering())
	}
}

// lanesOf tells whether a run has lanes here; the caller holds mu.
func (l *Link) lanesOf(run string) bool {
	for id := range l.outs {
		if id.run == run {
			return true
		}
	}
	for key := range l.ins {
		if key.run == run {
			return true
		}
	}
	return false
}

// Runs lists the runs that have lanes here, also from before a restart.
func (l *Link) Runs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for id := range l.outs {
		all = append(all, id.run)
	}
	for key := range l.ins {
		all = append(all, key.run)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// forgetOver forgets the runs whose time has come.
func (l *Link) forgetOver(now time.Time) {
	l.mu.Lock()
	var due []string
	for run, at := range l.over {
		if now.After(at) {
			due = append(due, run)
		}
	}
	l.mu.Unlock()
	for _, run := range due {
		if err := l.Forget(run); err != nil {
			l.mu.Lock()
			l.report(err)
			l.mu.Unlock()
		}
	}
}

// Forget ends a run: its lanes go, and what is under way in them. The name
// of a run must not be used again.
func (l *Link) Forget(run string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	erase := func(name string) {
		if err := l.cfg.Store.Erase(name); err != nil && first == nil {
			first = err
		}
	}
	for id, o := range l.outs {
		if id.run == run {
			for _, x := range o.open {
				l.gone(x)
				erase(keptName(id, x.h.seq))
			}
			erase("out." + laneName(id))
			delete(l.outs, id)
		}
	}
	for key, in := range l.ins {
		if key.run == run {
			l.dropLetters(in)
			erase(in.name())
			delete(l.ins, key)
		}
	}
	delete(l.over, run)
	l.ready = slices.DeleteFunc(l.ready, func(d *Delivery) bool { return d.Run == run })
	l.ring()
	return first
}
