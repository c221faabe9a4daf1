package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"time"

	ws "wellspring"
	"wellspring/hub"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/mesh"
	"wellspring/mesh/broker"
	"wellspring/mesh/wire"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/post/roll"
	socket "wellspring/site/console"
	"wellspring/site/events"
	"wellspring/site/vitals"
)

// hubMemory is where a hub begins to spare memory: what a thousand sites are sent at
// one time is soon let go again, and need not lie about as garbage. GOMEMLIMIT says otherwise.
const hubMemory = 640 << 20

// hubRun serves a network until it is stopped.
func hubRun(ctx context.Context, args []string, c *console) error {
	var dir string
	var without []string
	f := flags("hub run --dir DIR [--patience TIME]", c)
	patience, metrics, form := patienceFlag(f), metricsFlag(f), logFlag(f)
	least := roomFlag(f)
	f.list(&without, "without", "SITE", ws.T("after a restore: a member that is gone for good, and is not asked for what it holds of the ledger", "恢复之后：已永久失效、不再向其索取账本的成员"))
	f.text(&dir, "dir", "DIR", ws.T("the hub's folder", "枢纽的文件夹"))
	if err := f.parse(args); err != nil {
		return err
	}
	if dir == "" || f.NArg() > 0 {
		return usage(ws.T("hub run wants --dir", "hub run 须给出 --dir"))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(hubMemory)
	}
	log := newEvents(c, *form)
	return log.end(serveHub(ctx, folder(dir), *patience, *least, *metrics, without, log))
}

func serveHub(ctx context.Context, d folder, patience time.Duration, least uint64, metrics string, without []string, log *eventLog) error {
	n, err := openHub(ctx, d, patience, least, log)
	if err != nil {
		return err
	}
	defer n.close()
	vital, err := showVitals(log.vitals, metrics, log)
	if err != nil {
		return err
	}
	return serveAll(ctx, func(ctx context.Context) error {
		if err := n.recover(ctx, without); err != nil {
			return err
		}
		log.Write(events.HubServes(len(n.roster.rights()), n.broker.URLs()[0]))
		close(n.whole)
		return n.service.Serve(ctx)
	}, func(ctx context.Context) error {
		select {
		case <-n.whole:
			return n.server.Serve(ctx, string(d))
		case <-ctx.Done():
			return nil
		}
	}, vital, n.expel, watchKey(n.ledger, broker.HubSite, n.key, hubFarewell), n.room.watch(log))
}

// A switchboard gives members their way: the hub's own server, or servers that others run.
type switchboard interface {
	Admit(context.Context, broker.Member) (mesh.Pass, error)
	Remove(context.Context, ws.SiteID) error
	Hub() (mesh.Pass, error)
	URLs() []string
	Close() error
}

// A hubNode is a hub's parts.
type hubNode struct {
	dir     folder
	log     *eventLog
	key     ed25519.PrivateKey
	ledger  *file.Ledger
	reborn  rebirth
	room    room
	whole   chan struct{} // closed when the ledger here is
	broker  switchboard
	roster  *roster
	texts   *socket.Texts
	results *socket.Results
	words   *socket.Words
	link    *mesh.Link
	service *hub.Service
	server  *socket.Server
}

func openHub(ctx context.Context, d folder, patience time.Duration, least uint64, log *eventLog) (n *hubNode, err error) {
	h, err := d.hub()
	if err != nil {
		return nil, err
	}
	n = &hubNode{dir: d, log: log, room: room{string(d), least}, whole: make(chan struct{})}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if n.ledger, err = file.Open(d.path(ledgerName)); err != nil {
		return n, err
	}
	if n.reborn, err = d.rebirth(); err != nil {
		return n, err
	}
	if n.roster, err = openRoster(d); err != nil {
		return n, err
	}
	if n.texts, err = socket.OpenTexts(d.path(studiesName)); err != nil {
		return n, err
	}
	if n.results, err = socket.OpenResults(d.path(resultsName)); err != nil {
		return n, err
	}
	if n.words, err = socket.OpenWords(d.path(wordsName)); err != nil {
		return n, err
	}
	options, err := n.connect(ctx, h)
	if err != nil {
		return n, err
	}
	return n, n.wire(patience, options)
}

// connect starts the hub's own server, which its node reaches without a socket, or joins those of others.
func (n *hubNode) connect(ctx context.Context, h hubFile) (o wire.Options, err error) {
	if len(h.Brokers) > 0 {
		b, err := broker.Join(ctx, h.cluster(n.dir, n.roster.rights()))
		if err == nil {
			n.broker = b
		}
		return o, err
	}
	b, err := broker.Open(ctx, broker.Config{Dir: n.dir.path("broker"), Listen: h.Listen, WebSocket: h.WebSocket, Names: h.Addresses, Members: n.roster.rights(),
		Complain: func(p broker.Part) { n.log.Write(events.BrokerTrouble(p)) }})
	if err == nil {
		n.broker, o.InProcess = b, b
	}
	return o, err
}

