package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	ws "wellspring"
	"wellspring/analyze"
	"wellspring/analyze/describe"
	"wellspring/frame"
	"wellspring/frame/table"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/post/replica"
	steps "wellspring/run"
	"wellspring/run/journal"
	"wellspring/site"
	socket "wellspring/site/console"
	"wellspring/study"
)

// A crowd is many sites, played by this process, of a hub that runs in its own. Each
// has keys, a connection over TLS, a link and a service as a site's process has
// them, and answers every message of a run. What a thousand processes on as many
// machines would each hold for themselves, and is the same at all of them, they hold
// once: the ledger, the plan of the run, signatures that were checked. Their journals
// lie in memory.
type crowd struct {
	fleet    *fleet
	hub      *socket.Client
	operator ed25519.PrivateKey
	network  struct {
		Chain   ledger.ChainID   `json:"chain"`
		Genesis ledger.Hash      `json:"genesis"`
		Hub     ws.SiteID        `json:"hub"`
		HubKey  ledger.PublicKey `json:"hub_key"`
	}
	ledger *file.Ledger
	shared steps.Shared
	plans  plans
	texts  map[ledger.Hash]*study.Study

	sites []*played
	rows  float64
	sums  map[string]float64 // of each variable, over all rows
	ctx   context.Context
	stop  context.CancelFunc
	wg    sync.WaitGroup

	mu     sync.Mutex
	faults []error
}

// A played site.
type played struct {
	id          ws.SiteID
	institution ed25519.PrivateKey
	node        ed25519.PrivateKey
	pass        mesh.Pass
	link        *mesh.Link
	ledger      *replica.Replica // of the crowd's one copy
}

func openCrowd(ctx context.Context, f *fleet) (*crowd, error) {
	c := &crowd{fleet: f, hub: f.desk(hubDir), sums: map[string]float64{}, texts: map[ledger.Hash]*study.Study{}}
	b, err := os.ReadFile(f.path(hubDir, "network.json"))
	if err == nil {
		err = json.Unmarshal(b, &c.network)
	}
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(f.path(hubDir, "operator.key"))
	if err != nil {
		return nil, err
	}
	if c.operator, err = privateKey(key); err != nil {
		return nil, err
	}
	if c.ledger, err = file.Open(f.path("crowd", "ledger")); err != nil {
		return nil, err
	}
	c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	return c, nil
}

func (c *crowd) close() {
	c.stop()
	for _, p := range c.sites {
		if p.link != nil {
			c.wg.Go(func() { p.link.Close() })
		}
	}
	c.wg.Wait()
	c.ledger.Close()
}

// report keeps the first faults: what went wrong and ended nothing.
func (c *crowd) report(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.faults) < 20 {
		c.faults = append(c.faults, err)
	}
}

func (c *crowd) troubles() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]error(nil), c.faults...)
}

// found admits n sites, each with a version of its rows.
func (c *crowd) found(ctx context.Context, n int) error {
	for i := range n {
		p := &played{id: ws.SiteID(fmt.Sprintf("site-%04d", i+1))}
		err := c.admit(ctx, p)
		if err == nil {
			err = c.hub.Do(ctx, p.institution, &ledger.AddVersion{Site: p.id, Dataset: dataset, Version: 1, Commitment: sha256.Sum256([]byte(p.id))})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.id, err)
		}
		c.sites = append(c.sites, p)
	}
	return nil
}

// start has the sites begin: the first fetches the ledger, before the others come
// for what is new. It waits until each has heard that its view is the newest, which
// the hub says every 20 s.
func (c *crowd) start(ctx context.Context) error {
	for i, p := range c.sites {
		err := c.connect(p)
		if err == nil {
			err = c.serve(p, uint64(i))
		}
		for ; err == nil && i == 0 && p.ledger.Fresh().IsZero(); time.Sleep(50 * time.Millisecond) {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.id, err)
		}
	}
	for _, p := range c.sites {
		for ; p.ledger.Fresh().IsZero(); time.Sleep(50 * time.Millisecond) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// admit puts a site on the ledger and gets its pass, as "site init" and "hub admit" do.
func (c *crowd) admit(ctx context.Context, p *played) (err error) {
	chain, inst := c.network.Chain, ws.Institution("inst-"+p.id)
	var public, node ledger.PublicKey
	if p.institution, public, err = newKey(); err != nil {
		return err
	}
	if p.node, node, err = newKey(); err != nil {
		return err
	}
	held, err := ledger.Possession(chain, ledger.ByInstitution, string(inst), p.institution)
	if err != nil {
		return err
	}
	holds, err := ledger.Possession(chain, ledger.BySite, string(p.id), p.node)
	if err != nil {
		return err
	}
	user, seed, err := wire.NewUser()
	if err != nil {
		return err
	}
	err = c.hub.Do(ctx, c.operator, &ledger.SetInstitution{Act: ledger.Admit, Category: ledger.Hospital, Institution: inst, Jurisdiction: "CN", Key: public, Possession: held})
	if err == nil {
		err = c.hub.Do(ctx, p.institution, &ledger.SetSite{Act: ledger.Admit, Key: node, Possession: holds, Site: p.id})
	}
	if err == nil {
		p.pass, err = c.hub.Admit(ctx, socket.Newcomer{Site: p.id, User: user, Made: time.Now().UnixMilli()})
	}
	p.pass.Seed = seed
	return err
}

func newKey() (ed25519.PrivateKey, ledger.PublicKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, ledger.PublicKey{}, err
	}
	public, err := ledger.PublicOf(key)
	return key, public, err
}

