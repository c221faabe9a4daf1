package hubtest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/hub"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/ledger/ledgertest"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/post/replica"
	"wellspring/post/roll"
	"wellspring/run/journal/sqlite"
	"wellspring/site"
	"wellspring/site/book"
	"wellspring/study"
)

// Dataset is what every site has.
const Dataset ws.Dataset = "rows"

// Requester asks all studies.
var Requester = ledgertest.Account("wang")

// Config is what a network is made of.
type Config struct {
	Dir      string // empties itself into nothing: the caller removes it
	Catalog  analyze.Catalog
	Rows     map[ws.SiteID]frame.Source
	Policy   policy.Policy
	Review   map[ws.SiteID]policy.Review // which answers a person at a site releases; none elsewhere
	Patience time.Duration               // default 5 s
	// Forgetful sites remember no cohorts, so that what else holds an asker to earlier answers
	// can be looked at alone.
	Forgetful bool
	// Carrier gives a site another way to the broker than its pass over TLS, such
	// as two folders; nil, or a nil carrier, for none.
	Carrier func(mesh.Pass) (mesh.Carrier, error)
	// Dial changes how a site reaches the broker, for tests that put a proxy
	// between; may be nil.
	Dial func(mesh.Pass) mesh.Pass
}

// A Network is a hub and its sites.
type Network struct {
	cfg    Config
	broker *broker.Broker
	File   *file.Ledger // of the hub
	Sites  []ws.SiteID

	mu       sync.Mutex
	texts    map[ledger.Hash]*study.Study
	nodes    map[ws.SiteID]*node
	desks    map[ws.SiteID]*desk
	center   *center
	progress func(conduct.Progress)
	troubles []error
	mouth    Mouth
	ears     map[string]func(*mesh.Delivery) // by run
	careless bool
}

// center is the running hub.
type center struct {
	service *hub.Service
	link    *mesh.Link
	roll    *roll.Roll
	ledger  *mortal
	stop    context.CancelFunc
	done    chan error
}

// A node is one site; service is nil while it is dead.
type node struct {
	pass     mesh.Pass
	service  *site.Service
	ledger   *file.Ledger
	journals *sqlite.DB
	book     *book.Book
	replica  *replica.Replica
	link     *mesh.Link
	roll     *roll.Roll
	stop     context.CancelFunc
	done     chan error
}

// A mortal ledger takes nothing more once its process is dead.
type mortal struct {
	ledger.Ledger
	dead atomic.Bool
}

func (m *mortal) Submit(ctx context.Context, tx ledger.Tx) (ledger.Receipt, error) {
	if m.dead.Load() {
		return ledger.Receipt{}, ws.Errorf(ws.Unreachable, "ledger", ws.T("the hub is dead", "枢纽已终止"))
	}
	return m.Ledger.Submit(ctx, tx)
}

