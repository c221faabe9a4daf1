package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"reflect"
	"sync"
	"time"

	ws "wellspring"
	"wellspring/engine"
	"wellspring/engine/duckdb"
	"wellspring/frame"
	"wellspring/ledger"
	"wellspring/ledger/file"
	"wellspring/mesh"
	"wellspring/policy"
	"wellspring/post"
	"wellspring/post/conduct"
	"wellspring/post/replica"
	"wellspring/post/roll"
	parties "wellspring/run"
	"wellspring/run/journal/sqlite"
	"wellspring/site"
	"wellspring/site/book"
	socket "wellspring/site/console"
	"wellspring/site/events"
	"wellspring/site/vitals"
)

// siteRun serves a hospital's rows to approved studies until it is stopped.
func siteRun(ctx context.Context, args []string, c *console) error {
	var x exchange
	f := flags("site run --dir DIR [--exchange IN OUT]", c)
	x.flags(f)
	patience, metrics, scheme, form := patienceFlag(f), metricsFlag(f), schemeFlag(f), logFlag(f)
	least := roomFlag(f)
	d, s, err := siteDir(f, args, -1)
	if err == nil {
		err = x.take(f, f.Args())
	}
	if err != nil {
		return err
	}
	log := newEvents(c, *form)
	return log.end(serveSite(ctx, d, s, reach{x, *scheme}, *patience, *least, *metrics, log))
}

func serveSite(ctx context.Context, d folder, s siteFile, r reach, patience time.Duration, least uint64, metrics string, log *eventLog) error {
	n, err := openSite(d, s, r, patience, least, log)
	if err != nil {
		return err
	}
	defer n.close()
	vital, err := showVitals(log.vitals, metrics, log)
	if err != nil {
		return err
	}
	log.Write(events.SiteServes(s.Site))
	var watch func(context.Context) error
	if n.up != nil {
		watch = func(ctx context.Context) error { return log.watchLink(ctx, n.up) }
	}
	return serveAll(ctx, n.service.Serve, func(ctx context.Context) error { return n.server.Serve(ctx, string(d)) }, watch, vital, watchKey(n.ledger, s.Site, n.key, siteFarewell), n.room.watch(log))
}

// A reach is how a site reaches the hub: by a scheme of wires, or by an exchange of files.
type reach struct {
	exchange exchange
	scheme   string
}

// A siteNode is a site's parts.
type siteNode struct {
	dir      folder
	self     siteFile
	network  networkFile
	log      *eventLog
	key      ed25519.PrivateKey
	ledger   *file.Ledger
	journals *sqlite.DB
	book     *book.Book
	reborn   rebirth
	vault    *vault
	texts    *socket.Texts
	results  *socket.Results
	outbox   *socket.Results
	words    *socket.Words
	reach
	patience time.Duration
	room     room
	expiry   func() time.Time // of the server's certificate; nil where there is no wire
	up       func() bool      // whether the wire stands; nil where there is none
	link     *mesh.Link
	replica  *replica.Replica
	service  *site.Service
	server   *socket.Server
}

func openSite(d folder, s siteFile, r reach, patience time.Duration, least uint64, log *eventLog) (n *siteNode, err error) {
	n = &siteNode{room: room{string(d), least}, dir: d, self: s, reach: r, patience: patience, log: log}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if n.network, err = readNetwork(d.path(networkName)); err != nil {
		return n, err
	}
	var pass mesh.Pass
	if err = readJSONFile(d.path(passName), &pass); err != nil {
		return n, hinted(err, ws.T("take the operator's pass first: wellspring site join pass.json --dir %s", "请先接受运营方的通行证：wellspring site join pass.json --dir %s", string(d)))
	}
	if n.ledger, err = file.Open(d.path(ledgerName)); err != nil {
		return n, err
	}
	if n.reborn, err = d.rebirth(); err != nil {
		return n, err
	}
	if n.journals, err = sqlite.Open(d.path(journalName)); err != nil {
		return n, err
	}
	if err = d.dropCopies(); err != nil {
		return n, err
	}
	if n.book, err = book.Open(d.path(cohortsName)); err != nil {
		return n, err
	}
	if n.texts, err = socket.OpenTexts(d.path(studiesName)); err != nil {
		return n, err
	}
	if n.results, err = socket.OpenResults(d.path(resultsName)); err != nil {
		return n, err
	}
	if n.outbox, err = socket.OpenResults(d.path(outboxName)); err != nil {
		return n, err
	}
	if n.words, err = socket.OpenWords(d.path(wordsName)); err != nil {
		return n, err
	}
	if n.vault, err = openVault(n); err != nil {
		return n, err
	}
	return n, n.wire(pass)
}

// carrier is the site's way to the broker: a wire, or two folders.
func (n *siteNode) carrier(pass mesh.Pass) (mesh.Carrier, error) {
	if n.exchange.given() {
		return n.exchange.open(n.self.Site)
	}
	w, err := openWire(pass, n.scheme)
	if err != nil {
		return nil, err
	}
	n.up, n.expiry = w.Up, w.Expiry
	return w, nil
}

