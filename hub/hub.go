package hub

import (
	"context"
	"crypto"
	"errors"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/ledger"
	"wellspring/ledger/earlier"
	"wellspring/mesh"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/run"
)

// Config is what a hub is given. Ledger is the hub's own file, which it orders.
type Config struct {
	Self        ws.SiteID // the hub is a site of the centre, without rows
	Institution ws.Institution
	Key         crypto.Signer
	Link        post.Link
	Ledger      ledger.Ledger
	Catalog     analyze.Catalog
	Texts       earlier.Texts // the studies that are here
	Patience    time.Duration // of the desk
	Progress    func(conduct.Progress)
	Report      func(error) // told what went wrong and did not end the service
	// Study is given the texts of studies that sites send; it says whether to
	// spread one to the others. May be nil.
	Study func([]byte) bool
	// Words are what reviewers say of answers that the hub conducted. May be nil.
	Words func(ws.SiteID, post.Review) error
	// Roll is given what sites say of themselves. May be nil.
	Roll func(context.Context, *mesh.Delivery) error
	// GiveTexts gives a site the texts of all studies, which it has lost. May be nil.
	GiveTexts func(ws.SiteID)
	// Life tells this life of the hub's node from those before a backup was restored; see [post.Texts].
	Life string
	// Beat is how often every site is told the head. Default 20 s.
	Beat time.Duration
}

// A Service is a running hub.
type Service struct {
	cfg  Config
	desk *conduct.Desk
	wg   sync.WaitGroup
	over context.Context // done when Serve ends
	end  context.CancelFunc

	mu      sync.Mutex
	bodies  map[ledger.Height][]byte // blocks as they are sent, of the newest requests
	full    map[ledger.Height]full   // letters' worth of them, by the height before the first
	held    int                      // bytes of both
	asking  map[ws.SiteID]*post.Mark // sites whose request is being answered, and one that came meanwhile
	answers map[ws.SiteID]int        // that wait until a site takes them
	texted  map[ws.SiteID]time.Time  // when a site last asked for the texts of studies
}

// full are as many blocks as go into one letter.
type full struct {
	body []byte
	last ledger.Height
}

// New makes a hub; Serve runs it.
func New(cfg Config) *Service {
	if cfg.Beat == 0 {
		cfg.Beat = 20 * time.Second
	}
	s := &Service{cfg: cfg, bodies: map[ledger.Height][]byte{}, full: map[ledger.Height]full{}, asking: map[ws.SiteID]*post.Mark{}, answers: map[ws.SiteID]int{}, texted: map[ws.SiteID]time.Time{}}
	s.over, s.end = context.WithCancel(context.Background())
	s.desk = conduct.New(conduct.Config{Self: cfg.Self, Institution: cfg.Institution, Key: cfg.Key, Ledger: cfg.Ledger, Catalog: cfg.Catalog, Texts: cfg.Texts,
		Patience: cfg.Patience, Progress: cfg.Progress,
		Send: func(ctx context.Context, m run.Message) error { return cfg.Link.Send(ctx, post.Letter(m)) }})
	return s
}

// Desk conducts runs from the hub.
func (s *Service) Desk() *conduct.Desk { return s.desk }

// Serve answers letters and hands out blocks until ctx is done.
func (s *Service) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.wg.Wait()
	defer s.end()
	defer cancel()
	s.wg.Go(func() { s.report(s.blocks(ctx)) })
	s.wg.Go(func() { s.beats(ctx) })
	s.wg.Go(func() { s.report(post.Tidy(ctx, s.cfg.Link, s.cfg.Ledger, nil)) })
	return s.cfg.Link.Each(ctx, func(d *mesh.Delivery) { s.report(errors.Join(s.take(ctx, d), d.Ack())) }, s.report)
}

func (s *Service) report(err error) {
	if err != nil && s.cfg.Report != nil {
		s.cfg.Report(err)
	}
}