// wire connects the hub's own node and makes its services.
func (n *hubNode) wire(patience time.Duration, options wire.Options) error {
	key, err := n.dir.nodeKeyNow(n.ledger.State(), broker.HubSite)
	if err != nil {
		return err
	}
	n.key = key
	pass, err := n.broker.Hub()
	if err != nil {
		return err
	}
	carrier, err := wire.Open(pass, options)
	if err != nil {
		return err
	}
	if n.link, err = openLink(n.dir, broker.HubSite, key, carrier, n.ledger, nil); err != nil {
		return errors.Join(err, carrier.Close())
	}
	seen := n.room.vitals("hub", n.link, n.ledger, pass, func() *conduct.Desk { return n.service.Desk() })
	seen.Ready = n.ready
	n.log.vitals = vitals.New(seen)
	members := roll.New(roll.Config{Self: broker.HubSite, Hub: broker.HubSite, Ledger: n.ledger, Send: n.link.Send, Seen: n.link.Seen, Waiting: n.link.Backlog, Report: n.log.report})
	n.service = hub.New(hub.Config{Self: broker.HubSite, Institution: hubInstitution, Key: key, Link: n.link, Ledger: n.ledger, Catalog: catalog, Texts: n.texts.Study, Patience: patience,
		Report: n.log.report, Study: n.keep, Words: n.hear, GiveTexts: n.give, Life: n.reborn.Life, Roll: members.Take, Progress: func(p conduct.Progress) {
			n.log.progress(p)
			n.server.Follow(p)
		}})
	n.server = socket.New(socket.Node{Self: broker.HubSite, Hub: broker.HubSite, Institution: hubInstitution, Ledger: n.ledger, Texts: n.texts, Results: n.results, Words: n.words, Roll: members.Call,
		Submit: n.service.Desk().Submit, Conduct: n.room.conduct(socket.ConductAt(n.service.Desk())), Admit: n.admit,
		Spread: func(_ context.Context, text []byte) error {
			n.service.Spread(text, broker.HubSite)
			return nil
		}})
	return nil
}

// ready says what the hub lacks to order and conduct.
func (n *hubNode) ready() error {
	select {
	case <-n.whole:
		return n.room.check()
	default:
		return ws.Errorf(ws.Unreachable, "node", ws.T("it is starting, or takes back the ledger from its members", "正在启动，或正从各成员取回账本"))
	}
}

// openLink opens a node's end of the mesh; the keys of its peers stand on the ledger.
func openLink(d folder, self ws.SiteID, key ed25519.PrivateKey, carrier mesh.Carrier, l ledger.Ledger, hub *networkFile) (*mesh.Link, error) {
	n, err := readNetwork(d.path(networkName))
	if err != nil {
		return nil, err
	}
	store, err := mesh.OpenDir(d.path("mesh"))
	if err != nil {
		return nil, err
	}
	return mesh.Open(mesh.Config{Chain: string(n.Chain), Self: self, Key: key, Limit: post.Limit, Carrier: carrier, Store: store, Spill: d.path("spill"),
		Peer: func(id ws.SiteID) (ed25519.PublicKey, bool) {
			if hub != nil && id == hub.Hub { // the ledger itself comes from the hub
				return hub.key(l.State()), true
			}
			s, known := l.State().Site(id)
			return ed25519.PublicKey(s.Key[:]), known && (!s.Ended || hub == nil) // a hub tells a site that it has ended
		}})
}

// keep takes the text of a study that a site sent; one that is new goes on to the
// others once the ledger knows the study.
func (n *hubNode) keep(text []byte) bool {
	known := socket.Known(n.ledger)
	h, fresh, err := n.texts.Put(text, known)
	n.log.report(err)
	return err == nil && fresh && known(h)
}

// hear keeps what a reviewer says of an answer that the hub conducted.
func (n *hubNode) hear(from ws.SiteID, r post.Review) error {
	return n.words.Put(from, r, n.ledger.State().Reviewers(r.Run))
}

// give sends a site the texts of all studies.
func (n *hubNode) give(site ws.SiteID) {
	n.texts.Each(socket.Known(n.ledger), func(text []byte) { n.service.Give(site, text) })
}

// recover brings a hub that came from a backup up to what its members hold; but names those that are
// gone for good.
func (n *hubNode) recover(ctx context.Context, but []string) error {
	if n.reborn.Done {
		return nil
	}
	var members []ws.SiteID
	state := n.ledger.State()
	for _, m := range n.roster.rights() {
		if rec, known := state.Site(m.Site); known && !rec.Ended && !slices.Contains(but, string(m.Site)) {
			members = append(members, m.Site)
		}
	}
	n.log.Write(events.Recovering(len(members)))
	h, err := n.service.Recover(ctx, members)
	if err == nil {
		err = n.dir.finish(n.reborn)
	}
	if err != nil {
		return err
	}
	n.log.Write(events.Restored(h))
	for _, m := range members {
		n.give(m) // some may have been on their way
	}
	return nil
}

// admit enters a member at the running broker, and sends it the texts of
// studies that were submitted before it came.
func (n *hubNode) admit(ctx context.Context, m socket.Newcomer) (p mesh.Pass, err error) {
	member, err := n.roster.add(m)
	if err != nil {
		return p, err
	}
	if p, err = n.broker.Admit(ctx, member); err != nil {
		return p, err
	}
	n.give(m.Site)
	n.log.Write(events.SiteAdmitted(m.Site))
	return p, nil
}

func (n *hubNode) close() {
	if n.link != nil {
		n.log.report(n.link.Close())
	}
	if n.broker != nil {
		n.log.report(n.broker.Close())
	}
	if n.ledger != nil {
		n.log.report(n.ledger.Close())
	}
}
