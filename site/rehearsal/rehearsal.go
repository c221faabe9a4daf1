package rehearsal

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/policy"
	"wellspring/run"
	"wellspring/run/journal"
	"wellspring/site"
	"wellspring/stat"
	"wellspring/study"
)

// Hub conducts a rehearsal where no member does, for an institution called
// Centre; it has no rows. Where a site has such a name already, so that it would
// be taken for one of the hub's, the hub's gets a dash behind it.
const (
	Hub    ws.SiteID      = "hub"
	Centre ws.Institution = "centre"
)

// A Site is one simulated hospital.
type Site struct {
	ID          ws.SiteID
	Institution ws.Institution // one of its own, of the site's name, where empty
	Rows        frame.Source
	Policy      policy.Policy
	// Dir holds its key (mode 0600), made at the first run, and a journal for
	// each run; both are in memory if it is empty.
	Dir string
	// Memory is what the site remembers of the asker for a run; nil where the
	// asker owns the rows.
	Memory func(run string) site.Memory
}

// Options say how to play.
type Options struct {
	Catalog   analyze.Catalog
	Conductor ws.SiteID      // a member; the hub where empty
	Progress  func(Progress) // called from one goroutine at a time; may be nil
}

// Progress says how far a run is: of so many sites, how many have sent their
// masked vector in a round. It never goes back.
type Progress struct{ Round, Answered, Sites int }

// An Outcome is what a run left.
type Outcome struct {
	Document *study.Document
	Seen     Seen
}

// Seen is what the hub held of one site in one round.
type Seen struct {
	Site   ws.SiteID
	Round  int
	Len    int       // entries of the vector
	Vector stat.Ring // the first of them, masked
}

// Run plays a study, whose defaults are filled in, over the sites.
func Run(ctx context.Context, s *study.Study, sites []Site, o Options) (*Outcome, error) {
	p, err := newPlay(s, sites, o)
	if err != nil {
		return nil, err
	}
	return p.run(ctx)
}

// A play is one run under way.
type play struct {
	o         Options
	sites     []ws.SiteID
	nodes     map[ws.SiteID]*site.Node
	conductor *run.Conductor
	outcome   Outcome

	mu   sync.Mutex
	told Progress
}

type open struct{}

// Allow lets everything through: in a rehearsal the asker owns the rows.
func (open) Allow(*run.Opening, *study.Study, int) error { return nil }

// Reveal does too: there is no ledger to say that a run has no further epoch.
func (open) Reveal(*run.Opening, *study.Study, []ws.SiteID) error { return nil }

func newPlay(s *study.Study, sites []Site, o Options) (*play, error) {
	sites, conductor, err := cast(sites, o.Conductor)
	if err != nil {
		return nil, err
	}
	p := &play{o: o, nodes: map[ws.SiteID]*site.Node{}}
	opening := &run.Opening{Chain: "rehearsal", Run: runID(), Epoch: 1, Release: ws.Version,
		Conductor: conductor.ID, Institution: conductor.Institution, AllowFew: true}
	if opening.Study, err = s.Canonical(); err != nil {
		return nil, err
	}
	if err := enough(sites, conductor); err != nil {
		return nil, err
	}
	known := new(run.Shared) // one process plays all parties
	for _, st := range sites {
		key, err := st.key()
		if err != nil {
			return nil, ws.At("site "+string(st.ID), err)
		}
		opening.Members = append(opening.Members, run.Member{Site: st.ID, Institution: st.Institution, Key: key.Public().(ed25519.PublicKey),
			Alone: st.Policy.SiteResults != policy.RefuseSite})
		opening.AllowFew = opening.AllowFew && st.Policy.FewInstitutions
		j, err := st.journal(opening.Run)
		if err != nil {
			return nil, ws.At("site "+string(st.ID), err)
		}
		cfg := run.Config{Site: st.ID, Institution: st.Institution, Key: key, Catalog: o.Catalog, Policy: st.Policy, Gate: open{}, Rand: rand.Reader, Shared: known}
		n, err := site.NewNode(cfg, st.Rows, j)
		if err != nil {
			return nil, err
		}
		if st.Memory != nil {
			n.Memory = st.Memory(opening.Run)
		}
		n.Workers = max(1, runtime.GOMAXPROCS(0)/len(sites))
		p.nodes[st.ID] = n
		p.sites = append(p.sites, st.ID)
	}
	p.conductor, err = run.NewConductor(opening, o.Catalog, known)
	return p, err
}