func (s *Service) take(ctx context.Context, d *mesh.Delivery) error {
	switch d.Label {
	case post.Submit:
		b, err := d.Bytes()
		if err != nil {
			return err
		}
		return s.submit(ctx, d.From, b)
	case post.Roll:
		if s.cfg.Roll == nil {
			return nil
		}
		s.beside(d.From, func(ctx context.Context) error { return s.cfg.Roll(ctx, d) })
		return nil
	case post.Since:
		m, err := post.ReadMark(d)
		if err != nil {
			return err
		}
		s.asked(ctx, d.From, m)
		return nil
	case post.Words:
		return post.TakeWords(d, s.cfg.Words)
	case post.Study:
		b, err := d.Bytes()
		if err == nil && s.cfg.Study != nil && s.cfg.Study(b) {
			s.Spread(b, d.From)
		}
		return err
	}
	if post.Over(s.cfg.Ledger.State(), d.Run) { // too late to matter
		s.cfg.Link.Finish(d.Run)
	}
	if d.Label == post.Back {
		s.desk.Back(ctx, d.Run, d.From)
		return nil
	}
	if run.Step(d.Label).FromConductor() {
		return nil
	}
	return s.desk.Letter(ctx, d)
}

// submit puts a site's transaction in order and tells the site what became of it.
func (s *Service) submit(ctx context.Context, from ws.SiteID, b []byte) error {
	tx, err := ledger.DecodeTx(b)
	if err != nil {
		return err
	}
	fate := post.Fate{Digest: tx.Digest()}
	r, err := s.cfg.Ledger.Submit(ctx, tx)
	if fate.Height = r.Height; err != nil {
		fate.Kind = ws.KindOf(err).String()
		fate.Msg, fate.Hint = words(err)
		fate.Height = s.cfg.Ledger.State().Height() // what it was judged by
	}
	s.beside(from, func(ctx context.Context) error { return s.send(ctx, from, post.Receipt, post.JSON(fate)) })
	return nil
}

// maxAnswers bounds the answers that wait until a site takes them.
const maxAnswers = 64

// beside answers a site beside the loop that takes letters: one that acknowledges
// nothing holds up no other. What it does not take in time it never hears.
func (s *Service) beside(to ws.SiteID, answer func(context.Context) error) {
	s.mu.Lock()
	full := s.answers[to] >= maxAnswers
	if !full {
		s.answers[to]++
	}
	s.mu.Unlock()
	if full {
		s.report(ws.Errorf(ws.Unreachable, "hub", ws.T("site %s takes no answers; it is sent no more", "站点 %s 不接收应答；不再向其发送", to)))
		return
	}
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.over, spreading)
		defer cancel()
		if err := answer(ctx); s.over.Err() == nil {
			s.report(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.answers[to]--; s.answers[to] == 0 {
			delete(s.answers, to)
		}
	})
}

// words are what an error says to people.
func words(err error) (msg, hint ws.Text) {
	var e *ws.Error
	for errors.As(err, &e) {
		if !e.Msg.IsZero() {
			msg, hint = e.Msg, e.Hint
		}
		err = e.Err
		e = nil
		if err == nil {
			break
		}
	}
	if msg.IsZero() {
		msg = ws.T("the transaction was refused", "交易被拒绝")
	}
	return msg, hint
}

func (s *Service) send(ctx context.Context, to ws.SiteID, label string, body []byte) error {
	return s.cfg.Link.Send(ctx, mesh.Letter{From: s.cfg.Self, To: to, Run: post.Ledger, Label: label, Body: body})
}

// asked answers a site's request beside the loop that takes letters: many blocks
// fill the site's window, and a hub that waits for one site hears of none. While
// one answer is under way the head at its end stands for further requests.
func (s *Service) asked(ctx context.Context, to ws.SiteID, m post.Mark) {
	s.mu.Lock()
	_, busy := s.asking[to]
	if s.asking[to] = nil; busy {
		s.asking[to] = &m
	}
	texts := m.Texts && s.cfg.GiveTexts != nil && time.Since(s.texted[to]) > textsEvery
	if texts {
		s.texted[to] = time.Now()
	}
	s.mu.Unlock()
	if texts {
		s.cfg.GiveTexts(to)
	}
	if busy {
		return
	}
	s.wg.Go(func() {
		s.report(s.since(ctx, to, m))
		s.mu.Lock()
		again := s.asking[to]
		delete(s.asking, to)
		s.mu.Unlock()
		if again != nil {
			s.report(s.head(ctx, to, again.Nonce)) // who lacks something still asks anew
		}
	})
}

// since answers with the blocks above a height, and the head.
func (s *Service) since(ctx context.Context, to ws.SiteID, m post.Mark) error {
	return post.Answer(m, s.cfg.Ledger, func(at *ledger.Height, end ledger.Height) ([]byte, error) { return s.batch(ctx, at, end) },
		func(label string, body []byte) error { return s.send(ctx, to, label, body) })
}

