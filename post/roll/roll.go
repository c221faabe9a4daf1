package roll

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/ledger"
	"wellspring/mesh"
	"wellspring/post"
)

// A Member is what is known of a node; the zero Member is one of whom nothing is.
type Member struct {
	Seen    time.Time  // when this node, or the hub, last heard it
	Release ws.Release // of its program
}

// Config is what a roll is given. All fields but Report are.
type Config struct {
	Self, Hub ws.SiteID
	Ledger    ledger.Ledger
	Send      func(context.Context, mesh.Letter) error
	Seen      func(ws.SiteID) time.Time // by this node's own link
	Waiting   func() map[ws.SiteID]int  // letters to peers that are not acknowledged
	Report    func(error)               // may be nil
}

// Times. Who looks may look often: a node is asked no more often than this, and
// answers no more often.
const (
	often   = 5 * time.Second
	renewal = 5 * time.Minute // after which the hub asks a site again for its release
	sending = 30 * time.Second
)

// maxMembers bounds what the hub tells of, which is a few dozen bytes each.
const maxMembers = 1000

// A Roll is one node's. Its methods may be called concurrently.
type Roll struct {
	cfg Config

	mu       sync.Mutex
	known    map[ws.SiteID]Member
	told     map[ws.SiteID]time.Time // when each said its release
	answered map[ws.SiteID]time.Time
	asked    time.Time
	heard    time.Time // when the hub last told of others
}

// New makes a roll of a node that has just started.
func New(cfg Config) *Roll {
	return &Roll{cfg: cfg, known: map[ws.SiteID]Member{}, told: map[ws.SiteID]time.Time{}, answered: map[ws.SiteID]time.Time{}}
}

// A word is the body of a letter.
type word struct {
	Ask     bool               `json:"ask,omitempty"` // an answer is wanted
	Release ws.Release         `json:"release"`
	Members map[ws.SiteID]seat `json:"members,omitempty"` // in an answer of the hub
}

// A seat is a member in such an answer. Ago is in seconds, as clocks differ.
type seat struct {
	Ago     *int64     `json:"ago,omitempty"` // since it was heard; none for never
	Release ws.Release `json:"release,omitempty"`
}

// Call gives what is known of all members now, and since when: at the hub that is
// now, at a site it is when the hub last told, zero for never. Then it asks for news
// where that is old.
func (r *Roll) Call(ctx context.Context) (out map[ws.SiteID]Member, since time.Time) {
	defer r.ask(ctx)
	out = map[ws.SiteID]Member{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.cfg.Ledger.State().Sites() {
		m := r.known[id]
		if at := r.cfg.Seen(id); at.After(m.Seen) {
			m.Seen = at
		}
		if id == r.cfg.Self {
			m.Release = ws.Version
		}
		out[id] = m
	}
	if r.cfg.Self == r.cfg.Hub {
		return out, time.Now()
	}
	return out, r.heard
}

// ask sends questions beside whoever looks: a site asks the hub, and the hub each
// site that has not said its release lately. Who has not taken the last letter gets no further one.
func (r *Roll) ask(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.asked) < often {
		return
	}
	waiting := r.cfg.Waiting()
	var whom []ws.SiteID
	for id, rec := range r.cfg.Ledger.State().Sites() {
		wanted := id == r.cfg.Hub || r.cfg.Self == r.cfg.Hub && time.Since(r.told[id]) > renewal
		if wanted && id != r.cfg.Self && !rec.Ended && waiting[id] == 0 {
			whom = append(whom, id)
		}
	}
	if whom == nil {
		return
	}
	r.asked = time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sending)
	go func() {
		defer cancel()
		for _, id := range whom {
			r.send(ctx, id, word{Ask: true, Release: ws.Version})
		}
	}()
}

func (r *Roll) send(ctx context.Context, to ws.SiteID, w word) {
	err := r.cfg.Send(ctx, mesh.Letter{From: r.cfg.Self, To: to, Run: post.Ledger, Label: post.Roll, Body: post.JSON(w)})
	if err != nil && r.cfg.Report != nil {
		r.cfg.Report(err)
	}
}

// Take handles a letter of another node's roll. Only the hub is believed of others.
func (r *Roll) Take(ctx context.Context, d *mesh.Delivery) error {
	b, err := d.Bytes()
	if err != nil {
		return err
	}
	var w word
	if json.Unmarshal(b, &w) != nil || w.Release.Validate() != nil {
		return ws.Errorf(ws.Invalid, "roll", ws.T("what a node says of itself is not well formed", "节点的自述格式不正确"))
	}
	if r.cfg.Self != r.cfg.Hub && d.From != r.cfg.Hub {
		return nil
	}
	r.note(d.From, w)
	if w.Ask && r.due(d.From) {
		if r.cfg.Self == r.cfg.Hub {
			r.ask(ctx) // for who asks next
		}
		r.send(ctx, d.From, word{Release: ws.Version, Members: r.members()})
	}
	return nil
}

// note remembers what a node said of itself and, where it is the hub, of others.
func (r *Roll) note(from ws.SiteID, w word) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.cfg.Ledger.State()
	if _, on := state.Site(from); !on {
		return
	}
	now := time.Now()
	r.known[from] = Member{r.known[from].Seen, w.Release}
	r.told[from] = now
	if from != r.cfg.Hub || from == r.cfg.Self {
		return
	}
	if w.Members != nil {
		r.heard = now
	}
	for id, s := range w.Members {
		if _, on := state.Site(id); !on || id == from || id == r.cfg.Self || s.Release != "" && s.Release.Validate() != nil {
			continue
		}
		m := Member{Release: s.Release}
		if s.Ago != nil && *s.Ago >= 0 && *s.Ago < int64(maxAgo/time.Second) {
			m.Seen = now.Add(-time.Duration(*s.Ago) * time.Second)
		}
		r.known[id] = m
	}
}

// maxAgo is past which nobody needs to know how long ago something was.
const maxAgo = 10 * 365 * 24 * time.Hour

// due reports whether a node that asks is answered: not again at once.
func (r *Roll) due(from ws.SiteID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.answered[from]) < often/2 {
		return false
	}
	r.answered[from] = time.Now()
	return true
}

// members are what the hub tells a site of the others; a site tells of nobody.
func (r *Roll) members() map[ws.SiteID]seat {
	if r.cfg.Self != r.cfg.Hub {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[ws.SiteID]seat{}
	for id, rec := range r.cfg.Ledger.State().Sites() {
		if id == r.cfg.Hub || rec.Ended || len(out) == maxMembers {
			continue
		}
		s := seat{Release: r.known[id].Release}
		if at := r.cfg.Seen(id); !at.IsZero() {
			ago := int64(time.Since(at) / time.Second)
			s.Ago = &ago
		}
		out[id] = s
	}
	return out
}