// New founds a network and starts all of it.
func New(ctx context.Context, cfg Config) (*Network, error) {
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	w := &Network{cfg: cfg, nodes: map[ws.SiteID]*node{}, desks: map[ws.SiteID]*desk{}, texts: map[ledger.Hash]*study.Study{}, ears: map[string]func(*mesh.Delivery){}}
	for id := range cfg.Rows {
		w.Sites = append(w.Sites, id)
	}
	slices.Sort(w.Sites)
	var err error
	if w.broker, err = broker.Open(ctx, broker.Config{Dir: filepath.Join(cfg.Dir, "broker"), Listen: "127.0.0.1:0", Names: []string{"127.0.0.1"}}); err != nil {
		return nil, err
	}
	if w.File, err = file.Open(filepath.Join(cfg.Dir, "ledger")); err != nil {
		return nil, errors.Join(err, w.broker.Close())
	}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *Network) begin(ctx context.Context) error {
	if err := w.found(ctx); err != nil {
		return err
	}
	if err := w.StartHub(); err != nil {
		return err
	}
	for _, id := range w.Sites {
		pass, err := w.broker.Admit(ctx, broker.Member{Site: id, All: true})
		if err != nil {
			return err
		}
		if w.cfg.Dial != nil {
			pass = w.cfg.Dial(pass)
		}
		w.nodes[id] = &node{pass: pass}
	}
	for _, id := range w.Sites {
		if err := w.Start(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// found makes the ledger: institutions, sites, a requester, a dataset each.
func (w *Network) found(ctx context.Context) error {
	if err := w.Submit(ctx, "operator", func(n ledgertest.Net) ledger.Body { return n.Genesis() }); err != nil {
		return err
	}
	do := func(signer string, body func(ledgertest.Net) ledger.Body) func() error {
		return func() error { return w.Submit(ctx, signer, body) }
	}
	steps := []func() error{
		do("operator", func(n ledgertest.Net) ledger.Body { return n.Institution("centre") }),
		do("centre", func(n ledgertest.Net) ledger.Body { return n.Site(string(broker.HubSite)) }),
		do("centre", func(n ledgertest.Net) ledger.Body { return n.Requester("wang") }),
	}
	for _, id := range w.Sites {
		steps = append(steps,
			do("operator", func(n ledgertest.Net) ledger.Body { return n.Institution("inst-" + string(id)) }),
			do("inst-"+string(id), func(n ledgertest.Net) ledger.Body { return n.Site(string(id)) }),
			do("inst-"+string(id), func(ledgertest.Net) ledger.Body {
				return &ledger.AddVersion{Site: id, Dataset: Dataset, Version: 1, Commitment: ledgertest.Hash(string(id))}
			}))
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// Submit signs a transaction by the key of a name, as ledgertest has them.
func (w *Network) Submit(ctx context.Context, signer string, body func(ledgertest.Net) ledger.Body) error {
	net := ledgertest.Net{TB: panics{}, State: w.File.State}
	_, err := w.File.Submit(ctx, net.Sign(signer, body(net)))
	return err
}

func (w *Network) link(self ws.SiteID, pass mesh.Pass, start func(*mesh.Config)) (*mesh.Link, error) {
	carrier, err := w.carrier(pass)
	if err != nil {
		return nil, err
	}
	cfg := mesh.Config{Chain: "test", Self: self, Key: ledgertest.Key(string(self)), Limit: post.Limit, Carrier: carrier, Spill: filepath.Join(w.cfg.Dir, "spill", string(self)),
		Peer: func(id ws.SiteID) (ed25519.PublicKey, bool) {
			s, ok := w.File.State().Site(id)
			return ed25519.PublicKey(s.Key[:]), ok
		}}
	if start != nil {
		start(&cfg)
	}
	return mesh.Open(cfg)
}

func (w *Network) roll(self ws.SiteID, l ledger.Ledger, link *mesh.Link) *roll.Roll {
	return roll.New(roll.Config{Self: self, Hub: broker.HubSite, Ledger: l, Send: link.Send, Seen: link.Seen, Waiting: link.Backlog, Report: w.report})
}

func (w *Network) carrier(pass mesh.Pass) (mesh.Carrier, error) {
	if w.cfg.Carrier != nil {
		if c, err := w.cfg.Carrier(pass); c != nil || err != nil {
			return c, err
		}
	}
	return wire.Open(pass, wire.Options{})
}

// StartHub starts the hub, or brings it back: what it conducted it has forgotten.
func (w *Network) StartHub() error {
	c, err := w.newHub()
	if err == nil {
		w.run(c)
	}
	return err
}

func (w *Network) newHub() (*center, error) {
	pass, err := w.broker.Hub()
	if err != nil {
		return nil, err
	}
	c := &center{ledger: &mortal{Ledger: w.File}, done: make(chan error, 1)}
	if c.link, err = w.link(broker.HubSite, pass, nil); err != nil {
		return nil, err
	}
	c.roll = w.roll(broker.HubSite, w.File, c.link)
	c.service = hub.New(hub.Config{Self: broker.HubSite, Institution: "centre", Key: ledgertest.Key(string(broker.HubSite)), Link: tongue{c.link, w, broker.HubSite}, Ledger: c.ledger,
		Catalog: w.cfg.Catalog, Texts: w.hubText, Report: w.report, Beat: 100 * time.Millisecond, Patience: w.cfg.Patience, Progress: w.teller(broker.HubSite),
		Study: func(text []byte) bool { return w.keep(broker.HubSite, text) }, Words: w.hear(broker.HubSite), Roll: c.roll.Take})
	return c, nil
}

func (w *Network) run(c *center) {
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	go func() { c.done <- c.service.Serve(ctx) }()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.center = c
}

// KillHub ends the hub without a word.
func (w *Network) KillHub() {
	w.mu.Lock()
	c := w.center
	w.center = nil
	w.mu.Unlock()
	if c == nil {
		return
	}
	c.ledger.dead.Store(true)
	c.link.Close()
	c.stop()
	<-c.done
}

// Hub is the running hub's desk.
func (w *Network) Hub() *conduct.Desk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.center.service.Desk()
}

// Site is a running site's service.
func (w *Network) Site(id ws.SiteID) *site.Service {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[id].service
}

// Reach waits until a running site has all of the hub's ledger.
func (w *Network) Reach(ctx context.Context, id ws.SiteID) error {
	return w.nodes[id].replica.Reach(ctx, w.File.State().Height())
}

// Start begins a site, or brings it back.
func (w *Network) Start(ctx context.Context, id ws.SiteID) error { return w.start(ctx, id, nil) }

func (w *Network) start(ctx context.Context, id ws.SiteID, restored func(ledger.Height) error) (err error) {
	n := w.nodes[id]
	dir := filepath.Join(w.cfg.Dir, string(id))
	if n.ledger, err = file.Open(filepath.Join(dir, "ledger")); err != nil {
		return err
	}
	if n.journals, err = sqlite.Open(filepath.Join(dir, "journal.db")); err != nil {
		return err
	}
	if n.book, err = book.Open(filepath.Join(dir, "cohorts.db")); err != nil {
		return err
	}
	if n.link, err = w.link(id, n.pass, nil); err != nil {
		return err
	}
	genesis, err := w.genesis(ctx)
	if err != nil {
		return err
	}
	n.replica = replica.New(replica.Config{Self: id, Hub: broker.HubSite, Own: n.ledger, Send: n.link.Send, Genesis: genesis})
	n.roll = w.roll(id, n.replica, n.link)
	rows := w.cfg.Rows[id]
	service := site.NewService(site.ServiceConfig{Self: id, Institution: ws.Institution("inst-" + id), Key: ledgertest.Key(string(id)), Link: tongue{n.link, w, id}, Replica: n.replica,
		Journals: n.journals, Catalog: w.cfg.Catalog, Texts: w.text, Patience: w.cfg.Patience, Report: w.report, Progress: w.teller(id), Restored: restored,
		Study: func(text []byte) { w.keep(id, text) }, Keep: w.hold(id), Words: w.hear(id), Roll: n.roll.Take, Served: w.served(id),
		Memory: w.memory(id, n),
		Data: func(context.Context, ws.Dataset, int) (frame.Source, policy.Policy, error) {
			pol := w.cfg.Policy
			if of := w.cfg.Review[id]; of != "" {
				pol.Review = of
			}
			return rows, pol, nil
		}})
	var alive context.Context
	alive, n.stop = context.WithCancel(context.Background())
	done := make(chan error, 1)
	n.done = done
	go func() { done <- service.Serve(alive) }()
	w.mu.Lock()
	defer w.mu.Unlock()
	n.service = service
	return nil
}

// memory is the book of a site.
func (w *Network) memory(id ws.SiteID, n *node) func(string, ws.Institution, ws.Dataset, int) site.Memory {
	if w.cfg.Forgetful {
		return nil
	}
	return func(run string, of ws.Institution, d ws.Dataset, version int) site.Memory {
		return n.book.Run(run, id, book.Group{Asker: of, Dataset: d}, version)
	}
}

func (w *Network) genesis(ctx context.Context) (ledger.Hash, error) {
	for b, err := range w.File.Watch(ctx, 0) {
		if err != nil {
			return ledger.Hash{}, err
		}
		return b.Txs[0].Digest(), nil
	}
	return ledger.Hash{}, ctx.Err()
}

// Kill ends a site without a word.
func (w *Network) Kill(id ws.SiteID) {
	n := w.nodes[id]
	w.mu.Lock()
	alive := n.service != nil
	n.service = nil
	w.mu.Unlock()
	if !alive {
		return
	}
	n.link.Close()
	n.stop()
	<-n.done
	n.ledger.Close()
	n.journals.Close()
	n.book.Close()
}

// Close ends everything.
func (w *Network) Close() error {
	var errs []error
	for _, d := range w.desks {
		d.stop()
		errs = append(errs, <-d.done)
	}
	for id := range w.nodes {
		w.Kill(id)
	}
	w.KillHub()
	return errors.Join(append(errs, w.File.Close(), w.broker.Close())...)
}

// Ask registers a study that every custodian approves, and gives what it takes
// to run it.
func (w *Network) Ask(ctx context.Context, s *study.Study) (ledger.StudyRef, *study.Study, []conduct.Member, error) {
	s = s.WithDefaults()
	text, err := s.Digest()
	if err != nil {
		return ledger.StudyRef{}, nil, nil, err
	}
	digest, err := ledger.ParseHash(text)
	if err != nil {
		return ledger.StudyRef{}, nil, nil, err
	}
	w.mu.Lock()
	w.texts[digest] = s
	w.mu.Unlock()
	ref := ledger.StudyRef{Requester: Requester, Study: digest}
	err = w.Submit(ctx, "account wang", func(ledgertest.Net) ledger.Body {
		return &ledger.AddStudy{Study: digest, Dataset: Dataset, Purposes: []ws.Purpose{"DUO:0000037"}, Conductors: []ws.SiteID{broker.HubSite}}
	})
	var members []conduct.Member
	for _, id := range w.Sites {
		err = errors.Join(err, w.Decide(ctx, id, ref, ledger.Approve))
		members = append(members, conduct.Member{Member: ledger.Member{Site: id, Key: ledgertest.Public(string(id)), Version: 1}, Alone: site.Alone(w.cfg.Policy)})
	}
	return ref, s, members, err
}

// text gives what was asked, here or at a console; all nodes have the texts of all studies.
func (w *Network) text(h ledger.Hash) (*study.Study, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.texts[h]; s != nil {
		return s, nil
	}
	for _, d := range w.desks {
		if s, err := d.texts.Study(h); s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// Decide is a custodian's verdict.
func (w *Network) Decide(ctx context.Context, id ws.SiteID, ref ledger.StudyRef, v ledger.Verdict) error {
	return w.Submit(ctx, "inst-"+string(id), func(ledgertest.Net) ledger.Body {
		return &ledger.Decide{Question: ledger.Question{StudyRef: ref, Release: ws.Version, Site: id, Version: 1}, Verdict: v}
	})
}

// When calls act once, in a goroutine of its own, when a run has come to a round
// and a number of answers in it; done is closed after it.
func (w *Network) When(round, answered int, act func(conduct.Progress)) (done chan struct{}) {
	done = make(chan struct{})
	var once sync.Once
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress = func(p conduct.Progress) {
		if p.Epoch > 0 && (p.Round > round || p.Round == round && p.Answered >= answered) {
			once.Do(func() {
				go func() {
					act(p)
					close(done)
				}()
			})
		}
	}
	return done
}

// served passes on which rounds of others' runs a site has answered.
func (w *Network) served(id ws.SiteID) func(ledger.RunID, int, int) {
	return func(run ledger.RunID, epoch, round int) {
		w.mu.Lock()
		d := w.desks[id]
		w.mu.Unlock()
		if d != nil {
			d.server.Served(run, epoch, round)
		}
	}
}

// teller passes on how far the runs of a node's desk are.
func (w *Network) teller(id ws.SiteID) func(conduct.Progress) {
	return func(p conduct.Progress) {
		w.mu.Lock()
		told, d := w.progress, w.desks[id]
		w.mu.Unlock()
		if d != nil {
			d.server.Follow(p)
		}
		if told != nil {
			told(p)
		}
	}
}

func (w *Network) report(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.troubles) < 1000 {
		w.troubles = append(w.troubles, err)
	}
}

// Troubles are what hub and sites reported and lived through.
func (w *Network) Troubles() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]error(nil), w.troubles...)
}
