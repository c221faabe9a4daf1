package conduct

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/ledger"
	"wellspring/ledger/earlier"
	"wellspring/mesh"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/run"
	"wellspring/study"
)

// Config is what a desk is given.
type Config struct {
	Self        ws.SiteID
	Institution ws.Institution
	Key         crypto.Signer // the node's, which signs openings on the ledger
	Ledger      ledger.Ledger
	Catalog     analyze.Catalog
	// Texts gives the studies that are here, so that a run is held to those before it.
	Texts earlier.Texts
	// Send hands a message to the network, or to the desk's own site.
	Send func(context.Context, run.Message) error
	// Patience is how long a site may stay silent when its answer is due before
	// the run goes on, or ends, without it. Default 2 minutes.
	Patience time.Duration
	// Delay is what a letter to whoever orders the ledger and its answer may take beyond
	// the usual, where files are carried.
	Delay time.Duration
	// Progress is told what changes; may be nil. It must be quick.
	Progress func(Progress)
}

// Progress says how far a run is.
type Progress struct {
	Run             ledger.RunID
	Ref             ledger.StudyRef
	Epoch, Round    int
	Answered, Sites int
	Document        *study.Document // at the end
	Err             error           // at the end, where there is no document
}

// A Member is a site that takes part, and whether its policy lets it be seen alone.
type Member struct {
	ledger.Member
	Alone bool
}

// An Outcome is the answer of a run, with the salt of its commitment. One that comes
// with an error was computed, but Closing, which commits to it, is not on the ledger yet.
type Outcome struct {
	Run      ledger.RunID
	Document *study.Document
	Salt     ledger.Salt
	Closing  *ledger.CloseRun
}

// A Desk conducts runs. Its methods may be called concurrently.
type Desk struct {
	cfg Config

	mu   sync.Mutex
	runs map[string]*conducting

	queue queue

	signing sync.Mutex // the key's transactions have numbers without gaps, so each waits for the one before
}

// conducting is one run under way.
type conducting struct {
	in   chan event
	done chan struct{}
	room atomic.Int64 // the longest answer that is waited for
}

// An event is a message, or that a site has come back, or is gone for good.
type event struct {
	message *run.Message
	back    ws.SiteID
	lost    ws.SiteID
}

// New makes a desk.
func New(cfg Config) *Desk {
	if cfg.Patience == 0 {
		cfg.Patience = 2 * time.Minute
	}
	return &Desk{cfg: cfg, runs: map[string]*conducting{}}
}

// Take hands in a message from a site; one of a run that this desk does not
// conduct is passed over.
func (d *Desk) Take(ctx context.Context, m run.Message) { d.put(ctx, m.Run, event{message: &m}) }

// Letter hands in a message from a site as it came. One that is of no use is not
// read: whoever may write to a node could fill its memory.
func (d *Desk) Letter(ctx context.Context, l *mesh.Delivery) error {
	d.mu.Lock()
	c := d.runs[l.Run]
	d.mu.Unlock()
	if c == nil {
		return nil
	}
	if l.Size > c.room.Load() {
		d.Take(ctx, run.Refusal(l.From, post.Bare(l), post.TooLong(l)))
		return nil
	}
	m, err := post.Message(l)
	if err == nil {
		d.Take(ctx, m)
	}
	return err
}

// Back says that a site has come back, and may have lost what was under way.
func (d *Desk) Back(ctx context.Context, id string, site ws.SiteID) {
	d.put(ctx, id, event{back: site})
}

// Lose says that a site will not answer in this run, without waiting for the
// desk's patience to end.
func (d *Desk) Lose(ctx context.Context, id string, site ws.SiteID) {
	d.put(ctx, id, event{lost: site})
}

func (d *Desk) put(ctx context.Context, id string, e event) {
	d.mu.Lock()
	c := d.runs[id]
	d.mu.Unlock()
	if c == nil {
		return
	}
	if e.lost == "" { // a site that says more than it is asked holds up nobody; what is lost of it is asked for again
		select {
		case c.in <- e:
		default:
		}
		return
	}
	select {
	case c.in <- e:
	case <-c.done:
	case <-ctx.Done():
	}
}

// Conducting is how many runs the desk conducts.
func (d *Desk) Conducting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.runs)
}

// Conducts reports whether the desk conducts a run.
func (d *Desk) Conducts(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs[id] != nil
}

// Open opens a run of a study over members, in code-point order, on the ledger
// and conducts it to its end. few says that every member allows few institutions.
func (d *Desk) Open(ctx context.Context, ref ledger.StudyRef, s *study.Study, members []Member, few bool) (*Outcome, error) {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return d.epochs(ctx, ref, s, ledger.RunID(hex.EncodeToString(b[:])), 1, members, few)
}

// Reopen opens the next epoch of a run of which no sum was opened, and conducts
// it in place of a conductor that is gone.
func (d *Desk) Reopen(ctx context.Context, id ledger.RunID, s *study.Study, members []Member, few bool) (*Outcome, error) {
	rec, known := d.cfg.Ledger.State().Run(id)
	if !known {
		return nil, ws.Errorf(ws.Invalid, "stand in", ws.T("there is no such run", "没有该计算"))
	}
	return d.epochs(ctx, rec.StudyRef, s, id, rec.Epoch+1, members, few)
}