// wire connects the site to the broker and makes its services.
func (n *siteNode) wire(pass mesh.Pass) error {
	key, err := n.dir.nodeKeyNow(n.ledger.State(), n.self.Site)
	if err != nil {
		return err
	}
	n.key = key
	carrier, err := n.carrier(pass)
	if err != nil {
		return err
	}
	if n.link, err = openLink(n.dir, n.self.Site, key, carrier, n.ledger, &n.network); err != nil {
		return errors.Join(err, carrier.Close())
	}
	n.replica = replica.New(replica.Config{Self: n.self.Site, Hub: n.network.Hub, Own: n.ledger, Send: n.link.Send, Genesis: n.network.Genesis})
	n.log.vitals = vitals.New(n.vitals(pass))
	var restored func(ledger.Height) error
	if !n.reborn.Done {
		restored = n.restored
	}
	members := roll.New(roll.Config{Self: n.self.Site, Hub: n.network.Hub, Ledger: n.replica, Send: n.link.Send, Seen: n.link.Seen, Waiting: n.link.Backlog, Report: n.log.report})
	n.service = site.NewService(site.ServiceConfig{Room: n.room.check, Restored: restored, SendTexts: n.spreadAll, Self: n.self.Site, Institution: n.self.Institution, Key: key, Link: n.link, Replica: n.replica,
		Journals: n.journals, Data: n.vault.open, Memory: n.memory, Catalog: catalog, Texts: n.texts.Study, Pinned: n.dir.pins().Pinned, Study: n.keep, Keep: n.hold, Words: n.hear, Roll: members.Take, Report: n.log.report,
		Exchange: n.exchange.every, Patience: n.patience, Progress: func(p conduct.Progress) {
			n.log.progress(p)
			n.server.Follow(p)
		}, Served: func(id ledger.RunID, epoch, round int) { n.server.Served(id, epoch, round) }})
	n.server = socket.New(socket.Node{Self: n.self.Site, Hub: n.network.Hub, Institution: n.self.Institution, Ledger: n.replica, Texts: n.texts, Results: n.results, Outbox: n.outbox, Words: n.words, Reply: n.reply, Roll: members.Call,
		Submit: n.service.Desk().Submit, Conduct: n.room.conduct(socket.ConductAt(n.service.Desk())), Fresh: n.replica.Fresh, Newest: n.newest(), Delay: site.Exchanges * n.exchange.every, Spread: n.spread,
		StandIn: socket.StandInBy(n.service.StandIn), Askers: n.askers, Let: n.let, Copy: n.copyBook})
	return nil
}

// newest brings the ledger here up to date; nil where a letter's journey is an exchange of files.
func (n *siteNode) newest() func(context.Context) error {
	if n.exchange.every > 0 {
		return nil
	}
	return func(ctx context.Context) error {
		_, err := n.replica.Newest(ctx, 0, false)
		return err
	}
}

// memory is what the site remembers, for a run, of the requesters of an institution.
func (n *siteNode) memory(id string, of ws.Institution, d ws.Dataset, version int) site.Memory {
	return n.book.Run(id, n.self.Site, book.Group{Asker: of, Dataset: d}, version)
}

func (n *siteNode) askers() ([]socket.Asker, error) {
	all, err := n.book.Standings()
	var out []socket.Asker
	for _, s := range all {
		out = append(out, socket.Asker{Institution: s.Asker, Dataset: s.Dataset, Cohorts: s.Cohorts, Replies: s.Replies, Held: s.Held})
	}
	return out, err
}

func (n *siteNode) let(a socket.Asker) error {
	return n.book.Let(book.Group{Asker: a.Institution, Dataset: a.Dataset})
}

// copyBook is for a backup, which removes the copy once it is in the archive.
func (n *siteNode) copyBook() (string, error) {
	name := copyName()
	return name, n.book.Copy(n.dir.path(name))
}

// vitals is what the site's operator may see.
func (n *siteNode) vitals(pass mesh.Pass) vitals.Node {
	v := n.room.vitals("site", n.link, n.ledger, pass, func() *conduct.Desk { return n.service.Desk() })
	v.Up, v.Fresh, v.MaxAge, v.Ready = n.up, n.replica.Fresh, site.MaxAge+site.Exchanges*n.exchange.every, n.ready
	v.Runs["answering"] = func() int { return n.service.Answering() }
	v.Journal = func() (size int64) {
		for _, name := range []string{journalName, journalName + "-wal"} {
			if info, err := os.Stat(n.dir.path(name)); err == nil {
				size += info.Size()
			}
		}
		return size
	}
	if n.expiry != nil {
		v.Expiry["server"] = n.expiry
	}
	return v
}