// batch packs the blocks above a height, which it moves on, up to an end or as
// many as one letter takes: a letter for each costs two signatures at either end.
// Where many ask for the same, their letters share one body.
func (s *Service) batch(ctx context.Context, at *ledger.Height, end ledger.Height) ([]byte, error) {
	before := *at
	s.mu.Lock()
	known, ok := s.full[before]
	s.mu.Unlock()
	if ok && known.last <= end {
		*at = known.last
		return known.body, nil
	}
	all, err := post.Pack(at, end, func(h ledger.Height) ([]byte, error) { return s.body(ctx, h) })
	if err != nil {
		return nil, err
	}
	if len(all) >= post.Batch {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hold(len(all))
		s.full[before] = full{all, *at}
	}
	return all, nil
}

// hold makes room for bytes that are held for the next who asks; the caller holds mu.
func (s *Service) hold(n int) {
	if s.held += n; s.held > maxHeld {
		s.held = n
		clear(s.bodies)
		clear(s.full)
	}
}

// maxHeld bounds the bytes of blocks that are held for the next who asks.
const maxHeld = 64 << 20

// body is the block at a height as it is sent. To read it from the file checks it
// anew; where many sites start at one time each asks for all of them.
func (s *Service) body(ctx context.Context, h ledger.Height) ([]byte, error) {
	s.mu.Lock()
	known := s.bodies[h]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	block, err := post.NextBlock(ctx, s.cfg.Ledger, h-1)
	if err != nil {
		return nil, err
	}
	b, err := post.BlockBody(block)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold(len(b))
	s.bodies[h] = b
	return b, nil
}

func (s *Service) head(ctx context.Context, to ws.SiteID, nonce string) error {
	return s.send(ctx, to, post.Head, post.HeadOf(s.cfg.Ledger.State(), nonce))
}

// blocks hands every new block to every site. Those that come while a letter goes
// out to all go together in the next.
func (s *Service) blocks(ctx context.Context) error {
	before := s.cfg.Ledger.State()
	at := before.Height()
	for b, err := range s.cfg.Ledger.Watch(ctx, at) {
		if err != nil {
			return err
		}
		if b.Height <= at {
			continue
		}
		now := s.cfg.Ledger.State()
		body, err := s.batch(ctx, &at, now.Height())
		if err != nil {
			return err
		}
		s.toAll(before, func(site ws.SiteID) error { return s.send(ctx, site, post.Blocks, body) }) // whoever ends by these is told so
		if at == now.Height() {
			before = now
		}
	}
	return nil
}

// beats tells every site the head, so that it knows that its view is not old.
func (s *Service) beats(ctx context.Context) {
	clock := time.NewTicker(s.cfg.Beat)
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			s.toAll(s.cfg.Ledger.State(), func(site ws.SiteID) error { return s.head(ctx, site, "") })
		case <-ctx.Done():
			return
		}
	}
}

// textsEvery is how often a site may ask for the texts of all studies.
const textsEvery = time.Second

// spreading bounds how long one site is tried; a letter that the broker has
// taken needs no more of us.
const spreading = time.Minute

// Spread sends the text of a study to every site but one, kept until it is
// there; it does not wait.
func (s *Service) Spread(text []byte, but ws.SiteID) {
	for site, rec := range s.cfg.Ledger.State().Sites() {
		if site != s.cfg.Self && site != but && !rec.Ended {
			s.Give(site, text)
		}
	}
}

// Give sends the text of a study to one site, as [Service.Spread] does.
func (s *Service) Give(site ws.SiteID, text []byte) {
	if s.over.Err() != nil {
		return
	}
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.over, spreading)
		defer cancel()
		s.report(s.cfg.Link.Send(ctx, mesh.Letter{From: s.cfg.Self, To: site, Run: post.Texts(s.cfg.Life), Label: post.Study, Body: text, Keep: true}))
	})
}

// maxWaiting is how many letters may wait at a site before it is sent no more
// blocks and heads: one that is away must not hold up the others, and asks for
// what it missed when it is back.
const maxWaiting = 16

func (s *Service) toAll(members ledger.State, send func(ws.SiteID) error) {
	waiting := s.cfg.Link.Backlog()
	for site, rec := range members.Sites() {
		if site == s.cfg.Self || rec.Ended {
			continue
		}
		if waiting[site] < maxWaiting {
			s.report(send(site))
		}
	}
}