// journal keeps a rehearsed site's records of one run; nobody needs them after
// a crash.
func (s Site) journal(run string) (run.Journal, error) {
	if s.Dir == "" {
		return &journal.Memory{}, nil
	}
	return journal.OpenDir(filepath.Join(s.Dir, "journal", run), false)
}

func runID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// run passes messages until nobody has any left: all that are under way to the
// sites, then all of their answers to the hub. The first error ends the run at
// every site.
func (p *play) run(ctx context.Context) (*Outcome, error) {
	begin, err := p.conductor.Begin()
	if err != nil {
		return nil, err
	}
	out := begin.Send
	for len(out) > 0 {
		answers, err := p.deliver(ctx, out)
		next, refused := p.collect(answers)
		if err == nil || refused != nil && asked(err) {
			err = refused
		}
		if err != nil {
			p.deliver(ctx, next) // the sites are told; what they say to it adds nothing
			return nil, err
		}
		out = next
	}
	if p.outcome.Document == nil {
		return nil, ws.Errorf(ws.Other, "rehearsal", ws.T("the run ended without an answer", "计算结束但没有结果"))
	}
	return &p.outcome, nil
}

// asked says whether an error is a refusal on which the asker gets the hub's
// word, which does not name the site; what is wrong with a site's files its
// operator, who is the asker here, learns from the site.
func asked(err error) bool {
	kind := ws.KindOf(err)
	return kind == ws.Withheld || kind == ws.Denied
}

// deliver gives every site its messages, in order; sites work side by side.
// When one fails the others stop; of several errors that of the first site is
// returned.
func (p *play) deliver(ctx context.Context, out []run.Message) ([]run.Message, error) {
	inbox := map[ws.SiteID][]run.Message{}
	for _, m := range out {
		inbox[m.To] = append(inbox[m.To], m)
	}
	answers, errs := make([][]run.Message, len(p.sites)), make([]error, len(p.sites))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range p.sites {
		group.Go(func() error {
			for _, m := range inbox[id] {
				got, _, err := p.nodes[id].Handle(ctx, m)
				answers[i] = append(answers[i], got...)
				if err != nil {
					errs[i] = err
					return err
				}
				p.tell(got)
			}
			return nil
		})
	}
	first := group.Wait()
	for _, err := range errs {
		if err != nil && ws.KindOf(err) != ws.Stopped {
			first = err
			break
		}
	}
	return slices.Concat(answers...), first
}

// tell counts the masked vectors of the round.
func (p *play) tell(sent []run.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range sent {
		if m.Step != run.Contribute || m.Round < p.told.Round {
			continue
		}
		if m.Round > p.told.Round {
			p.told = Progress{Round: m.Round}
		}
		p.told.Answered++
		p.told.Sites = len(p.sites)
		if p.o.Progress != nil {
			p.o.Progress(p.told)
		}
	}
}

// collect gives the hub the answers of all sites. After an error it returns
// what the hub tells the sites.
func (p *play) collect(answers []run.Message) ([]run.Message, error) {
	var next []run.Message
	for _, m := range answers {
		if m.Step == run.Vote { // all vectors are there, and none is opened
			p.look()
		}
		out, err := p.conductor.Step(m)
		if err != nil {
			return out.Send, err
		}
		next = append(next, out.Send...)
		if out.Document != nil {
			p.outcome.Document = out.Document
		}
	}
	return next, nil
}

// look keeps what the hub sees of the first site.
func (p *play) look() {
	round, _, _ := p.conductor.Round()
	id := p.sites[0]
	if p.outcome.Seen.Site == id && p.outcome.Seen.Round == round {
		return
	}
	if v := p.conductor.Masked(id); v != nil {
		p.outcome.Seen = Seen{Site: id, Round: round, Len: len(v), Vector: v[:min(8, len(v))]}
	}
}