// ready says what beyond a wire and a fresh ledger the site lacks.
func (n *siteNode) ready() error {
	if rec, known := n.ledger.State().Site(n.self.Site); !known || rec.Ended {
		return ws.Errorf(ws.Denied, "node", ws.T("the ledger has no such site, or it has ended", "账本中没有该站点，或其已终止"))
	}
	if !n.service.Renewed() {
		return ws.Errorf(ws.Unreachable, "node", ws.T("restored from a backup, and not yet told where the ledger stands", "由备份恢复，尚未获知账本的最新状态"))
	}
	return n.room.check()
}

// spread gives the text of a study to the hub, which hands it on.
func (n *siteNode) spread(ctx context.Context, text []byte) error {
	return n.link.Send(ctx, mesh.Letter{From: n.self.Site, To: n.network.Hub, Run: post.Texts(n.reborn.Life), Label: post.Study, Body: text, Keep: true})
}

// hold keeps an answer that a person here must release.
func (n *siteNode) hold(id ledger.RunID, a *parties.Answer) error {
	fresh := n.outbox.Since(id).IsZero()
	err := n.outbox.Keep(&socket.Answer{Run: id, Document: a.Document, Salt: a.Salt, Limit: a.Limit})
	if err == nil && fresh {
		n.log.Write(events.AnswerWaits(id))
	}
	return err
}

// hear keeps what a reviewer elsewhere says of an answer that this site conducted.
func (n *siteNode) hear(from ws.SiteID, r post.Review) error {
	return n.words.Put(from, r, n.ledger.State().Reviewers(r.Run))
}

// reply hands what this site's reviewer says to whoever conducted the run.
func (n *siteNode) reply(ctx context.Context, to ws.SiteID, r post.Review) error {
	return n.link.Send(ctx, mesh.Letter{From: n.self.Site, To: to, Run: post.Texts(n.reborn.Life), Label: post.Words, Body: post.JSON(r), Keep: true})
}

// restored notes that the site, which came from a backup, knows where the ledger stands,
// and gives the hub the texts of studies, of which some may never have come there.
func (n *siteNode) restored(h ledger.Height) error {
	if err := n.dir.finish(n.reborn); err != nil {
		return err
	}
	n.log.Write(events.Restored(h))
	go n.spreadAll()
	return nil
}

// spreading bounds how long the hub is tried with all texts, whose letters it takes window by window.
const spreading = 5 * time.Minute

func (n *siteNode) spreadAll() {
	ctx, stop := context.WithTimeout(context.Background(), spreading)
	defer stop()
	n.texts.Each(socket.Known(n.ledger), func(text []byte) { n.log.report(n.spread(ctx, text)) })
}

// keep takes the text of a study that came.
func (n *siteNode) keep(text []byte) {
	h, fresh, err := n.texts.Put(text, socket.Known(n.ledger))
	switch {
	case err != nil:
		n.log.report(err)
	case fresh:
		n.log.Write(events.StudyArrived(h))
	}
}

func (n *siteNode) close() {
	var errs []error
	if n.link != nil {
		errs = append(errs, n.link.Close())
	}
	if n.vault != nil {
		errs = append(errs, n.vault.host.Close())
	}
	if n.journals != nil {
		errs = append(errs, n.journals.Close())
	}
	if n.book != nil {
		errs = append(errs, n.book.Close())
	}
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close())
	}
	n.log.report(errors.Join(errs...))
}

// A vault opens the site's frozen versions, each file once.
type vault struct {
	node *siteNode
	host *duckdb.Host
	mu   sync.Mutex
	rows map[string]frame.Source
}

func openVault(n *siteNode) (*vault, error) {
	h, err := duckdb.OpenHost(n.dir.path(dataName), duckdb.Options{})
	if err != nil {
		return nil, err
	}
	return &vault{node: n, host: h, rows: map[string]frame.Source{}}, nil
}

// open gives the rows of a version and its policy, held to the ledger's commitment.
func (v *vault) open(ctx context.Context, name ws.Dataset, version int) (frame.Source, policy.Policy, error) {
	if _, err := datasetNamed(string(name)); err != nil {
		return nil, policy.Policy{}, err
	}
	f, err := v.node.dir.heldOn(v.node.ledger.State(), v.node.self.Site, name, version)
	if err != nil {
		return nil, policy.Policy{}, err
	}
	src, err := v.source(ctx, name, version)
	if err == nil && !reflect.DeepEqual(src.Dictionary(), f.Dictionary) {
		err = altered(name, version)
	}
	return src, f.Policy, err
}

func (v *vault) source(ctx context.Context, name ws.Dataset, version int) (frame.Source, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	file := versionFile(name, version, "duckdb")
	if src := v.rows[file]; src != nil {
		return src, nil
	}
	s, err := v.host.Store(ctx, file)
	if err != nil {
		return nil, err
	}
	// The file holds one dataset with one version: its number is the ledger's, not the store's.
	src, err := s.Open(ctx, name, engine.Version(1))
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	v.rows[file] = src
	return src, nil
}
