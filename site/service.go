package site

import (
	"context"
	"crypto"
	"errors"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/frame"
	"wellspring/ledger"
	"wellspring/ledger/earlier"
	"wellspring/mesh"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/post/replica"
	"wellspring/run"
)

// Journals keep what a site must not forget, run by run.
type Journals interface {
	Run(id string) run.Journal
	Runs() ([]string, error)
}

// Data opens a frozen version of a dataset, with the policy that was frozen with it.
type Data func(ctx context.Context, d ws.Dataset, version int) (frame.Source, policy.Policy, error)

// ServiceConfig is what a site's service is given. Key signs masks, messages and
// marks of runs: whoever has it can speak for the site, but approve nothing.
type ServiceConfig struct {
	Self        ws.SiteID
	Institution ws.Institution
	Key         crypto.Signer
	Link        post.Link
	Replica     *replica.Replica
	Journals    Journals
	Data        Data
	Catalog     analyze.Catalog
	// Texts gives the studies that are here, by which a run is held to those before it.
	Texts earlier.Texts
	// Memory is what the site remembers, for a run, of the requesters of an
	// institution; nil for a site that remembers nothing, as where rows are public.
	Memory func(run string, of ws.Institution, d ws.Dataset, version int) Memory
	// Shared is what the sites that one process plays know together; nil at a site
	// that plays itself alone.
	Shared *run.Shared
	// Pinned gives the fingerprints that were compared out of band; see [Gate].
	Pinned func(ws.SiteID) (ledger.KeyID, bool)
	// Exchange is how often letters are carried, where the site is in two parts
	// and has no wire; 0 where it has one. Whatever waits for the ledger waits so
	// much longer, and the view of it may be so much older.
	Exchange time.Duration
	// Patience is that of the desk, where this site conducts.
	Patience time.Duration
	// Progress is told of runs that this site conducts; may be nil.
	Progress func(conduct.Progress)
	// Served is told each round of a run that this site has answered, some more than
	// once; may be nil. It must be quick.
	Served func(id ledger.RunID, epoch, round int)
	// Keep is given the answers that a person of this site must release, and Words
	// what reviewers elsewhere say of those that this site conducted; may be nil.
	Keep  func(ledger.RunID, *run.Answer) error
	Words func(ws.SiteID, post.Review) error
	// Study is given the texts of studies that come; may be nil.
	Study func([]byte)
	// Roll is given what the hub says of itself and others; may be nil.
	Roll func(context.Context, *mesh.Delivery) error
	// Room says why no new run may begin here, where the disk is nearly full; may be nil.
	Room func() error
	// Restored is given to a node that was restored from a backup and has not yet
	// heard where the ledger stands. Until then it answers no run, and those that are
	// open then it never answers. Restored is called, once, when that is written down.
	Restored func(ledger.Height) error
	// SendTexts gives the hub the texts of all studies, which it has lost; may be nil.
	SendTexts func()
	// Report is told what went wrong and did not end the service; may be nil.
	Report func(error)
}

// Exchanges is how many of them a question to the hub and its answer may take: one
// each way, and one more each where a file just missed its carrier.
const Exchanges = 4

// waiting bounds how long a message waits for the ledger to say what it needs.
func (c *ServiceConfig) waiting() time.Duration { return 30*time.Second + Exchanges*c.Exchange }

// maxAge is how old the site's view of the ledger may be.
func (c *ServiceConfig) maxAge() time.Duration { return MaxAge + Exchanges*c.Exchange }

// A Service is a hospital's node on a network: it answers runs, and conducts
// them where it is asked to.
type Service struct {
	cfg  ServiceConfig
	desk *conduct.Desk

	mu      sync.Mutex
	ctx     context.Context // of Serve
	serving map[string]*serving
	wg      sync.WaitGroup
	renewed chan struct{} // closed when a restored node may answer
	asked   chan struct{} // has room while the hub's request for blocks is not being answered
}

// NewService makes a service; Serve runs it.
func NewService(cfg ServiceConfig) *Service {
	s := &Service{cfg: cfg, serving: map[string]*serving{}, renewed: make(chan struct{}), asked: make(chan struct{}, 1)}
	if cfg.Restored == nil {
		close(s.renewed)
	}
	s.desk = conduct.New(conduct.Config{Self: cfg.Self, Institution: cfg.Institution, Key: cfg.Key, Ledger: cfg.Replica, Catalog: cfg.Catalog, Texts: cfg.Texts,
		Send: s.send, Patience: cfg.Patience, Delay: Exchanges * cfg.Exchange, Progress: cfg.Progress})
	return s
}