// epochs plays a run; where a site is lost before a sum was opened a new epoch
// goes on without it.
func (d *Desk) epochs(ctx context.Context, ref ledger.StudyRef, s *study.Study, id ledger.RunID, epoch int, members []Member, few bool) (*Outcome, error) {
	asker, _ := d.cfg.Ledger.State().Requester(ref.Requester)
	leave, err := d.queue.enter(ctx, group{asker.Institution, s.Data.Dataset})
	if err != nil {
		return nil, err
	}
	defer leave()
	for {
		o, err := d.open(ctx, ref, s, id, epoch, members, few)
		if err != nil {
			return nil, err
		}
		c, err := run.NewConductor(o, d.cfg.Catalog, new(run.Shared))
		if err != nil {
			return nil, err
		}
		p := &play{desk: d, id: id, ref: ref, epoch: epoch, c: c.Whole(), lost: map[ws.SiteID]bool{}, compared: leave}
		doc, err := p.play(ctx)
		rec, _ := d.cfg.Ledger.State().Run(id)
		if err == nil || ws.KindOf(err) != ws.Unreachable || rec.Summed || len(p.lost) == 0 || ctx.Err() != nil {
			return d.close(ctx, p, doc, err)
		}
		members = slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return p.lost[m.Site] })
		epoch++
	}
}

// open fixes an epoch on the ledger.
func (d *Desk) open(ctx context.Context, ref ledger.StudyRef, s *study.Study, id ledger.RunID, epoch int, members []Member, few bool) (*run.Opening, error) {
	chain, ok := d.cfg.Ledger.State().Chain()
	if !ok {
		return nil, ws.Errorf(ws.Unreachable, "conduct", ws.T("there is no ledger yet", "尚无账本"))
	}
	o := &run.Opening{Chain: string(chain.ID), Run: string(id), Epoch: epoch, Release: ws.Version, Conductor: d.cfg.Self, Institution: d.cfg.Institution, AllowFew: few}
	var err error
	if o.Study, err = s.Canonical(); err != nil {
		return nil, err
	}
	body := &ledger.OpenRun{StudyRef: ref, Conductor: d.cfg.Self, Epoch: epoch, Release: ws.Version, Run: id}
	for _, m := range members {
		site, _ := d.cfg.Ledger.State().Site(m.Site)
		o.Members = append(o.Members, run.Member{Site: m.Site, Institution: site.Institution, Key: ed25519.PublicKey(m.Key[:]), Alone: m.Alone})
		body.Members = append(body.Members, m.Member)
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := d.earlier(ref, s, o); err != nil {
		return nil, err
	}
	digest, err := o.Digest()
	if err != nil {
		return nil, err
	}
	body.Opening = ledger.Hash(digest)
	return o, d.Submit(ctx, body)
}

// earlier refuses a run that its sites would refuse, as far as is known here, before
// the ledger hears of it.
func (d *Desk) earlier(ref ledger.StudyRef, s *study.Study, o *run.Opening) error {
	r := earlier.Run{ID: ledger.RunID(o.Run), Digest: ref.Study, Study: s, Conductor: d.cfg.Self}
	for _, m := range o.Members {
		r.Sites = append(r.Sites, m.Site)
	}
	return earlier.Guard{State: d.cfg.Ledger.State(), Texts: d.cfg.Texts, Least: policy.Default().Least()}.Sets(r)
}

// Submit signs a transaction by the node's key and waits until it is final.
func (d *Desk) Submit(ctx context.Context, body ledger.Body) error {
	d.signing.Lock()
	defer d.signing.Unlock()
	return Submit(ctx, d.cfg.Ledger, d.cfg.Key, body)
}

// Submit signs a transaction and waits until it is final.
func Submit(ctx context.Context, l ledger.Ledger, key crypto.Signer, body ledger.Body) error {
	public, err := ledger.PublicOf(key)
	if err != nil {
		return err
	}
	s := l.State()
	chain, ok := s.Chain()
	if !ok {
		return ws.Errorf(ws.Unreachable, "ledger", ws.T("there is no ledger yet", "尚无账本"))
	}
	tx, err := ledger.Sign(chain.ID, s.Seq(public.ID())+1, body, key)
	if err != nil {
		return err
	}
	_, err = l.Submit(ctx, tx)
	return err
}

// commit puts into a closing what it says of an answer: a commitment, and at which
// sites a person must release it. Where one must, the salt is one that they know too.
func commit(p *play, doc *study.Document, out *Outcome, body *ledger.CloseRun) error {
	b, err := study.MarshalCanonical(doc)
	if err != nil {
		return err
	}
	a, err := p.c.Answer(doc)
	if err != nil {
		return err
	}
	if body.Review = a.Reviewers; len(a.Reviewers) > 0 {
		out.Salt = a.Salt
	} else if out.Salt, err = ledger.NewSalt(rand.Reader); err != nil {
		return err
	}
	body.Result = ledger.Commit(out.Salt, b)
	return nil
}

// close puts the outcome on the ledger; what the run ended with is what counts.
func (d *Desk) close(ctx context.Context, p *play, doc *study.Document, failed error) (*Outcome, error) {
	out := &Outcome{Run: p.id, Document: doc}
	body := &ledger.CloseRun{Run: p.id, Epoch: p.epoch, Outcome: ledger.OK, Rounds: ledger.Hash(p.c.Trail())}
	if failed != nil {
		body.Outcome = ws.KindOf(failed).String()
	} else {
		if err := commit(p, doc, out, body); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second+d.cfg.Delay)
	defer cancel()
	if err := d.Submit(ctx, body); err != nil && failed == nil {
		out.Closing = body
		return out, err
	}
	if failed != nil {
		return nil, failed
	}
	return out, nil
}