// connect opens the site's link, whose peers' keys stand on the ledger.
func (c *crowd) connect(p *played) error {
	carrier, err := wire.Open(p.pass, wire.Options{})
	if err != nil {
		return err
	}
	p.link, err = mesh.Open(mesh.Config{Chain: string(c.network.Chain), Self: p.id, Key: p.node, Limit: post.Limit, Carrier: carrier, Spill: c.fleet.path("crowd", "spill", string(p.id)),
		Peer: func(id ws.SiteID) (ed25519.PublicKey, bool) {
			s, known := c.ledger.State().Site(id)
			if !known && id == c.network.Hub {
				return c.network.HubKey[:], true
			}
			return s.Key[:], known
		}})
	if err != nil {
		return errors.Join(err, carrier.Close())
	}
	return nil
}

// serve starts the site's service over rows of its own.
func (c *crowd) serve(p *played, seed uint64) error {
	rows, err := c.patients(seed, 12)
	if err != nil {
		return err
	}
	p.ledger = replica.New(replica.Config{Self: p.id, Hub: broker.HubSite, Own: c.ledger, Send: p.link.Send, Genesis: c.network.Genesis})
	service := site.NewService(site.ServiceConfig{Self: p.id, Institution: ws.Institution("inst-" + p.id), Key: p.node, Link: p.link, Replica: p.ledger,
		Journals: &memories{common: &c.plans, runs: map[string]*memory{}}, Catalog: analyze.Catalog{describe.Describe()}, Shared: &c.shared, Texts: func(h ledger.Hash) (*study.Study, error) { return c.texts[h], nil }, Report: c.report,
		Data: func(context.Context, ws.Dataset, int) (frame.Source, policy.Policy, error) {
			return rows, policy.Default(), nil
		}})
	c.wg.Go(func() {
		if err := service.Serve(c.ctx); err != nil && c.ctx.Err() == nil {
			c.report(err)
		}
	})
	return nil
}

// patients makes rows, and adds them to the sums of all.
func (c *crowd) patients(seed uint64, n int) (*table.Table, error) {
	r := rand.New(rand.NewPCG(seed, 7))
	age, pressure := make([]float64, n), make([]float64, n)
	for i := range n {
		age[i], pressure[i] = float64(30+r.IntN(50)), float64(900+r.IntN(600))/10
		c.sums["age"] += age[i]
		c.sums["pressure"] += pressure[i]
	}
	c.rows += float64(n)
	return table.New(frame.Dictionary{{Name: "age", Type: frame.Real, Min: 0, Max: 120}, {Name: "pressure", Type: frame.Real, Min: 60, Max: 180}},
		[]frame.Values{{Real: age}, {Real: pressure}})
}

// approve has every institution approve a study.
func (c *crowd) approve(ctx context.Context, ref ledger.StudyRef) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, p := range c.sites {
		group.Go(func() error {
			return c.hub.Do(ctx, p.institution, &ledger.Decide{Verdict: ledger.Approve,
				Question: ledger.Question{StudyRef: ref, Release: ws.Version, Site: p.id, Version: 1}})
		})
	}
	return group.Wait()
}

// memories are the journals of a played site.
type memories struct {
	common *plans
	mu     sync.Mutex
	runs   map[string]*memory
}

func (m *memories) Run(id string) steps.Journal {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs[id] == nil {
		m.runs[id] = &memory{common: m.common}
	}
	return m.runs[id]
}

func (m *memories) Runs() (ids []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.runs {
		ids = append(ids, id)
	}
	return ids, nil
}

// A memory is a journal in the process. Its plan, which is the same at all sites,
// lies with theirs.
type memory struct {
	journal.Memory
	common *plans
	plan   []byte
}

const planKey = "plan"

func (m *memory) Save(records ...steps.Record) error {
	for _, r := range records {
		if r.Key == planKey {
			m.plan = m.common.one(r.Bytes)
		} else if err := m.Memory.Save(r); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Load(key string) ([]byte, error) {
	if key == planKey {
		return m.plan, nil
	}
	return m.Memory.Load(key)
}

func (m *memory) Erase(keys ...string) error {
	if slices.Contains(keys, planKey) {
		m.plan = nil
	}
	return m.Memory.Erase(keys...)
}

// plans hold each plan once.
type plans struct {
	mu   sync.Mutex
	held [][]byte
}

func (s *plans) one(b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.held {
		if bytes.Equal(h, b) {
			return h
		}
	}
	b = bytes.Clone(b)
	s.held = append(s.held, b)
	return b
}