// Answering is how many runs this site is answering.
func (s *Service) Answering() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.serving)
}

// Renewed reports whether the node may answer, which one that was restored from a
// backup may not before it has heard where the ledger stands.
func (s *Service) Renewed() bool {
	select {
	case <-s.renewed:
		return true
	default:
		return false
	}
}

// Desk conducts runs from this site.
func (s *Service) Desk() *conduct.Desk { return s.desk }

// Serve takes up the runs that the journals hold and answers letters until ctx
// is done.
func (s *Service) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.wg.Wait()
	defer cancel()
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	if s.cfg.Restored != nil {
		s.wg.Go(func() { s.report(s.renew(ctx)) })
	} else if err := s.cfg.Replica.Follow(ctx); err != nil {
		return err
	}
	if err := s.takeUp(ctx); err != nil {
		return err
	}
	s.wg.Go(func() { s.report(post.Tidy(ctx, s.cfg.Link, s.cfg.Replica, s.closed)) })
	return s.cfg.Link.Each(ctx, func(d *mesh.Delivery) { s.take(ctx, d) }, s.report)
}

func (s *Service) report(err error) {
	if err != nil && s.cfg.Report != nil {
		s.cfg.Report(err)
	}
}

// take hands a letter to whom it concerns, who acknowledges it.
func (s *Service) take(ctx context.Context, d *mesh.Delivery) {
	switch d.Label {
	case post.Blocks, post.Head, post.Receipt:
		_, err := s.cfg.Replica.Take(ctx, d)
		s.report(errors.Join(err, d.Ack()))
	case post.Roll:
		var err error
		if s.cfg.Roll != nil {
			err = s.cfg.Roll(ctx, d)
		}
		s.report(errors.Join(err, d.Ack()))
	case post.Since:
		m, err := post.ReadMark(d)
		if err == nil && d.From == s.cfg.Replica.Hub() {
			s.blocks(ctx, m)
			if m.Texts && s.cfg.SendTexts != nil {
				s.wg.Go(s.cfg.SendTexts)
			}
		}
		s.report(errors.Join(err, d.Ack()))
	case post.Study:
		s.report(errors.Join(s.text(d), d.Ack()))
	case post.Words:
		s.report(errors.Join(post.TakeWords(d, s.cfg.Words), d.Ack()))
	case post.Back:
		s.desk.Back(ctx, d.Run, d.From)
		s.report(d.Ack())
		s.late(d.Run)
	default:
		if run.Step(d.Label).FromConductor() {
			s.letter(ctx, d)
			return
		}
		s.report(errors.Join(s.desk.Letter(ctx, d), d.Ack()))
		s.late(d.Run)
	}
}

// text takes the text of a study. Only the hub gives any: another could fill the
// places of those that the ledger does not know yet.
func (s *Service) text(d *mesh.Delivery) error {
	if d.From != s.cfg.Replica.Hub() {
		return ws.Errorf(ws.Denied, "site", ws.T("site %s sends the text of a study, which only the hub does", "站点 %s 发来研究文本，而研究文本只由枢纽发送", d.From))
	}
	b, err := d.Bytes()
	if err == nil && s.cfg.Study != nil {
		s.cfg.Study(b)
	}
	return err
}

// late frees what a letter of a run that is over has taken up again.
func (s *Service) late(id string) {
	if !s.desk.Conducts(id) && post.Over(s.cfg.Replica.State(), id) {
		s.cfg.Link.Finish(id)
	}
}

// send hands a message to the network, or to this site itself.
func (s *Service) send(ctx context.Context, m run.Message) error {
	switch {
	case m.To != s.cfg.Self:
		return s.cfg.Link.Send(ctx, post.Letter(m))
	case m.Step.FromConductor():
		s.serve(ctx, m.Run, job{message: &m})
	default:
		s.desk.Take(ctx, m)
	}
	return nil
}

// takeUp begins again to serve the runs that were under way, and tells their
// conductors, who send again what is due.
func (s *Service) takeUp(ctx context.Context) error {
	ids, err := s.cfg.Journals.Runs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		rec, known := s.cfg.Replica.State().Run(ledger.RunID(id))
		if !known || rec.Closed {
			continue
		}
		e, _ := s.cfg.Replica.State().Epoch(ledger.RunID(id), rec.Epoch)
		if err := s.send(ctx, run.Message{From: s.cfg.Self, To: e.Conductor, Run: id, Epoch: rec.Epoch, Step: post.Back}); err != nil {
			return err
		}
	}
	return nil
}
